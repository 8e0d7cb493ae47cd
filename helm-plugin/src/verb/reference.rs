//! What packages bring beside the program, made from the definitions: the manual pages and the file's schema.

use std::{
    io::{self, Write as _},
    path::Path,
};

use crate::{
    cli,
    exit::Exit,
    failure::{Explain, Failure},
    settings::file,
};

/// It cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the reference")]
struct WriteError(#[from] io::Error);

impl Explain for WriteError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }
}

/// Prints the schema of the file.
pub(crate) fn schema() -> Result<(), Failure> {
    io::stdout().write_all(file::schema().as_bytes()).map_err(WriteError)?;
    Ok(())
}

/// Writes `eks-deploy.1`, `eks-deploy-up.1`, and so on.
pub(crate) fn manual(folder: &Path) -> Result<(), Failure> {
    clap_mangen::generate_to(cli::command(), folder).map_err(WriteError)?;
    Ok(())
}
