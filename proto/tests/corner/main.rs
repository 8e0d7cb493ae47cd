//! The corners of the protocol, with every CLI there is: numbers, dynamic types, sets, nested defaults,
//! write-only arguments, moves, identities, ephemeral resources, functions, searches, actions.
//!
//! The cases are those of hashicorp/terraform-provider-corner for protocol 6 in intent, and some more. What a
//! CLI is too old for is done by our own client (`wire`), and a table says so: nothing is left out silently.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "the table of who did what is part of the result")]

mod case;
mod document;
mod round;
mod wire;

use std::{
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use regex::Regex;
use tfplugin_rs::testing::cli::Cli;

use case::Case;

/// The program of the provider, which cargo builds beside the tests.
fn provider() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/corner");
    assert!(program.exists(), "compile it first: cargo build -p tfplugin-rs --example corner");
    program
}

/// `CORNER_CASES`, a regular expression, picks some by name.
fn cases() -> Vec<Case> {
    let wanted = Regex::new(&std::env::var("CORNER_CASES").unwrap_or_default()).unwrap();
    let mut cases = Case::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corner/cases"));
    cases.retain(|case| wanted.is_match(&case.name));
    assert!(!cases.is_empty(), "no case has such a name");
    cases
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn every_case_with_every_cli() {
    let (clis, cases) = (Cli::all().unwrap(), cases());
    let mut problems = unseen(&clis, &cases);
    thread::scope(|scope| {
        let running: Vec<_> = clis.iter().map(|cli| scope.spawn(|| with_cli(cli, &cases))).collect();
        problems.extend(running.into_iter().flat_map(|done| done.join().unwrap()));
    });
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn with_cli(cli: &Cli, cases: &[Case]) -> Vec<String> {
    let start = Instant::now();
    let able: Vec<_> = cases.iter().filter(|case| case.runs_on(cli)).collect();
    let problems = round::run(cli, &able).unwrap_or_else(|error| vec![error.to_string()]);
    println!("{cli}: {} of {} cases, in {:.1?}", able.len(), cases.len(), start.elapsed());
    problems.into_iter().map(|problem| format!("{cli}: {problem}")).collect()
}

/// Cases that some CLI cannot run are the wire client's, or at least another CLI's. Prints whose.
fn unseen(clis: &[Cli], cases: &[Case]) -> Vec<String> {
    let mut problems = Vec::new();
    for case in cases {
        let (able, unable): (Vec<_>, Vec<_>) = clis.iter().partition(|cli| case.runs_on(cli));
        let list = |clis: Vec<&Cli>| clis.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let driver = match wire::CASES.contains(&case.name.as_str()) {
            _ if unable.is_empty() => continue,
            true => "the wire client".to_owned(),
            false if able.is_empty() => {
                problems.push(format!("{}: nobody drives it", case.name));
                continue;
            }
            false => list(able),
        };
        println!("{:<46} instead of {}: driven by {driver}", case.name, list(unable));
    }
    problems
}

#[tokio::test]
async fn what_clis_are_too_old_for() {
    for name in wire::CASES {
        wire::drive(name).await;
    }
}

#[test]
fn cases_are_well_formed() {
    let cases = Case::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corner/cases"));
    let mut names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    for name in wire::CASES {
        assert!(names.contains(&name), "`{name}` is no case");
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two cases have one name");
}
