//! Apply: the only one to write. Content first, then the source tag, then new tags, and removals last:
//! ECR deletes an image with its last tag.

use std::{
    fs::File,
    future::Future,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ecr_registry::{Digest, Error, ErrorKind, Manifest, Registry, Repository, Tag, Version};
use image_build::{Built, Recipe, Runtime, SourceHash, Tools};
use tfplugin_rs::{
    ApplyRequest, ApplyResponse, CancellationToken, Diagnostic, Diagnostics, Operation, Timed, Value,
};

use super::{
    after::{lambda_may_pull, wait_for},
    arguments::{Arguments, Surroundings, blame, blame_build, with_defaults},
    decision::{FilesChanged, Look, Since},
    lookup::{self, Found},
    memory::{Content, Memory, Tree},
    remove,
    schema::timeouts,
    seen::Seen,
    state::{State, set_content, set_source},
    tags::{Tags, put_tags, remove_tags},
};
use crate::{
    access::Access,
    report::{Report, at, capitalized},
};

/// Creates or updates the image, or lets it go, within the time it has.
pub(super) async fn apply(access: &Access, mut request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
    let (value, operation) = match request.operation() {
        Operation::Create => (&request.config, Timed::Create),
        Operation::Update => (&request.config, Timed::Update),
        Operation::Destroy => (&request.prior, Timed::Delete),
    };
    let limit = timeouts().of(value, operation)?.unwrap_or(Duration::MAX);
    request.cancellation = request.cancellation.child_token();
    let mut work = Box::pin(applied(access, &request, limit));
    if let Ok(done) = tokio::time::timeout(limit, &mut work).await {
        return done;
    }
    // What is cut off ends as what is interrupted: it leaves nothing behind.
    request.cancellation.cancel();
    let mut response = work.await.map_err(|_| out_of_time(limit))?;
    if response.diagnostics.has_errors() {
        response.diagnostics.push(out_of_time(limit));
    }
    Ok(response)
}

async fn applied(
    access: &Access,
    request: &ApplyRequest,
    limit: Duration,
) -> Result<ApplyResponse, Diagnostics> {
    if request.planned.is_null() {
        let diagnostics = remove::destroy(access, request).await?;
        return Ok(ApplyResponse { diagnostics, ..ApplyResponse::default() });
    }
    let job = Job::new(access, request).await?;
    if job.wanted.lambda {
        lambda_may_pull(job.registry, &job.repository).await?;
    }
    let mut obtained = Box::pin(job.obtain()).await?;
    let mut diagnostics = std::mem::take(&mut obtained.warnings);
    access.note_made(&job.repository, obtained.content.digest);
    let mut state = job.planned.clone();
    if let Some((hash, seen)) = &obtained.source {
        set_source(&mut state, hash, &seen.recipe, &seen.sources);
    }
    set_content(&mut state, &obtained.content, Some(&job.repository));
    let private = Memory { built: obtained.tree.clone(), ..Memory::default() }.to_private();
    let tags = job.tags(&obtained);
    let mut put = Vec::new();
    let tagging = async {
        put_tags(&tags, &mut put).await?;
        remove_tags(&tags, &mut diagnostics).await?;
        let image = &obtained.content.digest;
        wait_for(job.registry, &job.repository, image, &job.wanted.wait_for, limit).await
    };
    if let Err(failed) = unless_cancelled(&job.cancel, Box::pin(tagging)).await {
        if job.prior.is_none() {
            // The image is there, and its source tag finds it again: a new attempt sends nothing.
            return Err(failed);
        }
        state.set("tags", put);
        diagnostics.extend(failed);
    }
    Ok(ApplyResponse { state, private, diagnostics, ..ApplyResponse::default() })
}

/// What there is to do.
struct Job<'a> {
    access: &'a Access,
    registry: &'a Registry,
    repository: Repository,
    wanted: Arguments,
    recipe: Recipe,
    prior: Option<State>,
    planned: Value,
    memory: Memory,
    cancel: CancellationToken,
}

/// The image, which is in the repository and carries its source tag.
struct Obtained {
    manifest: Manifest,
    content: Content,
    /// What it is made from, where the plan left that open.
    source: Option<(SourceHash, Seen)>,
    tree: Option<Tree>,
    /// What works, and is seldom meant.
    warnings: Diagnostics,
}

