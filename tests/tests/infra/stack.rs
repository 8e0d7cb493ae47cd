//! A configuration of the checkout, copied to where it may be applied, and the program that does so.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use lab::aws::Keys;
use lab::check::skip;
use lab::configuration;
use lab::lab::Lab;
use lab::process::{LONG, run};
use lab::tool::Tool;
use serde_json::Value;
use tempfile::TempDir;

use crate::session::Session;

pub(crate) struct Stack {
    pub(crate) lab: Lab,
    /// Of the copy of `terraform/` and `examples/`.
    pub(crate) root: TempDir,
    /// Of the configuration, below it.
    pub(crate) folder: PathBuf,
    program: PathBuf,
    session: Session,
    variables: Vec<(String, String)>,
}

/// What a command did: its standard output, or the error with the end of its standard error.
pub(crate) type Outcome = Result<String, String>;

impl Stack {
    /// Nothing where the CLI cannot be had.
    pub(crate) fn copy(cli: Tool, folder: &str) -> Option<Self> {
        let lab = Lab::running().unwrap();
        let program = skip::unless(lab.tool(cli))?;
        let root = tempfile::tempdir().unwrap();
        configuration::copy(&configuration::ALL, root.path()).unwrap();
        let folder = root.path().join(folder);
        let session = Session::of(Keys::root());
        Some(Self { lab, root, folder, program, session, variables: Vec::new() })
    }

    /// With a value for a variable of the configuration.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((format!("TF_VAR_{name}"), value.to_owned()));
        self
    }

    /// With another caller.
    pub(crate) fn under(mut self, session: Session) -> Self {
        self.session = session;
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.session.command(&self.lab, &self.program);
        command
            .current_dir(&self.folder)
            .args(arguments)
            .env("TF_CLI_ARGS", "-no-color")
            .env("TF_INPUT", "0");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        run(&mut self.command(arguments), LONG).map_err(|error| one_line(&format!("{error:#}")))
    }

    pub(crate) fn init(&self) {
        self.run(&["init"]).unwrap();
    }

    pub(crate) fn apply(&self) -> Outcome {
        self.run(&["apply", "-auto-approve"])
    }

    pub(crate) fn plans_nothing(&self) {
        let plan = self.run(&["plan"]).unwrap();
        assert!(plan.contains("No changes."), "{plan}");
    }

    /// Destroys everything, and asks nobody but AWS whether this is gone.
    pub(crate) fn destroy(&self, is_gone: impl Fn(&Lab) -> bool) {
        self.run(&["destroy", "-auto-approve"]).unwrap();
        assert_eq!(self.run(&["state", "list"]).unwrap(), "");
        assert!(is_gone(&self.lab), "destroy left something in AWS");
    }

    /// Takes back what keeps the states' bucket from being destroyed, the way `state-backend`'s README says; `file` holds the
    /// block `module "state"`.
    pub(crate) fn unprotect(&self, file: &str) {
        self.edit(file, "bucket = var.bucket\n", "bucket = var.bucket\n  force_destroy = true\n");
        self.apply().unwrap();
        self.edit("terraform/state-backend/main.tf", "prevent_destroy = true", "prevent_destroy = false");
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.root.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    pub(crate) fn output(&self, name: &str) -> String {
        self.run(&["output", "-raw", name]).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.run(&["output", "-json", name]).unwrap()).unwrap()
    }
}

/// The text without the ends of lines and the frame, which depend on the width of the terminal.
fn one_line(text: &str) -> String {
    text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}
