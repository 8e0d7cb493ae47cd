use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tokio::{io::AsyncReadExt, sync::OnceCell};

use super::{Place, Proof};
use crate::{
    error::ErrorKind,
    names::{Host, Repository},
    secret::Secret,
    settings::Login,
};

/// A file in which docker, podman and their relatives keep logins, and the programs that have further ones.
///
/// Source: docker/cli, `cli/config/configfile/file.go`; containers-auth.json(5).
pub(super) struct AuthFile {
    path: PathBuf,
    dialect: Dialect,
    content: OnceCell<Content>,
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Docker's: a key is a host, whatever else it says.
    Docker,
    /// That of podman, buildah and skopeo: a key may go on with the path of repositories it is for.
    Containers,
}

#[derive(Debug, Default)]
pub(super) struct Content {
    /// By host, or host and path.
    pub(super) logins: BTreeMap<String, Proof>,
    helpers: BTreeMap<Host, String>,
    store: Option<String>,
}

const MAX_SIZE: u64 = 4 * 1024 * 1024;

impl AuthFile {
    pub(super) fn new(path: PathBuf, dialect: Dialect) -> Self {
        Self { path, dialect, content: OnceCell::new() }
    }

    /// Where it is, in words.
    pub(super) fn place(&self) -> String {
        let kind = match self.dialect {
            Dialect::Docker => "docker configuration",
            Dialect::Containers => "containers' auth file",
        };
        format!("{kind} {}", self.path.display())
    }

    /// The program that keeps logins for the host: `pass` means `docker-credential-pass`.
    pub(super) async fn helper(&self, host: &Host) -> Result<Option<&str>, ErrorKind> {
        let content = self.content().await?;
        Ok(content.helpers.get(host).or(content.store.as_ref()).map(String::as_str))
    }

    /// What the file itself has, for the repository before what it is in.
    pub(super) async fn proof(&self, place: Place<'_>) -> Result<Option<&Proof>, ErrorKind> {
        let content = self.content().await?;
        Ok(scopes(place).iter().find_map(|scope| content.logins.get(scope)))
    }

    async fn content(&self) -> Result<&Content, ErrorKind> {
        self.content.get_or_try_init(|| self.read()).await
    }

    async fn read(&self) -> Result<Content, ErrorKind> {
        let error = |cause| ErrorKind::AuthFile { path: self.path.clone(), cause };
        let file = match tokio::fs::File::open(&self.path).await {
            Ok(file) => file,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Content::default()),
            Err(cause) => return Err(error(Arc::new(cause))),
        };
        let mut text = Vec::new();
        file.take(MAX_SIZE).read_to_end(&mut text).await.map_err(|cause| error(Arc::new(cause)))?;
        parse(&text, self.dialect).map_err(|cause| error(Arc::new(cause)))
    }
}

/// `host/a/b`, `host/a`, `host`.
fn scopes(Place { host, name }: Place<'_>) -> Vec<String> {
    let whole = if name.is_empty() { host.to_string() } else { format!("{host}/{name}") };
    let shorter = |scope: &String| scope.rsplit_once('/').map(|(shorter, _)| shorter.to_owned());
    std::iter::successors(Some(whole), shorter).collect()
}

pub(super) fn parse(text: &[u8], dialect: Dialect) -> Result<Content, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct File {
        #[serde(default)]
        auths: BTreeMap<String, Entry>,
        #[serde(default)]
        cred_helpers: BTreeMap<String, String>,
        creds_store: Option<String>,
    }
    let File { auths, cred_helpers, creds_store } = serde_json::from_slice(text)?;
    let login = |(key, entry): (String, Entry)| Some((scope_of(&key, dialect)?, entry.proof()?));
    let helper = |(key, name): (String, String)| Some((host_of(&key)?, name));
    Ok(Content {
        logins: auths.into_iter().filter_map(login).collect(),
        helpers: cred_helpers.into_iter().filter_map(helper).collect(),
        store: creds_store.filter(|name| !name.is_empty()),
    })
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
}

