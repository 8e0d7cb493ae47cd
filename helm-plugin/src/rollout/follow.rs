//! Follows a rollout beside the Helm that waits for it.

use std::{
    convert::Infallible,
    future, mem,
    time::{Duration, Instant},
};

use ecr_registry::Registry;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use super::{
    ledger::{Ledger, LogKey, Note},
    observe,
    report::Report,
    subject::Subject,
};
use crate::{
    images::resolve,
    kube::{Client, KubeError},
    talk,
};

/// How often the cluster is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// After so many looks the logs that are kept are read again.
const LOGS_EVERY: u32 = 5;
/// What is kept of a log: lines, and bytes.
const LOG: (usize, usize) = (50, 16 * 1024);

/// Follows one rollout.
pub(crate) struct Follower<'a> {
    client: &'a Client,
    registry: Option<Registry>,
    subjects: Vec<Subject>,
    ledger: Ledger,
    begun: Instant,
    /// Whether a person looks: a table instead of lines.
    attended: bool,
    /// Nothing will help: the first reason.
    hopeless: Option<String>,
}

impl<'a> Follower<'a> {
    /// Looks at what is there before Helm changes it. `registry` is asked whether images are there that nodes do not
    /// find.
    pub(crate) async fn begin(
        client: &'a Client,
        registry: Option<Registry>,
        subjects: Vec<Subject>,
        attended: bool,
    ) -> Result<Self, KubeError> {
        let ledger = Ledger::begin(observe::states(client, &subjects).await?);
        let begun = Instant::now();
        Ok(Self { client, registry, subjects, ledger, begun, attended, hopeless: None })
    }

    /// Follows until it is dropped. `give_up` is told when nothing will help any more, after the evidence is kept.
    pub(crate) async fn follow(&mut self, give_up: &Notify) -> Infallible {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = 0;
        loop {
            ticks.tick().await;
            let told = self.hopeless.is_some();
            match self.look(looks % LOGS_EVERY == 0).await {
                Err(error) if !error.reason.is_transient() => {
                    talk::warn(&format!("the rollout cannot be followed: {error}: {}", error.reason));
                    return future::pending().await;
                }
                Ok(()) if self.hopeless.is_some() && !told => give_up.notify_one(),
                // What was not answered is asked again soon.
                Ok(()) | Err(_) => {}
            }
            looks += 1;
        }
    }

    /// What stood in the way, after a last look: a failed rollout may have changed since the one before.
    pub(crate) async fn report(mut self) -> Report {
        if let Ok(mut states) = observe::states(self.client, &self.subjects).await {
            // What crashes again and again is ready for moments.
            states.retain(|state| !state.done);
            self.ledger.observe(self.begun.elapsed(), states);
        }
        self.keep_logs(true).await;
        Report::new(mem::take(&mut self.ledger).into_stuck())
    }

    async fn look(&mut self, all_logs: bool) -> Result<(), KubeError> {
        let states = observe::states(self.client, &self.subjects).await?;
        let notes = self.ledger.observe(self.begun.elapsed(), states);
        self.keep_logs(all_logs).await;
        for note in notes {
            match note {
                Note::Progress(text) if !self.attended => talk::say(&text),
                Note::Progress(_) => {}
                Note::Warning(text) => talk::warn(&text),
                Note::Hopeless(text) => self.give_up(text),
                Note::Suspect(image, text) => {
                    let Some(registry) = &self.registry else { continue };
                    if resolve::is_absent(registry, &image).await {
                        self.give_up(format!("{text}; the registry does not have it"));
                    }
                }
            }
        }
        if self.attended {
            talk::live(self.table());
        }
        Ok(())
    }

    fn give_up(&mut self, text: String) {
        if self.hopeless.is_none() {
            talk::warn(&format!("this cannot succeed: {text}"));
            self.hopeless = Some(text);
        }
    }

    async fn keep_logs(&mut self, all: bool) {
        for (subject, key) in self.ledger.logs() {
            if !all && self.ledger.has_log(&subject, &key) {
                continue;
            }
            let LogKey { pod, container, previous } = &key;
            let pod = (subject.namespace.as_str(), pod.as_str());
            // A container that is just being started has none yet, one that is gone none any more.
            if let Ok(text) = self.client.log(pod, container, *previous, LOG).await {
                self.ledger.keep_log(&subject, key, text);
            }
        }
    }

    fn table(&self) -> Vec<String> {
        let rows = self.ledger.table().map(|(subject, shown, cause)| {
            let cause = cause.map(|cause| format!("  {cause}")).unwrap_or_default();
            format!("  {:<40} {shown}{cause}", subject.to_string())
        });
        rows.collect()
    }
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        talk::live(Vec::new());
    }
}
