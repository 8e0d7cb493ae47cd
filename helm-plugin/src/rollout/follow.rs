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
    obstacles::Obstacles,
    state::State,
    subject::Subject,
};
use crate::{
    images::resolve,
    kube::{Client, KubeError},
    secrets::Secrets,
    talk,
};

/// How often the cluster is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// After so many looks the logs that are kept are read again.
const LOGS_EVERY: u32 = 5;
/// What is kept of a log: lines, and bytes.
const LOG: (usize, usize) = (50, 16 * 1024);

/// Something that was said of a rollout, and when.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    pub(crate) text: String,
}

/// What was seen of a rollout.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// In the order it was said.
    pub(crate) timeline: Vec<Moment>,
    /// What stood in the way in the end.
    pub(crate) obstacles: Obstacles,
}

/// Follows one rollout.
pub(crate) struct Follower<'a> {
    client: &'a Client,
    registry: Option<Registry>,
    subjects: Vec<Subject>,
    secrets: Secrets,
    ledger: Ledger,
    timeline: Vec<Moment>,
    begun: Instant,
    /// Whether a person looks: a table instead of lines.
    attended: bool,
    /// Nothing will help: the first reason.
    hopeless: Option<String>,
}

impl<'a> Follower<'a> {
    /// Looks at what is there before Helm changes it. `registry` is asked whether images are there that nodes do not
    /// find; what `secrets` hold is hidden in all that is seen.
    pub(crate) async fn begin(
        client: &'a Client,
        registry: Option<Registry>,
        subjects: Vec<Subject>,
        secrets: Secrets,
        attended: bool,
    ) -> Result<Self, KubeError> {
        let ledger = Ledger::begin(observe::states(client, &subjects).await?);
        let (begun, timeline) = (Instant::now(), Vec::new());
        Ok(Self { client, registry, subjects, secrets, ledger, timeline, begun, attended, hopeless: None })
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

    /// All that was seen of a rollout that failed, after a last look: it may have changed since the one before.
    pub(crate) async fn failed(mut self) -> Followed {
        if let Ok(mut states) = self.states().await {
            // What crashes again and again is ready for moments.
            states.retain(|state| !state.done);
            self.ledger.observe(self.begun.elapsed(), states);
        }
        self.keep_logs(true).await;
        let obstacles = Obstacles::new(mem::take(&mut self.ledger).into_stuck());
        Followed { timeline: mem::take(&mut self.timeline), obstacles }
    }

    /// The same of one that went well. The last steps may be seen now only, where someone asks for them.
    pub(crate) async fn succeeded(mut self, last_look: bool) -> Followed {
        if last_look && let Ok(states) = self.states().await {
            for note in self.ledger.observe(self.begun.elapsed(), states) {
                self.remember(&note);
            }
        }
        Followed { timeline: mem::take(&mut self.timeline), obstacles: Obstacles::default() }
    }

    async fn states(&self) -> Result<Vec<State>, KubeError> {
        let mut states = observe::states(self.client, &self.subjects).await?;
        for state in &mut states {
            state.hide(&self.secrets);
        }
        Ok(states)
    }

    fn remember(&mut self, note: &Note) {
        let (Note::Progress(text) | Note::Warning(text) | Note::Hopeless(text) | Note::Suspect(_, text)) =
            note;
        self.timeline.push(Moment { at: Instant::now(), text: text.clone() });
    }

    async fn look(&mut self, all_logs: bool) -> Result<(), KubeError> {
        let states = self.states().await?;
        let notes = self.ledger.observe(self.begun.elapsed(), states);
        self.keep_logs(all_logs).await;
        for note in notes {
            self.remember(&note);
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
                self.ledger.keep_log(&subject, key, self.secrets.hide(&text));
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
