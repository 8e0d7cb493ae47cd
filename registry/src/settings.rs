mod authorities;
mod certificates;
mod proxies;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_types::SdkConfig;

pub use authorities::Authorities;
pub use certificates::Certificates;
pub(crate) use certificates::{Identity, of_host};
pub use proxies::Proxies;

use crate::{
    cache::Cache,
    endpoints::Endpoints,
    error::{Action, Cause, Error},
    mirrors::Mirrors,
    names::{Host, NameError},
    secret::Secret,
};

/// What access to registries needs, with everything resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// AWS credentials and endpoints, for private ECR registries; the region is taken from each host.
    pub aws: Option<SdkConfig>,
    /// Hosts that are reached somewhere else.
    pub endpoints: Endpoints,
    /// Registries that have copies of what others have.
    pub mirrors: Mirrors,
    /// The proxies on the way.
    pub proxies: Proxies,
    /// Certificate authorities that are trusted beside those of the machine.
    pub authorities: Authorities,
    /// Certificates for single hosts.
    pub certificates: Certificates,
    /// Hosts to which a registry may send us although they are in a network where it is not itself, such as a store of
    /// layers in a company's network.
    pub trusted: Vec<Host>,
    /// Users and passwords by host, which go before all others.
    pub logins: BTreeMap<Host, Login>,
    /// The role to take on for the registries of an account: account to role ARN.
    pub account_roles: BTreeMap<String, String>,
    /// Docker's `config.json`, for all other hosts; a file that does not exist has no logins.
    pub docker_config: Option<PathBuf>,
    /// The auth files of podman and its relatives, which go after docker's; the first with a login counts.
    pub containers_auth: Vec<PathBuf>,
    /// The folders with the credential helpers that these files name, written as `PATH` is; none is run without.
    pub helper_path: Option<OsString>,
    /// What this program calls itself: `name/version`.
    pub user_agent: String,
    /// How many large blobs are sent at once; of small ones eight times as many.
    pub uploads: usize,
    /// A folder of this user for the locks by which several processes keep from sending the same blob at once.
    pub locks: Option<PathBuf>,
    /// Where blobs that were fetched are kept for the next time.
    pub cache: Option<Cache>,
    /// How long to wait, and how often to try.
    pub patience: Patience,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            aws: None,
            endpoints: Endpoints::default(),
            mirrors: Mirrors::default(),
            proxies: Proxies::default(),
            authorities: Authorities::default(),
            certificates: Certificates::default(),
            trusted: Vec::new(),
            logins: BTreeMap::new(),
            account_roles: BTreeMap::new(),
            docker_config: None,
            containers_auth: Vec::new(),
            helper_path: None,
            user_agent: concat!("eks-deploy/", env!("CARGO_PKG_VERSION")).to_owned(),
            uploads: 8,
            locks: None,
            cache: None,
            patience: Patience::default(),
        }
    }
}

impl Settings {
    /// With the logins of this user: docker's configuration, podman's auth files, and the helpers they name; and with
    /// the user's folder for locks.
    /// `variable` looks up a variable of the environment.
    #[must_use]
    pub fn with_logins_of_user(mut self, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        self.docker_config = docker_config_path(&variable);
        self.containers_auth = containers_auth_paths(&variable);
        self.helper_path = variable("PATH");
        self.locks = locks_path(&variable);
        self
    }

    /// With the network of this machine: the proxies of [`Proxies::from_environment`], and the certificate authorities in
    /// the file that `AWS_CA_BUNDLE` names and in that of `SSL_CERT_FILE`, if it is there, and the certificates that docker
    /// and podman have for single hosts, in `/etc/docker/certs.d`, `/etc/containers/certs.d` and
    /// `~/.config/containers/certs.d`. What the settings have already stays. `variable` looks up a variable of the
    /// environment.
    pub fn with_network_of_machine(self, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        self.with_network(variable).map_err(|error| Error::new(Action::SetUp, "the network", error))
    }

