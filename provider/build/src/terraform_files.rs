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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A zip archive of empty members, as far as its directory goes.
    pub(crate) fn archive(members: &[&str]) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04 and so on".to_vec();
        let directory = u32::try_from(bytes.len()).unwrap();
        for member in members {
            let mut record = [0; MEMBER_RECORD];
            record[..4].copy_from_slice(b"PK\x01\x02");
            record[28..30].copy_from_slice(&u16::try_from(member.len()).unwrap().to_le_bytes());
            bytes.extend(record);
            bytes.extend(member.as_bytes());
        }
        let mut end = [0; END_RECORD];
        end[..4].copy_from_slice(b"PK\x05\x06");
        end[10..12].copy_from_slice(&u16::try_from(members.len()).unwrap().to_le_bytes());
        end[16..20].copy_from_slice(&directory.to_le_bytes());
        bytes.extend(end);
        bytes
    }

    #[test]
    fn knows_a_saved_plan_by_its_content() {
        let check = |bytes: &[u8], expected: bool| {
            let mut file = io::Cursor::new(bytes);
            assert_eq!(is_saved_plan(&mut file).unwrap(), expected, "{bytes:?}");
            assert_eq!(file.position(), 0);
        };
        check(&archive(&["tfplan", "tfstate", "tfconfig/m-/main.tf"]), true);
        check(&archive(&["META-INF/MANIFEST.MF", "tfplan"]), true);
        check(&archive(&["META-INF/MANIFEST.MF", "tfplan.class"]), false);
        check(&archive(&[]), false);
        check(b"PK\x03\x04", false);
        check(b"PK", false);
        check(b"", false);
        let mut lying = archive(&["tfplan"]);
        let at = lying.len() - 6;
        lying[at..at + 4].fill(0xff);
        check(&lying, false);
        check(&archive(&["x"; MAX_MEMBERS + 1]), false);
    }

    #[test]
    fn knows_names() {
        for (name, expected) in [
            (".terraform", true),
            ("terraform.tfstate", true),
            ("terraform.tfstate.backup", true),
            ("terraform.tfstate.d", true),
            (".terraform.tfstate.lock.info", true),
            (".terraform.lock.hcl", false),
            ("terraform.tfvars", false),
            ("main.tf", false),
        ] {
            assert_eq!(is_named_so(name), expected, "{name}");
        }
    }
}
