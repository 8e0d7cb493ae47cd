//! `eks-deploy exec`: one command with a way into the cluster, and nothing left afterwards.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    os::unix::process::ExitStatusExt as _,
    process::{ExitCode, ExitStatus},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use super::way::{self, Way};
use crate::{
    cli::ExecArguments,
    exit::Exit,
    failure::{Explain, Failure},
    run_folder::RunFolder,
    settings::{Surroundings, file, place::Place},
    signals::{Signals, Stop},
};

/// The command could not be run.
#[derive(Debug, thiserror::Error)]
enum ExecError {
    /// Helm takes flags of the command for its own.
    #[error("`exec` does not work below helm, which keeps some of the command's flags to itself")]
    UnderHelm,
    /// It does not start, or its end cannot be seen.
    #[error("cannot run `{}`", program.to_string_lossy())]
    Run {
        /// The program.
        program: OsString,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system does not do what every program needs.
    #[error("cannot start")]
    System(#[source] io::Error),
}

impl Explain for ExecError {
    fn exit(&self) -> Exit {
        match self {
            Self::UnderHelm => Exit::Usage,
            Self::Run { .. } | Self::System(_) => Exit::Failure,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::UnderHelm).then(|| "run it as `eks-deploy exec`".to_owned())
    }
}

/// Runs the command.
pub(crate) async fn run(arguments: ExecArguments) -> Result<ExitCode, Failure> {
    let around = Surroundings::read();
    if around.under_helm {
        return Err(ExecError::UnderHelm.into());
    }
    let mut signals = Signals::listen(false).map_err(ExecError::System)?;
    let own = env::current_exe().map_err(ExecError::System)?;
    let file = file::read(arguments.place.config.as_deref())?;
    let place = Place::resolve(arguments.place, file.cluster, file.outputs, around.aws_region)?;
    let folder = RunFolder::create()?;
    let outputs = way::outputs(&place, None).await?;
    let way = Way::find(&place, outputs.as_ref()).await?;
    let (kubeconfig, _tokens) = way.open(&folder, &own, arguments.namespace.as_deref())?;
    let (program, rest) = arguments.command.split_first().expect("clap demands a command");
    let failed = |source| ExecError::Run { program: program.clone(), source };
    let mut child = Command::new(program).args(rest).env("KUBECONFIG", kubeconfig).spawn().map_err(failed)?;
    let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    loop {
        tokio::select! {
            status = child.wait() => return Ok(ended(status.map_err(failed)?)),
            stop = signals.next() => {
                pid.zip(handed_on(stop, io::stdin().is_terminal())).map(|(pid, signal)| kill_process(pid, signal));
            }
        }
    }
}

/// The signal that the command gets from us. A Ctrl-C on the terminal reaches it by itself.
fn handed_on(stop: Stop, terminal: bool) -> Option<Signal> {
    match stop {
        Stop::Interrupt => (!terminal).then_some(Signal::INT),
        Stop::HangUp => Some(Signal::HUP),
        Stop::Terminate | Stop::ParentGone | Stop::GivenUp | Stop::Deadline => Some(Signal::TERM),
    }
}

/// The command's exit code; that of a shell if a signal ended it.
fn ended(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).map_or(Exit::Failure.into(), ExitCode::from)
}
