//! Whole configurations, judged and taken over. Nothing is asked.

#![expect(clippy::field_reassign_with_default, reason = "requests can be made in no other way")]

use super::*;
use crate::access::is_bare;

fn config(members: &[(&str, Value)]) -> Value {
    let members = members.iter().cloned();
    Schema::of::<Written>().complete(Value::object(members)).unwrap()
}

/// `path: detail` of each problem.
async fn problems(members: &[(&str, Value)]) -> Vec<String> {
    let config = config(members);
    let mut all = Schema::of::<Written>().validate(&config);
    let mut request = ValidateRequest::default();
    request.config = config;
    all.extend(EcrProvider::default().validate(request).await);
    let text = |problem: &Diagnostic| {
        let path = problem.attribute.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{path}: {} {}", problem.summary, problem.detail)
    };
    all.iter().map(text).collect()
}

fn texts(list: &[&str]) -> Value {
    Value::list(list.iter().map(|text| Value::from(*text)))
}

fn object(members: &[(&str, &str)]) -> Value {
    Value::object(members.iter().map(|(name, text)| (*name, Value::from(*text))))
}

#[test]
fn has_a_sound_schema() {
    assert_eq!(Schema::of::<Written>().check(), []);
}

#[tokio::test]
async fn blames_the_argument() {
    let role = |arn: &str| Value::list([object(&[("role_arn", arn)])]);
    for (members, expected) in [
        (&[("access_key", Value::from("a"))][..], "`access_key` needs `secret_key` to be set too"),
        (&[("token", "a".into())], "`token` needs `access_key` to be set too"),
        (&[("allowed_account_ids", texts(&["12"]))], "an account's number of 12 digits"),
        (
            &[
                ("allowed_account_ids", texts(&["123456789012"])),
                ("forbidden_account_ids", texts(&["123456789013"])),
            ],
            "cannot be set together with `allowed_account_ids`",
        ),
        (&[("assume_role", role("deploy"))], "assume_role[0].role_arn: "),
        (&[("account_roles", object(&[("1", "arn:aws:iam::123456789012:role/x")]))], "has the key \"1\""),
        (&[("registry_endpoints", object(&[("ghcr.io", "ftp://x")]))], "registry_endpoints: "),
        (&[("registry_auth", Value::object([("a b", Value::Unknown)]))], "the host of a registry"),
        (&[("https_proxy", "ftp://x".into())], "https_proxy: "),
        (&[("max_retries", (-1_i64).into())], "max_retries: "),
        (&[("retry_mode", "never".into())], "one of \"standard\", \"adaptive\""),
        (&[("endpoints", Value::list([object(&[("ecr", "ecr.test")])]))], "a URL with http or https"),
        (&[("source_tag", object(&[("prefix", "-")]))], "the start of a tag"),
        (&[("upload_concurrency", 0_i64.into())], "a number of 1 to 64"),
        (
            &[("builder", Value::object([("endpoints", Value::list([object(&[("address", "ftp://x")])]))]))],
            "builder.endpoints[0].address: ",
        ),
    ] {
        let problems = problems(members).await;
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}: {problems:?}");
    }
}

/// What of the access is known at plan.
async fn known(members: &[(&str, Value)]) -> [bool; 3] {
    let mut request = ConfigureRequest::default();
    request.config = config(members);
    let access = access(&request).await.unwrap();
    [access.registry.is_some(), access.default_labels.is_some(), access.source_tag.is_some()]
}

#[tokio::test]
async fn waits_for_what_is_unknown() {
    let region = ("region", Value::from("eu-central-1"));
    assert_eq!(known(std::slice::from_ref(&region)).await, [true, true, true]);
    assert_eq!(known(&[("region", Value::Unknown)]).await, [false, true, true]);
    assert_eq!(known(&[("assume_role", Value::Unknown)]).await, [false, true, true]);
    let labels = object(&[("team", "shop")]).with("build", Value::Unknown);
    assert_eq!(known(&[region.clone(), ("default_labels", labels)]).await, [true, false, true]);
    let tag = Value::object([("prefix", Value::Unknown)]);
    assert_eq!(known(&[region.clone(), ("source_tag", tag)]).await, [true, true, false]);
    let off = Value::object([("enabled", Value::from(false))]);
    assert_eq!(known(&[region, ("source_tag", off)]).await, [true, true, false]);
}

#[test]
fn tells_names_from_repositories() {
    for (text, bare) in [
        ("shop/web", true),
        ("web", true),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web", false),
        ("localhost/web", false),
        ("registry:5000/web", false),
    ] {
        assert_eq!(is_bare(text), bare, "{text}");
    }
}
