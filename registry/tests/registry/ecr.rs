//! The manners of ECR: its passwords, its words, its API.

use std::time::Duration;

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_ecr::config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_types::SdkConfig;
use bytes::Bytes;
use ecr_registry::{
    Endpoints, ErrorKind, Outcome, Reference, Registry, Repository, Settings, Tag, TagOutcome, Version,
};

use crate::{
    fake::{ECR, Fake, Reply, What, api_error},
    image, image_of, layer, settings, told,
};

/// A client with AWS credentials, for which ECR and its API are the fake.
pub(crate) fn client(fake: &Fake) -> Registry {
    Registry::new(settings_with(fake, Some(credentials()))).unwrap()
}

/// A client that tries once.
pub(crate) fn impatient(fake: &Fake) -> Registry {
    let mut settings = settings_with(fake, Some(credentials()));
    (settings.patience.budget, settings.patience.throttled) = (Duration::ZERO, Duration::ZERO);
    Registry::new(settings).unwrap()
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret-key", None, None, "test")
}

pub(crate) fn settings_with(fake: &Fake, credentials: Option<Credentials>) -> Settings {
    let url = format!("http://{}", fake.host);
    let aws = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).endpoint_url(&url);
    // What the SDK would try again, with waits of its own, is tried again by the client.
    let mut aws = aws.region(Region::new("us-east-1")).retry_config(RetryConfig::disabled());
    aws.set_credentials_provider(credentials.map(SharedCredentialsProvider::new));
    let endpoints = Endpoints::parse([(&ECR.to_owned(), &url)]).unwrap();
    Settings { aws: Some(aws.build()), endpoints, ..settings() }
}

fn latest() -> Version {
    Tag::latest().into()
}

#[tokio::test]
async fn one_password_does_for_all() {
    let fake = Fake::ecr(&["web"]).await;
    let (registry, repository, image) = (client(&fake), fake.repository("web"), image(&[b"one", b"two"]));
    registry.push(&repository, &image, &()).await.unwrap();
    assert_eq!(
        registry.tag(&repository, &Tag::latest(), &image.manifest).await.unwrap(),
        TagOutcome::Created
    );
    assert_eq!(fake.count("POST", "GetAuthorizationToken"), 1);
    let refused = fake.take_log().len();
    assert_eq!(refused, 1 + 1 + 1 + 3 * 2 + 1 + 2); // one call finds out about all three blobs
}

