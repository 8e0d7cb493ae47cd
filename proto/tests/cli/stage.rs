//! A configuration with the example provider, and the folder whose files it manages.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tfplugin_rs::testing::cli::{Change, Cli, Feature, Plan, Run, Running, Workspace, provider_bugs};

pub(crate) const ADDRESS: &str = "example.com/tfplugin/files";

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// What no log may hold: each is a CLI's word for a provider that misbehaves as a process.
const MISBEHAVIOUR: [&str; 3] = ["plugin failed to exit gracefully", "unexpected data", "legacy plugin SDK"];

pub(crate) struct Stage {
    workspace: Workspace,
    calls: RefCell<BTreeSet<String>>,
}

/// Plays a story with every program there is.
pub(crate) fn every_cli(story: impl Fn(&Stage)) {
    for cli in Cli::all().unwrap() {
        println!("== {cli}");
        story(&Stage::new(&cli));
    }
}

/// The example provider, which stands beside the running test.
pub(crate) fn provider() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/files")
}

/// The text without frames and ends of lines, which depend on the width of the terminal.
fn one_line(text: &str) -> String {
    text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Stage {
    pub(crate) fn new(cli: &Cli) -> Self {
        let workspace = Workspace::new(cli).unwrap().overriding(ADDRESS, provider()).unwrap();
        fs::create_dir(workspace.folder().join("root")).unwrap();
        Self { workspace, calls: RefCell::default() }
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.workspace.cli().has(feature)
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Writes the configuration, with a provider whose files lie in `root`.
    pub(crate) fn write(&self, body: &str) {
        self.write_all(&format!("provider \"files\" {{\n  root = \"root\"\n}}\n{body}"));
    }

    /// Writes the configuration, which has its provider itself.
    pub(crate) fn write_all(&self, body: &str) {
        let head = format!(
            "terraform {{\n  required_providers {{\n    files = {{ source = \"{ADDRESS}\" }}\n  }}\n}}\n"
        );
        self.workspace.write("main.tf", &(head + body)).unwrap();
    }

    /// A file beside the configuration.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.workspace.folder().join(path)).unwrap()
    }

    /// A file of the provider.
    pub(crate) fn file(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).unwrap().permissions().mode() & 0o7777
    }

    /// Writes a file behind the provider's back.
    pub(crate) fn put(&self, path: &str, content: &str) {
        self.workspace.write(&format!("root/{path}"), content).unwrap();
    }

    /// Removes a file or an empty folder behind the provider's back.
    pub(crate) fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }.unwrap();
    }

    fn path(&self, path: &str) -> PathBuf {
        self.workspace.folder().join("root").join(path)
    }

    /// Runs a command that has to succeed, and gives what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.keep(self.workspace.run(arguments).unwrap()).sound().unwrap().stdout
    }

    /// Runs a command that has to fail, and not by the provider's fault. Gives what it said, in one line.
    pub(crate) fn fails(&self, command: &str, arguments: &[&str]) -> String {
        failed(&self.keep(self.workspace.run(&[&[command, "-no-color"], arguments].concat()).unwrap()))
    }

    /// Starts an apply that is still under way when this returns.
    pub(crate) fn start_apply(&self) -> UnderWay<'_> {
        let running = self.workspace.start(&["apply", "-no-color", "-auto-approve"]).unwrap();
        UnderWay { running, stage: self }
    }

    pub(crate) fn apply(&self, options: &[&str]) -> String {
        self.keep(self.workspace.apply(options).unwrap()).stdout
    }

    pub(crate) fn destroy(&self) {
        self.keep(self.workspace.destroy(&[]).unwrap());
        assert_eq!(self.run(&["state", "list"]), "");
    }

    pub(crate) fn plan(&self, options: &[&str]) -> Plan {
        let plan = self.workspace.plan(options).unwrap();
        self.keep(plan.run.clone());
        plan
    }

    /// What becomes of one resource.
    pub(crate) fn change(&self, address: &str) -> Change {
        self.plan(&[]).change(address).unwrap().clone()
    }

    /// A further plan is empty, whether or not it looks at the world.
    pub(crate) fn plans_nothing(&self) {
        self.plans_nothing_with(&[]);
    }

    pub(crate) fn plans_nothing_with(&self, options: &[&str]) {
        for refresh in ["-refresh=true", "-refresh=false"] {
            self.run(&[&["plan", "-no-color", "-detailed-exitcode", refresh], options].concat());
        }
    }

    /// The attributes of a resource in the state.
    pub(crate) fn attributes(&self, address: &str) -> Value {
        self.workspace.attributes(address).unwrap()
    }

    /// The files beside the provider's own in which this text is: configuration, state, plans, logs.
    pub(crate) fn files_with(&self, text: &str) -> Vec<String> {
        let folder = self.workspace.folder();
        let mut found = Vec::new();
        for file in files_below(folder.parent().unwrap()) {
            let content = fs::read(&file).unwrap_or_default();
            let inside = !file.starts_with(folder.join("root"));
            if inside && content.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(file.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
        found
    }

    /// The calls that the provider answered so far.
    pub(crate) fn calls(&self) -> BTreeSet<String> {
        self.calls.borrow().clone()
    }

    fn keep(&self, run: Run) -> Run {
        for words in MISBEHAVIOUR {
            assert!(!run.log.contains(words), "`{words}` in the log of {run}:\n{}", run.log);
        }
        self.calls.borrow_mut().extend(run.calls.iter().cloned());
        run
    }
}

/// A command under way.
pub(crate) struct UnderWay<'a> {
    running: Running,
    stage: &'a Stage,
}

impl UnderWay<'_> {
    /// Waits until this is in the provider's log.
    pub(crate) fn wait_for(&self, text: &str) {
        let start = Instant::now();
        while !self.running.log().contains(text) {
            assert!(start.elapsed() < PATIENCE, "`{text}` did not come:\n{}", self.running.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses Ctrl-C and waits for the end. Gives what it said, in one line.
    pub(crate) fn interrupt(self) -> String {
        self.running.interrupt();
        failed(&self.stage.keep(self.running.wait(PATIENCE).unwrap()))
    }

    pub(crate) fn succeed(self) {
        self.stage.keep(self.running.wait(PATIENCE).unwrap()).sound().unwrap();
    }
}

fn failed(run: &Run) -> String {
    assert!(!run.succeeded(), "{run}");
    assert_eq!(provider_bugs(&run.output()), Vec::<String>::new(), "{run}");
    one_line(&run.output())
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
