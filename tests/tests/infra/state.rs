//! A state in its bucket when things go wrong: two applies at once, one that is killed, and a version that has to be taken back.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use lab::process::{LONG, poll_until, run};
use lab::tool::Tool;
use serde_json::Value;

use crate::stack::Stack;

/// An apply of this stays where it is, with the state locked, until somebody has opened the gate and closed it again.
const CONFIGURATION: &str = r#"
variable "round" { type = string }
variable "gate" { type = string }

resource "terraform_data" "this" {
  input            = var.round
  triggers_replace = var.round

  provisioner "local-exec" {
    command = "cat ${var.gate}"
  }
}

output "said" { value = terraform_data.this.output }
"#;

/// `O_NONBLOCK`: a pipe that nobody reads is not opened for writing.
const UNLESS_READ: i32 = 0o4000;

/// A configuration whose applies can be held.
pub(crate) struct Held {
    stack: Stack,
    gate: PathBuf,
}

/// An apply in the middle, which goes on when this is let go.
struct Holding {
    apply: Child,
    gate: File,
}

impl Held {
    /// With its state where the block says.
    pub(crate) fn new(stack: Stack, backend: &str) -> Self {
        fs::create_dir(&stack.folder).unwrap();
        fs::write(stack.folder.join("backend.tf"), backend).unwrap();
        fs::write(stack.folder.join("main.tf"), CONFIGURATION).unwrap();
        let gate = stack.folder.join("gate");
        run(Command::new("mkfifo").arg(&gate), LONG).unwrap();
        let stack = stack.set("gate", "/dev/null");
        stack.init();
        Self { stack, gate }
    }

    fn arguments(round: &str) -> Vec<String> {
        ["apply", "-auto-approve"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("-var=round={round}")])
            .collect()
    }

    fn apply(&self, round: &str, more: &[&str]) -> Result<String, String> {
        let arguments = Self::arguments(round);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.stack.run(&arguments)
    }

    /// Begins an apply and gives it back when it is in the middle: then somebody reads the gate, which can be opened.
    fn begin(&self, round: &str) -> Holding {
        let mut command = self.stack.command(&[]);
        command.args(Self::arguments(round)).arg(format!("-var=gate={}", self.gate.display()));
        let mut apply =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let gate = poll_until("the apply is in the middle", LONG, || {
            assert!(apply.try_wait()?.is_none(), "the apply ended before it could be held");
            Ok(OpenOptions::new().write(true).custom_flags(UNLESS_READ).open(&self.gate).ok())
        });
        Holding { apply, gate: gate.unwrap() }
    }

    /// The second is refused, or waits when it is told to.
    pub(crate) fn two_at_once(&self) {
        let mut first = self.begin("1");
        let refused = self.apply("2", &[]).unwrap_err();
        assert!(
            refused.contains("Error acquiring the state lock") && refused.contains("Lock Info"),
            "{refused}"
        );
        thread::scope(|scope| {
            let second = scope.spawn(|| self.wait_for_the_lock("3"));
            drop(first.gate);
            assert!(first.apply.wait().unwrap().success());
            second.join().unwrap().unwrap();
        });
        assert_eq!(self.stack.output("said"), "3");
    }

    /// Once more where the lock went away between two requests of the CLI: it is refused, asks for the holder's name, finds
    /// no lock any more, and gives up instead of trying again (Terraform and OpenTofu alike).
    fn wait_for_the_lock(&self, round: &str) -> Result<String, String> {
        self.apply(round, &["-lock-timeout=5m"]).or_else(|refused| {
            if refused.contains("NoSuchKey") {
                self.apply(round, &["-lock-timeout=5m"])
            } else {
                Err(refused)
            }
        })
    }

    /// What it locked stays locked, and whoever unlocks it has to name whose lock it was.
    pub(crate) fn killed(&self) {
        let mut first = self.begin("4");
        first.apply.kill().unwrap();
        first.apply.wait().unwrap();
        drop(first.gate);
        let refused = self.apply("4", &[]).unwrap_err();
        let (_, id) = refused.split_once("Lock Info: ID: ").unwrap_or_else(|| panic!("{refused}"));
        let id = id.split_whitespace().next().unwrap();
        self.stack.run(&["force-unlock", "-force", "00000000-0000-0000-0000-000000000000"]).unwrap_err();
        self.stack.run(&["force-unlock", "-force", id]).unwrap();
        self.apply("4", &[]).unwrap();
        assert_eq!(self.stack.output("said"), "4");
    }

    /// By the commands of `state-backend`'s README.
    pub(crate) fn taken_back(&self, bucket: &str, key: &str) {
        self.apply("5", &[]).unwrap();
        let aws = |arguments: &[&str]| {
            let mut command =
                self.stack.lab.command(self.stack.lab.tool(Tool::Aws).unwrap(), &lab::aws::Keys::root());
            command.arg("s3api").args(arguments).args(["--bucket", bucket]).current_dir(&self.stack.folder);
            run(&mut command, LONG).unwrap()
        };
        let versions: Value =
            serde_json::from_str(&aws(&["list-object-versions", "--prefix", key, "--output=json"])).unwrap();
        let versions = versions["Versions"].as_array().unwrap().iter();
        // The lock's versions begin with the same letters.
        let ids = versions
            .filter(|version| version["Key"] == key)
            .map(|version| version["VersionId"].as_str().unwrap());
        let is_fourth = |id: &&str| {
            aws(&["get-object", "--key", key, "--version-id", id, "old.tfstate"]);
            let state = fs::read_to_string(self.stack.folder.join("old.tfstate")).unwrap();
            serde_json::from_str::<Value>(&state).unwrap()["outputs"]["said"]["value"] == "4"
        };
        let found = ids.into_iter().find(is_fourth);
        assert!(found.is_some(), "the version before the last is gone");
        self.stack.run(&["state", "push", "-force", "old.tfstate"]).unwrap();
        assert_eq!(self.stack.output("said"), "4");
        self.apply("5", &[]).unwrap();
    }
}
