//! BuildKit, spoken to directly: no `docker`, `buildx` or `buildctl` is run.
//!
//! A builder is Docker's daemon or a buildkitd. It asks back, over a connection within the connection, for files,
//! secrets, credentials and images ([`session`]); it is told what to build ([`request`], [`solve`]) and tells how it
//! goes ([`log`]). What comes out is written anew, so that it is the same next time and by whichever builder; a builder
//! on another machine pushes on its own instead.

mod auth;
mod bases;
mod containerd;
mod content;
mod failure;
mod file_sync;
mod local_cache;
mod log;
mod output;
mod receive;
mod request;
mod secrets;
mod session;
mod solve;
mod ssh;
mod steps;

use std::{collections::BTreeMap, sync::Arc};

use ecr_registry::{Digest, LocalError, Platform, Repository, Secret};
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};

use self::{
    auth::Credentials,
    bases::Bases,
    content::Store,
    file_sync::Shared,
    local_cache::LocalCache,
    log::Log,
    receive::Incoming,
    request::{Output, Wanted},
    secrets::Values,
    session::{Services, Session},
    solve::Answer,
    ssh::Agents,
};
use crate::{
    build::{Built, Tools, blocking},
    build_error::BuildError,
    context::DockerfileContext,
    docker::Docker,
    error::ContextError,
    fleet::{Place, Seat, over},
    recipe::{DockerfileRecipe, Recipe},
    sources,
};

/// One build for one platform.
struct Job<'a> {
    recipe: &'a Recipe,
    dockerfile: &'a DockerfileRecipe,
    platform: &'a Platform,
    context: Arc<DockerfileContext>,
    tools: Tools<'a>,
}

pub(crate) async fn build(
    recipe: &Recipe,
    dockerfile: &DockerfileRecipe,
    platform: &Platform,
    context: DockerfileContext,
    tools: Tools<'_>,
) -> Result<Built, BuildError> {
    let job = Job { recipe, dockerfile, platform, context: Arc::new(context), tools };
    let flights = tools.builder.flights();
    cancellable(tools.cancel, flights.join(job.identity(), || Box::pin(job.build()))).await
}

/// Dropping the work is what ends it: BuildKit stops a solve whose caller is gone.
async fn cancellable<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, BuildError>>,
) -> Result<T, BuildError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(BuildError::Cancelled),
        result = work => result,
    }
}

