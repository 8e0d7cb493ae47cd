//! What is left when someone stops it, at ten points of `up`, `rollback` and `recover`: a release in a state that Helm
//! knows, no process, no file. By every signal, with a terminal and without one, by itself and as helm's plugin.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lab::process::{SHORT, poll_until, run};
use lab::tool::Tool;
use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{Stage, end};

const SOON: Duration = Duration::from_mins(1);

/// Stands before the real helm and stops at one call until the file `go` is there.
const HOLDING: &str = r#"#!/bin/sh
case "$*" in
  *--reset-values*--dry-run=server*) point=proof ;;
  *--dry-run=server*) point=reading ;;
  *) point=$1 ;;
esac
if [ "$point" = "$HOLD" ]; then
  : > held
  while [ ! -e go ]; do sleep 0.1; done
fi
exec "$REAL" "$@"
"#;

/// Where it is when it is stopped.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// Helm has been called with this verb, or for one of the dry runs, and has done nothing.
    Called(&'static str),
    /// The release has this status.
    Status(&'static str),
    /// A hook runs.
    Hook,
    /// This has been said.
    Said(&'static str),
}

/// How it is stopped.
#[derive(Debug, Clone, Copy)]
enum Way {
    Signal(Signal),
    /// Helm is stopped, which runs the plugin.
    AtHelm(Signal),
    /// Ctrl-C on a terminal.
    Typed,
    /// The terminal goes away.
    Closed,
}

/// How it ends: its exit code, where we see it, and the release's last revision and its status.
type End = (Option<i32>, Option<(u64, &'static str)>);

struct Run<'a> {
    stage: &'a Stage,
    child: Child,
}

impl<'a> Run<'a> {
    /// Starts the verb, on a terminal or through helm if that is how it is to be stopped.
    fn start(stage: &'a Stage, helm: Tool, point: Point, way: Way, arguments: &[&str]) -> Self {
        let (helm, home) = (stage.lab.tool(helm).unwrap(), stage.home.path());
        for file in ["held", "go"] {
            let _ = fs::remove_file(home.join(file));
        }
        let plugin = stage.plugin().get_program().to_owned();
        let mut words = vec!["env".to_owned(), "--default-signal=INT".to_owned()];
        if let Way::AtHelm(_) = way {
            words.extend([helm.display().to_string(), "eks-deploy".to_owned()]);
        } else {
            words.push(plugin.into_string().unwrap());
        }
        words.extend(arguments.iter().map(|&word| word.to_owned()));
        words.extend(
            ["--cluster", &stage.cluster.name, "-n", &stage.name, "--timeout", "60s"].map(str::to_owned),
        );
        if let Way::Typed | Way::Closed = way {
            let line = format!("exec {}", words.join(" "));
            words = ["script", "--quiet", "--flush", "--return", "--command", line.as_str(), "/dev/null"]
                .map(str::to_owned)
                .into();
        }
        let mut command = stage.command(Path::new(&words[0]));
        let hold = if let Point::Called(call) = point { call } else { "" };
        command.args(&words[1..]).env("HELM_BIN", holding(stage)).env("REAL", helm).env("HOLD", hold);
        let log = File::create(home.join("log")).unwrap();
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { stage, child: command.spawn().unwrap() }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.stage.home.path().join("log")).unwrap()).into_owned()
    }

    fn until(&mut self, what: &str, mut there: impl FnMut(&Self) -> bool) {
        let reached = poll_until(what, SOON, || Ok(there(self).then_some(())));
        reached.unwrap_or_else(|error| panic!("{error}\n{}", self.said()));
    }

    fn reach(&mut self, point: Point) {
        self.until(&format!("{point:?}"), |run| match point {
            Point::Called(_) => run.stage.home.path().join("held").exists(),
            Point::Status(wanted) => status(run.stage).is_some_and(|status| status.contains(wanted)),
            Point::Hook => {
                run.stage.kubectl(&["get", "pods", "--output=jsonpath={..phase}"]).contains("Running")
            }
            Point::Said(text) => run.said().contains(text),
        });
    }

    fn stop(&mut self, way: Way) {
        match way {
            Way::Signal(signal) | Way::AtHelm(signal) => {
                kill_process(Pid::from_child(&self.child), signal).unwrap();
            }
            Way::Typed => self.child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap(),
            Way::Closed => self.child.kill().unwrap(),
        }
    }

    fn ends(&mut self) -> Option<i32> {
        let ended = poll_until("it ends", SOON, || Ok(self.child.try_wait()?));
        ended.unwrap_or_else(|error| panic!("{error}\n{}", self.said())).code()
    }
}

/// Written by a child: a program that a process with other threads writes may be busy when it is run.
fn holding(stage: &Stage) -> PathBuf {
    let (script, program) = (stage.home.path().join("holding.sh"), stage.home.path().join("helm"));
    if !program.exists() {
        fs::write(&script, HOLDING).unwrap();
        run(Command::new("install").args(["-m", "755"]).arg(script).arg(&program), SHORT).unwrap();
    }
    program
}

/// Stops the verb there, so; `finishing` is for what cannot be stopped and goes on.
fn check(
    stage: &Stage,
    helm: Tool,
    point: Point,
    way: Way,
    arguments: &[&str],
    (code, left): End,
    finishing: bool,
) {
    let row = format!("{} {point:?} {way:?}", arguments[0]);
    let mut run = Run::start(stage, helm, point, way, arguments);
    run.reach(point);
    run.stop(way);
    if finishing {
        run.reach(Point::Said("finishing: this cannot be cancelled"));
        fs::write(stage.home.path().join("go"), "").unwrap();
    }
    let ended = run.ends();
    if code.is_some() {
        assert_eq!(ended, code, "{row}\n{}", run.said());
    }
    run.until(&format!("{row}: all processes end"), |run| processes(run.stage).is_empty());
    let last = stage.history().pop();
    assert_eq!(
        last.as_ref().map(|(number, status, _)| (*number, status.as_str())),
        left,
        "{row}\n{}",
        run.said()
    );
    // Who is killed leaves files to the next one.
    let mut sweep = stage.plugin();
    sweep
        .args(["images", "list", "r", "c", "--cluster", "c", "-n", "n"])
        .env("HELM_BIN", "/nonexistent/helm");
    if !matches!(way, Way::Signal(Signal::KILL)) {
        run.until(&format!("{row}: the files go"), |run| run.stage.left_over().is_empty());
    }
    end(&mut sweep).expect(1, &["which is not a program"]);
    assert!(stage.left_over().is_empty(), "{row}: {:?}", stage.left_over());
}

fn status(stage: &Stage) -> Option<String> {
    let jsonpath = "--output=jsonpath={.items[*].metadata.labels.status}";
    Some(stage.kubectl(&["get", "secrets", "--selector=owner=helm", jsonpath]))
        .filter(|status| !status.is_empty())
}

/// The processes of a verb whose command line names the release.
fn processes(stage: &Stage) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    let verbs = ["up", "upgrade", "rollback", "recover"];
    let ours = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        words.contains(&stage.name.as_str()) && verbs.iter().any(|verb| words.contains(verb))
    };
    lines.filter(ours).collect()
}

