//! What a person reads when a registry refuses: which object, what the registry said, what to do. And what is never
//! read: passwords, tokens, signatures.

use ecr_registry::Tag;

use crate::{
    ecr::{client, impatient},
    fake::{ECR, Fake, Reply, What, api_error},
    image, told,
};

const DENIED: &str = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:PutImage on resource: \
                      arn:aws:ecr:eu-central-1:123456789012:repository/web because no policy allows it";
const IMMUTABLE: &str = "The image tag '1.8' already exists in the 'web' repository and cannot be overwritten because the \
                         repository is immutable.";
const RENEW: &str = "renew the credentials; those at hand are wrong or have expired";
const MANIFEST: &str = "push a manifest or index of OCI v1 or Docker v2 that names its own media type; ECR does not take \
                        every artifact type together with a subject";
const DAMAGED: &str =
    "try again; if it stays so, the content was changed while it was sent, or a proxy damages it";
const CREATE: &str =
    "create it first: an aws_ecr_repository named \"web\" in account 123456789012, region eu-central-1";
const QUOTA: &str = "try again later, with less parallelism, or ask AWS for a higher quota";
const USE_ANOTHER: &str = "use a new tag, or leave the tag out and refer to the image by digest";

/// What is told of a tag that the registry refuses with this answer.
async fn check(answer: Reply, expected: &str, hint: &str) {
    let fake = Fake::ecr(&["web"]).await;
    let (registry, repository, image) = (impatient(&fake), fake.repository("web"), image(&[b"one"]));
    registry.push(&repository, &image, &()).await.unwrap();
    fake.fail("PUT", "/manifests/1.8", 999, What::Answer(answer));
    let error = registry.tag(&repository, &"1.8".parse::<Tag>().unwrap(), &image.manifest).await.unwrap_err();
    let expected = expected.replace("`ECR", &format!("`{ECR}"));
    assert_eq!(told(&error), format!("cannot tag `{ECR}/web:1.8`: {expected}"));
    assert_eq!(error.hint().as_deref(), Some(hint), "{expected}");
}

#[tokio::test]
async fn every_refusal_of_the_registry() {
    let error = Reply::error;
    check(
        error(429, "TOOMANYREQUESTS", "Rate exceeded"),
        "the registry asks to slow down: TOOMANYREQUESTS: Rate exceeded",
        QUOTA,
    )
    .await;
    check(
        error(403, "DENIED", DENIED),
        &format!("not allowed: ecr:PutImage is missing: DENIED: {DENIED}"),
        "allow ecr:PutImage on arn:aws:ecr:eu-central-1:123456789012:repository/web to arn:aws:iam::123456789012:user/ci",
    )
    .await;
    let refused = "`ECR` does not accept the credentials from AWS";
    check(
        error(401, "UNAUTHORIZED", "Not Authorized"),
        &format!("{refused}: UNAUTHORIZED: Not Authorized"),
        RENEW,
    )
    .await;
    check(
        Reply::status(401).body("no basic auth credentials"),
        &format!("{refused}: no basic auth credentials"),
        RENEW,
    )
    .await;
    let expired = "Your authorization token has expired. Reauthenticate and try again.";
    check(error(403, "DENIED", expired), &format!("{refused}: DENIED: {expired}"), RENEW).await;
    check(error(404, "NAME_UNKNOWN", "no such repository"), "repository `ECR/web` does not exist", CREATE)
        .await;
    check(
        error(404, "MANIFEST_UNKNOWN", "Requested image not found"),
        "the registry has no such image",
        "check the digest; somebody, or a lifecycle rule, may have deleted the image",
    )
    .await;
    check(error(400, "TAG_INVALID", IMMUTABLE), "tag `1.8` is immutable", USE_ANOTHER).await;
    check(
        error(400, "TAG_INVALID", "bad tag"),
        "the registry refuses: 400 Bad Request: TAG_INVALID: bad tag",
        "use another tag: up to 128 letters, digits, `.`, `_` and `-`",
    )
    .await;
    check(
        error(400, "MANIFEST_INVALID", "no"),
        "the registry refuses: 400 Bad Request: MANIFEST_INVALID: no",
        MANIFEST,
    )
    .await;
    let syntax = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
    check(
        error(405, "UNSUPPORTED", syntax),
        &format!("the registry refuses: 405 Method Not Allowed: UNSUPPORTED: {syntax}"),
        MANIFEST,
    )
    .await;
    let first_byte = "First byte of the layer part is 0 instead of 11304960";
    for status in [400, 416] {
        let reason = http::StatusCode::from_u16(status).unwrap();
        let expected = format!("the registry refuses: {reason}: BLOB_UPLOAD_INVALID: {first_byte}");
        check(error(status, "BLOB_UPLOAD_INVALID", first_byte), &expected, DAMAGED).await;
    }
    check(
        error(404, "BLOB_UPLOAD_UNKNOWN", "gone"),
        "the registry refuses: 404 Not Found: BLOB_UPLOAD_UNKNOWN: gone",
        "try again: the upload took too long, or another one took its place",
    )
    .await;
    check(
        error(400, "MANIFEST_BLOB_UNKNOWN", "LayersNotFoundException"),
        "the registry misses content that the manifest names: MANIFEST_BLOB_UNKNOWN: LayersNotFoundException",
        "push again: ECR removes blobs that no manifest has named for a while, and an index needs its images",
    )
    .await;
    let unavailable = "the registry is in trouble: 503 Service Unavailable: out of order";
    check(Reply::status(503).body("out  of\r\norder"), unavailable, "try again later").await;
}

