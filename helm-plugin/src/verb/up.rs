//! `eks-deploy up`: resolve, pin, prove, deploy, report.

use super::release::{Begun, Prepared, Target};
use crate::{
    cli::UpArguments,
    eks::access,
    exit::Exit,
    failure::{Explain, Failure},
    helm::{
        outcome::{Asked, Outcome, judge},
        session::{Helm, failed},
    },
    settings::Settings,
    signals::{Signals, Stop},
    talk::say,
};

/// `up` did not end with a deployed release.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpError {
    /// Stopped while Helm was at work.
    #[error("stopped; release `{release}` is {outcome}")]
    StoppedDuring {
        /// The release.
        release: String,
        /// What asked for it.
        stop: Stop,
        /// What became of the release.
        outcome: Outcome,
    },
    /// Helm did not get it deployed.
    #[error("release `{release}` is {outcome}")]
    NotDeployed {
        /// The release.
        release: String,
        /// Its namespace.
        namespace: String,
        /// What became of it.
        outcome: Outcome,
    },
}

impl Explain for UpError {
    fn exit(&self) -> Exit {
        match self {
            Self::StoppedDuring { stop, .. } => stop.exit(),
            Self::NotDeployed { outcome, .. } => outcome.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        let Self::NotDeployed { release, namespace, outcome } = self else { return None };
        let history = format!("helm history {release} -n {namespace}");
        match outcome {
            Outcome::Failed { .. } | Outcome::RolledBack { .. } => {
                Some(format!("what failed: {history}; kubectl get events -n {namespace}"))
            }
            Outcome::Pending { .. } => Some(format!(
                "if no other deployment is running: {history}, then helm rollback {release} -n {namespace}"
            )),
            Outcome::Unknown { .. } => Some(format!("look: {history}")),
            Outcome::Deployed { .. } | Outcome::Untouched | Outcome::Removed => None,
        }
    }
}

/// Deploys.
pub(crate) async fn run(arguments: UpArguments) -> Result<Exit, Failure> {
    let (begun, mut signals) = Begun::new(arguments)?;
    let helm = begun.helm()?;
    let (target, prepared) = begun.prepare(&helm, &mut signals).await?;
    deploy(&begun.settings, &target, &prepared, &helm, &mut signals).await
}

/// Lets Helm do it, and reads from the release what became of it.
async fn deploy(
    settings: &Settings,
    target: &Target,
    prepared: &Prepared,
    helm: &Helm<'_>,
    signals: &mut Signals,
) -> Result<Exit, Failure> {
    let (release, namespace) = (settings.release.clone(), settings.namespace.name.clone());
    let ended = helm.deploy(&prepared.arguments, &prepared.document, signals).await?;
    let found = helm.status(&release, &namespace).await;
    let asked = Asked { revision: prepared.revision, rollback: settings.helm.rolls_back() };
    let outcome = judge(asked, found);
    if let Some(stop) = ended.stop {
        return Err(UpError::StoppedDuring { release, stop, outcome }.into());
    }
    match outcome {
        Outcome::Deployed { .. } => {
            say(&format!("release {release} is {outcome}"));
            Ok(Exit::Done)
        }
        Outcome::Untouched if !ended.success => {
            let error = failed("upgrade".to_owned(), &ended.stderr);
            Err(access::explain(error, &target.way.aws, &target.way.cluster, &namespace).await)
        }
        outcome => Err(UpError::NotDeployed { release, namespace, outcome }.into()),
    }
}
