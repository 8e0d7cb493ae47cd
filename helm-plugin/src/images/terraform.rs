//! What Terraform or OpenTofu gave out: images, and the cluster.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use ecr_registry::{NameError, Reference};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    eks::{
        cluster::{Cluster, ClusterName, Known},
        endpoint::{Endpoint, EndpointError},
    },
    exit::Exit,
    failure::Explain,
    helm::binary::{on_path, path_folders},
};

/// Reading outputs is one request to the backend; locks are not taken.
const PATIENCE: Duration = Duration::from_mins(2);
const PROGRAMS: [&str; 2] = ["terraform", "tofu"];

/// Where outputs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputSource {
    /// A file that `terraform output -json` wrote.
    File(PathBuf),
    /// A folder to run `terraform output -json` in, else `tofu output -json`.
    Folder(PathBuf),
}

/// The outputs of a root module. They may hold secrets: `Debug` shows names only.
#[derive(Clone)]
pub(crate) struct Outputs(BTreeMap<String, Value>);

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Outputs cannot be had, or are not what they are used for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TerraformError {
    /// An output was named and no place to take it from.
    #[error("terraform:{0} names an output, and nothing says where outputs are")]
    NoSource(String),
    /// The file cannot be read.
    #[error("cannot read outputs from `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Neither program is there.
    #[error("neither terraform nor tofu is on PATH")]
    NoProgram,
    /// The program cannot be started.
    #[error("cannot run `{program} output -json` in `{}`", folder.display())]
    Run {
        /// Which.
        program: String,
        /// Where.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The program failed.
    #[error("`{program} output -json` failed in `{}`: {message}", folder.display())]
    Failed {
        /// Which.
        program: String,
        /// Where.
        folder: PathBuf,
        /// Its words.
        message: String,
    },
    /// The text is something else.
    #[error("this is not what `terraform output -json` prints")]
    Format(#[source] serde_json::Error),
    /// There is no such output.
    #[error("there is no Terraform output `{name}`")]
    NoOutput {
        /// As it was named.
        name: String,
        /// Those that are there.
        known: Vec<String>,
    },
    /// The output is no image.
    #[error("Terraform output `{name}` is not an image")]
    NotAnImage {
        /// The output.
        name: String,
        /// What it is not.
        #[source]
        source: Option<NameError>,
    },
    /// The output is no cluster.
    #[error("Terraform output `{0}` is not a cluster")]
    NotACluster(String),
    /// The output has an endpoint that is none.
    #[error("Terraform output `{name}` is a cluster without a usable endpoint")]
    Endpoint {
        /// The output.
        name: String,
        /// What is wrong.
        #[source]
        source: EndpointError,
    },
}

impl Explain for TerraformError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoSource(_)
            | Self::NoOutput { .. }
            | Self::NotAnImage { .. }
            | Self::NotACluster(_)
            | Self::Endpoint { .. } => Exit::Usage,
            Self::File { .. }
            | Self::NoProgram
            | Self::Run { .. }
            | Self::Failed { .. }
            | Self::Format(_) => Exit::Failure,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSource(_) => "pass --tf-dir FOLDER, or --tf-output-file with what `terraform output -json` wrote",
            Self::NoProgram => "install one, or pass --tf-output-file with what `terraform output -json` wrote",
            Self::Failed { .. } => "run `terraform init` and `terraform apply` there first",
            Self::NoOutput { known, .. } if known.is_empty() => "nothing has outputs there yet: run `terraform apply`",
            Self::NoOutput { known, .. } => return Some(format!("these are there: {}", known.join(", "))),
            Self::NotAnImage { .. } => {
                "an image is a text such as HOST/NAME@sha256:…, or an object with `uri`, or `repository` and `digest`"
            }
            Self::NotACluster(_) => {
                "a cluster is its name or ARN, or an object with `name` or `arn`, and perhaps `region`, `endpoint`, `ca`"
            }
            Self::Endpoint { .. } | Self::File { .. } | Self::Run { .. } | Self::Format(_) => return None,
        }
        .to_owned())
    }
}

