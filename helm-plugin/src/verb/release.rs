//! What every verb about a release and its chart begins with: settings, a Helm, the way into the cluster, and images
//! that are resolved, pinned and proved. Nothing is changed here.

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

pub(super) use prepare::Prepared;
pub(super) use target::Target;

/// The verb ended before anything could be changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum BeginError {
    /// Someone asked for it.
    #[error("stopped; nothing was changed")]
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
}

impl Begun {
    /// Listens for signals first, so that none is lost; then reads what was asked for.
    pub(super) fn new(arguments: UpArguments) -> Result<(Self, Signals), Failure> {
        let around = Surroundings::read();
        let signals = Signals::listen(around.under_helm).map_err(BeginError::System)?;
        let file = file::read(arguments.place.config.as_deref())?;
        let settings = Settings::resolve(arguments, file, around)?;
        let own = env::current_exe().map_err(BeginError::System)?;
        Ok((Self { settings, own, folder: RunFolder::create()? }, signals))
    }

    /// The Helm at hand.
    pub(super) fn helm(&self) -> Result<Helm<'_>, BinaryError> {
        Helm::find(&self.own, &self.folder)
    }

    /// Reads the chart, resolves its images, pins and proves them.
    pub(super) async fn prepare(
        &self,
        helm: &Helm<'_>,
        signals: &mut Signals,
    ) -> Result<(Target, Prepared), Failure> {
        // Before the cluster is asked for anything: a file that does not do is the user's to mend.
        let lock = self.settings.lock.as_deref().map(Lock::read).transpose()?;
        let prepared = async {
            let target = Target::find(&self.settings, helm, &self.folder, &self.own).await?;
            let prepared =
                prepare::prepare(&self.settings, &target, helm, &self.folder, lock.as_ref()).await?;
            Ok::<_, Failure>((target, prepared))
        };
        unless_stopped(signals, Box::pin(prepared)).await
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
