use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_ecr::types::LayerAvailability;

use super::{EcrClients, batches::Batches};
use crate::{
    error::ErrorKind,
    names::{Digest, EcrHost, Repository},
    transport::Kind,
};

/// Asks ECR whether it has blobs: those that are asked for within a moment by one call for each hundred, which stand
/// for as many requests of the registry protocol.
#[derive(Clone)]
pub(crate) struct Availability(Arc<Parts>);

struct Parts {
    clients: EcrClients,
    batches: Batches<Digest, Result<bool, ErrorKind>>,
    /// Registries that do not let this identity ask so.
    closed: Mutex<HashSet<EcrHost>>,
}

impl Availability {
    pub(crate) fn new(clients: EcrClients) -> Self {
        Self(Arc::new(Parts { clients, batches: Batches::default(), closed: Mutex::default() }))
    }

    /// Whether the repository has the blob, ready to be named by a manifest; `None` if that has to be found out in
    /// another way.
    pub(crate) async fn of(&self, repository: &Repository, digest: Digest) -> Option<bool> {
        let host = repository.host().ecr()?;
        if self.closed().contains(&host) {
            return None;
        }
        let (clients, to) = (self.0.clients.clone(), repository.clone());
        let send = move |digests| async move { clients.available(&to, digests).await };
        match self.0.batches.ask(repository, digest, send).await? {
            Ok(there) => Some(there),
            Err(error) => {
                tracing::debug!(%repository, %error, "blobs are looked for one by one");
                if matches!(error, ErrorKind::Denied(_)) {
                    self.closed().insert(host);
                }
                None
            }
        }
    }

    fn closed(&self) -> std::sync::MutexGuard<'_, HashSet<EcrHost>> {
        self.0.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EcrClients {
    async fn available(
        &self,
        repository: &Repository,
        digests: BTreeSet<Digest>,
    ) -> BTreeMap<Digest, Result<bool, ErrorKind>> {
        let there = self.available_of(repository, &digests).await;
        let answer = |digest| (digest, there.clone().map(|there| there.contains(&digest)));
        digests.into_iter().map(answer).collect()
    }

    async fn available_of(
        &self,
        repository: &Repository,
        digests: &BTreeSet<Digest>,
    ) -> Result<HashSet<Digest>, ErrorKind> {
        let host = repository.host().ecr().ok_or_else(|| ErrorKind::NotEcr(repository.host().clone()))?;
        let call = self.of(&host).batch_check_layer_availability().registry_id(&host.account);
        let digests = digests.iter().map(ToString::to_string).collect();
        let call = call.repository_name(repository.name()).set_layer_digests(Some(digests));
        let send = || call.clone().send();
        let answer = self.call(repository.host(), Kind::CheckBlob, Some(repository), send).await?;
        // Archived or not, what is not available has to be sent.
        let layers = answer.layers().iter();
        let layers = layers.filter(|layer| layer.layer_availability() == Some(&LayerAvailability::Available));
        Ok(layers.filter_map(|layer| layer.layer_digest()?.parse().ok()).collect())
    }
}
