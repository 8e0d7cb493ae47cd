//! What was seen of a rollout so far: what to say of it, what to ask, and the evidence that is kept.
//!
//! Pure: time is how long the rollout has been followed. After a failed release Helm may roll back, and the pods that
//! failed are gone before it ends. So evidence of a new revision stays until that same revision is ready.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ecr_registry::Reference;

use super::{
    cause::{Cause, Hope, SOON, causes},
    state::State,
    subject::Subject,
};

/// The pods of one object whose logs are kept.
const LOGGED_PODS: usize = 2;

/// What is worth saying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// An object got further, or went back.
    Progress(String),
    /// Something has stood in the way for long.
    Warning(String),
    /// Nothing will help.
    Hopeless(String),
    /// Nothing will help, if this image is nowhere.
    Suspect(Reference, String),
}

/// An object that is not ready, why, and what its containers said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stuck {
    pub(crate) state: State,
    pub(crate) causes: Vec<Cause>,
    pub(crate) logs: BTreeMap<LogKey, String>,
}

/// Which log: of which container of which pod, and whether of the one before its last restart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogKey {
    pub(crate) pod: String,
    pub(crate) container: String,
    pub(crate) previous: bool,
}

/// The reason of a cause, and its container.
type CauseKey = (Subject, String, Option<String>);

/// The rollout so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The revisions that were there before.
    before: BTreeMap<Subject, String>,
    shown: BTreeMap<Subject, String>,
    since: BTreeMap<CauseKey, Duration>,
    warned: BTreeSet<CauseKey>,
    /// What the registry is asked about, once.
    suspected: BTreeSet<CauseKey>,
    stuck: BTreeMap<Subject, Stuck>,
}

impl Ledger {
    /// Begins with what is there before Helm changes anything.
    pub(crate) fn begin(states: Vec<State>) -> Self {
        let shown = states.iter().map(|state| (state.subject.clone(), progress(state))).collect();
        let before = states.into_iter().map(|state| (state.subject, state.revision)).collect();
        Self { before, shown, ..Self::default() }
    }

    /// Takes in what is there now.
    pub(crate) fn observe(&mut self, now: Duration, states: Vec<State>) -> Vec<Note> {
        // Until hooks have ended Helm changes nothing else, and what is there has time.
        let hooked = states.iter().any(|state| state.subject.hook && !state.done && self.is_new(state));
        let mut notes = Vec::new();
        let mut seen = BTreeSet::new();
        for state in states {
            notes.extend(self.progress(&state));
            let causes = causes(&state);
            if !hooked || state.subject.hook {
                for cause in &causes {
                    seen.insert((state.subject.clone(), cause.reason.clone(), cause.container.clone()));
                    notes.extend(self.judge(now, &state, cause));
                }
            }
            self.keep(state, causes);
        }
        self.since.retain(|key, _| seen.contains(key));
        notes
    }

    /// The logs that belong to the evidence.
    pub(crate) fn logs(&self) -> Vec<(Subject, LogKey)> {
        let mut wanted = Vec::new();
        for stuck in self.stuck.values() {
            let pods = stuck.state.pods.iter().filter(|pod| !pod.settled).take(LOGGED_PODS);
            for (pod, container) in pods.flat_map(|pod| pod.containers.iter().map(move |one| (pod, one))) {
                let key =
                    |previous| LogKey { pod: pod.name.clone(), container: container.name.clone(), previous };
                // Of one that waits to be started again there is only what it said before.
                let now = !container.ready && container.waiting.is_none();
                let before = !container.ready && container.restarts > 0;
                wanted.extend(now.then(|| (stuck.state.subject.clone(), key(false))));
                wanted.extend(before.then(|| (stuck.state.subject.clone(), key(true))));
            }
        }
        wanted
    }

    /// Whether there is such a log already.
    pub(crate) fn has_log(&self, subject: &Subject, key: &LogKey) -> bool {
        self.stuck.get(subject).is_some_and(|stuck| stuck.logs.contains_key(key))
    }

    /// Keeps a log. An empty one does not replace what was there.
    pub(crate) fn keep_log(&mut self, subject: &Subject, key: LogKey, text: String) {
        if let Some(stuck) = self.stuck.get_mut(subject).filter(|_| !text.trim().is_empty()) {
            stuck.logs.insert(key, text);
        }
    }

