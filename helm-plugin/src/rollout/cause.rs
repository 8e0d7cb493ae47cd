//! Why an object is not ready: a pure reading of its state.

use std::{fmt, time::Duration};

use ecr_registry::Reference;

use super::{
    pod::{Container, Ended, Pod},
    state::State,
};
use crate::text;

/// One thing that stands in the way, of one pod or of several alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    /// Kubernetes' own word: `CrashLoopBackOff`, `Unschedulable`, …
    pub(crate) reason: String,
    /// What is known of it; one line.
    pub(crate) message: String,
    /// The first pod that it concerns, if it concerns pods.
    pub(crate) pod: Option<String>,
    /// The pod's node.
    pub(crate) node: Option<String>,
    /// The container in it.
    pub(crate) container: Option<String>,
    /// How many pods it concerns.
    pub(crate) pods: usize,
    /// Whether it can pass.
    pub(crate) hope: Hope,
}

/// Whether something that stands in the way can pass by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hope {
    /// It can: normal for a while wherever nodes, Secrets and images come late. Worth a warning after so long.
    After(Duration),
    /// Not if the registry does not have this image.
    IfFound(Box<Reference>),
    /// It cannot.
    None,
}

/// For what Secrets, quotas and registries need to come.
pub(super) const SOON: Duration = Duration::from_secs(30);
/// For what programs need to start.
const START: Duration = Duration::from_mins(1);
/// For what new nodes need to come.
const NODES: Duration = Duration::from_secs(90);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        let Some(pod) = &self.pod else { return Ok(()) };
        write!(f, " (pod {pod}")?;
        if let Some(container) = &self.container {
            write!(f, ", container {container}")?;
        }
        if let Some(node) = &self.node {
            write!(f, ", node {node}")?;
        }
        match self.pods {
            0 | 1 => f.write_str(")"),
            pods => write!(f, ", and {} more)", pods - 1),
        }
    }
}

/// What stands in the way of an object, each kind of thing once.
pub(crate) fn causes(state: &State) -> Vec<Cause> {
    if state.done {
        return Vec::new();
    }
    let mut found: Vec<Cause> = Vec::new();
    for cause in state.pods.iter().filter(|pod| !pod.settled).flat_map(of_pod) {
        let same = |known: &&mut Cause| known.reason == cause.reason && known.container == cause.container;
        match found.iter_mut().find(same) {
            Some(known) if known.pod == cause.pod => {}
            Some(known) => known.pods += 1,
            None => found.push(cause),
        }
    }
    if let Some(message) = &state.refused {
        found.push(cause("FailedCreate", message, Hope::After(SOON)));
    }
    if let Some((reason, message)) = &state.failed {
        found.push(cause(reason, message, Hope::After(Duration::ZERO)));
    }
    found
}

fn cause(reason: &str, message: &str, hope: Hope) -> Cause {
    let (reason, message) = (text::line(reason), text::line(message));
    Cause { reason, message, pod: None, node: None, container: None, pods: 0, hope }
}

fn of_pod(pod: &Pod) -> Vec<Cause> {
    let here = |found: Cause| Cause { pod: Some(pod.name.clone()), node: pod.node.clone(), pods: 1, ..found };
    if let Some(message) = &pod.unscheduled {
        return vec![here(cause("Unschedulable", message, Hope::After(NODES)))];
    }
    if let Some((reason, message)) = &pod.ended {
        return vec![here(cause(reason, message, Hope::After(SOON)))];
    }
    let of_containers = pod.containers.iter().filter_map(|container| {
        let found = of_container(pod, container)?;
        Some(here(Cause { container: Some(container.name.clone()), ..found }))
    });
    of_containers.collect()
}

fn of_container(pod: &Pod, container: &Container) -> Option<Cause> {
    if let Some((reason, message)) = &container.waiting {
        return waiting(pod, container, reason, message);
    }
    if container.ready {
        return None;
    }
    let unhealthy = event(pod, &["Unhealthy"]);
    match container.ended.as_ref().or(container.before.as_ref()) {
        Some(ended) if ended.exit_code != 0 => Some(crashed(pod, container, ended)),
        _ => unhealthy.map(|message| cause("Unhealthy", message, Hope::After(START))),
    }
}

