//! The objects of a release whose pods are followed.

use std::fmt;

use serde_json::Value;

use crate::{
    images::uses::{Object, Rendered},
    kube::Collection,
};

/// What runs pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    Pod,
}

impl Kind {
    fn of(object: &Value) -> Option<Self> {
        Some(match (object["apiVersion"].as_str()?, object["kind"].as_str()?) {
            ("apps/v1", "Deployment") => Self::Deployment,
            ("apps/v1", "StatefulSet") => Self::StatefulSet,
            ("apps/v1", "DaemonSet") => Self::DaemonSet,
            ("batch/v1", "Job") => Self::Job,
            ("v1", "Pod") => Self::Pod,
            _ => return None,
        })
    }

    /// Where objects of this kind are.
    pub(super) fn collection(self, namespace: &str) -> Collection<'_> {
        let (group, kind) = match self {
            Self::Deployment => ("apis/apps/v1", "deployments"),
            Self::StatefulSet => ("apis/apps/v1", "statefulsets"),
            Self::DaemonSet => ("apis/apps/v1", "daemonsets"),
            Self::Job => ("apis/batch/v1", "jobs"),
            Self::Pod => ("api/v1", "pods"),
        };
        Collection { group, kind, namespace }
    }
}

/// One object whose pods are followed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// Whether Helm runs it as a hook, and waits for its end.
    pub(crate) hook: bool,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}{}", self.kind, self.name, if self.hook { " (hook)" } else { "" })
    }
}

/// What Helm does with a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Install,
    Upgrade,
    Rollback,
}

impl Operation {
    /// Whether it runs the hook.
    pub(crate) fn runs(self, hook: &Object) -> bool {
        let events = match self {
            Self::Install => ["pre-install", "post-install"],
            Self::Upgrade => ["pre-upgrade", "post-upgrade"],
            Self::Rollback => ["pre-rollback", "post-rollback"],
        };
        hook.events.iter().any(|event| events.contains(&event.as_str()))
    }
}

/// Those of a release, its hooks included that this operation runs.
pub(crate) fn subjects(objects: &[Rendered], namespace: &str, operation: Operation) -> Vec<Subject> {
    let found = objects.iter().filter_map(|Rendered { object, content, .. }| {
        let hook = !object.events.is_empty();
        let runs = !hook || operation.runs(object);
        let namespace = content["metadata"]["namespace"].as_str().unwrap_or(namespace).to_owned();
        let name = Some(object.name.clone()).filter(|name| runs && is_name(name) && is_name(&namespace))?;
        Some(Subject { kind: Kind::of(content)?, namespace, name, hook })
    });
    found.collect()
}

/// Whether Kubernetes takes it for a name.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{helm::dry_run::Hook, images::uses::objects};

    #[test]
    fn what_is_followed() {
        let manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\napiVersion: batch.volcano.sh/v1\n\
                        kind: Job\nmetadata: {name: other}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\n\
                        apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, namespace: infra}\n---\n\
                        apiVersion: v1\nkind: Pod\nmetadata: {name: ../x}\n";
        let hook = |name: &str, event: &str| Hook {
            events: vec![event.to_owned()],
            manifest: format!("apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\n"),
        };
        let hooks = [
            hook("first", "pre-install"),
            hook("migrate", "pre-upgrade"),
            hook("back", "post-rollback"),
            hook("try", "test"),
        ];
        let check = |operation: Operation, expected: &[&str]| {
            let found = subjects(&objects(manifest, &hooks).unwrap(), "shop", operation);
            let found: Vec<String> =
                found.iter().map(|subject| format!("{} {subject}", subject.namespace)).collect();
            assert_eq!(found, expected);
        };
        check(Operation::Install, &["shop Deployment/web", "infra DaemonSet/agent", "shop Job/first (hook)"]);
        check(
            Operation::Upgrade,
            &["shop Deployment/web", "infra DaemonSet/agent", "shop Job/migrate (hook)"],
        );
        check(Operation::Rollback, &["shop Deployment/web", "infra DaemonSet/agent", "shop Job/back (hook)"]);
    }
}
