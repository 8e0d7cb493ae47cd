//! Where Docker's daemon may be: what the user's environment says, then the usual places of it and its kin.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ecr_registry::Digest;
use serde::Deserialize;

use crate::{
    docker::{Docker, NoDocker},
    endpoint::{Address, ClientTls},
    fleet::innermost,
};

/// Where Docker's daemon is looked for; nowhere by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sockets {
    /// `DOCKER_HOST`: nothing else counts then.
    host: Option<String>,
    /// The keys for it, where it is reached by TLS.
    keys: Option<PathBuf>,
    /// `DOCKER_CONTEXT`.
    context: Option<String>,
    /// The folder of Docker's configuration, where contexts are.
    configuration: Option<PathBuf>,
    usual: Vec<PathBuf>,
}

/// A place to try, or why it cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Candidate {
    Place(Address, Option<ClientTls>),
    Unsupported(String),
}

impl Sockets {
    /// At this socket and nowhere else.
    pub fn only(socket: impl Into<PathBuf>) -> Self {
        Self { usual: vec![socket.into()], ..Self::default() }
    }

    /// Where `DOCKER_HOST` says; else where the current context of `docker context` says; else in the usual places:
    /// rootless, Docker Desktop, system, podman, colima.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let home = set("HOME").map(PathBuf::from);
        let runtime = set("XDG_RUNTIME_DIR").map(PathBuf::from);
        let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let in_runtime = |path: &str| runtime.as_ref().map(|folder| folder.join(path));
        let configuration = set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| in_home(".docker"));
        let usual = [
            in_runtime("docker.sock"),
            in_home(".docker/run/docker.sock"),
            Some("/var/run/docker.sock".into()),
            in_runtime("podman/podman.sock"),
            Some("/run/podman/podman.sock".into()),
            in_home(".colima/default/docker.sock"),
            in_home(".config/colima/default/docker.sock"),
        ];
        let keys = set("DOCKER_TLS_VERIFY")
            .and_then(|_| set("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| configuration.clone()));
        Self {
            host: set("DOCKER_HOST"),
            keys,
            context: set("DOCKER_CONTEXT"),
            configuration,
            usual: usual.into_iter().flatten().collect(),
        }
    }

    /// The first daemon that answers.
    pub(crate) async fn connect(&self) -> Result<Docker, NoDocker> {
        let mut tried = Vec::new();
        for candidate in self.candidates() {
            match candidate {
                Candidate::Unsupported(why) => tried.push(why),
                Candidate::Place(address, tls) => match Docker::connect(address.clone(), tls).await {
                    Ok(docker) => return Ok(docker),
                    Err(error) => tried.push(format!("{address}: {}", innermost(&error))),
                },
            }
        }
        Err(NoDocker { tried })
    }

    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        if let Some(host) = &self.host {
            return vec![candidate(host, self.keys.as_deref())];
        }
        match self.of_context() {
            Some(found) => vec![found],
            None => {
                self.usual.iter().map(|path| Candidate::Place(Address::Unix(path.clone()), None)).collect()
            }
        }
    }

    /// Where the current context is, unless that is the default one.
    fn of_context(&self) -> Option<Candidate> {
        let configuration = self.configuration.as_ref()?;
        let name = match &self.context {
            Some(name) => name.clone(),
            None => current_context(&configuration.join("config.json")).ok()?.current_context,
        };
        if name.is_empty() || name == "default" {
            return None;
        }
        let id = Digest::of(name.as_bytes()).hex();
        let meta = configuration.join("contexts/meta").join(&id).join("meta.json");
        let host = match read_json::<Meta>(&meta) {
            Ok(meta) => meta.endpoints.docker.host,
            Err(error) => return Some(Candidate::Unsupported(format!("docker context {name}: {error}"))),
        };
        let keys = configuration.join("contexts/tls").join(id).join("docker");
        Some(candidate(&host, keys.is_dir().then_some(keys.as_path())))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Configuration {
    current_context: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: DockerEndpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerEndpoint {
    host: String,
}

fn current_context(path: &Path) -> io::Result<Configuration> {
    read_json(path)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn candidate(host: &str, keys: Option<&Path>) -> Candidate {
    let Ok(address) = host.parse::<Address>() else {
        return Candidate::Unsupported(format!("{host}: neither unix:///path nor tcp://host:port"));
    };
    let tls = keys.map(|folder| ClientTls {
        ca_file: Some(folder.join("ca.pem")),
        cert_file: Some(folder.join("cert.pem")),
        key_file: Some(folder.join("key.pem")),
        server_name: None,
    });
    Candidate::Place(address, tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(variables: &[(&str, &str)]) -> Vec<String> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let shown = |candidate: Candidate| match candidate {
            Candidate::Place(address, None) => address.to_string(),
            Candidate::Place(address, Some(tls)) => format!("{address} {}", tls.key_file.unwrap().display()),
            Candidate::Unsupported(why) => format!("not {why}"),
        };
        Sockets::from_environment(variable).candidates().into_iter().map(shown).collect()
    }

    #[test]
    fn looks_in_the_usual_places() {
        assert_eq!(candidates(&[]), ["unix:///var/run/docker.sock", "unix:///run/podman/podman.sock"]);
        assert_eq!(
            candidates(&[("HOME", "/home/me"), ("XDG_RUNTIME_DIR", "/run/user/1000"), ("DOCKER_HOST", "")]),
            [
                "unix:///run/user/1000/docker.sock",
                "unix:///home/me/.docker/run/docker.sock",
                "unix:///var/run/docker.sock",
                "unix:///run/user/1000/podman/podman.sock",
                "unix:///run/podman/podman.sock",
                "unix:///home/me/.colima/default/docker.sock",
                "unix:///home/me/.config/colima/default/docker.sock",
            ]
        );
    }

    #[test]
    fn a_host_that_is_named_is_the_only_one() {
        assert_eq!(
            candidates(&[("DOCKER_HOST", "unix:///x.sock"), ("HOME", "/home/me")]),
            ["unix:///x.sock"]
        );
        assert_eq!(candidates(&[("DOCKER_HOST", "tcp://1.2.3.4:2375")]), ["tcp://1.2.3.4:2375"]);
        assert_eq!(
            candidates(&[
                ("DOCKER_HOST", "tcp://b:2376"),
                ("DOCKER_TLS_VERIFY", "1"),
                ("DOCKER_CERT_PATH", "/c")
            ]),
            ["tcp://b:2376 /c/key.pem"]
        );
        assert_eq!(
            candidates(&[("DOCKER_HOST", "ssh://b")]),
            ["not ssh://b: neither unix:///path nor tcp://host:port"]
        );
    }

    #[test]
    fn the_current_context_is_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        let id = Digest::of(b"colima").hex();
        let meta = folder.path().join("contexts/meta").join(id);
        fs::create_dir_all(&meta).unwrap();
        let text = r#"{"Name":"colima","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///c.sock"}}}"#;
        fs::write(meta.join("meta.json"), text).unwrap();
        let path = folder.path().to_str().unwrap();
        let usual = candidates(&[]);
        assert_eq!(candidates(&[("DOCKER_CONFIG", path)]), usual);
        assert_eq!(candidates(&[("DOCKER_CONFIG", path), ("DOCKER_CONTEXT", "colima")]), ["unix:///c.sock"]);
        fs::write(folder.path().join("config.json"), r#"{"currentContext":"colima"}"#).unwrap();
        assert_eq!(candidates(&[("DOCKER_CONFIG", path)]), ["unix:///c.sock"]);
        assert_eq!(candidates(&[("DOCKER_CONFIG", path), ("DOCKER_CONTEXT", "default")]), usual);
        let gone = candidates(&[("DOCKER_CONFIG", path), ("DOCKER_CONTEXT", "gone")]);
        assert_eq!(gone, ["not docker context gone: No such file or directory (os error 2)"]);
    }

    #[tokio::test]
    async fn an_absent_daemon_names_what_was_tried() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("docker.sock");
        let error = Sockets::only(&absent).connect().await.unwrap_err();
        let message = format!(
            "no Docker daemon answers (tried unix://{}: No such file or directory (os error 2))",
            absent.display()
        );
        assert_eq!(error.to_string(), message);
    }
}