    fn with_network(mut self, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, NetworkError> {
        if self.proxies == Proxies::default() {
            self.proxies = Proxies::from_environment(&variable)?;
        }
        let file = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // Some set SSL_CERT_FILE to a file that does not exist, so that nobody is trusted by accident.
        let files = [file("AWS_CA_BUNDLE"), file("SSL_CERT_FILE").filter(|file| file.exists())];
        for file in files.into_iter().flatten() {
            self.authorities = self.authorities.with_file(file)?;
        }
        if self.certificates == Certificates::default() {
            self.certificates = Certificates::in_folders(certificates::folders(&variable));
        }
        Ok(self)
    }
}

/// Something about the network that cannot be used as it was given.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NetworkError {
    /// A proxy that is none; what may be its password is left out.
    #[error("proxy `{0}` is not of the form http(s)://[user:password@]host[:port], or socks5://…")]
    Proxy(String),
    /// A mirror that is none.
    #[error("mirror `{mirror}` is not of the form host[/start-of-names]")]
    Mirror {
        /// The mirror.
        mirror: String,
        /// What is wrong with it.
        #[source]
        cause: NameError,
    },
    /// A file of certificate authorities that cannot be read.
    #[error("`{}` cannot be used as certificate authorities", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        cause: Cause,
    },
    /// A certificate for a single host, or its key, that cannot be read.
    #[error("`{}` cannot be used as a certificate or its key", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        cause: Cause,
    },
    /// A file without certificate authorities.
    #[error("`{}` has no certificate in PEM form", .0.display())]
    NoAuthority(PathBuf),
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
    /// For a credential helper's answer; it may have to ask its user.
    pub helper: Duration,
    /// How often one thing is tried.
    pub attempts: u32,
    /// The longest wait after the first failure; it doubles with every further one, and the wait itself is
    /// a random part of it.
    pub first_wait: Duration,
    /// The longest wait of all, also when the registry names one.
    pub longest_wait: Duration,
    /// No further attempt begins this long after the first failure.
    pub budget: Duration,
    /// As `budget`, while the registry asks for fewer requests; there `attempts` do not count.
    pub throttled: Duration,
    /// For how long a listing tells [`Registry::digests`](crate::Registry::digests) what a repository has.
    pub listing: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_mins(1),
            stall: Duration::from_mins(1),
            store: Duration::from_mins(5),
            helper: Duration::from_secs(30),
            attempts: 6,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(20),
            budget: Duration::from_mins(5),
            throttled: Duration::from_mins(5),
            listing: Duration::from_secs(10),
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

/// Where processes of one user tell each other what they send: `ecr-registry/locks` in `$XDG_RUNTIME_DIR`, else in
/// `$XDG_CACHE_HOME` or `~/.cache`.
pub fn locks_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_RUNTIME_DIR").or_else(|| set("XDG_CACHE_HOME"));
    let folder = folder.or_else(|| Some(set("HOME")?.join(".cache")));
    folder.map(|folder| folder.join("ecr-registry/locks"))
}

/// Where podman, buildah and skopeo keep logins: `$REGISTRY_AUTH_FILE` alone, else
/// `$XDG_RUNTIME_DIR/containers/auth.json`, then `containers/auth.json` in `$XDG_CONFIG_HOME` or `~/.config`.
///
/// Source: containers-auth.json(5).
pub fn containers_auth_paths(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = set("REGISTRY_AUTH_FILE") {
        return vec![file];
    }
    let config = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    let folders = [set("XDG_RUNTIME_DIR"), config].into_iter().flatten();
    folders.map(|folder| folder.join("containers/auth.json")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        |wanted| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value))
    }

    #[test]
    fn podmans_auth_files_are_found() {
        let check = |variables: &[(&str, &str)], expected: &[&str]| {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(containers_auth_paths(lookup(variables)), expected);
        };
        let (home, run) = (("HOME", "/home/ada"), ("XDG_RUNTIME_DIR", "/run/user/7"));
        check(&[home, run], &["/run/user/7/containers/auth.json", "/home/ada/.config/containers/auth.json"]);
        check(&[home, ("XDG_CONFIG_HOME", "/c")], &["/c/containers/auth.json"]);
        check(&[home, run, ("REGISTRY_AUTH_FILE", "/a.json")], &["/a.json"]);
        check(&[("REGISTRY_AUTH_FILE", "")], &[]);
    }

    #[test]
    fn the_folder_for_locks_is_found() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            assert_eq!(locks_path(lookup(variables)), expected.map(PathBuf::from));
        };
        let (home, run) = (("HOME", "/home/ada"), ("XDG_RUNTIME_DIR", "/run/user/7"));
        check(&[home, run, ("XDG_CACHE_HOME", "/c")], Some("/run/user/7/ecr-registry/locks"));
        check(&[home, ("XDG_CACHE_HOME", "/c")], Some("/c/ecr-registry/locks"));
        check(&[home], Some("/home/ada/.cache/ecr-registry/locks"));
        check(&[], None);
    }

    #[test]
    fn the_docker_configuration_is_found() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            assert_eq!(docker_config_path(lookup(variables)), expected.map(PathBuf::from));
        };
        check(&[("HOME", "/home/ada")], Some("/home/ada/.docker/config.json"));
        check(&[("HOME", "/home/ada"), ("DOCKER_CONFIG", "/etc/d")], Some("/etc/d/config.json"));
        check(&[("HOME", "/home/ada"), ("DOCKER_CONFIG", "")], Some("/home/ada/.docker/config.json"));
        check(&[], None);
    }
}
