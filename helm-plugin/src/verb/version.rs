//! `eks-deploy version`: what a report of a problem has to say.

use std::{
    env,
    io::{self, Write as _},
};

use crate::{
    exit::Exit,
    failure::{Explain, Failure},
    helm::session::Helm,
    run_folder::RunFolder,
    talk::warn,
};

/// Nobody takes the answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the version")]
struct WriteError(#[source] io::Error);

impl Explain for WriteError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }
}

/// Prints the versions. Without a helm that can be used there is only a warning.
pub(crate) async fn run() -> Result<(), Failure> {
    let mut text = concat!("eks-deploy ", env!("CARGO_PKG_VERSION"), "\n").to_owned();
    match helm().await {
        Ok(line) => text += &line,
        Err(failure) => warn(&failure.to_string()),
    }
    io::stdout().write_all(text.as_bytes()).map_err(WriteError)?;
    Ok(())
}

async fn helm() -> Result<String, Failure> {
    let own = env::current_exe().map_err(WriteError)?;
    let folder = RunFolder::create()?;
    let helm = Helm::find(&own, &folder)?;
    Ok(format!("helm {} ({})\n", helm.version().await?, helm.program().display()))
}
