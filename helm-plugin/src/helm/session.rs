//! Helm as one run of this program uses it: the same binary, kubeconfig and folder for every call.

use std::{
    cell::{Cell, OnceCell},
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use tokio::process::Command;

use super::{
    arguments::FlagError,
    arm,
    binary::{self, BinaryError, Version},
    child::{Child, Fit, GRACE, Input, Shown},
    explain::{self, Trouble},
    outcome::{Found, ReleaseState},
    stored::Stored,
};
use crate::{
    ci::Ci,
    exit::Exit,
    failure::Explain,
    run_folder::{RunFolder, RunFolderError},
    secrets::Secrets,
    signals::Stop,
};

/// The kubeconfig in the run's folder.
pub(crate) const KUBECONFIG: &str = "kubeconfig";

/// More than any release: Helm stores it in a Secret of one MiB, packed.
const LARGEST_OUTPUT: u64 = 256 << 20;

/// What Helm said when it failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelmError {
    /// It ended with an error.
    #[error("`helm {verb}` failed: {message}")]
    Failed {
        /// The verb.
        verb: String,
        /// Helm's words.
        message: String,
        /// What they mean.
        trouble: Trouble,
    },
    /// It could not be started, or watched.
    #[error("cannot run `{}`", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It printed more than a release can have.
    #[error("`helm {verb}` printed more than {} MiB", LARGEST_OUTPUT >> 20)]
    TooMuch {
        /// The verb.
        verb: String,
    },
    /// It printed something else than it should.
    #[error("cannot read what `helm {verb}` printed")]
    Unreadable {
        /// The verb.
        verb: &'static str,
        /// Where it is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Its output has nowhere to go.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// There is none.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// It has no such flag.
    #[error(transparent)]
    Flag(#[from] FlagError),
}

impl Explain for HelmError {
    fn exit(&self) -> Exit {
        match self {
            Self::Failed { trouble: Trouble::Pending, .. } => Exit::Pending,
            Self::Failed {
                trouble: Trouble::Unauthorized | Trouble::Forbidden | Trouble::Unreachable,
                ..
            } => Exit::Access,
            Self::Binary(error) => error.exit(),
            Self::Flag(error) => error.exit(),
            Self::Failed { .. }
            | Self::Run { .. }
            | Self::TooMuch { .. }
            | Self::Unreadable { .. }
            | Self::Folder(_) => Exit::Failure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Failed { trouble: Trouble::Pending, .. } => Some(
                "another deployment holds the release; if that was killed, `recover` or `up --recover` frees it"
                    .to_owned(),
            ),
            Self::Failed { trouble: Trouble::NoKind, .. } => Some(
                "install the custom resource definitions first; if they are in the chart's `crds` folder: \
                 kubectl apply -f CHART/crds"
                    .to_owned(),
            ),
            Self::Folder(error) => error.hint(),
            Self::Binary(error) => error.hint(),
            Self::Flag(error) => error.hint(),
            Self::Failed { .. } | Self::Run { .. } | Self::TooMuch { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// What Helm printed.
#[derive(Debug)]
pub(crate) struct Printed {
    /// To stdout.
    pub(crate) stdout: Vec<u8>,
    /// To stderr.
    pub(crate) stderr: Vec<u8>,
}

/// How the deploying run of Helm ended. What became of the release is asked afterwards.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whether Helm was content.
    pub(crate) success: bool,
    /// What asked us to stop meanwhile.
    pub(crate) stop: Option<Stop>,
    /// What Helm wrote to stderr.
    pub(crate) stderr: String,
}

/// A run of Helm that changes a release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deployment<'a> {
    /// Its arguments.
    pub(crate) arguments: &'a [String],
    /// What it reads from stdin.
    pub(crate) document: &'a [u8],
    /// What is hidden in what it prints.
    pub(crate) secrets: &'a Secrets,
    /// Whose commands must not be in it.
    pub(crate) ci: Ci,
    /// Whether stdout is for something else than its answer.
    pub(crate) aside: bool,
}

impl Deployment<'_> {
    fn output(&self) -> Box<dyn io::Write> {
        if self.aside { Box::new(io::stderr()) } else { Box::new(io::stdout()) }
    }

    /// How its lines are shown, by way of what each output needs besides.
    fn fit(&self, mut fit: impl FnMut(&str) -> Option<String> + 'static) -> Fit {
        let (secrets, ci) = (self.secrets.clone(), self.ci);
        Box::new(move |line| Some(ci.harmless(&secrets.hide(&fit(line)?))))
    }
}

/// The user's Helm, with our kubeconfig.
#[derive(Debug)]
pub(crate) struct Helm<'a> {
    program: PathBuf,
    own: &'a Path,
    folder: &'a RunFolder,
    calls: Cell<u32>,
    plugins: OnceCell<PathBuf>,
}

impl<'a> Helm<'a> {
    /// Finds the program by `HELM_BIN`, else on PATH. `own` is this program.
    pub(crate) fn find(own: &'a Path, folder: &'a RunFolder) -> Result<Self, BinaryError> {
        let helm_bin = env::var_os("HELM_BIN").filter(|text| !text.is_empty()).map(PathBuf::from);
        let program = binary::find(helm_bin.as_deref(), &binary::path_folders())?;
        Ok(Self { program, own, folder, calls: Cell::new(0), plugins: OnceCell::new() })
    }

    /// The program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// This program.
    pub(crate) fn own(&self) -> &'a Path {
        self.own
    }

    /// The folder of this run.
    pub(crate) fn folder(&self) -> &'a RunFolder {
        self.folder
    }

    /// Lets later runs find their plugins in this folder. It can be named once.
    pub(crate) fn use_plugins(&self, folder: PathBuf) {
        let _ = self.plugins.set(folder);
    }

    /// Asks for the version.
    pub(crate) async fn version(&self) -> Result<Version, HelmError> {
        let answer = self.read(&["version", "--template", "{{.Version}}"], Input::Nothing).await?;
        Ok(binary::supported(&self.program, &String::from_utf8_lossy(&answer.stdout))?)
    }

    /// Runs Helm for what it prints.
    pub(crate) async fn read(
        &self,
        arguments: &[impl AsRef<str>],
        input: Input<'_>,
    ) -> Result<Printed, HelmError> {
        let verb = || arguments.first().map_or("", AsRef::as_ref).to_owned();
        let (mut child, output) = self.start(arguments, input)?;
        let status = child.wait().await.map_err(|source| self.run_error(source))?;
        let stderr = fs::read(&output.stderr).unwrap_or_default();
        if !status.success() {
            return Err(failed(verb(), &String::from_utf8_lossy(&stderr)));
        }
        if fs::metadata(&output.stdout).is_ok_and(|metadata| metadata.len() > LARGEST_OUTPUT) {
            return Err(HelmError::TooMuch { verb: verb() });
        }
        let stdout = fs::read(&output.stdout).map_err(|source| self.run_error(source))?;
        // It may hold secrets: no longer there than needed.
        let _ = fs::remove_file(&output.stdout);
        Ok(Printed { stdout, stderr })
    }

    /// Runs Helm for what it does, showing what it prints.
    pub(crate) async fn deploy(
        &self,
        deployment: Deployment<'_>,
        next_stop: impl AsyncFnMut() -> Stop,
    ) -> Result<Ended, HelmError> {
        let (mut child, output) = self.start(deployment.arguments, Input::Document(deployment.document))?;
        let open = |path: &Path| fs::File::open(path).map_err(|source| self.run_error(source));
        let mut shown = [
            Shown::new(open(&output.stdout)?, deployment.output(), deployment.fit(explain::without_values())),
            Shown::new(open(&output.stderr)?, io::stderr(), deployment.fit(|line| Some(explain::fit(line)))),
        ];
        let (status, stop): (ExitStatus, _) =
            child.watch(&mut shown, next_stop, GRACE).await.map_err(|source| self.run_error(source))?;
        let stderr = deployment.secrets.hide(&String::from_utf8_lossy(&shown[1].text));
        Ok(Ended { success: status.success(), stop, stderr })
    }

    /// Reads the state of a release.
    pub(crate) async fn status(&self, release: &str, namespace: &str) -> Found {
        let arguments = ["status", release, "--namespace", namespace, "--output", "json"];
        match self.read(&arguments, Input::Nothing).await {
            Ok(printed) => match ReleaseState::parse(&printed.stdout) {
                Ok(state) => Found::Release(state),
                Err(error) => Found::Unreadable(error.to_string()),
            },
            Err(HelmError::Failed { message, .. }) if message.contains("release: not found") => {
                Found::Nothing
            }
            Err(error) => Found::Unreadable(error.to_string()),
        }
    }

    /// Reads a revision of a release, without one the last; `None` if there is no such release.
    pub(crate) async fn stored(
        &self,
        release: &str,
        namespace: &str,
        revision: Option<u64>,
    ) -> Result<Option<Stored>, HelmError> {
        let mut arguments =
            ["status", release, "--namespace", namespace, "--output", "json"].map(str::to_owned).to_vec();
        arguments.extend(revision.map(|revision| format!("--revision={revision}")));
        match self.read(&arguments, Input::Nothing).await {
            Ok(printed) => {
                let stored = serde_json::from_slice(&printed.stdout);
                stored.map(Some).map_err(|source| HelmError::Unreadable { verb: "status", source })
            }
            Err(HelmError::Failed { message, .. }) if message.contains("release: not found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the revisions of a release, the oldest first.
    pub(crate) async fn history(
        &self,
        release: &str,
        namespace: &str,
    ) -> Result<Vec<ReleaseState>, HelmError> {
        let arguments = ["history", release, "--namespace", namespace, "--output", "json"];
        let printed = self.read(&arguments, Input::Nothing).await?;
        let revisions = ReleaseState::parse_history(&printed.stdout);
        revisions.map_err(|source| HelmError::Unreadable { verb: "history", source })
    }

    fn start(&self, arguments: &[impl AsRef<str>], input: Input<'_>) -> Result<(Child, Output), HelmError> {
        let call = self.calls.replace(self.calls.get() + 1);
        let (stdout, stdout_file) = self.folder.file(&format!("helm-{call}.out"))?;
        let (stderr, stderr_file) = self.folder.file(&format!("helm-{call}.err"))?;
        let mut command = Command::new(self.own);
        command
            .arg(arm::VERB)
            .arg(std::process::id().to_string())
            .arg(&self.program)
            .args(arguments.iter().map(AsRef::as_ref))
            .stdout(stdout_file)
            .stderr(stderr_file);
        for name in
            env::vars_os().map(|(name, _)| name).filter(|name| name.to_str().is_some_and(is_ours_to_set))
        {
            command.env_remove(name);
        }
        command.env("KUBECONFIG", self.folder.path().join(KUBECONFIG));
        if let Some(plugins) = self.plugins.get() {
            command.env("HELM_PLUGINS", plugins);
        }
        let child = Child::spawn(command, input).map_err(|source| self.run_error(source))?;
        Ok((child, Output { stdout, stderr }))
    }

    fn run_error(&self, source: io::Error) -> HelmError {
        HelmError::Run { program: self.program.clone(), source }
    }
}

struct Output {
    stdout: PathBuf,
    stderr: PathBuf,
}

/// The error of a run that failed, from what it wrote to stderr.
pub(crate) fn failed(verb: String, stderr: &str) -> HelmError {
    HelmError::Failed { verb, message: explain::message(stderr), trouble: explain::trouble(stderr) }
}

/// Variables that would lead Helm elsewhere, or that belong to the outer Helm. Whom to act as in the cluster is the
/// user's choice and stays.
fn is_ours_to_set(name: &str) -> bool {
    match name {
        "HELM_KUBEASUSER" | "HELM_KUBEASGROUPS" => false,
        "HELM_NAMESPACE" | "HELM_PLUGIN_NAME" | "HELM_PLUGIN_DIR" | "KUBECONFIG" => true,
        name => name.starts_with("HELM_KUBE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_helm_does_not_get() {
        let check = |name: &str, expected: bool| assert_eq!(is_ours_to_set(name), expected, "{name}");
        check("HELM_KUBETOKEN", true);
        check("HELM_KUBECONTEXT", true);
        check("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", true);
        check("HELM_NAMESPACE", true);
        check("HELM_KUBEASUSER", false);
        check("HELM_PLUGINS", false);
        check("HELM_REGISTRY_CONFIG", false);
        check("AWS_PROFILE", false);
    }
}
