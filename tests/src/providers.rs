//! Where Terraform and OpenTofu find providers: hashicorp/aws in the machine's mirror, ours in one of the lab's.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cache::{Cache, lock};
use crate::tool::terraform;

/// The address of our provider.
const OURS: &str = "registry.terraform.io/eks-deploy/ecr";
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
    let folder = mirror(cache).join(OURS).join(VERSION).join(PLATFORM);
    fs::create_dir_all(&folder)?;
    let _one_at_a_time = lock(&mirror(cache).join("lock"))?;
    let part = mirror(cache).join("part");
    fs::copy(binary, &part).with_context(|| format!("cannot copy `{}`", binary.display()))?;
    fs::rename(&part, folder.join(format!("terraform-provider-ecr_v{VERSION}")))?;
    Ok(())
}

fn mirror(cache: &Cache) -> PathBuf {
    cache.join("providers")
}

/// Everything that no mirror holds is downloaded, as a user's would be.
fn cli_config(ours: &Path, machine: Option<&Path>) -> Result<String> {
    let mut text = String::from("provider_installation {\n");
    let mut excluded = format!("\"{OURS}\"");
    let mut mirror = |folder: &Path, provider: &str| {
        let folder = folder.to_string_lossy();
        writeln!(
            text,
            "  filesystem_mirror {{\n    path    = {folder:?}\n    include = [\"{provider}\"]\n  }}"
        )
    };
    mirror(ours, OURS)?;
    if let Some(folder) = machine {
        let provider = "registry.terraform.io/hashicorp/aws";
        mirror(folder, provider)?;
        write!(excluded, ", \"{provider}\"")?;
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
    include = ["registry.terraform.io/eks-deploy/ecr"]
  }
  filesystem_mirror {
    path    = "/opt/mirror"
    include = ["registry.terraform.io/hashicorp/aws"]
  }
  direct {
    exclude = ["registry.terraform.io/eks-deploy/ecr", "registry.terraform.io/hashicorp/aws"]
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