    /// Objects as a table: what, and how far.
    pub(crate) fn table(&self) -> impl Iterator<Item = (&Subject, &str, Option<&Cause>)> {
        self.shown.iter().map(|(subject, shown)| {
            let cause = self.stuck.get(subject).and_then(|stuck| stuck.causes.first());
            (subject, shown.as_str(), cause)
        })
    }

    /// What was not ready in the end.
    pub(crate) fn into_stuck(self) -> Vec<Stuck> {
        self.stuck.into_values().collect()
    }

    fn is_new(&self, state: &State) -> bool {
        self.before.get(&state.subject) != Some(&state.revision)
    }

    fn progress(&mut self, state: &State) -> Option<Note> {
        let text = progress(state);
        let known = self.shown.insert(state.subject.clone(), text.clone());
        (known.as_ref() != Some(&text)).then(|| Note::Progress(format!("{}: {text}", state.subject)))
    }

    fn judge(&mut self, now: Duration, state: &State, cause: &Cause) -> Option<Note> {
        let key: CauseKey = (state.subject.clone(), cause.reason.clone(), cause.container.clone());
        let since = *self.since.entry(key.clone()).or_insert(now);
        let text = format!("{}: {cause}", state.subject);
        let grace = match &cause.hope {
            // Pods from before are no work of this release, and what is wrong with them is known.
            Hope::None if self.is_new(state) => return Some(Note::Hopeless(text)),
            Hope::IfFound(image) if self.is_new(state) && self.suspected.insert(key.clone()) => {
                return Some(Note::Suspect((**image).clone(), text));
            }
            Hope::None => Duration::ZERO,
            Hope::IfFound(_) => SOON,
            Hope::After(grace) => *grace,
        };
        (now.saturating_sub(since) >= grace && self.warned.insert(key)).then_some(Note::Warning(text))
    }

    fn keep(&mut self, state: State, causes: Vec<Cause>) {
        let known = self.stuck.get(&state.subject);
        let same = known.is_none_or(|known| known.state.revision == state.revision);
        if state.done && same {
            self.stuck.remove(&state.subject);
        } else if !state.done && (same || self.is_new(&state)) {
            // A moment between two states of the same trouble is no end of it.
            let known = self.stuck.remove(&state.subject).filter(|_| same);
            let logs = known.as_ref().map(|known| known.logs.clone()).unwrap_or_default();
            let stuck = match known {
                Some(known) if causes.is_empty() => known,
                _ => Stuck { state, causes, logs },
            };
            self.stuck.insert(stuck.state.subject.clone(), stuck);
        }
    }
}

