//! What people get wrong, each with its code and the next step; and what they keep secret, which stays so. Nothing is
//! deployed by any of it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;

use lab::process::{SHORT, run};
use lab::tool::Tool;
use serde_json::json;

use crate::stage::{Ended, Stage, end};

/// A Secret, and a hook that fails and says on its way what is in it.
const LEAKING: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: {{ .Values.password }}}\n{{ if \
                       .Values.leak }}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: leaks, annotations: \
                       {helm.sh/hook: pre-upgrade}}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      restartPolicy: \
                       Never\n      containers:\n      - name: c\n        image: {{ .Values.image.repository }}:{{ \
                       .Values.image.tag }}\n        command: [sh, -c, 'echo the password is $P; exit 3']\n        env: [{name: \
                       P, valueFrom: {secretKeyRef: {name: s, key: a}}}]\n{{ end }}\n";
const NOWHERE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn write(stage: &Stage, name: &str, text: &str) {
    let path = stage.home.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
#[expect(clippy::too_many_lines, reason = "a row for each mistake")]
fn mistakes_have_a_code_and_a_next_step() {
    let stage = Stage::set();
    stage.push("v1");
    let (repository, cluster) = (&stage.repository, &stage.cluster);
    write(&stage, "unused.yaml", "unused: {repository: a, tag: b}\n");
    write(&stage, "broken/Chart.yaml", "apiVersion: v2\nname: broken\nversion: 0.1.0\n");
    write(&stage, "broken/templates/x.yaml", "{{ fail \"it needs a host\" }}\n");
    let lock =
        format!("version: 1\nimages: [{{path: image, image: '{repository}:v1', digest: '{NOWHERE}'}}]\n");
    write(&stage, "gone.lock", &lock);
    write(&stage, "edited.lock", &lock.replace("digest: '", "digest: 'x"));
    write(&stage, "newer.lock", "version: 2\nimages: []\n");
    let output = json!({"name": cluster.name, "region": "us-east-1", "endpoint": "https://eks.example", "ca": cluster.ca});
    write(
        &stage,
        "out.json",
        &json!({"cluster": {"value": output, "type": "dynamic", "sensitive": false}}).to_string(),
    );
    write(
        &stage,
        "stranger.yaml",
        "version: 1\ncluster: {terraform: cluster}\nterraform: {outputFile: out.json}\n",
    );
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let named = format!(
        "version: 1\ncluster: {{name: {}, endpoint: 'https://{}'}}\n",
        cluster.name,
        silent.local_addr().unwrap()
    );
    write(&stage, "silent.yaml", &named);
    let here = format!("--cluster={}", cluster.name);
    let image = format!("--image=image={repository}:v1");
    let gone = format!("--image=image={repository}@{NOWHERE}");
    let unused = format!("--image=unused={repository}:v1");
    // Not a plan, and one that someone else's key sealed.
    write(&stage, "no.plan", "[]");
    let edited = json!({"version": 1, "seal": NOWHERE, "plan": {"release": "web", "namespace": "shop", "cluster": "c",
        "revision": 1, "chart": {"name": "web", "version": "0.1.0", "digest": null}, "images": [], "values": null}});
    write(&stage, "edited.plan", &edited.to_string());
    let rows: [(&str, &[&str], i32, &[&str]); 12] = [
        (
            "./web",
            &[&here, "--imgae=a=b"],
            64,
            &["unexpected argument '--imgae'", "a similar argument exists: '--image'"],
        ),
        (
            "./web",
            &[&here, &unused, "--values=unused.yaml"],
            3,
            &["no image of the chart comes from values path `unused`", "hint: "],
        ),
        ("./web", &[&here, &gone], 3, &["cannot look up", NOWHERE]),
        ("./broken", &[&here], 1, &["`helm upgrade` failed", "it needs a host"]),
        ("./web", &[&here, &image, "--lock=gone.lock", "--locked"], 3, &["cannot look up", NOWHERE]),
        (
            "./web",
            &[&here, &image, "--lock=edited.lock"],
            64,
            &["`edited.lock` is not a lock file", "hint: write it anew"],
        ),
        (
            "./web",
            &[&here, &image, "--lock=newer.lock"],
            64,
            &["is of version 2, and this program knows version 1"],
        ),
        (
            "./web",
            &[&here, &image, "--expect=no.plan"],
            64,
            &["`no.plan` is not a plan file", "hint: write it anew"],
        ),
        (
            "./web",
            &[&here, &image, "--expect=edited.plan"],
            64,
            &["`edited.plan` was edited after it was written"],
        ),
        (
            "./web",
            &[&here, &image, "--report=nowhere/report.json"],
            64,
            &["the report cannot be written to `nowhere/report.json`"],
        ),
        (
            "./web",
            &["--config=stranger.yaml"],
            4,
            &["https://eks.example, which is no host of Amazon EKS", "hint: "],
        ),
        (
            "./web",
            &["--config=silent.yaml"],
            4,
            &["cannot be reached at https://127.0.0.1", "hint: if the endpoint is private"],
        ),
    ];
    thread::scope(|scope| {
        let row = |(chart, flags, code, said): (&'static str, &[&str], i32, &[&str])| {
            let mut up = stage.plugin();
            up.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap()).args(["up", &stage.name, chart]);
            end(up.args(["--namespace", &stage.name]).args(flags)).expect(code, said);
        };
        let running: Vec<_> = rows.into_iter().map(|one| scope.spawn(move || row(one))).collect();
        for one in running {
            one.join().unwrap();
        }
    });
    assert_eq!(stage.history(), []);
}

