//! Dockerfiles without a daemon: stages on `scratch` whose steps run nothing.
//!
//! Every step is worked out as values, before a byte is written: what it puts where, and what it sets. Where a step
//! needs more than that, such as a program to run or a file to fetch, BuildKit builds, and the reason is said.

use std::collections::BTreeMap;

use ecr_registry::{ImageConfig, Platform, content::History};

use super::{
    base::Base as Image,
    config::rfc3339,
    file_system::{Copying, FileSystem, Node, Owner, Unclear},
    settings,
};
use crate::{
    context::DockerfileContext,
    dockerfile::{
        Argument, Dockerfile, Instruction, Lex, Pair, Step, Transfer, Variable,
        stages::{Base, Needed, Variables},
    },
    ignore::Rules,
    recipe::{DockerfileRecipe, Recipe},
    selection::clean,
};

/// An image worked out.
#[derive(Debug)]
pub(super) struct Worked {
    pub(super) config: ImageConfig,
    /// What each layer writes, the lowest first.
    pub(super) layers: Vec<BTreeMap<String, Node>>,
}

/// Works the image out.
pub(super) fn work_out(
    recipe: &Recipe,
    how: &DockerfileRecipe,
    context: &DockerfileContext,
    platform: &Platform,
) -> Result<Worked, Unclear> {
    let parsed =
        context.parsed.as_ref().ok_or_else(|| Unclear("another frontend reads the Dockerfile".to_owned()))?;
    let unclear = |error: crate::dockerfile::DockerfileError| Unclear(error.to_string());
    let global = parsed.global(&how.args, platform, how.target.as_deref());
    let target = parsed.target(how.target.as_deref()).map_err(unclear)?;
    let needed = parsed.needed(target, &global).map_err(unclear)?;
    let files = FileSystem::of_tree(&context.tree);
    let mut stages: BTreeMap<usize, Stage> = BTreeMap::new();
    for (place, one) in &needed {
        let mut stage = Stage::on(one, platform, &stages)?;
        for step in &one.steps {
            let work = Work { parsed, how, global: &global, context: &files, stages: &stages, step };
            let created = Some(rfc3339(recipe.source_date_epoch));
            work.apply(&mut stage, created)?;
        }
        stages.insert(*place, stage);
    }
    let mut built = stages.remove(&target).ok_or_else(|| Unclear("the target is not built".to_owned()))?;
    built.config.created = Some(rfc3339(recipe.source_date_epoch));
    built.config.config.labels.extend(recipe.labels.clone());
    Ok(Worked { config: built.config, layers: built.layers })
}

/// A stage in the making.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) config: ImageConfig,
    pub(super) variables: Variables,
    files: FileSystem,
    layers: Vec<BTreeMap<String, Node>>,
    /// Whether this stage, and none below it, has a `CMD`.
    pub(super) has_cmd: bool,
}

/// What every image's programs are looked for in.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Stage {
    fn on(needed: &Needed, platform: &Platform, stages: &BTreeMap<usize, Self>) -> Result<Self, Unclear> {
        match &needed.base {
            Base::Scratch => {
                let mut config = Image::scratch(platform).config;
                config.config.env = vec![format!("PATH={PATH}")];
                "/".clone_into(&mut config.config.working_dir);
                let mut variables = Variables::new(Variable::Unset);
                variables.set("PATH", Variable::Set(PATH.to_owned()));
                Ok(Self {
                    config,
                    variables,
                    files: FileSystem::default(),
                    layers: Vec::new(),
                    has_cmd: false,
                })
            }
            Base::Stage(base) => {
                let mut stage =
                    stages.get(base).cloned().ok_or_else(|| Unclear("a stage is missing".to_owned()))?;
                stage.has_cmd = false;
                // Its own steps have been taken over.
                stage.config.config.other.remove("OnBuild");
                Ok(stage)
            }
            Base::Image(name) => Err(Unclear(format!("it is built on `{name}`"))),
            Base::Unknown => Err(Unclear("what it is built on is not known".to_owned())),
        }
    }
}

