//! How each image gets its digest: by a value where the chart has one that says the image and nothing else, by
//! post-rendering where it has not; and the proof that it did.

use std::collections::{BTreeMap, BTreeSet};

use ecr_registry::{Digest, Reference};
use serde_json::Value;

use super::prepare::{DryRuns, rendered};
use crate::{
    failure::Failure,
    helm::{arguments::Run, child::Input, dry_run::DryRun, explain::Trouble, session::HelmError},
    images::{
        document,
        lock::Lock,
        pins::{self, Found, Pin, Via, Wanted},
        resolve,
        rewrite::{Rewrites, rewrite},
        uses::Rendered,
        values_path::{ValuesPath, overlay},
        verify,
    },
    talk::say,
};

/// A chart, and how its images are pinned.
pub(super) struct Pinning<'a> {
    /// What runs Helm.
    pub(super) dry_runs: &'a DryRuns<'a>,
    /// What the first dry run said.
    pub(super) first: &'a DryRun,
    /// The chart, as later runs name it.
    pub(super) chart: &'a str,
    /// What later runs are told.
    pub(super) run: Run<'a>,
    /// Whether the chart may be another one than the first dry run saw.
    pub(super) changed: bool,
}

/// Images by digest, proved.
pub(super) struct Pinned {
    /// The pins.
    pub(super) pins: Vec<Pin>,
    /// What the post-renderer has to replace.
    pub(super) rewrites: Rewrites,
    /// The values for Helm.
    pub(super) document: Vec<u8>,
    /// What Helm will apply.
    pub(super) objects: Vec<Rendered>,
}

/// One way of pinning, tried.
enum Attempt {
    Proved(Box<Pinned>),
    /// These places say more than the image, for this reason.
    Unfit(BTreeSet<ValuesPath>, String),
}

impl Pinning<'_> {
    /// Decides what to pin where, asks the registries for the digests, and proves it.
    pub(super) async fn pin(&self, named: Vec<Wanted>, lock: Option<&Lock>) -> Result<Pinned, Failure> {
        let values = overlay(&self.first.chart.values, &self.first.config);
        pins::check_paths(&named, &values)?;
        let via = self.dry_runs.settings.via;
        let mut wanted = self.wanted(named, &values)?;
        let digests = self.digests(&mut wanted, lock).await?;
        let mut unfit = BTreeSet::new();
        if via == Via::PostRender {
            unfit.extend(wanted.iter().map(|wanted| wanted.path.clone()));
        }
        // Every round takes at least one place away from values.
        loop {
            let pins = self.pins(&wanted, &digests, &values, &unfit)?;
            match self.attempt(pins, via).await? {
                Attempt::Proved(pinned) => return Ok(*pinned),
                Attempt::Unfit(places, reason) => {
                    let list: Vec<String> = places.iter().map(|place| format!("`{place}`")).collect();
                    say(&format!("values path {} cannot carry a digest: {reason}", list.join(", ")));
                    unfit.extend(places);
                }
            }
        }
    }

    fn wanted(&self, named: Vec<Wanted>, values: &Value) -> Result<Vec<Wanted>, Failure> {
        let settings = self.dry_runs.settings;
        let (unpinned, _) = verify::unpinned(&rendered(self.first)?);
        let app_version = &self.first.chart.metadata.app_version;
        let Found { placed, loose } =
            pins::found_in_values(&unpinned, &named, values, app_version, &settings.policy, settings.via)?;
        Ok(named.into_iter().chain(placed).chain(loose).collect())
    }

    async fn digests(
        &self,
        wanted: &mut [Wanted],
        lock: Option<&Lock>,
    ) -> Result<BTreeMap<Reference, Digest>, Failure> {
        let DryRuns { settings, target, .. } = self.dry_runs;
        if let Some(lock) = lock {
            lock.fill(wanted, settings.locked)?;
        }
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let registry = resolve::registry(target.way.aws.clone(), settings.endpoints.clone())?;
        let references: Vec<_> = wanted.iter().map(|wanted| wanted.reference.clone()).collect();
        Ok(resolve::digests(&registry, &references).await?)
    }

    fn pins(
        &self,
        wanted: &[Wanted],
        digests: &BTreeMap<Reference, Digest>,
        values: &Value,
        unfit: &BTreeSet<ValuesPath>,
    ) -> Result<Vec<Pin>, Failure> {
        let app_version = &self.first.chart.metadata.app_version;
        let pin = |wanted: &Wanted| {
            let digest = digests[&wanted.reference];
            if wanted.path.is_root() || unfit.contains(&wanted.path) {
                pins::render(wanted.clone(), digest, values, app_version)
            } else {
                pins::pin(wanted.clone(), digest, values)
            }
        };
        Ok(wanted.iter().map(pin).collect::<Result<_, _>>()?)
    }

    async fn attempt(&self, pins: Vec<Pin>, via: Via) -> Result<Attempt, Failure> {
        let document = document::write(&pins::apply(&self.first.config, &self.first.chart.values, &pins));
        let later;
        let dry_run = if self.changed || pins.iter().any(Pin::is_in_values) {
            let printed = self.dry_runs.read(self.chart, self.run, Input::Document(&document)).await;
            later = match printed {
                // The first run had no such trouble: the API server, or the values' schema, refuses a digest in a tag.
                Err(HelmError::Failed { trouble: Trouble::Other, message, .. })
                    if via == Via::Auto && pins.iter().any(Pin::is_joined) =>
                {
                    let joined = pins.iter().filter(|pin| pin.is_joined());
                    return Ok(Attempt::Unfit(joined.map(|pin| pin.path.clone()).collect(), message));
                }
                Err(error) => return Err(self.dry_runs.explain(error).await),
                Ok(printed) => DryRun::parse(&printed)?,
            };
            &later
        } else {
            self.first
        };
        let objects = rendered(dry_run)?;
        if via == Via::Auto
            && let Some(leak) = verify::leaking(&objects, &pins).filter(|leak| !leak.places.is_empty())
        {
            return Ok(Attempt::Unfit(leak.places, leak.text));
        }
        self.prove(pins, dry_run, objects, document).map(Box::new).map(Attempt::Proved)
    }

    /// Post-rendering is ours, so that what it will do can be seen without Helm.
    fn prove(
        &self,
        pins: Vec<Pin>,
        dry_run: &DryRun,
        mut objects: Vec<Rendered>,
        document: Vec<u8>,
    ) -> Result<Pinned, Failure> {
        let rewrites = pins::rewrites(&objects, &pins);
        if !rewrites.is_empty() {
            objects = rendered(&self.post_rendered(dry_run, &rewrites)?)?;
        }
        verify::prove(&objects, &pins, &self.dry_runs.settings.policy)?;
        Ok(Pinned { pins, rewrites, document, objects })
    }

    /// Helm 3 sends no hooks through a post-renderer.
    fn post_rendered(&self, dry_run: &DryRun, rewrites: &Rewrites) -> Result<DryRun, Failure> {
        let mut changed = dry_run.clone();
        changed.manifest = rewrite(&dry_run.manifest, rewrites)?;
        if self.dry_runs.target.helm.major >= 4 {
            for hook in &mut changed.hooks {
                hook.manifest = rewrite(&hook.manifest, rewrites)?;
            }
        }
        Ok(changed)
    }
}
