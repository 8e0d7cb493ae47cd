//! The plan file: what someone looked at, to be asserted by `up --expect`.
//!
//! It supplies nothing. What is deployed comes from the command line both times; the file only says what has to come
//! out. Values may be secrets, so that they are in it as a code that needs a key: a random one per pipeline, in
//! `EKS_DEPLOY_PLAN_KEY`. Without a key there is none, and only the images of the values are compared.

mod difference;

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::hmac;
use ecr_registry::Digest;
use serde::{Deserialize, Serialize};

use crate::{exit::Exit, failure::Explain};

/// The variable with the key.
pub(crate) const KEY_VARIABLE: &str = "EKS_DEPLOY_PLAN_KEY";
/// The form of the file.
const VERSION: u64 = 1;
/// More than any plan.
const LARGEST: u64 = 16 << 20;

/// What a deployment comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The release.
    pub(crate) release: String,
    /// Its namespace.
    pub(crate) namespace: String,
    /// The cluster's ARN, or where that is not known its region and name.
    pub(crate) cluster: String,
    /// The revision that would be made.
    pub(crate) revision: u64,
    /// The chart.
    pub(crate) chart: ChartIdentity,
    /// Every image that would run, its digest in it.
    pub(crate) images: BTreeSet<String>,
    /// The code of the values, if there is a key.
    pub(crate) values: Option<String>,
}

/// Which chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChartIdentity {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The digest of its files, or of its manifest in a registry. Of one from a repository Helm does not tell it.
    pub(crate) digest: Option<String>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    version: u64,
    plan: Plan,
    /// A code of all that is in `plan`: with the key nobody else can make it, without one it tells of mistakes.
    seal: String,
}

/// A plan file does not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// It cannot be read or written.
    #[error("cannot use the plan file `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is none.
    #[error("`{}` is not a plan file", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// It is of another version of this form.
    #[error("`{}` is of version {version}, and this program knows version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        version: u64,
    },
    /// It is not as it was written.
    #[error("`{}` was edited after it was written, or with another {KEY_VARIABLE}", .0.display())]
    Edited(PathBuf),
}

impl Explain for PlanError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("write it first: eks-deploy plan RELEASE CHART --out FILE".to_owned())
            }
            Self::Io { .. } | Self::Version { .. } => None,
            Self::Form { .. } | Self::Edited(_) => {
                Some("write it anew: eks-deploy plan RELEASE CHART --out FILE".to_owned())
            }
        }
    }
}

/// The key of a pipeline.
pub(crate) struct Key(Option<hmac::Key>);

impl Key {
    /// Of this text; none is a key too, that everybody has.
    pub(crate) fn new(text: Option<&str>) -> Self {
        Self(text.map(|text| hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }

    /// The key of this pipeline.
    pub(crate) fn of_environment() -> Self {
        Self::new(env::var(KEY_VARIABLE).ok().filter(|text| !text.is_empty()).as_deref())
    }

    /// The code of values.
    pub(crate) fn code(&self, values: &[u8]) -> Option<String> {
        let code = hmac::sign(self.0.as_ref()?, values);
        Some(format!("hmac-sha256:{}", hex::encode(code)))
    }

    fn seal(&self, plan: &Plan) -> String {
        let text = serde_json::to_vec(plan).expect("texts and numbers are JSON");
        self.code(&text).unwrap_or_else(|| Digest::of(&text).to_string())
    }
}

impl Plan {
    /// Writes the file, at once or not at all.
    pub(crate) fn write(&self, path: &Path, key: &Key) -> Result<(), PlanError> {
        let failed = |source| PlanError::Io { path: path.to_owned(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let sealed = Sealed { version: VERSION, plan: self.clone(), seal: key.seal(self) };
        serde_json::to_writer_pretty(&mut file, &sealed).map_err(|error| failed(error.into()))?;
        file.write_all(b"\n").map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Reads a file that was written with this key.
    pub(crate) fn read(path: &Path, key: &Key) -> Result<Self, PlanError> {
        let failed = |source| PlanError::Io { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.len() > LARGEST {
            return Err(failed(io::Error::other("it is larger than any plan")));
        }
        parse(path, &fs::read(path).map_err(failed)?, key)
    }
}

/// Reads the text of a file that was written with this key.
pub(crate) fn parse(path: &Path, text: &[u8], key: &Key) -> Result<Plan, PlanError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let form = |source| PlanError::Form { path: path.to_owned(), source };
    let Versioned { version } = serde_json::from_slice(text).map_err(form)?;
    if version != VERSION {
        return Err(PlanError::Version { path: path.to_owned(), version });
    }
    let Sealed { plan, seal, .. } = serde_json::from_slice(text).map_err(form)?;
    if key.seal(&plan) == seal { Ok(plan) } else { Err(PlanError::Edited(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn plan() -> Plan {
        Plan {
            release: "web".to_owned(),
            namespace: "shop".to_owned(),
            cluster: "arn:aws:eks:eu-west-1:123456789012:cluster/prod".to_owned(),
            revision: 3,
            chart: ChartIdentity { name: "web".to_owned(), version: "0.1.0".to_owned(), digest: None },
            images: BTreeSet::from(["r.example/a:1@sha256:00".to_owned()]),
            values: Key::new(Some("k")).code(b"{}"),
        }
    }

    fn written(key: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        plan().write(&path, &Key::new(key)).unwrap();
        assert_eq!(Plan::read(&path, &Key::new(key)).unwrap(), plan());
        fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn rule_15_files_that_were_edited() {
        let check = |text: &str, key: Option<&str>, expected: &str| {
            let error = parse(Path::new("plan.json"), text.as_bytes(), &Key::new(key)).unwrap_err();
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            assert!(format!("{error}{cause}").contains(expected), "{error}{cause}");
            assert_eq!(error.exit(), Exit::Usage);
        };
        for key in [None, Some("k")] {
            let text = written(key);
            assert!(parse(Path::new("p"), text.as_bytes(), &Key::new(key)).is_ok());
            check(&text.replace("a:1@", "a:2@"), key, "was edited");
            check(&text, Some("other"), "was edited");
            check(
                &text.replace("\"revision\": 3", "\"revision\": 3, \"more\": 1"),
                key,
                "unknown field `more`",
            );
            check(&text.replace("\"version\": 1,", "\"version\": 2,"), key, "is of version 2");
            check(&text[..text.len() / 2], key, "`plan.json` is not a plan file: EOF");
        }
        check("[]", None, "`plan.json` is not a plan file");
    }

    #[test]
    fn rule_15_values_have_a_code_only_by_a_key() {
        assert_eq!(Key::new(None).code(b"secret"), None);
        let code = |key: &str| Key::new(Some(key)).code(b"secret").unwrap();
        assert_eq!(code("k"), code("k"));
        assert_ne!(code("k"), code("l"));
        assert_eq!(code("k").len(), "hmac-sha256:".len() + 64);
    }
}
