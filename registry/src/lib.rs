//! Names, digests, credentials, push and pull for Amazon ECR and OCI registries.
//!
//! [`Registry`] is the way in: it looks up, reads, pushes, copies and tags images in any registry. It finds the
//! credentials by the host, tries again what can help, keeps to the pace that a registry sets, and never sends what
//! is already there. [`names`] are parsed once, at the edge; [`content`] is what a registry stores. This library
//! knows neither Terraform nor Helm, nor how an image is built.
//!
//! # What to use when
//!
//! | wanted | use |
//! |---|---|
//! | the digest behind a tag | [`Registry::head`]; many at once: [`Registry::resolve`] |
//! | where many tags point, asked by many tasks | [`Registry::digests`] |
//! | what an image is made of | [`Registry::manifest`], [`Registry::small_blob`] for its configuration |
//! | push one image that was made here | [`Registry::push`], then [`Registry::tag`] |
//! | push an image or index from disk | [`Layout::tree`] or [`DockerArchive::image`], then [`Registry::push_tree`] |
//! | copy between repositories, registries, accounts, regions | [`Registry::copy`] |
//! | give an image another tag | [`Registry::retag`] |
//! | have an image on disk | [`Registry::pull`] into a [`Layout`]; for `docker load`: [`content::write_docker_archive`] |
//! | one blob | [`Registry::download`] into a file, [`Registry::blob`] as it comes |
//! | signatures, provenance, lists of contents | [`Registry::referrers`] |
//! | what ECR knows: tags, sizes, scans, copies, signatures, lifecycles, settings | [`Registry::ecr`] |
//! | how a whole private registry is set up; what this account has in ECR Public | [`Registry::ecr_registry`], [`Registry::ecr_public`] |
//! | fetched blobs kept for the next time | [`Cache`] in [`Settings::cache`] |
//! | the password for a program that pushes itself | [`Registry::login`] |
//!
//! # Names
//!
//! ```
//! use ecr_registry::{Platform, Reference, Repository};
//!
//! let image: Reference = "debian:12".parse()?;
//! assert_eq!(image.to_string(), "docker.io/library/debian:12");
//! let web: Repository = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web".parse()?;
//! assert_eq!(web.host().ecr().map(|ecr| ecr.region).as_deref(), Some("eu-central-1"));
//! let error = "shop/Web:1".parse::<Reference>().unwrap_err();
//! assert_eq!(error.hint().as_deref(), Some("did you mean `docker.io/shop/web:1`?"));
//! # "linux/arm64".parse::<Platform>()?;
//! # Ok::<(), ecr_registry::NameError>(())
//! ```
//!
//! # Copying an image to ECR
//!
//! ```no_run
//! use ecr_registry::{CopyOptions, Registry, Settings, Wanted};
//!
//! # async fn copy() -> Result<(), Box<dyn std::error::Error>> {
//! let aws = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
//! let settings = Settings { aws: Some(aws), ..Settings::default() };
//! let settings = settings.with_logins_of_user(|name| std::env::var_os(name));
//! let registry = Registry::new(settings.with_network_of_machine(|name| std::env::var_os(name))?)?;
//! let options = CopyOptions {
//!     wanted: Wanted::Only(vec!["linux/amd64".parse()?, "linux/arm64".parse()?]),
//!     referrers: true,
//!     tags: vec!["12".parse()?],
//! };
//! let to = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/debian".parse()?;
//! let report = registry.copy(&"debian:12".parse()?, &to, &options, &()).await?;
//! println!("{to}@{}: {} bytes sent", report.root.digest, report.pushed.bytes_sent);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/copy.rs` is this as a program.
//!
//! # Pushing what lies on disk
//!
//! ```no_run
//! use ecr_registry::{DockerArchive, Registry, Settings, Tree};
//!
//! # async fn push(registry: Registry) -> Result<(), Box<dyn std::error::Error>> {
//! let image = DockerArchive::open("image.tar")?.image(None)?; // as `docker save` wrote it
//! let (to, tag) = ("127.0.0.1:5000/web".parse()?, "latest".parse()?);
//! registry.push_tree(&to, &Tree::from(image), &[tag], &()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Who asks
//!
//! In this order: the login given in [`Settings::logins`]; for private ECR the password that AWS gives for
//! [`Settings::aws`], by the role of [`Settings::account_roles`] where the account has one; docker's configuration,
//! with the credential helpers and identity tokens it names; the auth files of podman; nobody. Passwords and tokens
//! stay in memory, are renewed before they end, and are never printed: [`Secret`].
//!
//! # What can be relied on
//!
//! - What comes is what was asked for: every manifest and every blob is checked against its digest.
//! - What is sent on is what came: a manifest is never written anew.
//! - A push goes bottom up: what is named before what names it, tags last. If it ends early, nothing points at parts.
//! - Of many tasks that want the same blob in the same repository, one brings it there.
//! - Memory does not grow with blobs; every wait has a limit: [`Patience`].
//! - An [`Error`] says what could not be done with what, why, what to do ([`Error::hint`]), whether the same may work
//!   later ([`Error::is_transient`]), and what it means for what was looked at ([`Error::outcome`]).

mod access;
mod blobs;
mod cache;
pub mod content;
mod copy;
mod download;
mod ecr;
mod endpoints;
mod error;
mod flights;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod manifests;
mod mirrors;
pub mod names;
mod progress;
mod push;
mod referrers;
mod registry;
mod requests;
mod secret;
mod settings;
mod transport;

/// The examples of the README are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use cache::{Cache, cache_path};
pub use content::{
    Blob, BlobSource, Descriptor, DockerArchive, Image, ImageConfig, Layout, LocalError, Manifest,
    ManifestKind, Tree, Wanted,
};
pub use copy::{CopyOptions, CopyReport};
pub use ecr::{
    AccountSetting, CreationTemplate, EcrImage, EcrPublic, EcrRegistry, EcrRepository, Encryption, Finding,
    Frequency, ImageStatus, LifecycleAction, LifecycleMatch, Mutability, NewRepository, Occasion, Package,
    PublicImage, PublicRepository, Replica, RepositoryPolicy, RepositorySettings, Scan, ScanRule, ScanStatus,
    ScanType, Scanning, Severity, Signing, Stage, Tagged, Wait,
};
pub use endpoints::{ENDPOINTS_VARIABLE, EndpointError, Endpoints};
pub use error::{Action, Cause, Denied, Error, ErrorKind, Outcome, Trouble};
pub use mirrors::Mirrors;
pub use names::{Digest, EcrHost, Host, NameError, Platform, Reference, Repository, Tag, Version};
pub use progress::{Event, How, Progress, Whom};
pub use push::{Departure, PushReport};
pub use registry::{Registry, TagOutcome};
pub use requests::Requests;
pub use secret::Secret;
pub use settings::{
    Authorities, Certificates, Login, NetworkError, Patience, Proxies, Settings, containers_auth_paths,
    docker_config_path, locks_path,
};
