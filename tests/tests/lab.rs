//! The lab proves itself: what tests build on is real.

use lab::aws::Keys;
use lab::cluster::Cluster;
use lab::lab::Lab;
use lab::process::{SHORT, run, run_with_input};
use serde_json::json;

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn a_pod_runs_from_an_image_in_ecr() {
    let lab = Lab::running().unwrap();
    let cluster = Cluster::create(&lab, &lab.unique("lab")).unwrap();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{
            "name": "web", "image": lab.busybox(), "command": ["httpd", "-f", "-p", "8080", "-h", "/etc"],
            "readinessProbe": {"httpGet": {"path": "/passwd", "port": 8080}, "periodSeconds": 1},
        }]},
    });
    let apply = ["apply", "--filename=-"];
    run_with_input(cluster.kubectl(&lab).args(apply), SHORT, |stdin| {
        Ok(stdin.write_all(pod.to_string().as_bytes())?)
    })
    .unwrap();
    let wait = ["wait", "--for=condition=Ready", "pod/web", "--timeout=50s"];
    run(cluster.kubectl(&lab).args(wait), SHORT).unwrap();
    let image = "--output=jsonpath={.status.containerStatuses[0].imageID}";
    let image = run(cluster.kubectl(&lab).args(["get", "pod/web", image]), SHORT).unwrap();
    assert!(image.starts_with("000000000000.dkr.ecr.us-east-1.amazonaws.com/lab/busybox@sha256:"), "{image}");
    cluster.delete(&lab).unwrap();
}

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn policies_are_enforced() {
    let lab = Lab::running().unwrap();
    let reader = json!([{"Effect": "Allow", "Action": "ecr:DescribeRepositories", "Resource": "*"}]);
    let user = lab.root().create_user(&lab.unique("reader"), &reader).unwrap();
    let aws = lab.aws(&user.keys);
    aws.ecr("DescribeRepositories", &json!({})).unwrap();
    let refused = aws.ecr("CreateRepository", &json!({"repositoryName": "no"})).unwrap_err();
    assert!(format!("{refused:#}").contains("AccessDenied"), "{refused:#}");
    let wrong = Keys { secret: "wrong".to_owned(), ..user.keys };
    let refused = lab.aws(&wrong).ecr("DescribeRepositories", &json!({})).unwrap_err();
    assert!(format!("{refused:#}").contains("Signature"), "{refused:#}");
}

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn go_builds_in_a_run_step_without_a_network() {
    let lab = Lab::running().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dockerfile = format!("FROM {}\nCOPY . .\nRUN go build -o /hello . && /hello\n", lab.build_base());
    let source = "package main\n\nfunc main() { println(\"hello\") }\n";
    for (name, text) in
        [("Dockerfile", &*dockerfile), ("main.go", source), ("go.mod", "module hello\n\ngo 1.26\n")]
    {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut build = lab.engine().docker();
    build
        .args(["build", "--quiet", "--network=none", "."])
        .current_dir(folder.path())
        .env("DOCKER_BUILDKIT", "0");
    let image = run(&mut build, lab::process::LONG).unwrap();
    run(lab.engine().docker().args(["image", "rm", image.trim()]), SHORT).unwrap();
}