fn progress(state: &State) -> String {
    let State { ready, wanted, done, subject, .. } = state;
    match (done, subject.hook) {
        (true, true) => "done".to_owned(),
        (true, false) => "ready".to_owned(),
        (false, true) => "running".to_owned(),
        (false, false) => format!("{ready} of {wanted} ready"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{
        pod::{Container, Ended, Pod},
        subject::Kind,
    };

    fn subject(name: &str, hook: bool) -> Subject {
        let kind = if hook { Kind::Job } else { Kind::Deployment };
        Subject { kind, namespace: "shop".to_owned(), name: name.to_owned(), hook }
    }

    fn state(name: &str, revision: &str, done: bool) -> State {
        State {
            subject: subject(name, name == "hook"),
            revision: revision.to_owned(),
            wanted: 1,
            ready: u64::from(done),
            done,
            failed: None,
            refused: None,
            pods: Vec::new(),
        }
    }

    /// Of a Deployment whose pod waits for this.
    fn waits(revision: &str, reason: &str) -> State {
        let waiting = Some((reason.to_owned(), "m".to_owned()));
        let before = Some(Ended { exit_code: 1, reason: "Error".to_owned(), message: String::new() });
        let container = Container {
            name: "c".to_owned(),
            image: "a".to_owned(),
            digest: None,
            ready: false,
            restarts: 1,
            waiting,
            ended: None,
            before,
        };
        let pod = Pod {
            namespace: "shop".to_owned(),
            name: "p".to_owned(),
            uid: "u".to_owned(),
            node: None,
            settled: false,
            unscheduled: None,
            ended: None,
            containers: vec![container],
            events: Vec::new(),
        };
        State { pods: vec![pod], ..state("web", revision, false) }
    }

    /// Seconds, what is seen then, and what is said of it.
    fn check(before: Vec<State>, steps: Vec<(u64, Vec<State>, &[&str])>) -> Ledger {
        let mut ledger = Ledger::begin(before);
        for (second, states, expected) in steps {
            let notes = ledger.observe(Duration::from_secs(second), states);
            let said: Vec<String> = notes
                .iter()
                .map(|note| match note {
                    Note::Progress(text) => text.clone(),
                    Note::Warning(text) => format!("warning: {text}"),
                    Note::Hopeless(text) | Note::Suspect(_, text) => format!("hopeless: {text}"),
                })
                .collect();
            assert_eq!(said, expected, "at {second}");
        }
        ledger
    }

    #[test]
    fn rule_10_warns_once_after_a_grace_and_not_of_what_passes() {
        const CONFIG: &str = "CreateContainerConfigError";
        let waiting = || vec![waits("b", CONFIG)];
        let warning = "warning: Deployment/web: CreateContainerConfigError: m (pod p, container c)";
        let ledger = check(
            vec![state("web", "a", true)],
            vec![
                (0, waiting(), &["Deployment/web: 0 of 1 ready"]),
                (29, waiting(), &[]),
                (30, waiting(), &[warning]),
                (60, waiting(), &[]),
                (61, vec![state("web", "b", true)], &["Deployment/web: ready"]),
            ],
        );
        assert_eq!(ledger.into_stuck(), []);
        let first = &["Deployment/web: 0 of 1 ready"];
        check(
            vec![],
            vec![
                (0, waiting(), first),
                (20, vec![state("web", "b", false)], &[]),
                (40, waiting(), &[]),
                (60, waiting(), &[]),
            ],
        );
    }

    #[test]
    fn rule_10_only_a_new_revision_is_hopeless() {
        let invalid = |revision: &str| vec![waits(revision, "InvalidImageName")];
        let cause = "Deployment/web: InvalidImageName: m (pod p, container c)";
        let hopeless = format!("hopeless: {cause}");
        check(invalid("a"), vec![(0, invalid("b"), &[&hopeless])]);
        let warning = format!("warning: {cause}");
        check(invalid("a"), vec![(0, invalid("a"), &[&warning]), (2, invalid("a"), &[])]);
    }

    #[test]
    fn rule_10_nothing_is_wrong_while_a_hook_runs() {
        let with_hook = |done| vec![state("hook", "h", done), waits("b", "InvalidImageName")];
        let running: &[&str] = &["Job/hook (hook): running", "Deployment/web: 0 of 1 ready"];
        let hopeless = "hopeless: Deployment/web: InvalidImageName: m (pod p, container c)";
        check(
            vec![],
            vec![(0, with_hook(false), running), (9, with_hook(true), &["Job/hook (hook): done", hopeless])],
        );
    }

    #[test]
    fn evidence_outlives_a_rollback() {
        let crash = || vec![waits("b", "CrashLoopBackOff")];
        let first: &[&str] = &["Deployment/web: 0 of 1 ready"];
        let mut ledger = check(vec![state("web", "a", true)], vec![(0, crash(), first)]);
        let logs = ledger.logs();
        let keys: Vec<_> = logs.iter().map(|(_, key)| (key.pod.as_str(), key.previous)).collect();
        assert_eq!(keys, [("p", true)]);
        let (subject, key) = logs[0].clone();
        ledger.keep_log(&subject, key.clone(), "boom".to_owned());
        ledger.keep_log(&subject, key.clone(), String::new());
        // Back to the old revision: first not ready, then ready; before that a moment without a reason.
        for back in [state("web", "b", false), state("web", "a", false), state("web", "a", true)] {
            ledger.observe(Duration::from_secs(9), vec![back]);
        }
        let stuck = ledger.into_stuck();
        assert_eq!(stuck[0].causes[0].reason, "CrashLoopBackOff");
        assert_eq!(stuck[0].logs[&key], "boom");
    }
}
