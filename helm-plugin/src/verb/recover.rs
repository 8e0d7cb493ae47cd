//! `eks-deploy recover`: frees a release that a killed deployment left pending.
//!
//! Only that. A release that is deployed or failed is left as it is, and one whose holder lives is the holder's.

use super::{
    change::{Scene, unstoppable},
    existing::Existing,
    release::unless_stopped,
};
use crate::{
    ci::Ci,
    cli::RecoverArguments,
    exit::Exit,
    failure::{Explain, Failure},
    heartbeat::{Heart, Pulse},
    helm::{
        outcome::{Found, ReleaseState},
        session::{Deployment, Helm},
    },
    kube::Client,
    secrets::Secrets,
    signals::Signals,
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
    let (existing, mut signals) = Existing::new(arguments.existing)?;
    let helm = existing.helm()?;
    let entrance = existing.enter(&mut signals).await?;
    let client =
        unless_stopped(&mut signals, Box::pin(async { Ok(existing.scene(&entrance).reach().await?) }))
            .await?;
    let Scene { release, namespace, .. } = existing.scene(&entrance);
    let recovery = Recovery { release, namespace, helm: &helm, client: &client, yes: arguments.yes };
    recovery.existing(&arguments.timeout, &mut signals).await
}

/// One release to free.
pub(super) struct Recovery<'a> {
    /// The release.
    pub(super) release: &'a str,
    /// Its namespace.
    pub(super) namespace: &'a str,
    /// The Helm that frees it.
    pub(super) helm: &'a Helm<'a>,
    /// The cluster.
    pub(super) client: &'a Client,
    /// Whether to go on although nothing tells whether someone is still at work.
    pub(super) yes: bool,
}

impl Recovery<'_> {
    /// Frees it, if there is such a release.
    pub(super) async fn free(&self, timeout: &str, signals: &mut Signals) -> Result<(), Failure> {
        let look = async { Ok(self.helm.status(self.release, self.namespace).await) };
        match unless_stopped(signals, Box::pin(look)).await? {
            Found::Nothing => Ok(()),
            Found::Release(_) | Found::Unreadable(_) => self.existing(timeout, signals).await,
        }
    }

    async fn existing(&self, timeout: &str, signals: &mut Signals) -> Result<(), Failure> {
        let (state, step) = unless_stopped(signals, Box::pin(self.decide())).await?;
        self.act(&state, &step, timeout, signals).await
    }

    /// What is to be done, after it is certain that nobody else does anything.
    async fn decide(&self) -> Result<(ReleaseState, Step), Failure> {
        let state = self.state().await?;
        let (release, namespace) = (self.release.to_owned(), self.namespace.to_owned());
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
        let (release, namespace) = (self.release.to_owned(), self.namespace.to_owned());
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
        let (release, namespace) = (self.release, self.namespace);
        let mut arguments = match step {
            Step::Nothing | Step::NoWayBack => {
                say(&format!(
                    "release {release} is {} as revision {}: it is free",
                    state.status, state.revision
                ));
                return Ok(());
            }
            Step::Uninstall => vec!["uninstall".to_owned(), release.to_owned()],
            Step::Rollback(revision) => vec!["rollback".to_owned(), release.to_owned(), revision.to_string()],
        };
        arguments.extend(["--namespace", namespace, "--wait", "--timeout", timeout].map(str::to_owned));
        say(&format!("helm {} {release}", arguments[0]));
        let heart = Heart::of(self.client, namespace, release, state.revision + 1);
        let (secrets, ci) = (&Secrets::default(), Ci::of_environment());
        let deployment = Deployment { arguments: &arguments, document: &[], secrets, ci, aside: false };
        let helm = self.helm.deploy(deployment, async || unstoppable(signals).await);
        let ended = tokio::select! {
            ended = helm => ended?,
            never = heart.beat() => match never {},
        };
        self.judge(step, ended.success).await
    }

    async fn judge(&self, step: &Step, success: bool) -> Result<(), Failure> {
        let release = self.release.to_owned();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_8_what_frees_a_release() {
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
