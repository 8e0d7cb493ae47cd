//! `eks-deploy rollback`: back to a revision whose images are still there, watched and explained as `up` is.

use super::{change::Change, existing::Existing, plan, release::unless_stopped, wait};
use crate::{
    cli::{ExistingArguments, RollbackArguments, RollbackFlags},
    exit::Exit,
    failure::{Explain, Failure},
    helm::{
        outcome::{Asked, ReleaseState},
        session::Helm,
    },
    images::{
        policy::Policy,
        resolve::{self, ResolveError},
        uses::{self, ImageUse, Rendered},
        verify,
    },
    report::Report,
    rollout::{self, Operation},
    secrets::Secrets,
    talk::{say, warn},
};

/// There is no way back.
#[derive(Debug, thiserror::Error)]
enum RollbackError {
    /// Someone is at work, or was killed.
    #[error("release `{release}` is {status}")]
    Pending {
        /// The release.
        release: String,
        /// Its namespace.
        namespace: String,
        /// Helm's word.
        status: String,
    },
    /// No revision before the last one was ever deployed.
    #[error("release `{0}` has no earlier revision that was deployed")]
    NoEarlier(String),
    /// It does not have this one.
    #[error("release `{release}` has no revision {revision}")]
    NoRevision {
        /// The release.
        release: String,
        /// The revision.
        revision: u64,
    },
    /// An image of the revision is in no registry any more.
    #[error("revision {revision} cannot run any more")]
    Gone {
        /// The revision.
        revision: u64,
        /// Which image.
        #[source]
        source: ResolveError,
    },
}

impl Explain for RollbackError {
    fn exit(&self) -> Exit {
        match self {
            Self::Pending { .. } => Exit::Pending,
            Self::NoEarlier(_) | Self::NoRevision { .. } => Exit::Failure,
            Self::Gone { source, .. } => source.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Pending { release, namespace, .. } => {
                format!("if nobody is at work: eks-deploy recover {release} -n {namespace}")
            }
            Self::NoEarlier(release) | Self::NoRevision { release, .. } => format!("helm history {release}"),
            Self::Gone { .. } => "push the image again, or roll back to another revision".to_owned(),
        })
    }
}

/// Rolls back, and tells of it.
pub(crate) async fn run(arguments: RollbackArguments) -> Result<Exit, Failure> {
    let RollbackArguments { existing, revision, report, flags } = arguments;
    let mut report = Report::begin("rollback", report)?;
    let result = roll_back(existing, revision, &flags, &mut report).await;
    report.tell(&result);
    result
}

async fn roll_back(
    existing: ExistingArguments,
    revision: Option<u64>,
    typed: &RollbackFlags,
    report: &mut Report,
) -> Result<Exit, Failure> {
    let (existing, mut signals) = Existing::new(existing)?;
    let helm = existing.helm()?;
    let entrance = existing.enter(&mut signals).await?;
    let scene = existing.scene(&entrance);
    report.is_about(scene.release, scene.namespace, scene.way.cluster.identity());
    let prepare = async {
        let version = helm.version().await?;
        let mut flags = typed.render(&version)?;
        let (from, to) = revisions(&helm, scene.release, scene.namespace, revision).await?;
        let objects = objects(&helm, scene.release, scene.namespace, to).await?;
        let aws = entrance.way.aws.clone();
        let registry = resolve::registry(aws, scene.endpoints.clone())?;
        images_are_there(&registry, &objects, to).await?;
        if typed.waits_as_we_like() {
            wait::choose(&mut flags, &scene.reach().await?, &objects, scene.namespace).await;
        }
        Ok::<_, Failure>((flags, from, to, objects))
    };
    let (flags, from, to, objects) = unless_stopped(&mut signals, Box::pin(prepare)).await?;
    report.revision = Some(from + 1);
    if report.is_wanted() {
        let before = plan::deployed_objects(&helm, &scene, from + 1);
        report.compare(&unless_stopped(&mut signals, before).await?, &objects);
    }
    say(&format!("back from revision {from} to revision {to}, as revision {}", from + 1));
    let mut command = ["rollback", scene.release, &to.to_string(), "--namespace", scene.namespace]
        .map(str::to_owned)
        .to_vec();
    command.extend(flags);
    let change = Change {
        arguments: &command,
        document: &[],
        asked: Asked { revision: from + 1, rollback: false },
        subjects: rollout::subjects(&objects, scene.namespace, Operation::Rollback),
        secrets: Secrets::of(&objects),
        cancellable: false,
    };
    scene.carry_out(change, &helm, &mut signals, report).await
}

