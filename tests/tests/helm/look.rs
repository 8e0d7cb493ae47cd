//! Verbs that only look: nothing is deployed by them, and nothing is left of them.

use lab::tool::Tool;
use serde_json::{Value, json};

use crate::stage::{Stage, end};

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_list_of_images_says_what_up_would_run() {
    let stage = Stage::set();
    let digest = stage.push("v1");
    let mut list = stage.plugin();
    list.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap()).args(["images", "list", &stage.name, "./web"]);
    list.args(["--cluster", &stage.cluster.name, "--namespace", &stage.name, "--output=json"]);
    list.args(["--image", &format!("image={}:v1", stage.repository)]);
    let ended = end(&mut list);
    ended.expect(0, &[]);
    let images: Value = serde_json::from_str(&ended.out).unwrap();
    let expected = json!([{
        "image": format!("{}:v1@{digest}", stage.repository),
        "digest": digest,
        "kind": "Deployment",
        "name": images[0]["name"],
        "hooks": [],
        "path": "spec.template.spec.containers[0].image",
    }]);
    assert_eq!(images, expected);
    assert_eq!(stage.history(), []);
    assert_eq!(stage.left_over(), [""; 0].map(std::path::PathBuf::from));
}

/// What was looked at in one job is what another one deploys, wherever the tag points by then.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_lock_file_holds_the_digests() {
    let stage = Stage::set();
    let locked = stage.push("v1");
    let release = |verb: &[&str], tag: &str| {
        let mut command = stage.plugin();
        command.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap()).args(verb).args([&stage.name, "./web"]);
        command.args(["--cluster", &stage.cluster.name, "--namespace", &stage.name, "--timeout", "60s"]);
        command.args(["--image", &format!("image={}:{tag}", stage.repository), "--lock", "images.lock"]);
        command
    };
    end(&mut release(&["images", "lock"], "v1")).expect(0, &["images.lock has the digests of 1 images"]);
    let moved = stage.push_labelled("v1", "other");
    assert_ne!(locked, moved);
    end(release(&["up"], "v1").arg("--locked")).expect(0, &["deployed as revision 1"]);
    assert_eq!(stage.running(), [locked]);
    let said = format!("the lock file has no digest for {}:v2", stage.repository);
    end(release(&["up"], "v2").arg("--locked")).expect(3, &[&said, "images lock RELEASE CHART --lock FILE"]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn kubectl_goes_where_a_release_would() {
    let stage = Stage::set();
    let kubectl = stage.lab.tool(Tool::Kubectl).unwrap();
    let mut exec = stage.plugin();
    exec.args(["exec", "--cluster", &stage.cluster.name, "--namespace", &stage.name, "--"]).arg(&kubectl);
    let ended = end(exec.args(["config", "view", "--minify", "--output=jsonpath={..namespace}"]));
    ended.expect(0, &[]);
    assert_eq!(ended.out, stage.name);

    stage.write_kubeconfig();
    let written = stage.home.path().join("kubeconfig");
    let mut write = stage.plugin();
    write.args([
        "kubeconfig",
        "write",
        "--cluster",
        &stage.cluster.name,
        "--alias",
        "here",
        "-n",
        &stage.name,
    ]);
    end(&mut write).expect(0, &["context here is in"]);
    let mut pods = stage.command(&kubectl);
    end(pods.args(["get", "pods", "--context=here"])).expect(0, &["No resources found"]);
    assert!(std::fs::read_to_string(written).unwrap().contains("name: c\n"), "the user's own entry stays");
}

/// All is well here; and what is not is a line with what to do, by the exit code of the first.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_doctor_tells_what_is_there_and_what_is_missing() {
    let doctor = |stage: &Stage| {
        let mut doctor = stage.plugin();
        doctor.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap()).arg("doctor");
        doctor.args(["--cluster", &stage.cluster.name, "--namespace", &stage.name]);
        doctor
    };
    let stage = Stage::set();
    let ended = end(doctor(&stage).arg("--output=json"));
    ended.expect(0, &[]);
    let checks: Value = serde_json::from_str(&ended.out).unwrap();
    let told: Vec<_> = checks
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["check"].as_str().unwrap(), &check["ok"]))
        .collect();
    assert_eq!(
        told,
        ["helm", "cluster", "identity", "clock", "access", "images"].map(|what| (what, &json!(true)))
    );
    assert!(
        ended.out.contains(&stage.user.arn) && ended.out.contains(&stage.cluster.endpoint),
        "{}",
        ended.out
    );
    let ended = end(doctor(&stage).env("HELM_BIN", "/nonexistent/helm"));
    ended.expect(1, &[]);
    assert!(ended.out.starts_with("no    helm "), "{}", ended.out);

    let stranger = Stage::with_stranger();
    let ended = end(&mut doctor(&stranger));
    ended.expect(4, &[]);
    for part in ["ok    identity  ", "no    access    ", "aws eks create-access-entry"] {
        assert!(ended.out.contains(part), "{part} is not in {}", ended.out);
    }
    assert_eq!(stranger.left_over(), [""; 0].map(std::path::PathBuf::from));
}
