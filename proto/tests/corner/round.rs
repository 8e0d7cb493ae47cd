//! All cases together, in one workspace, step by step: round 1 is the first step of every case.
//!
//! Each case is one file, so that whatever a CLI says about a line belongs to a case. What can be done is
//! planned and applied at once, and then planned again, with refresh and without: nothing may be left to do.
//! What cannot be done comes afterwards, one run for each phase.

use std::{collections::BTreeMap, fs};

use tfplugin_rs::testing::cli::{Cli, CliError, Does, Plan, Run, Workspace, provider_bugs};

use crate::{
    case::{Case, Expectation, Phase, Step},
    document::{Complaint, State, complaints, dig, found, split, with_unknowns},
};

const ADDRESS: &str = "example.com/tfplugin/corner";

/// Runs cases with a CLI, and gives what was not as expected.
pub(crate) fn run(cli: &Cli, cases: &[&Case]) -> Result<Vec<String>, CliError> {
    let mut workspace = prepare(cli)?;
    let mut problems = Vec::new();
    for number in 0..cases.iter().map(|case| case.steps.len()).max().unwrap_or_default() {
        workspace = workspace.env("CORNER_ROUND", (number + 1).to_string());
        let mut round = Round { workspace: &workspace, number, cases, problems: Vec::new() };
        let done = round.run();
        problems.append(&mut round.problems);
        done?;
    }
    workspace.destroy(&[])?;
    let state = shown(&workspace)?;
    if !state.file["resources"].as_array().is_some_and(Vec::is_empty) {
        problems.push(format!("resources are left after destroy: {}", state.file["resources"]));
    }
    Ok(problems)
}

fn prepare(cli: &Cli) -> Result<Workspace, CliError> {
    let workspace = Workspace::new(cli)?.overriding(ADDRESS, crate::provider())?;
    let journal = workspace.folder().join("journal");
    let required = format!("required_providers {{\n    corner = {{ source = \"{ADDRESS}\" }}\n  }}");
    workspace.write("main.tf", &format!("terraform {{\n  {required}\n}}\n"))?;
    Ok(workspace.env("CORNER_JOURNAL", journal).env("TF_VAR_corner_user", "Ford Prefect"))
}

fn shown(workspace: &Workspace) -> Result<State, CliError> {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let file = fs::read_to_string(workspace.folder().join("terraform.tfstate")).unwrap_or_default();
    Ok(State { shown: read(&workspace.run(&["show", "-json"])?.stdout), file: read(&file) })
}

/// One step of every case that still has one.
struct Round<'a> {
    workspace: &'a Workspace,
    number: usize,
    cases: &'a [&'a Case],
    problems: Vec<String>,
}

impl<'a> Round<'a> {
    fn run(&mut self) -> Result<(), CliError> {
        for case in self.cases {
            self.write(case, case.config(self.number))?;
        }
        self.write_journal();
        let plan = self.workspace.plan(&[])?;
        self.workspace.apply_plan(&plan)?;
        let state = shown(self.workspace)?;
        for (case, step) in self.steps(None) {
            self.check(case, step, &state, Some(&plan));
        }
        self.nothing_is_left(&["-refresh=false"])?;
        self.nothing_is_left(&[])?;
        self.everything_is_closed();
        for phase in [Phase::Validate, Phase::Plan, Phase::Query, Phase::Apply] {
            self.failing(phase)?;
        }
        Ok(())
    }

    /// The steps of this round that fail in a phase, or do not fail.
    fn steps(&self, failure: Option<Phase>) -> Vec<(&'a Case, &'a Step)> {
        let step = |case: &&'a Case| Some((*case, case.steps.get(self.number)?));
        self.cases.iter().filter_map(step).filter(|(_, step)| step.failure() == failure).collect()
    }

    fn write(&self, case: &Case, config: Option<&str>) -> Result<(), CliError> {
        self.workspace.write(&file(case), config.unwrap_or_default())
    }

    /// Plans once more: there must be nothing to do.
    fn nothing_is_left(&mut self, options: &[&str]) -> Result<(), CliError> {
        let command = ["plan", "-no-color", "-input=false", "-detailed-exitcode"];
        let run = self.command(&[&command, options].concat())?;
        if run.code != Some(0) {
            self.problems.push(format!("round {}: something is left to do: {run}", self.number + 1));
        }
        Ok(())
    }

    /// Runs a command that may fail, but not for a fault of the provider.
    fn command(&mut self, arguments: &[&str]) -> Result<Run, CliError> {
        let run = self.workspace.run(arguments)?;
        let bugs = provider_bugs(&run.output());
        if !bugs.is_empty() {
            self.problems.push(format!("the provider is called faulty ({}): {run}", bugs.join("; ")));
        }
        Ok(run)
    }

    /// Runs all steps of this round that fail in a phase.
    fn failing(&mut self, phase: Phase) -> Result<(), CliError> {
        let steps = self.steps(Some(phase));
        if steps.is_empty() {
            return Ok(());
        }
        for (case, step) in &steps {
            self.write(case, Some(&step.config))?;
        }
        let run = self.command(match phase {
            Phase::Validate => &["validate", "-json"],
            Phase::Plan => &["plan", "-json", "-input=false"],
            Phase::Query => &["query", "-json"],
            Phase::Apply => &["apply", "-json", "-input=false", "-auto-approve"],
        })?;
        let state = shown(self.workspace)?;
        let mut errors = complaints(&run.stdout);
        errors.retain(|complaint| complaint.is_error);
        for (case, step) in &steps {
            self.check(case, step, &state, None);
            self.check_found(case, step, &run.stdout);
            self.check_errors(case, step, &mut errors);
            self.write(case, case.config(self.number))?;
        }
        self.problems.extend(errors.iter().map(|error| format!("{phase:?}: {} {}", error.file, error.text)));
        Ok(())
    }

