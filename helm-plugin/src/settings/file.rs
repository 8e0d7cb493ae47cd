//! `eks-deploy.yaml`: what belongs to a repository and not to one command. Unknown keys are errors.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::image::{ImageArgument, ImageArgumentError, ImageSource};
use crate::{
    eks::endpoint::Endpoint,
    exit::Exit,
    failure::Explain,
    images::{
        policy::{Pinned, Required},
        terraform::OutputSource,
    },
};

/// The file that is read when none is named.
pub(crate) const DEFAULT: &str = "eks-deploy.yaml";

/// What the file says, parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct File {
    /// The cluster.
    pub(crate) cluster: ClusterEntry,
    /// Where Terraform's outputs are.
    pub(crate) outputs: Option<OutputSource>,
    /// What is pinned.
    pub(crate) pin: PinEntry,
    /// The release.
    pub(crate) release: ReleaseEntry,
    /// Registries that are reached elsewhere, by host.
    pub(crate) registry_endpoints: BTreeMap<String, String>,
}

/// `cluster:`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ClusterEntry {
    /// A name or an ARN.
    pub(crate) name: Option<String>,
    /// Its region.
    pub(crate) region: Option<String>,
    /// The Terraform output that names it, instead.
    pub(crate) terraform: Option<String>,
    /// Where its API server is reached, whatever EKS or Terraform says.
    #[schemars(with = "Option<String>")]
    pub(crate) endpoint: Option<Endpoint>,
    /// What has to be true of it.
    #[serde(default)]
    pub(crate) expect: ExpectEntry,
}

/// `cluster.expect:`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectEntry {
    /// The account of the cluster, in quotes: it may begin with zeros.
    pub(crate) account: Option<String>,
}

/// `pin:`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct PinEntry {
    /// What is pinned without being named.
    pub(crate) scope: Pinned,
    /// What may not run without a digest.
    pub(crate) require: Required,
    /// What may: images as they are rendered, `*` for any text.
    pub(crate) allow_unpinned: Vec<String>,
}

/// `release:`, with paths resolved and images parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ReleaseEntry {
    /// Its name.
    pub(crate) name: Option<String>,
    /// Its chart.
    pub(crate) chart: Option<String>,
    /// Its namespace.
    pub(crate) namespace: Option<String>,
    /// Its values files.
    pub(crate) values: Vec<String>,
    /// Its images.
    pub(crate) images: Vec<ImageArgument>,
}

/// What `eks-deploy` is told by a repository. Paths are relative to the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "eks-deploy.yaml")]
struct Text {
    /// The version of this form: 1.
    #[schemars(range(min = 1, max = 1))]
    version: u64,
    /// Which cluster.
    #[serde(default)]
    cluster: ClusterEntry,
    /// Where Terraform's outputs are.
    #[serde(default)]
    terraform: TerraformText,
    /// What is pinned by digest, as --pin, --require and --allow-unpinned say.
    #[serde(default)]
    pin: PinEntry,
    /// What is deployed.
    #[serde(default)]
    release: ReleaseText,
    /// Registries that are reached elsewhere: the URL for each host.
    #[serde(default)]
    registry_endpoints: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TerraformText {
    /// A file that `terraform output -json` wrote.
    output_file: Option<PathBuf>,
    /// A folder to run `terraform output -json` in, else `tofu output -json`; not together with `outputFile`.
    dir: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReleaseText {
    /// The release's name.
    name: Option<String>,
    /// Its chart, as helm upgrade takes it.
    chart: Option<String>,
    /// Its namespace.
    namespace: Option<String>,
    /// Its values files; those on the command line come after them.
    #[serde(default)]
    values: Vec<String>,
    /// Images by their places in the chart's values.
    #[serde(default)]
    images: BTreeMap<String, ImageText>,
}

/// `PATH: REF` or `PATH: {terraform: OUTPUT}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum ImageText {
    /// The image.
    Reference(String),
    /// Where Terraform says it.
    Output(OutputText),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OutputText {
    /// The Terraform output that has the image.
    terraform: String,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not of our form.
    #[error("`{}` is not a valid eks-deploy file", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        #[source]
        source: serde_yaml_ng::Error,
    },
    /// It is of another version of this form.
    #[error("`{}` is of version {version}, and this program knows version 1", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        version: u64,
    },
    /// Two keys that exclude each other.
    #[error("`{}` has both {both}", path.display())]
    Both {
        /// The file.
        path: PathBuf,
        /// Which.
        both: &'static str,
    },
    /// An image is not well formed.
    #[error("`{}` has a wrong entry in release.images: {key}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// The entry.
        key: String,
        /// What is wrong.
        #[source]
        source: Box<ImageArgumentError>,
    },
}

impl Explain for FileError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// The JSON schema of the file, for editors and other programs.
pub(crate) fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Text).to_value())
}

/// Reads the file that was named, else the default one where it exists.
pub(crate) fn read(named: Option<&Path>) -> Result<File, FileError> {
    let path = named.unwrap_or(Path::new(DEFAULT));
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(File::default()),
        Err(source) => Err(FileError::Read { path: path.to_owned(), source }),
    }
}

