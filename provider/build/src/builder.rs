//! The builders there are beside the native one, shared by all builds of a process.

use std::{num::NonZero, path::PathBuf, sync::Arc, time::Duration};

use ecr_registry::{Digest, Platform};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    build_error::BuildError,
    endpoint::{Address, Endpoint},
    fleet::{Fleet, Place, Seat},
    flights::Flights,
    options::Engine,
    sockets::Sockets,
};

/// What a [`Builder`] is made of.
#[derive(Debug, Clone)]
pub struct BuilderSettings {
    /// Which kind is used.
    pub engine: Engine,
    /// How many builds may run at once, over all builders.
    pub max_builds: Option<NonZero<usize>>,
    /// Builders given by their addresses. Builds are spread over them.
    pub endpoints: Vec<Endpoint>,
    /// Where Docker's daemon is looked for.
    pub docker: Sockets,
    /// How long a builder may say nothing at all during a build; a minute by default.
    pub patience: Duration,
}

impl Default for BuilderSettings {
    fn default() -> Self {
        Self {
            engine: Engine::default(),
            max_builds: None,
            endpoints: Vec::new(),
            docker: Sockets::default(),
            patience: Duration::from_mins(1),
        }
    }
}

/// The builders that can be used beside the native one. Clones share what is known of them.
#[derive(Debug, Clone, Default)]
pub struct Builder(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    settings: BuilderSettings,
    fleet: Fleet,
    turns: Option<Semaphore>,
    flights: Flights,
}

impl Builder {
    /// Builders as they are set.
    pub fn new(settings: BuilderSettings) -> Self {
        let fleet = Fleet::new(settings.endpoints.clone());
        let turns = settings.max_builds.map(|most| Semaphore::new(most.get()));
        Self(Arc::new(Parts { settings, fleet, turns, flights: Flights::default() }))
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
        &self.0.settings
    }

    pub(crate) fn flights(&self) -> &Flights {
        &self.0.flights
    }

    /// Waits until another build may run.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        match &self.0.turns {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        }
    }

    /// A builder of this kind that answers. `key` stands for what is built, whatever its content.
    pub(crate) async fn choose(
        &self,
        engine: Engine,
        platform: &Platform,
        key: &Digest,
    ) -> Result<Seat, BuildError> {
        let is_docker = match engine {
            Engine::Docker => true,
            Engine::Auto => self.0.fleet.is_empty(),
            Engine::Buildkit | Engine::Native => false,
        };
        if is_docker {
            let docker = self.0.settings.docker.connect().await?;
            return Ok(Seat::new(docker.address().clone(), Place::Docker(docker)));
        }
        if self.0.fleet.is_empty() {
            return Err(BuildError::NoEndpoints);
        }
        Ok(self.0.fleet.choose(platform, key).await?)
    }
}

impl Address {
    /// Whether another machine is behind it: what is built there is better pushed from there.
    pub(crate) fn is_far(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}