impl OutputSource {
    /// Reads the outputs.
    pub(crate) async fn read(&self) -> Result<Outputs, TerraformError> {
        match self {
            Self::File(path) => {
                let text = tokio::fs::read(path).await;
                Outputs::parse(&text.map_err(|source| TerraformError::File { path: path.clone(), source })?)
            }
            Self::Folder(folder) => run(folder).await,
        }
    }
}

async fn run(folder: &Path) -> Result<Outputs, TerraformError> {
    let path = path_folders();
    let program = PROGRAMS.iter().find_map(|name| on_path(Path::new(name), &path));
    let program = program.ok_or(TerraformError::NoProgram)?;
    let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let run_error = |source| TerraformError::Run { program: name.clone(), folder: folder.to_owned(), source };
    let mut command = tokio::process::Command::new(&program);
    command
        .args(["output", "-json", "-no-color"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.map_err(|_| run_error(io::ErrorKind::TimedOut.into()))?.map_err(run_error)?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(TerraformError::Failed { program: name, folder: folder.to_owned(), message });
    }
    Outputs::parse(&output.stdout)
}

impl Outputs {
    /// Reads what `terraform output -json` prints.
    fn parse(json: &[u8]) -> Result<Self, TerraformError> {
        #[derive(Deserialize)]
        struct Output {
            value: Value,
        }
        let outputs: BTreeMap<String, Output> =
            serde_json::from_slice(json).map_err(TerraformError::Format)?;
        Ok(Self(outputs.into_iter().map(|(name, output)| (name, output.value)).collect()))
    }

    /// An output, or what an output that is a map has under a key: `images.api`. No name of an output has a dot.
    fn get(&self, name: &str) -> Result<&Value, TerraformError> {
        let (output, key) = name.split_once('.').map_or((name, None), |(output, key)| (output, Some(key)));
        let absent = |known: Vec<String>| TerraformError::NoOutput { name: name.to_owned(), known };
        let value = self.0.get(output).ok_or_else(|| absent(self.0.keys().cloned().collect()))?;
        let Some(key) = key else { return Ok(value) };
        let keys = value.as_object().into_iter().flat_map(|map| map.keys());
        value.get(key).ok_or_else(|| absent(keys.map(|key| format!("{output}.{key}")).collect()))
    }

    /// The image that an output names: a text, or an object as our provider's resources and modules give it.
    pub(crate) fn image(&self, name: &str) -> Result<Reference, TerraformError> {
        let value = self.get(name)?;
        let error = |source| TerraformError::NotAnImage { name: name.to_owned(), source };
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        if let Some(reference) = value.as_str().or_else(|| text("uri")) {
            return reference.parse().map_err(|source| error(Some(source)));
        }
        let repository = text("repository").or_else(|| text("repository_url")).ok_or_else(|| error(None))?;
        let mut reference = repository.to_owned();
        for (separator, key) in [(':', "tag"), ('@', "digest")] {
            if let Some(part) = text(key) {
                reference.extend([separator].iter());
                reference.push_str(part);
            }
        }
        reference.parse().map_err(|source| error(Some(source)))
    }

    /// The cluster that an output names: a text, or an object with `name` or `arn`, and perhaps `region`. One that
    /// has `endpoint` and `ca` as well says all that EKS would.
    pub(crate) fn cluster(&self, name: &str) -> Result<Known, TerraformError> {
        let value = self.get(name)?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let named = value.as_str().or_else(|| text("arn")).or_else(|| text("name"));
        let parsed = named.and_then(|named| named.parse::<ClusterName>().ok());
        let mut cluster = parsed.ok_or_else(|| TerraformError::NotACluster(name.to_owned()))?;
        cluster.region = cluster.region.or_else(|| text("region").map(str::to_owned));
        let (Some(region), Some(endpoint), Some(ca)) = (&cluster.region, text("endpoint"), text("ca")) else {
            return Ok(Known::Name(cluster));
        };
        let endpoint: Result<Endpoint, _> = endpoint.parse();
        Ok(Known::Whole(Cluster {
            region: region.clone(),
            endpoint: endpoint
                .map_err(|source| TerraformError::Endpoint { name: name.to_owned(), source })?,
            server_name: None,
            certificate_authority: ca.to_owned(),
            arn: text("arn").map(str::to_owned),
            outpost_id: None,
            authentication_mode: None,
            name: cluster.name,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn outputs(value: &Value) -> Outputs {
        let json =
            json!({"x": {"sensitive": false, "type": "string", "value": value}, "other": {"value": 1}});
        Outputs::parse(json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn images() {
        let check = |value: Value, expected: &str| {
            let got = outputs(&value).image("x");
            assert_eq!(
                got.map_or_else(|error| error.to_string(), |reference| reference.to_string()),
                expected
            );
        };
        let pinned = format!("r.example/a@{DIGEST}");
        check(json!(pinned), &pinned);
        check(json!({"uri": pinned, "digest": DIGEST}), &pinned);
        check(json!({"repository": "r.example/a", "digest": DIGEST}), &pinned);
        check(json!({"repository_url": "r.example/a", "tag": "v1"}), "r.example/a:v1");
        check(json!("no image!"), "Terraform output `x` is not an image");
        check(json!({"name": "a"}), "Terraform output `x` is not an image");
        check(json!(null), "Terraform output `x` is not an image");

        let images = outputs(&json!({"api": pinned, "shop/web.v2": {"uri": pinned, "digest": DIGEST}}));
        for name in ["x.api", "x.shop/web.v2"] {
            assert_eq!(images.image(name).unwrap().to_string(), pinned);
        }
        let error = images.image("x.web").unwrap_err();
        assert_eq!(error.to_string(), "there is no Terraform output `x.web`");
        assert_eq!(error.hint().as_deref(), Some("these are there: x.api, x.shop/web.v2"));
    }

    #[test]
    fn what_is_sensitive_is_not_told() {
        let text = r#"{"password": {"sensitive": true, "type": "string", "value": "planted"}}"#;
        let outputs = Outputs::parse(text.as_bytes()).unwrap();
        let error = outputs.image("x").unwrap_err();
        let told =
            format!("{outputs:?} {error:?} {error} {:?} {:?}", error.hint(), outputs.cluster("password.x"));
        assert!(!told.contains("planted"), "{told}");
    }

    #[test]
    fn absent_outputs() {
        let error = outputs(&json!("a")).image("y").unwrap_err();
        assert_eq!(error.to_string(), "there is no Terraform output `y`");
        assert_eq!(error.hint().as_deref(), Some("these are there: other, x"));
        assert!(Outputs::parse(b"{").is_err());
    }

    #[test]
    fn clusters() {
        let check = |value: Value, expected: &str| {
            let got = match outputs(&value).cluster("x") {
                Ok(Known::Name(name)) => format!("{} in {:?}", name.name, name.region),
                Ok(Known::Whole(cluster)) => {
                    format!("{} in {} at {}", cluster.name, cluster.region, cluster.endpoint)
                }
                Err(error) => error.to_string(),
            };
            assert_eq!(got, expected, "{value}");
        };
        let arn = "arn:aws:eks:eu-west-1:123456789012:cluster/prod";
        let (region, endpoint, ca) = ("eu-west-1", "https://a.example", "Q0E=");
        check(json!("prod"), "prod in None");
        check(json!({"name": "prod", "region": region, "endpoint": endpoint}), "prod in Some(\"eu-west-1\")");
        check(json!({"arn": arn, "name": "prod", "ca": ca}), "prod in Some(\"eu-west-1\")");
        check(json!({"name": "prod", "endpoint": endpoint, "ca": ca}), "prod in None");
        check(
            json!({"name": "prod", "region": region, "endpoint": "", "ca": ca}),
            "prod in Some(\"eu-west-1\")",
        );
        let whole = "prod in eu-west-1 at https://a.example";
        check(json!({"name": "prod", "region": region, "endpoint": endpoint, "ca": ca}), whole);
        check(json!({"name": "prod", "region": region, "endpoint": endpoint, "ca": ca, "arn": arn}), whole);
        check(
            json!({"arn": arn, "endpoint": "http://a.example", "ca": ca}),
            "Terraform output `x` is a cluster without a usable endpoint",
        );
        check(json!({"id": "prod"}), "Terraform output `x` is not a cluster");
    }
}
