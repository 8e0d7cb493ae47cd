//! Which stages a build needs, and what each is built on.

use std::collections::BTreeMap;

use ecr_registry::Platform;

use super::{
    Dockerfile, Instruction, Lex, Stage, Step, Variable,
    error::{DockerfileError, Problem},
    mount,
    near::nearest,
};

/// What a stage is built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    Scratch,
    /// An earlier stage, by its place.
    Stage(usize),
    /// An image, by its name.
    Image(String),
    /// Something that only the builder can tell.
    Unknown,
}

/// A stage that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) base: Base,
    /// Its own steps, after those its base stage has for it by `ONBUILD`.
    pub(crate) steps: Vec<Step>,
}

/// Variables and their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variables {
    known: BTreeMap<String, Variable>,
    /// What all others are.
    others: Variable,
}

impl Variables {
    pub(crate) fn new(others: Variable) -> Self {
        Self { known: BTreeMap::new(), others }
    }

    pub(crate) fn get(&self, name: &str) -> Variable {
        self.known.get(name).unwrap_or(&self.others).clone()
    }

    /// Gives a variable a value; being unset is none.
    pub(crate) fn set(&mut self, name: &str, value: Variable) {
        if value != Variable::Unset {
            self.known.insert(name.to_owned(), value);
        }
    }
}

/// What the builder has values for, by platform.
const OF_PLATFORMS: [&str; 10] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
];

fn of_platform(name: &str, platform: &Platform) -> Variable {
    match name {
        "TARGETPLATFORM" => Variable::Set(platform.to_string()),
        "TARGETOS" => Variable::Set(platform.os.clone()),
        "TARGETARCH" => Variable::Set(platform.architecture.clone()),
        "TARGETVARIANT" => Variable::Set(platform.variant.clone().unwrap_or_default()),
        "TARGETOSVERSION" => Variable::Set(String::new()),
        // Those of the builder, which a plan does not ask.
        _ => Variable::Unknown,
    }
}

impl Dockerfile {
    /// The stage to build: the last one when no other is named.
    pub(crate) fn target(&self, target: Option<&str>) -> Result<usize, DockerfileError> {
        let Some(target) = target else { return Ok(self.stages.len() - 1) };
        let wanted = target.to_lowercase();
        self.place(&wanted).ok_or_else(|| self.no_stage(target, self.stages[0].lines.0))
    }

    /// The last stage of this name.
    fn place(&self, lower: &str) -> Option<usize> {
        self.stages.iter().rposition(|stage| stage.name.as_deref() == Some(lower))
    }

    /// The stage that `COPY --from` names, by its number or its name.
    pub(crate) fn stage_of(&self, from: &str) -> Option<usize> {
        from.parse().ok().or_else(|| self.place(&from.to_lowercase()))
    }

    fn no_stage(&self, stage: &str, line: u32) -> DockerfileError {
        let near = nearest(stage, self.stage_names()).map(str::to_owned);
        DockerfileError { line, column: 1, problem: Problem::NoStage { stage: stage.to_owned(), near } }
    }

    /// The variables before the first stage.
    pub(crate) fn global(
        &self,
        args: &BTreeMap<String, String>,
        platform: &Platform,
        target: Option<&str>,
    ) -> Variables {
        let mut global = Variables::new(Variable::Unset);
        let given = |name: &str| args.get(name).cloned().map(Variable::Set);
        for name in OF_PLATFORMS {
            global.set(name, given(name).unwrap_or_else(|| of_platform(name, platform)));
        }
        let last = || self.stages.last().and_then(|stage| stage.name.as_deref());
        let stage = target.or_else(last).unwrap_or("default");
        global.set("TARGETSTAGE", given("TARGETSTAGE").unwrap_or_else(|| Variable::Set(stage.to_owned())));
        for argument in &self.arguments {
            let default = || argument.default.as_ref().map(|default| self.value(default, &global));
            let value = given(&argument.name).or_else(default).unwrap_or(Variable::Unset);
            global.set(&argument.name, value);
        }
        global
    }

