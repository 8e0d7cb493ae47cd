//! What every verb about a release and its chart begins with: settings, a Helm, the way into the cluster, and images
//! that are resolved, pinned and proved. Nothing is changed here.

mod pinning;
mod prepare;
mod target;

use std::{env, io, path::PathBuf};

use crate::{
    cli::UpArguments,
    exit::Exit,
    failure::{Explain, Failure},
    helm::{binary::BinaryError, session::Helm},
    images::lock::Lock,
    run_folder::RunFolder,
    settings::{Settings, Surroundings, file},
    signals::{Signals, Stop},
};

use super::change::Scene;
pub(super) use prepare::{ManifestError, Prepared};
pub(super) use target::Target;

/// The verb ended before anything could be changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum BeginError {
    /// Someone asked for it.
    #[error("{0}; nothing was changed")]
    Stopped(Stop),
    /// The system does not do what every program needs.
    #[error("cannot start")]
    System(#[source] io::Error),
}

impl Explain for BeginError {
    fn exit(&self) -> Exit {
        match self {
            Self::Stopped(stop) => stop.exit(),
            Self::System(_) => Exit::Failure,
        }
    }
}

/// A verb that has begun.
pub(super) struct Begun {
    /// What was asked for.
    pub(super) settings: Settings,
    own: PathBuf,
    folder: RunFolder,
    lock: Option<Lock>,
}

impl Begun {
    /// Listens for signals first, so that none is lost; then reads what was asked for.
    pub(super) fn new(arguments: UpArguments) -> Result<(Self, Signals), Failure> {
        let around = Surroundings::read();
        let signals = Signals::listen(around.under_helm).map_err(BeginError::System)?;
        let file = file::read(arguments.place.config.as_deref())?;
        let settings = Settings::resolve(arguments, file, around)?;
        // Before the cluster is asked for anything: a file that does not do is the user's to mend.
        let lock = settings.lock.as_deref().map(Lock::read).transpose()?;
        let own = env::current_exe().map_err(BeginError::System)?;
        Ok((Self { settings, own, folder: RunFolder::create()?, lock }, signals))
    }

    /// The Helm at hand.
    pub(super) fn helm(&self) -> Result<Helm<'_>, BinaryError> {
        Helm::find(&self.own, &self.folder)
    }

    /// The way into the cluster.
    pub(super) async fn target(&self, helm: &Helm<'_>, signals: &mut Signals) -> Result<Target, Failure> {
        unless_stopped(signals, Box::pin(Target::find(&self.settings, helm, &self.folder, &self.own))).await
    }

    /// Reads the chart, resolves its images, pins and proves them.
    pub(super) async fn prepare(
        &self,
        target: &Target,
        helm: &Helm<'_>,
        signals: &mut Signals,
    ) -> Result<Prepared, Failure> {
        let lock = self.lock.as_ref();
        let prepared = prepare::prepare(&self.settings, target, helm, &self.folder, lock);
        unless_stopped(signals, Box::pin(prepared)).await
    }

    /// What deploying it needs to know.
    pub(super) fn scene<'a>(&'a self, target: &'a Target) -> Scene<'a> {
        let Settings { release, namespace, endpoints, act_as, attended, .. } = &self.settings;
        Scene {
            release,
            namespace: &namespace.name,
            way: &target.way,
            act_as,
            endpoints,
            attended: *attended,
        }
    }
}

/// Does what changes nothing, and can be stopped at any time.
pub(super) async fn unless_stopped<T>(
    signals: &mut Signals,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        stop = signals.next() => Err(BeginError::Stopped(stop).into()),
    }
}
