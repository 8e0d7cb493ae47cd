//! A copy of an example, or another configuration, and the program that applies it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use lab::configuration;
use lab::process::run;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Apply waits for AWS itself, and a machine may be busy.
const LIMIT: Duration = Duration::from_mins(20);

pub(crate) struct Stack {
    /// The program, led to its AWS.
    program: Box<dyn Fn() -> Command>,
    folder: TempDir,
    /// Where the configuration is, below the folder.
    root: PathBuf,
    variables: BTreeMap<&'static str, String>,
}

impl Stack {
    /// The example of this name with the modules beside it, initialized.
    pub(crate) fn example(name: &str, program: impl Fn() -> Command + 'static) -> Self {
        Self::new(Path::new("examples").join(name), program, |folder| {
            configuration::copy(&configuration::ALL, folder).unwrap();
        })
    }

    /// A configuration that `fill` writes into a folder, initialized.
    pub(crate) fn new(
        root: impl Into<PathBuf>,
        program: impl Fn() -> Command + 'static,
        fill: impl FnOnce(&Path),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let (program, root) = (Box::new(program), root.into());
        let stack = Self { program, folder, root, variables: BTreeMap::new() };
        run(stack.command(&["init"]).arg("-input=false"), LIMIT).unwrap();
        stack
    }

    /// Gives an input variable another value.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.insert(name, value.into());
    }

    /// Goes back to a variable's default.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Writes a file of the configuration.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// The folder of the configuration.
    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.root)
    }

    pub(crate) fn apply(&self) -> Result<()> {
        run(self.command(&["apply"]).args(["-input=false", "-auto-approve"]), LIMIT).map(drop)
    }

    /// Applies, and proves that nothing is left to change.
    pub(crate) fn apply_and_settle(&self) {
        self.apply().unwrap();
        let mut plan = self.command(&["plan"]);
        let plan = plan.args(["-input=false", "-detailed-exitcode"]).output().unwrap();
        assert_eq!(plan.status.code(), Some(0), "{}", String::from_utf8_lossy(&plan.stdout));
    }

    /// Destroys everything, and proves that the state is empty.
    pub(crate) fn destroy(&self) {
        run(self.command(&["destroy"]).args(["-input=false", "-auto-approve"]), LIMIT).unwrap();
        let state = fs::read_to_string(self.path().join("terraform.tfstate")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&state).unwrap()["resources"], json!([]));
    }

    /// All outputs at once: each call of the program takes its time.
    pub(crate) fn outputs(&self) -> BTreeMap<String, Value> {
        let text = run(&mut self.command(&["output", "-json"]), LIMIT).unwrap();
        let outputs: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        outputs.into_iter().map(|(name, mut output)| (name, output["value"].take())).collect()
    }

    pub(crate) fn output(&self, name: &str) -> Value {
        self.outputs().remove(name).unwrap()
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut command = (self.program)();
        command.current_dir(self.path()).args(verb);
        command.envs(self.variables.iter().map(|(name, value)| (format!("TF_VAR_{name}"), value)));
        command
    }
}