fn image(stage: &Stage) -> String {
    format!("image={}:v1", stage.repository)
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_6_stopped_before_anything_changes() {
    let stage = Stage::set();
    stage.push("v1");
    let (name, image) = (stage.name.as_str(), image(&stage));
    let check = |point, way, code| {
        let up = ["up", name, "./web", "--image", &image];
        check(&stage, Tool::Helm4, Point::Called(point), way, &up, (code, None), false);
    };
    check("version", Way::Signal(Signal::TERM), Some(143));
    check("reading", Way::Signal(Signal::INT), Some(130));
    check("reading", Way::Signal(Signal::KILL), None);
    check("proof", Way::Signal(Signal::HUP), Some(143));
    check("proof", Way::Typed, Some(130));
    check("upgrade", Way::Signal(Signal::TERM), Some(143));
    check("upgrade", Way::Signal(Signal::KILL), None);
}

/// Helm that is told to stop marks the release as failed; it is told, or hears from the kernel that we are gone.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_6_stopped_while_helm_waits() {
    let stage = Stage::set();
    stage.push("v1");
    let hook = "{{ if .Values.hook }}\napiVersion: batch/v1\nkind: Job\nmetadata: {name: hook, annotations: {helm.sh/hook: \
                pre-upgrade}}\nspec: {template: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: 0, containers: \
                [{name: c, image: '{{ .Values.image.repository }}:{{ .Values.image.tag }}', command: [sleep, '1000']}]}}}\n{{ end }}\n";
    fs::write(stage.chart().join("templates/hook.yaml"), hook).unwrap();
    let (name, image) = (stage.name.as_str(), image(&stage));
    let check = |helm, point, way, code, revision, set: &[&str]| {
        let up = [&["up", name, "./web", "--image", &image, "--set", "ready=/none"], set].concat();
        check(&stage, helm, point, way, &up, (code, Some((revision, "failed"))), false);
    };
    check(Tool::Helm4, Point::Status("pending"), Way::Signal(Signal::TERM), Some(143), 1, &[]);
    check(Tool::Helm4, Point::Status("pending"), Way::Typed, Some(130), 2, &[]);
    check(Tool::Helm4, Point::Status("pending"), Way::Closed, None, 3, &[]);
    check(Tool::Helm4, Point::Status("pending"), Way::AtHelm(Signal::INT), None, 4, &[]);
    check(Tool::Helm4, Point::Status("pending"), Way::AtHelm(Signal::KILL), None, 5, &[]);
    check(Tool::Helm3, Point::Status("pending"), Way::Signal(Signal::INT), Some(130), 6, &[]);
    check(Tool::Helm4, Point::Status("pending"), Way::Signal(Signal::KILL), None, 7, &[]);
    stage.kubectl(&["delete", "deployment", "web", "--cascade=foreground"]);
    check(Tool::Helm4, Point::Hook, Way::Signal(Signal::TERM), Some(143), 8, &["--set", "hook=true"]);
}

