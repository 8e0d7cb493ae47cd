//! What would change is told before it does: by Helm 4 against the cluster, by Helm 3 against the last revision. Secrets
//! are never in it, and what was looked at is what gets deployed, or nothing.

use std::fs;

use lab::tool::Tool;
use serde_json::Value;

use crate::stage::{Ended, Stage, end};

/// Planted in the values, the first and the second.
const SECRETS: [&str; 2] = ["planted-0123", "planted-4567"];
const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: {{ .Values.password }}}\n";

fn stage() -> Stage {
    let stage = Stage::set();
    fs::write(stage.chart().join("templates/secret.yaml"), SECRET).unwrap();
    stage
}

/// A verb about the release with this image, and `flags`.
fn ask(stage: &Stage, helm: Tool, verb: &str, tag: &str, flags: &[&str]) -> Ended {
    let mut command = stage.plugin();
    command.env("HELM_BIN", stage.lab.tool(helm).unwrap()).env("EKS_DEPLOY_PLAN_KEY", "of this pipeline");
    command.args([verb, &stage.name, "./web", "--cluster", &stage.cluster.name, "-n", &stage.name]);
    command.args(["--timeout", "60s", "--image", &format!("image={}:{tag}", stage.repository)]);
    let ended = end(command.args(["--set", &format!("password={}", SECRETS[0])]).args(flags));
    for secret in SECRETS {
        assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{ended:#?}");
    }
    ended
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_9_helm_4_is_compared_with_the_cluster_and_rule_15_a_plan_is_only_asserted() {
    let stage = stage();
    let (first, second) = (stage.push("v1"), stage.push("v2"));
    let ask = |verb, tag, flags: &[&str]| ask(&stage, Tool::Helm4, verb, tag, flags);
    let created = ask("plan", "v1", &["--detailed-exitcode", "--out", "plan.json"]);
    created.expect(2, &["plan for revision 1 is in plan.json"]);
    for part in ["+ Deployment/", "+ Secret/s\n", "password: (hidden)", "2 to create, 0 to change", &first] {
        assert!(created.out.contains(part), "{part}: {}", created.out);
    }
    assert_eq!(stage.history(), []);

    ask("up", "v2", &["--expect", "plan.json"]).expect(3, &["image planned and not found: ", &first]);
    ask("up", "v1", &["--expect", "plan.json", "--set", &format!("password={}", SECRETS[1])])
        .expect(1, &["values: they are not those that were planned", "plan again"]);
    let path = stage.home.path().join("plan.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&first, &second)).unwrap();
    ask("up", "v2", &["--expect", "plan.json"]).expect(64, &["`plan.json` was edited"]);
    assert_eq!(stage.history(), []);
    fs::write(&path, text).unwrap();
    ask("up", "v1", &["--expect", "plan.json"]).expect(0, &["deployed as revision 1"]);
    ask("up", "v1", &["--expect", "plan.json"]).expect(1, &["next revision: planned 1, found 2"]);

    let same = ask("plan", "v1", &["--detailed-exitcode"]);
    same.expect(0, &[]);
    assert_eq!(same.out, "no changes (compared with the cluster)\n");
    let changed = ask("plan", "v2", &["-o", "json", "--set", &format!("password={}", SECRETS[1])]);
    changed.expect(0, &[]);
    let told: Value = serde_json::from_str(&changed.out).unwrap();
    assert!(told["images"][0]["before"].as_str().unwrap().ends_with(&first), "{told}");
    assert!(told["images"][0]["after"].as_str().unwrap().ends_with(&second), "{told}");
    let fields = told["objects"].as_array().unwrap().iter().flat_map(|one| one["fields"].as_array().unwrap());
    let fields: Vec<&Value> = fields.collect();
    assert_eq!(fields.len(), 2, "{told}");
    assert!(fields.iter().any(|field| field["path"] == "data.password" && field["hidden"] == true), "{told}");

    stage.write_kubeconfig();
    kubectl(&stage, &["set", "image", "deployment/web", "web=registry.invalid/other:1"]);
    let conflict = ask("plan", "v2", &[]);
    conflict.expect(1, &["`up` would fail: others have set 1 fields", "--force-conflicts"]);
    assert!(conflict.out.contains("].image (by kubectl-set)\n"), "{}", conflict.out);
    ask("plan", "v2", &["--force-conflicts"]).expect(0, &[]);
    ask("up", "v2", &[]).expect(6, &["conflict with \"kubectl-set\"", "--force-conflicts"]);
    assert_eq!(stage.left_over(), [""; 0].map(std::path::PathBuf::from));
}

/// What the user does by hand.
fn kubectl(stage: &Stage, arguments: &[&str]) {
    stage.write_kubeconfig();
    end(stage.command(&stage.lab.tool(Tool::Kubectl).unwrap()).args(arguments)).expect(0, &[]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_9_helm_3_is_compared_with_the_last_revision_and_drift_is_told_apart() {
    let stage = stage();
    let (first, second) = (stage.push("v1"), stage.push("v2"));
    let ask = |verb, tag, flags: &[&str]| ask(&stage, Tool::Helm3, verb, tag, flags);
    ask("up", "v1", &[]).expect(0, &["deployed as revision 1"]);
    let same = ask("plan", "v1", &["--detailed-exitcode"]);
    same.expect(0, &[]);
    assert!(
        same.out.starts_with("no changes (compared with the last revision's manifests: "),
        "{}",
        same.out
    );
    kubectl(&stage, &["scale", "deployment/web", "--replicas=2"]);
    let changed = ask("plan", "v2", &["--detailed-exitcode"]);
    changed.expect(2, &[]);
    let (objects, drift) = changed.out.split_once("changed in the cluster since the last revision").unwrap();
    for digest in [&first, &second] {
        assert!(objects.contains(digest.as_str()), "{objects}");
    }
    assert!(drift.contains("spec.replicas: 1 → 2\n"), "{drift}");
}
