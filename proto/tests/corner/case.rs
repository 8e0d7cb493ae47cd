//! Cases as data: HCL with comments that say what must come of it.
//!
//! - `#= name` begins a case, `#+` its next step, `#? feature` names what a CLI must be able to do for it.
//! - `#> ADDRESS: ACTION` is what the plan does with a resource.
//! - `#> PATH = JSON` is a value of the state or an output afterwards, numbers exactly as text;
//!   `#> plan PATH = JSON` one of the plan, where `(unknown)` may stand for any part;
//!   `#> type output.NAME = JSON` an output's type; `#> identity ADDRESS = JSON` an identity.
//! - `#> PHASE fails: REGEX` says that a step cannot be done. Nothing is changed then, unless it is `apply`.
//! - `#> warns: REGEX` is a warning of the plan, `#> journal COUNT LINE` what the provider wrote down, with
//!   `COUNT+` for "at least".
//! - `#> query ADDRESS = JSON` are the identities that a search finds.

use std::{fs, path::Path, str::FromStr};

use regex::Regex;
use serde_json::Value as Json;
use tfplugin_rs::testing::cli::{Cli, Feature, Flavour};

/// What a CLI must be able to do for a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// What some version brought.
    Version(Feature),
    /// What OpenTofu does not do, though it does what it belongs to.
    Terraform,
    /// What no released version does.
    Experiment,
}

/// One thing to try, in one or more steps.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) needs: Vec<Need>,
    pub(crate) steps: Vec<Step>,
}

/// A configuration and what comes of it.
#[derive(Default)]
pub(crate) struct Step {
    pub(crate) config: String,
    pub(crate) expectations: Vec<Expectation>,
}

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Validate,
    Plan,
    Apply,
    Query,
}

/// One line of what must come of a step.
pub(crate) enum Expectation {
    Action { address: String, action: String },
    Value { path: String, value: Json },
    Planned { path: String, value: Json },
    OutputType { name: String, kind: Json },
    Identity { address: String, identity: Json },
    Found { address: String, identities: Json },
    Fails { phase: Phase, with: Regex },
    Warns(Regex),
    Journal { line: String, least: usize, most: usize },
}

impl Case {
    /// All cases of a folder, in the order of its files.
    pub(crate) fn all(folder: &Path) -> Vec<Self> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.filter(|file| file.extension().is_some_and(|end| end == "hcl")).collect();
        files.sort();
        files.iter().flat_map(|file| read(&fs::read_to_string(file).unwrap())).collect()
    }

    /// Whether a CLI can do it.
    pub(crate) fn runs_on(&self, cli: &Cli) -> bool {
        self.needs.iter().all(|need| match need {
            Need::Version(feature) => cli.has(*feature),
            Need::Terraform => cli.flavour() == Flavour::Terraform,
            Need::Experiment => false,
        })
    }

    /// The configuration in force after a round, counted from 0: that of the last step that could be done.
    /// None when all steps are over, for then it is to be destroyed.
    pub(crate) fn config(&self, round: usize) -> Option<&str> {
        if round >= self.steps.len() {
            return None;
        }
        let done = self.steps.iter().take(round + 1).rev().find(|step| step.failure().is_none());
        done.map(|step| step.config.as_str())
    }
}

impl Step {
    /// When it fails, if it does.
    pub(crate) fn failure(&self) -> Option<Phase> {
        self.expectations.iter().find_map(|expectation| match expectation {
            Expectation::Fails { phase, .. } => Some(*phase),
            Expectation::Found { .. } => Some(Phase::Query),
            _ => None,
        })
    }
}

impl Expectation {
    /// Whether this is the error that is expected.
    pub(crate) fn names(&self, error: &str) -> bool {
        matches!(self, Self::Fails { with, .. } if with.is_match(error))
    }
}

fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        let (mark, rest) = line.split_at_checked(2).unwrap_or(("", line));
        let rest = rest.trim();
        if mark == "#=" {
            cases.push(Case { name: rest.to_owned(), needs: Vec::new(), steps: vec![Step::default()] });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        let step = case.steps.last_mut().expect("there is a first step");
        match mark {
            "#+" => case.steps.push(Step::default()),
            "#?" => case.needs.push(rest.parse().unwrap()),
            "#>" => step.expectations.push(rest.parse().unwrap_or_else(|error| panic!("`{line}`: {error}"))),
            _ => step.config.extend([line, "\n"]),
        }
    }
    cases
}

impl FromStr for Need {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self::Version(match text {
            "actions" => Feature::Actions,
            "ephemeral" => Feature::Ephemeral,
            "functions" => Feature::Functions,
            "identity" => Feature::Identity,
            "list" => Feature::ListResources,
            "move" => Feature::MoveBetweenTypes,
            "write-only" => Feature::WriteOnly,
            "terraform" => return Ok(Self::Terraform),
            "experiment" => return Ok(Self::Experiment),
            _ => return Err(format!("no feature is called `{text}`")),
        }))
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((head, pattern)) = text.split_once("fails: ") {
            let (phase, with) = (phase(head.trim())?, regex(pattern)?);
            return Ok(Self::Fails { phase, with });
        }
        if let Some(pattern) = text.strip_prefix("warns: ") {
            return regex(pattern).map(Self::Warns);
        }
        if let Some(rest) = text.strip_prefix("journal ") {
            return journal(rest).ok_or_else(|| "a count and a line are wanted".to_owned());
        }
        if let Some((path, value)) = text.split_once(" = ") {
            return equation(path, json(value)?);
        }
        let (address, action) = text.rsplit_once(": ").ok_or("no expectation looks like this")?;
        Ok(Self::Action { address: address.to_owned(), action: action.to_owned() })
    }
}

fn equation(left: &str, value: Json) -> Result<Expectation, String> {
    let (kind, path) = left.split_once(' ').unwrap_or(("", left));
    let path = path.to_owned();
    Ok(match kind {
        "" => Expectation::Value { path, value },
        "plan" => Expectation::Planned { path, value },
        "identity" => Expectation::Identity { address: path, identity: value },
        "query" => Expectation::Found { address: path, identities: value },
        "type" => {
            let name = path.strip_prefix("output.").ok_or("only outputs have types")?;
            Expectation::OutputType { name: name.to_owned(), kind: value }
        }
        _ => return Err(format!("nothing can be said about `{kind}`")),
    })
}

fn phase(text: &str) -> Result<Phase, String> {
    Ok(match text {
        "validate" => Phase::Validate,
        "plan" => Phase::Plan,
        "apply" => Phase::Apply,
        "query" => Phase::Query,
        _ => return Err(format!("no phase is called `{text}`")),
    })
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| error.to_string())
}

fn json(text: &str) -> Result<Json, String> {
    serde_json::from_str(&text.replace("(unknown)", "\"(unknown)\"")).map_err(|error| error.to_string())
}

fn journal(text: &str) -> Option<Expectation> {
    let (count, line) = text.split_once(' ')?;
    let (least, most) = match count.strip_suffix('+') {
        Some(least) => (least.parse().ok()?, usize::MAX),
        None => (count.parse().ok()?, count.parse().ok()?),
    };
    Some(Expectation::Journal { line: line.to_owned(), least, most })
}
