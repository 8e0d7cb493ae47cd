//! A file as the state of `files_file` has it.

use tfplugin_rs::{Field, Object, Rule, Sensitive, Value};

use crate::folder::{Found, is_mode, is_path, sha256};

pub(crate) const TYPE_NAME: &str = "files_file";

/// A text file.
#[derive(Clone, Object)]
#[object(rule = Rule::exactly_one_of(["content", "content_wo"]))]
#[object(rule = Rule::conflicts(["content", "content_wo_version"]))]
#[object(rule = Rule::required_with(["content_wo", "content_wo_version"]))]
pub(crate) struct File {
    /// Where it is, below the provider's `root`.
    #[object(requires_replace, validate = is_path())]
    pub(crate) path: String,
    /// What it says.
    pub(crate) content: Option<String>,
    /// What it says, kept out of plan and state.
    #[object(write_only)]
    content_wo: Option<Sensitive<String>>,
    /// Change it to have `content_wo` written again.
    pub(crate) content_wo_version: Option<i64>,
    /// Its permissions in octal; `0644` if not set.
    #[object(default = "0644", validate = is_mode())]
    pub(crate) mode: String,
    /// The SHA-256 of `content`, in hex. None of `content_wo`: it would be a hint at it.
    #[object(depends_on(["content"]))]
    pub(crate) sha256: Field<String>,
    /// The length of `content`, in bytes.
    #[object(depends_on(["content"]))]
    pub(crate) size: Field<u64>,
}

impl File {
    /// As it is there. What is kept out of the state is not looked at.
    pub(crate) fn found(path: String, version: Option<i64>, found: Found) -> Self {
        let content = found.content.filter(|_| version.is_none());
        let (sha256, size) = (Field::Null, Field::Null);
        let file = Self {
            path,
            content,
            content_wo: None,
            content_wo_version: version,
            mode: found.mode,
            sha256,
            size,
        };
        file.complete()
    }

    /// With what follows from its content.
    pub(crate) fn complete(mut self) -> Self {
        self.sha256 = self.content.as_deref().map(sha256).into();
        self.size = self.content.as_ref().map(|content| content.len() as u64).into();
        self
    }

    pub(crate) fn identity(&self) -> Value {
        Value::object([("path", self.path.as_str().into())])
    }
}