impl Entry {
    fn proof(self) -> Option<Proof> {
        let is_set = |secret: &Secret| !secret.expose().is_empty();
        if let Some(token) = self.identitytoken.filter(is_set) {
            return Some(Proof::Identity(token));
        }
        let login = match (self.auth.filter(is_set), self.username, self.password) {
            (Some(auth), ..) => decoded(&auth),
            (None, Some(user), Some(password)) => Some(Login { user, password }),
            (None, ..) => None,
        };
        login.map(Proof::Login)
    }
}

/// The base64 of `user:password`.
fn decoded(auth: &Secret) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(auth.expose().trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Login { user: user.to_owned(), password: Secret::new(password.trim_end_matches('\0')) })
}

fn scope_of(key: &str, dialect: Dialect) -> Option<String> {
    let host = host_of(key)?;
    let path = without_scheme(key).split_once('/').map_or("", |(_, path)| path);
    match Repository::new(host.clone(), path) {
        Ok(repository) if dialect == Dialect::Containers && !key.contains("://") => {
            Some(repository.to_string())
        }
        _ => Some(host.to_string()),
    }
}

/// Keys are hosts, or URLs as `https://index.docker.io/v1/`.
fn host_of(key: &str) -> Option<Host> {
    without_scheme(key).split('/').next()?.parse().ok()
}

fn without_scheme(key: &str) -> &str {
    key.split_once("://").map_or(key, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = br#"{
        "auths": {
            "https://index.docker.io/v1/": {"auth": "YWRhOmEtOmI="},
            "ghcr.io": {"username": "ada", "password": "x"},
            "ghcr.io/shop": {"auth": "YWRhOnNob3A="},
            "ghcr.io/shop/web": {"auth": "YWRhOndlYg=="},
            "http://127.0.0.1:5000/v2/": {"auth": "YWRhOg==", "email": "a@b"},
            "azure.io": {"auth": "MDAwOg==", "identitytoken": "refresh"},
            "empty.io": {},
            "broken.io": {"auth": "%%%"},
            "not a host": {"auth": "YWRhOmEtOmI="}
        },
        "credHelpers": {"gcr.io": "gcloud"},
        "credsStore": "desktop"
    }"#;

    #[test]
    fn logins_by_host_and_by_path() {
        let [docker, containers] =
            [Dialect::Docker, Dialect::Containers].map(|dialect| parse(FILE, dialect).unwrap());
        let check = |content: &Content, repository: &str, expected: &str| {
            let repository: Repository = repository.parse().unwrap();
            let proof = scopes(Place::from(&repository)).iter().find_map(|scope| content.logins.get(scope));
            let got = match proof {
                Some(Proof::Login(login)) => format!("{}:{}", login.user, login.password.expose()),
                Some(Proof::Identity(token)) => format!("token {}", token.expose()),
                None => String::new(),
            };
            assert_eq!(got, expected, "{repository}");
        };
        for content in [&docker, &containers] {
            check(content, "docker.io/library/debian", "ada:a-:b");
            check(content, "127.0.0.1:5000/v2/a", "ada:");
            check(content, "azure.io/a", "token refresh");
            check(content, "empty.io/a", "");
            check(content, "broken.io/a", "");
            check(content, "other.io/a", "");
        }
        check(&containers, "ghcr.io/a", "ada:x");
        check(&containers, "ghcr.io/shop/api", "ada:shop");
        check(&containers, "ghcr.io/shop/web", "ada:web");
        check(&containers, "ghcr.io/shop/web/b", "ada:web");
        check(&containers, "ghcr.io/shopping", "ada:x");
    }

    #[test]
    fn helpers() {
        let content = parse(FILE, Dialect::Docker).unwrap();
        assert_eq!(content.helpers[&"gcr.io".parse().unwrap()], "gcloud");
        assert_eq!(content.store.as_deref(), Some("desktop"));
        assert!(parse(b"{}", Dialect::Docker).unwrap().logins.is_empty());
        assert!(parse(b"{", Dialect::Docker).is_err());
    }

    #[tokio::test]
    async fn a_missing_file_has_no_logins() {
        let file = AuthFile::new("/nonexistent/config.json".into(), Dialect::Docker);
        let repository: Repository = "ghcr.io/a".parse().unwrap();
        assert!(file.proof(Place::from(&repository)).await.unwrap().is_none());
        assert_eq!(file.helper(repository.host()).await.unwrap(), None);
    }
}
