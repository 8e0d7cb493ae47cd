//! `eks-deploy recover`: frees a release that a killed deployment left pending.
//!
//! Only that. A release that is deployed or failed is left as it is, and one whose holder lives is the holder's.

use std::env;

use super::{
    release::{BeginError, unless_stopped},
    way::{self, Way},
};
use crate::{
    cli::RecoverArguments,
    exit::Exit,
    failure::{Explain, Failure},
    heartbeat::{Heart, Pulse},
    helm::{
        outcome::{Found, ReleaseState},
        session::Helm,
    },
    kube::Client,
    run_folder::RunFolder,
    settings::{Surroundings, existing::ExistingSettings, file},
    signals::{Signals, Stop},
    talk::say,
};

/// The release is not free.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoverError {
    /// There is none.
    #[error("there is no release `{release}` in namespace {namespace}")]
    NotThere {
        /// The release.
        release: String,
        /// The namespace.
        namespace: String,
    },
    /// It cannot be read.
    #[error("release `{release}` cannot be read: {reason}")]
    Unreadable {
        /// The release.
        release: String,
        /// Why.
        reason: String,
    },
    /// Someone is at work.
    #[error("release `{release}` is {status}, and whoever does that is alive")]
    Held {
        /// The release.
        release: String,
        /// Helm's word.
        status: String,
    },
    /// Nothing tells whether someone is.
    #[error("release `{release}` is {status}, and nothing tells whether someone is still at work")]
    NoSign {
        /// The release.
        release: String,
        /// Helm's word.
        status: String,
    },
    /// No revision of it was ever deployed.
    #[error("release `{release}` is {status}, and no revision of it has ever been deployed")]
    NoWayBack {
        /// The release.
        release: String,
        /// The namespace.
        namespace: String,
        /// Helm's word.
        status: String,
    },
    /// What was done did not help.
    #[error("release `{release}` is still not free: it is {status}: {description}")]
    NotFree {
        /// The release.
        release: String,
        /// Helm's word.
        status: String,
        /// Helm's remark.
        description: String,
    },
}

impl Explain for RecoverError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotThere { .. } => Exit::Failure,
            Self::Unreadable { .. } => Exit::Unknown,
            Self::NotFree { status, .. } if status == "failed" => Exit::ReleaseFailed,
            Self::Held { .. } | Self::NoSign { .. } | Self::NoWayBack { .. } | Self::NotFree { .. } => {
                Exit::Pending
            }
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotThere { .. } => "helm list --all --all-namespaces".to_owned(),
            Self::Held { .. } => "wait for its end".to_owned(),
            Self::NoSign { .. } => {
                "it may be a plain helm, or was killed in its first seconds; if nobody is at work: --yes"
                    .to_owned()
            }
            Self::NoWayBack { release, namespace, .. } => format!("helm uninstall {release} -n {namespace}"),
            Self::Unreadable { .. } | Self::NotFree { .. } => return None,
        })
    }
}

/// What frees a release.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// It is free.
    Nothing,
    /// Its first installation, or its removal, has not ended.
    Uninstall,
    /// An upgrade or a rollback has not ended: back to this revision.
    Rollback(u64),
    /// That, and there is none to go back to.
    NoWayBack,
}

/// By the state of the release, and the number and status of its revisions, the oldest first.
fn step(status: &str, history: &[ReleaseState]) -> Step {
    match status {
        "pending-install" | "uninstalling" => Step::Uninstall,
        "pending-upgrade" | "pending-rollback" => {
            let last = |status: &str| history.iter().rfind(|revision| revision.status == status);
            let good = last("deployed").or_else(|| last("superseded"));
            good.map_or(Step::NoWayBack, |good| Step::Rollback(good.revision))
        }
        _ => Step::Nothing,
    }
}

/// Frees the release, if nobody holds it.
pub(crate) async fn run(arguments: RecoverArguments) -> Result<(), Failure> {
    let around = Surroundings::read();
    let mut signals = Signals::listen(around.under_helm).map_err(BeginError::System)?;
    let file = file::read(arguments.existing.place.config.as_deref())?;
    let settings = ExistingSettings::resolve(arguments.existing, file, around)?;
    let (own, folder) = (env::current_exe().map_err(BeginError::System)?, RunFolder::create()?);
    let helm = Helm::find(&own, &folder)?;
    let open = async {
        let outputs = way::outputs(&settings.place, None).await?;
        let way = Way::find(&settings.place, outputs.as_ref()).await?;
        let (_, tokens) = way.open(&folder, &own, Some(&settings.namespace.name))?;
        let client = Client::new(&way.cluster, way.signer(), settings.act_as.clone()).await?;
        Ok::<_, Failure>((way.cluster.name, client, tokens))
    };
    let (cluster, client, _tokens) = unless_stopped(&mut signals, Box::pin(open)).await?;
    say(&format!(
        "release {} in namespace {} of cluster {cluster}",
        settings.release, settings.namespace.name
    ));
    let recovery = Recovery { settings: &settings, helm: &helm, client: &client, yes: arguments.yes };
    let (state, step) = unless_stopped(&mut signals, Box::pin(recovery.decide())).await?;
    recovery.act(&state, &step, &arguments.timeout, &mut signals).await
}

