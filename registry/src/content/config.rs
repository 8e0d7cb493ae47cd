use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::or_default;
use crate::names::{Digest, Platform};

/// The configuration of an image for one platform. Fields this library does not know are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When the image was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The architecture, in Go's words.
    pub architecture: String,
    /// The operating system, in Go's words.
    pub os: String,
    /// The architecture's variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// How a container of this image is run.
    #[serde(default, deserialize_with = "or_default")]
    pub config: RunConfig,
    /// The layers, by what is in them.
    pub rootfs: RootFs,
    /// How the layers came to be, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub history: Vec<History>,
    /// All other fields.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl ImageConfig {
    /// The platform the image is for.
    pub fn platform(&self) -> Platform {
        Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: self.variant.clone(),
        }
    }
}

/// How a container is run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// User, or user and group, by name or number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Ports that are listened on, `8080/tcp`; the values are empty objects.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub exposed_ports: BTreeMap<String, Map<String, Value>>,
    /// Variables as `NAME=value`; their order matters.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub env: Vec<String>,
    /// The program, and its first arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Arguments to the entry point, or program and arguments without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Where the program starts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// All other fields.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The layers of an image by the digests of their uncompressed archives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The lowest layer first.
    #[serde(deserialize_with = "or_default")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self { kind: "layers".to_owned(), diff_ids: Vec::new() }
    }
}

/// One step that led to an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// By what command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether the step made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
    /// All other fields.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_and_numbers_are_kept() {
        let text = concat!(
            r#"{"architecture":"arm64","os":"linux","variant":"v8","#,
            r#""config":{"Env":["PATH=/bin"],"Cmd":["sh"],"Labels":{"a":"b"},"StopTimeout":10},"#,
            r#""rootfs":{"type":"layers","diff_ids":[]},"#,
            r#""history":[{"created_by":"x","empty_layer":true,"more":[1]}],"os.version":"1","precise":1.10}"#
        );
        let config: ImageConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.platform().to_string(), "linux/arm64/v8");
        assert_eq!(config.config.other["StopTimeout"], 10);
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
    }

    #[test]
    fn null_is_empty() {
        let text = r#"{"architecture":"amd64","os":"linux","config":{"Env":null,"Labels":null,"Cmd":null,"ExposedPorts":null},
            "rootfs":{"type":"layers","diff_ids":null},"history":null}"#;
        let config: ImageConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.config, RunConfig::default());
        assert_eq!(config.rootfs, RootFs::default());
        assert!(serde_json::from_str::<ImageConfig>(r#"{"architecture":"amd64"}"#).is_err());
    }
}
