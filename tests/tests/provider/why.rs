//! The page that says why: each of its thirty rows names a test that is there.

use lab::programs::checkout;

#[test]
fn every_row_names_a_test() {
    let page = checkout().join("provider/docs/guides/why.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let rows: Vec<_> = text.lines().filter_map(row).collect();
    assert!(rows.iter().map(|(number, ..)| *number).eq(1..=30), "{rows:?}");
    for (number, name, path) in rows {
        let file = page.parent().unwrap().join(path);
        let source =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("row {number}: {path}: {error}"));
        assert!(source.contains(&format!("fn {name}(")), "row {number}: {path} has no test `{name}`");
    }
}

/// The number of a row, its test, and the test's file.
fn row(line: &str) -> Option<(usize, &str, &str)> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let number = cells.next()?.parse().ok()?;
    let proof = cells.last()?.strip_suffix(" |")?;
    let (name, path) = proof.strip_prefix("[`")?.strip_suffix(')')?.split_once("`](")?;
    Some((number, name, path))
}
