//! The action `ecr_prune`: deletes old images from a repository, after saying which.

mod selection;

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

use ecr_registry::{
    Digest, EcrImage, EcrRepository, Manifest, ManifestKind, Registry, Repository, Tagged, Version,
};
use futures::{StreamExt, TryStreamExt, stream};
use tfplugin_rs::{
    Action, Configured, Diagnostic, Diagnostics, InvokeRequest, Object, PlanActionRequest,
    PlanActionResponse, Progress, Rule, Schema, ValidateRequest, Validator, async_trait,
};

use self::selection::{Criteria, Selected, select};
use crate::{
    access::Access,
    argument::{Place, Text, blamed, faults},
    moment::rfc3339,
    report::Report,
    tag_pattern::TagPattern,
};

/// How many images are named before they are only counted.
const NAMED: usize = 50;
/// How many are deleted by one call.
const BATCH: usize = 100;
const INDEXES_AT_ONCE: usize = 8;

/// The action `ecr_prune`.
pub(crate) struct Prune(pub(crate) Configured<Access>);

/// Deletes old images from a repository in ECR, with their tags. It says which before it deletes any. What belongs to an
/// image goes and stays with it: the images of an index, signatures and other artifacts about it; they are never counted
/// by themselves.
#[derive(Object)]
#[object(rule = Rule::at_least_one_of(["keep", "older_than"]))]
struct Pruning {
    /// The repository with its registry, `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web`, or as a name in the
    /// provider's account and region, `shop/web`.
    repository: Text<Place>,
    /// How many of the newest images stay, whatever their age.
    #[object(validate = Validator::range(1_i64..))]
    keep: Option<u64>,
    /// Only images that were pushed longer ago than this many days, such as `30d`, or weeks, such as `4w`.
    older_than: Option<Text<Age>>,
    /// Only images whose tags are all like this, in which `*` stands for any text: `pr-*`. Default: all, those without a
    /// tag too.
    tag_pattern: Option<Text<TagPattern>>,
    /// Whether to say only what would be deleted. Default: `false`.
    dry_run: Option<bool>,
}

#[async_trait]
impl Action for Prune {
    fn type_name(&self) -> &'static str {
        "ecr_prune"
    }

    fn schema(&self) -> Schema {
        Schema::of::<Pruning>()
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let config = request.config.view();
        let mut problems = faults::<Place>(&config.get("repository"));
        problems.extend(faults::<Age>(&config.get("older_than")));
        problems.extend(faults::<TagPattern>(&config.get("tag_pattern")));
        problems
    }

    /// Says already what would be deleted, if that can be found out.
    async fn plan(&self, request: PlanActionRequest) -> Result<PlanActionResponse, Diagnostics> {
        let access = self.0.get()?;
        let Some(registry) = &access.registry else { return Ok(PlanActionResponse::default()) };
        let Some(pruning) = request.config.view().settled::<Pruning>()? else {
            return Ok(PlanActionResponse::default());
        };
        let repository = access.private(&pruning.repository).await?.repository;
        let selected = pruning.selected(registry, &repository).await?;
        let summary = selected.headline(&repository);
        let warning = Diagnostic::warning(summary, selected.lines().join("\n"));
        Ok(PlanActionResponse { diagnostics: warning.into(), ..PlanActionResponse::default() })
    }

    async fn invoke(&self, request: InvokeRequest, progress: Progress) -> Result<(), Diagnostics> {
        let pruning: Pruning = request.config.view().read()?;
        let access = self.0.get()?;
        let registry = access.registry()?;
        let repository = access.private(&pruning.repository).await?.repository;
        let selected = pruning.selected(registry, &repository).await?;
        progress.say(selected.headline(&repository));
        selected.lines().into_iter().for_each(|line| progress.say(line));
        if pruning.dry_run == Some(true) || selected.images.is_empty() {
            return Ok(());
        }
        let ecr = registry.ecr(&repository).map_err(|error| error.report())?;
        delete(&ecr, &selected, &request, &progress).await
    }
}

