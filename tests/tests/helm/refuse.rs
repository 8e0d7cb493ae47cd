//! What does not go: each mistake has its code and its words, and changes nothing.

use std::process::Command;

use lab::aws::Keys;
use lab::tool::Tool;
use serde_json::{Value, json};

use crate::stage::{Stage, end};

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn an_image_of_ecr_that_no_value_says_is_an_error() {
    let stage = Stage::set();
    let image = format!("{}:v1", stage.repository);
    stage.write_chart(&image);
    let said = format!("image `{image}` of Deployment/web comes from no single place in the chart's values");
    let ended = end(stage.up(Tool::Helm4).arg("--via=values"));
    ended.expect(3, &[&said, "hint: name the place: --image PATH="]);
    assert_eq!(stage.history(), []);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn an_image_that_is_not_there_is_an_error() {
    let stage = Stage::set();
    stage.push("v1");
    let image = format!("{}:v9", stage.repository);
    let ended = end(stage.up(Tool::Helm4).args(["--image", &format!("image={image}")]));
    ended.expect(3, &[&format!("cannot look up `{image}`")]);
    assert_eq!(stage.history(), []);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_values_path_that_is_not_there_is_an_error() {
    let stage = Stage::set();
    let ended = end(stage.up(Tool::Helm4).args(["--image", &format!("api.image={}:v1", stage.repository)]));
    ended.expect(64, &["the chart has no values path `api.image`", "hint: these look like images: `image`"]);
    assert_eq!(stage.history(), []);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_tag_that_reaches_a_label_is_an_error() {
    let stage = Stage::set();
    stage.push("v1");
    let template = stage.chart().join("templates/labels.yaml");
    let labels =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {v: \"{{ .Values.image.tag }}\"}}\n";
    std::fs::write(template, labels).unwrap();
    let mut up = stage.up(Tool::Helm4);
    let ended = end(up.args(["--via=values", "--image", &format!("image={}:v1", stage.repository)]));
    ended.expect(
        3,
        &["metadata.labels.v of ConfigMap/x would be `v1@sha256:", "hint: give the chart a `digest` key"],
    );
    assert_eq!(stage.history(), []);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_cluster_that_is_not_there_is_an_error() {
    let stage = Stage::set();
    let ended = end(stage.up(Tool::Helm4).args(["--cluster", "none"]));
    ended.expect(64, &["--cluster"]);
    let mut up = stage.plugin();
    up.args(["up", "web", "./web", "-n", "x", "--cluster", "none"]);
    up.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap());
    end(&mut up).expect(4, &["cluster `none` does not exist in region us-east-1", "check --region"]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_cluster_that_is_being_created_is_named_so() {
    let stage = Stage::set();
    let name = stage.lab.unique("new");
    let root = stage.lab.root();
    let statements = json!([{"Effect": "Allow", "Action": "eks:*", "Resource": "*"}]);
    let role = root.create_role(&name, &json!({"Service": "eks.amazonaws.com"}), &statements).unwrap();
    let body = json!({"name": name, "roleArn": role, "resourcesVpcConfig": {"subnetIds": []}});
    root.rest("eks", "POST", "/clusters", &body).unwrap();
    let mut up = stage.plugin();
    up.args(["up", "web", "./web", "-n", "x", "--cluster", &name]);
    up.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap());
    let ended = end(&mut up);
    root.rest("eks", "DELETE", &format!("/clusters/{name}"), &Value::Null).unwrap();
    ended.expect(
        4,
        &[&format!("cluster `{name}` in region us-east-1 is CREATING"), "aws eks wait cluster-active"],
    );
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_stranger_is_told_which_access_entry_to_ask_for() {
    let stage = Stage::with_stranger();
    let (cluster, arn) = (&stage.cluster.name, &stage.user.arn);
    let entry = format!(
        "aws eks create-access-entry --cluster-name {cluster} --region us-east-1 --principal-arn {arn}"
    );
    for helm in [Tool::Helm4, Tool::Helm3] {
        end(&mut stage.up(helm)).expect(4, &[&format!("cluster `{cluster}` does not let {arn} in"), &entry]);
    }
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn credentials_that_do_not_do_are_explained() {
    let stage = Stage::set();
    let check = |change: &dyn Fn(&mut Command), said: &[&str]| {
        let mut up = stage.up(Tool::Helm4);
        change(&mut up);
        end(&mut up).expect(4, said);
    };
    check(
        &|up| _ = up.env_remove("AWS_ACCESS_KEY_ID"),
        &["no AWS credentials found", "hint: set AWS_PROFILE"],
    );
    check(&|up| _ = up.env("AWS_SECRET_ACCESS_KEY", "wrong"), &["the credentials were refused: "]);

    let little = json!([{"Effect": "Allow", "Action": "eks:ListClusters", "Resource": "*"}]);
    let nobody = stage.lab.root().create_user(&stage.lab.unique("nobody"), &little).unwrap();
    let as_nobody = |up: &mut Command| {
        let Keys { id, secret } = &nobody.keys;
        up.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
    };
    check(&as_nobody, &["eks:DescribeCluster failed for cluster", "access denied", &nobody.arn]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn the_clusters_webhook_takes_our_token_and_no_forged_one() {
    let stage = Stage::set();
    stage.write_kubeconfig();
    let kubectl = stage.lab.tool(Tool::Kubectl).unwrap();
    let who = end(stage.command(&kubectl).args([
        "auth",
        "whoami",
        "--output=jsonpath={.status.userInfo.username}",
    ]));
    assert_eq!(who.out, stage.user.arn, "{who:#?}");
    let forged = end(stage.command(&kubectl).args(["auth", "whoami"]).env("AWS_SECRET_ACCESS_KEY", "wrong"));
    assert_eq!(forged.code, Some(1), "{forged:#?}");
    assert!(
        forged.err.contains("Unauthorized") || forged.err.contains("must be logged in"),
        "{}",
        forged.err
    );
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn an_identity_that_may_not_see_the_image_is_told_the_action() {
    let stage = Stage::set();
    let image = format!("{}/other:v1", lab::base::registry());
    stage.lab.root().ecr("CreateRepository", &json!({"repositoryName": "other"})).ok();
    let ended = end(stage.up(Tool::Helm4).args(["--image", &format!("image={image}")]));
    ended.expect(4, &[&format!("cannot look up `{image}`"), "ecr:BatchGetImage"]);
}
