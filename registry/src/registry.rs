use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use aws_types::SdkConfig;
use bytes::Bytes;

use crate::{
    content::{Descriptor, Image, Manifest},
    endpoints::Endpoints,
    error::{Action, Error, ErrorKind},
    names::{Digest, Host, Reference, Repository, Tag, Version},
    progress::Progress,
    push::PushReport,
    secret::Secret,
};

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

/// What [`Registry::tag`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagOutcome {
    /// The tag points at the image already; nothing was sent.
    Unchanged,
    /// The tag is new.
    Created,
    /// The tag was moved from another image.
    Moved {
        /// The image the tag pointed at.
        from: Digest,
    },
}

/// Access to registries. Clones share connections, tokens and what is known to be there.
#[derive(Clone)]
pub struct Registry(Arc<Settings>);

impl Registry {
    /// Access with these settings. Nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self(Arc::new(settings)))
    }

    /// What a tag or digest is; `None` only when the registry says that the repository has no such image.
    pub async fn head(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Descriptor>, Error> {
        let _ = version;
        self.pending(Action::LookUp, repository)
    }

    /// The manifest or index of a tag or digest, verified; `None` as for [`Self::head`].
    pub async fn manifest(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Manifest>, Error> {
        let _ = version;
        self.pending(Action::Read, repository)
    }

    /// A small blob, such as a configuration, verified. Up to 8 MiB.
    pub async fn small_blob(&self, repository: &Repository, blob: &Descriptor) -> Result<Bytes, Error> {
        let _ = blob;
        self.pending(Action::Read, repository)
    }

    /// Fetches a blob of any length into a new file, verified; what is half written is removed again.
    pub async fn download(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        to: &std::path::Path,
    ) -> Result<(), Error> {
        let _ = (blob, to);
        self.pending(Action::Read, repository)
    }

    /// Sends what the repository does not have of the image: blobs first, then the manifest, by digest.
    pub async fn push(
        &self,
        repository: &Repository,
        image: &Image,
        progress: &dyn Progress,
    ) -> Result<PushReport, Error> {
        let _ = (image, progress);
        self.pending(Action::Push, repository)
    }

    /// Sends a manifest or index by digest, unless it is there; all it names has to be there.
    /// Tells whether it was sent.
    pub async fn push_manifest(&self, repository: &Repository, manifest: &Manifest) -> Result<bool, Error> {
        let _ = manifest;
        self.pending(Action::Push, repository)
    }

    /// Points a tag at a manifest that the repository has; sends nothing if it points there already.
    pub async fn tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        manifest: &Manifest,
    ) -> Result<TagOutcome, Error> {
        let _ = (tag, manifest);
        self.pending(Action::Tag, repository)
    }

    /// Takes a tag away, by ECR's API. ECR deletes an image with its last tag. A tag that is gone is no error.
    pub async fn untag(&self, repository: &Repository, tag: &Tag) -> Result<(), Error> {
        let _ = tag;
        self.pending(Action::Untag, repository)
    }

    /// The tags of an image, sorted, by ECR's API; `None` if the image is not there.
    pub async fn describe(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<Tag>>, Error> {
        let _ = digest;
        self.pending(Action::Describe, repository)
    }

    /// What many references point at, in their order; ECR is asked for up to 100 of a repository in one call.
    pub async fn resolve(&self, references: &[Reference]) -> Vec<Result<Descriptor, Error>> {
        references.iter().map(|reference| self.pending(Action::LookUp, &reference.repository)).collect()
    }

    /// The interface comes before the client behind it.
    fn pending<T>(&self, action: Action, repository: &Repository) -> Result<T, Error> {
        let message = format!("{} speaks to no registry yet", self.0.user_agent);
        Err(Error::new(action, repository, ErrorKind::Protocol(message)))
    }
}