impl Pruning {
    async fn selected(&self, registry: &Registry, repository: &Repository) -> Result<Selected, Diagnostics> {
        let ecr = registry.ecr(repository).map_err(|error| error.report())?;
        let images: Vec<EcrImage> = ecr
            .images(Tagged::Any)
            .try_collect()
            .await
            .map_err(|error| blamed(&error, "repository", "tag_pattern"))?;
        let parts = parts(registry, repository, &images).await?;
        let now = SystemTime::now();
        let criteria = Criteria {
            keep: self.keep.map_or(0, |keep| usize::try_from(keep).unwrap_or(usize::MAX)),
            pushed_before: self.older_than.as_ref().and_then(|age| now.checked_sub(age.0)),
            tag_pattern: self.tag_pattern.as_deref(),
        };
        Ok(select(images, &parts, &criteria))
    }
}

/// What each index names.
async fn parts(
    registry: &Registry,
    repository: &Repository,
    images: &[EcrImage],
) -> Result<BTreeMap<Digest, Vec<Digest>>, Diagnostics> {
    let is_index = |image: &&EcrImage| {
        image.media_type.as_deref().is_none_or(|kind| kind.contains("index") || kind.contains("list"))
    };
    let indexes: Vec<Digest> = images.iter().filter(is_index).map(|image| image.digest).collect();
    let parts = stream::iter(indexes).map(|digest| async move {
        let found = registry.manifest(repository, &Version::Digest(digest)).await;
        let found = found.map_err(|error| Diagnostics::from(error.report()))?;
        let children = found.filter(|found| matches!(found.kind, ManifestKind::Index(_)));
        let children = children.iter().flat_map(Manifest::children).map(|child| child.digest);
        Ok::<_, Diagnostics>((digest, children.collect()))
    });
    parts.buffer_unordered(INDEXES_AT_ONCE).try_collect().await
}

/// Deletes in batches, saying how far it is. What fails is told at the end.
async fn delete(
    ecr: &EcrRepository,
    selected: &Selected,
    request: &InvokeRequest,
    progress: &Progress,
) -> Result<(), Diagnostics> {
    let versions: Vec<Version> = selected.images.iter().map(|image| Version::Digest(image.digest)).collect();
    let (mut done, mut failed) = (0, Diagnostics::new());
    for batch in versions.chunks(BATCH) {
        if request.cancellation.is_cancelled() {
            let summary = format!("Interrupted after {done} of {} images", versions.len());
            failed.push(Diagnostic::error(summary, "What is deleted stays so. Run it again for the rest."));
            break;
        }
        for result in ecr.delete(batch).await {
            match result {
                Ok(_) => done += 1,
                Err(error) => failed.push(error.report()),
            }
        }
        progress.say(format!("deleted {done} of {} images", versions.len()));
    }
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}

impl Selected {
    fn headline(&self, repository: &Repository) -> String {
        format!(
            "{} of {} images in {repository} are to be deleted, {} MB",
            self.images.len(),
            self.all,
            self.images.iter().filter_map(|image| image.size).sum::<u64>() / 1_000_000
        )
    }

    /// One line for each image: its tags, or its digest, and when it was pushed.
    fn lines(&self) -> Vec<String> {
        let line = |image: &EcrImage| {
            let tags: Vec<&str> = image.tags.iter().map(ecr_registry::Tag::as_str).collect();
            let tags = if tags.is_empty() { "no tag".to_owned() } else { tags.join(", ") };
            let pushed = image.pushed_at.map(rfc3339).unwrap_or_default();
            format!("{} ({tags}), pushed {pushed}", image.digest)
        };
        let mut lines: Vec<String> = self.images.iter().take(NAMED).map(line).collect();
        if self.images.len() > NAMED {
            lines.push(format!("and {} more", self.images.len() - NAMED));
        }
        lines
    }
}

/// An age in days or weeks.
#[derive(Clone, Debug)]
struct Age(Duration);

/// A text that is no age.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a number of days or weeks")]
struct NoAge(String);

impl FromStr for Age {
    type Err = NoAge;

    fn from_str(text: &str) -> Result<Self, NoAge> {
        let days =
            |number: &str, days: u64| number.parse::<u32>().ok().map(|number| u64::from(number) * days);
        let days = text
            .strip_suffix('d')
            .and_then(|number| days(number, 1))
            .or_else(|| text.strip_suffix('w').and_then(|number| days(number, 7)));
        let age = days.map(|days| Self(Duration::from_secs(days * 24 * 60 * 60)));
        age.ok_or_else(|| NoAge(text.to_owned()))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}d", self.0.as_secs() / (24 * 60 * 60))
    }
}

impl Report for NoAge {
    fn advice(&self) -> Option<String> {
        Some("write 30d for 30 days, or 4w for four weeks".to_owned())
    }
}
