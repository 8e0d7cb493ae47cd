//! `eks-deploy up`: resolve, pin, prove, deploy, report.

use std::future;

use tokio::sync::Notify;

use super::release::{Begun, Prepared, Target, unless_stopped};
use crate::{
    ci::Ci,
    cli::UpArguments,
    eks::access,
    exit::Exit,
    failure::{Explain, Failure},
    heartbeat::Heart,
    helm::{
        outcome::{Asked, Outcome, judge},
        session::{Ended, Helm, HelmError, failed},
    },
    images::resolve,
    kube::{Client, KubeError},
    rollout::{FirstCause, Follower, Report},
    settings::Settings,
    signals::{Signals, Stop},
    talk::{say, warn},
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
        /// What stood in the way, if that was seen.
        #[source]
        cause: Option<FirstCause>,
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
        let Self::NotDeployed { release, namespace, outcome, cause } = self else { return None };
        let history = format!("helm history {release} -n {namespace}");
        match outcome {
            // It has been said.
            Outcome::Failed { .. } | Outcome::RolledBack { .. } if cause.is_some() => None,
            Outcome::Failed { .. } | Outcome::RolledBack { .. } => {
                Some(format!("what failed: {history}; kubectl get events -n {namespace}"))
            }
            Outcome::Pending { .. } => Some(format!(
                "if no other deployment is running: eks-deploy recover {release} -n {namespace}"
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
    let client = unless_stopped(signals, async { Ok(client(settings, target).await) }).await?;
    let mut follower = match &client {
        Some(client) => {
            unless_stopped(signals, async { Ok(follower(settings, target, prepared, client).await) }).await?
        }
        None => None,
    };
    let heart = client.as_ref().map(|client| Heart::of(client, &namespace, &release, prepared.revision));
    let ended = run_helm(helm, prepared, follower.as_mut(), heart, signals).await?;
    let found = helm.status(&release, &namespace).await;
    let asked = Asked { revision: prepared.revision, rollback: settings.helm.rolls_back() };
    let outcome = judge(asked, found);
    if let Outcome::Deployed { .. } = outcome
        && ended.stop.is_none()
    {
        drop(follower);
        say(&format!("release {release} is {outcome}"));
        return Ok(Exit::Done);
    }
    let report = match follower {
        Some(follower) => follower.report().await,
        None => Report::default(),
    };
    if outcome == Outcome::Untouched && ended.stop.is_none() && !ended.success {
        let error = failed("upgrade".to_owned(), &ended.stderr);
        return Err(access::explain(error, &target.way.aws, &target.way.cluster, &namespace).await);
    }
    say(&report.text(Ci::of_environment()));
    Err(match ended.stop {
        None | Some(Stop::GivenUp) => {
            UpError::NotDeployed { release, namespace, outcome, cause: report.first() }.into()
        }
        Some(stop) => UpError::StoppedDuring { release, stop, outcome }.into(),
    })
}

/// Runs Helm; meanwhile follows what it does, and gives signs of life.
async fn run_helm(
    helm: &Helm<'_>,
    prepared: &Prepared,
    follower: Option<&mut Follower<'_>>,
    heart: Option<Heart<'_>>,
    signals: &mut Signals,
) -> Result<Ended, HelmError> {
    let give_up = Notify::new();
    let next_stop = async || {
        tokio::select! {
            stop = signals.next() => stop,
            () = give_up.notified() => Stop::GivenUp,
        }
    };
    let following = async {
        match follower {
            Some(follower) => follower.follow(&give_up).await,
            None => future::pending().await,
        }
    };
    let beating = async {
        match heart {
            Some(heart) => heart.beat().await,
            None => future::pending().await,
        }
    };
    tokio::select! {
        ended = helm.deploy(&prepared.arguments, &prepared.document, next_stop) => ended,
        never = following => match never {},
        never = beating => match never {},
    }
}

/// Who may deploy and not look is told so, and deploys.
async fn client(settings: &Settings, target: &Target) -> Option<Client> {
    let client = Client::new(&target.way.cluster, target.way.signer(), settings.act_as.clone()).await;
    client.inspect_err(not_followed).ok()
}

async fn follower<'a>(
    settings: &Settings,
    target: &Target,
    prepared: &Prepared,
    client: &'a Client,
) -> Option<Follower<'a>> {
    let registry = resolve::registry(target.way.aws.clone(), settings.endpoints.clone()).ok();
    let begun = Follower::begin(client, registry, prepared.subjects.clone(), settings.attended).await;
    begun.inspect_err(not_followed).ok()
}

fn not_followed(error: &KubeError) {
    warn(&format!("the rollout cannot be followed: {error}: {}", error.reason));
}
