//! From what was asked to one command line of Helm and one document of values, proved by dry runs. Nothing is
//! changed here.

use std::path::Path;

use ecr_registry::Digest;
use serde_json::Value;

use super::{
    pinning::{Pinned, Pinning},
    target::Target,
};
use crate::{
    eks::access,
    exit::Exit,
    failure::{Explain, Failure},
    helm::{
        arguments::{FlagError, Run},
        chart,
        child::Input,
        dry_run::{DryRun, Metadata},
        explain::Trouble,
        renderer,
        session::{Helm, HelmError, Printed},
    },
    images::{
        lock::Lock,
        pins::{Pin, Wanted},
        policy::Policy,
        terraform::TerraformError,
        uses::{self, ImageUse, Rendered},
        verify,
    },
    plan::{ChartIdentity, Key, Plan},
    rollout::{self, Operation, Subject},
    run_folder::RunFolder,
    settings::{Settings, image::ImageSource},
    talk::{say, warn},
};

/// What is given to Helm.
pub(crate) struct Prepared {
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// The values for its stdin: the user's, with the pins.
    pub(crate) document: Vec<u8>,
    /// The revision that it will make.
    pub(crate) revision: u64,
    /// The objects that it will apply, and the hooks.
    pub(crate) objects: Vec<Rendered>,
    /// The pins among the values.
    pub(crate) pins: Vec<Pin>,
    /// Whether it will let the server apply them.
    pub(crate) server_side: bool,
    /// The chart.
    pub(crate) chart: ChartIdentity,
}

impl Prepared {
    /// The images that it will run.
    pub(crate) fn images(&self) -> Vec<ImageUse> {
        self.objects.iter().flat_map(uses::images).collect()
    }

    /// What Helm will do.
    pub(crate) fn operation(&self) -> Operation {
        if self.revision == 1 { Operation::Install } else { Operation::Upgrade }
    }

    /// The objects whose pods it will roll out.
    pub(crate) fn subjects(&self, settings: &Settings) -> Vec<Subject> {
        rollout::subjects(&self.objects, &settings.namespace.name, self.operation())
    }

    /// What it comes to.
    pub(crate) fn plan(&self, settings: &Settings, target: &Target, key: &Key) -> Plan {
        Plan {
            release: settings.release.clone(),
            namespace: settings.namespace.name.clone(),
            cluster: target.way.cluster.identity(),
            revision: self.revision,
            chart: self.chart.clone(),
            images: self.images().into_iter().map(|used| used.image).collect(),
            values: key.code(&self.document),
        }
    }
}

/// What Helm rendered cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the manifests of {what}")]
pub(crate) struct ManifestError {
    /// The chart, or the release.
    pub(crate) what: String,
    /// Where they are wrong.
    #[source]
    pub(crate) source: serde_yaml_ng::Error,
}

impl Explain for ManifestError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }
}

/// Reads, resolves, pins, proves.
pub(super) async fn prepare(
    settings: &Settings,
    target: &Target,
    helm: &Helm<'_>,
    folder: &RunFolder,
    lock: Option<&Lock>,
) -> Result<Prepared, Failure> {
    let dry_runs = DryRuns { settings, target, helm };
    let named = named_images(settings, target)?;
    // Updating dependencies changes the chart, so that only its result can be copied.
    // Helm 3 looks on this machine first even then.
    let repository = settings.helm.get("repo").filter(|_| target.helm.major >= 4);
    let local = chart::is_local(&settings.chart, repository);
    let copied_first = local && settings.helm.get("dependency-update").is_none();
    let mut chart = settings.chart.clone();
    if copied_first {
        chart = snapshot(&chart, folder)?;
    }
    let first = dry_runs.run(&chart, Run::First, first_input(settings)).await?;
    if !copied_first && local {
        chart = snapshot(&chart, folder)?;
    }
    if !settings.helm.says_values()
        && let Some(line) = kept(&first.config, &named)
    {
        warn(&line);
    }
    let (chart, chart_version) = if local {
        (chart, None)
    } else {
        chart::pinned(&chart, first.chart_digest, &first.chart.metadata.version)
    };
    let run = Run::Later { chart_version };
    let pinning = Pinning { dry_runs: &dry_runs, first: &first, chart: &chart, run, changed: !copied_first };
    let Pinned { pins, rewrites, document, objects: deployed } = pinning.pin(named, lock).await?;
    report(&pins, &deployed, &settings.policy);
    let mut arguments = dry_runs.arguments(&chart, run)?;
    if !rewrites.is_empty() {
        warn("this release depends on post-rendering: a plain helm upgrade later on deploys by tag again");
        renderer::install(helm, &target.helm, &settings.helm, rewrites, &mut arguments).await?;
    }
    let digest = if local { Some(chart::digest(Path::new(&chart))?) } else { first.chart_digest };
    let Metadata { name, version, .. } = first.chart.metadata;
    let chart = ChartIdentity { name, version, digest: digest.map(|digest| digest.to_string()) };
    let server_side = first.apply_method.as_deref() == Some("ssa");
    Ok(Prepared {
        arguments,
        document,
        revision: first.revision,
        objects: deployed,
        pins,
        server_side,
        chart,
    })
}

fn snapshot(chart: &str, folder: &RunFolder) -> Result<String, Failure> {
    let copy = chart::snapshot(Path::new(chart), folder.path())?;
    Ok(copy.to_string_lossy().into_owned())
}

