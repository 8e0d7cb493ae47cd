use super::*;

/// The entries of an archive; a kind, a name, a target for links, content.
type Row<'a> = (EntryType, &'a str, &'a str, &'a [u8]);

fn archive(rows: &[Row<'_>]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut archive = tar::Builder::new(file.reopen().unwrap());
    for (kind, name, target, content) in rows {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.finish().unwrap();
    file
}

fn check(rows: &[Row<'_>], name: &str, expected: Result<&[u8], &str>) {
    let file = archive(rows);
    let got = TarIndex::read(file.path()).and_then(|index| index.find(name));
    let got = got.map_err(|error| error.to_string()).map(|Span { offset, size }| {
        let (offset, size) = (usize::try_from(offset).unwrap(), usize::try_from(size).unwrap());
        std::fs::read(file.path()).unwrap()[offset..offset + size].to_vec()
    });
    assert_eq!(got.as_deref().map_err(String::as_str), expected, "{name}");
}

const FILE: EntryType = EntryType::Regular;
const LINK: EntryType = EntryType::Symlink;

#[test]
fn files_and_links() {
    let rows: [Row<'_>; 7] = [
        (EntryType::Directory, "a/", "", b""),
        (FILE, "./a/layer.tar", "", b"one"),
        (LINK, "b/layer.tar", "../a/layer.tar", b""),
        (EntryType::Link, "c", "b/layer.tar", b""),
        (FILE, "empty", "", b""),
        (EntryType::XGlobalHeader, "pax", "", b"19 comment=whatever"),
        (FILE, "last", "", &[7; 700]),
    ];
    check(&rows, "a/layer.tar", Ok(b"one"));
    check(&rows, "b/layer.tar", Ok(b"one"));
    check(&rows, "./c", Ok(b"one"));
    check(&rows, "empty", Ok(b""));
    check(&rows, "last", Ok(&[7; 700]));
    check(&rows, "none", Err("it has no `none`"));
    check(&rows, "../last", Err("it has no `../last`"));
}

#[test]
fn long_names_and_sizes() {
    let long = "d/".repeat(100) + "file";
    let gnu = [long.as_bytes(), b"\0"].concat();
    check(&[(EntryType::GNULongName, "././@LongLink", "", &gnu), (FILE, "d", "", b"x")], &long, Ok(b"x"));
    let pax = format!("{} path={long}\n", long.len() + 10);
    check(&[(EntryType::XHeader, "pax", "", pax.as_bytes()), (FILE, "d", "", b"x")], &long, Ok(b"x"));
    check(&[(EntryType::XHeader, "pax", "", b"9 size=2\n"), (FILE, "d", "", b"xyz")], "d", Ok(b"xy"));
}

#[test]
fn archives_made_to_mislead() {
    let entry = |name: &str, problem: &str| format!("entry `{name}` of the archive {problem}");
    let refused = |rows: &[Row<'_>], name: &str, problem: &str| {
        check(rows, "a", Err(&entry(name, problem)));
    };
    refused(&[(FILE, "../a", "", b"")], "../a", "leads out of the archive");
    refused(&[(FILE, "/a", "", b"")], "/a", "leads out of the archive");
    refused(&[(FILE, "b/../../a", "", b"")], "b/../../a", "leads out of the archive");
    refused(&[(LINK, "a", "../b", b"")], "a", "links out of the archive");
    refused(&[(LINK, "a", "/etc/passwd", b"")], "a", "links out of the archive");
    refused(&[(FILE, "a", "", b"1"), (FILE, "./a", "", b"2")], "./a", "is there twice");
    refused(&[(LINK, "a", "b", b""), (LINK, "b", "a", b"")], "a", "is a link without end");
    refused(&[(EntryType::Fifo, "a", "", b"")], "a", "is neither a file nor a link");
    refused(&[(EntryType::GNUSparse, "a", "", b"")], "a", "is neither a file nor a link");
    let sparse = b"22 GNU.sparse.major=1\n";
    refused(&[(EntryType::XHeader, "a", "", sparse), (FILE, "a", "", b"")], "a", "is sparse");
    let huge = b"29 size=18446744073709551615\n";
    let beyond = "goes on after the end of the archive";
    refused(&[(EntryType::XHeader, "x", "", b"19 size=1000000000\n"), (FILE, "a", "", b"")], "a", beyond);
    refused(&[(EntryType::XHeader, "x", "", huge), (FILE, "a", "", b"")], "a", beyond);
    let long = vec![b'a'; 70_000];
    refused(&[(EntryType::GNULongName, "a", "", &long)], "a", "has longer extensions than anybody's");
    let name = "a".repeat(100);
    let long = vec![b'a'; 2000];
    refused(
        &[(EntryType::GNULongName, "x", "", &long), (FILE, "a", "", b"")],
        &name,
        "has a name longer than anybody's",
    );
}

#[test]
fn other_files() {
    let check = |content: &[u8], problem: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let error = TarIndex::read(file.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("entry `` of the archive {problem}"));
    };
    check(b"short", "breaks off");
    check(&[b'x'; 1024], "has a wrong checksum, so this is no tar archive");
    assert!(TarIndex::read(Path::new("/nonexistent")).is_err());
}
