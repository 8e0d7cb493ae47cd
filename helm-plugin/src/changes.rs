//! What a deployment would change: objects field by field, images by digest; and what others have changed since.
//!
//! Observing asks the API server for dry runs and for what is there; comparing is pure. What Secrets hold is not in it.

mod compare;
mod drift;
mod images;
mod observe;
mod render;

use std::fmt;

use serde_json::Value;

pub(crate) use images::{ImageChange, beside as images_beside};
pub(crate) use observe::{Wanted, changes};

use crate::{images::uses::Object, kube::Conflict};

/// All that a deployment would change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Changes {
    /// What is compared.
    pub(crate) basis: Basis,
    /// Objects that differ, those that go last.
    pub(crate) objects: Vec<ObjectChange>,
    /// What is in the cluster and not as the release has it, where that is not among the objects.
    pub(crate) drift: Vec<ObjectChange>,
    /// Fields that others have set, by which Helm would fail.
    pub(crate) conflicts: Vec<(Name, Conflict)>,
    /// Images that are not those of the last revision.
    pub(crate) images: Vec<ImageChange>,
    /// The hooks that would run.
    pub(crate) hooks: Vec<Object>,
}

impl Changes {
    /// Whether nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        let kept = |change: &ObjectChange| change.what == What::Kept;
        self.objects.iter().all(kept) && self.drift.is_empty() && self.images.is_empty()
    }
}

/// What is compared with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Basis {
    /// What is in the cluster with what the API server says it would become: the release is applied by the server.
    Cluster,
    /// The manifests of the last revision with those of the next, for this reason.
    Manifests(&'static str),
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_field_names, reason = "Kubernetes calls it so")]
pub(crate) struct Name {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Where it is not the release's.
    pub(crate) namespace: Option<String>,
    group: String,
}

impl Name {
    fn of(object: &Value, release_namespace: &str) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let namespace = object["metadata"]["namespace"].as_str().filter(|name| *name != release_namespace);
        let version = text(&object["apiVersion"]);
        Self {
            kind: text(&object["kind"]),
            name: text(&object["metadata"]["name"]),
            namespace: namespace.map(str::to_owned),
            group: version.split_once('/').map_or("", |(group, _)| group).to_owned(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)?;
        self.namespace.as_ref().map_or(Ok(()), |namespace| write!(f, " in namespace {namespace}"))
    }
}

/// What becomes of one object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ObjectChange {
    pub(crate) name: Name,
    pub(crate) what: What,
}

/// What becomes of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// It is made, as this; what a Secret holds is left out.
    Created(Value),
    /// These fields change.
    Changed(Vec<Field>),
    /// It is removed.
    Removed,
    /// It leaves the release and stays in the cluster, as its annotation asks.
    Kept,
    /// The release has it and the cluster does not.
    Missing,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// `spec.template.spec.containers[web].image`.
    pub(crate) path: String,
    pub(crate) before: Shown,
    pub(crate) after: Shown,
}

/// What may be shown of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shown {
    /// It is not there.
    Nothing,
    /// It is a Secret's.
    Hidden,
    /// This.
    Value(Value),
}
