//! Mounts that a program which was killed left behind.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::mount::{UnmountFlags, unmount};

/// Unmounts everything below the folder, the latest mount first.
pub fn unmount_below(folder: &Path) -> Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    for point in points_below(&table, folder) {
        unmount(point, UnmountFlags::DETACH)
            .with_context(|| format!("cannot unmount `{}`", point.display()))?;
    }
    Ok(())
}

fn points_below<'a>(table: &'a str, folder: &Path) -> impl Iterator<Item = &'a Path> {
    let points = table.lines().rev().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    points.filter(move |point| point.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_mount_comes_first() {
        let table = "22 1 0:20 / /lab rw - ext4 a rw\n23 22 0:21 / /lab/x rw - proc b rw\n24 1 0:22 / /labour rw - c d rw\n";
        let points: Vec<_> = points_below(table, Path::new("/lab")).collect();
        assert_eq!(points, [Path::new("/lab/x"), Path::new("/lab")]);
    }
}
