use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::names::Repository;

/// Gathers the questions that many tasks have about a repository at the same time, so that one call answers them.
pub(super) struct Batches<Q, A>(Arc<Mutex<Waiting<Q, A>>>);

type Waiting<Q, A> = HashMap<Repository, Vec<Question<Q, A>>>;

type Question<Q, A> = (Q, oneshot::Sender<A>);

/// For how long questions are gathered.
const MOMENT: Duration = Duration::from_millis(5);
/// The most images or blobs that ECR takes in one call.
pub(super) const BATCH: usize = 100;

impl<Q, A> Default for Batches<Q, A> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<Q: Ord + Clone + Send + 'static, A: Clone + Send + 'static> Batches<Q, A> {
    /// The answer to a question, `None` if none came. The first question opens a batch that `send` answers a moment
    /// later, and the hundredth has it answered at once; cancelling one who asks does not cancel the others.
    pub(super) async fn ask<F>(
        &self,
        repository: &Repository,
        question: Q,
        send: impl FnOnce(BTreeSet<Q>) -> F + Send + 'static,
    ) -> Option<A>
    where
        F: Future<Output = BTreeMap<Q, A>> + Send,
    {
        let (sender, answer) = oneshot::channel();
        if let Some(batch) = self.add(repository, (question, sender)) {
            let (waiting, repository) = (Arc::clone(&self.0), repository.clone());
            tokio::spawn(async move {
                let batch = match batch {
                    Batch::Full(batch) => batch,
                    Batch::Opened => {
                        tokio::time::sleep(MOMENT).await;
                        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                        waiting.remove(&repository).unwrap_or_default()
                    }
                };
                answer_all(batch, send).await;
            });
        }
        answer.await.ok()
    }

    /// What whoever added this question has to see to.
    fn add(&self, repository: &Repository, question: Question<Q, A>) -> Option<Batch<Q, A>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = waiting.entry(repository.clone()).or_default();
        batch.push(question);
        match batch.len() {
            1 => Some(Batch::Opened),
            BATCH => waiting.remove(repository).map(Batch::Full),
            _ => None,
        }
    }
}

enum Batch<Q, A> {
    Opened,
    Full(Vec<Question<Q, A>>),
}

async fn answer_all<Q: Ord + Clone, A: Clone, F: Future<Output = BTreeMap<Q, A>>>(
    batch: Vec<Question<Q, A>>,
    send: impl FnOnce(BTreeSet<Q>) -> F,
) {
    if batch.is_empty() {
        return; // it was full before its moment was over
    }
    let answers = send(batch.iter().map(|(question, _)| question.clone()).collect()).await;
    for (question, asker) in batch {
        if let Some(answer) = answers.get(&question) {
            _ = asker.send(answer.clone()); // who was cancelled does not listen
        }
    }
}