/// Planted in every place where a deployment is given a secret, and looked for in every place that others can read.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn secrets_are_found_nowhere() {
    const PLANTED: &str = "planted-7f3a";
    let stage = Stage::set();
    stage.push("v1");
    write(&stage, "secret.yaml", &format!("password: {PLANTED}-values\n"));
    let outputs = json!({
        "image": {"value": format!("{}:v1", stage.repository), "type": "string", "sensitive": false},
        "password": {"value": format!("{PLANTED}-output"), "type": "string", "sensitive": true},
    });
    write(&stage, "out.json", &outputs.to_string());
    write(&stage, "web/templates/secret.yaml", LEAKING);
    let up = |tool: Tool, flags: &[&str]| -> Ended {
        let mut up = stage.up(tool);
        up.env("HELM_BIN", wrapper(&stage, tool))
            .args(["--values=secret.yaml", "--image=image=terraform:image"]);
        up.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", stage.home.path().join("summary.md"));
        end(up.args(["--tf-output-file=out.json", "--report=report.json"]).args(flags))
    };
    let verbose = up(Tool::Helm3, &["--debug"]);
    verbose.expect(0, &["deployed as revision 1"]);
    let good = up(Tool::Helm4, &["--debug"]);
    good.expect(0, &["deployed as revision 2"]);
    for said in [&verbose.out, &good.out] {
        assert!(said.contains("(values, manifests and notes are left out here"), "{said}");
    }
    let failed = up(Tool::Helm4, &["--set=leak=true", "--via=post-render", "--debug"]);
    failed.expect(6, &["  | the password is (hidden)", "::error title=release "]);
    assert_eq!(stage.left_over(), [""; 0].map(std::path::PathBuf::from));
    let [argv, report, summary] = ["argv", "report.json", "summary.md"]
        .map(|name| fs::read_to_string(stage.home.path().join(name)).unwrap());
    assert!(argv.contains("upgrade --install"), "{argv}");
    assert!(report.contains("the password is (hidden)"), "{report}");
    let key = &stage.user.keys.secret;
    let [verbose, good, failed] = [verbose, good, failed].map(|ended| ended.out + &ended.err);
    for text in [verbose, good, failed, argv, report, summary] {
        for secret in [PLANTED, key, "k8s-aws-v1.", "cGxhbnRlZC03ZjNh"] {
            assert!(!text.contains(secret), "{secret} is in:\n{text}");
        }
    }
}

/// A Helm that writes down how it is called, and what it finds in its environment that is not AWS's.
fn wrapper(stage: &Stage, tool: Tool) -> std::path::PathBuf {
    let real = stage.lab.tool(tool).unwrap();
    let script = format!(
        "#!/bin/sh\n{{ echo \"$@\"; env | grep -v ^AWS_; }} >>argv\nexec {} \"$@\"\n",
        real.display()
    );
    write(stage, "script", &script);
    let helm = stage.home.path().join(format!("{tool:?}"));
    // Not written by this process: what another test starts would hold it open for writing, and it could not run.
    let install = |from: &Path, to: &Path| run(Command::new("install").arg("-m700").args([from, to]), SHORT);
    install(&stage.home.path().join("script"), &helm).unwrap();
    helm
}
