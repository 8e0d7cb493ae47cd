//! Every place where AWS keeps credentials leads to a password for ECR.
//!
//! What is tried is the environment of a process, so each row is a process of its own.

use std::path::Path;

use aws_config::BehaviorVersion;
use ecr_registry::{Endpoints, Registry, Settings, Tag, Version};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    fake::{ECR, Fake, Reply, What},
    settings, told,
};

/// What the process that asks says when it was let in.
const DONE: &str = "asked with the credentials of the environment";

#[tokio::test]
async fn asks_by_its_environment() {
    let Some(url) = std::env::var("CHAIN_TEST_REGISTRY").ok() else { return };
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let endpoints = Endpoints::parse([(&ECR.to_owned(), &url)]).unwrap();
    let registry = Registry::new(Settings { aws: Some(aws), endpoints, ..settings() }).unwrap();
    let repository = format!("{ECR}/web").parse().unwrap();
    match registry.head(&repository, &Version::Tag(Tag::latest())).await {
        Ok(_) => println!("{DONE}"),
        Err(error) => println!("{}", told(&error)),
    }
}

/// What a process says whose environment is this, and whose home is the folder.
async fn say(fake: &Fake, home: &Path, environment: &[(&str, &str)]) -> String {
    let url = format!("http://{}", fake.host);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "chain::asks_by_its_environment", "--nocapture"]).env_clear().env("HOME", home);
    for service in ["ECR", "STS", "SSO"] {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), &url);
    }
    command.env("AWS_REGION", "eu-central-1").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url);
    command.env("CHAIN_TEST_REGISTRY", &url).envs(environment.iter().copied());
    let output = command.kill_on_drop(true).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// As which key ECR's API knows a process whose environment is this.
async fn check(fake: &Fake, home: &Path, environment: &[(&str, &str)], expected: &str) {
    let said = say(fake, home, environment).await;
    assert!(said.contains(DONE), "{environment:?}: {said}");
    let identities = std::mem::take(&mut fake.state().identities);
    assert_eq!(identities.into_iter().collect::<Vec<_>>(), [expected], "{environment:?}");
}

fn keys(name: &str) -> Value {
    let expires = "2999-01-01T00:00:00Z";
    json!({ "Version": 1, "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": name, "SecretAccessKey": "s",
        "Token": "t", "SessionToken": "t", "Expiration": expires, "LastUpdated": expires })
}

fn gives(fake: &Fake, method: &'static str, path: &'static str, body: String) {
    fake.fail(method, path, 1, What::Answer(Reply::status(200).body(body)));
}

const CONFIG: &str = "
[profile keys]
aws_access_key_id = PROFILE
aws_secret_access_key = s
[profile role]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = keys
[profile process]
credential_process = cat HOME/keys.json
[profile sso]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-central-1
sso_account_id = 123456789012
sso_role_name = deploy
";

#[tokio::test]
async fn every_place_has_credentials() {
    let (fake, folder) = (Fake::ecr(&["web"]).await, tempfile::tempdir().unwrap());
    let home = folder.path();
    let write = |name: &str, text: &str| {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text.replace("HOME", home.to_str().unwrap())).unwrap();
        path.to_str().unwrap().to_owned()
    };
    write(".aws/config", CONFIG);
    write("keys.json", &keys("PROCESS").to_string());
    // Named by the SHA-1 of the start URL.
    let session = json!({ "accessToken": "sso-token", "expiresAt": "2999-01-01T00:00:00Z", "region": "eu-central-1",
        "startUrl": "https://example.awsapps.com/start" });
    write(".aws/sso/cache/e8be5486177c5b5392bd9aa76563515b29358e6e.json", &session.to_string());

    check(&fake, home, &[("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "s")], "ENV").await;
    check(&fake, home, &[("AWS_PROFILE", "keys")], "PROFILE").await;
    check(&fake, home, &[("AWS_PROFILE", "role")], "KEY-OF-deploy").await;
    check(&fake, home, &[("AWS_PROFILE", "process")], "PROCESS").await;

    let role = json!({ "accessKeyId": "SSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": 32_503_680_000_000_u64 });
    gives(&fake, "GET", "/federation/credentials", json!({ "roleCredentials": role }).to_string());
    check(&fake, home, &[("AWS_PROFILE", "sso")], "SSO").await;

    let token = write("token", "a web identity");
    let web = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/web"),
    ];
    check(&fake, home, &web, "KEY-OF-web").await;

    let url = format!("http://{}/container", fake.host);
    gives(&fake, "GET", "/container", keys("CONTAINER").to_string());
    check(&fake, home, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)], "CONTAINER").await;

    let token = Reply::status(200).header("x-aws-ec2-metadata-token-ttl-seconds", "21600").body("imds-token");
    fake.fail("PUT", "/latest/api/token", 1, What::Answer(token));
    gives(&fake, "GET", "/iam/security-credentials/the-role", keys("INSTANCE").to_string());
    gives(&fake, "GET", "/iam/security-credentials/", "the-role".to_owned());
    check(&fake, home, &[], "INSTANCE").await;

    let said = say(&fake, home, &[("AWS_EC2_METADATA_DISABLED", "true")]).await;
    let none =
        "none of the usual places has credentials (environment, profile, web identity, container, instance)";
    assert!(said.contains(&format!("AWS gives no registry password: {none}")), "{said}");
}