/// Helm's rollback hears no signal, and is left to its end; killed before it began, nothing has changed.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_6_a_rollback_is_not_stopped() {
    let stage = Stage::set();
    stage.push("v1");
    let image = image(&stage);
    for (revision, replicas) in [(1, "replicas=1"), (2, "replicas=2")] {
        let deployed = format!("deployed as revision {revision}");
        end(stage.up(Tool::Helm4).args(["--image", &image, "--set", replicas])).expect(0, &[&deployed]);
    }
    let check = |point, way, code, revision, finishing| {
        let left = (code, Some((revision, "deployed")));
        check(&stage, Tool::Helm4, Point::Called(point), way, &["rollback", &stage.name], left, finishing);
    };
    check("history", Way::Signal(Signal::INT), Some(130), 2, false);
    check("rollback", Way::Signal(Signal::KILL), None, 2, false);
    check("rollback", Way::Signal(Signal::TERM), Some(0), 3, true);
    check("rollback", Way::Typed, Some(0), 4, true);
    check("rollback", Way::Signal(Signal::HUP), Some(0), 5, true);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_8_a_recovery_is_not_stopped() {
    let stage = Stage::set();
    stage.push("v1");
    end(stage.up(Tool::Helm4).args(["--image", &image(&stage)])).expect(0, &["deployed as revision 1"]);
    // A plain helm, which gives no sign of life, is killed.
    stage.write_kubeconfig();
    let mut plain = stage.helm(Tool::Helm4);
    plain.args(["upgrade", &stage.name, "./web", "--reuse-values", "--set", "ready=/none", "--wait"]);
    let mut plain = plain.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    poll_until("it is pending", SOON, || Ok(status(&stage).filter(|status| status.contains("pending"))))
        .unwrap();
    plain.kill().and_then(|()| plain.wait()).unwrap();
    let check = |point, way, code, left, finishing| {
        let recover = ["recover", &stage.name, "--yes"];
        check(&stage, Tool::Helm4, point, way, &recover, (Some(code), Some(left)), finishing);
    };
    let pending = (2, "pending-upgrade");
    check(Point::Called("history"), Way::Signal(Signal::TERM), 143, pending, false);
    check(Point::Called("rollback"), Way::Signal(Signal::INT), 0, (3, "deployed"), true);
}
