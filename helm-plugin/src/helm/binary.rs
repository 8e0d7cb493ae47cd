//! Which Helm is run, and how old it is.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use crate::{exit::Exit, failure::Explain};

/// The oldest line whose server-side dry run and flags `up` rests on.
const OLDEST: (u64, u64) = (3, 18);

/// A version of Helm. Helm says `v4.3` where other programs say `4.3.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    /// 3 or 4.
    pub(crate) major: u64,
    /// The line within it.
    pub(crate) minor: u64,
    /// 0 where Helm does not say.
    pub(crate) patch: u64,
}

impl Version {
    /// Reads `v4.3`, `v3.22.1`, `4.3.0-rc.1+g1234`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let numbers = text.strip_prefix('v').unwrap_or(text).split(['-', '+']).next()?;
        let mut numbers = numbers.split('.').map(|number| number.parse().ok());
        let version = Self {
            major: numbers.next()??,
            minor: numbers.next().unwrap_or(Some(0))?,
            patch: numbers.next().unwrap_or(Some(0))?,
        };
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// There is no Helm to run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BinaryError {
    /// Not on PATH, and nothing else names one.
    #[error("helm is not on PATH")]
    NotOnPath,
    /// `HELM_BIN` names something else.
    #[error("HELM_BIN is `{}`, which is not a program", .0.display())]
    NotAProgram(PathBuf),
    /// It says no version.
    #[error("`{} version` says `{answer}`, which is no version of Helm", path.display())]
    NoVersion {
        /// The program.
        path: PathBuf,
        /// Its answer.
        answer: String,
    },
    /// It is of a line that we do not work with.
    #[error("`{}` is Helm {version}", path.display())]
    TooOld {
        /// The program.
        path: PathBuf,
        /// Its version.
        version: Version,
    },
}

impl Explain for BinaryError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotOnPath => {
                "install Helm 4 (https://helm.sh/docs/intro/install), or name the program in HELM_BIN"
                    .to_owned()
            }
            Self::NotAProgram(_) | Self::NoVersion { .. } => {
                "HELM_BIN names the helm to run; without it the one on PATH is taken".to_owned()
            }
            Self::TooOld { .. } => format!("eks-deploy works with Helm {}.{} and newer", OLDEST.0, OLDEST.1),
        })
    }
}

/// The Helm to run, as an absolute path: `HELM_BIN`, which Helm sets for its plugins to whatever it was called by,
/// else the one on PATH.
pub(crate) fn find(helm_bin: Option<&Path>, path: &[PathBuf]) -> Result<PathBuf, BinaryError> {
    match helm_bin {
        Some(named) if named.components().count() > 1 => {
            let absolute = std::path::absolute(named).unwrap_or_else(|_| named.to_owned());
            if is_program(&absolute) { Ok(absolute) } else { Err(BinaryError::NotAProgram(named.to_owned())) }
        }
        Some(bare) => on_path(bare, path).ok_or_else(|| BinaryError::NotAProgram(bare.to_owned())),
        None => on_path(Path::new("helm"), path).ok_or(BinaryError::NotOnPath),
    }
}

/// The program of this name on PATH, absolute.
pub(crate) fn on_path(name: &Path, path: &[PathBuf]) -> Option<PathBuf> {
    let candidates = path.iter().map(|folder| folder.join(name));
    candidates
        .filter_map(|candidate| std::path::absolute(candidate).ok())
        .find(|candidate| is_program(candidate))
}

/// The folders of PATH.
pub(crate) fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// What a program answers when asked for its version, as a version that we work with.
pub(crate) fn supported(path: &Path, answer: &str) -> Result<Version, BinaryError> {
    let path = path.to_owned();
    let Some(version) = Version::parse(answer) else {
        return Err(BinaryError::NoVersion { path, answer: answer.trim().to_owned() });
    };
    if (version.major, version.minor) < OLDEST {
        return Err(BinaryError::TooOld { path, version });
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn rule_14_versions() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                Version::parse(text).map(|version| version.to_string()).as_deref(),
                expected,
                "{text}"
            );
        };
        check("v4.3", Some("4.3.0"));
        check("v3.22.1\n", Some("3.22.1"));
        check("4.3.0-rc.1+g12ab", Some("4.3.0"));
        check("v4", Some("4.0.0"));
        check("", None);
        check("v4.3.0.1", None);
        check("helm", None);
    }

    #[test]
    fn lines_that_we_work_with() {
        let check = |answer: &str, expected: &str| {
            let got = supported(Path::new("/bin/helm"), answer);
            assert_eq!(got.map_or_else(|error| error.to_string(), |version| version.to_string()), expected);
        };
        check("v4.3", "4.3.0");
        check("v3.17.9", "`/bin/helm` is Helm 3.17.9");
        check("v2.16.0", "`/bin/helm` is Helm 2.16.0");
        check("what?\n", "`/bin/helm version` says `what?`, which is no version of Helm");
    }

    #[test]
    fn rule_14_finds_the_program_before_any_change_of_folder() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helm");
        fs::write(&program, "").unwrap();
        let path = [PathBuf::from("/nonexistent"), folder.path().to_owned()];
        let check = |helm_bin: Option<&Path>, expected: Result<&Path, &str>| {
            let got = find(helm_bin, &path).map_err(|error| error.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), expected);
        };
        check(None, Err("helm is not on PATH"));
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        check(None, Ok(&program));
        check(Some(Path::new("helm")), Ok(&program));
        check(Some(&program), Ok(&program));
        let here = env::current_dir().unwrap();
        let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
        let relative = up.join(program.strip_prefix("/").unwrap());
        check(Some(&relative), Ok(&here.join(&relative)));
        check(Some(Path::new("helm9")), Err("HELM_BIN is `helm9`, which is not a program"));
        check(
            Some(Path::new("/nonexistent/helm")),
            Err("HELM_BIN is `/nonexistent/helm`, which is not a program"),
        );
    }
}
