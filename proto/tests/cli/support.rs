//! Which calls of the protocol were answered, and on whose behalf: the table in `README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use tfplugin_rs::testing::cli::Cli;

use crate::golden;
use crate::stage::Stage;
use crate::tour::tour;
use crate::wire::everything;

const BEGIN: &str = "<!-- support: written by the tests -->\n";
const END: &str = "<!-- support: end -->";
/// The column of our own client.
const WIRE: &str = "wire client";

/// Calls by who made them.
type Table = BTreeMap<String, BTreeSet<String>>;

#[tokio::test]
#[ignore = "needs Terraform and OpenTofu"]
async fn the_table_says_what_happened() {
    let mut seen = Table::from([(WIRE.to_owned(), everything().await)]);
    for cli in Cli::all().unwrap() {
        seen.insert(column(&cli), tour(&Stage::new(&cli)));
    }
    let readme = fs::read_to_string(file()).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("README.md has the begin of the table");
    let (text, after) = rest.split_once(END).expect("README.md has the end of the table");
    // A program that is not here keeps its column.
    let mut table = read(text);
    if golden::is_updating() {
        table.extend(seen);
        fs::write(file(), [before, BEGIN, &show(&table), END, after].concat()).unwrap();
        return;
    }
    assert_eq!(show(&table), text);
    for (program, calls) in seen {
        if let Some(kept) = table.get(&program) {
            assert_eq!(&calls, kept, "{program}: run again with UPDATE_GOLDEN=1 if that is right");
        } else {
            let enough = nearest(&table, &program).is_none_or(|nearest| calls.is_superset(nearest));
            assert!(enough, "{program}, which has no column yet: {calls:?}");
        }
    }
}

/// The calls of the newest older version that has a column: newer ones make no fewer.
fn nearest<'a>(table: &'a Table, program: &str) -> Option<&'a BTreeSet<String>> {
    let version = |column: &str| {
        let (flavour, version) = column.split_once(' ')?;
        let numbers: Vec<u32> = version.split('.').filter_map(|number| number.parse().ok()).collect();
        program.starts_with(flavour).then_some(numbers)
    };
    let older = |column: &&String| version(column).is_some_and(|numbers| Some(numbers) < version(program));
    table.keys().filter(older).max_by_key(|column| version(column)).map(|column| &table[column])
}

/// No call is forgotten: what no CLI makes, our own client does.
#[tokio::test]
async fn every_call_is_answered() {
    assert_eq!(everything().await, calls().into_iter().collect());
}

fn column(cli: &Cli) -> String {
    let (major, minor, _) = cli.version();
    format!("{:?} {major}.{minor}", cli.flavour())
}

/// All calls, in the order of the protocol's definition.
pub(crate) fn calls() -> Vec<String> {
    let definition = include_str!("../../proto/tfplugin6.proto");
    let names = definition.lines().filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next());
    names.map(str::to_owned).collect()
}

fn show(table: &Table) -> String {
    let columns: Vec<_> = table.keys().map(String::as_str).collect();
    let row = |first: &str, cells: Vec<&str>| format!("| {first} | {} |\n", cells.join(" | "));
    let head = row("", columns.clone()) + &row("---", vec!["---"; columns.len()]);
    calls().into_iter().fold(head, |text, call| {
        let marks = columns.iter().map(|column| if table[*column].contains(&call) { "✓" } else { "" });
        text + &row(&format!("`{call}`"), marks.collect())
    })
}

fn read(text: &str) -> Table {
    let mut rows =
        text.lines().map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let columns = rows.next().unwrap_or_default();
    let mut table: Table =
        columns.iter().skip(1).map(|column| ((*column).to_owned(), BTreeSet::new())).collect();
    for row in rows.skip(1) {
        let call = row[0].trim_matches('`');
        for (column, mark) in columns.iter().zip(&row).skip(1) {
            if *mark == "✓" {
                table.get_mut(*column).unwrap().insert(call.to_owned());
            }
        }
    }
    table
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

#[test]
fn a_table_is_read_as_it_is_shown() {
    let table = Table::from([
        (WIRE.to_owned(), calls().into_iter().collect()),
        ("Terraform 1.11".to_owned(), BTreeSet::from(["ReadResource".to_owned()])),
        ("OpenTofu 1.6".to_owned(), BTreeSet::new()),
    ]);
    assert_eq!(read(&show(&table)), table);
    assert_eq!(calls().len(), 36);
}
