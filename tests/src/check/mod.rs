//! `cargo xtask test`: every check there is, in the order of what is cheapest to fail.
//!
//! A step that fails does not keep the others from running. What could not run here is counted and listed last; where
//! `CI=true` nothing may be left out for want of a program.

mod cargo;
mod end_to_end;
mod fuzz;
mod modules;
mod report;
pub mod skip;
mod test_programs;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::cache::Cache;
use crate::packages::Consent;
use crate::progress;
use report::{Outcome, Row};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run this step only; may be given several times
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Leave out what needs the lab
    #[arg(long)]
    no_lab: bool,
    /// Apply every module and example with Terraform and with OpenTofu, not each with one of them
    #[arg(long)]
    matrix: bool,
    /// Install missing system packages without asking
    #[arg(long)]
    yes: bool,
    /// Of the end-to-end tests run those whose names contain this
    #[arg(value_name = "TEST")]
    tests: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    Format,
    Lints,
    Dependencies,
    Units,
    Docs,
    Fuzz,
    Modules,
    EndToEnd,
}

/// What the steps share.
struct World<'a> {
    cache: Cache,
    consent: Consent,
    arguments: &'a Arguments,
}

/// Runs the steps and tells what became of each.
///
/// # Errors
/// When a step failed, after all have run.
pub fn run(arguments: &Arguments) -> Result<()> {
    let world = World { cache: Cache::from_env()?, consent: Consent::from_flag(arguments.yes), arguments };
    let wanted = |step: &&Step| arguments.only.is_empty() || arguments.only.contains(step);
    let start = Instant::now();
    let rows: Vec<_> = Step::value_variants().iter().filter(wanted).map(|step| step.row(&world)).collect();
    let failed = rows.iter().filter(|row| matches!(row.outcome, Outcome::Failed(_))).count();
    print(&report::closing(&rows, start.elapsed()));
    ensure!(failed == 0, "{failed} of {} steps failed", rows.len());
    Ok(())
}

impl Step {
    fn row(self, world: &World<'_>) -> Row {
        progress::say(format_args!("== {}", self.name()));
        let start = Instant::now();
        let mut row = Row::new(self.name());
        if let Err(error) = self.run(world, &mut row) {
            progress::say(format_args!("{}: {error:#}", self.name()));
            row.outcome = Outcome::Failed(format!("{error:#}"));
        }
        row.took = start.elapsed();
        row
    }

    fn run(self, world: &World<'_>, row: &mut Row) -> Result<()> {
        match self {
            Self::Format => cargo::format(world),
            Self::Lints => cargo::lints(world),
            Self::Dependencies => cargo::dependencies(world),
            Self::Units => cargo::units(world, row),
            Self::Docs => cargo::docs(world),
            Self::Fuzz => fuzz::run(world, row),
            Self::Modules => modules::run(world, row),
            Self::EndToEnd if world.arguments.no_lab => {
                row.skipped.push(
                    "end to end: left out by --no-lab; nothing met Terraform, Helm or Kubernetes".into(),
                );
                Ok(())
            }
            Self::EndToEnd => end_to_end::run(world, row),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

#[expect(clippy::print_stdout, reason = "the answer to the command")]
fn print(text: &str) {
    print!("{text}");
}

/// What is there, or `None` and a line in the report. Where `CI=true` what is missing is an error.
fn or_skip<T>(row: &mut Row, part: Result<T>) -> Result<Option<T>> {
    match part {
        Ok(part) => Ok(Some(part)),
        Err(error) if skip::is_forbidden() => Err(error).context("CI=true leaves nothing out"),
        Err(error) => {
            row.skipped.push(format!("{}: {error:#}", row.name));
            Ok(None)
        }
    }
}
