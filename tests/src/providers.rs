//! Where Terraform and OpenTofu find providers: hashicorp/aws in the machine's mirror, ours and those that examples use beside
//! it in the lab's.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cache::{Cache, lock};
use crate::tool::go::Module;
use crate::tool::{HELM_PROVIDER, TLS_PROVIDER, terraform};

/// The address of our provider.
const OURS: &str = "registry.terraform.io/eks-deploy/ecr";
/// The addresses of those that examples use beside it.
const OTHERS: [(&str, Module); 2] = [
    ("registry.terraform.io/hashicorp/helm", HELM_PROVIDER),
    ("registry.terraform.io/hashicorp/tls", TLS_PROVIDER),
];
const VERSION: &str = env!("CARGO_PKG_VERSION");
const PLATFORM: &str = "linux_amd64";

/// The file that `TF_CLI_CONFIG_FILE` names.
pub fn cli_config_path(cache: &Cache) -> PathBuf {
    cache.join("terraform.rc")
}

/// Writes that file, and says where it is.
pub fn write_cli_config(cache: &Cache) -> Result<PathBuf> {
    let path = cli_config_path(cache);
    let text = cli_config(&mirror(cache), terraform::mirror().as_deref())?;
    fs::create_dir_all(mirror(cache))?;
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}

/// Puts a build of our provider where plain `init` finds it.
pub fn install(cache: &Cache, binary: &Path) -> Result<()> {
    install_as(cache, binary, OURS, VERSION)
}

/// Builds those that examples use beside ours unless that was done before, and puts them there.
pub fn install_others(cache: &Cache) -> Result<()> {
    OTHERS.iter().try_for_each(|(address, module)| {
        install_as(cache, &module.install(cache, module.name)?, address, module.version)
    })
}

fn install_as(cache: &Cache, binary: &Path, address: &str, version: &str) -> Result<()> {
    let folder = mirror(cache).join(address).join(version).join(PLATFORM);
    fs::create_dir_all(&folder)?;
    let _one_at_a_time = lock(&mirror(cache).join("lock"))?;
    let part = mirror(cache).join("part");
    fs::copy(binary, &part).with_context(|| format!("cannot copy `{}`", binary.display()))?;
    let name = address.rsplit('/').next().unwrap_or_default();
    fs::rename(&part, folder.join(format!("terraform-provider-{name}_v{version}")))?;
    Ok(())
}

fn mirror(cache: &Cache) -> PathBuf {
    cache.join("providers")
}

/// Everything that no mirror holds is downloaded, as a user's would be.
fn cli_config(ours: &Path, machine: Option<&Path>) -> Result<String> {
    let mut text = String::from("provider_installation {\n");
    let own = std::iter::once(OURS).chain(OTHERS.iter().map(|(address, _)| *address));
    let mut excluded = own.map(|address| format!("\"{address}\"")).collect::<Vec<_>>().join(", ");
    let mut mirror = |folder: &Path, providers: &str| {
        let folder = folder.to_string_lossy();
        writeln!(text, "  filesystem_mirror {{\n    path    = {folder:?}\n    include = [{providers}]\n  }}")
    };
    mirror(ours, &excluded)?;
    if let Some(folder) = machine {
        let provider = "\"registry.terraform.io/hashicorp/aws\"";
        mirror(folder, provider)?;
        write!(excluded, ", {provider}")?;
    }
    writeln!(text, "  direct {{\n    exclude = [{excluded}]\n  }}\n}}")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_come_before_downloads() {
        let text = cli_config(Path::new("/lab"), Some(Path::new("/opt/mirror"))).unwrap();
        let expected = r#"provider_installation {
  filesystem_mirror {
    path    = "/lab"
    include = ["registry.terraform.io/eks-deploy/ecr", "registry.terraform.io/hashicorp/helm", "registry.terraform.io/hashicorp/tls"]
  }
  filesystem_mirror {
    path    = "/opt/mirror"
    include = ["registry.terraform.io/hashicorp/aws"]
  }
  direct {
    exclude = ["registry.terraform.io/eks-deploy/ecr", "registry.terraform.io/hashicorp/helm", "registry.terraform.io/hashicorp/tls", "registry.terraform.io/hashicorp/aws"]
  }
}
"#;
        assert_eq!(text, expected);
        assert!(!cli_config(Path::new("/lab"), None).unwrap().contains("/aws"));
    }

    #[test]
    fn a_new_build_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, binary) = (Cache::at(folder.path().join("cache")), folder.path().join("build"));
        for build in ["one", "two"] {
            fs::write(&binary, build).unwrap();
            install(&cache, &binary).unwrap();
            let installed = mirror(&cache).join(OURS).join(VERSION).join(PLATFORM);
            let file = installed.join(format!("terraform-provider-ecr_v{VERSION}"));
            assert_eq!(fs::read_to_string(file).unwrap(), build);
        }
    }
}
