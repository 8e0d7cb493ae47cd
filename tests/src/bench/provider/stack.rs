//! A configuration with its providers, and an ECR in memory that it is applied to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::bench::contest::measured;
use crate::bench::lane::Stage;
use crate::bench::usage::{Usage, stand_in};
use crate::emulator::{Emulator, Options};
use crate::tool::Tool;

/// The entrant that is the program itself, with resources of its own.
pub(super) const CLI: &str = "opentofu";
/// What a provider took.
const PROVIDER: &str = "provider.jsonl";
const SETTINGS: &str = "settings.tfrc";

/// An ECR in memory, whose registry takes pushes from anybody.
pub(super) struct Ecr {
    pub(super) emulator: Emulator,
    _runtime: Runtime,
}

impl Ecr {
    pub(super) fn start() -> Result<Self> {
        let runtime = Runtime::new()?;
        let options = Options { open: true, strict: false, ..Options::default() };
        let emulator = runtime.block_on(Emulator::start(options))?;
        Ok(Self { emulator, _runtime: runtime })
    }
}

/// The folder of a configuration.
pub(super) struct Stack {
    pub(super) folder: TempDir,
    cli: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Stack {
    /// For a provider of this address, such as `eks-deploy/ecr`, or for none.
    pub(super) fn new(stage: &Stage, ecr: &Ecr, provider: Option<(&str, &Path)>) -> Result<Self> {
        let cli = Tool::OpenTofu.install(&stage.cache)?;
        let folder = tempfile::tempdir_in(stage.folder.path())?;
        let programs = folder.path().join("programs");
        fs::create_dir(&programs)?;
        let mut overrides = String::new();
        if let Some((address, program)) = provider {
            let name = address.rsplit('/').next().context("an address has a name")?;
            let script = programs.join(format!("terraform-provider-{name}"));
            stand_in(&script, program, &folder.path().join(PROVIDER))?;
            overrides = format!(
                "  dev_overrides {{\n    \"registry.terraform.io/{address}\" = \"{}\"\n  }}\n",
                programs.display()
            );
        }
        let settings = folder.path().join(SETTINGS);
        fs::write(&settings, format!("provider_installation {{\n{overrides}  direct {{}}\n}}\n"))?;
        let (emulator, keys) = (&ecr.emulator, ecr.emulator.keys());
        let environment = vec![
            ("TF_CLI_CONFIG_FILE", settings.display().to_string()),
            ("CHECKPOINT_DISABLE", "1".to_owned()),
            ("HOME", folder.path().display().to_string()),
            ("XDG_CACHE_HOME", folder.path().join("caches").display().to_string()),
            ("AWS_ENDPOINT_URL", emulator.url()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", keys.id),
            ("AWS_SECRET_ACCESS_KEY", keys.secret),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("EKS_DEPLOY_REGISTRY_ENDPOINTS", emulator.endpoints()),
        ];
        Ok(Self { folder, cli, environment })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Another variable for everything that runs.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    pub(super) fn configuration(&self, text: &str) -> Result<()> {
        Ok(fs::write(self.path().join("main.tf"), text)?)
    }

    /// What a runner does not keep.
    pub(super) fn forget_caches(&self) -> Result<()> {
        crate::cache::remove(&self.path().join("caches"))
    }

    /// Runs the command line, which has to say these words; gives what that took, and what the provider took of it.
    pub(super) fn run(&self, words: &[&str], said: &str) -> Result<Ran> {
        let mut command = Command::new(&self.cli);
        command
            .arg(format!("-chdir={}", self.path().display()))
            .args(words)
            .args(["-input=false", "-no-color"]);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["AWS_", "TF_", "DOCKER_"].iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(&*name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let provider = self.path().join(PROVIDER);
        crate::cache::remove(&provider)?;
        let mut output = String::new();
        let usage = measured(&command, self.path(), None, |text| {
            text.clone_into(&mut output);
            text.contains(said)
        })?;
        Ok(Ran { usage, provider: Usage::read(&provider)?, output })
    }
}

/// What a command line came to.
pub(super) struct Ran {
    pub(super) usage: Usage,
    pub(super) provider: Usage,
    pub(super) output: String,
}