fn first_input(settings: &Settings) -> Input<'static> {
    if settings.helm.reads_stdin() { Input::Ours } else { Input::Nothing }
}

pub(super) fn rendered(dry_run: &DryRun) -> Result<Vec<Rendered>, ManifestError> {
    uses::objects(&dry_run.manifest, &dry_run.hooks)
        .map_err(|source| ManifestError { what: format!("chart `{}`", dry_run.chart.metadata.name), source })
}

/// The dry runs of one preparation.
pub(super) struct DryRuns<'a> {
    pub(super) settings: &'a Settings,
    pub(super) target: &'a Target,
    helm: &'a Helm<'a>,
}

impl DryRuns<'_> {
    /// The arguments of one run of Helm.
    fn arguments(&self, chart: &str, run: Run<'_>) -> Result<Vec<String>, FlagError> {
        let Settings { release, namespace, helm, .. } = self.settings;
        let mut arguments: Vec<String> =
            ["upgrade", "--install", release, chart, "--namespace", &namespace.name]
                .map(str::to_owned)
                .into();
        arguments.extend(helm.render(&self.target.helm, run)?);
        if let Run::Later { .. } = run {
            arguments.extend(["--reset-values", "--values=-"].map(str::to_owned));
        }
        Ok(arguments)
    }

    async fn run(&self, chart: &str, run: Run<'_>, input: Input<'_>) -> Result<DryRun, Failure> {
        match self.read(chart, run, input).await {
            Ok(printed) => Ok(DryRun::parse(&printed)?),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// What Helm says to one dry run, in its own words.
    pub(super) async fn read(
        &self,
        chart: &str,
        run: Run<'_>,
        input: Input<'_>,
    ) -> Result<Printed, HelmError> {
        let arguments = self.arguments(chart, run)?;
        let dry = async |how: &str| {
            let arguments: Vec<&str> =
                arguments.iter().map(String::as_str).chain([how, "--output=json"]).collect();
            self.helm.read(&arguments, input).await
        };
        match dry("--dry-run=server").await {
            // Helm installs `crds/` before the rest, and not in a dry run. Helm 3 needs them even for the other one.
            Err(HelmError::Failed { trouble: Trouble::NoKind, .. }) if self.target.helm.major >= 4 => {
                dry("--dry-run=client").await
            }
            printed => printed,
        }
    }

    /// The same for who is refused by the cluster.
    pub(super) async fn explain(&self, error: HelmError) -> Failure {
        access::explain(error, &self.target.way.aws, &self.target.way.cluster, &self.settings.namespace.name)
            .await
    }
}

/// The images that were named, with outputs looked up.
fn named_images(settings: &Settings, target: &Target) -> Result<Vec<Wanted>, TerraformError> {
    let named = settings.images.iter().map(|image| {
        let reference = match (&image.source, &target.outputs) {
            (ImageSource::Reference(reference), _) => reference.clone(),
            (ImageSource::Output(name), Some(outputs)) => outputs.image(name)?,
            (ImageSource::Output(name), None) => return Err(TerraformError::NoSource(name.clone())),
        };
        Ok(Wanted { path: image.path.clone(), reference })
    });
    named.collect()
}

/// What to say of digests that are in the values of the last revision, which Helm takes again where none are given: a new
/// tag in the chart would change nothing.
fn kept(config: &Value, named: &[Wanted]) -> Option<String> {
    let mut places = Vec::new();
    digests(config, "", &mut places);
    places.retain(|place| !named.iter().any(|wanted| place.starts_with(&wanted.path.to_string())));
    (!places.is_empty()).then(|| {
        format!(
            "no values were given, so helm takes those of the last revision again, with their digests, whatever the chart \
             says now: {}; --image names an image anew, --reset-values goes back to the chart's values",
            places.join(", ")
        )
    })
}

fn digests(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let dot = if place.is_empty() { "" } else { "." };
            map.iter().for_each(|(key, below)| digests(below, &format!("{place}{dot}{key}"), found));
        }
        Value::String(text) if text.rsplit('@').next().is_some_and(|end| end.parse::<Digest>().is_ok()) => {
            found.push(place.to_owned());
        }
        _ => {}
    }
}

fn report(pins: &[Pin], deployed: &[Rendered], policy: &Policy) {
    for pin @ Pin { path, reference, digest, .. } in pins {
        let tag = reference.tag.as_ref().map(|tag| format!(" ({tag})")).unwrap_or_default();
        let place = if path.is_root() { String::new() } else { format!("{path} = ") };
        let how = if pin.is_rendered() { ", by post-rendering" } else { "" };
        say(&format!("image {place}{}@{digest}{tag}{how}", reference.repository));
    }
    for used in verify::tolerated(deployed, policy) {
        warn(&format!("{} is not pinned by digest: {}", used.object, used.image));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rule_2_digests_that_helm_takes_again_are_told() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let config = json!({
            "image": {"tag": format!("v1@{digest}")}, "worker": {"digest": digest, "tag": "v1"}, "text": "a@b",
        });
        let told = |named: &[&str]| {
            let wanted = |path: &&str| Wanted {
                path: path.parse().unwrap(),
                reference: "r.example/a".parse().unwrap(),
            };
            kept(&config, &named.iter().map(wanted).collect::<Vec<_>>())
        };
        assert!(told(&[]).unwrap().contains(": image.tag, worker.digest;"));
        assert!(told(&["image"]).unwrap().contains(": worker.digest;"));
        assert_eq!(told(&["image", "worker"]), None);
    }
}
