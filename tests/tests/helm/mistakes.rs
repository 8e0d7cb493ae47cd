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

const NOWHERE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn write(stage: &Stage, name: &str, text: &str) {
    let path = stage.home.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
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
    let rows: [(&str, &[&str], i32, &[&str]); 9] = [
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
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: {{ .Values.password }}}\n";
    write(&stage, "web/templates/secret.yaml", secret);
    let helm = wrapper(&stage);
    let up = |flags: &[&str]| -> Ended {
        let mut up = stage.up(Tool::Helm4);
        up.env("HELM_BIN", &helm).args(["--values=secret.yaml", "--image=image=terraform:image"]);
        end(up.args(["--tf-output-file=out.json"]).args(flags))
    };
    let good = up(&[]);
    good.expect(0, &["deployed as revision 1"]);
    let failed = up(&["--set=ready=/nowhere", "--timeout=5s", "--via=post-render"]);
    failed.expect(6, &[]);
    assert_eq!(stage.left_over(), [""; 0].map(std::path::PathBuf::from));
    let argv = fs::read_to_string(stage.home.path().join("argv")).unwrap();
    assert!(argv.contains("upgrade --install"), "{argv}");
    let key = &stage.user.keys.secret;
    for text in [&good.out, &good.err, &failed.out, &failed.err, &argv] {
        for secret in [PLANTED, key, "k8s-aws-v1."] {
            assert!(!text.contains(secret), "{secret} is in:\n{text}");
        }
    }
}

/// A Helm that writes down how it is called, and what it finds in its environment that is not AWS's.
fn wrapper(stage: &Stage) -> std::path::PathBuf {
    let real = stage.lab.tool(Tool::Helm4).unwrap();
    let script = format!(
        "#!/bin/sh\n{{ echo \"$@\"; env | grep -v ^AWS_; }} >>argv\nexec {} \"$@\"\n",
        real.display()
    );
    write(stage, "script", &script);
    let helm = stage.home.path().join("helm");
    // Not written by this process: what another test starts would hold it open for writing, and it could not run.
    let install = |from: &Path, to: &Path| run(Command::new("install").arg("-m700").args([from, to]), SHORT);
    install(&stage.home.path().join("script"), &helm).unwrap();
    helm
}
