//! ECR's own API: what the registry protocol has no words for, and many things by one call.
//!
//! [`EcrRepository`] and [`EcrRegistry`] are what a private registry can be asked and told, [`EcrPublic`] what the
//! public one can. Every call keeps to the pace of its action, which the registry protocol shares. Nothing here
//! decides what is to be deleted, waited for or let through: that is for those who call.

mod account;
mod after_push;
mod availability;
mod batches;
mod clients;
mod create;
mod delete;
mod error;
mod images;
mod lifecycle;
mod look;

mod pages;
mod public;
mod repository;
mod resolve;
mod role;
mod scan;
mod wait;
mod words;

use std::{fmt, time::SystemTime};

use aws_sdk_ecr::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    primitives::DateTime,
};

pub use account::{
    AccountSetting, CreationTemplate, EcrRegistry, Frequency, Occasion, ScanRule, ScanType, Scanning,
};
pub use after_push::{Replica, Signing, Stage};
pub(crate) use availability::Availability;
pub(crate) use clients::EcrClients;
pub use create::NewRepository;
pub(crate) use error::api_error;
use error::image_failure;
pub use images::{EcrImage, ImageStatus, Tagged};
pub use lifecycle::{LifecycleAction, LifecycleMatch};

pub use public::{EcrPublic, PublicImage, PublicRepository};
pub use repository::{Encryption, Mutability, RepositoryPolicy, RepositorySettings};
pub(crate) use resolve::Found;
pub use scan::{Finding, Package, Scan, ScanStatus, Severity};
pub use wait::Wait;

use crate::{
    error::{Action, Error, ErrorKind},
    names::{EcrHost, Host, Repository},
    registry::Registry,
    transport::Kind,
};

impl Registry {
    /// ECR's API for a repository of a private registry.
    pub fn ecr(&self, repository: &Repository) -> Result<EcrRepository, Error> {
        let found = self.ecr_of(repository).and_then(|(clients, _)| EcrRepository::of(clients, repository));
        found.map_err(|kind| Error::new(Action::Describe, repository, kind))
    }

    /// ECR's API for a whole private registry.
    pub fn ecr_registry(&self, host: &Host) -> Result<EcrRegistry, Error> {
        match (self.aws(), host.ecr()) {
            (Some(clients), Some(ecr)) => Ok(EcrRegistry::new(clients, host, ecr)),
            _ => Err(Error::new(Action::Describe, host, ErrorKind::NotEcr(host.clone()))),
        }
    }
}

/// ECR's API for one repository. Clones share connections and what is known.
#[derive(Debug, Clone)]
pub struct EcrRepository {
    clients: EcrClients,
    host: EcrHost,
    repository: Repository,
}

impl EcrRepository {
    fn of(clients: &EcrClients, repository: &Repository) -> Result<Self, ErrorKind> {
        let host = repository.host().ecr().ok_or_else(|| ErrorKind::NotEcr(repository.host().clone()))?;
        Ok(Self { clients: clients.clone(), host, repository: repository.clone() })
    }

    fn client(&self) -> aws_sdk_ecr::Client {
        self.clients.of(&self.host)
    }

    async fn call<T, E, F>(&self, action: &'static str, send: impl Fn() -> F) -> Result<T, ErrorKind>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        self.clients.call(self.repository.host(), Kind::Api(action), Some(&self.repository), send).await
    }

    /// The error of something in this repository: `:tag`, `@digest`, or nothing for the whole.
    fn error(&self, action: Action, part: impl fmt::Display) -> impl FnOnce(ErrorKind) -> Error {
        let object = format!("{}{part}", self.repository);
        move |kind| Error::new(action, object, kind)
    }
}

fn time(time: Option<&DateTime>) -> Option<SystemTime> {
    time.and_then(|time| SystemTime::try_from(*time).ok())
}

/// What an answer has to have.
fn needed<T>(part: Option<T>, name: &str) -> Result<T, ErrorKind> {
    part.ok_or_else(|| ErrorKind::Protocol(format!("ECR's answer has no {name}")))
}

/// A digest in an answer.
fn digest(text: Option<&str>) -> Result<crate::names::Digest, ErrorKind> {
    needed(text, "digest")?
        .parse()
        .map_err(|error| ErrorKind::Protocol(format!("ECR gives a bad digest: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks may do so on any thread.
    #[test]
    fn every_future_is_send() {
        fn is_send<S: 'static, T: Send>(_: impl Fn(&'static S) -> T) {}
        fn any<T>() -> T {
            unreachable!("never called: the types are the test")
        }
        is_send(|r: &'static Registry| r.digests(any(), any()));
        is_send(|ecr: &'static EcrRepository| ecr.describe(any()));
        is_send(|ecr: &'static EcrRepository| ecr.tags());
        is_send(|ecr: &'static EcrRepository| ecr.delete(any()));
        is_send(|ecr: &'static EcrRepository| ecr.wait_for_scan(any(), any()));
        is_send(|ecr: &'static EcrRepository| ecr.start_scan(any()));
        is_send(|ecr: &'static EcrRepository| ecr.wait_for_replicas(any(), any()));
        is_send(|ecr: &'static EcrRepository| ecr.wait_for_signings(any(), any()));
        is_send(|ecr: &'static EcrRepository| ecr.preview_lifecycle(any(), any()));
        is_send(|ecr: &'static EcrRepository| ecr.settings());
        is_send(|ecr: &'static EcrRepository| ecr.policy());
        is_send(|ecr: &'static EcrRepository| ecr.create(any()));
        is_send(|ecr: &'static EcrRegistry| ecr.mounts_blobs());
        is_send(|ecr: &'static EcrRegistry| ecr.creation_templates());
        is_send(|ecr: &'static EcrPublic| ecr.aliases());
        is_send(|ecr: &'static EcrPublic| ecr.images(any()));
    }
}