#[tokio::test]
async fn a_password_that_is_refused_is_renewed_once() {
    let expired =
        Reply::error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
    for fault in [Reply::status(401), expired] {
        for (method, path) in [
            ("HEAD", "/manifests/"),
            ("HEAD", "/blobs/"),
            ("POST", "/uploads/"),
            ("PUT", "/uploads/"),
            ("PUT", "/manifests/"),
        ] {
            let fake = Fake::ecr(&["web"]).await;
            if (method, path) == ("HEAD", "/blobs/") {
                let denied = api_error("AccessDeniedException", "no");
                fake.fail("POST", "BatchCheckLayerAvailability", 1, What::Answer(denied));
            }
            fake.fail(method, path, 1, What::Answer(fault.clone()));
            if (method, fault.status) == ("HEAD", 403) {
                fake.fail("GET", path, 1, What::Answer(fault.clone())); // a HEAD cannot say why
            }
            client(&fake).push(&fake.repository("web"), &image(&[b"one"]), &()).await.unwrap();
            assert_eq!(fake.count("POST", "GetAuthorizationToken"), 2, "{method} {path}");
            assert_eq!(fake.state().repositories["web"].manifests.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_missing_repository_is_named_with_what_to_do() {
    let fake = Fake::ecr(&[]).await;
    let (registry, repository) = (client(&fake), fake.repository("shop/web"));
    let expected = format!("repository `{ECR}/shop/web` does not exist");
    let look = registry.head(&repository, &latest()).await.unwrap_err();
    assert_eq!(told(&look), format!("cannot look up `{ECR}/shop/web:latest`: {expected}"));
    assert_eq!(look.outcome(), Outcome::ImageGone);
    assert_eq!(
        look.hint().unwrap(),
        "create it first: an aws_ecr_repository named \"shop/web\" in account 123456789012, region eu-central-1"
    );
    let push = registry.push(&repository, &image(&[b"one"]), &()).await.unwrap_err();
    assert!(told(&push).ends_with(&expected), "{push:?}");

    // ECR may end the connection instead of saying so.
    fake.fail("POST", "/blobs/uploads/", 1000, What::Cut(0));
    fake.fail("HEAD", "/blobs/", 1000, What::Answer(Reply::status(404)));
    let push = registry.push(&repository, &image(&[b"two"]), &()).await.unwrap_err();
    assert!(told(&push).ends_with(&expected), "{push:?}");
}

#[tokio::test]
async fn a_lack_of_permission_names_action_and_arn() {
    let fake = Fake::ecr(&["web"]).await;
    let words = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:InitiateLayerUpload on \
                 resource: arn:aws:ecr:eu-central-1:123456789012:repository/web because no identity-based policy allows it";
    fake.fail("POST", "/blobs/uploads/", 1, What::Answer(Reply::error(403, "DENIED", words)));
    let registry = client(&fake);
    let error = registry.push(&fake.repository("web"), &image(&[]), &()).await.unwrap_err();
    assert!(told(&error).contains("not allowed: ecr:InitiateLayerUpload is missing"), "{}", told(&error));
    assert_eq!(
        error.hint().unwrap(),
        "allow ecr:InitiateLayerUpload on arn:aws:ecr:eu-central-1:123456789012:repository/web to \
         arn:aws:iam::123456789012:user/ci"
    );

    let words = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:GetAuthorizationToken on resource: *";
    fake.fail("POST", "GetAuthorizationToken", 9, What::Answer(api_error("AccessDeniedException", words)));
    let error = client(&fake).head(&fake.repository("web"), &latest()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotAllowed);
    assert!(error.hint().unwrap().starts_with("allow ecr:GetAuthorizationToken on * to"), "{error:?}");
}

#[tokio::test]
async fn expired_aws_credentials_are_told() {
    let fake = Fake::ecr(&["web"]).await;
    let words = "The security token included in the request is expired";
    fake.fail("POST", "GetAuthorizationToken", 9, What::Answer(api_error("ExpiredTokenException", words)));
    let error = client(&fake).head(&fake.repository("web"), &latest()).await.unwrap_err();
    assert_eq!((error.outcome(), error.is_transient()), (Outcome::NotAllowed, false));
    assert!(told(&error).contains(words), "{}", told(&error));
}

#[tokio::test]
async fn many_tags_cost_one_call_for_each_hundred() {
    let fake = Fake::ecr(&["web", "api"]).await;
    let (registry, web, api) = (client(&fake), fake.repository("web"), fake.repository("api"));
    let image = image(&[b"one"]);
    for repository in [&web, &api] {
        registry.push(repository, &image, &()).await.unwrap();
    }
    let tags = (0..250).map(|number| (format!("v{number}"), image.manifest.digest)).collect();
    fake.state().repositories.get_mut("web").unwrap().tags = tags;
    fake.take_log();
    let named =
        |repository: &Repository, rest: &str| -> Reference { format!("{repository}{rest}").parse().unwrap() };
    let mut references: Vec<Reference> = (0..250).map(|number| named(&web, &format!(":v{number}"))).collect();
    references.push(named(&api, &format!("@{}", image.manifest.digest)));
    references.push(named(&web, ":v7"));
    let found = registry.resolve(&references).await;
    assert_eq!(found.len(), 252);
    assert!(found.iter().all(|found| found.as_ref().unwrap() == &image.manifest.descriptor()));
    assert_eq!(fake.take_log(), ["POST BatchGetImage"; 4]);

    let found = registry
        .resolve(&[named(&web, ":none"), named(&fake.repository("none"), ":x"), named(&web, ":v1")])
        .await;
    let told = |index: usize| told(found[index].as_ref().unwrap_err());
    assert_eq!(told(0), format!("cannot look up `{web}:none`: the repository has no tag `none`"));
    assert_eq!(told(1), format!("cannot look up `{ECR}/none:x`: repository `{ECR}/none` does not exist"));
    assert_eq!(found[0].as_ref().unwrap_err().outcome(), Outcome::TagGone);
    assert!(found[2].is_ok());
}

#[tokio::test]
async fn tags_are_listed_and_taken_away() {
    let fake = Fake::ecr(&["web"]).await;
    let (registry, repository, image) = (client(&fake), fake.repository("web"), image(&[b"one"]));
    let digest = image.manifest.digest;
    assert_eq!(registry.describe(&repository, &digest).await.unwrap(), None);
    registry.push(&repository, &image, &()).await.unwrap();
    let [a, b]: [Tag; 2] = ["a", "b"].map(|tag| tag.parse().unwrap());
    for tag in [&b, &a] {
        registry.tag(&repository, tag, &image.manifest).await.unwrap();
    }
    assert_eq!(registry.describe(&repository, &digest).await.unwrap(), Some(vec![a.clone(), b.clone()]));
    registry.untag(&repository, &a).await.unwrap();
    registry.untag(&repository, &a).await.unwrap();
    assert_eq!(registry.describe(&repository, &digest).await.unwrap(), Some(vec![b]));
    let error = registry.untag(&fake.repository("none"), &a).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::RepositoryMissing(_)), "{error:?}");
}

#[tokio::test]
async fn a_role_is_taken_on_for_its_account_alone() {
    let fake = Fake::ecr(&["web"]).await;
    let (account, repository) = (&ECR[..12], fake.repository("web"));
    let ask = async |account: &str| {
        let role = format!("arn:aws:iam::{account}:role/push");
        let mut settings = settings_with(&fake, Some(credentials()));
        settings.account_roles = [(account.to_owned(), role)].into();
        let registry = Registry::new(settings).unwrap();
        registry.head(&repository, &latest()).await.map(|_| std::mem::take(&mut fake.state().identities))
    };
    assert_eq!(ask("999999999999").await.unwrap(), ["AKIDEXAMPLE".to_owned()].into());
    assert_eq!(ask(account).await.unwrap(), ["KEY-OF-push".to_owned()].into());
    assert_eq!(fake.count("POST", "AssumeRole"), 1);

    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/ci is not authorized to \
                  perform: sts:AssumeRole</Message></Error></ErrorResponse>";
    fake.fail("POST", "AssumeRole", 9, What::Answer(Reply::status(403).body(denied)));
    let error = ask(account).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotAllowed);
    assert!(told(&error).contains("not authorized to perform: sts:AssumeRole"), "{}", told(&error));
}

#[tokio::test]
async fn without_aws_a_docker_login_to_ecr_does() {
    let fake = Fake::ecr(&["web"]).await;
    fake.state().passwords = 7; // somebody else asked for it
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, format!(r#"{{"auths":{{"{ECR}":{{"username":"AWS","password":"password-7"}}}}}}"#))
        .unwrap();
    let mut settings = settings_with(&fake, None);
    settings.docker_config = Some(path.clone());
    let registry = Registry::new(settings.clone()).unwrap();
    assert_eq!(registry.head(&fake.repository("web"), &latest()).await.unwrap(), None);
    std::fs::write(&path, "{}").unwrap();
    let error = Registry::new(settings).unwrap().head(&fake.repository("web"), &latest()).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::AwsCredentials { .. }), "{error:?}");
}

