//! How far one object is, read from what the API server says of it and of the pods of its newest revision.

use serde_json::Value;

use super::{
    pod::{Pod, about, condition, string},
    subject::{Kind, Subject},
};
use crate::secrets::Secrets;

/// What the API server says of one object.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The object.
    pub(super) object: Value,
    /// Of a Deployment, its replica sets.
    pub(super) replica_sets: Vec<Value>,
    /// All of its pods.
    pub(super) pods: Vec<Value>,
    /// The warnings in its namespace.
    pub(super) events: Vec<Value>,
}

/// How far an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) subject: Subject,
    /// What tells its newest pods from older ones.
    pub(crate) revision: String,
    /// How many pods it wants.
    pub(crate) wanted: u64,
    /// How many of the newest do what they are there for.
    pub(crate) ready: u64,
    /// Whether that is all.
    pub(crate) done: bool,
    /// Why it has given up, in its own words.
    pub(crate) failed: Option<(String, String)>,
    /// Why it could not make pods.
    pub(crate) refused: Option<String>,
    /// The newest pods.
    pub(crate) pods: Vec<Pod>,
}

impl State {
    /// Reads it.
    pub(super) fn of(subject: &Subject, seen: &Seen) -> Self {
        let Seen { object, replica_sets, pods, events } = seen;
        let newest = newest(object, replica_sets);
        let revision = revision(subject.kind, object, newest);
        let (wanted, ready, done) = progress(subject, object);
        let pods: Vec<Pod> = pods
            .iter()
            .filter(|pod| {
                pod["metadata"]["deletionTimestamp"].is_null() && is_of(subject.kind, &revision, pod)
            })
            .map(|pod| Pod::of(pod, events))
            .collect();
        let settled = pods.iter().filter(|pod| pod.settled).count() as u64;
        let owners = [object, newest.unwrap_or(&Value::Null)].map(|owner| string(&owner["metadata"]["uid"]));
        let owners: Vec<&str> = owners.iter().map(String::as_str).filter(|uid| !uid.is_empty()).collect();
        let refused = about(events, &owners).filter(|event| event["reason"] == "FailedCreate").last();
        Self {
            subject: subject.clone(),
            ready: if done || pods.is_empty() { ready } else { settled.min(wanted) },
            refused: refused
                .filter(|_| !done && (pods.len() as u64) < wanted)
                .map(|event| string(&event["message"])),
            failed: failed(subject, object),
            revision,
            wanted,
            done,
            pods,
        }
    }

    /// Hides what programs and nodes say of secrets.
    pub(super) fn hide(&mut self, secrets: &Secrets) {
        let own = self.failed.iter_mut().map(|(_, message)| message).chain(&mut self.refused);
        for text in own.chain(self.pods.iter_mut().flat_map(Pod::texts)) {
            *text = secrets.hide(text);
        }
    }
}

/// Wanted, ready, and whether all is done that Helm waits for.
fn progress(subject: &Subject, object: &Value) -> (u64, u64, bool) {
    let status = |name: &str| object["status"][name].as_u64().unwrap_or_default();
    let spec = |name: &str| object["spec"][name].as_u64().unwrap_or(1);
    let observed =
        status("observedGeneration") >= object["metadata"]["generation"].as_u64().unwrap_or_default();
    let update = &object["spec"]["updateStrategy"];
    let by_hand = update["type"] == "OnDelete";
    match subject.kind {
        Kind::Deployment => {
            let (wanted, updated) = (spec("replicas"), status("updatedReplicas"));
            let ready = status("availableReplicas").min(updated);
            (wanted, ready, observed && ready >= wanted && status("replicas") <= updated)
        }
        Kind::StatefulSet => {
            let (wanted, ready) = (spec("replicas"), status("readyReplicas"));
            let held_back = update["rollingUpdate"]["partition"].as_u64().unwrap_or_default();
            let updated = by_hand || status("updatedReplicas") + held_back >= wanted;
            (wanted, ready, observed && updated && ready >= wanted)
        }
        Kind::DaemonSet => {
            let (wanted, ready) = (status("desiredNumberScheduled"), status("numberAvailable"));
            let updated = by_hand || status("updatedNumberScheduled") >= wanted;
            (wanted, ready, observed && updated && ready >= wanted)
        }
        Kind::Job => {
            let (wanted, ready) = (spec("completions"), status("succeeded"));
            (wanted, ready, ready >= wanted)
        }
        Kind::Pod => {
            let ready = condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
            let done = object["status"]["phase"] == "Succeeded" || (ready && !subject.hook);
            (1, u64::from(done), done)
        }
    }
}

/// Of a Deployment, the replica set of its newest revision.
fn newest<'a>(object: &Value, replica_sets: &'a [Value]) -> Option<&'a Value> {
    const REVISION: &str = "deployment.kubernetes.io/revision";
    let number = |object: &Value| string(&object["metadata"]["annotations"][REVISION]);
    let (uid, revision) = (&object["metadata"]["uid"], number(object));
    replica_sets
        .iter()
        .find(|set| set["metadata"]["ownerReferences"][0]["uid"] == *uid && number(set) == revision)
}

