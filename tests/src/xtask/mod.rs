//! `cargo xtask`: the verbs, and what each of them takes.

mod emulator;
mod front;
mod lab;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::usage;
use crate::{bench, check, demo, progress};

/// Runs what the lab can do.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run every check: format, lints, dependencies, unit tests, docs, modules, and the tests on real parts
    Test(check::Arguments),
    /// Bring the example from its source to a cluster, and leave it running
    Demo(demo::Arguments),
    /// Measure ours beside its peers
    Bench(bench::Arguments),
    /// Start, end and show the real parts that tests run on
    #[command(subcommand)]
    Lab(lab::Verb),
    /// Serve the ECR front before a running MiniStack
    #[command(hide = true)]
    Front(front::Arguments),
    /// Serve an ECR that is all in memory
    #[command(hide = true)]
    Emulator(emulator::Arguments),
    /// Run a program and write down what it took
    #[command(hide = true)]
    Meter(usage::Arguments),
}

/// Reads the command line, runs its verb and tells how it ended.
pub fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Test(arguments) => check::run(&arguments),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Lab(verb) => lab::run(&verb),
        Verb::Front(arguments) => front::run(&arguments),
        Verb::Emulator(arguments) => emulator::run(&arguments),
        Verb::Meter(arguments) => usage::meter(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
