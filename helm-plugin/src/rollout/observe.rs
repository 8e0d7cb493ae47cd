//! Asks the API server how far the objects of a rollout are.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::{
    state::{Seen, State},
    subject::{Kind, Subject},
};
use crate::kube::{Client, Collection, KubeError, selector};

/// The questions that are under way at once.
const AT_ONCE: usize = 8;

/// How far they are; those that are not there are left out. Pods and events are asked for only where something is
/// missing.
pub(super) async fn states(client: &Client, subjects: &[Subject]) -> Result<Vec<State>, KubeError> {
    observe(client, subjects, false).await
}

/// The same with all pods.
pub(crate) async fn look_at_all(client: &Client, subjects: &[Subject]) -> Result<Vec<State>, KubeError> {
    observe(client, subjects, true).await
}

async fn observe(client: &Client, subjects: &[Subject], all_pods: bool) -> Result<Vec<State>, KubeError> {
    let looks = subjects.iter().map(|subject| async move {
        Ok::<_, KubeError>(look(client, subject).await?.map(|seen| (subject, seen)))
    });
    let seen: Vec<_> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
    let mut warnings: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut states = Vec::new();
    for (subject, mut seen) in seen.into_iter().flatten() {
        let state = State::of(subject, &seen);
        if state.done && !all_pods {
            states.push(state);
            continue;
        }
        let namespace = subject.namespace.as_str();
        if !warnings.contains_key(namespace) {
            let events = Collection { group: "api/v1", kind: "events", namespace };
            warnings.insert(namespace, client.list(events, ("fieldSelector", "type=Warning")).await?);
        }
        seen.pods = pods(client, subject, &seen.object).await?;
        seen.events.clone_from(&warnings[namespace]);
        states.push(State::of(subject, &seen));
    }
    Ok(states)
}

/// The object, and what tells the revision of its pods.
async fn look(client: &Client, subject: &Subject) -> Result<Option<Seen>, KubeError> {
    let Subject { kind, namespace, name, .. } = subject;
    let Some(object) = client.get(kind.collection(namespace), name).await? else { return Ok(None) };
    let replica_sets = match kind {
        Kind::Deployment => {
            let sets = Collection { group: "apis/apps/v1", kind: "replicasets", namespace };
            client.list(sets, ("labelSelector", &selector(&object["spec"]["selector"]))).await?
        }
        Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::Pod => Vec::new(),
    };
    Ok(Some(Seen { object, replica_sets, ..Seen::default() }))
}

async fn pods(client: &Client, subject: &Subject, object: &Value) -> Result<Vec<Value>, KubeError> {
    if subject.kind == Kind::Pod {
        return Ok(vec![object.clone()]);
    }
    let pods = Collection { group: "api/v1", kind: "pods", namespace: &subject.namespace };
    client.list(pods, ("labelSelector", &selector(&object["spec"]["selector"]))).await
}
