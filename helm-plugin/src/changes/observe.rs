//! Asks the API server what there is, and what it would become.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use super::{
    Basis, Changes, Name, ObjectChange, What,
    compare::{fields, shown},
    drift::drift,
    images,
};
use crate::{
    exit::Exit,
    failure::Explain,
    images::uses::Rendered,
    kube::{Client, Conflict, KubeError, Reason, Resources},
    rollout::Operation,
    talk::warn,
};

/// The questions that are under way at once.
const AT_ONCE: usize = 8;
const NOT_FOUND: u16 = 404;
const FORBIDDEN: u16 = 403;

/// A deployment to look at.
pub(crate) struct Wanted<'a> {
    /// The release.
    pub(crate) release: &'a str,
    /// Its namespace.
    pub(crate) namespace: &'a str,
    /// The objects of its last revision; none before the first.
    pub(crate) stored: &'a [Rendered],
    /// The objects of the next one.
    pub(crate) next: &'a [Rendered],
    /// What it is.
    pub(crate) operation: Operation,
    /// Whether Helm lets the server apply them.
    pub(crate) server_side: bool,
    /// Whether it takes fields that others own.
    pub(crate) force: bool,
}

/// What would change cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangesError {
    /// The API server does not take the object.
    #[error("the API server would refuse {name}")]
    Refused {
        /// The object.
        name: Name,
        /// Its words.
        #[source]
        reason: Reason,
    },
    /// It does not answer, or refuses us.
    #[error(transparent)]
    Kube(#[from] KubeError),
}

impl Explain for ChangesError {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } => Exit::Failure,
            Self::Kube(error) => error.exit(),
        }
    }
}

/// What the deployment would change.
pub(crate) async fn changes(client: &Client, wanted: &Wanted<'_>) -> Result<Changes, ChangesError> {
    let mut changes = if wanted.server_side {
        match by_cluster(client, wanted).await {
            Err(ChangesError::Kube(error)) if error.reason.status() == Some(FORBIDDEN) => {
                by_manifests(client, wanted, "this identity may not ask the cluster for more").await?
            }
            changes => changes?,
        }
    } else {
        by_manifests(client, wanted, "helm applies this release by itself").await?
    };
    changes.objects.extend(removed(wanted));
    changes.images = images::changed(wanted.stored, wanted.next);
    let runs =
        |rendered: &&Rendered| !rendered.object.events.is_empty() && wanted.operation.runs(&rendered.object);
    changes.hooks = wanted.next.iter().filter(runs).map(|rendered| rendered.object.clone()).collect();
    Ok(changes)
}

fn ordinary(objects: &[Rendered]) -> impl Iterator<Item = &Value> {
    let ordinary = objects.iter().filter(|rendered| rendered.object.events.is_empty());
    // What is no object Helm refuses by itself.
    ordinary.map(|rendered| &rendered.content).filter(|content| content["metadata"].is_object())
}

fn find<'a>(objects: &'a [Rendered], name: &Name, namespace: &str) -> Option<&'a Value> {
    ordinary(objects).find(|object| Name::of(object, namespace) == *name)
}

