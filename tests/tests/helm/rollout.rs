//! Rollouts that fail in every way that a node can show, at once, and five that are only slow: the cause is said, with
//! what the containers wrote, and nobody gives up too early.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lab::base;
use lab::process::{SHORT, poll_until, run_with_input};
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

/// The way to the registry by a host name of its own, at which everybody is asked to come again later until it opens.
struct Door<'a> {
    stage: &'a Stage,
    host: String,
    is_open: Arc<AtomicBool>,
}

impl<'a> Door<'a> {
    /// Tells the node of it.
    fn before(stage: &'a Stage) -> Self {
        let behind = stage.lab.ministack();
        // Where containers reach it, as they do the registry.
        let listener = TcpListener::bind((behind.ip(), 0)).unwrap();
        let (host, is_open) = (format!("{}.example", stage.name), Arc::new(AtomicBool::new(false)));
        let url = format!("http://{}", listener.local_addr().unwrap());
        let open = Arc::clone(&is_open);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let open = open.load(Ordering::SeqCst);
                thread::spawn(move || if open { pass(&client, behind) } else { refuse(client) });
            }
        });
        let hosts = format!("server = \"{url}\"\n[host.\"{url}\"]\ncapabilities = [\"pull\", \"resolve\"]\n");
        let door = Self { stage, host, is_open };
        door.on_node("mkdir -p $0 && cat >$0/hosts.toml", &hosts);
        door
    }

    fn on_node(&self, script: &str, input: &str) {
        let mut command = self.stage.cluster.inside(&self.stage.lab);
        command.args(["sh", "-c", script, &format!("/etc/containerd/certs.d/{}", self.host)]);
        run_with_input(&mut command, SHORT, |stdin| Ok(stdin.write_all(input.as_bytes())?)).unwrap();
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }
}

impl Drop for Door<'_> {
    fn drop(&mut self) {
        self.on_node("rm -r $0", "");
    }
}

fn refuse(mut client: TcpStream) {
    let mut request = [0; 4096];
    let _ = client.read(&mut request);
    let _ =
        client.write_all(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

fn pass(client: &TcpStream, to: SocketAddr) {
    let Ok(server) = TcpStream::connect(to) else { return };
    let carry = |mut from: &TcpStream, mut to: &TcpStream| {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    thread::scope(|scope| {
        scope.spawn(|| carry(client, &server));
        carry(&server, client);
    });
}

fn events_of<'a>(stage: &'a Stage, reason: &'a str, path: &'a str) -> impl Fn() -> String + 'a {
    let (selector, output) =
        (format!("--field-selector=reason={reason}"), format!("--output=jsonpath={path}"));
    move || stage.kubectl(&["get", "events", &selector, &output])
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
    let crash = start("crash", &crashing, &["--rollback-on-failure", "--report=crash.report", "--ci=gitlab"]);
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
    let door = Door::before(&stage);
    let behind = image.replace(&base::registry(), &door.host);
    let throttled = start("throttled", &pod(json!({"image": behind, "readinessProbe": null})), &[]);
    let grows = json!(["sh", "-c", "x=0123456789; while :; do x=$x$x; done"]);
    let limit = json!({"requests": {"cpu": "1m"}, "limits": {"memory": "24Mi"}});
    let memory = start("memory", &with(json!({"command": grows, "resources": limit})), &[]);

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
    let events = |reason: &'static str| events_of(&stage, reason, "{.items[*].involvedObject.name}");
    late.when(of_pods("late", "{..waiting.reason}"), "CreateContainerConfigError");
    stage.kubectl(&["create", "secret", "generic", "late", "--from-literal=a=b"]);
    throttled.when(events_of(&stage, "Failed", "{.items[*].message}"), "429 Too Many Requests");
    door.open();
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
        (
            memory.stop_when(
                of_pods("memory", "{..waiting.reason} {..lastState.terminated.reason}"),
                "CrashLoopBackOff OOMKilled",
            ),
            vec!["OOMKilled, out of memory, exit code 137"],
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
    let report = fs::read_to_string(stage.home.path().join("crash.report")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["outcome"], &report["exitCode"]), (&json!("removed"), &json!(130)), "{report}");
    assert_eq!(report["obstacles"][0]["causes"][0]["reason"], "CrashLoopBackOff", "{report}");
    assert_eq!(report["obstacles"][0]["logs"][0]["lines"], json!(["::error::no database"]), "{report}");
    for good in [late, scale, slow, long, throttled] {
        let said = good.ends(0, &["deployed as revision 1"]);
        assert!(!said.contains("cannot succeed"), "{said}");
    }
    stage.kubectl(&["label", "nodes", "--all", &format!("{}-", stage.name)]);
    assert!(stage.left_over().is_empty(), "{:?}", stage.left_over());
}
