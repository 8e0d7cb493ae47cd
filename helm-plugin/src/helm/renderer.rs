//! How Helm is made to send its manifests through this program: to Helm 3 a post-renderer is a program, to Helm 4 a
//! plugin, which is put into a folder of plugins that only this run has. A post-renderer of the user's goes first.

use std::{
    collections::BTreeMap,
    env, fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    arguments::HelmArguments,
    binary::Version,
    child::Input,
    session::{Helm, HelmError},
};
use crate::{
    exit::Exit,
    failure::Explain,
    images::rewrite::Rewrites,
    run_folder::{RunFolder, RunFolderError},
};

/// The hidden verb: `eks-deploy post-render ORDER`.
pub(crate) const VERB: &str = "post-render";
const PLUGIN: &str = "eks-deploy-post-render";

/// What the renderer's process is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// What images become.
    pub(crate) images: Rewrites,
    /// The user's own renderer.
    pub(crate) first: Option<Program>,
}

/// A program, as Helm would start it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Program {
    /// The program.
    pub(crate) path: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// What it finds in its environment besides ours.
    pub(crate) environment: BTreeMap<String, String>,
}

/// Helm cannot be made to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RendererError {
    /// The user's own is none that can be started here.
    #[error("post-renderer `{name}` cannot be run before ours: {reason}")]
    First {
        /// As it was named.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The folder of plugins cannot be made.
    #[error("cannot make a folder of plugins in `{}`", path.display())]
    Plugins {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// Helm does not say where its plugins are.
    #[error(transparent)]
    Helm(#[from] HelmError),
}

impl Explain for RendererError {
    fn exit(&self) -> Exit {
        match self {
            Self::First { .. } => Exit::Usage,
            Self::Plugins { .. } => Exit::Failure,
            Self::Folder(error) => error.exit(),
            Self::Helm(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::First { .. } => Some(
                "where values can say every image by digest, yours alone is run: --via values tells which cannot"
                    .to_owned(),
            ),
            Self::Plugins { .. } => None,
            Self::Folder(error) => error.hint(),
            Self::Helm(error) => error.hint(),
        }
    }
}

/// Makes it so for the next runs of this Helm; `arguments` are changed to say it.
pub(crate) async fn install(
    helm: &Helm<'_>,
    version: &Version,
    typed: &HelmArguments,
    images: Rewrites,
    arguments: &mut Vec<String>,
) -> Result<(), RendererError> {
    arguments.retain(|argument| !argument.starts_with("--post-renderer"));
    let (own, folder) = (helm.own(), helm.folder());
    let theirs: Vec<String> = typed.all("post-renderer-args").map(str::to_owned).collect();
    let name = typed.get("post-renderer");
    if version.major < 4 {
        let first =
            name.map(|name| Program { path: name.to_owned(), arguments: theirs, ..Program::default() });
        let order = write(folder, &Order { images, first })?;
        arguments.push(format!("--post-renderer={}", own.display()));
        arguments.extend([VERB, &order.to_string_lossy()].map(|part| format!("--post-renderer-args={part}")));
        return Ok(());
    }
    let plugins = plugins(helm).await?;
    let first = name.map(|name| find(name, &plugins)?.program(theirs)).transpose()?;
    let order = write(folder, &Order { images, first })?;
    helm.use_plugins(overlay(folder, &plugins, own, &order)?);
    arguments.push(format!("--post-renderer={PLUGIN}"));
    Ok(())
}

fn write(folder: &RunFolder, order: &Order) -> Result<PathBuf, RunFolderError> {
    folder.write("post-render.json", json!(order).to_string().as_bytes())
}

/// The folders of the user's plugins.
async fn plugins(helm: &Helm<'_>) -> Result<Vec<PathBuf>, RendererError> {
    let named = env::var_os("HELM_PLUGINS").filter(|text| !text.is_empty());
    let named = if let Some(named) = named {
        named
    } else {
        let printed = helm.read(&["env", "HELM_PLUGINS"], Input::Nothing).await?;
        String::from_utf8_lossy(&printed.stdout).trim().to_owned().into()
    };
    let folders = env::split_paths(&named).filter_map(|folder| fs::read_dir(folder).ok());
    let plugins = folders.flatten().flatten().filter_map(|entry| fs::canonicalize(entry.path()).ok());
    Ok(plugins.filter(|plugin| plugin.join("plugin.yaml").is_file()).collect())
}

/// One folder with all of the user's plugins and ours: Helm 4 does not look for getters in a list of folders.
fn overlay(
    folder: &RunFolder,
    plugins: &[PathBuf],
    own: &Path,
    order: &Path,
) -> Result<PathBuf, RendererError> {
    let path = folder.path().join("plugins");
    let make = || {
        let ours = path.join(PLUGIN);
        fs::create_dir_all(&ours)?;
        for plugin in plugins {
            match symlink(plugin, path.join(plugin.file_name().unwrap_or_default())) {
                // Helm takes the first of two as well.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        fs::write(ours.join("plugin.yaml"), manifest(own, order).to_string())
    };
    make().map_err(|source| RendererError::Plugins { path: path.clone(), source })?;
    Ok(path)
}

fn manifest(own: &Path, order: &Path) -> serde_json::Value {
    let command = json!({"command": own.to_string_lossy(), "args": [VERB, order.to_string_lossy()]});
    json!({
        "apiVersion": "v1", "type": "postrenderer/v1", "name": PLUGIN, "version": env!("CARGO_PKG_VERSION"),
        "runtime": "subprocess", "runtimeConfig": {"platformCommand": [command]},
    })
}

/// A plugin of the user's, as far as it is a post-renderer.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, rename = "runtimeConfig")]
    runtime: Runtime,
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
struct Runtime {
    #[serde(default, rename = "platformCommand")]
    commands: Vec<Command>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Command {
    #[serde(default, alias = "operatingSystem")]
    os: String,
    #[serde(default, alias = "architecture")]
    arch: String,
    #[serde(default, rename = "command")]
    line: String,
    #[serde(default)]
    args: Vec<String>,
}

fn find(name: &str, plugins: &[PathBuf]) -> Result<Manifest, RendererError> {
    let read = |folder: &PathBuf| {
        let text = fs::read_to_string(folder.join("plugin.yaml")).ok()?;
        let manifest: Manifest = serde_yaml_ng::from_str(&text).ok()?;
        (manifest.name == name && manifest.kind == "postrenderer/v1")
            .then(|| Manifest { folder: folder.clone(), ..manifest })
    };
    plugins.iter().find_map(read).ok_or_else(|| RendererError::First {
        name: name.to_owned(),
        reason: "there is no such plugin of type postrenderer/v1".to_owned(),
    })
}

impl Manifest {
    /// What Helm would start for it on this machine.
    fn program(self, more: Vec<String>) -> Result<Program, RendererError> {
        let system = if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS };
        let machine = match env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let command = |os: &str, arch: &str| {
            self.runtime.commands.iter().find(|command| command.os == os && command.arch == arch)
        };
        let found = command(system, machine).or_else(|| command(system, "")).or_else(|| command("", ""));
        let Some(found) = found.filter(|found| !found.line.is_empty()) else {
            let reason = "it has no command for this system".to_owned();
            return Err(RendererError::First { name: self.name, reason });
        };
        let environment = BTreeMap::from([
            ("HELM_PLUGIN_DIR".to_owned(), self.folder.to_string_lossy().into_owned()),
            ("HELM_PLUGIN_NAME".to_owned(), self.name.clone()),
        ]);
        let expand = |text: &str| {
            expand(text, |name| {
                environment.get(name).cloned().or_else(|| env::var(name).ok()).unwrap_or_default()
            })
        };
        let arguments = found.args.iter().map(|argument| expand(argument)).chain(more).collect();
        Ok(Program { path: expand(&found.line), arguments, environment })
    }
}

/// `$NAME` and `${NAME}` as Go's `os.ExpandEnv` reads them.
fn expand(text: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = text.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_other = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let braced = part.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, rest) = braced.unwrap_or_else(|| part.split_at(part.find(is_other).unwrap_or(part.len())));
        out.push_str(&value(name));
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_expanded_as_helm_does() {
        let check = |text: &str, expected: &str| {
            assert_eq!(expand(text, |name| format!("<{name}>")), expected);
        };
        check("plain", "plain");
        check("$A/b ${C}d$E_1", "<A>/b <C>d<E_1>");
        check("${open $", "<>{open <>");
    }

    #[test]
    fn the_command_for_this_system_is_taken() {
        let check = |commands: &str, expected: Option<&str>| {
            let text =
                format!("name: p\ntype: postrenderer/v1\nruntimeConfig: {{platformCommand: {commands}}}\n");
            let manifest: Manifest = serde_yaml_ng::from_str(&text).unwrap();
            let program = Manifest { folder: "/p".into(), ..manifest }.program(vec!["more".to_owned()]);
            let said =
                program.as_ref().ok().map(|found| format!("{} {}", found.path, found.arguments.join(" ")));
            assert_eq!(said.as_deref(), expected, "{program:?}");
        };
        let here = if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS };
        check("[{command: $HELM_PLUGIN_DIR/x, args: [$HELM_PLUGIN_NAME]}]", Some("/p/x p more"));
        check(&format!("[{{command: any}}, {{os: {here}, command: mine}}]"), Some("mine more"));
        check("[{os: plan9, command: x}]", None);
        check("[]", None);
    }
}
