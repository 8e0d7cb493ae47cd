//! One image in a configuration of its own, its repository, and the program that plans and applies it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lab::aws::Keys;
use lab::lab::Lab;
use lab::process::{LONG, SHORT, run};
use lab::programs::Programs;
use lab::tool::Tool;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::repository::Repository;

/// Host of the lab's ECR registry.
pub(crate) const REGISTRY: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com";

/// What core says when a provider contradicts itself. None of it may ever be printed.
const CORES_WORDS: [&str; 7] = [
    "inconsistent",
    "bug in the provider",
    "bug in the relevant provider",
    "issue in the provider SDK",
    "Plugin did not respond",
    "Request cancelled",
    "crashed",
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cli {
    Terraform,
    OpenTofu,
}

impl Cli {
    /// The lab's own, and the Terraform programs of other versions that `LAB_TERRAFORM` names.
    pub(crate) fn programs(self) -> Vec<PathBuf> {
        let lab = Lab::running().unwrap();
        let more = std::env::var_os("LAB_TERRAFORM").unwrap_or_default();
        match self {
            Self::Terraform => std::iter::once(lab.tool(Tool::Terraform).unwrap())
                .chain(std::env::split_paths(&more).filter(|path| !path.as_os_str().is_empty()))
                .collect(),
            Self::OpenTofu => vec![lab.tool(Tool::OpenTofu).unwrap()],
        }
    }
}

pub(crate) struct Stack {
    pub(crate) lab: Lab,
    pub(crate) folder: TempDir,
    /// The repository's name in the registry; it exists.
    pub(crate) name: String,
    pub(crate) keys: Keys,
    pub(crate) cli: Cli,
    pub(crate) program: PathBuf,
}

/// What a command did: its standard output, or the error with the end of its standard error.
pub(crate) type Outcome = Result<String, String>;

impl Stack {
    pub(crate) fn new(cli: Cli, program: PathBuf) -> Self {
        let lab = Lab::running().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let name = lab.unique("image");
        lab.root().ecr("CreateRepository", &json!({ "repositoryName": name })).unwrap();
        let stack = Self { lab, folder, name, keys: Keys::root(), cli, program };
        stack.use_providers(&[]);
        stack.file("app/index.html", "one");
        stack.file("app/run", "#!/bin/sh\n");
        stack
    }

    /// Takes ours as it was built, and others by their addresses from the folders they are in.
    pub(crate) fn use_providers(&self, others: &[(&str, &Path)]) {
        let ours = Programs::built().unwrap().provider;
        let ours = ("eks-deploy/ecr", ours.parent().unwrap());
        let lines = std::iter::once(&ours).chain(others).map(|(address, folder)| {
            format!("    \"registry.terraform.io/{address}\" = \"{}\"\n", folder.display())
        });
        let overrides = lines.collect::<String>();
        let settings = format!("provider_installation {{\n  dev_overrides {{\n{overrides}  }}\n}}\n");
        self.file("cli.rc", &settings);
    }

    /// One of Terraform, for what is the same with `OpenTofu`.
    pub(crate) fn terraform() -> Self {
        Self::new(Cli::Terraform, Cli::Terraform.programs().remove(0))
    }

    /// The repository with its registry.
    pub(crate) fn repository(&self) -> String {
        format!("{REGISTRY}/{}", self.name)
    }

    /// Writes a file below the folder of the configuration.
    pub(crate) fn file(&self, path: &str, content: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes the configuration: one image, whose arguments besides `repository` are these.
    pub(crate) fn image(&self, arguments: &str) {
        self.image_in(&self.repository(), arguments);
    }

    /// The same for an image in this repository.
    pub(crate) fn image_in(&self, repository: &str, arguments: &str) {
        self.configuration(&format!(
            "resource \"ecr_image\" \"web\" {{\n  repository = \"{repository}\"\n{arguments}\n}}\n\
             output \"digest\" {{ value = ecr_image.web.digest }}\n\
             output \"hash\" {{ value = ecr_image.web.source_hash }}\n"
        ));
    }

    /// An image made of the folder `app`, each file as a layer of its own, with these tags.
    pub(crate) fn files(&self, tags: &str) {
        self.image(&format!("  tags = {tags}\n{FILES}"));
    }

    pub(crate) fn configuration(&self, text: &str) {
        let source = "terraform {\n  required_providers {\n    \
                      ecr = { source = \"registry.terraform.io/eks-deploy/ecr\" }\n  }\n}\n";
        fs::write(self.folder.path().join("main.tf"), format!("{source}{text}")).unwrap();
    }

    /// The program in the lab's world.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.lab.command(&self.program, &self.keys);
        command
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join("cli.rc"))
            .current_dir(self.folder.path())
            .args(arguments)
            .arg("-no-color");
        command
    }

    /// Whether what a plan remembers privately comes back when apply plans again: Terraform does that since 1.16.
    pub(crate) fn stores_planned_private(&self) -> bool {
        self.terraform_minor().is_some_and(|minor| minor >= 16)
    }

    /// Which Terraform 1 this is; `None` for OpenTofu.
    pub(crate) fn terraform_minor(&self) -> Option<u32> {
        let mut version = self.lab.command(&self.program, &self.keys);
        let version: Value =
            serde_json::from_str(&run(version.args(["version", "-json"]), SHORT).unwrap()).unwrap();
        let version = version["terraform_version"].as_str().unwrap();
        (self.cli == Cli::Terraform).then(|| version.split('.').nth(1).unwrap().parse().unwrap())
    }

    /// Plans where no daemon can be reached: none needs one.
    pub(crate) fn plan(&self, arguments: &[&str]) -> Outcome {
        let mut plan = self.command(&[&["plan", "-input=false"], arguments].concat());
        run_cli(plan.env("DOCKER_HOST", "unix:///nowhere/docker.sock"))
    }

    /// Plans into a file for [`Self::apply_planned`].
    pub(crate) fn plan_to_file(&self) -> String {
        self.plan(&["-out=plan"]).unwrap()
    }

    pub(crate) fn apply_planned(&self) -> Outcome {
        run_cli(&mut self.command(&["apply", "-input=false", "plan"]))
    }

    pub(crate) fn apply(&self) -> Outcome {
        run_cli(&mut self.command(&["apply", "-input=false", "-auto-approve"]))
    }

    pub(crate) fn plans_nothing(&self, arguments: &[&str]) -> String {
        let plan = self.plan(arguments).unwrap();
        assert!(plan.contains("No changes."), "{plan}");
        plan
    }

    /// The image's digest, as the state has it.
    pub(crate) fn digest(&self) -> String {
        self.output("digest")
    }

    pub(crate) fn output(&self, name: &str) -> String {
        run(self.command(&["output", "-raw"]).arg(name), LONG).unwrap()
    }

    /// The repository, as others see it.
    pub(crate) fn there(&self) -> Repository {
        self.beside(&self.name)
    }

    /// Another repository of the registry.
    pub(crate) fn beside(&self, name: &str) -> Repository {
        Repository { front: self.lab.front(), name: name.to_owned() }
    }

    /// Which tags point at what.
    pub(crate) fn tags(&self) -> Vec<(String, String)> {
        self.there().tags()
    }

    /// Where a tag points.
    pub(crate) fn tag(&self, tag: &str) -> Option<String> {
        self.there().tag(tag)
    }

    /// Asks ECR about the repository.
    pub(crate) fn ecr(&self, action: &str, body: Value) -> Value {
        self.there().ecr(action, body)
    }

    /// Deletes an image behind Terraform's back.
    pub(crate) fn delete_image(&self, digest: &str) {
        self.there().delete_image(digest);
    }

    /// Points a tag at another image behind Terraform's back.
    pub(crate) fn move_tag(&self, tag: &str, digest: &str) {
        self.there().move_tag(tag, digest);
    }

    /// Three images that are there under the tags `one`, `two` and `three`, and in no state.
    pub(crate) fn images(&self) -> [String; 3] {
        self.configuration(&format!(
            "resource \"ecr_image\" \"made\" {{\n  for_each = toset([\"one\", \"two\", \"three\"])\n  \
             repository = \"{}\"\n  tags = [each.key]\n  labels = {{ name = each.key }}\n{FILES}\n}}\n",
            self.repository()
        ));
        self.apply().unwrap();
        fs::remove_file(self.folder.path().join("terraform.tfstate")).unwrap();
        ["one", "two", "three"].map(|tag| self.tag(tag).unwrap())
    }

    /// What was asked of the registry about this repository after a number, and the last number.
    pub(crate) fn requests(&self, since: u64) -> (Vec<lab::ecr::ledger::Entry>, u64) {
        self.there().requests(since)
    }
}

/// The arguments of an image of files, below `tags`.
pub(crate) const FILES: &str = r#"  files = {
    layers = [
      { source = "./app/run", destination = "/app/run", mode = "0755" },
      { source = "./app/index.html", destination = "/srv/" },
    ]
    entrypoint = ["/app/run"]
  }"#;

/// Runs a command of the program, and sees to it that core has nothing to complain about.
pub(crate) fn run_cli(command: &mut Command) -> Outcome {
    let outcome = run(command, LONG).map_err(|error| format!("{error:#}"));
    let text = outcome.as_ref().unwrap_or_else(|error| error);
    assert!(!complains(text), "{text}");
    outcome.map_err(|error| one_line(&error))
}

/// Whether core has something to complain about.
pub(crate) fn complains(text: &str) -> bool {
    CORES_WORDS.iter().any(|words| one_line(text).contains(words))
}

/// The text without the ends of lines, which depend on the width of the terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Copies a folder of plain files.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
