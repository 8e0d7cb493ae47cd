//! What an `ecr_image` may have been before a `moved` block: the images of the provider kreuzwerker/docker.

use ecr_registry::{Digest, Reference, Repository, Tag};
use tfplugin_rs::{Diagnostic, Diagnostics, MoveRequest, MoveResponse, Value};

use super::memory::Memory;

/// The image that a resource of another provider stood for, as state has one that was imported: by repository, tag
/// and digest. The plan after it fills in the rest.
pub(super) fn moved(request: &MoveRequest) -> Result<MoveResponse, Diagnostics> {
    let of_docker = request.source_provider.ends_with("/kreuzwerker/docker");
    let image = match request.source_type.as_str() {
        "docker_registry_image" if of_docker => pushed(&request.state),
        "docker_image" if of_docker => local(&request.state),
        _ => return Err(request.refused("ecr_image").into()),
    };
    let Some((repository, tag, digest)) = image else { return Err(nowhere(request).into()) };
    let mut state = Value::object([("repository", Value::from(repository.to_string()))]);
    state.set("digest", digest.to_string());
    state.set("uri", format!("{repository}@{digest}"));
    if let Some(tag) = tag {
        state.set("tags", vec![tag.as_str()]);
    }
    Ok(MoveResponse { state, private: Memory::default().to_private(), ..MoveResponse::default() })
}

type Image = (Repository, Option<Tag>, Digest);

/// `docker_registry_image`: what was pushed under a name.
fn pushed(state: &serde_json::Value) -> Option<Image> {
    let name: Reference = state["name"].as_str()?.parse().ok()?;
    let digest = state["sha256_digest"].as_str()?.parse().ok()?;
    Some((name.repository, name.tag, digest))
}

/// `docker_image`: what the daemon has, if it knows which image of a registry that is. Of an image in several
/// repositories it tells any, so its name goes before, unless that is of no registry in particular.
fn local(state: &serde_json::Value) -> Option<Image> {
    let pinned: Reference = state["repo_digest"].as_str()?.parse().ok()?;
    let name: Option<Reference> = state["name"].as_str().and_then(|name| name.parse().ok());
    let is_its = |name: &Reference| {
        name.repository == pinned.repository || name.repository.host().as_str() != "docker.io"
    };
    let (repository, tag) = match name.filter(is_its) {
        Some(name) => (name.repository, name.tag),
        None => (pinned.repository, None),
    };
    Some((repository, tag, pinned.digest?))
}

fn nowhere(request: &MoveRequest) -> Diagnostic {
    let summary = format!("This `{}` says of no registry that it has the image", request.source_type);
    let detail = "Only an image that was pushed can be taken over. Leave the `moved` block out, and use `terraform \
                  state rm` or a `removed` block for the old resource; the next apply builds and pushes the image.";
    Diagnostic::error(summary, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use tfplugin_rs::testing::{Moved, State};

    use crate::offline::{ECR, digest, offline, said};

    async fn moved(type_name: &str, provider: &str, state: Json) -> Result<State, String> {
        let provider = format!("registry.terraform.io/{provider}");
        let from =
            Moved { provider, type_name: type_name.to_owned(), state: state.to_string(), ..Moved::default() };
        offline().await.move_to("ecr_image", from).await.map_err(|errors| said(&errors))
    }

    #[tokio::test]
    async fn images_that_were_pushed_are_taken_over() {
        let check = async |type_name: &str, state: Json, tag: Option<&str>| {
            let state = moved(type_name, "kreuzwerker/docker", state).await.unwrap().value;
            assert_eq!(*state.get("repository"), ECR.into());
            assert_eq!(*state.get("digest"), digest("one").into());
            assert_eq!(*state.get("uri"), format!("{ECR}@{}", digest("one")).into());
            assert_eq!(*state.get("tags"), tag.map(|tag| vec![tag]).into());
        };
        let (one, pinned) = (digest("one"), format!("{ECR}@{}", digest("one")));
        let name = format!("{ECR}:1.8");
        check(
            "docker_registry_image",
            json!({"name": name, "sha256_digest": one, "keep_remotely": true}),
            Some("1.8"),
        )
        .await;
        check(
            "docker_image",
            json!({"name": name, "repo_digest": pinned, "image_id": "sha256:0"}),
            Some("1.8"),
        )
        .await;
        let elsewhere = format!("ghcr.io/shop/web@{one}");
        check("docker_image", json!({"name": name, "repo_digest": elsewhere}), Some("1.8")).await;
        check("docker_image", json!({"name": "web:dev", "repo_digest": pinned}), None).await;
    }

    #[tokio::test]
    async fn others_are_refused() {
        let check = async |type_name: &str, provider: &str, state: Json, expected: &str| {
            let error = moved(type_name, provider, state).await.unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        let docker = "kreuzwerker/docker";
        check("docker_image", docker, json!({"name": "web", "repo_digest": ""}), "says of no registry").await;
        check("docker_registry_image", docker, json!({"name": ECR}), "says of no registry").await;
        check("docker_container", docker, json!({}), "`docker_container` cannot become `ecr_image`").await;
        check("docker_image", "somebody/docker", json!({}), "`docker_image` cannot become `ecr_image`").await;
    }
}
