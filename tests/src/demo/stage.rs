//! Where the demo plays: a folder in the lab's with the example, the programs of the story, and a user who types.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::running::Cluster;
use crate::aws::Keys;
use crate::cache;
use crate::configuration;
use crate::lab::Lab;
use crate::process::{SHORT, poll_until, run};
use crate::programs::{Programs, checkout};
use crate::progress::{human, say};
use crate::tool::Tool;

/// What is shown.
const EXAMPLE: &str = "examples/build-and-deploy";
/// Longer than any step takes on a small machine.
const LIMIT: Duration = Duration::from_mins(15);
/// How much of a failed program's output is shown.
const TAIL_LINES: usize = 40;
/// The user who types: of AWS, with a policy, not its root whom nothing binds.
const USER: &str = "demo";

pub(super) struct Stage {
    lab: Lab,
    keys: Keys,
    folder: PathBuf,
    example: PathBuf,
    terraform: &'static str,
}

impl Stage {
    pub(super) fn set(lab: Lab, programs: &Programs, tofu: bool) -> Result<Self> {
        let folder = lab.cache().run().join("demo");
        fs::create_dir_all(folder.join("logs"))
            .with_context(|| format!("cannot create `{}`", folder.display()))?;
        let keys = user(&lab, &folder.join("keys.json"))?;
        configuration::copy(&["terraform", EXAMPLE], &folder)?;
        let example = folder.join(EXAMPLE);
        let stage = Self { lab, keys, folder, example, terraform: if tofu { "tofu" } else { "terraform" } };
        stage.link_programs()?;
        stage.install(programs).context("cannot install the provider and the plugin")?;
        stage.write_environment()?;
        Ok(stage)
    }

    pub(super) fn lab(&self) -> &Lab {
        &self.lab
    }

    /// `terraform`, or `tofu` in its place.
    pub(super) fn terraform(&self) -> &str {
        self.terraform
    }

    /// The copy of the example.
    pub(super) fn example(&self) -> &Path {
        &self.example
    }

    /// A file for a shell to read: everything a program needs to play along.
    pub(super) fn environment_file(&self) -> PathBuf {
        self.folder.join("env")
    }

    /// Runs what a user types, and what keeps it from asking. Its output goes to a file, whose end is shown on failure.
    pub(super) fn step(&self, line: &str, unattended: &[&str]) -> Result<()> {
        let line = self.with_cli(line);
        let log = self.folder.join("logs").join(format!("{}.log", slug(&line)));
        let mut command = self.command(&line);
        if line.starts_with(self.terraform) {
            command.args(["-input=false", "-no-color"]);
        }
        command.args(unattended);
        let start = Instant::now();
        say(format_args!("$ {}", line.replace(" --", " \\\n         --")));
        logged(&mut command, &log)?;
        say(format_args!("  {}{}", human(start.elapsed()), outcome(&log)));
        Ok(())
    }

    /// What the program answers to a question.
    pub(super) fn ask(&self, line: &str) -> Result<String> {
        run(&mut self.command(&self.with_cli(line)), SHORT)
    }

