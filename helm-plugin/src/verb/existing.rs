//! What every verb about a release that is there begins with: settings, a Helm, the way into the cluster.

use std::{env, path::PathBuf};

use super::{
    change::Scene,
    release::{BeginError, unless_stopped},
    way::{self, Way},
};
use crate::{
    cli::ExistingArguments,
    eks::token_socket::TokenSocket,
    failure::Failure,
    helm::{binary::BinaryError, session::Helm},
    run_folder::RunFolder,
    settings::{Surroundings, existing::ExistingSettings, file},
    signals::Signals,
    talk::say,
};

/// A verb that has begun.
pub(super) struct Existing {
    /// What was asked for.
    pub(super) settings: ExistingSettings,
    own: PathBuf,
    folder: RunFolder,
}

/// The way into the cluster, open as long as this is there.
pub(super) struct Entrance {
    /// The way.
    pub(super) way: Way,
    _tokens: Option<TokenSocket>,
}

impl Existing {
    /// Listens for signals first, so that none is lost; then reads what was asked for.
    pub(super) fn new(arguments: ExistingArguments) -> Result<(Self, Signals), Failure> {
        let around = Surroundings::read();
        let signals = Signals::listen(around.under_helm).map_err(BeginError::System)?;
        let file = file::read(arguments.place.config.as_deref())?;
        let settings = ExistingSettings::resolve(arguments, file, around)?;
        let own = env::current_exe().map_err(BeginError::System)?;
        Ok((Self { settings, own, folder: RunFolder::create()? }, signals))
    }

    /// The Helm at hand.
    pub(super) fn helm(&self) -> Result<Helm<'_>, BinaryError> {
        Helm::find(&self.own, &self.folder)
    }

    /// Opens the way into the cluster.
    pub(super) async fn enter(&self, signals: &mut Signals) -> Result<Entrance, Failure> {
        let (release, namespace) = (&self.settings.release, &self.settings.namespace.name);
        let open = async {
            let outputs = way::outputs(&self.settings.place, None).await?;
            let way = Way::find(&self.settings.place, outputs.as_ref()).await?;
            let (_, tokens) = way.open(&self.folder, &self.own, Some(namespace))?;
            Ok::<_, Failure>(Entrance { way, _tokens: tokens })
        };
        let entrance = unless_stopped(signals, Box::pin(open)).await?;
        let cluster = &entrance.way.cluster.name;
        say(&format!("release {release} in namespace {namespace} of cluster {cluster}"));
        Ok(entrance)
    }

    /// What changing it needs to know.
    pub(super) fn scene<'a>(&'a self, entrance: &'a Entrance) -> Scene<'a> {
        let ExistingSettings { release, namespace, endpoints, act_as, attended, .. } = &self.settings;
        let namespace = &namespace.name;
        Scene { release, namespace, way: &entrance.way, act_as, endpoints, attended: *attended }
    }
}
