//! What stood in the way of a release, for people: the causes first, then what belongs to them.

use super::ledger::{LogKey, Stuck};
use crate::{ci::Ci, text};

/// What is shown of one log, in lines, and of the events of one pod.
const LOG_LINES: usize = 15;
const EVENTS: usize = 5;

/// What stood in the way.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Stuck>);

/// The first cause, as the cause of an error.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FirstCause(String);

impl Report {
    /// Objects with a known cause come first.
    pub(super) fn new(mut stuck: Vec<Stuck>) -> Self {
        stuck.sort_by_key(|stuck| stuck.causes.is_empty());
        Self(stuck)
    }

    /// The first of the causes.
    pub(crate) fn first(&self) -> Option<FirstCause> {
        let stuck = self.0.first()?;
        let told = match stuck.causes.first() {
            Some(cause) => format!("{}: {cause}", stuck.state.subject),
            None => format!("{}: {} of {} ready", stuck.state.subject, stuck.state.ready, stuck.state.wanted),
        };
        Some(FirstCause(told))
    }

    /// All of it; empty if nothing stood in the way.
    pub(crate) fn text(&self, ci: Ci) -> String {
        let causes: Vec<String> = self.0.iter().flat_map(headlines).collect();
        if causes.is_empty() {
            return String::new();
        }
        let details: Vec<String> = self.0.iter().flat_map(details).collect();
        let details = if details.is_empty() { String::new() } else { ci.quoted(&details.join("\n")) };
        format!("what stood in the way:\n{}\n{details}", ci.quoted(&causes.join("\n")))
    }
}

fn headlines(stuck: &Stuck) -> Vec<String> {
    let state = &stuck.state;
    let mut lines = vec![format!("  {}: {} of {} ready", state.subject, state.ready, state.wanted)];
    lines.extend(stuck.causes.iter().map(|cause| format!("    {cause}")));
    lines
}

fn details(stuck: &Stuck) -> Vec<String> {
    let mut lines = Vec::new();
    for pod in stuck.state.pods.iter().filter(|pod| !pod.settled).take(2) {
        let first = pod.events.len().saturating_sub(EVENTS);
        let events = pod.events[first..].iter();
        let events: Vec<String> = events
            .map(|(reason, message)| format!("  {}: {}", text::line(reason), text::line(message)))
            .collect();
        if !events.is_empty() {
            lines.push(format!("events of pod {}:", pod.name));
            lines.extend(events);
        }
    }
    for (LogKey { pod, container, previous }, log) in &stuck.logs {
        let before = if *previous { ", before its last restart" } else { "" };
        lines.push(format!("log of pod {pod}, container {container}{before}:"));
        lines.extend(text::tail(log, LOG_LINES).into_iter().map(|line| format!("  | {line}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::rollout::{
        cause::causes,
        state::{Seen, State},
        subject::{Kind, Subject},
    };

    fn stuck(name: &str, pods: Vec<serde_json::Value>, logs: &[(bool, &str)]) -> Stuck {
        let subject =
            Subject { kind: Kind::Job, namespace: "shop".to_owned(), name: name.to_owned(), hook: false };
        let event = json!({"reason": "BackOff", "message": "Back-off", "involvedObject": {"uid": "u"}});
        let seen = Seen { object: json!({}), pods, events: vec![event], ..Seen::default() };
        let state = State::of(&subject, &seen);
        let key = |previous| LogKey { pod: "p".to_owned(), container: "c".to_owned(), previous };
        let logs = logs.iter().map(|(previous, text)| (key(*previous), (*text).to_owned()));
        Stuck { causes: causes(&state), state, logs: logs.collect::<BTreeMap<_, _>>() }
    }

    #[test]
    fn causes_come_first() {
        let status = json!({"name": "c", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}});
        let pod = json!({"metadata": {"name": "p", "uid": "u"}, "status": {"containerStatuses": [status]}});
        let logs = [(false, "starting\nno database\n"), (true, "\x1b[2Jgone\n")];
        let report = Report::new(vec![stuck("idle", vec![], &[]), stuck("web", vec![pod], &logs)]);
        let cause = "Error: exit code 3 (pod p, container c)";
        assert_eq!(report.first().unwrap().to_string(), format!("Job/web: {cause}"));
        let expected = format!(
            "what stood in the way:\n  Job/web: 0 of 1 ready\n    {cause}\n  Job/idle: 0 of 1 ready\nevents of pod p:\n  \
             BackOff: Back-off\nlog of pod p, container c:\n  | starting\n  | no database\nlog of pod p, container c, \
             before its last restart:\n  | \u{fffd}[2Jgone"
        );
        assert_eq!(report.text(Ci::None), expected);
        assert_eq!(Report::default().text(Ci::None), "");
        assert_eq!(Report::default().first(), None);
    }
}
