use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_ecr::types::LayerAvailability;
use tokio::sync::oneshot;

use super::{EcrClients, api_error};
use crate::{
    error::ErrorKind,
    names::{Digest, EcrHost, Repository},
};

/// Asks ECR whether it has blobs: those that are asked for within a moment by one call for each hundred, which stand
/// for as many requests of the registry protocol.
#[derive(Clone)]
pub(crate) struct Availability(Arc<Parts>);

struct Parts {
    clients: EcrClients,
    waiting: Mutex<HashMap<Repository, Vec<Question>>>,
    /// Registries that do not let this identity ask so.
    closed: Mutex<HashSet<EcrHost>>,
}

type Question = (Digest, oneshot::Sender<Result<bool, ErrorKind>>);

/// For how long questions are gathered.
const MOMENT: Duration = Duration::from_millis(5);
/// The most blobs ECR takes in one call.
const BATCH: usize = 100;

impl Availability {
    pub(crate) fn new(clients: EcrClients) -> Self {
        Self(Arc::new(Parts { clients, waiting: Mutex::default(), closed: Mutex::default() }))
    }

    /// Whether the repository has the blob, ready to be named by a manifest; `None` if that has to be found out in
    /// another way.
    pub(crate) async fn of(&self, repository: &Repository, digest: Digest) -> Option<bool> {
        let host = repository.host().ecr()?;
        if self.closed().contains(&host) {
            return None;
        }
        let (sender, answer) = oneshot::channel();
        self.ask(&host, repository, (digest, sender));
        match answer.await {
            Ok(Ok(there)) => Some(there),
            Ok(Err(error)) => {
                tracing::debug!(%repository, %error, "blobs are looked for one by one");
                if matches!(error, ErrorKind::Denied(_)) {
                    self.closed().insert(host);
                }
                None
            }
            Err(_) => None,
        }
    }

    /// The first question opens a batch that is sent a moment later, the hundredth sends it at once.
    fn ask(&self, host: &EcrHost, repository: &Repository, question: Question) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = waiting.entry(repository.clone()).or_default();
        batch.push(question);
        let wait = match batch.len() {
            1 => Some(MOMENT),
            BATCH => None,
            _ => return,
        };
        let (this, host, repository) = (self.clone(), host.clone(), repository.clone());
        let full = wait.is_none().then(|| waiting.remove(&repository)).flatten();
        tokio::spawn(async move {
            let batch = match (full, wait) {
                (Some(batch), _) => batch,
                (None, wait) => {
                    tokio::time::sleep(wait.unwrap_or_default()).await;
                    this.take(&repository)
                }
            };
            this.send(&host, &repository, batch).await;
        });
    }

    fn take(&self, repository: &Repository) -> Vec<Question> {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(repository).unwrap_or_default()
    }

    async fn send(&self, host: &EcrHost, repository: &Repository, batch: Vec<Question>) {
        if batch.is_empty() {
            return;
        }
        let digests = batch.iter().map(|(digest, _)| digest.to_string()).collect();
        let call = self.0.clients.of(host).batch_check_layer_availability().registry_id(&host.account);
        let call = call.repository_name(repository.name()).set_layer_digests(Some(digests));
        let answer = call.send().await.map_err(|error| api_error(error, Some(repository)));
        let there: Result<HashSet<Digest>, ErrorKind> = answer.map(|answer| {
            // Archived or not, what is not available has to be sent.
            let layers = answer.layers().iter();
            let layers =
                layers.filter(|layer| layer.layer_availability() == Some(&LayerAvailability::Available));
            layers.filter_map(|layer| layer.layer_digest()?.parse().ok()).collect()
        });
        for (digest, asker) in batch {
            _ = asker.send(there.clone().map(|there| there.contains(&digest))); // who was cancelled does not listen
        }
    }

    fn closed(&self) -> std::sync::MutexGuard<'_, HashSet<EcrHost>> {
        self.0.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
