//! Who asks: every way to say it, and that nobody else hears it.

use std::{path::Path, process::Command};

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
    let expected = format!("`{}`, which may have the login, cannot be read", path.display());
    assert!(told(&error).contains(&expected));
}

/// A client whose docker configuration and containers' auth file say this, and whose helpers are these scripts.
fn client_of_files(folder: &Path, docker: &str, containers: &str, helpers: &[(&str, &str)]) -> Registry {
    let [docker_config, auth_file] = ["config.json", "auth.json"].map(|name| folder.join(name));
    std::fs::write(&docker_config, docker).unwrap();
    std::fs::write(&auth_file, containers).unwrap();
    for (name, script) in helpers {
        let (text, path) = (folder.join(name), folder.join(format!("docker-credential-{name}")));
        std::fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        // Not written by this process: what another test starts would hold it open for writing, and it could not run.
        let installed = Command::new("install").arg("-m700").args([&text, &path]).status();
        assert!(installed.unwrap().success());
    }
    let (docker_config, containers_auth) = (Some(docker_config), vec![auth_file]);
    let helper_path = Some(folder.into());
    Registry::new(Settings { docker_config, containers_auth, helper_path, ..settings() }).unwrap()
}

#[tokio::test]
async fn a_helper_is_asked_once_and_again_when_its_password_is_refused() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Basic("password-1"));
    let folder = tempfile::tempdir().unwrap();
    // Counts its calls; each gives the next password.
    let script = format!(
        r#"echo >> {dir}/calls; echo "{{\"Username\":\"ada\",\"Secret\":\"password-$(wc -l < {dir}/calls)\"}}""#,
        dir = folder.path().display()
    );
    let registry =
        client_of_files(folder.path(), r#"{"credsStore":"count"}"#, "{}", &[("count", script.as_str())]);
    let (repository, latest) = (fake.repository("web"), Tag::latest().into());
    for _ in 0..3 {
        assert_eq!(registry.head(&repository, &latest).await.unwrap(), None);
    }
    let calls = || std::fs::read(folder.path().join("calls")).unwrap().len();
    assert_eq!(calls(), 1);
    fake.state().challenge = Some(Challenge::Basic("password-2"));
    assert_eq!(registry.head(&repository, &latest).await.unwrap(), None);
    assert_eq!(calls(), 2);
}

#[tokio::test]
async fn a_helper_that_fails_is_an_error_and_one_that_is_missing_is_named() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Basic("hunter2"));
    let folder = tempfile::tempdir().unwrap();
    let docker = r#"{"credsStore":"locked"}"#;
    let containers = format!(r#"{{"credHelpers":{{"{}":"absent"}}}}"#, fake.host);
    let registry = client_of_files(folder.path(), docker, &containers, &[("locked", "echo locked; exit 1")]);
    let (repository, latest) = (fake.repository("web"), Tag::latest().into());
    let error = registry.head(&repository, &latest).await.unwrap_err();
    assert!(told(&error).ends_with("`docker-credential-locked` gives no login: exit status: 1: locked"));
    assert_eq!(error.outcome(), Outcome::NotAllowed);

    let registry = client_of_files(folder.path(), "{}", &containers, &[]);
    let error = registry.head(&repository, &latest).await.unwrap_err();
    let ErrorKind::NoCredentials { tried, .. } = *error.kind else { panic!("{error:?}") };
    assert_eq!(tried[2], "docker-credential-absent, which is not installed");
    assert!(tried[3].starts_with("containers' auth file "));
}

#[tokio::test]
async fn podmans_logins_go_by_path() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Basic("hunter2"));
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = ("YWRhOmh1bnRlcjI=", "YWRhOnNvbWV0aGluZw==");
    let host = &fake.host;
    let containers = format!(
        r#"{{"auths":{{"{host}":{{"auth":"{bad}"}},"{host}/shop":{{"auth":"{good}"}},"{host}/shop/x":{{"auth":"{bad}"}}}}}}"#
    );
    let registry = client_of_files(folder.path(), "{}", &containers, &[]);
    let head = async |name: &str| registry.head(&fake.repository(name), &Tag::latest().into()).await;
    assert_eq!(head("shop/web").await.unwrap(), None);
    assert!(matches!(*head("web").await.unwrap_err().kind, ErrorKind::CredentialsRefused { .. }));
    assert!(matches!(*head("shop/x").await.unwrap_err().kind, ErrorKind::CredentialsRefused { .. }));
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Bearer);
    let folder = tempfile::tempdir().unwrap();
    let client = |token: &str| {
        let docker =
            format!(r#"{{"auths":{{"{}":{{"auth":"MDAwOg==","identitytoken":"{token}"}}}}}}"#, fake.host);
        client_of_files(folder.path(), &docker, "{}", &[])
    };
    let (repository, latest) = (fake.repository("web"), Tag::latest().into());
    let registry = client("refresh");
    assert_eq!(registry.head(&repository, &latest).await.unwrap(), None);
    assert_eq!((fake.count("POST", "/token"), fake.count("GET", "/token")), (1, 0));
    let login = registry.login(repository.host()).await.unwrap().unwrap();
    assert_eq!((login.user.as_str(), login.password.expose()), ("", "refresh"));
    let error = client("stolen").head(&repository, &latest).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::CredentialsRefused { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("stolen"));
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