impl<'a> Job<'a> {
    async fn new(access: &'a Access, request: &ApplyRequest) -> Result<Self, Diagnostics> {
        let around = Surroundings::of(access, &request.config).await;
        // The plan may have the paths of another machine: the configuration has those of this one.
        let wanted = Arguments::parse(&with_defaults(request.config.clone(), &request.config), &around)?;
        let repository = match (&wanted.repository, request.config.get("repository").as_str()) {
            (None, Some(text)) => Some(access.repository(text).await?),
            (repository, _) => repository.clone(),
        };
        let (Some(repository), Some(Some(recipe))) = (repository, wanted.recipe.clone()) else {
            let detail = "Every argument has to be known when a plan is applied.";
            return Err(Diagnostic::error("The configuration is not complete", detail).into());
        };
        let prior = (!request.prior.is_null()).then(|| State::parse(&request.prior, &around)).transpose()?;
        Ok(Self {
            access,
            registry: access.registry()?,
            repository,
            wanted,
            recipe,
            prior,
            planned: request.planned.clone(),
            memory: Memory::of(&request.private),
            cancel: request.cancellation.clone(),
        })
    }

    async fn obtain(&self) -> Result<Obtained, Diagnostics> {
        match self.planned.get("digest").as_str().map(str::parse::<Digest>) {
            Some(Ok(digest)) => self.existing(digest).await,
            _ => Box::pin(self.new_image()).await,
        }
    }

    /// The image the plan names: it has to be there.
    async fn existing(&self, digest: Digest) -> Result<Obtained, Diagnostics> {
        let found = lookup::find(self.registry, &self.repository, &Version::Digest(digest)).await;
        let Some(Found { manifest, .. }) = found.map_err(|error| refused(&error))? else {
            return Err(self.vanished(digest).into());
        };
        let unchanged = self.prior.as_ref().and_then(|prior| prior.hash).map(|hash| hash.to_string());
        let unchanged = unchanged.as_deref() == self.planned.get("source_hash").as_str();
        let tree = match &self.memory.witness {
            Some(witness) if !unchanged => Some(witness.tree.clone()),
            _ => self.memory.built.clone(),
        };
        let (content, warnings) = (self.planned_content(digest), Diagnostics::new());
        Ok(Obtained { content, manifest, source: None, tree, warnings })
    }

    fn planned_content(&self, digest: Digest) -> Content {
        let platforms = self.planned.get("platform_digests").as_map().into_iter().flatten();
        let platform =
            |(name, digest): (&String, &Value)| Some((name.clone(), digest.as_str()?.parse().ok()?));
        let size = self.planned.get("size_bytes").as_number().and_then(tfplugin_rs::Number::as_u64);
        Content {
            digest,
            platform_digests: platforms.filter_map(platform).collect(),
            size_bytes: size.unwrap_or(0),
        }
    }

    fn vanished(&self, digest: Digest) -> Diagnostic {
        let summary = format!("The image {}@{digest} vanished since the plan", self.repository);
        Diagnostic::error(summary, "Somebody deleted it. Plan again: it will be built anew.")
    }

    /// An image that has this source's tag, or else a new one.
    async fn new_image(&self) -> Result<Obtained, Diagnostics> {
        let (look, seen) = self.look().await?;
        let found = match &self.access.source_tag {
            Some(tag) => self.tagged(&tag.of(&look.hash)).await.map_err(|error| refused(&error))?,
            None => None,
        };
        let mut warnings = Diagnostics::new();
        let (manifest, content) = match found {
            Some(found) => (found.manifest, found.content),
            None => Box::pin(self.build(&seen.recipe, &look, &mut warnings)).await?,
        };
        Ok(Obtained { manifest, content, source: Some((look.hash, seen)), tree: Some(look.tree), warnings })
    }

    /// Reads the files: they have to be what the plan was made with, as far as it knew.
    async fn look(&self) -> Result<(Look, Seen), Diagnostics> {
        let format = self.prior.as_ref().and_then(|prior| prior.hash).map(|hash| hash.format());
        let mut seen = Seen::of(self.recipe.clone(), format, &self.access.cache)
            .await
            .map_err(|error| Diagnostics::from(at(error.report(), blame(&error, &self.recipe.how))))?;
        let planned = self.planned.get("source_hash").as_str();
        // What was planned holds: a base image that moved since then is the next plan's.
        if planned.is_none() || !seen.take(self.memory.pins()) {
            seen.ask(self.access, self.registry).await.map_err(|error| seen.blame(&error))?;
        }
        let look = seen.look();
        if planned.is_some_and(|planned| planned != look.hash.to_string()) {
            let was = self.memory.witness.as_ref().map(|witness| &witness.tree);
            return Err(changed_since(was, &look.tree).into());
        }
        Ok((look, seen))
    }

    async fn tagged(&self, source_tag: &Tag) -> Result<Option<Found>, Error> {
        lookup::by_source_tag(self.registry, &self.repository, source_tag, &self.recipe.platforms).await
    }