/// One step of a stage.
struct Work<'a> {
    parsed: &'a Dockerfile,
    how: &'a DockerfileRecipe,
    global: &'a Variables,
    context: &'a FileSystem,
    stages: &'a BTreeMap<usize, Stage>,
    step: &'a Step,
}

impl Work<'_> {
    fn apply(&self, stage: &mut Stage, created: Option<String>) -> Result<(), Unclear> {
        match &self.step.instruction {
            Instruction::Run(_) => return self.unclear("it runs a program"),
            Instruction::Arg(arguments) => self.arguments(arguments, stage),
            Instruction::Env(pairs) => self.environment(pairs, stage)?,
            Instruction::Copy(copy) if copy.parents => return self.unclear("--parents"),
            Instruction::Copy(copy) => {
                let from = self.source(copy.from.as_deref())?;
                self.transfer(&copy.transfer, from, stage)?;
            }
            Instruction::Add(add) => {
                let is_plain =
                    add.checksum.is_none() && add.keep_git_dir.is_none() && add.unpack == Some(false);
                let remote = |source: &String| source.contains("://") || source.starts_with("git@");
                if !is_plain || add.transfer.sources.iter().any(remote) {
                    return self.unclear("ADD may fetch and unpack");
                }
                self.transfer(&add.transfer, self.context, stage)?;
            }
            Instruction::Workdir(path) => {
                let path = self.expand(path, &stage.variables)?;
                let cleaned = below_workdir(&path, stage);
                let owner = self.owner(Some(&stage.config.config.user).filter(|user| !user.is_empty()))?;
                stage.files.make_folder(&cleaned, 0o755, owner.unwrap_or_default())?;
                stage.config.config.working_dir = format!("/{cleaned}");
            }
            other => {
                let expand = |text: &str| self.parsed.expand(text, &stage.variables);
                let words = |text: &str| {
                    let lookup = |name: &str| stage.variables.get(name);
                    Lex::new(self.parsed.directives.escape, &lookup).words(text)
                };
                settings::apply(other, &mut stage.config, &mut stage.has_cmd, &expand, &words)
                    .map_err(|why| Unclear(format!("line {}: {why}", self.step.lines.0)))?;
            }
        }
        let written = stage.files.take_written();
        stage.config.history.push(History {
            created,
            created_by: Some(self.step.text.clone()),
            empty_layer: written.is_empty(),
            ..History::default()
        });
        stage.layers.extend((!written.is_empty()).then_some(written));
        Ok(())
    }

    fn unclear<T>(&self, why: &str) -> Result<T, Unclear> {
        Err(Unclear(format!("line {}: {why}", self.step.lines.0)))
    }

    fn expand(&self, text: &str, variables: &Variables) -> Result<String, Unclear> {
        self.parsed.expand(text, variables).or_else(|error| self.unclear(&error.to_string()))
    }

    fn arguments(&self, arguments: &[Argument], stage: &mut Stage) {
        for argument in arguments {
            let value = match (self.how.args.get(&argument.name), &argument.default) {
                (Some(value), _) => Variable::Set(value.clone()),
                (None, Some(default)) => self.parsed.value(default, &stage.variables),
                (None, None) => self.global.get(&argument.name),
            };
            stage.variables.set(&argument.name, value);
        }
    }

    fn environment(&self, pairs: &[Pair], stage: &mut Stage) -> Result<(), Unclear> {
        let before = stage.variables.clone();
        for pair in pairs {
            let (name, value) = (self.expand(&pair.name, &before)?, self.expand(&pair.value, &before)?);
            let line = format!("{name}={value}");
            let env = &mut stage.config.config.env;
            match env.iter_mut().find(|line| line.split('=').next() == Some(&name)) {
                Some(old) => *old = line,
                None => env.push(line),
            }
            stage.variables.set(&name, Variable::Set(value));
        }
        Ok(())
    }

    fn source(&self, from: Option<&str>) -> Result<&FileSystem, Unclear> {
        let Some(from) = from else { return Ok(self.context) };
        let stage = self.parsed.stage_of(from).and_then(|place| self.stages.get(&place));
        stage.map_or_else(|| self.unclear(&format!("it copies from `{from}`")), |stage| Ok(&stage.files))
    }

    fn transfer(&self, transfer: &Transfer, from: &FileSystem, stage: &mut Stage) -> Result<(), Unclear> {
        let expanded =
            |text: &Option<String>| text.as_ref().map(|text| self.expand(text, &stage.variables)).transpose();
        let copying = Copying {
            owner: self.owner(expanded(&transfer.chown)?.as_ref())?,
            mode: self.mode(expanded(&transfer.chmod)?)?,
            exclude: Rules::new(&transfer.exclude).or_else(|error| self.unclear(&error.to_string()))?,
        };
        if transfer.exclude.iter().any(|pattern| pattern.trim_start().starts_with('!')) {
            return self.unclear("--exclude that brings back");
        }
        let to = self.destination(&transfer.destination, stage)?;
        if transfer.link
            && stage.files.paths().any(|path| stage.files.resolve(path).ok().as_deref() != Some(path))
        {
            return self.unclear("--link onto symbolic links");
        }
        for source in &transfer.sources {
            let source = self.expand(source, &stage.variables)?;
            if source.contains(['*', '?', '[', '\\']) {
                return self.unclear("it copies by a pattern");
            }
            stage.files.copy(from, &source, &to, &copying)?;
        }
        for document in &transfer.inline {
            let lookup = |name: &str| stage.variables.get(name);
            let text = document.text();
            let text = if document.expand { Lex::of_content(&lookup).word(&text) } else { Ok(text) };
            let text = text.or_else(|error| self.unclear(&error.to_string()))?;
            stage.files.copy(&FileSystem::of_text(&document.name, text), &document.name, &to, &copying)?;
        }
        Ok(())
    }

    /// An absolute path, which ends with `/` if a folder is meant.
    fn destination(&self, text: &str, stage: &Stage) -> Result<String, Unclear> {
        let text = self.expand(text, &stage.variables)?;
        let is_folder = text.is_empty() || text == "." || text.ends_with('/') || text.ends_with("/.");
        let end = if is_folder { "/" } else { "" };
        Ok(match below_workdir(&text, stage).as_str() {
            "" => "/".to_owned(),
            path => format!("/{path}{end}"),
        })
    }

    /// Names would have to be looked up, in a file that is not there.
    fn owner(&self, text: Option<&String>) -> Result<Option<Owner>, Unclear> {
        let Some(text) = text else { return Ok(None) };
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        match (user.parse::<u32>(), group.parse::<u32>()) {
            (Ok(uid), Ok(gid)) => Ok(Some(Owner { uid: uid.into(), gid: gid.into() })),
            _ => self.unclear("an owner by name"),
        }
    }

    fn mode(&self, text: Option<String>) -> Result<Option<u32>, Unclear> {
        let Some(text) = text else { return Ok(None) };
        match u32::from_str_radix(&text, 8) {
            Ok(mode) if mode <= 0o777 && !text.starts_with('+') => Ok(Some(mode)),
            _ => self.unclear("permissions beyond three octal digits"),
        }
    }
}

/// A path relative to the root, from the folder that the stage works in.
fn below_workdir(path: &str, stage: &Stage) -> String {
    let folder = if path.starts_with('/') { "" } else { stage.config.config.working_dir.as_str() };
    let cleaned = clean(&format!("{folder}/{path}"));
    if cleaned == "." { String::new() } else { cleaned }
}

#[cfg(test)]
mod tests;
