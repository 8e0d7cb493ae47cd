//! `eks-deploy kubeconfig`: a kubeconfig for the cluster, printed or put into a file.

pub(crate) mod file;

use std::{
    env,
    io::{self, Write as _},
    path::PathBuf,
};

use serde_json::Value;

use super::way::{self, Way};
use crate::{
    cli::{KubeconfigArguments, KubeconfigVerb},
    eks::kubeconfig::Entry,
    exit::Exit,
    failure::{Explain, Failure},
    settings::{Surroundings, file as settings_file, place::Place},
    talk::say,
};

/// The kubeconfig has nowhere to go.
#[derive(Debug, thiserror::Error)]
enum KubeconfigError {
    /// Nobody takes it.
    #[error("cannot write the kubeconfig")]
    Write(#[source] io::Error),
    /// No file was named and there is no home.
    #[error("there is no kubeconfig file to write to")]
    NoFile,
}

impl Explain for KubeconfigError {
    fn exit(&self) -> Exit {
        match self {
            Self::Write(_) => Exit::Failure,
            Self::NoFile => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::NoFile).then(|| "pass --file, or set KUBECONFIG or HOME".to_owned())
    }
}

/// Prints or writes it.
pub(crate) async fn run(verb: KubeconfigVerb) -> Result<(), Failure> {
    match verb {
        KubeconfigVerb::Print(arguments) => {
            let (_, config) = kubeconfig(arguments).await?;
            writeln!(io::stdout(), "{config:#}").map_err(KubeconfigError::Write)?;
        }
        KubeconfigVerb::Write { kubeconfig: arguments, file, keep_current } => {
            let path = file.or_else(default_file).ok_or(KubeconfigError::NoFile)?;
            let (name, config) = kubeconfig(arguments).await?;
            file::write(&path, &config, keep_current)?;
            say(&format!("context {name} is in {}", path.display()));
        }
    }
    Ok(())
}

/// The kubeconfig, and what it calls its context.
async fn kubeconfig(arguments: KubeconfigArguments) -> Result<(String, Value), Failure> {
    let around = Surroundings::read();
    let own = env::current_exe().map_err(KubeconfigError::Write)?;
    let file = settings_file::read(arguments.place.config.as_deref())?;
    let place = Place::resolve(arguments.place, file.cluster, file.outputs, around.aws_region)?;
    let outputs = way::outputs(&place, None).await?;
    let way = Way::find(&place, outputs.as_ref()).await?;
    let name =
        arguments.alias.or_else(|| way.cluster.arn.clone()).unwrap_or_else(|| way.cluster.name.clone());
    let config =
        way.kubeconfig(&own, Entry { name: &name, namespace: arguments.namespace.as_deref(), socket: None });
    Ok((name, config))
}

/// The file that kubectl would change.
fn default_file() -> Option<PathBuf> {
    let listed = env::var_os("KUBECONFIG").unwrap_or_default();
    let listed = env::split_paths(&listed).find(|path| !path.as_os_str().is_empty());
    let home = env::var_os("HOME").filter(|home| !home.is_empty());
    listed.or_else(|| Some(PathBuf::from(home?).join(".kube/config")))
}