#[tokio::test]
async fn every_refusal_of_the_api() {
    let check = async |code: &str, words: &str, expected: &str, hint: &str| {
        let fake = Fake::ecr(&["web"]).await;
        fake.fail("POST", "ListImages", 999, What::Answer(api_error(code, words)));
        let ecr = impatient(&fake).ecr(&fake.repository("web")).unwrap();
        let error = ecr.tags().await.unwrap_err();
        assert_eq!(
            told(&error),
            format!("cannot describe `{ECR}/web`: {}", expected.replace("`ECR", &format!("`{ECR}")))
        );
        assert_eq!(error.hint().as_deref(), Some(hint), "{code}");
    };
    for code in ["ThrottlingException", "TooManyRequestsException"] {
        check(code, "Rate exceeded", "the registry asks to slow down: Rate exceeded", QUOTA).await;
    }
    check(
        "AccessDeniedException",
        DENIED,
        &format!("not allowed: ecr:PutImage is missing: {DENIED}"),
        "allow ecr:PutImage on arn:aws:ecr:eu-central-1:123456789012:repository/web to arn:aws:iam::123456789012:user/ci",
    )
    .await;
    check("RepositoryNotFoundException", "no", "repository `ECR/web` does not exist", CREATE).await;
    let keys = "check the AWS credentials: whether they are still valid, and allow ecr:GetAuthorizationToken";
    for code in ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"] {
        check(code, "no", &format!("AWS gives no registry password: {code}: no"), keys).await;
    }
    check("ServerException", "oops", "the registry is in trouble: ServerException: oops", "try again later")
        .await;
    check(
        "LimitExceededException",
        "too many",
        "a quota of ECR is used up: too many",
        "wait, delete what is no longer needed, or ask AWS for a higher quota",
    )
    .await;
    check(
        "KmsException",
        "key",
        "the registry refuses: KmsException: key",
        "check the repository's KMS key: that it is enabled, and that this identity and ECR may use it",
    )
    .await;
    check(
        "InvalidParameterException",
        "bad",
        "the registry refuses: InvalidParameterException: bad",
        "change what ECR names there",
    )
    .await;
}

#[tokio::test]
async fn what_is_not_known_is_quoted_without_its_secrets() {
    let fake = Fake::ecr(&["web"]).await;
    let url = "https://bucket.s3.amazonaws.com/layer?X-Amz-Credential=AKID&X-Amz-Signature=5e1f";
    let text = format!(
        "{{\"oops\": \"{url}\", \"token\": \"t0ken\", \"Authorization\": \"Basic QVdTOnBhc3M=\"}}{}",
        " and on".repeat(999)
    );
    fake.fail("GET", "/manifests/1.8", 1, What::Answer(Reply::status(418).body(text)));
    let tag: Tag = "1.8".parse().unwrap();
    let error = client(&fake).manifest(&fake.repository("web"), &tag.into()).await.unwrap_err();
    let told = told(&error);
    let start = format!(
        "cannot read `{ECR}/web:1.8`: the registry refuses: 418 I'm a teapot: {{\"oops\": \"https://bucket.s3.amazonaws.com/layer?***\", \
         \"token\": \"***\", \"Authorization\": \"***\"}} and on"
    );
    assert!(told.starts_with(&start) && told.ends_with('…') && told.len() < 700, "{told}");
    for secret in ["AKID", "5e1f", "t0ken", "QVdT"] {
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
}
