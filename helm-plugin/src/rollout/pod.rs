//! A pod as the API server tells of it, with the warnings about it.

use serde_json::Value;

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// Where it runs, once that is decided.
    pub(crate) node: Option<String>,
    /// Whether it does what it is there for: ready, or ended well.
    pub(crate) settled: bool,
    /// Why no node takes it.
    pub(crate) unscheduled: Option<String>,
    /// Why it was ended from outside: `Evicted` and the like, and the words.
    pub(crate) ended: Option<(String, String)>,
    pub(crate) containers: Vec<Container>,
    /// Warnings about it: reason and message.
    pub(crate) events: Vec<(String, String)>,
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) image: String,
    /// The digest of what it runs, as the node says.
    pub(crate) digest: Option<String>,
    pub(crate) ready: bool,
    pub(crate) restarts: u64,
    /// What it waits for: reason and message.
    pub(crate) waiting: Option<(String, String)>,
    /// How it ended, if it does not run now.
    pub(crate) ended: Option<Ended>,
    /// How it ended before it was started again.
    pub(crate) before: Option<Ended>,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) exit_code: i64,
    /// `Error`, `OOMKilled`, …
    pub(crate) reason: String,
    /// What it left for people, or what the runtime says.
    pub(crate) message: String,
}

impl Pod {
    /// Reads one, and those of the events that are about it.
    pub(super) fn of(object: &Value, events: &[Value]) -> Self {
        let (metadata, status) = (&object["metadata"], &object["status"]);
        let uid = string(&metadata["uid"]);
        let ready = condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
        let unscheduled =
            condition(object, "PodScheduled").filter(|scheduled| scheduled["status"] == "False");
        let failed = status["phase"] == "Failed" && !status["reason"].is_null();
        let containers = ["initContainerStatuses", "containerStatuses"];
        let containers = containers.iter().flat_map(|list| status[*list].as_array().into_iter().flatten());
        Self {
            namespace: string(&metadata["namespace"]),
            name: string(&metadata["name"]),
            node: object["spec"]["nodeName"].as_str().map(str::to_owned),
            settled: ready || status["phase"] == "Succeeded",
            unscheduled: unscheduled.map(|scheduled| string(&scheduled["message"])),
            ended: failed.then(|| (string(&status["reason"]), string(&status["message"]))),
            containers: containers.map(container).collect(),
            events: about(events, &[&uid])
                .map(|event| (string(&event["reason"]), string(&event["message"])))
                .collect(),
            uid,
        }
    }

    /// What others have written of it.
    pub(super) fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let pairs = self.ended.iter_mut().chain(&mut self.events).map(|(_, message)| message);
        self.unscheduled.iter_mut().chain(pairs).chain(self.containers.iter_mut().flat_map(|container| {
            let ended = [&mut container.ended, &mut container.before].into_iter().flatten();
            let waiting = container.waiting.iter_mut().map(|(_, message)| message);
            waiting.chain(ended.map(|ended| &mut ended.message))
        }))
    }
}

fn container(status: &Value) -> Container {
    let waiting = &status["state"]["waiting"];
    Container {
        name: string(&status["name"]),
        image: string(&status["image"]),
        digest: status["imageID"].as_str().and_then(|id| Some(id.rsplit_once('@')?.1.to_owned())),
        ready: status["ready"] == true,
        restarts: status["restartCount"].as_u64().unwrap_or_default(),
        waiting: waiting.is_object().then(|| (string(&waiting["reason"]), string(&waiting["message"]))),
        ended: ended(&status["state"]["terminated"]),
        before: ended(&status["lastState"]["terminated"]),
    }
}

fn ended(terminated: &Value) -> Option<Ended> {
    Some(Ended {
        exit_code: terminated.get("exitCode")?.as_i64()?,
        reason: string(&terminated["reason"]),
        message: string(&terminated["message"]),
    })
}

/// The events about the objects with these ids, the latest last.
pub(super) fn about<'a>(events: &'a [Value], uids: &'a [&str]) -> impl Iterator<Item = &'a Value> {
    let mut found: Vec<&Value> = events
        .iter()
        .filter(|event| event["involvedObject"]["uid"].as_str().is_some_and(|uid| uids.contains(&uid)))
        .collect();
    found.sort_by_key(|event| string(&event["lastTimestamp"]));
    found.into_iter()
}

/// The condition of this type.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// A text of the API server, empty where there is none.
pub(super) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