#[tokio::test]
async fn blobs_are_asked_about_by_the_hundred() {
    let fake = Fake::ecr(&["web", "api"]).await;
    let layers = |count: u8| image_of((0..count).map(|number| layer(Bytes::from(vec![number; 9]))).collect());
    let (registry, web, api) = (client(&fake), fake.repository("web"), fake.repository("api"));
    let pushes = [(&web, layers(20)), (&web, layers(25)), (&api, layers(30))];
    let pushes = pushes.iter().map(|(repository, image)| registry.push(repository, image, &()));
    futures::future::try_join_all(pushes).await.unwrap();
    let calls = fake.count("POST", "BatchCheckLayerAvailability");
    assert!((2..=4).contains(&calls), "{calls}"); // one for each repository, had all come at once
    assert_eq!(fake.count("HEAD", "/blobs/"), 0);
    assert_eq!(fake.count("PUT", "/v2/web/blobs/"), 25 + 1);
}

#[tokio::test]
async fn who_may_not_ask_for_a_hundred_asks_one_by_one() {
    let fake = Fake::ecr(&["web"]).await;
    let denied = api_error("AccessDeniedException", "no");
    fake.fail("POST", "BatchCheckLayerAvailability", 99, What::Answer(denied));
    let (registry, repository) = (client(&fake), fake.repository("web"));
    registry.push(&repository, &image(&[b"one"]), &()).await.unwrap();
    registry.push(&repository, &image(&[b"two"]), &()).await.unwrap();
    assert_eq!(fake.count("POST", "BatchCheckLayerAvailability"), 1);
    assert_eq!(fake.count("HEAD", "/blobs/"), 2 + 1); // they share their configuration
}

#[tokio::test]
async fn a_storm_of_refusals_is_sat_out() {
    let fake = Fake::ecr(&["web"]).await;
    let too_many = Reply::error(429, "TOOMANYREQUESTS", "Rate exceeded").header("retry-after", "0");
    for (method, path) in
        [("HEAD", "/manifests/"), ("POST", "/uploads/"), ("PUT", "/uploads/"), ("PUT", "/manifests/")]
    {
        fake.fail(method, path, 8, What::Answer(too_many.clone()));
    }
    let mut settings = settings_with(&fake, Some(credentials()));
    settings.patience.throttled = Duration::from_mins(1);
    let registry = Registry::new(settings).unwrap();
    registry.push(&fake.repository("web"), &image(&[b"one", b"two"]), &()).await.unwrap();
    assert_eq!(fake.state().repositories["web"].manifests.len(), 1);
}

#[tokio::test]
async fn parallel_requests_share_one_password() {
    let fake = Fake::ecr(&["web"]).await;
    let (registry, repository) = (client(&fake), fake.repository("web"));
    let looks = (0..20).map(|_| {
        let (registry, repository) = (registry.clone(), repository.clone());
        tokio::spawn(async move { registry.head(&repository, &latest()).await.unwrap() })
    });
    for look in looks.collect::<Vec<_>>() {
        assert_eq!(look.await.unwrap(), None);
    }
    assert_eq!(fake.count("POST", "GetAuthorizationToken"), 1);
}
