//! Terraform's own files, which no build sees and no hash covers.
//!
//! Planning and applying write them; if they were content, a saved plan would change what it was made from.

use std::io::{self, Read, Seek, SeekFrom};

/// Whether a file or folder of this name is Terraform's: its data folder, state, state locks and backups.
pub(crate) fn is_named_so(name: &str) -> bool {
    name == ".terraform" || name.contains(".tfstate")
}

/// Whether this is a saved plan, whatever its name: a zip archive with a member `tfplan`.
///
/// The reader is at its beginning before and after.
pub(crate) fn is_saved_plan(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut magic = [0; 4];
    let read = read_up_to(file, &mut magic)?;
    let saved_plan = &magic[..read] == b"PK\x03\x04" && has_member(file, b"tfplan")?;
    file.seek(SeekFrom::Start(0))?;
    Ok(saved_plan)
}

/// The fixed part of the record that ends a zip archive.
const END_RECORD: usize = 22;
/// The fixed part of a member's record in the archive's directory.
const MEMBER_RECORD: usize = 46;
/// A plan has a handful of members; who has more is no plan.
const MAX_MEMBERS: usize = 64;

fn has_member(file: &mut (impl Read + Seek), name: &[u8]) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    // Terraform writes no archive comment, so the end record is the last thing in the file.
    let Some(end_at) = length.checked_sub(END_RECORD as u64) else { return Ok(false) };
    let end: [u8; END_RECORD] = read_at(file, end_at)?;
    let members = usize::from(u16::from_le_bytes([end[10], end[11]]));
    if !end.starts_with(b"PK\x05\x06") || members > MAX_MEMBERS {
        return Ok(false);
    }
    let mut at = u64::from(u32::from_le_bytes([end[16], end[17], end[18], end[19]]));
    for _ in 0..members {
        if at.saturating_add(MEMBER_RECORD as u64) > end_at {
            return Ok(false);
        }
        let record: [u8; MEMBER_RECORD] = read_at(file, at)?;
        let sizes = [28, 30, 32].map(|i| u16::from_le_bytes([record[i], record[i + 1]]));
        let mut member = vec![0; usize::from(sizes[0])];
        let read = read_up_to(file, &mut member)?;
        if &member[..read] == name {
            return Ok(true);
        }
        at += MEMBER_RECORD as u64 + sizes.iter().map(|size| u64::from(*size)).sum::<u64>();
    }
    Ok(false)
}

fn read_at<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