/// What tells the newest pods of an object from others: a rollback has the same as what it goes back to, except for
/// a `DaemonSet`, which does not say.
fn revision(kind: Kind, object: &Value, newest: Option<&Value>) -> String {
    let metadata = &object["metadata"];
    match kind {
        Kind::Deployment => {
            string(&newest.unwrap_or(&Value::Null)["metadata"]["labels"]["pod-template-hash"])
        }
        Kind::StatefulSet => string(&object["status"]["updateRevision"]),
        Kind::DaemonSet => string(&metadata["annotations"]["deprecated.daemonset.template.generation"]),
        Kind::Job | Kind::Pod => string(&metadata["uid"]),
    }
}

fn is_of(kind: Kind, revision: &str, pod: &Value) -> bool {
    let label = match kind {
        Kind::Deployment => "pod-template-hash",
        Kind::StatefulSet => "controller-revision-hash",
        Kind::DaemonSet => "pod-template-generation",
        Kind::Job | Kind::Pod => return true,
    };
    pod["metadata"]["labels"][label] == revision
}

fn failed(subject: &Subject, object: &Value) -> Option<(String, String)> {
    let (kind, status) = match subject.kind {
        Kind::Job => ("Failed", "True"),
        Kind::Deployment => ("Progressing", "False"),
        Kind::StatefulSet | Kind::DaemonSet | Kind::Pod => return None,
    };
    let condition = condition(object, kind).filter(|condition| condition["status"] == status)?;
    Some((string(&condition["reason"]), string(&condition["message"])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "rows are written as values")]
    fn check(kind: Kind, hook: bool, object: Value, expected: (u64, u64, bool)) {
        let subject = Subject { kind, namespace: "shop".to_owned(), name: "web".to_owned(), hook };
        assert_eq!(progress(&subject, &object), expected, "{object}");
    }

    #[test]
    fn how_far_objects_are() {
        let deployment = |generation: u64, replicas: u64, updated: u64, available: u64| {
            json!({"metadata": {"generation": generation}, "spec": {"replicas": 3}, "status":
                {"observedGeneration": 2, "replicas": replicas, "updatedReplicas": updated, "availableReplicas": available}})
        };
        check(Kind::Deployment, false, deployment(2, 3, 3, 3), (3, 3, true));
        check(Kind::Deployment, false, deployment(3, 3, 3, 3), (3, 3, false));
        check(Kind::Deployment, false, deployment(2, 4, 3, 4), (3, 3, false));
        check(Kind::Deployment, false, deployment(2, 4, 1, 3), (3, 1, false));
        let set = |strategy: Value, updated: u64| {
            json!({"spec": {"replicas": 2, "updateStrategy": strategy}, "status":
                {"readyReplicas": 2, "updatedReplicas": updated}})
        };
        check(Kind::StatefulSet, false, set(json!({}), 2), (2, 2, true));
        check(Kind::StatefulSet, false, set(json!({}), 1), (2, 2, false));
        check(Kind::StatefulSet, false, set(json!({"rollingUpdate": {"partition": 1}}), 1), (2, 2, true));
        check(Kind::StatefulSet, false, set(json!({"type": "OnDelete"}), 0), (2, 2, true));
        let status = json!({"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1});
        check(Kind::DaemonSet, false, json!({"status": status}), (2, 1, false));
        check(Kind::Job, true, json!({"status": {"succeeded": 1}}), (1, 1, true));
        check(
            Kind::Job,
            true,
            json!({"spec": {"completions": 2}, "status": {"succeeded": 1}}),
            (2, 1, false),
        );
        let ready =
            json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        check(Kind::Pod, false, ready.clone(), (1, 1, true));
        check(Kind::Pod, true, ready, (1, 0, false));
        check(Kind::Pod, true, json!({"status": {"phase": "Succeeded"}}), (1, 1, true));
    }

    #[test]
    fn only_pods_of_the_newest_revision_count() {
        let set = |hash: &str, number: &str| {
            json!({"metadata": {"uid": hash, "labels": {"pod-template-hash": hash}, "ownerReferences": [{"uid": "d"}],
                "annotations": {"deployment.kubernetes.io/revision": number}}})
        };
        let pod = |name: &str, hash: &str| json!({"metadata": {"name": name, "labels": {"pod-template-hash": hash}}});
        let mut going = pod("going", "new");
        going["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
        let failed_create =
            json!({"reason": "FailedCreate", "message": "exceeded quota", "involvedObject": {"uid": "new"}});
        let seen = Seen {
            object: json!({"metadata": {"uid": "d", "generation": 1, "annotations": {"deployment.kubernetes.io/revision": "2"}},
                "spec": {"replicas": 2}}),
            replica_sets: vec![set("old", "1"), set("new", "2")],
            pods: vec![pod("a", "old"), pod("b", "new"), going],
            events: vec![failed_create],
        };
        let subject = Subject {
            kind: Kind::Deployment,
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            hook: false,
        };
        let state = State::of(&subject, &seen);
        assert_eq!((state.revision.as_str(), state.wanted, state.ready), ("new", 2, 0));
        assert_eq!(state.pods.iter().map(|pod| pod.name.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(state.refused.as_deref(), Some("exceeded quota"));
    }
}
