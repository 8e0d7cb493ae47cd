//! What a build of a Dockerfile can see: the paths of the context that the stages it needs take, and the build
//! arguments they know.
//!
//! Where that depends on what only the builder will know, such as a variable of a base image, everything is seen:
//! a rebuild too many is better than one too few.

use std::collections::{BTreeMap, BTreeSet};

use ecr_registry::Platform;

use super::{
    Dockerfile, ExpansionError, Instruction, Lex, Variable,
    error::DockerfileError,
    instruction::{Argument, Pair, Run, Transfer},
    mount,
    stages::{Base, Needed, Variables, at},
};
use crate::selection::clean;

/// What a Dockerfile is built with, as far as it decides what the build sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) target: Option<&'a str>,
    pub(crate) args: &'a BTreeMap<String, String>,
    pub(crate) platforms: &'a [Platform],
}

/// What a build sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Paths and patterns in the context, relative to it; `None` for all of it.
    pub(crate) paths: Option<BTreeSet<String>>,
    /// The arguments that count; `None` for all of them.
    pub(crate) args: Option<BTreeSet<String>>,
    /// BuildKit asks for the whole context although no step reads it.
    pub(crate) asks_for_all: bool,
    /// What each step takes of the context; `None` where that cannot be told.
    pub(crate) takings: Option<BTreeSet<Taking>>,
}

/// A path of the context that a step takes, `.` for all of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Taking {
    pub(crate) path: String,
    /// What of a folder is left out, relative to it.
    pub(crate) exclude: Vec<String>,
}

impl Reach {
    /// Everything.
    pub(crate) fn all() -> Self {
        Self { paths: None, args: None, asks_for_all: true, takings: None }
    }

    fn nothing() -> Self {
        let takings = Some(BTreeSet::new());
        Self { paths: Some(BTreeSet::new()), args: Some(BTreeSet::new()), asks_for_all: false, takings }
    }

    /// Whether a step leaves something out of what it takes.
    pub(crate) fn excludes(&self) -> bool {
        self.takings.iter().flatten().any(|taking| !taking.exclude.is_empty())
    }

    /// Whether the path is copied by its name, or something in it is.
    pub(crate) fn names(&self, path: &str) -> bool {
        let is_below = |named: &String| {
            named.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.paths.iter().flatten().any(is_below)
    }

    /// Whether this argument of a build counts. Some do without being declared.
    pub(crate) fn takes(&self, argument: &str) -> bool {
        let always = argument.starts_with("BUILDKIT_") || argument == "SOURCE_DATE_EPOCH";
        always || self.args.as_ref().is_none_or(|args| args.contains(argument))
    }
}

impl Dockerfile {
    /// What a build sees.
    ///
    /// # Errors
    /// When there is no such target, or a stage that is needed does not exist.
    pub(crate) fn reach(&self, inputs: Inputs<'_>) -> Result<Reach, DockerfileError> {
        let mut reach = Reach::nothing();
        let target = self.target(inputs.target)?;
        for argument in &self.arguments {
            reach.args.get_or_insert_default().insert(argument.name.clone());
        }
        for platform in inputs.platforms {
            let global = self.global(inputs.args, platform, inputs.target);
            let needed = self.needed(target, &global)?;
            let walk = Walk { dockerfile: self, inputs, global: &global, reach: &mut reach };
            walk.stages(&needed)?;
        }
        Ok(reach)
    }
}

/// Goes through the stages for one platform.
struct Walk<'a> {
    dockerfile: &'a Dockerfile,
    inputs: Inputs<'a>,
    global: &'a Variables,
    reach: &'a mut Reach,
}

