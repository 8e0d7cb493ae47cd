//! The plugin as Helm installs it: one program, packed twice, since Helm 3 and Helm 4 read different manifests and look
//! for them at different places. Equal programs give equal bytes.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::programs::checkout;

/// The packages of one program.
#[derive(Debug)]
pub struct PluginPackages {
    /// For Helm 3, which finds the manifest at the root, and asks for it by a URL or as an unpacked folder.
    pub helm3: PathBuf,
    /// For Helm 4, which looks into a folder of the plugin's name, and takes the file itself.
    pub helm4: PathBuf,
}

/// Packs a program for a system and a machine as Go calls them: `linux`, `amd64`.
pub fn pack(program: &Path, (system, machine): (&str, &str), out: &Path) -> Result<PluginPackages> {
    let name = format!("eks-deploy-{}-{system}-{machine}.tgz", env!("CARGO_PKG_VERSION"));
    let write = |line: &str, manifest: &str, prefix: &str| {
        let folder = out.join(line);
        fs::create_dir_all(&folder)?;
        let (manifest, licence) = (read(manifest)?, read("LICENSE")?);
        let program = fs::read(program).with_context(|| format!("cannot read `{}`", program.display()))?;
        let binary = if system == "windows" { "bin/eks-deploy.exe" } else { "bin/eks-deploy" };
        let path = folder.join(&name);
        let mut tar = Builder::new(GzBuilder::new().write(File::create(&path)?, Compression::best()));
        // Helm 3 makes no folder that has no entry.
        let folders = [prefix.to_owned(), format!("{prefix}bin/")];
        folders
            .iter()
            .filter(|folder| !folder.is_empty())
            .try_for_each(|folder| add(&mut tar, folder, None))?;
        add(&mut tar, &format!("{prefix}LICENSE"), Some((&licence, 0o644)))?;
        add(&mut tar, &format!("{prefix}plugin.yaml"), Some((&manifest, 0o644)))?;
        add(&mut tar, &format!("{prefix}{binary}"), Some((&program, 0o755)))?;
        tar.into_inner()?.finish()?.flush()?;
        anyhow::Ok(path)
    };
    Ok(PluginPackages {
        helm3: write("helm3", "helm-plugin/plugin.yaml", "")?,
        helm4: write("helm4", "helm-plugin/helm4/plugin.yaml", "eks-deploy/")?,
    })
}

fn read(name: &str) -> Result<Vec<u8>> {
    fs::read(checkout().join(name)).with_context(|| format!("cannot read `{name}`"))
}

/// A file with its mode, or a folder: of no time, of no one.
fn add(tar: &mut Builder<impl Write>, path: &str, file: Option<(&[u8], u32)>) -> Result<()> {
    let (content, mode) = file.unwrap_or((&[], 0o755));
    let mut header = Header::new_ustar();
    header.set_entry_type(if file.is_some() { EntryType::Regular } else { EntryType::Directory });
    header.set_mode(mode);
    header.set_size(content.len().try_into()?);
    tar.append_data(&mut header, path, content)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    /// The files of a package, with their modes.
    fn files(package: &Path) -> BTreeMap<String, (u32, String)> {
        let mut tar = tar::Archive::new(GzDecoder::new(File::open(package).unwrap()));
        let read = |mut entry: tar::Entry<'_, _>| {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().display().to_string(), (entry.header().mode().unwrap(), text))
        };
        tar.entries().unwrap().map(|entry| read(entry.unwrap())).collect()
    }

    #[test]
    fn manifests_name_the_program_that_is_in_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "x").unwrap();
        let check = |system: &str, written: &str, path: &str| {
            let packages = pack(&program, (system, "amd64"), folder.path()).unwrap();
            for (package, prefix) in [(packages.helm3, ""), (packages.helm4, "eks-deploy/")] {
                let files = files(&package);
                assert_eq!(files[&format!("{prefix}{path}")], (0o755, "x".to_owned()), "{package:?}");
                let (_, manifest) = &files[&format!("{prefix}plugin.yaml")];
                assert!(manifest.contains(written), "`{written}` is not in {manifest}");
            }
        };
        check("linux", r#"command: "$HELM_PLUGIN_DIR/bin/eks-deploy""#, "bin/eks-deploy");
        check("windows", r#"command: "$HELM_PLUGIN_DIR\\bin\\eks-deploy.exe""#, "bin/eks-deploy.exe");
    }
}
