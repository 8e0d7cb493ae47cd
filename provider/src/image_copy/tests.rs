//! Plans of copies as data, judged by Terraform's rules.

use tfplugin_rs::{
    Value,
    testing::{Planned, State},
};

use super::TYPE_NAME;
use crate::offline::{ECR, digest, offline, said, texts};

fn source(registry: &str, name: &str) -> String {
    format!("{registry}/nginx@{}", digest(name))
}

fn config(source: impl Into<Value>) -> Value {
    texts([("repository", ECR)]).with("source", source.into()).with("tags", vec!["1"])
}

fn state() -> State {
    let value = config(source("ghcr.io", "one"))
        .with("include_referrers", false)
        .with("on_destroy", "keep")
        .with("on_moved_tag", "restore")
        .with("on_removed_tag", "keep")
        .with("digest", digest("one"))
        .with("uri", format!("{ECR}@{}", digest("one")))
        .with("platform_digests", texts([("linux/amd64", digest("amd64").as_str())]))
        .with("size_bytes", 7_u64);
    State { value, ..State::default() }
}

async fn plan(state: &State, config: Value) -> Planned {
    offline().await.plan(TYPE_NAME, state, config).await.unwrap()
}

#[tokio::test]
async fn a_whole_copy_is_known_before_it_is_made() {
    let check = async |state: State, config: Value, known: &str, unknown: &str| {
        let planned = plan(&state, config.clone()).await.value;
        for name in known.split_whitespace() {
            assert!(planned.get(name).is_known(), "{name} of {config:?}");
        }
        for name in unknown.split_whitespace() {
            assert!(planned.get(name).is_unknown(), "{name} of {config:?}");
        }
    };
    let one = || config(source("ghcr.io", "one"));
    let (new, all) = (State::default, "digest uri platform_digests size_bytes");
    check(new(), one(), "digest uri", "platform_digests size_bytes").await;
    check(new(), one().with("platforms", vec!["linux/amd64"]), "", all).await;
    check(new(), config(Value::Unknown), "", all).await;
    check(new(), one().with("platforms", Value::Unknown), "", all).await;
    check(new(), one().with("repository", Value::Unknown), "digest", "uri platform_digests size_bytes").await;
    check(state(), one(), all, "").await;
    check(state(), one().with("tags", vec!["2"]), all, "").await;
    check(state(), one().with("include_referrers", true), all, "").await;
    check(state(), config(source("quay.io", "one")), all, "").await;
    check(state(), config(source("ghcr.io", "two")), "digest uri", "platform_digests size_bytes").await;
    check(state(), one().with("platforms", vec!["linux/amd64"]), "", all).await;
}

#[tokio::test]
async fn only_another_repository_makes_another_copy() {
    let elsewhere = config(source("ghcr.io", "one")).with("repository", format!("{ECR}-2"));
    let planned = plan(&state(), elsewhere).await;
    assert_eq!(planned.replaces, ["repository".into()]);
    assert_eq!(*planned.value.get("uri"), format!("{ECR}-2@{}", digest("one")).into());
    assert!(plan(&state(), config(source("ghcr.io", "two"))).await.replaces.is_empty());
}

#[tokio::test]
async fn a_destroyed_copy_that_stays_is_announced() {
    let planned = plan(&state(), Value::Null).await;
    assert!(said(&planned.warnings).contains("The copy stays in its repository"), "{:?}", planned.warnings);
    let deleted = State { value: state().value.with("on_destroy", "untag"), ..state() };
    assert!(plan(&deleted, Value::Null).await.warnings.is_empty());
}

#[tokio::test]
async fn bad_input_is_named() {
    let check = async |config: Value, expected: &str| {
        let errors = offline().await.plan(TYPE_NAME, &State::default(), config).await.unwrap_err();
        assert!(said(&errors).contains(expected), "{}", said(&errors));
    };
    let good = || config(source("ghcr.io", "one"));
    check(config("nginx:1"), "source: `docker.io/library/nginx:1` does not name the image by its digest")
        .await;
    check(good().with("repository", "ghcr.io/a"), "repository: `ghcr.io/a` is not in a private ECR").await;
    check(good().with("tags", vec!["a b"]), "tags: Tag `a b`").await;
    check(good().with("platforms", vec!["linux/x86_64"]), "did you mean `linux/amd64`").await;
    check(good().with("platforms", Value::list([])), "platforms: `platforms` names none").await;
    check(good().with("on_destroy", "delete"), "\"keep\", \"untag\", \"delete_if_unreferenced\"").await;
    let timeouts = good().with("timeouts", texts([("create", "soon")]));
    check(timeouts, "`timeouts.create` must be a duration with units").await;
}
