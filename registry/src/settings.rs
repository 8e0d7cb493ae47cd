use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_types::SdkConfig;

use crate::{endpoints::Endpoints, names::Host, secret::Secret};

/// What access to registries needs, with everything resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// AWS credentials and endpoints, for private ECR registries; the region is taken from each host.
    pub aws: Option<SdkConfig>,
    /// Hosts that are reached somewhere else.
    pub endpoints: Endpoints,
    /// Users and passwords by host, which go before all others.
    pub logins: BTreeMap<Host, Login>,
    /// Docker's `config.json`, for all other hosts; a file that does not exist has no logins.
    pub docker_config: Option<PathBuf>,
    /// What this program calls itself: `name/version`.
    pub user_agent: String,
    /// How many blobs are sent at once.
    pub uploads: usize,
    /// How long to wait, and how often to try.
    pub patience: Patience,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            aws: None,
            endpoints: Endpoints::default(),
            logins: BTreeMap::new(),
            docker_config: None,
            user_agent: concat!("eks-deploy/", env!("CARGO_PKG_VERSION")).to_owned(),
            uploads: 8,
            patience: Patience::default(),
        }
    }
}

/// A user and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// How long to wait, and how often to try.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For the whole answer to a request that carries no blob.
    pub answer: Duration,
    /// For the next byte of a blob, in either direction.
    pub stall: Duration,
    /// For the answer after the last byte of a blob, while the registry stores it.
    pub store: Duration,
    /// How often one thing is tried.
    pub attempts: u32,
    /// The longest wait after the first failure; it doubles with every further one, and the wait itself is
    /// a random part of it.
    pub first_wait: Duration,
    /// The longest wait of all, also when the registry names one.
    pub longest_wait: Duration,
    /// No further attempt begins this long after the first failure.
    pub budget: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_mins(1),
            stall: Duration::from_mins(1),
            store: Duration::from_mins(5),
            attempts: 6,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(20),
            budget: Duration::from_mins(5),
        }
    }
}

/// Where Docker keeps its configuration: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.
/// `variable` looks up a variable of the environment.
pub fn docker_config_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let folder = set("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(Path::new(&set("HOME")?).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docker_configuration_is_found() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let variable = |wanted: &str| {
                variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value))
            };
            assert_eq!(docker_config_path(variable), expected.map(PathBuf::from));
        };
        check(&[("HOME", "/home/ada")], Some("/home/ada/.docker/config.json"));
        check(&[("HOME", "/home/ada"), ("DOCKER_CONFIG", "/etc/d")], Some("/etc/d/config.json"));
        check(&[("HOME", "/home/ada"), ("DOCKER_CONFIG", "")], Some("/home/ada/.docker/config.json"));
        check(&[], None);
    }
}
