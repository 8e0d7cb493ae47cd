//! Dockerfiles without a daemon: stages on any image whose steps run nothing.
//!
//! Every step is worked out as values, before a byte is written: what it puts where, and what it sets. What a step needs
//! to know of a base image, an archive or an address is wanted by it, had, and all is worked out anew. Where a step needs
//! more than that, such as a program to run, BuildKit builds, and the reason is said.

use std::collections::BTreeMap;

use ecr_registry::{Blob, ImageConfig, Platform};
use serde_json::Value;

use super::{
    base::Base as Image,
    config::rfc3339,
    file_system::{FileSystem, Node},
    materials::Materials,
    steps::Work,
    want::{Named, Stop, Want},
};
use crate::{
    context::DockerfileContext,
    dockerfile::{
        Dockerfile, Instruction, Step, Variable,
        stages::{Base, Needed, Variables},
    },
    recipe::{DockerfileRecipe, Recipe},
};

/// An image worked out.
#[derive(Debug)]
pub(super) struct Worked {
    pub(super) config: ImageConfig,
    /// The base image's.
    pub(super) below: Vec<Blob>,
    /// What each layer writes, the lowest first.
    pub(super) layers: Vec<BTreeMap<String, Node>>,
}

/// What an image is worked out from.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) how: &'a DockerfileRecipe,
    pub(super) context: &'a DockerfileContext,
    pub(super) platform: &'a Platform,
    pub(super) materials: &'a Materials,
}

/// Why there is no image yet, and the line of the step that is to blame.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) stop: Stop,
    pub(super) step: Option<(u32, String)>,
}

impl From<Stop> for Box<Stopped> {
    fn from(stop: Stop) -> Self {
        Self::new(Stopped { stop, step: None })
    }
}

/// Works the image out.
pub(super) fn work_out(inputs: Inputs<'_>) -> Result<Worked, Box<Stopped>> {
    let Inputs { recipe, how, context, platform, .. } = inputs;
    let parsed = context.parsed.as_ref();
    let parsed = parsed.ok_or_else(|| Stop::Unclear("another frontend reads the Dockerfile".to_owned()))?;
    let unclear = |error: crate::dockerfile::DockerfileError| Stop::Unclear(error.to_string());
    let global = parsed.global(&how.args, platform, how.target.as_deref());
    let target = parsed.target(how.target.as_deref()).map_err(unclear)?;
    let needed = parsed.needed(target, &global).map_err(unclear)?;
    without_programs(&needed)?;
    let files = FileSystem::of_tree(&context.tree);
    let mut stages: BTreeMap<usize, Stage> = BTreeMap::new();
    for (place, one) in &needed {
        let mut stage = Stage::on(*place, one, parsed, &global, &stages, inputs)?;
        let inherited = stage.triggers(parsed, context)?;
        for step in inherited.iter().chain(&one.steps) {
            let work = Work { parsed, inputs, global: &global, context: &files, stages: &stages, step };
            work.apply(&mut stage)
                .map_err(|stop| Box::new(Stopped { stop, step: Some((step.lines.0, step.text.clone())) }))?;
        }
        stages.insert(*place, stage);
    }
    let mut built =
        stages.remove(&target).ok_or_else(|| Stop::Unclear("the target is not built".to_owned()))?;
    built.config.created = Some(rfc3339(recipe.source_date_epoch));
    built.config.config.labels.extend(recipe.labels.clone());
    Ok(Worked { config: built.config, below: built.below, layers: built.layers })
}

/// Nothing is looked up for a Dockerfile that BuildKit has to build.
fn without_programs(needed: &BTreeMap<usize, Needed>) -> Result<(), Stop> {
    let mut steps = needed.values().flat_map(|stage| &stage.steps);
    match steps.find(|step| matches!(step.instruction, Instruction::Run(_))) {
        Some(step) => Stop::unclear(format!("line {}: it runs a program", step.lines.0)),
        None => Ok(()),
    }
}

/// A stage in the making.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) config: ImageConfig,
    pub(super) variables: Variables,
    pub(super) files: FileSystem,
    pub(super) layers: Vec<BTreeMap<String, Node>>,
    below: Vec<Blob>,
    /// Whether this stage, and none below it, has a `CMD`.
    pub(super) has_cmd: bool,
}

