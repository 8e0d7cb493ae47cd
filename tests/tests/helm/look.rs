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
