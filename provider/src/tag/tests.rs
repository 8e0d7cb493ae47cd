//! Plans of tags as data, judged by Terraform's rules.

use tfplugin_rs::{
    Value,
    testing::{Planned, State},
};

use super::TYPE_NAME;
use crate::offline::{ECR, digest, offline, said, texts};

fn config(digest: impl Into<Value>) -> Value {
    texts([("repository", ECR), ("tag", "live")]).with("digest", digest.into())
}

/// A tag that pointed at `old` before it was pointed at `one`.
fn state() -> State {
    let value = config(digest("one"))
        .with("on_destroy", "keep")
        .with("on_moved_tag", "restore")
        .with("uri", format!("{ECR}@{}", digest("one")))
        .with("previous_digest", digest("old"));
    let identity = texts([
        ("account_id", "123456789012"),
        ("region", "eu-central-1"),
        ("repository_name", "shop/web"),
        ("tag", "live"),
    ]);
    State { value, identity: Some(identity), ..State::default() }
}

async fn plan(state: &State, config: Value) -> Planned {
    offline().await.plan(TYPE_NAME, state, config).await.unwrap()
}

#[tokio::test]
async fn an_update_says_where_the_tag_comes_from() {
    let check = async |config: Value, previous: Value, uri: Value| {
        let planned = plan(&state(), config.clone()).await;
        assert_eq!(
            (planned.value.get("previous_digest"), planned.value.get("uri")),
            (&previous, &uri),
            "{config:?}"
        );
        assert_eq!(planned.identity, state().identity);
    };
    let uri = |name| Value::from(format!("{ECR}@{}", digest(name)));
    check(config(digest("one")), digest("old").into(), uri("one")).await;
    check(config(digest("one")).with("on_destroy", "untag"), digest("old").into(), uri("one")).await;
    check(config(digest("two")), digest("one").into(), uri("two")).await;
    check(config(Value::Unknown), Value::Unknown, Value::Unknown).await;
}

#[tokio::test]
async fn a_new_tag_has_a_reference_and_an_unknown_past() {
    let planned = plan(&State::default(), config(digest("one"))).await;
    assert_eq!(*planned.value.get("uri"), format!("{ECR}@{}", digest("one")).into());
    assert!(planned.value.get("previous_digest").is_unknown());
    assert_eq!(planned.identity, state().identity);
    let planned = plan(&state(), config(digest("one")).with("tag", "next")).await;
    assert_eq!(planned.replaces, ["tag".into()]);
    assert!(planned.value.get("previous_digest").is_unknown());
}

#[tokio::test]
async fn bad_input_is_named() {
    let check = async |config: Value, expected: &str| {
        let errors = offline().await.plan(TYPE_NAME, &State::default(), config).await.unwrap_err();
        assert!(said(&errors).contains(expected), "{}", said(&errors));
    };
    let good = || config(digest("one"));
    check(
        good().with("repository", "ghcr.io/shop/web"),
        "repository: `ghcr.io/shop/web` is not in a private ECR registry",
    )
    .await;
    check(good().with("repository", "Shop/web"), "repository: Repository `Shop/web` ").await;
    check(good().with("repository", format!("{ECR}/Api")), "repository: Repository `123456789012.").await;
    check(good().with("tag", "a b"), "tag: Tag `a b`").await;
    check(good().with("digest", "sha256:1"), "digest: Digest `sha256:1`").await;
    check(good().with("on_destroy", "drop"), "`on_destroy` must be one of \"keep\", \"untag\"").await;
    check(good().with("on_moved_tag", "keep"), "`on_moved_tag` must be one of \"restore\", \"ignore\"").await;
}

#[tokio::test]
async fn imports_name_what_they_need() {
    let check = async |id: &str, expected: &str| {
        let errors = offline().await.import(TYPE_NAME, id).await.unwrap_err();
        assert!(said(&errors).contains(expected), "{}", said(&errors));
    };
    check(ECR, "does not say which tag to import Write repository:tag").await;
    check("shop/web:1", "`shop/web` is not in a private ECR registry").await;
    check(&format!("{ECR}:a b"), "Tag `a b`").await;
    check(&format!("{ECR}:live"), "The provider's settings are not known yet").await;
}
