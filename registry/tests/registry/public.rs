//! ECR Public: its API, and who asks its registry.

use base64::{Engine, engine::general_purpose::STANDARD};
use ecr_registry::{Endpoints, Host, Registry};
use serde_json::json;

use crate::{
    ecr::{client, credentials, settings_with},
    ecr_api::digest,
    fake::{Challenge, Fake, What, api_error},
};

#[tokio::test]
async fn aliases_repositories_and_images() {
    let fake = Fake::ecr(&[]).await;
    let public = client(&fake).ecr_public().unwrap();
    let alias = |name: &str, status: &str, primary: bool| json!({ "name": name, "status": status, "primaryRegistryAlias": primary, "defaultRegistryAlias": !primary });
    let registry = json!({ "registryId": "1", "registryArn": "arn", "registryUri": "public.ecr.aws/x", "verified": true,
        "aliases": [alias("x1y2", "ACTIVE", false), alias("wanted", "PENDING", false), alias("shop", "ACTIVE", true)] });
    fake.says("DescribeRegistries", &json!({ "registries": [registry] }));
    assert_eq!(public.aliases().await.unwrap(), ["shop", "x1y2"]);

    let repository = json!({ "repositoryName": "web", "repositoryArn": "arn:web", "repositoryUri": "public.ecr.aws/shop/web" });
    fake.says("DescribeRepositories", &json!({ "repositories": [repository] }));
    let repositories = public.repositories().await.unwrap();
    assert_eq!(
        (repositories[0].repository.to_string().as_str(), repositories[0].name.as_str()),
        ("public.ecr.aws/shop/web", "web")
    );

    let image = |number: usize| json!({ "imageDigest": digest(number), "imageTags": ["b", "a"], "imageSizeInBytes": 9 });
    fake.says("DescribeImages", &json!({ "imageDetails": [image(1)], "nextToken": "2" }));
    fake.says("DescribeImages", &json!({ "imageDetails": [image(2)] }));
    let images = public.images("web").await.unwrap();
    assert_eq!(images.iter().map(|image| image.digest).collect::<Vec<_>>(), [digest(1), digest(2)]);
    assert_eq!((images[0].tags[0].as_str(), images[0].size), ("a", Some(9)));
    assert_eq!(
        fake.asked("DescribeImages")[1],
        json!({ "repositoryName": "web", "maxResults": 1000, "nextToken": "2" })
    );
}

/// A client for which ECR Public is the fake, which lets in who has this password.
async fn with_public(password: Option<&'static str>) -> (Fake, Registry) {
    let fake = Fake::start().await;
    fake.state().challenge = password.map(Challenge::Basic);
    let mut settings = settings_with(&fake, Some(credentials()));
    let url = format!("http://{}", fake.host);
    settings.endpoints = Endpoints::parse([(&"public.ecr.aws".to_owned(), &url)]).unwrap();
    let registry = Registry::new(settings).unwrap();
    (fake, registry)
}

#[tokio::test]
async fn aws_gives_the_password() {
    let (fake, registry) = with_public(Some("from-aws")).await;
    let in_a_day = std::time::SystemTime::now() + std::time::Duration::from_hours(24);
    let expires = in_a_day.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let token = STANDARD.encode("ada:from-aws");
    fake.says(
        "GetAuthorizationToken",
        &json!({ "authorizationData": { "authorizationToken": token, "expiresAt": expires } }),
    );
    let image = "public.ecr.aws/shop/web:1".parse::<ecr_registry::Reference>().unwrap();
    assert_eq!(registry.head(&image.repository, &image.version()).await.unwrap(), None);
    let login = registry.login(&Host::public_ecr()).await.unwrap().unwrap();
    assert_eq!((login.user.as_str(), login.password.expose()), ("ada", "from-aws"));
    assert_eq!(fake.asked("GetAuthorizationToken").len(), 1);
}

#[tokio::test]
async fn who_gets_no_password_asks_without() {
    let (fake, registry) = with_public(None).await;
    fake.state().challenge = Some(Challenge::Bearer);
    let denied =
        api_error("AccessDeniedException", "not authorized to perform: ecr-public:GetAuthorizationToken");
    fake.fail("POST", "GetAuthorizationToken", 99, What::Answer(denied));
    let image = "public.ecr.aws/shop/web:1".parse::<ecr_registry::Reference>().unwrap();
    for _ in 0..3 {
        assert_eq!(registry.head(&image.repository, &image.version()).await.unwrap(), None);
    }
    assert_eq!(registry.login(&Host::public_ecr()).await.unwrap(), None);
    assert_eq!(fake.asked("GetAuthorizationToken").len(), 1);
}
