//! How providers get into a workspace: by development override, or from a mirror as if released.

use std::{
    collections::BTreeMap,
    env::consts::{ARCH, EXE_SUFFIX, OS},
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use super::CliError;

/// Providers of a workspace, by source address.
#[derive(Debug, Default)]
pub(super) struct Installed {
    overrides: BTreeMap<String, PathBuf>,
    mirrored: bool,
}

impl Installed {
    /// The configuration file of the CLI: nothing but what is installed here, and no download.
    fn configuration(&self, root: &Path) -> String {
        let mut text = "provider_installation {\n".to_owned();
        if !self.overrides.is_empty() {
            text.push_str("  dev_overrides {\n");
            for (address, folder) in &self.overrides {
                let _ = writeln!(text, "    {address:?} = {:?}", folder.display().to_string());
            }
            text.push_str("  }\n");
        }
        let mirror = root.join("mirror").display().to_string();
        let _ = writeln!(text, "  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}");
        text
    }

    pub(super) fn write(&self, root: &Path) -> Result<(), CliError> {
        let file = root.join("cli.tfrc");
        fs::create_dir_all(root.join("mirror")).map_err(|source| failed(&root.join("mirror"), source))?;
        fs::write(&file, self.configuration(root)).map_err(|source| failed(&file, source))
    }

    /// Puts a program where an override finds it.
    pub(super) fn add_override(
        &mut self,
        root: &Path,
        address: &str,
        program: &Path,
    ) -> Result<(), CliError> {
        let folder = root.join("overrides").join(address.replace('/', "-"));
        place(program, &folder.join(format!("terraform-provider-{}{EXE_SUFFIX}", name(address))))?;
        self.overrides.insert(address.to_owned(), folder);
        Ok(())
    }

    /// Puts a program where `init` finds it.
    pub(super) fn add_release(
        &mut self,
        root: &Path,
        address: &str,
        version: &str,
        program: &Path,
    ) -> Result<(), CliError> {
        let folder = root.join("mirror").join(address).join(version).join(platform());
        place(program, &folder.join(format!("terraform-provider-{}_v{version}{EXE_SUFFIX}", name(address))))?;
        self.mirrored = true;
        Ok(())
    }

    /// Whether `init` has something to install.
    pub(super) fn needs_init(&self) -> bool {
        self.mirrored
    }
}

fn name(address: &str) -> &str {
    address.rsplit('/').next().unwrap_or(address)
}

/// As Go calls it: `linux_amd64`.
fn platform() -> String {
    let system = if cfg!(target_os = "macos") { "darwin" } else { OS };
    let machine = match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("{system}_{machine}")
}

fn place(program: &Path, to: &Path) -> Result<(), CliError> {
    let link = || -> io::Result<()> {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        // A link costs nothing; over the border of a file system only a copy is possible.
        fs::hard_link(program, to).or_else(|_| fs::copy(program, to).map(drop))
    };
    link().map_err(|source| failed(program, source))
}

pub(super) fn failed(path: &Path, source: io::Error) -> CliError {
    CliError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installs_without_a_download() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("program");
        fs::write(&program, "").unwrap();
        let mut installed = Installed::default();
        installed.add_override(root.path(), "example.com/me/text", &program).unwrap();
        installed.add_release(root.path(), "example.com/me/text", "1.2.3", &program).unwrap();
        installed.write(root.path()).unwrap();
        let text = fs::read_to_string(root.path().join("cli.tfrc")).unwrap();
        let shown = text.replace(&root.path().display().to_string(), "ROOT");
        assert_eq!(
            shown,
            "provider_installation {\n  dev_overrides {\n    \"example.com/me/text\" = \
             \"ROOT/overrides/example.com-me-text\"\n  }\n  filesystem_mirror {\n    path = \"ROOT/mirror\"\n  }\n}\n"
        );
        let folder = root.path().join("mirror/example.com/me/text/1.2.3").join(platform());
        assert!(folder.join("terraform-provider-text_v1.2.3").is_file());
    }
}