    /// Each expected error is there. Takes all errors of the case away.
    fn check_errors(&mut self, case: &Case, step: &Step, errors: &mut Vec<Complaint>) {
        for expectation in &step.expectations {
            let Expectation::Fails { with, .. } = expectation else { continue };
            let fits = |error: &&Complaint| error.file.is_empty() || error.file == file(case);
            if !errors.iter().filter(fits).any(|error| with.is_match(&error.text)) {
                self.problems.push(format!("{}, step {}: no error `{with}`", case.name, self.number + 1));
            }
        }
        let named = |error: &Complaint| step.expectations.iter().any(|one| one.names(&error.text));
        errors.retain(|error| error.file != file(case) && !(error.file.is_empty() && named(error)));
    }

    fn check_found(&mut self, case: &Case, step: &Step, output: &str) {
        for expectation in &step.expectations {
            if let Expectation::Found { address, identities } = expectation
                && let Err(problem) = equal(address, identities, &found(output, address))
            {
                self.problems.push(format!("{}: {problem}", case.name));
            }
        }
    }

    fn check(&mut self, case: &Case, step: &Step, state: &State, plan: Option<&Plan>) {
        for expectation in &step.expectations {
            if let Err(problem) = self.judge(expectation, state, plan) {
                self.problems.push(format!("{}, step {}: {problem}", case.name, self.number + 1));
            }
        }
    }

    fn judge(&self, expectation: &Expectation, state: &State, plan: Option<&Plan>) -> Result<(), String> {
        match (expectation, plan) {
            (Expectation::Action { address, action }, Some(plan)) => {
                let found = plan.change(address).map(|change| name(change.does, change.imports));
                equal(address, action, found.unwrap_or("not in the plan"))
            }
            (Expectation::Planned { path, value }, Some(plan)) => {
                let (address, rest) = split(path).ok_or("this is no path")?;
                let change = plan.change(address).ok_or_else(|| format!("{address} is not in the plan"))?;
                let planned = with_unknowns(&change.after, &change.after_unknown);
                equal(path, value, dig(&planned, rest).ok_or_else(|| format!("no {path} in {planned}"))?)
            }
            (Expectation::Warns(text), Some(plan)) => {
                let output = plan.run.output();
                if text.is_match(&output) { Ok(()) } else { Err(format!("no warning `{text}` in {output}")) }
            }
            (Expectation::Value { path, value }, _) => {
                equal(path, value, state.value(path).ok_or_else(|| format!("no {path} in the state"))?)
            }
            (Expectation::OutputType { name, kind }, _) => equal(name, kind, state.output_type(name)),
            (Expectation::Identity { address, identity }, _) => {
                equal(address, identity, state.identity(address))
            }
            (Expectation::Journal { line, least, most }, _) => {
                let count = self.journal().iter().filter(|one| *one == line).count();
                if (least..=most).contains(&&count) { Ok(()) } else { Err(format!("{count} times `{line}`")) }
            }
            (Expectation::Fails { .. } | Expectation::Found { .. }, _) => Ok(()),
            (_, None) => Err("a step that fails has no plan to speak about".to_owned()),
        }
    }

    fn journal(&self) -> Vec<String> {
        let text = fs::read_to_string(self.workspace.folder().join("journal")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn write_journal(&self) {
        fs::write(self.workspace.folder().join("journal"), "").unwrap();
    }

    /// Whatever was opened in this round was closed.
    fn everything_is_closed(&mut self) {
        let mut open: BTreeMap<String, i32> = BTreeMap::new();
        for line in self.journal() {
            match line.split_once(' ') {
                Some(("open", name)) => *open.entry(name.to_owned()).or_default() += 1,
                Some(("close", name)) => *open.entry(name.to_owned()).or_default() -= 1,
                _ => {}
            }
        }
        let left = open.into_iter().filter(|(_, count)| *count != 0);
        self.problems
            .extend(left.map(|(name, count)| format!("`{name}` was opened {count} times more than closed")));
    }
}

/// The file of a case. Searches have an ending of their own.
fn file(case: &Case) -> String {
    let search = case.steps.iter().any(|step| step.failure() == Some(Phase::Query));
    format!("{}.{}", case.name, if search { "tfquery.hcl" } else { "tf" })
}

fn name(does: Does, imports: bool) -> &'static str {
    match does {
        Does::Nothing if imports => "import",
        Does::Nothing => "no-op",
        Does::Create => "create",
        Does::Read => "read",
        Does::Update => "update",
        Does::Replace => "replace",
        Does::CreateThenDestroy => "create, then destroy",
        Does::Destroy => "destroy",
        Does::Forget => "forget",
        Does::Other => "something else",
    }
}

fn equal<T: PartialEq<U> + std::fmt::Display + ?Sized, U: std::fmt::Display + ?Sized>(
    what: &str,
    wanted: &T,
    found: &U,
) -> Result<(), String> {
    if wanted == found { Ok(()) } else { Err(format!("{what} is\n     {found}\n not {wanted}")) }
}
