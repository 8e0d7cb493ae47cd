//! Images that no value can say by digest: what Helm applies says them so all the same, and nothing else changes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use lab::tool::Tool;

use crate::stage::{Stage, end};

const LABELS: &str = "# kept
apiVersion: v1
kind: ConfigMap
metadata:
  name: labels
  labels: {version: \"{{ .Values.image.tag }}\"}
data:
  image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
";
const HOOK: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: before, annotations: {helm.sh/hook: pre-install}}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: c, image: \"IMAGE\", command: [\"true\"]}]}
";
/// Marks what went through it.
const THEIRS: &str = "#!/bin/sh\nexec sed \"s/name: labels/name: $1-labels/\"\n";

/// A tag that is a label too, which cannot take a digest, and a renderer of the user's own.
fn stage(image: &str) -> (Stage, String, String) {
    let stage = Stage::set();
    let digest = stage.push("v1");
    let templates = stage.chart().join("templates");
    fs::write(templates.join("labels.yaml"), LABELS).unwrap();
    let reference = format!("{}:v1", stage.repository);
    if image == "hook" {
        fs::write(templates.join("hook.yaml"), HOOK.replace("IMAGE", &reference)).unwrap();
    }
    (stage, digest, reference)
}

fn script(stage: &Stage, at: &str) -> PathBuf {
    let path = stage.home.path().join(at);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, THEIRS).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn check(stage: &Stage, helm: Tool, renderer: &str, image: &str, digest: &str) {
    let mut up = stage.up(helm);
    up.args([
        "--post-renderer",
        renderer,
        "--post-renderer-args",
        "mine",
        "--image",
        &format!("image={image}"),
    ]);
    let by = format!("image image = {image}@{digest} (v1), by post-rendering").replace(":v1@", "@");
    end(&mut up).expect(0, &[&by, "this release depends on post-rendering", "deployed as revision 1"]);
    assert_eq!(stage.running(), [digest]);
    let labels = stage.kubectl(&[
        "get",
        "configmap",
        "mine-labels",
        "--output=jsonpath={.metadata.labels.version} {.data}",
    ]);
    assert_eq!(labels, format!("v1 {{\"image\":\"{image}\"}}"));
    assert_eq!(stage.left_over(), [""; 0].map(PathBuf::from));
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_3_helm_3_sends_manifests_through_two_renderers() {
    let (stage, digest, image) = stage("");
    let theirs = script(&stage, "theirs");
    check(&stage, Tool::Helm3, theirs.to_str().unwrap(), &image, &digest);
}

/// Hooks too, and the user's renderer is a plugin.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_3_helm_4_sends_manifests_through_two_renderers() {
    let (stage, digest, image) = stage("hook");
    let folder = script(&stage, "plugins/theirs/run.sh").with_file_name("plugin.yaml");
    let manifest = "apiVersion: v1\ntype: postrenderer/v1\nname: theirs\nversion: 1.0.0\nruntime: subprocess\n\
        runtimeConfig:\n  platformCommand: [{command: \"${HELM_PLUGIN_DIR}/run.sh\"}]\n";
    fs::write(folder, manifest).unwrap();
    check(&stage, Tool::Helm4, "theirs", &image, &digest);
    let hook = stage.kubectl(&["get", "job", "before", "--output=jsonpath={..image}"]);
    assert_eq!(hook, format!("{image}@{digest}"));
}
