//! Lets Helm change a release, and watches: the signs of life, what the rollout does, why it fails, what became of it.
//!
//! Whoever calls has decided everything; nothing is decided here but when to give up.

use std::future;

use ecr_registry::Endpoints;
use tokio::sync::Notify;

use super::{release::unless_stopped, way::Way};
use crate::{
    eks::access,
    exit::Exit,
    failure::{Explain, Failure},
    heartbeat::Heart,
    helm::{
        outcome::{Asked, Outcome, judge},
        session::{Deployment, Ended, Helm, HelmError, failed},
    },
    images::resolve,
    kube::{ActAs, Client, KubeError},
    report::Report,
    rollout::{FirstCause, Followed, Follower, Subject},
    secrets::Secrets,
    signals::{Signals, Stop},
    talk::{say, warn},
};

/// Helm did not end with a deployed release.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// Stopped while Helm was at work.
    #[error("{stop}; release `{release}` is {outcome}")]
    StoppedDuring {
        /// The release.
        release: String,
        /// What asked for it.
        stop: Stop,
        /// What became of the release.
        outcome: Outcome,
    },
    /// Fields are owned by others.
    #[error("release `{release}` is {outcome}")]
    Conflict {
        /// The release.
        release: String,
        /// What became of it.
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

/// What to do about fields that others own.
pub(super) const CONFLICT: &str =
    "let the chart have them again by --force-conflicts, or put what was set into the chart's values";

impl Explain for ChangeError {
    fn exit(&self) -> Exit {
        match self {
            Self::StoppedDuring { stop, .. } => stop.exit(),
            Self::NotDeployed { outcome, .. } | Self::Conflict { outcome, .. } => outcome.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        let (release, namespace, outcome, cause) = match self {
            Self::StoppedDuring { .. } => return None,
            Self::Conflict { .. } => return Some(CONFLICT.to_owned()),
            Self::NotDeployed { release, namespace, outcome, cause } => (release, namespace, outcome, cause),
        };
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

/// Where a release is, and who looks on.
pub(super) struct Scene<'a> {
    /// The release.
    pub(super) release: &'a str,
    /// Its namespace.
    pub(super) namespace: &'a str,
    /// The way into the cluster.
    pub(super) way: &'a Way,
    /// Whom to act as there.
    pub(super) act_as: &'a ActAs,
    /// Registries that are reached elsewhere.
    pub(super) endpoints: &'a Endpoints,
    /// Whether a person looks at what we say.
    pub(super) attended: bool,
}

/// What Helm is to do.
pub(super) struct Change<'a> {
    /// Its arguments.
    pub(super) arguments: &'a [String],
    /// What it reads from stdin.
    pub(super) document: &'a [u8],
    /// What is asked of it.
    pub(super) asked: Asked,
    /// The objects whose pods it rolls out.
    pub(super) subjects: Vec<Subject>,
    /// What is hidden in what they say, and Helm.
    pub(super) secrets: Secrets,
    /// Whether it can be cancelled: Helm's rollback hears no signal, and would leave the release pending.
    pub(super) cancellable: bool,
}

impl Scene<'_> {
    /// Lets Helm do it, and reads from the release what became of it.
    pub(super) async fn carry_out(
        &self,
        change: Change<'_>,
        helm: &Helm<'_>,
        signals: &mut Signals,
        report: &mut Report,
    ) -> Result<Exit, Failure> {
        let client =
            unless_stopped(signals, async { Ok(self.reach().await.inspect_err(not_followed).ok()) }).await?;
        let mut follower = match &client {
            Some(client) => {
                unless_stopped(signals, async { Ok(self.follower(client, &change).await) }).await?
            }
            None => None,
        };
        let heart = client
            .as_ref()
            .map(|client| Heart::of(client, self.namespace, self.release, change.asked.revision));
        let verb = change.arguments.first().map_or("", String::as_str);
        report.remember(format!("helm {verb} begins"));
        report.ci().begin(&format!("helm {verb} {}", self.release)).iter().for_each(|line| say(line));
        let ended = run(&change, report, helm, follower.as_mut(), heart, signals).await;
        report.ci().end().iter().for_each(|line| say(line));
        let ended = ended?;
        let outcome = judge(change.asked, helm.status(self.release, self.namespace).await);
        let good = matches!(outcome, Outcome::Deployed { .. }) && ended.stop.is_none();
        report.follow(match follower {
            Some(follower) if good => follower.succeeded(report.is_wanted()).await,
            Some(follower) => follower.failed().await,
            None => Followed::default(),
        });
        report.remember(format!("release {} is {outcome}", self.release));
        report.outcome = Some(outcome.clone());
        if good {
            say(&format!("release {} is {outcome}", self.release));
            return Ok(Exit::Done);
        }
        if outcome == Outcome::Untouched && ended.stop.is_none() && !ended.success {
            let error = failed(verb.to_owned(), &ended.stderr);
            return Err(access::explain(error, &self.way.aws, &self.way.cluster, self.namespace).await);
        }
        say(&report.obstacles().text(report.reader()));
        let (release, namespace) = (self.release.to_owned(), self.namespace.to_owned());
        Err(match ended.stop {
            None if ended.stderr.contains("conflict with \"") => {
                ChangeError::Conflict { release, outcome }.into()
            }
            None | Some(Stop::GivenUp | Stop::Deadline) => {
                let cause = report.obstacles().first();
                ChangeError::NotDeployed { release, namespace, outcome, cause }.into()
            }
            Some(stop) => ChangeError::StoppedDuring { release, stop, outcome }.into(),
        })
    }

    /// The API server.
    pub(super) async fn reach(&self) -> Result<Client, KubeError> {
        Client::new(&self.way.cluster, self.way.signer(), self.act_as.clone()).await
    }

    /// Who may deploy and not look is told so, and deploys.
    async fn follower<'a>(&self, client: &'a Client, change: &Change<'_>) -> Option<Follower<'a>> {
        let registry = resolve::registry(self.way.aws.clone(), self.endpoints.clone()).ok();
        let (subjects, secrets) = (change.subjects.clone(), change.secrets.clone());
        let begun = Follower::begin(client, registry, subjects, secrets, self.attended).await;
        begun.inspect_err(not_followed).ok()
    }
}

/// Runs Helm; meanwhile follows what it does, and gives signs of life.
async fn run(
    change: &Change<'_>,
    report: &Report,
    helm: &Helm<'_>,
    follower: Option<&mut Follower<'_>>,
    heart: Option<Heart<'_>>,
    signals: &mut Signals,
) -> Result<Ended, HelmError> {
    let give_up = Notify::new();
    let next_stop = async || {
        if !change.cancellable {
            return unstoppable(signals).await;
        }
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
    let Change { arguments, document, secrets, .. } = change;
    let (ci, aside) = (report.reader(), report.is_answer());
    let deployment = Deployment { arguments, document, secrets, ci, aside };
    tokio::select! {
        ended = helm.deploy(deployment, next_stop) => ended,
        never = following => match never {},
        never = beating => match never {},
    }
}

/// Helm's rollback and uninstall hear no signal: stopped in the middle they would leave what they are to mend.
pub(super) async fn unstoppable(signals: &mut Signals) -> Stop {
    loop {
        signals.next().await;
        say("finishing: this cannot be cancelled");
    }
}

fn not_followed(error: &KubeError) {
    warn(&format!("the rollout cannot be followed: {error}: {}", error.reason));
}
