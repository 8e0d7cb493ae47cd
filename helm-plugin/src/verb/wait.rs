//! How Helm 4 waits: its watcher needs `watch` on every kind of the chart, which not every role has.

use std::collections::BTreeSet;

use futures::future;
use serde_json::json;

use crate::{
    images::uses::Rendered,
    kube::{Client, KubeError, Resources},
    talk::say,
};

const WATCHER: &str = "--wait=watcher";
const LEGACY: &str = "--wait=legacy";

/// Lets Helm wait in its older way where the identity may not watch what it would have to.
pub(super) async fn choose(arguments: &mut [String], client: &Client, objects: &[Rendered], namespace: &str) {
    let Some(wait) = arguments.iter_mut().find(|argument| *argument == WATCHER) else { return };
    // Who may not even ask is told by Helm.
    if let Ok(Some(kind)) = not_watched(client, objects, namespace).await {
        say(&format!("helm waits without its watcher: this identity may not watch {kind}"));
        LEGACY.clone_into(wait);
    }
}

/// The first kind that the identity may not list and watch.
async fn not_watched(
    client: &Client,
    objects: &[Rendered],
    namespace: &str,
) -> Result<Option<String>, KubeError> {
    let versions = objects.iter().filter_map(|rendered| rendered.content["apiVersion"].as_str());
    let resources = Resources::of(client, versions).await?;
    let places = objects.iter().filter_map(|Rendered { content, .. }| {
        let resource = resources.get(content)?;
        let own = content["metadata"]["namespace"].as_str().unwrap_or(namespace);
        Some((&resource.group, &resource.name, if resource.namespaced { own } else { "" }))
    });
    let places: BTreeSet<_> = places.collect();
    let questions = places.iter().flat_map(|place| ["list", "watch"].map(|verb| (verb, *place)));
    let asked = questions.map(|(verb, (group, resource, namespace))| async move {
        let attributes = json!({"verb": verb, "group": group, "resource": resource, "namespace": namespace});
        let allowed = client.may(&attributes).await?;
        Ok::<_, KubeError>((!allowed).then(|| resource.clone()))
    });
    Ok(future::try_join_all(asked).await?.into_iter().flatten().next())
}