/// One release to free.
struct Recovery<'a> {
    settings: &'a ExistingSettings,
    helm: &'a Helm<'a>,
    client: &'a Client,
    yes: bool,
}

impl Recovery<'_> {
    /// What is to be done, after it is certain that nobody else does anything.
    async fn decide(&self) -> Result<(ReleaseState, Step), Failure> {
        let state = self.state().await?;
        let (release, namespace) = (self.settings.release.clone(), self.settings.namespace.name.clone());
        let status = state.status.clone();
        let step = step(&status, &self.helm.history(&release, &namespace).await?);
        match step {
            Step::Nothing => return Ok((state, step)),
            Step::NoWayBack => return Err(RecoverError::NoWayBack { release, namespace, status }.into()),
            Step::Uninstall | Step::Rollback(_) => {}
        }
        say(&format!(
            "release {release} is {status} at revision {}: listening for who did that",
            state.revision
        ));
        match Heart::of(self.client, &namespace, &release, state.revision).feel().await? {
            Pulse::Beats => Err(RecoverError::Held { release, status }.into()),
            Pulse::None if !self.yes => Err(RecoverError::NoSign { release, status }.into()),
            Pulse::None | Pulse::Still => Ok((state, step)),
        }
    }

    async fn state(&self) -> Result<ReleaseState, RecoverError> {
        let (release, namespace) = (self.settings.release.clone(), self.settings.namespace.name.clone());
        match self.helm.status(&release, &namespace).await {
            Found::Release(state) => Ok(state),
            Found::Nothing => Err(RecoverError::NotThere { release, namespace }),
            Found::Unreadable(reason) => Err(RecoverError::Unreadable { release, reason }),
        }
    }

    async fn act(
        &self,
        state: &ReleaseState,
        step: &Step,
        timeout: &str,
        signals: &mut Signals,
    ) -> Result<(), Failure> {
        let (release, namespace) = (&self.settings.release, &self.settings.namespace.name);
        let mut arguments = match step {
            Step::Nothing | Step::NoWayBack => {
                say(&format!(
                    "release {release} is {} as revision {}: it is free",
                    state.status, state.revision
                ));
                return Ok(());
            }
            Step::Uninstall => vec!["uninstall".to_owned(), release.clone()],
            Step::Rollback(revision) => vec!["rollback".to_owned(), release.clone(), revision.to_string()],
        };
        arguments.extend(["--namespace", namespace, "--wait", "--timeout", timeout].map(str::to_owned));
        say(&format!("helm {} {release}", arguments[0]));
        let heart = Heart::of(self.client, namespace, release, state.revision + 1);
        let helm = self.helm.deploy(&arguments, &[], async || unstoppable(signals).await);
        let ended = tokio::select! {
            ended = helm => ended?,
            never = heart.beat() => match never {},
        };
        self.judge(step, ended.success).await
    }

    async fn judge(&self, step: &Step, success: bool) -> Result<(), Failure> {
        let release = self.settings.release.clone();
        match self.state().await {
            Err(RecoverError::NotThere { .. }) if *step == Step::Uninstall => {
                say(&format!("release {release} is gone: it can be installed"));
                Ok(())
            }
            Ok(state) if success && state.status == "deployed" => {
                say(&format!("release {release} is deployed as revision {}", state.revision));
                Ok(())
            }
            Ok(ReleaseState { status, description, .. }) => {
                Err(RecoverError::NotFree { release, status, description }.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Helm's rollback and uninstall hear no signal: stopped in the middle they would leave what they are to mend.
async fn unstoppable(signals: &mut Signals) -> Stop {
    loop {
        signals.next().await;
        say("finishing: this cannot be cancelled");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frees_a_release() {
        let check = |status: &str, revisions: &[(u64, &str)], expected: Step| {
            let state = |(revision, status): &(u64, &str)| ReleaseState {
                revision: *revision,
                status: (*status).to_owned(),
                description: String::new(),
            };
            let history: Vec<ReleaseState> = revisions.iter().map(state).collect();
            assert_eq!(step(status, &history), expected, "{status}");
        };
        let upgrade = [(1, "superseded"), (2, "deployed"), (3, "failed"), (4, "pending-upgrade")];
        check("pending-upgrade", &upgrade, Step::Rollback(2));
        check("pending-rollback", &[(1, "superseded"), (2, "pending-rollback")], Step::Rollback(1));
        check("pending-upgrade", &[(1, "failed"), (2, "pending-upgrade")], Step::NoWayBack);
        check("pending-install", &[(1, "pending-install")], Step::Uninstall);
        check("uninstalling", &[(1, "uninstalling")], Step::Uninstall);
        check("deployed", &[(1, "deployed")], Step::Nothing);
        check("failed", &[(1, "failed")], Step::Nothing);
    }
}
