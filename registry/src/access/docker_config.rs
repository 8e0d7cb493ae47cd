use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tokio::{io::AsyncReadExt, sync::OnceCell};

use crate::{error::ErrorKind, names::Host, secret::Secret, settings::Login};

/// The logins that Docker keeps in its configuration. The programs it may name for others are not run.
pub(super) struct DockerConfig {
    path: Option<PathBuf>,
    logins: OnceCell<BTreeMap<Host, Login>>,
}

const MAX_SIZE: u64 = 4 * 1024 * 1024;

impl DockerConfig {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { path, logins: OnceCell::new() }
    }

    /// Where it is, in words.
    pub(super) fn place(&self) -> String {
        match &self.path {
            Some(path) => format!("docker configuration {}", path.display()),
            None => "docker configuration, of which there is none".to_owned(),
        }
    }

    pub(super) async fn login(&self, host: &Host) -> Result<Option<Login>, ErrorKind> {
        Ok(self.logins.get_or_try_init(|| self.read()).await?.get(host).cloned())
    }

    async fn read(&self) -> Result<BTreeMap<Host, Login>, ErrorKind> {
        let Some(path) = &self.path else { return Ok(BTreeMap::new()) };
        let error = |cause| ErrorKind::DockerConfig { path: path.clone(), cause };
        let file = match tokio::fs::File::open(path).await {
            Ok(file) => file,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(cause) => return Err(error(Arc::new(cause))),
        };
        let mut text = Vec::new();
        file.take(MAX_SIZE).read_to_end(&mut text).await.map_err(|cause| error(Arc::new(cause)))?;
        parse(&text).map_err(|cause| error(Arc::new(cause)))
    }
}

fn parse(text: &[u8]) -> Result<BTreeMap<Host, Login>, serde_json::Error> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        auths: BTreeMap<String, Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        auth: Option<Secret>,
        username: Option<String>,
        password: Option<Secret>,
    }
    let login = |entry: Entry| match entry {
        Entry { auth: Some(auth), .. } if !auth.expose().is_empty() => decoded(&auth),
        Entry { username: Some(user), password: Some(password), .. } => Some(Login { user, password }),
        Entry { .. } => None,
    };
    let file: File = serde_json::from_slice(text)?;
    Ok(file.auths.into_iter().filter_map(|(key, entry)| Some((host_of(&key)?, login(entry)?))).collect())
}

/// The base64 of `user:password`.
fn decoded(auth: &Secret) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(auth.expose().trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Login { user: user.to_owned(), password: Secret::new(password.trim_end_matches('\0')) })
}

/// Keys are hosts, or URLs as `https://index.docker.io/v1/`.
fn host_of(key: &str) -> Option<Host> {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_by_host() {
        let text = br#"{
            "auths": {
                "https://index.docker.io/v1/": {"auth": "YWRhOmEtOmI="},
                "ghcr.io": {"username": "ada", "password": "x"},
                "http://127.0.0.1:5000/v2/": {"auth": "YWRhOg==", "email": "a@b"},
                "empty.io": {},
                "broken.io": {"auth": "%%%"},
                "not a host": {"auth": "YWRhOmEtOmI="}
            },
            "credsStore": "desktop"
        }"#;
        let logins = parse(text).unwrap();
        let got: Vec<(&str, &str, &str)> =
            logins.iter().map(|(h, l)| (h.as_str(), l.user.as_str(), l.password.expose())).collect();
        let expected = [("127.0.0.1:5000", "ada", ""), ("docker.io", "ada", "a-:b"), ("ghcr.io", "ada", "x")];
        assert_eq!(got, expected);
        assert!(parse(b"{}").unwrap().is_empty());
        assert!(parse(b"{").is_err());
    }

    #[tokio::test]
    async fn a_missing_file_has_no_logins() {
        let config = DockerConfig::new(Some("/nonexistent/config.json".into()));
        assert_eq!(config.login(&"ghcr.io".parse().unwrap()).await.unwrap(), None);
    }
}