/// The revision that there is, and the one to go back to.
async fn revisions(
    helm: &Helm<'_>,
    release: &str,
    namespace: &str,
    wanted: Option<u64>,
) -> Result<(u64, u64), Failure> {
    let history = helm.history(release, namespace).await?;
    Ok(choose(&history, wanted, release, namespace)?)
}

fn choose(
    history: &[ReleaseState],
    wanted: Option<u64>,
    release: &str,
    namespace: &str,
) -> Result<(u64, u64), RollbackError> {
    let Some((last, earlier)) = history.split_last() else {
        return Err(RollbackError::NoEarlier(release.to_owned()));
    };
    if last.status.starts_with("pending-") || last.status == "uninstalling" {
        let (release, namespace) = (release.to_owned(), namespace.to_owned());
        return Err(RollbackError::Pending { release, namespace, status: last.status.clone() });
    }
    let good = |revision: &&ReleaseState| matches!(revision.status.as_str(), "deployed" | "superseded");
    let to = match wanted {
        Some(wanted) => history
            .iter()
            .find(|revision| revision.revision == wanted)
            .ok_or(RollbackError::NoRevision { release: release.to_owned(), revision: wanted })?,
        None => earlier.iter().rfind(good).ok_or(RollbackError::NoEarlier(release.to_owned()))?,
    };
    Ok((last.revision, to.revision))
}

async fn objects(
    helm: &Helm<'_>,
    release: &str,
    namespace: &str,
    revision: u64,
) -> Result<Vec<Rendered>, Failure> {
    let stored = helm.stored(release, namespace, Some(revision)).await?;
    let stored = stored.ok_or(RollbackError::NoRevision { release: release.to_owned(), revision })?;
    Ok(plan::objects(&stored, release)?)
}

/// That the registries still have what the revision names by digest. What it names by tag may be another image by now.
async fn images_are_there(
    registry: &ecr_registry::Registry,
    objects: &[Rendered],
    revision: u64,
) -> Result<(), RollbackError> {
    let runs = |used: &ImageUse| !used.object.is_test();
    let references = objects.iter().flat_map(uses::images).filter(runs);
    let references = references.filter_map(|used| used.image.parse().ok());
    let references: Vec<ecr_registry::Reference> =
        references.filter(|reference: &ecr_registry::Reference| reference.digest.is_some()).collect();
    for used in verify::tolerated(objects, &Policy::default()) {
        warn(&format!(
            "{} is not pinned by digest, and may run another image than before: {}",
            used.object, used.image
        ));
    }
    let found = resolve::digests(registry, &references).await;
    found.map(drop).map_err(|source| RollbackError::Gone { revision, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_revision_to_go_back_to() {
        let check = |history: &[(u64, &str)], wanted: Option<u64>, expected: Result<(u64, u64), &str>| {
            let state = |(revision, status): &(u64, &str)| ReleaseState {
                revision: *revision,
                status: (*status).to_owned(),
                description: String::new(),
            };
            let history: Vec<ReleaseState> = history.iter().map(state).collect();
            let got = choose(&history, wanted, "web", "shop").map_err(|error| error.to_string());
            assert_eq!(got, expected.map_err(str::to_owned), "{history:?}");
        };
        let history = [(1, "superseded"), (2, "failed"), (3, "superseded"), (4, "failed"), (5, "deployed")];
        check(&history, None, Ok((5, 3)));
        check(&history, Some(1), Ok((5, 1)));
        check(&history, Some(9), Err("release `web` has no revision 9"));
        check(&history[..4], None, Ok((4, 3)));
        check(&[(1, "deployed"), (2, "failed")], None, Ok((2, 1)));
        check(&history[4..], None, Err("release `web` has no earlier revision that was deployed"));
        check(&[(1, "deployed"), (2, "pending-upgrade")], None, Err("release `web` is pending-upgrade"));
        check(&[], None, Err("release `web` has no earlier revision that was deployed"));
    }
}
