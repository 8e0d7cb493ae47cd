//! Rollouts that fail in every way that a node can show, at once, and four that are only slow: the cause is said, with
//! what the containers wrote, and nobody gives up too early.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use lab::process::poll_until;
use lab::tool::Tool;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::stage::Stage;

const SOON: Duration = Duration::from_mins(4);
const METADATA: &str = "apiVersion: v2\nname: any\nversion: 0.1.0\n";
const DEPLOYMENT: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {{ toJson .Values.pod }}
{{- with .Values.hook }}
---
apiVersion: batch/v1
kind: Job
metadata: {name: {{ $.Release.Name }}, annotations: {helm.sh/hook: pre-install}}
spec: {backoffLimit: 0, template: {metadata: {labels: {app: {{ $.Release.Name }}}}, spec: {{ toJson . }}}}
{{- end }}
";
/// Counts only pods that ask for nothing, which one of the releases has.
const QUOTA: &str = r#"{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}, "scopes": ["BestEffort"]}}"#;

/// A deployment that is under way.
struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Running {
    fn start(stage: &Stage, name: &'static str, values: &Value, flags: &[&str]) -> Self {
        let home = stage.home.path();
        let (file, log) = (home.join(format!("{name}.json")), home.join(format!("{name}.log")));
        fs::write(&file, values.to_string()).unwrap();
        let mut up = stage.plugin();
        up.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap()).args([
            "up",
            name,
            "./any",
            "--timeout",
            "10m",
        ]);
        up.args(["--cluster", &stage.cluster.name, "--namespace", &stage.name, "--values"])
            .arg(file)
            .args(flags);
        let output = File::create(&log).unwrap();
        let child = up.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        Self { name, child, log }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until the cluster shows this of the release; then a person who looks on has seen enough.
    fn stop_when(self, shown: impl Fn() -> String, part: &str) -> Self {
        self.when(shown, part);
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self
    }

    fn when(&self, shown: impl Fn() -> String, part: &str) {
        poll_until(&format!("{}: {part}", self.name), SOON, || Ok(shown().contains(part).then_some(())))
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", shown(), self.said()));
    }

    fn ends(mut self, code: i32, expected: &[&str]) -> String {
        let ended = poll_until(self.name, SOON, || Ok(self.child.try_wait()?)).unwrap();
        let said = self.said();
        assert_eq!(ended.code(), Some(code), "{}: {said}", self.name);
        for part in expected {
            assert!(said.contains(part), "{}: `{part}` is not in:\n{said}", self.name);
        }
        said
    }
}