    async fn build(
        &self,
        recipe: &Recipe,
        look: &Look,
        warnings: &mut Diagnostics,
    ) -> Result<(Manifest, Content), Diagnostics> {
        let log = Log::open(self.wanted.log_file.as_deref())?;
        let progress = |line: &str| {
            tracing::info!(repository = %self.repository, "{line}");
            log.line(line);
        };
        let tools = Tools {
            builder: &self.access.builder,
            registry: self.registry,
            destination: Some(&self.repository),
            cache: &self.access.cache,
            progress: &progress,
            cancel: &self.cancel,
        };
        let built = image_build::build(recipe, tools).await.map_err(|error| self.build_error(&error))?;
        let tree = Tree::of(recipe, built.sources());
        if tree.digest != look.tree.digest {
            return Err(changed_since(Some(&look.tree), &tree).into());
        }
        let runtime = self.wanted.lambda.then_some(Runtime::Lambda);
        for warning in built.check(runtime).map_err(|error| error.report())? {
            let warning = Diagnostic::warning(capitalized(&warning.to_string()), warning.hint());
            self.access.warn(&self.repository.to_string(), warning, warnings);
        }
        let sending = async {
            let pushed = built.push(self.registry, &self.repository, &[], &()).await;
            pushed.map_err(|error| refused(&error))?;
            self.mark(look, &built).await
        };
        unless_cancelled(&self.cancel, Box::pin(sending)).await
    }

    /// Puts the source tag. Where another run was first and the tag cannot be moved, its image is taken.
    async fn mark(&self, look: &Look, built: &Built) -> Result<(Manifest, Content), Diagnostics> {
        let root = &built.tree().root;
        let Some(tag) = self.access.source_tag.as_ref().map(|tag| tag.of(&look.hash)) else {
            return Ok((root.clone(), self.content(built)));
        };
        match self.registry.tag(&self.repository, &tag, root).await {
            Ok(_) => Ok((root.clone(), self.content(built))),
            Err(error) if matches!(*error.kind, ErrorKind::TagImmutable { .. }) => {
                match self.tagged(&tag).await {
                    Ok(Some(first)) => Ok((first.manifest, first.content)),
                    _ => Err(refused(&error).into()),
                }
            }
            Err(error) => Err(refused(&error).into()),
        }
    }

    fn content(&self, built: &Built) -> Content {
        let (tree, digest) = (built.tree(), built.tree().root.digest);
        let mut platforms = tree.platforms();
        if platforms.is_empty() {
            platforms.extend(self.recipe.platforms.iter().map(|platform| (platform.clone(), digest)));
        }
        let platform_digests =
            platforms.into_iter().map(|(platform, digest)| (platform.to_string(), digest)).collect();
        Content { digest, platform_digests, size_bytes: tree.size() }
    }

    fn build_error(&self, error: &image_build::BuildError) -> Diagnostics {
        let diagnostic = error.report();
        match blame_build(error, &self.recipe.how) {
            Some(path) => at(diagnostic, path).into(),
            None => diagnostic.into(),
        }
    }

    fn tags<'t>(&'t self, obtained: &'t Obtained) -> Tags<'t> {
        Tags {
            registry: self.registry,
            repository: &self.repository,
            manifest: &obtained.manifest,
            wanted: self.wanted.tags.as_ref(),
            prior: self.prior.as_ref(),
            on_moved: self.wanted.on_moved_tag,
            on_removed: self.wanted.on_removed_tag,
            seen_moved: &self.memory.moved_tags,
        }
    }
}

/// The error, at the argument that is to blame.
fn refused(error: &ecr_registry::Error) -> Diagnostic {
    match *error.kind {
        ErrorKind::RepositoryMissing(_) => error.report().at("repository"),
        _ => error.report(),
    }
}

fn changed_since(was: Option<&Tree>, now: &Tree) -> Diagnostic {
    let lines = was.map_or_else(Vec::new, |was| was.differences(now, "when planned"));
    FilesChanged { lines, since: Since::Planned }.diagnostic()
}

fn out_of_time(limit: Duration) -> Diagnostic {
    let summary = format!("The image was not done within {} minutes", limit.as_secs() / 60);
    let detail = "What was sent so far is found again. Apply again, or write timeouts { create = \"2h\" }.";
    Diagnostic::error(summary, detail).at("timeouts")
}

/// Where the lines of a build go, beside Terraform's log.
struct Log(Option<Mutex<File>>);

impl Log {
    /// Opens the file, readable by its owner alone, and empties it.
    fn open(path: Option<&Path>) -> Result<Self, Diagnostic> {
        let Some(path) = path else { return Ok(Self(None)) };
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let refused = |error: std::io::Error| {
            let summary = format!("Cannot write to `{}`", path.display());
            Diagnostic::error(summary, format!("caused by: {error}")).at("log_file")
        };
        Ok(Self(Some(Mutex::new(file.map_err(refused)?))))
    }

    /// A line that cannot be written is no reason to end a build.
    fn line(&self, line: &str) {
        if let Some(file) = &self.0 {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(file, "{line}");
        }
    }
}

async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => {
            let detail = "What was sent so far is found again. Apply again to go on.";
            Err(Diagnostic::error("Interrupted before the image and its tags were complete", detail).into())
        }
        done = work => done,
    }
}