    /// For `kubectl`, with our own plugin as what gets the token.
    pub(super) fn write_kubeconfig(&self, cluster: &Cluster) -> Result<()> {
        let Cluster { name, region, endpoint, ca } = cluster;
        let exec = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": self.bin().join("eks-deploy"),
            "args": ["token", "--cluster", name, "--region", region], "interactiveMode": "Never",
        });
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{ "name": name, "cluster": { "server": endpoint, "certificate-authority-data": ca } }],
            "users": [{ "name": name, "user": { "exec": exec } }],
            "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        });
        write_private(&self.kubeconfig(), &config.to_string())
    }

    fn with_cli(&self, line: &str) -> String {
        line.replacen("terraform ", &format!("{} ", self.terraform), 1)
    }

    /// No step needs quotes: the words of a line are its arguments.
    fn command(&self, line: &str) -> Command {
        let mut words = line.split_whitespace();
        let program = self.bin().join(words.next().unwrap_or_default());
        let mut command = self.lab.command(program, &self.keys);
        command.args(words).current_dir(&self.example).envs(self.own_environment());
        // The programs of the story and no other: whoever needs aws, docker or a shell fails here.
        command.env("PATH", self.bin());
        command
    }

    fn own_environment(&self) -> Vec<(&'static str, OsString)> {
        let helm = self.helm();
        vec![
            ("KUBECONFIG", self.kubeconfig().into()),
            ("HELM_CONFIG_HOME", helm.join("config").into()),
            ("HELM_CACHE_HOME", helm.join("cache").into()),
            ("HELM_DATA_HOME", helm.join("data").into()),
            // The lab's base images in the place of public ones.
            ("TF_VAR_build_image", self.lab.build_base().into()),
            ("TF_VAR_site_base", self.lab.busybox().into()),
        ]
    }

    fn write_environment(&self) -> Result<()> {
        let path = format!("export PATH={}:\"$PATH\"", quoted(&self.bin().to_string_lossy()));
        let lab = self.lab.environment(&self.keys);
        let export =
            |(name, value): (&str, OsString)| format!("export {name}={}", quoted(&value.to_string_lossy()));
        let lines: Vec<_> =
            std::iter::once(path).chain(lab.into_iter().chain(self.own_environment()).map(export)).collect();
        write_private(&self.environment_file(), &(lines.join("\n") + "\n"))
    }

    /// Terraform finds the provider in a mirror, helm the plugin in its folder: both installed as a user installs them.
    fn install(&self, programs: &Programs) -> Result<()> {
        self.lab.install_provider(&programs.provider)?;
        let plugin = self.folder.join("plugin");
        cache::remove(&plugin)?;
        fs::create_dir_all(plugin.join("bin"))?;
        fs::copy(checkout().join("helm-plugin/plugin.yaml"), plugin.join("plugin.yaml"))?;
        symlink(&programs.plugin, plugin.join("bin/eks-deploy"))?;
        symlink(plugin.join("bin/eks-deploy"), self.bin().join("eks-deploy"))?;
        cache::remove(&self.helm().join("data/plugins"))?;
        run(self.command("helm plugin install").arg(plugin), SHORT).map(drop)
    }

    fn link_programs(&self) -> Result<()> {
        cache::remove(&self.bin())?;
        fs::create_dir_all(self.bin())?;
        let cli = if self.terraform == "tofu" { Tool::OpenTofu } else { Tool::Terraform };
        for (name, tool) in [(self.terraform, cli), ("helm", Tool::Helm4), ("kubectl", Tool::Kubectl)] {
            symlink(self.lab.tool(tool)?, self.bin().join(name))?;
        }
        Ok(())
    }

    fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    fn helm(&self) -> PathBuf {
        self.folder.join("helm")
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }
}

/// The user's keys, made once for each life of the lab.
fn user(lab: &Lab, file: &Path) -> Result<Keys> {
    if let Ok(text) = fs::read_to_string(file) {
        return serde_json::from_str(&text).with_context(|| format!("`{}` holds no keys", file.display()));
    }
    let keys = lab.root().create_admin(USER)?.keys;
    write_private(file, &serde_json::to_string(&keys)?)?;
    Ok(keys)
}

fn logged(command: &mut Command, log: &Path) -> Result<()> {
    let file = File::create(log).with_context(|| format!("cannot write `{}`", log.display()))?;
    let mut child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
    let ended = poll_until("the program's end", LIMIT, || Ok(child.try_wait()?));
    if ended.is_err() {
        child.kill()?;
        child.wait()?;
    }
    let status = ended.with_context(|| failure(log))?;
    ensure!(status.success(), "{status}; {}", failure(log));
    Ok(())
}

/// The line by which the program says what came of it, if it has one.
fn outcome(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let says = |line: &&str| line.starts_with("Apply complete!") || line.starts_with("release ");
    text.lines().rfind(says).map_or_else(String::new, |line| format!(": {line}"))
}

fn failure(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
    format!("the end of `{}`:\n{tail}", log.display())
}

/// A file that only its owner reads.
fn write_private(file: &Path, text: &str) -> Result<()> {
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
    written
        .and_then(|mut out| out.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write `{}`", file.display()))
}

/// The first words of a line as a file's name.
fn slug(line: &str) -> String {
    let name: String =
        line.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    name.trim_matches('-').to_owned()
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_shows_the_end_of_its_output() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut noisy = Command::new("sh");
        noisy.args(["-c", "seq 100; echo no such bucket >&2; exit 3"]);
        let error = logged(&mut noisy, &log).unwrap_err().to_string();
        assert!(error.starts_with("exit status: 3; the end of"), "{error}");
        assert!(error.ends_with("\n99\n100\nno such bucket") && !error.contains("\n61\n"), "{error}");
    }

    #[test]
    fn words_for_files_and_shells() {
        assert_eq!(slug("terraform -chdir=main init"), "terraform--chdir-main-init");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
