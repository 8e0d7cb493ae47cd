//! The builders there are beside the native one, shared by all builds of a process.

use std::{num::NonZero, path::PathBuf, sync::Arc};

use crate::{endpoint::Endpoint, options::Engine, sockets::Sockets};

/// What a [`Builder`] is made of.
#[derive(Debug, Clone, Default)]
pub struct BuilderSettings {
    /// Which kind is used.
    pub engine: Engine,
    /// How many builds may run at once, over all builders.
    pub max_builds: Option<NonZero<usize>>,
    /// Builders given by their addresses. Builds are spread over them.
    pub endpoints: Vec<Endpoint>,
    /// Where Docker's daemon is looked for.
    pub docker: Sockets,
}

/// The builders that can be used beside the native one. Clones share what is known of them.
#[derive(Debug, Clone, Default)]
pub struct Builder(Arc<BuilderSettings>);

impl Builder {
    /// Builders as they are set.
    pub fn new(settings: BuilderSettings) -> Self {
        Self(Arc::new(settings))
    }

    /// The Docker daemon at this socket.
    pub fn docker(socket: impl Into<PathBuf>) -> Self {
        Self::new(BuilderSettings { docker: Sockets::only(socket), ..BuilderSettings::default() })
    }

    /// Docker's daemon where a user's environment says it is.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self::new(BuilderSettings {
            docker: Sockets::from_environment(variable),
            ..BuilderSettings::default()
        })
    }

    pub(crate) fn settings(&self) -> &BuilderSettings {
        &self.0
    }
}