impl Job<'_> {
    /// Stands for all that decides about the result, secrets too: equal builds are one.
    fn identity(&self) -> Digest {
        let wanted = self.wanted(Bases::default(), Output::Archive, None);
        let attributes: BTreeMap<_, _> = wanted.attributes().into_iter().collect();
        let options = &self.dockerfile.options;
        let secret = |(id, secret): (&String, &Secret)| (id.clone(), Digest::of(secret.expose().as_bytes()));
        let secrets: BTreeMap<_, _> = options.secrets.iter().map(secret).collect();
        let tree = sources::of_dockerfile(&self.context).tree;
        let Recipe { annotations, compression, source_date_epoch, .. } = self.recipe;
        let bases = &self.dockerfile.base_digests;
        let made = (attributes, tree, annotations, compression, source_date_epoch, bases);
        let how = (secrets, &options.ssh, &options.cache, options.engine, self.tools.destination);
        Digest::of(format!("{made:?} {how:?}").as_bytes())
    }

    /// Stands for what is built, whatever its content: whoever built it before has most of it.
    fn affinity(&self) -> Digest {
        let name = (self.tools.destination, &self.context.dockerfile.name, &self.dockerfile.target);
        Digest::of(format!("{name:?}").as_bytes())
    }

    /// The folder where results of steps are kept. One that cannot be used is none.
    fn local_cache(&self) -> Option<Arc<LocalCache>> {
        let name = format!("{}-{}", self.affinity().short(), self.platform).replace('/', "-");
        match LocalCache::open(self.dockerfile.options.cache.local.as_deref()?, name) {
            Ok(cache) => Some(Arc::new(cache)),
            Err(error) => self.without_cache(&error),
        }
    }

    fn without_cache<T>(&self, error: &LocalError) -> Option<T> {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        self.tools.progress.line(&format!("the cache is not used: {error}{cause}"));
        None
    }

    fn wanted(&self, bases: Bases, output: Output, cache: Option<&LocalCache>) -> Wanted<'_> {
        Wanted {
            recipe: self.recipe,
            dockerfile: self.dockerfile,
            platform: self.platform,
            context: &self.context,
            bases,
            output,
            kept: cache.and_then(LocalCache::kept),
        }
    }

    async fn build(&self) -> Result<Built, BuildError> {
        let builder = self.tools.builder;
        let _turn = builder.turn().await;
        let engine = self.dockerfile.options.engine.unwrap_or(builder.settings().engine);
        let seat = builder.choose(engine, self.platform, &self.affinity()).await?;
        self.tools.progress.line(&format!("{} builds for {}", seat.address, self.platform));
        match &seat.place {
            Place::Docker(docker) => Box::pin(self.by_docker(docker, &seat)).await,
            Place::Buildkit(channel) => Box::pin(self.by_buildkit(channel, &seat)).await,
        }
    }

    async fn by_docker(&self, docker: &Docker, seat: &Seat) -> Result<Built, BuildError> {
        self.check_age(docker)?;
        let unreachable = |source| BuildError::Docker { action: "reach BuildKit in", source };
        let upgraded = docker.buildkit().await.map_err(unreachable)?;
        let channel = over(upgraded).await.map_err(|error| BuildError::Channel(Box::new(error)))?;
        let (bases, store) = self.bases(docker.is_at_least(24, 0)).await?;
        let cache = self.local_cache();
        let wanted = self.wanted(bases, Output::Store, cache.as_deref());
        let (incoming, _) = receive::archive();
        let answer = self.solve(&channel, &wanted, store.with(cache), incoming, seat).await?;
        output::of_docker(docker, &answer, self).await
    }

    async fn by_buildkit(&self, channel: &Channel, seat: &Seat) -> Result<Built, BuildError> {
        let output = self.output(seat);
        let (bases, store) = self.bases(true).await?;
        let cache = self.local_cache();
        let wanted = self.wanted(bases, output.clone(), cache.as_deref());
        let (incoming, archive) = receive::archive();
        let reading = output::read(archive, &output, self);
        let solving = self.solve(channel, &wanted, store.with(cache.clone()), incoming, seat);
        let built = output::of_buildkit(solving, reading, &output, self).await?;
        if let Some(cache) = cache
            && let Err(error) = blocking(move || Ok(cache.keep())).await?
        {
            self.without_cache::<()>(&error);
        }
        Ok(built)
    }

    /// Another machine pushes on its own, where it reaches the registry by its name.
    fn output(&self, seat: &Seat) -> Output {
        let registry = self.tools.registry;
        let reachable = |to: &&Repository| seat.address.is_far() && !registry.is_mapped(to.host());
        match self.tools.destination.filter(reachable) {
            Some(repository) => Output::Push(repository.clone()),
            None if self.dockerfile.attestations.any() => Output::Layout,
            None => Output::Archive,
        }
    }

    /// What Docker's daemon learned after BuildKit came into it.
    fn check_age(&self, docker: &Docker) -> Result<(), BuildError> {
        let dockerfile = self.dockerfile;
        if dockerfile.attestations.any() {
            return Err(BuildError::NoAttestations);
        }
        let asked = [
            ("contexts", !dockerfile.contexts.is_empty()),
            ("track_base_images", !dockerfile.base_digests.is_empty()),
        ];
        match asked.into_iter().find(|(_, asked)| *asked) {
            Some((what, _)) if !docker.is_at_least(24, 0) => {
                let (daemon, version) = (docker.address().to_string(), docker.version().to_owned());
                Err(BuildError::TooOld { daemon, version, what })
            }
            _ => Ok(()),
        }
    }

    async fn solve(
        &self,
        channel: &Channel,
        wanted: &Wanted<'_>,
        images: Store,
        incoming: Incoming,
        seat: &Seat,
    ) -> Result<Answer, BuildError> {
        let options = &self.dockerfile.options;
        let files = Shared::new(self.context.clone(), self.recipe.source_date_epoch);
        let services = Services {
            files: files.clone(),
            credentials: Credentials::new(self.tools.registry.clone()),
            secrets: Values(options.secrets.clone()),
            agents: Agents(options.ssh.clone()),
            images,
            incoming,
        };
        let session = Session::start(channel.clone(), services);
        let request = wanted.request(&solve::random_id(), session.id());
        let mut log = Log::default();
        let patience = self.tools.builder.settings().patience;
        let result = tokio::select! {
            result = solve::solve(channel.clone(), request, &mut log, self.tools.progress) => Some(result),
            () = session.silence(patience) => None,
        };
        session.end().await;
        let builder = seat.address.to_string();
        // A file that could not be sent is the cause of whatever BuildKit says about it.
        match (files.failure(), result) {
            (Some(error), _) => Err(error.into()),
            (None, None) => Err(BuildError::Silent { builder, patience }),
            (None, Some(Err(status))) => Err(self.failed(status, &log, builder)),
            (None, Some(Ok(_))) if self.saw_too_little(&log) => {
                Err(ContextError::Unseen { path: ".".to_owned() }.into())
            }
            (None, Some(Ok(answer))) => Ok(answer),
        }
    }

    /// Whether a base image's own steps may have copied what every `COPY` of the Dockerfile leaves out: it is not sent,
    /// and what is asked for does not tell.
    fn saw_too_little(&self, log: &Log) -> bool {
        let parsed = self.context.parsed.as_ref().filter(|_| self.context.reach.excludes());
        parsed.is_some_and(|parsed| log.names().any(|step| steps::has_more(parsed, step)))
    }

    fn failed(&self, status: Status, log: &Log, builder: String) -> BuildError {
        // What a builder says has no source; what befalls the connection has.
        if std::error::Error::source(&status).is_some() {
            return BuildError::Broke { builder, source: Box::new(status) };
        }
        let target = self.dockerfile.target.as_deref();
        let mut error = failure::explain(&status, log, target, self.context.parsed.as_ref());
        if let BuildError::Step(failure) = &mut error
            && let Some(path) = failure::not_found(&failure.message)
        {
            let rule = self.context.ignored_by(path);
            failure.hint = rule.map(|(file, line)| {
                format!("line {line} of {file} ignores it: write `!{path}` below it, or copy something else")
            });
        }
        error
    }
}

#[cfg(test)]
mod tests;