fn waiting(pod: &Pod, container: &Container, reason: &str, message: &str) -> Option<Cause> {
    match reason {
        // Events say what a pod in these states waits for: a volume, an address.
        "ContainerCreating" | "PodInitializing" => {
            let message = event(pod, &["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"])?;
            Some(cause("FailedMount", message, Hope::After(SOON)))
        }
        "InvalidImageName" => Some(cause(reason, message, Hope::None)),
        "ErrImagePull" | "ImagePullBackOff" => Some(not_pulled(pod, container, reason, message)),
        "CrashLoopBackOff" => Some(match container.before.as_ref().or(container.ended.as_ref()) {
            Some(ended) => crashed(pod, container, ended),
            None => cause(reason, message, Hope::After(SOON)),
        }),
        _ => Some(cause(reason, message, Hope::After(SOON))),
    }
}

/// While pulling backs off, only the event has the registry's words. The two states take turns, and are one cause.
fn not_pulled(pod: &Pod, container: &Container, reason: &str, message: &str) -> Cause {
    let pulled = pod.events.iter().rev().map(|(_, message)| message.as_str());
    let mut told = pulled.filter(|text| text.contains("Failed to pull") && text.contains(&container.image));
    let message = if reason == "ErrImagePull" { message } else { told.next().unwrap_or(message) };
    let reference = container.image.parse::<Reference>().ok().filter(|reference| reference.digest.is_some());
    let absent = reference.filter(|_| message.contains("not found"));
    cause("ErrImagePull", message, absent.map_or(Hope::After(SOON), |image| Hope::IfFound(Box::new(image))))
}

/// Between its crashes a container waits, runs, or has just ended: one cause.
fn crashed(pod: &Pod, container: &Container, ended: &Ended) -> Cause {
    let mut told = format!("exit code {}", ended.exit_code);
    if ended.reason == "OOMKilled" {
        told = format!("OOMKilled, out of memory, {told}");
    }
    match container.restarts {
        0 => {}
        1 => told.push_str(", 1 restart"),
        restarts => told = format!("{told}, {restarts} restarts"),
    }
    let liveness = event(pod, &["Unhealthy"]).filter(|text| text.starts_with("Liveness"));
    for more in [Some(ended.message.as_str()).filter(|text| !text.is_empty()), liveness].into_iter().flatten()
    {
        told = format!("{told}; {more}");
    }
    let reason = if container.restarts == 0 { &ended.reason } else { "CrashLoopBackOff" };
    cause(reason, &told, Hope::After(SOON))
}

