//! A folder with a configuration, and the commands one runs in it.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::Value as Json;
use tempfile::TempDir;

use super::{
    Cli, CliError, Plan, Run, Running,
    install::{Installed, failed},
};

/// Long enough for a busy machine.
const LIMIT: Duration = Duration::from_mins(3);

/// A temporary folder with a configuration and its state, its own home, and providers. Goes away when dropped.
#[derive(Debug)]
pub struct Workspace {
    cli: Cli,
    root: TempDir,
    installed: Installed,
    variables: Vec<(OsString, OsString)>,
    limit: Duration,
    count: AtomicU32,
}

impl Workspace {
    /// An empty one, without providers.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(cli: &Cli) -> Result<Self, CliError> {
        let root = tempfile::Builder::new().prefix("tfplugin-").tempdir();
        let root = root.map_err(|source| failed(&std::env::temp_dir(), source))?;
        for folder in ["home", "work", "tmp"].map(|name| root.path().join(name)) {
            fs::create_dir(&folder).map_err(|source| failed(&folder, source))?;
        }
        let workspace = Self {
            cli: cli.clone(),
            root,
            installed: Installed::default(),
            variables: Vec::new(),
            limit: LIMIT,
            count: AtomicU32::new(0),
        };
        workspace.installed.write(workspace.root.path())?;
        Ok(workspace)
    }

    /// Installs a provider's program by development override: no version, no lock file, no `init`.
    /// `address` is written out, as in `example.com/me/text`.
    ///
    /// # Errors
    /// If the program cannot be linked or copied.
    pub fn overriding(mut self, address: &str, program: impl AsRef<Path>) -> Result<Self, CliError> {
        self.installed.add_override(self.root.path(), address, program.as_ref())?;
        self.installed.write(self.root.path())?;
        Ok(self)
    }

    /// Offers a provider's program as a release that [`Workspace::init`] finds, locks and installs.
    ///
    /// # Errors
    /// If the program cannot be linked or copied.
    pub fn releasing(
        mut self,
        address: &str,
        version: &str,
        program: impl AsRef<Path>,
    ) -> Result<Self, CliError> {
        self.installed.add_release(self.root.path(), address, version, program.as_ref())?;
        Ok(self)
    }

    /// Sets a variable of the environment of all commands.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// How long a command may take; three minutes if nothing is said.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The program it works with.
    pub fn cli(&self) -> &Cli {
        &self.cli
    }

    /// Where the configuration is, and the commands run.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Writes a file of the configuration.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), CliError> {
        let file = self.folder().join(name);
        let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(&file, text)).map_err(|source| failed(&file, source))
    }

    /// Starts any command. Its log is kept for [`Run::calls`].
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn start(&self, arguments: &[&str]) -> Result<Running, CliError> {
        let mut command = super::command(self.cli.program());
        let home = self.root.path().join("home");
        command
            .args(arguments)
            .current_dir(self.folder())
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", &home)
            .env("TMPDIR", self.root.path().join("tmp"))
            .env("TF_CLI_CONFIG_FILE", self.root.path().join("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        let log = self.root.path().join(format!("log-{}", self.number()));
        Running::start(command, format!("{} {}", self.cli, arguments.join(" ")), log)
    }

    /// Runs any command to its end, however it ends.
    ///
    /// # Errors
    /// If it cannot be run or does not end.
    pub fn run(&self, arguments: &[&str]) -> Result<Run, CliError> {
        self.start(arguments)?.wait(self.limit)
    }

    fn sound(&self, command: &[&str], options: &[&str]) -> Result<Run, CliError> {
        let arguments: Vec<_> = command.iter().chain(options).copied().collect();
        self.run(&arguments)?.sound()
    }

    /// `init`. With development overrides alone there is nothing to do.
    ///
    /// # Errors
    /// [`CliError::Failed`] if it fails; so do all commands below, also if they call the provider faulty.
    pub fn init(&self, options: &[&str]) -> Result<Run, CliError> {
        if self.installed.needs_init() || !options.is_empty() {
            self.sound(&["init", "-no-color", "-input=false"], options)
        } else {
            Ok(Run::default())
        }
    }

    /// `validate`.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn validate(&self) -> Result<Run, CliError> {
        self.sound(&["validate", "-no-color"], &[])
    }

    /// `plan`, saved and read; further options such as `-destroy`, `-replace=…`, `-refresh-only`.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn plan(&self, options: &[&str]) -> Result<Plan, CliError> {
        let file = self.root.path().join(format!("plan-{}", self.number()));
        let name = file.display().to_string();
        let run = self.sound(&["plan", "-no-color", "-input=false", "-out", &name], options)?;
        let shown = self.sound(&["show", "-json", &name], &[])?;
        Plan::read(run, file, &shown)
    }

    /// `apply` of a saved plan.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn apply_plan(&self, plan: &Plan) -> Result<Run, CliError> {
        let file = plan.file.display().to_string();
        self.sound(&["apply", "-no-color", "-input=false", &file], &[])
    }

    /// `apply`, unasked.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn apply(&self, options: &[&str]) -> Result<Run, CliError> {
        self.sound(&["apply", "-no-color", "-input=false", "-auto-approve"], options)
    }

    /// `apply -refresh-only`, unasked: takes changes made elsewhere over into the state.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn refresh(&self) -> Result<Run, CliError> {
        self.apply(&["-refresh-only"])
    }

    /// `destroy`, unasked.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn destroy(&self, options: &[&str]) -> Result<Run, CliError> {
        self.sound(&["destroy", "-no-color", "-input=false", "-auto-approve"], options)
    }

    /// `import ADDRESS ID`.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn import(&self, address: &str, id: &str) -> Result<Run, CliError> {
        self.sound(&["import", "-no-color", "-input=false", address, id], &[])
    }

    /// `state COMMAND …`, such as `list`, `show ADDRESS`, `rm ADDRESS`, `mv FROM TO`.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn state(&self, command: &[&str]) -> Result<Run, CliError> {
        self.sound(&["state"], command)
    }

    /// The attributes of a resource in the state; null if it is not there.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn attributes(&self, address: &str) -> Result<Json, CliError> {
        Ok(self.resource(address)?["values"].take())
    }

    /// The identity of a resource in the state; null if there is none.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn identity(&self, address: &str) -> Result<Json, CliError> {
        Ok(self.resource(address)?["identity"].take())
    }

    fn resource(&self, address: &str) -> Result<Json, CliError> {
        let state = self.sound(&["show", "-json"], &[])?.json()?;
        Ok(find(&state["values"]["root_module"], address).cloned().unwrap_or_default())
    }

    /// The value of an output; null if there is none.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn output(&self, name: &str) -> Result<Json, CliError> {
        Ok(self.sound(&["output", "-json"], &[])?.json()?[name]["value"].take())
    }

    /// `query`: lists what the `*.tfquery.hcl` files ask for. Gives one JSON document per line.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn query(&self, options: &[&str]) -> Result<Vec<Json>, CliError> {
        let run = self.sound(&["query", "-json"], options)?;
        let lines = run.stdout.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        lines.map_err(|source| CliError::Unreadable { command: run.command, source })
    }

    /// `test`: runs the `*.tftest.hcl` files.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn test(&self, options: &[&str]) -> Result<Run, CliError> {
        self.sound(&["test", "-no-color"], options)
    }

    /// `providers schema`.
    ///
    /// # Errors
    /// As [`Workspace::init`].
    pub fn schema(&self) -> Result<Json, CliError> {
        self.sound(&["providers", "schema", "-json"], &[])?.json()
    }

    fn number(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }
}

/// The resource at an address, in a module or those below it.
fn find<'a>(module: &'a Json, address: &str) -> Option<&'a Json> {
    let list = |name: &str| module[name].as_array().into_iter().flatten();
    let here = list("resources").find(|resource| resource["address"] == address);
    here.or_else(|| list("child_modules").find_map(|child| find(child, address)))
}
