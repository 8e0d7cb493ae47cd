//! Who asks: every way to say it, and that nobody else hears it.

use ecr_registry::{ErrorKind, Login, Outcome, Registry, Secret, Settings, Tag, Version};

use crate::{
    client,
    fake::{Challenge, Fake},
    image, settings, told,
};

/// A client with a login for the registry.
pub(crate) fn client_of(fake: &Fake, password: &str) -> Registry {
    let login = Login { user: "ada".to_owned(), password: Secret::new(password) };
    let logins = [(fake.host.parse().unwrap(), login)].into();
    Registry::new(Settings { logins, ..settings() }).unwrap()
}

#[tokio::test]
async fn a_registry_that_asks_for_a_password_gets_it() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Basic("hunter2"));
    let (repository, latest) = (fake.repository("web"), Version::Tag(Tag::latest()));
    let registry = client_of(&fake, "hunter2");
    assert_eq!(registry.head(&repository, &latest).await.unwrap(), None);
    assert_eq!(registry.head(&repository, &latest).await.unwrap(), None);
    assert_eq!(fake.take_log().len(), 3); // asked once, known from then on
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Basic("hunter2"));
    let registry = client_of(&fake, "hunter1");
    let error = registry.head(&fake.repository("web"), &Tag::latest().into()).await.unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "cannot look up `{host}/web:latest`: `{host}` does not accept the credentials from the login given \
             for the host: UNAUTHORIZED: who are you?",
            host = fake.host
        )
    );
    assert_eq!(error.outcome(), Outcome::NotAllowed);
    assert!(!format!("{error:?}").contains("hunter"));
}

#[tokio::test]
async fn without_credentials_the_error_says_where_they_were_looked_for() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Basic("hunter2"));
    let error = client().head(&fake.repository("web"), &Tag::latest().into()).await.unwrap_err();
    let ErrorKind::NoCredentials { tried, .. } = *error.kind else { panic!("{error:?}") };
    assert_eq!(tried, ["logins given for the host", "docker configuration, of which there is none"]);
}

#[tokio::test]
async fn dockers_configuration_is_read() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Basic("hunter2"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, format!(r#"{{"auths":{{"{}":{{"auth":"YWRhOmh1bnRlcjI="}}}}}}"#, fake.host))
        .unwrap();
    let with = |path| Registry::new(Settings { docker_config: Some(path), ..settings() }).unwrap();
    let (repository, latest) = (fake.repository("web"), Tag::latest().into());
    assert_eq!(with(path.clone()).head(&repository, &latest).await.unwrap(), None);
    std::fs::write(&path, "{").unwrap();
    let error = with(path.clone()).head(&repository, &latest).await.unwrap_err();
    assert!(told(&error).contains(&format!("docker configuration `{}` cannot be read", path.display())));
}

#[tokio::test]
async fn a_token_server_is_asked_for_what_is_needed() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Bearer);
    let (registry, repository) = (client(), fake.repository("web"));
    let image = image(&[b"one"]);
    registry.push(&repository, &image, &()).await.unwrap();
    registry.tag(&repository, &Tag::latest(), &image.manifest).await.unwrap();
    assert_eq!(fake.count("GET", "/token"), 2); // one to read, one to write
}