    /// The text with its variables' values.
    pub(crate) fn expand(&self, text: &str, variables: &Variables) -> Result<String, super::ExpansionError> {
        Lex::new(self.directives.escape, &|name| variables.get(name)).word(text)
    }

    /// The same as a value, which may not be known.
    pub(crate) fn value(&self, text: &str, variables: &Variables) -> Variable {
        self.expand(text, variables).map_or(Variable::Unknown, Variable::Set)
    }

    /// The stages that `target` needs, itself among them, by their places. What a stage needs comes before it.
    pub(crate) fn needed(
        &self,
        target: usize,
        global: &Variables,
    ) -> Result<BTreeMap<usize, Needed>, DockerfileError> {
        let mut needed = BTreeMap::new();
        let mut open = vec![target];
        while let Some(place) = open.pop() {
            if needed.contains_key(&place) {
                continue;
            }
            let stage = &self.stages[place];
            let base = self.base(place, stage, global)?;
            let mut steps = Vec::new();
            if let Base::Stage(base) = base {
                open.push(base);
                for step in &self.stages[base].steps {
                    steps.extend(self.trigger(step, stage)?);
                }
            }
            steps.extend(stage.steps.iter().cloned());
            for step in &steps {
                open.extend(self.sources(step, place)?);
            }
            needed.insert(place, Needed { base, steps });
        }
        Ok(needed)
    }

    fn base(&self, place: usize, stage: &Stage, global: &Variables) -> Result<Base, DockerfileError> {
        let base = match self.expand(&stage.base, global) {
            Ok(base) => base,
            Err(super::ExpansionError::Unknown(_)) => return Ok(Base::Unknown),
            Err(error) => return Err(at(stage.lines.0, error.into())),
        };
        let earlier = self.stages[..place].iter().rposition(|stage| stage.name.as_ref() == Some(&base));
        match earlier {
            Some(earlier) => Ok(Base::Stage(earlier)),
            None if base == "scratch" => Ok(Base::Scratch),
            None if base.is_empty() => {
                let what = "names no image once its variables have their values";
                Err(at(stage.lines.0, Problem::Instruction { instruction: "FROM", what }))
            }
            None => Ok(Base::Image(base)),
        }
    }

    /// The step that an `ONBUILD` is in the stage that is built on its own.
    fn trigger(&self, step: &Step, stage: &Stage) -> Result<Option<Step>, DockerfileError> {
        let Instruction::Onbuild(trigger) = &step.instruction else { return Ok(None) };
        let escape = self.directives.escape;
        let text = format!("# escape={escape}\nFROM scratch\n{}", trigger.expression);
        let read = Self::parse(&text).map_err(|error| at(step.lines.0, error.problem))?;
        let found = read.stages.into_iter().flat_map(|stage| stage.steps).next();
        Ok(found.map(|found| Step { lines: stage.lines, ..found }))
    }

    /// The stages that a step takes files from.
    fn sources(&self, step: &Step, place: usize) -> Result<Vec<usize>, DockerfileError> {
        let named: Vec<(String, Option<usize>)> = match &step.instruction {
            Instruction::Copy(copy) => {
                copy.from.iter().map(|from| (from.clone(), self.stage_of(from))).collect()
            }
            Instruction::Run(run) => {
                // What a mount is made of may hold variables; from where it is may not.
                let mounts = run.mounts.iter().map(|mount| mount::read(mount, |value| Ok(value.to_owned())));
                let names = mounts.filter_map(|mount| mount.ok()?.from);
                names.map(|from| (from.clone(), self.place(&from.to_lowercase()))).collect()
            }
            _ => Vec::new(),
        };
        let mut sources = Vec::new();
        for (name, found) in named {
            let Some(found) = found else { continue };
            if found >= self.stages.len() {
                return Err(self.no_stage(&name, step.lines.0));
            }
            if found >= place {
                return Err(at(step.lines.0, Problem::LaterStage(name)));
            }
            sources.push(found);
        }
        Ok(sources)
    }
}

pub(crate) fn at(line: u32, problem: Problem) -> DockerfileError {
    DockerfileError { line, column: 1, problem }
}
