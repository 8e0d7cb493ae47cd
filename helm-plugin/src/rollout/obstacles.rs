//! What stood in the way of a release, for people: the causes first, then what belongs to them.

use serde_json::{Value, json};

use super::{
    cause::Cause,
    ledger::{LogKey, Stuck},
    pod::Pod,
};
use crate::{ci::Ci, text};

/// What is shown of one log, in lines, and of the events of one pod.
const LOG_LINES: usize = 15;
const EVENTS: usize = 5;

/// What stood in the way.
#[derive(Debug, Default)]
pub(crate) struct Obstacles(Vec<Stuck>);

/// The first cause, as the cause of an error.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FirstCause(String);

impl Obstacles {
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

    /// All of it, for people; empty if nothing stood in the way.
    pub(crate) fn text(&self, ci: Ci) -> String {
        let lines = self.lines();
        if lines.is_empty() {
            String::new()
        } else {
            ci.quoted(&format!("what stood in the way:\n{}", lines.join("\n")))
        }
    }

    /// The causes, then what belongs to them.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().flat_map(headlines).chain(self.0.iter().flat_map(details)).collect()
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        self.0.iter().map(object).collect()
    }
}

fn object(stuck: &Stuck) -> Value {
    let Stuck { state, causes, logs } = stuck;
    let causes = causes.iter().map(|cause| {
        let Cause { reason, message, pod, node, container, pods, .. } = cause;
        json!({"reason": reason, "message": message, "pod": pod, "node": node, "container": container, "pods": pods})
    });
    let events = state.pods.iter().flat_map(|pod| {
        let event = |(reason, message): &(String, String)| {
            json!({"pod": pod.name, "reason": text::line(reason), "message": text::line(message)})
        };
        latest(pod).iter().map(event).collect::<Vec<_>>()
    });
    let logs = logs.iter().map(|(LogKey { pod, container, previous }, log)| {
        json!({"pod": pod, "container": container, "previous": previous, "lines": text::tail(log, LOG_LINES)})
    });
    json!({
        "object": state.subject.to_string(), "namespace": state.subject.namespace,
        "wanted": state.wanted, "ready": state.ready,
        "causes": causes.collect::<Value>(), "events": events.collect::<Value>(), "logs": logs.collect::<Value>(),
    })
}

/// Its last events.
fn latest(pod: &Pod) -> &[(String, String)] {
    &pod.events[pod.events.len().saturating_sub(EVENTS)..]
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
        let events: Vec<String> = latest(pod)
            .iter()
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
        let obstacles = Obstacles::new(vec![stuck("idle", vec![], &[]), stuck("web", vec![pod], &logs)]);
        let cause = "Error: exit code 3 (pod p, container c)";
        assert_eq!(obstacles.first().unwrap().to_string(), format!("Job/web: {cause}"));
        let expected = format!(
            "what stood in the way:\n  Job/web: 0 of 1 ready\n    {cause}\n  Job/idle: 0 of 1 ready\nevents of pod p:\n  \
             BackOff: Back-off\nlog of pod p, container c:\n  | starting\n  | no database\nlog of pod p, container c, \
             before its last restart:\n  | \u{fffd}[2Jgone"
        );
        assert_eq!(obstacles.text(Ci::None), expected);
        assert_eq!(Obstacles::default().text(Ci::None), "");
        assert_eq!(Obstacles::default().first(), None);
    }
}
