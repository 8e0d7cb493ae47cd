//! Where objects of any kind are in the API: the server says so itself.

use std::collections::{BTreeMap, BTreeSet};

use futures::future;
use serde_json::Value;

use super::{client::Client, error::KubeError, path::encoded};

/// What the API server calls a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Its group; empty for the core.
    pub(crate) group: String,
    version: String,
    /// Its name in paths and permissions: `deployments`.
    pub(crate) name: String,
    /// Whether its objects are in namespaces.
    pub(crate) namespaced: bool,
}

impl Resource {
    /// The path of one object.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        let root = root(&self.group, &self.version);
        let namespace =
            if self.namespaced { format!("/namespaces/{}", encoded(namespace)) } else { String::new() };
        format!("{root}{namespace}/{}/{}", self.name, encoded(name))
    }
}

fn root(group: &str, version: &str) -> String {
    match group {
        "" => format!("/api/{}", encoded(version)),
        group => format!("/apis/{}/{}", encoded(group), encoded(version)),
    }
}

/// The kinds that the API server knows, by `apiVersion` and `kind`.
#[derive(Debug, Default)]
pub(crate) struct Resources(BTreeMap<(String, String), Resource>);

impl Resources {
    /// Asks for those of these API versions. What the server does not know is left out.
    pub(crate) async fn of<'a>(
        client: &Client,
        versions: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, KubeError> {
        let versions: BTreeSet<&str> = versions.into_iter().collect();
        let lists = versions.into_iter().map(|version| async move {
            let (group, bare) = version.split_once('/').unwrap_or(("", version));
            let list = client.look(&root(group, bare)).await?;
            Ok::<_, KubeError>(list.map(|list| resources(version, &list)).unwrap_or_default())
        });
        Ok(Self(future::try_join_all(lists).await?.into_iter().flatten().collect()))
    }

    /// What the object is to the API server, if it knows such.
    pub(crate) fn get(&self, object: &Value) -> Option<&Resource> {
        let text = |key: &str| object[key].as_str().map(str::to_owned);
        self.0.get(&(text("apiVersion")?, text("kind")?))
    }
}

fn resources(version: &str, list: &Value) -> Vec<((String, String), Resource)> {
    let (group, bare) = version.split_once('/').unwrap_or(("", version));
    let entries = list["resources"].as_array().into_iter().flatten();
    let resource = |entry: &Value| {
        // With a slash it is a part of objects: `deployments/status`.
        let name = entry["name"].as_str().filter(|name| !name.contains('/'))?.to_owned();
        let namespaced = entry["namespaced"] == true;
        let resource = Resource { group: group.to_owned(), version: bare.to_owned(), name, namespaced };
        Some(((version.to_owned(), entry["kind"].as_str()?.to_owned()), resource))
    };
    entries.filter_map(resource).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths() {
        let list = json!({"resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": true},
            {"name": "deployments/status", "kind": "Deployment", "namespaced": true},
        ]});
        let known = Resources(resources("apps/v1", &list).into_iter().collect());
        let object = |version: &str, kind: &str| json!({"apiVersion": version, "kind": kind});
        let found = known.get(&object("apps/v1", "Deployment")).unwrap();
        assert_eq!(found.path("shop", "a/b"), "/apis/apps/v1/namespaces/shop/deployments/a%2Fb");
        assert_eq!(known.get(&object("apps/v2", "Deployment")), None);
        assert_eq!(known.get(&json!({})), None);
        let node = json!({"resources": [{"name": "nodes", "kind": "Node", "namespaced": false}]});
        assert_eq!(resources("v1", &node)[0].1.path("shop", "n"), "/api/v1/nodes/n");
    }
}