/// What every image's programs are looked for in.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a base image's settings hand on, beside those that every image has.
const HANDED_ON: [&str; 6] = ["Healthcheck", "OnBuild", "Shell", "StopSignal", "Volumes", "ArgsEscaped"];

impl Stage {
    fn on(
        place: usize,
        needed: &Needed,
        parsed: &Dockerfile,
        global: &Variables,
        stages: &BTreeMap<usize, Self>,
        inputs: Inputs<'_>,
    ) -> Result<Self, Stop> {
        let platform = platform_of(place, parsed, global, inputs.platform)?;
        match &needed.base {
            Base::Scratch => {
                let mut config = Image::scratch(&platform).config;
                "/".clone_into(&mut config.config.working_dir);
                Ok(Self::of(config, Vec::new(), FileSystem::default()))
            }
            Base::Stage(base) => {
                let stage = stages.get(base).cloned();
                let mut stage = stage.ok_or_else(|| Stop::Unclear("a stage is missing".to_owned()))?;
                stage.has_cmd = false;
                // Its own steps have been taken over.
                stage.config.config.other.remove("OnBuild");
                Ok(stage)
            }
            Base::Image(name) => {
                let name = match inputs.how.base_digests.get(name) {
                    Some(digest) if !name.contains('@') => format!("{name}@{digest}"),
                    _ => name.clone(),
                };
                let named = Named { name, platform };
                let image = inputs.materials.image(&named);
                let image = image.ok_or_else(|| Stop::Wants(Want::Image(named.clone())))?.clone();
                let files = inputs.materials.files(&named).cloned();
                Ok(Self::of(image.config, image.layers, files.unwrap_or_else(|| FileSystem::on(named))))
            }
            Base::Unknown => Stop::unclear("what it is built on is not known"),
        }
    }

    fn of(mut config: ImageConfig, below: Vec<Blob>, files: FileSystem) -> Self {
        config.other.retain(|name, _| name == "author" || name.starts_with("os."));
        let run = &mut config.config;
        run.other.retain(|name, value| HANDED_ON.contains(&name.as_str()) && !value.is_null());
        if !run.env.iter().any(|line| line.starts_with("PATH=")) {
            run.env.push(format!("PATH={PATH}"));
        }
        let mut variables = Variables::new(Variable::Unset);
        for (name, value) in run.env.iter().filter_map(|line| line.split_once('=')) {
            variables.set(name, Variable::Set(value.to_owned()));
        }
        Self { config, variables, files, layers: Vec::new(), below, has_cmd: false }
    }

    /// Whether it has no files, not even those of a base image.
    pub(super) fn is_empty(&self) -> bool {
        self.below.is_empty() && self.layers.is_empty()
    }

    /// The steps that the base image has for whoever is built on it.
    fn triggers(&mut self, parsed: &Dockerfile, context: &DockerfileContext) -> Result<Vec<Step>, Stop> {
        let Some(Value::Array(triggers)) = self.config.config.other.remove("OnBuild") else {
            return Ok(Vec::new());
        };
        let mut steps = Vec::new();
        for trigger in triggers.iter().filter_map(Value::as_str) {
            let text = format!("# escape={}\nFROM scratch\n{trigger}\n", parsed.directives.escape);
            let read = Dockerfile::parse(&text).or_else(|error| Stop::unclear(error.to_string()))?;
            for step in read.stages.into_iter().flat_map(|stage| stage.steps) {
                let takes = match &step.instruction {
                    Instruction::Run(_) => return Stop::unclear("its base image runs a program by ONBUILD"),
                    Instruction::Copy(_) | Instruction::Add(_) => true,
                    _ => false,
                };
                if takes && (context.reach.paths.is_some() || context.reach.excludes()) {
                    return Stop::unclear("its base image copies by ONBUILD");
                }
                steps.push(step);
            }
        }
        Ok(steps)
    }
}

/// The platform of the image that a stage is built on.
fn platform_of(
    place: usize,
    parsed: &Dockerfile,
    global: &Variables,
    target: &Platform,
) -> Result<Platform, Stop> {
    let Some(text) = parsed.stages.get(place).and_then(|stage| stage.platform.as_ref()) else {
        return Ok(target.clone());
    };
    let text = parsed.expand(text, global).or_else(|error| Stop::unclear(error.to_string()))?;
    text.parse().or_else(|_| Stop::unclear(format!("`{text}` is an odd platform")))
}

#[cfg(test)]
mod tests;