impl Walk<'_> {
    fn stages(mut self, needed: &BTreeMap<usize, Needed>) -> Result<(), DockerfileError> {
        let mut ends: BTreeMap<usize, Variables> = BTreeMap::new();
        for (place, stage) in needed {
            let mut variables = match &stage.base {
                Base::Stage(base) => {
                    ends.get(base).cloned().unwrap_or_else(|| Variables::new(Variable::Unknown))
                }
                Base::Scratch => Variables::new(Variable::Unset),
                Base::Image(name) => {
                    // By the convention of all images that have steps for who builds on them.
                    if name.contains("onbuild") {
                        *self.reach = Reach::all();
                    }
                    Variables::new(Variable::Unknown)
                }
                Base::Unknown => {
                    *self.reach = Reach::all();
                    Variables::new(Variable::Unknown)
                }
            };
            for step in &stage.steps {
                self.step(&step.instruction, &mut variables, step.lines.0)?;
            }
            ends.insert(*place, variables);
        }
        Ok(())
    }

    fn step(
        &mut self,
        instruction: &Instruction,
        variables: &mut Variables,
        line: u32,
    ) -> Result<(), DockerfileError> {
        match instruction {
            Instruction::Arg(arguments) => {
                for argument in arguments {
                    self.argument(argument, variables);
                }
            }
            Instruction::Env(pairs) => self.environment(pairs, variables),
            Instruction::Copy(copy) if copy.from.is_none() => {
                return self.paths(&copy.transfer, copy.parents, variables, line);
            }
            Instruction::Add(add) => return self.paths(&add.transfer, false, variables, line),
            Instruction::Run(run) => return self.mounts(run, variables, line),
            _ => {}
        }
        Ok(())
    }

    fn argument(&mut self, argument: &Argument, variables: &mut Variables) {
        if let Some(args) = &mut self.reach.args {
            args.insert(argument.name.clone());
        }
        let value = match (self.inputs.args.get(&argument.name), &argument.default) {
            (Some(value), _) => Variable::Set(value.clone()),
            (None, Some(default)) => self.dockerfile.value(default, variables),
            (None, None) => self.global.get(&argument.name),
        };
        variables.set(&argument.name, value);
    }

    fn environment(&self, pairs: &[Pair], variables: &mut Variables) {
        let before = variables.clone();
        for pair in pairs {
            match self.dockerfile.value(&pair.name, &before) {
                Variable::Set(name) => variables.set(&name, self.dockerfile.value(&pair.value, &before)),
                _ => *variables = Variables::new(Variable::Unknown),
            }
        }
    }

    fn paths(
        &mut self,
        transfer: &Transfer,
        parents: bool,
        variables: &Variables,
        line: u32,
    ) -> Result<(), DockerfileError> {
        let exclude = transfer.exclude.iter().map(|pattern| self.dockerfile.expand(pattern, variables));
        // With the folders that lead to it, patterns are relative to another folder.
        let exclude = exclude.collect::<Result<Vec<_>, _>>().ok().filter(|_| !parents).unwrap_or_default();
        for source in &transfer.sources {
            match self.dockerfile.expand(source, variables) {
                Ok(url) if url.starts_with("http://") || url.starts_with("https://") => {}
                Ok(path) => self.path(&path, &exclude),
                Err(ExpansionError::Unknown(_)) => self.anything(),
                Err(error) => return Err(at(line, error.into())),
            }
        }
        Ok(())
    }

    fn path(&mut self, path: &str, exclude: &[String]) {
        let path = clean(path);
        if let Some(takings) = &mut self.reach.takings {
            takings.insert(Taking { path: path.clone(), exclude: exclude.to_vec() });
        }
        match (path.as_str(), &mut self.reach.paths) {
            (".", paths) => *paths = None,
            (_, Some(paths)) => drop(paths.insert(path)),
            (_, None) => {}
        }
    }

    fn anything(&mut self) {
        self.reach.paths = None;
        self.reach.takings = None;
    }

    fn mounts(&mut self, run: &Run, variables: &Variables, line: u32) -> Result<(), DockerfileError> {
        for text in &run.mounts {
            let lookup = |name: &str| variables.get(name);
            let lex = Lex::new(self.dockerfile.directives.escape, &lookup);
            match mount::read(text, |value| lex.word(value)) {
                Ok(mount) => match (mount.kind.as_str(), mount.from) {
                    ("secret" | "ssh", _) | ("cache", None) | (_, Some(_)) => {}
                    ("tmpfs", None) => self.reach.asks_for_all = true,
                    (_, None) => self.path(&mount.source, &[]),
                },
                Err(super::Problem::Expansion(ExpansionError::Unknown(_))) => self.anything(),
                Err(problem) => return Err(at(line, problem)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
