//! `eks-deploy`, run as `helm eks-deploy` or by itself: deploys a chart to Amazon EKS through the user's own Helm.
//!
//! What was typed becomes settings, settings become work. Everything runs on the main thread: the signal that ends
//! Helm when we die belongs to the thread that started it.

mod changes;
mod ci;
mod cli;
mod eks;
mod exit;
mod failure;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod heartbeat;
mod helm;
mod images;
mod kube;
mod namespace;
mod plan;
mod report;
mod rollout;
mod run_folder;
mod secrets;
mod settings;
mod signals;
mod talk;
mod text;
mod verb;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::error::ErrorKind;

use crate::{
    ci::Ci,
    cli::{Cli, Verb},
    exit::Exit,
    failure::Failure,
    talk::{Paint, say},
};

/// The whole program, from its arguments to its exit code.
pub fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_some_and(|verb| verb == helm::arm::VERB) {
        say(&format!("cannot run helm: {}", helm::arm::run(arguments)));
        return Exit::Failure.into();
    }
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return not_a_command(&error).into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => {
            say(&format!("cannot start: {error}"));
            return Exit::Failure.into();
        }
    };
    result.unwrap_or_else(|failure| {
        // Words of others are among it.
        let text = Ci::of_environment().quoted(failure.render(Paint::for_stderr()).trim_end());
        let _ = writeln!(io::stderr(), "{text}");
        failure.exit().into()
    })
}

async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let done = |()| ExitCode::from(Exit::Done);
    match cli.verb {
        Verb::Up(arguments) => verb::up::run(*arguments).await.map(ExitCode::from),
        Verb::Plan(arguments) => verb::plan::run(*arguments).await.map(ExitCode::from),
        Verb::Rollback(arguments) => verb::rollback::run(*arguments).await.map(ExitCode::from),
        Verb::Status(arguments) => verb::status::run(*arguments).await.map(ExitCode::from),
        Verb::Recover(arguments) => verb::recover::run(*arguments).await.map(done),
        Verb::Token(arguments) => verb::token::run(arguments).await.map(done),
        Verb::Images(arguments) => verb::images::run(arguments).await.map(done),
        Verb::Kubeconfig(arguments) => verb::kubeconfig::run(arguments).await.map(done),
        Verb::Exec(arguments) => verb::exec::run(arguments).await,
        Verb::Doctor(arguments) => Box::pin(verb::doctor::run(*arguments)).await.map(ExitCode::from),
        Verb::PostRender { order } => verb::post_render::run(&order).map(done),
        Verb::Schema => verb::reference::schema().map(done),
        Verb::Man { folder } => verb::reference::manual(&folder).map(done),
        Verb::Completion { shell } => {
            clap_complete::generate(shell, &mut cli::command(), "eks-deploy", &mut io::stdout());
            Ok(Exit::Done.into())
        }
        Verb::Version => verb::version::run().await.map(done),
    }
}

/// Help and version are answers; anything else is a usage error, which for clap would be exit code 2.
fn not_a_command(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            Exit::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = write!(io::stdout(), "{}", error.render());
            Exit::Done
        }
        _ => {
            let _ = error.print();
            Exit::Usage
        }
    }
}
