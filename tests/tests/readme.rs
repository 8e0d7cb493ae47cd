//! What README.md promises about permissions: its policy is enough to build and push, and no action in it is spare.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use lab::aws::{ACCOUNT, Keys, REGION};
use lab::base::registry;
use lab::lab::Lab;
use lab::process::{LONG, run};
use lab::programs::checkout;
use lab::tool::Tool;
use serde_json::{Value, json};

/// An image of one file, with a tag that moves and one of its own.
const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    ecr = { source = "registry.terraform.io/eks-deploy/ecr" }
  }
}

variable "repository" { type = string }

resource "ecr_image" "api" {
  repository = var.repository
  tags       = ["latest"]
  files      = { layers = [{ source = "pages", destination = "/www" }] }
}
"#;

/// The statements of the first policy in the README, for the lab's account.
fn policy() -> Value {
    let readme = fs::read_to_string(checkout().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```json\n").unwrap();
    let text =
        rest.split_once("```").unwrap().0.replace("123456789012", ACCOUNT).replace("eu-west-1", REGION);
    let policy: Value = serde_json::from_str(&text).unwrap();
    policy["Statement"].clone()
}

/// The statements without one of their actions.
fn without(statements: &Value, action: &str) -> Value {
    let mut statements = statements.clone();
    for statement in statements.as_array_mut().unwrap() {
        let actions = match statement["Action"].take() {
            Value::Array(actions) => actions,
            one => vec![one],
        };
        statement["Action"] = actions.into_iter().filter(|listed| listed != action).collect();
    }
    statements.as_array_mut().unwrap().retain(|statement| statement["Action"] != json!([]));
    statements
}

fn terraform(lab: &Lab, folder: &Path, keys: &Keys) -> Command {
    let mut command = lab.command(lab.tool(Tool::Terraform).unwrap(), keys);
    command.current_dir(folder);
    command
}

fn apply(lab: &Lab, keys: &Keys, repository: &str) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("main.tf"), CONFIGURATION)?;
    fs::create_dir(folder.path().join("pages"))?;
    fs::write(folder.path().join("pages/index.html"), repository)?;
    run(terraform(lab, folder.path(), keys).args(["init", "-no-color"]), LONG)?;
    let variable = format!("repository={repository}");
    let apply = ["apply", "-auto-approve", "-no-color", "-var", &variable];
    run(terraform(lab, folder.path(), keys).args(apply), LONG)
}

fn repository(lab: &Lab) -> String {
    let name = lab.unique("shop/api");
    lab.root().ecr("CreateRepository", &json!({"repositoryName": name})).unwrap();
    format!("{}/{name}", registry())
}

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn the_policy_is_enough_to_push() {
    let lab = Lab::running().unwrap();
    let user = lab.root().create_user(&lab.unique("push"), &policy()).unwrap();
    let said = apply(&lab, &user.keys, &repository(&lab)).unwrap();
    assert!(said.contains("1 added"), "{said}");
}

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn what_is_missing_is_named() {
    let lab = Lab::running().unwrap();
    for action in
        ["ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:GetAuthorizationToken"]
    {
        let user = lab.root().create_user(&lab.unique("less"), &without(&policy(), action)).unwrap();
        let error = apply(&lab, &user.keys, &repository(&lab)).unwrap_err().to_string();
        assert!(error.contains(action) && error.contains(&user.arn), "{action}: {error}");
    }
}