/// Reads the text of a file at this path.
pub(crate) fn parse(path: &Path, text: &str) -> Result<File, FileError> {
    let text: Text =
        serde_yaml_ng::from_str(text).map_err(|source| FileError::Form { path: path.to_owned(), source })?;
    let both = |both| FileError::Both { path: path.to_owned(), both };
    if text.version != 1 {
        return Err(FileError::Version { path: path.to_owned(), version: text.version });
    }
    if text.cluster.name.is_some() && text.cluster.terraform.is_some() {
        return Err(both("cluster.name and cluster.terraform"));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let outputs = match (text.terraform.output_file, text.terraform.dir) {
        (Some(_), Some(_)) => return Err(both("terraform.outputFile and terraform.dir")),
        (Some(file), None) => Some(OutputSource::File(folder.join(file))),
        (None, Some(dir)) => Some(OutputSource::Folder(folder.join(dir))),
        (None, None) => None,
    };
    Ok(File {
        cluster: text.cluster,
        outputs,
        pin: text.pin,
        release: release(path, folder, text.release)?,
        registry_endpoints: text.registry_endpoints,
    })
}

/// Paths of the file are relative to the file.
fn release(path: &Path, folder: &Path, text: ReleaseText) -> Result<ReleaseEntry, FileError> {
    let below = |name: String| folder.join(name).to_string_lossy().into_owned();
    let is_relative_path = |name: &str| name.starts_with("./") || name.starts_with("../");
    let image = |(key, image): (String, ImageText)| {
        let error =
            |source| FileError::Image { path: path.to_owned(), key: key.clone(), source: Box::new(source) };
        let source = match image {
            ImageText::Reference(text) => text.parse().map_err(error)?,
            ImageText::Output(OutputText { terraform }) => ImageSource::Output(terraform),
        };
        let path = key.parse().map_err(|source| error(ImageArgumentError::Path(source)))?;
        Ok(ImageArgument { path, source })
    };
    Ok(ReleaseEntry {
        name: text.name,
        chart: text.chart.map(|chart| if is_relative_path(&chart) { below(chart) } else { chart }),
        namespace: text.namespace,
        values: text
            .values
            .into_iter()
            .map(|file| if file.contains("://") { file } else { below(file) })
            .collect(),
        images: text.images.into_iter().map(image).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_GOLDEN=1` writes it.
    #[test]
    fn the_published_schema_is_that_of_the_definition() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("eks-deploy.schema.json");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, schema()).unwrap();
        }
        assert_eq!(fs::read_to_string(path).unwrap(), schema());
    }

    fn message(text: &str) -> String {
        let error = parse(Path::new("deploy/eks-deploy.yaml"), text).unwrap_err();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        format!("{error}{}", cause.unwrap_or_default())
    }

    #[test]
    fn the_contracts_file() {
        let text = "\
version: 1
cluster: {name: prod, region: eu-west-1, expect: {account: '012345678901'}}
terraform: {outputFile: out.json}
pin: {scope: ecr, require: all, allowUnpinned: ['*/pause:*']}
release:
  name: api
  chart: ./charts/api
  namespace: app
  values: [v.yaml]
  images: {api.image: {terraform: api_image}, worker: r.example/w:1}
registryEndpoints: {r.example: 'http://127.0.0.1:5000'}
";
        let file = parse(Path::new("deploy/eks-deploy.yaml"), text).unwrap();
        assert_eq!(file.cluster.name.as_deref(), Some("prod"));
        assert_eq!(file.cluster.expect.account.as_deref(), Some("012345678901"));
        assert_eq!(file.outputs, Some(OutputSource::File("deploy/out.json".into())));
        assert_eq!((file.pin.scope, file.pin.require), (Pinned::Ecr, Required::All));
        assert_eq!(file.pin.allow_unpinned, ["*/pause:*"]);
        assert_eq!(file.release.chart.as_deref(), Some("deploy/./charts/api"));
        assert_eq!(file.release.values, ["deploy/v.yaml"]);
        let images =
            ["api.image=terraform:api_image", "worker=r.example/w:1"].map(|text| text.parse().unwrap());
        assert_eq!(file.release.images, images);
        assert_eq!(parse(Path::new("eks-deploy.yaml"), "version: 1").unwrap(), File::default());
    }

    #[test]
    fn the_form_in_the_help_text() {
        let (_, form) = crate::cli::FILE_FORM.split_once('\n').unwrap();
        let file = parse(Path::new(DEFAULT), form).unwrap();
        assert_eq!(file.cluster.terraform.as_deref(), Some("cluster"));
        assert_eq!(file.cluster.endpoint, "https://localhost:8443".parse().ok());
        assert_eq!(file.outputs, Some(OutputSource::Folder("../infra".into())));
        assert_eq!(file.release.images.len(), 2);
    }

    #[test]
    fn mistakes() {
        let check = |text: &str, expected: &str| {
            let got = message(text);
            assert!(got.contains(expected), "{text}: {got}");
        };
        check(
            "version: 1\ncluter: {}",
            "is not a valid eks-deploy file: unknown field `cluter`, expected one of",
        );
        check("version: 1\nrelease: {imges: {}}", "unknown field `imges`");
        check("cluster: {}", "missing field `version`");
        check("version: 1\npin: {scope: some}", "pin.scope: unknown variant `some`, expected one of");
        check("version: 2", "`deploy/eks-deploy.yaml` is of version 2, and this program knows version 1");
        check("version: 1\ncluster: {name: a, terraform: b}", "has both cluster.name and cluster.terraform");
        check(
            "version: 1\nterraform: {dir: a, outputFile: b}",
            "has both terraform.outputFile and terraform.dir",
        );
        check(
            "version: 1\nrelease: {images: {'a..b': x}}",
            "release.images: a..b: values path `a..b` is not",
        );
        check(
            "version: 1\ncluster: {endpoint: 'http://a'}",
            "cluster: `http://a` is not of the form https://HOST",
        );
        check("- a", "is not a valid eks-deploy file");
    }

    #[test]
    fn no_file_is_an_empty_one_unless_it_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(Some(&folder.path().join("x.yaml"))).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read `{}/x.yaml`", folder.path().display()));
    }
}
