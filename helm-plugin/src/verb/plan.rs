//! `eks-deploy plan`: what `up` would change. Nothing is changed here.

use std::io::{self, Write as _};

use super::{
    change::{CONFLICT, Scene},
    release::{Begun, ManifestError, Prepared, Target, unless_stopped},
};
use crate::{
    changes::{self, Changes, Wanted},
    ci::Ci,
    cli::{Output, PlanArguments},
    exit::Exit,
    failure::{Explain, Failure},
    helm::session::{Helm, HelmError},
    helm::stored::Stored,
    images::uses::Rendered,
    plan::Key,
    talk::say,
};

/// There is a plan, and it would not work, or nobody takes it.
#[derive(Debug, thiserror::Error)]
enum PlanError {
    /// Others have set fields that Helm sets.
    #[error("`up` would fail: others have set {count} fields of the release since it was deployed")]
    Conflicts {
        /// How many fields.
        count: usize,
    },
    /// Nobody takes the answer.
    #[error("cannot write the plan")]
    Write(#[source] io::Error),
}

impl Explain for PlanError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Conflicts { .. } => Some(CONFLICT.to_owned()),
            Self::Write(_) => None,
        }
    }
}

/// Tells what `up` with the same arguments would change.
pub(crate) async fn run(arguments: PlanArguments) -> Result<Exit, Failure> {
    let PlanArguments { release, out, output, detailed_exitcode } = arguments;
    let (begun, mut signals) = Begun::new(release)?;
    let helm = begun.helm()?;
    let target = begun.target(&helm, &mut signals).await?;
    let prepared = begun.prepare(&target, &helm, &mut signals).await?;
    let looked = look(&begun, &target, &helm, &prepared);
    let changes = unless_stopped(&mut signals, Box::pin(looked)).await?;
    let text = match output {
        Output::Text => Ci::of_environment().quoted(changes.text().trim_end()) + "\n",
        Output::Json => format!("{:#}\n", changes.json()),
    };
    io::stdout().write_all(text.as_bytes()).map_err(PlanError::Write)?;
    if !changes.conflicts.is_empty() && !begun.settings.helm.is_set("force-conflicts") {
        return Err(PlanError::Conflicts { count: changes.conflicts.len() }.into());
    }
    if let Some(path) = out {
        let key = Key::of_environment();
        prepared.plan(&begun.settings, &target, &key).write(&path, &key)?;
        say(&format!("plan for revision {} is in {}", prepared.revision, path.display()));
    }
    Ok(if detailed_exitcode && !changes.is_empty() { Exit::Changes } else { Exit::Done })
}

async fn look(
    begun: &Begun,
    target: &Target,
    helm: &Helm<'_>,
    prepared: &Prepared,
) -> Result<Changes, Failure> {
    let scene = begun.scene(target);
    let stored = deployed_objects(helm, &scene, prepared.revision).await?;
    let wanted = Wanted {
        release: scene.release,
        namespace: scene.namespace,
        stored: &stored,
        next: &prepared.objects,
        operation: prepared.operation(),
        server_side: prepared.server_side,
        force: begun.settings.helm.is_set("force-conflicts"),
    };
    Ok(changes::changes(&scene.reach().await?, &wanted).await?)
}

/// The objects of what is there before this revision.
pub(super) async fn deployed_objects(
    helm: &Helm<'_>,
    scene: &Scene<'_>,
    next: u64,
) -> Result<Vec<Rendered>, Failure> {
    let stored = if next == 1 { None } else { deployed(helm, scene.release, scene.namespace).await? };
    Ok(stored.map_or(Ok(Vec::new()), |stored| objects(&stored, scene.release))?)
}

/// What Helm would compare with: the last revision that was deployed, else the last one.
async fn deployed(helm: &Helm<'_>, release: &str, namespace: &str) -> Result<Option<Stored>, HelmError> {
    let last = helm.stored(release, namespace, None).await?;
    if last.as_ref().is_none_or(|last| last.info.status == "deployed") {
        return Ok(last);
    }
    let history = helm.history(release, namespace).await?;
    match history.iter().rfind(|revision| revision.status == "deployed") {
        Some(good) => helm.stored(release, namespace, Some(good.revision)).await,
        None => Ok(last),
    }
}

/// The objects of a revision.
pub(super) fn objects(stored: &Stored, release: &str) -> Result<Vec<Rendered>, ManifestError> {
    stored.objects().map_err(|source| ManifestError { what: format!("release `{release}`"), source })
}