fn removed<'a>(wanted: &'a Wanted<'_>) -> impl Iterator<Item = ObjectChange> + 'a {
    ordinary(wanted.stored).filter_map(|object| {
        let name = Name::of(object, wanted.namespace);
        let kept = object["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep";
        let what = if kept { What::Kept } else { What::Removed };
        find(wanted.next, &name, wanted.namespace).is_none().then_some(ObjectChange { name, what })
    })
}

fn empty(basis: Basis) -> Changes {
    let (objects, drift, conflicts) = (Vec::new(), Vec::new(), Vec::new());
    Changes { basis, objects, drift, conflicts, images: Vec::new(), hooks: Vec::new() }
}

/// What is there beside what the server would make of it.
async fn by_cluster(client: &Client, wanted: &Wanted<'_>) -> Result<Changes, ChangesError> {
    let resources = resources(client, wanted.next).await?;
    let asks = ordinary(wanted.next).map(|object| ask(client, &resources, wanted, object));
    let answers: Vec<_> = stream::iter(asks).buffered(AT_ONCE).try_collect().await?;
    let mut changes = empty(Basis::Cluster);
    for (change, conflicts) in answers {
        changes.conflicts.extend(conflicts);
        changes.objects.extend(change);
    }
    Ok(changes)
}

type Answer = (Option<ObjectChange>, Vec<(Name, Conflict)>);

async fn ask(
    client: &Client,
    resources: &Resources,
    wanted: &Wanted<'_>,
    object: &Value,
) -> Result<Answer, ChangesError> {
    let name = Name::of(object, wanted.namespace);
    let created =
        || (Some(ObjectChange { name: name.clone(), what: What::Created(shown(object)) }), Vec::new());
    // Its kind comes with the chart.
    let Some(resource) = resources.get(object) else { return Ok(created()) };
    let path = resource.path(name.namespace.as_deref().unwrap_or(wanted.namespace), &name.name);
    let live = client.look(&path).await?;
    let owned = owned(object, wanted);
    let mut conflicts = Vec::new();
    let mut would_be = client.would_be(&path, &owned, wanted.force).await;
    if let Err(KubeError { reason: Reason::Conflicts(found), .. }) = &would_be {
        conflicts = found.iter().map(|conflict| (name.clone(), conflict.clone())).collect();
        would_be = client.would_be(&path, &owned, true).await;
    }
    let would_be = match would_be {
        Ok(object) => object,
        // Its namespace comes with the release.
        Err(error) if error.reason.status() == Some(NOT_FOUND) => return Ok(created()),
        Err(KubeError { reason, .. }) if matches!(reason.status(), Some(400 | 409 | 422)) => {
            return Err(ChangesError::Refused { name, reason });
        }
        Err(error) => return Err(error.into()),
    };
    let Some(live) = live else { return Ok(created()) };
    let fields = fields(&live, &would_be);
    let change = (!fields.is_empty()).then_some(ObjectChange { name, what: What::Changed(fields) });
    Ok((change, conflicts))
}

/// As Helm applies it: marked as the release's.
fn owned(object: &Value, wanted: &Wanted<'_>) -> Value {
    let mut object = object.clone();
    for (field, key, value) in [
        ("labels", "app.kubernetes.io/managed-by", "Helm"),
        ("annotations", "meta.helm.sh/release-name", wanted.release),
        ("annotations", "meta.helm.sh/release-namespace", wanted.namespace),
    ] {
        let metadata = &mut object["metadata"];
        if !metadata[field].is_object() {
            metadata[field] = json!({});
        }
        metadata[field][key] = value.into();
    }
    object
}

async fn resources(client: &Client, objects: &[Rendered]) -> Result<Resources, KubeError> {
    Resources::of(client, ordinary(objects).filter_map(|object| object["apiVersion"].as_str())).await
}

/// One revision beside the other; and the cluster beside the first, since Helm puts back what it has set.
async fn by_manifests(
    client: &Client,
    wanted: &Wanted<'_>,
    why: &'static str,
) -> Result<Changes, ChangesError> {
    let resources = resources(client, wanted.stored).await?;
    let mut changes = empty(Basis::Manifests(why));
    for object in ordinary(wanted.next) {
        let name = Name::of(object, wanted.namespace);
        let what = match find(wanted.stored, &name, wanted.namespace) {
            None => Some(What::Created(shown(object))),
            Some(before) => {
                Some(fields(before, object)).filter(|fields| !fields.is_empty()).map(What::Changed)
            }
        };
        changes.objects.extend(what.map(|what| ObjectChange { name, what }));
    }
    let stays =
        |object: &&Value| find(wanted.next, &Name::of(object, wanted.namespace), wanted.namespace).is_some();
    let looks = ordinary(wanted.stored).filter(stays).map(|object| look(client, &resources, wanted, object));
    let drifts: Vec<_> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
    changes.drift = drifts.into_iter().flatten().collect();
    Ok(changes)
}

async fn look(
    client: &Client,
    resources: &Resources,
    wanted: &Wanted<'_>,
    object: &Value,
) -> Result<Option<ObjectChange>, KubeError> {
    let name = Name::of(object, wanted.namespace);
    let Some(resource) = resources.get(object) else { return Ok(None) };
    let path = resource.path(name.namespace.as_deref().unwrap_or(wanted.namespace), &name.name);
    let what = match client.look(&path).await {
        Ok(None) => Some(What::Missing),
        Ok(Some(live)) => Some(drift(object, &live)).filter(|fields| !fields.is_empty()).map(What::Changed),
        Err(error) if error.reason.status() == Some(FORBIDDEN) => {
            warn(&format!("{name} was not compared with the cluster: {}", error.reason));
            None
        }
        Err(error) => return Err(error),
    };
    Ok(what.map(|what| ObjectChange { name, what }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{helm::dry_run::Hook, images::uses};

    #[test]
    fn what_goes_and_what_stays() {
        let map = |name: &str, more: &str| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{more}}}\n---\n")
        };
        let keep = ", annotations: {helm.sh/resource-policy: keep}";
        let hook = Hook { events: vec!["pre-upgrade".to_owned()], manifest: map("hook", "") };
        let stored = uses::objects(&(map("a", "") + &map("b", "") + &map("c", keep)), &[hook]).unwrap();
        let next = uses::objects(&(map("a", ", namespace: shop") + "[no, object]\n"), &[]).unwrap();
        let wanted = Wanted {
            release: "web",
            namespace: "shop",
            stored: &stored,
            next: &next,
            operation: Operation::Upgrade,
            server_side: true,
            force: false,
        };
        let gone: Vec<(String, What)> =
            removed(&wanted).map(|change| (change.name.to_string(), change.what)).collect();
        assert_eq!(
            gone,
            [("ConfigMap/b".to_owned(), What::Removed), ("ConfigMap/c".to_owned(), What::Kept),]
        );
        let owned = owned(&stored[0].content, &wanted);
        assert_eq!(owned["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm");
        assert_eq!(owned["metadata"]["annotations"]["meta.helm.sh/release-name"], "web");
    }
}