/// A pod with one container, which is never ready.
fn pod(container: Value) -> Value {
    let mut whole = json!({
        "name": "c", "command": ["sleep", "1000"], "readinessProbe": {"exec": {"command": ["false"]}},
        "resources": {"requests": {"cpu": "1m"}},
    });
    let Value::Object(fields) = container else { panic!("{container}") };
    whole.as_object_mut().unwrap().extend(fields);
    json!({"pod": {"terminationGracePeriodSeconds": 0, "containers": [whole]}})
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
#[expect(clippy::too_many_lines, reason = "one node shows all of them at once")]
fn rule_10_what_stands_in_the_way_is_said_and_what_is_slow_is_let_be() {
    let stage = Stage::set();
    let image = format!("{}:v1@{}", stage.repository, stage.push("v1"));
    let chart = stage.home.path().join("any");
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::write(chart.join("Chart.yaml"), METADATA).unwrap();
    fs::write(chart.join("templates/all.yaml"), DEPLOYMENT).unwrap();
    let quota = stage.home.path().join("quota.json");
    fs::write(&quota, QUOTA).unwrap();
    stage.write_kubeconfig();
    let mut kubectl = stage.command(&stage.lab.tool(Tool::Kubectl).unwrap());
    crate::stage::end(kubectl.args(["apply", "-f"]).arg(quota)).expect(0, &[]);

    let start = |name, values: &Value, flags: &[&str]| Running::start(&stage, name, values, flags);
    let with = |mut fields: Value| {
        fields["image"] = json!(image);
        pod(fields)
    };
    let gone = format!("{}:v1@sha256:{}", stage.repository, "0".repeat(64));
    let digest = start("digest", &pod(json!({"image": gone})), &[]);
    let name = start("name", &pod(json!({"image": "No Such Name"})), &["--rollback-on-failure"]);
    let mut migration = with(json!({"command": ["sh", "-c", "echo cannot migrate; exit 4"]}));
    migration["hook"] = migration["pod"].clone();
    migration["hook"]["restartPolicy"] = json!("Never");
    let hook = start("hook", &migration, &[]);
    let crashing = with(json!({"command": ["sh", "-c", "echo '::error::no database'; exit 3"]}));
    let crash = start("crash", &crashing, &["--rollback-on-failure"]);
    let probe = start("probe", &with(json!({})), &[]);
    let secret = json!({"envFrom": [{"secretRef": {"name": "absent"}}]});
    let secret = start("secret", &with(secret), &[]);
    let quota = start("quota", &with(json!({"resources": {}})), &[]);
    let mut nowhere = with(json!({}));
    nowhere["pod"]["nodeSelector"] = json!({"zone": "none"});
    let node = start("node", &nowhere, &[]);
    let slow = json!({"envFrom": [{"secretRef": {"name": "late"}}], "readinessProbe": null});
    let late = start("late", &with(slow), &[]);
    let mut scaled = with(json!({"readinessProbe": null}));
    scaled["pod"]["nodeSelector"] = json!({&stage.name: "late"});
    let scale = start("scale", &scaled, &[]);
    let ready = json!({"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1});
    let starts = json!(["sh", "-c", "sleep 12; touch /tmp/ready; exec sleep 1000"]);
    let slow = start("slow", &with(json!({"command": starts, "readinessProbe": ready})), &[]);
    let mut migrates = with(json!({"readinessProbe": null}));
    migrates["hook"] = migrates["pod"].clone();
    migrates["hook"]["restartPolicy"] = json!("Never");
    migrates["hook"]["containers"][0]["command"] = json!(["sleep", "12"]);
    let long = start("long", &migrates, &[]);

    let absent = ["this cannot succeed: Deployment/digest: ErrImagePull", "the registry does not have it"];
    digest.ends(
        6,
        &[&absent[..], &["error: release `digest` is failed", "caused by: Deployment/digest: "]].concat(),
    );
    name.ends(
        5,
        &["this cannot succeed: Deployment/name: InvalidImageName", "caused by: Deployment/name: Invalid"],
    );
    let said = [
        "what stood in the way:\n  Job/hook (hook): 0 of 1 ready\n    Error: exit code 4",
        "  | cannot migrate",
    ];
    hook.ends(6, &[&said[..], &["caused by: Job/hook (hook): Error: exit code 4"]].concat());

    let of_pods = |app: &'static str, path: &'static str| {
        let stage = &stage;
        move || {
            stage.kubectl(&[
                "get",
                "pods",
                &format!("--selector=app={app}"),
                &format!("--output=jsonpath={path}"),
            ])
        }
    };
    let events = |reason: &'static str| {
        let stage = &stage;
        let path = "--output=jsonpath={.items[*].involvedObject.name}";
        move || stage.kubectl(&["get", "events", &format!("--field-selector=reason={reason}"), path])
    };
    late.when(of_pods("late", "{..waiting.reason}"), "CreateContainerConfigError");
    stage.kubectl(&["create", "secret", "generic", "late", "--from-literal=a=b"]);
    scale.when(of_pods("scale", "{..conditions[*].reason}"), "Unschedulable");
    stage.kubectl(&["label", "nodes", "--all", &format!("{}=late", stage.name)]);
    let stopped = [
        (probe.stop_when(events("Unhealthy"), "probe-"), vec!["Unhealthy: Readiness probe failed"]),
        (
            secret.stop_when(of_pods("secret", "{..waiting.reason}"), "CreateContainerConfigError"),
            vec!["CreateContainerConfigError: secret \"absent\" not found (pod secret-"],
        ),
        (quota.stop_when(events("FailedCreate"), "quota-"), vec!["FailedCreate: ", "exceeded quota: none"]),
        (
            node.stop_when(of_pods("node", "{..conditions[*].reason}"), "Unschedulable"),
            vec!["Unschedulable: 0/1 nodes are available"],
        ),
    ];
    for (running, expected) in stopped {
        running.ends(130, &[&expected[..], &["what stood in the way:\n  Deployment/"]].concat());
    }
    // The pod is gone when the release has been taken back; what it wrote is not.
    let looping = || fs::read_to_string(stage.home.path().join("crash.log")).unwrap();
    let crash = crash.stop_when(looping, "warning: Deployment/crash: CrashLoopBackOff: ");
    crash
        .ends(130, &["CrashLoopBackOff: exit code 3, ", "  | ::error::no database", "nothing of it is left"]);
    for good in [late, scale, slow, long] {
        let said = good.ends(0, &["deployed as revision 1"]);
        assert!(!said.contains("cannot succeed"), "{said}");
    }
    stage.kubectl(&["label", "nodes", "--all", &format!("{}-", stage.name)]);
    assert!(stage.left_over().is_empty(), "{:?}", stage.left_over());
}
