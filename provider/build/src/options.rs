//! What a Dockerfile is built with beside its context, for BuildKit alone: none of it is looked at here.
//!
//! [`NamedContext`] and [`Attestations`] decide about the image and are hashed; [`BuildOptions`] are about how it is
//! made and are not.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::PathBuf, str::FromStr};

use ecr_registry::{Reference, Repository, Secret};

/// Content with a name, for `FROM`, `COPY --from` and `RUN --mount=from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedContext {
    /// A folder of this machine; its own `.dockerignore` is obeyed.
    Local(PathBuf),
    /// An image of a registry.
    Image(Reference),
    /// A folder in the OCI image layout, and the name of the image in it.
    OciLayout(LocalImages),
    /// A git repository or a URL, fetched by the builder; as BuildKit writes them.
    Remote(String),
}

/// Images on disk, `path` or `path:name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalImages {
    /// The folder or file.
    pub path: PathBuf,
    /// Which image of it; the only one when absent.
    pub name: Option<String>,
}

impl From<&str> for LocalImages {
    fn from(text: &str) -> Self {
        match text.rsplit_once(':') {
            Some((path, name)) if !path.is_empty() && !name.is_empty() && !name.contains('/') => {
                Self { path: path.into(), name: Some(name.to_owned()) }
            }
            _ => Self { path: text.into(), name: None },
        }
    }
}

impl fmt::Display for LocalImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.name.iter().try_for_each(|name| write!(f, ":{name}"))
    }
}

/// A text that says no context: `docker-image://`, `oci-layout://`, `https://`, `git@` or a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no context")]
pub struct NoContext {
    text: String,
    source: ecr_registry::NameError,
}

impl FromStr for NamedContext {
    type Err = NoContext;

    /// What has no scheme is a folder.
    fn from_str(text: &str) -> Result<Self, NoContext> {
        if let Some(image) = text.strip_prefix("docker-image://") {
            let image = image.parse();
            return image.map(Self::Image).map_err(|source| NoContext { text: text.to_owned(), source });
        }
        if let Some(layout) = text.strip_prefix("oci-layout://") {
            return Ok(Self::OciLayout(layout.into()));
        }
        let remote = ["https://", "http://", "git://", "ssh://", "git@"];
        if remote.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::Remote(text.to_owned()));
        }
        Ok(Self::Local(text.into()))
    }
}

/// What is said about an image beside it, in an index with it. Nothing unless asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attestations {
    /// How it was made.
    pub provenance: Option<Provenance>,
    /// What it contains; the builder runs a program for it that it fetches.
    pub sbom: bool,
}

impl Attestations {
    /// Whether any is asked for.
    pub fn any(self) -> bool {
        self.provenance.is_some() || self.sbom
    }
}

/// How much is said about how an image was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// Base images and the time.
    Min,
    /// The Dockerfile and the build arguments too.
    Max,
}

/// How a Dockerfile is built: nothing of it changes what the image should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// Values for `RUN --mount=type=secret`, by id. They go to the builder's memory and nowhere else.
    pub secrets: BTreeMap<String, Secret>,
    /// Agents' sockets for `RUN --mount=type=ssh`, by id, which is `default` unless the Dockerfile says another.
    pub ssh: BTreeMap<String, PathBuf>,
    /// The network of `RUN` steps.
    pub network: Network,
    /// Names that `RUN` steps know beside those of DNS.
    pub extra_hosts: BTreeMap<String, IpAddr>,
    /// Runs every step anew.
    pub no_cache: bool,
    /// Where the results of steps are kept beside the builder's own store.
    pub cache: BuildCache,
    /// The kind of builder, in place of [`crate::BuilderSettings::engine`].
    pub engine: Option<Engine>,
}

/// The network of `RUN` steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Network {
    /// What the builder gives them.
    #[default]
    Default,
    /// None but the loopback.
    None,
    /// The builder's own; it may not allow that.
    Host,
}

/// Where the results of steps are kept. A cache that cannot be read or written never fails a build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildCache {
    /// Images in registries, read in this order, all written.
    pub registry: Vec<RegistryCache>,
    /// A folder of this machine, in the OCI image layout. Many images may share it.
    pub local: Option<PathBuf>,
}

/// A cache in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryCache {
    /// Where it is.
    pub reference: Reference,
    /// How much is kept.
    pub mode: CacheMode,
}

impl RegistryCache {
    /// The preset for ECR: the tag `buildcache` of this repository. Every cache here is written as ECR takes it, as an
    /// image and not as an index.
    ///
    /// # Panics
    /// Never: `buildcache` is a tag.
    pub fn ecr(repository: Repository, mode: CacheMode) -> Self {
        let tag = "buildcache".parse().expect("a tag");
        Self { reference: Reference { repository, tag: Some(tag), digest: None }, mode }
    }
}

/// How much is kept in a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// The steps of the stage that is built.
    #[default]
    Min,
    /// The steps of all stages.
    Max,
}

/// Which kind of builder is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// The native one where it can, else the endpoints, else Docker.
    #[default]
    Auto,
    /// The native one, which runs no `RUN`.
    Native,
    /// Docker's daemon.
    Docker,
    /// The endpoints, each a buildkitd.
    Buildkit,
}

macro_rules! texts {
    ($type:ident, $error:ident, $what:literal, $($text:literal => $variant:ident),+) => {
        #[doc = concat!("A text that is no ", $what, ".")]
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error("{what} `{0}` is not one of {all}", what = $what, all = [$($text),+].join(", "))]
        pub struct $error(String);

        impl FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($error(text.to_owned())),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
    };
}

texts!(Provenance, UnknownProvenance, "provenance", "min" => Min, "max" => Max);
texts!(Network, UnknownNetwork, "network", "default" => Default, "none" => None, "host" => Host);
texts!(CacheMode, UnknownCacheMode, "cache mode", "min" => Min, "max" => Max);
texts!(Engine, UnknownEngine, "engine", "auto" => Auto, "native" => Native, "docker" => Docker, "buildkit" => Buildkit);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_contexts() {
        let check = |text: &str, expected: NamedContext| {
            assert_eq!(text.parse::<NamedContext>().unwrap(), expected);
        };
        let layout = |path: &str, name: Option<&str>| {
            NamedContext::OciLayout(LocalImages { path: path.into(), name: name.map(str::to_owned) })
        };
        check("../lib", NamedContext::Local("../lib".into()));
        check("docker-image://debian:12", NamedContext::Image("debian:12".parse().unwrap()));
        check("oci-layout:///a/b", layout("/a/b", None));
        check("oci-layout://a:b/c", layout("a:b/c", None));
        check("oci-layout://a/b:1.2", layout("a/b", Some("1.2")));
        for remote in ["https://x.org/a.git#main", "git@x.org:a.git", "ssh://git@x.org/a"] {
            check(remote, NamedContext::Remote(remote.to_owned()));
        }
        let error = "docker-image://A b".parse::<NamedContext>().unwrap_err();
        assert_eq!(error.to_string(), "`docker-image://A b` is no context");
    }

    #[test]
    fn reads_choices() {
        assert_eq!("max".parse(), Ok(CacheMode::Max));
        assert_eq!(
            "podman".parse::<Engine>().unwrap_err().to_string(),
            "engine `podman` is not one of auto, native, docker, buildkit"
        );
        assert_eq!(Network::None.to_string(), "none");
    }
}