fn event<'a>(pod: &'a Pod, reasons: &[&str]) -> Option<&'a str> {
    let mut events = pod.events.iter().rev();
    events.find(|(reason, _)| reasons.contains(&reason.as_str())).map(|(_, message)| message.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rollout::{
        state::Seen,
        subject::{Kind, Subject},
    };

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// A Job, since all pods of one count.
    fn seen(pods: Vec<Value>, events: &[(&str, &str, &str)]) -> Vec<Cause> {
        let event = |(uid, reason, message): &(&str, &str, &str)| json!({"reason": reason, "message": message, "involvedObject": {"uid": uid}});
        let object = json!({"metadata": {"uid": "job"}, "status": {}});
        let seen = Seen { object, pods, events: events.iter().map(event).collect(), ..Seen::default() };
        let subject =
            Subject { kind: Kind::Job, namespace: "shop".to_owned(), name: "web".to_owned(), hook: false };
        causes(&State::of(&subject, &seen))
    }

    fn pod(status: Value) -> Value {
        let mut status = status;
        if let Some(container) = status.get("container").cloned() {
            status["containerStatuses"] = json!([container]);
            status["containerStatuses"][0]["name"] = json!("c");
        }
        json!({"metadata": {"name": "p", "uid": "p"}, "spec": {"nodeName": "n"}, "status": status})
    }

    #[test]
    fn what_stands_in_the_way() {
        let check = |status: Value, events: &[(&str, &str, &str)], expected: &[&str]| {
            let found: Vec<String> =
                seen(vec![pod(status.clone())], events).iter().map(Cause::to_string).collect();
            assert_eq!(found, expected, "{status}");
        };
        let waiting = |reason: &str, message: &str| json!({"container": {"image": "r.example/a:1", "state": {"waiting": {"reason": reason, "message": message}}}});
        let at = "(pod p, container c, node n)";
        check(waiting("InvalidImageName", "bad"), &[], &[&format!("InvalidImageName: bad {at}")]);
        check(waiting("ErrImagePull", "denied"), &[], &[&format!("ErrImagePull: denied {at}")]);
        let pull =
            [("p", "Failed", "Failed to pull image \"r.example/a:1\": denied"), ("p", "Failed", "Error: x")];
        let told = format!("ErrImagePull: Failed to pull image \"r.example/a:1\": denied {at}");
        check(waiting("ImagePullBackOff", "Back-off"), &pull, &[&told]);
        check(waiting("ImagePullBackOff", "Back-off"), &[], &[&format!("ErrImagePull: Back-off {at}")]);
        check(
            waiting("CreateContainerConfigError", "secret \"s\" not found"),
            &[],
            &[&format!("CreateContainerConfigError: secret \"s\" not found {at}")],
        );
        check(waiting("ContainerCreating", ""), &[], &[]);
        let mount = [("p", "FailedMount", "secret \"s\" not found")];
        check(
            waiting("ContainerCreating", ""),
            &mount,
            &[&format!("FailedMount: secret \"s\" not found {at}")],
        );

        let ended = json!({"terminated": {"exitCode": 3, "reason": "Error"}});
        let killed = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        let looping = |before: &Value| json!({"container": {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": before, "restartCount": 2}});
        check(looping(&ended), &[], &[&format!("CrashLoopBackOff: exit code 3, 2 restarts {at}")]);
        let told = format!("CrashLoopBackOff: OOMKilled, out of memory, exit code 137, 2 restarts {at}");
        check(looping(&killed), &[], &[&told]);
        let live = [("p", "Unhealthy", "Liveness probe failed: 404")];
        let told = format!("CrashLoopBackOff: exit code 3, 2 restarts; Liveness probe failed: 404 {at}");
        check(looping(&ended), &live, &[&told]);
        check(json!({"container": {"state": ended}}), &[], &[&format!("Error: exit code 3 {at}")]);
        let again = json!({"container": {"state": {"running": {}}, "lastState": ended, "restartCount": 1}});
        check(again, &[], &[&format!("CrashLoopBackOff: exit code 3, 1 restart {at}")]);

        let running = json!({"container": {"state": {"running": {}}}});
        check(running.clone(), &[], &[]);
        let unready = [("p", "Unhealthy", "Readiness probe failed: 404"), ("q", "Unhealthy", "of another")];
        check(running, &unready, &[&format!("Unhealthy: Readiness probe failed: 404 {at}")]);
        let condition = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]);
        check(json!({"conditions": condition}), &[], &["Unschedulable: 0/1 nodes (pod p, node n)"]);
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
        check(evicted, &[], &["Evicted: low on memory (pod p, node n)"]);
        check(json!({"phase": "Succeeded", "container": {"state": ended}}), &[], &[]);
    }

    #[test]
    fn quotas_and_pods_alike() {
        let refused = [("job", "FailedCreate", "exceeded quota: q\n")];
        assert_eq!(seen(vec![], &refused)[0].to_string(), "FailedCreate: exceeded quota: q");
        let crash = |name: &str| {
            let mut pod =
                pod(json!({"container": {"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}}));
            pod["metadata"]["name"] = json!(name);
            pod
        };
        let found = seen(vec![crash("a"), crash("b"), crash("c")], &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "Error: exit code 1 (pod a, container c, node n, and 2 more)");
    }

    #[test]
    fn rule_10_what_cannot_pass() {
        let check = |image: &str, reason: &str, message: &str, expected: fn(&Hope) -> bool| {
            let state = json!({"waiting": {"reason": reason, "message": message}});
            let found = seen(vec![pod(json!({"container": {"image": image, "state": state}}))], &[]);
            assert!(expected(&found[0].hope), "{found:?}");
        };
        let pinned = format!("r.example/a:1@{DIGEST}");
        check("A:1", "InvalidImageName", "", |hope| *hope == Hope::None);
        check(&pinned, "ErrImagePull", "not found", |hope| matches!(hope, Hope::IfFound(_)));
        check("r.example/a:1", "ErrImagePull", "not found", |hope| matches!(hope, Hope::After(_)));
        check(&pinned, "ErrImagePull", "429 Too Many Requests", |hope| matches!(hope, Hope::After(_)));
    }

    #[test]
    fn rule_16_hostile_words_are_one_line() {
        let state = json!({"waiting": {"reason": "Custom\x1b[2J", "message": "a\r\n::set-output x\x07"}});
        let found = seen(vec![pod(json!({"container": {"state": state}}))], &[]);
        assert_eq!(found[0].to_string(), "Custom [2J: a ::set-output x (pod p, container c, node n)");
    }
}
