//! Secrets: whichever way they reach the provider, they are in nothing that is kept, printed or logged.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lab::aws::{Aws, element};
use lab::process::{SHORT, run};
use serde_json::json;

use crate::stack::{FILES, REGISTRY, Stack};

/// Terraform puts the configuration word for word into a saved plan, and the values of variables too. So the variables
/// are ephemeral: what is found then came from the provider, or from Terraform on its behalf.
const SETTINGS: &str = r#"
variable "access_key" { ephemeral = true }
variable "secret_key" { ephemeral = true }
variable "token" { ephemeral = true }
provider "ecr" {
  access_key = var.access_key
  secret_key = var.secret_key
  token      = var.token
}
"#;
/// A registry whose password is in Docker's configuration.
const HOST: &str = "private.example.com";
/// Opens nothing.
const WRONG: &str = "wrong-secret-8f14e45f";
const PASSWORD: &str = "docker-password-c9f0f895";

pub(crate) fn are_kept_nowhere(stack: &Stack) {
    let [id, secret, token] = session(stack);
    let settings = [("TF_VAR_access_key", &*id), ("TF_VAR_secret_key", &secret), ("TF_VAR_token", &token)];
    let unused = [("AWS_SECRET_ACCESS_KEY", WRONG), ("AWS_SESSION_TOKEN", WRONG)];
    lives(stack, SETTINGS, &[&settings[..], &unused].concat(), ("TF_VAR_secret_key", WRONG));
    let environment =
        [("AWS_ACCESS_KEY_ID", &*id), ("AWS_SECRET_ACCESS_KEY", &secret), ("AWS_SESSION_TOKEN", &token)];
    lives(stack, "", &environment, ("AWS_SECRET_ACCESS_KEY", WRONG));

    let encoded = |text: &str| BASE64_STANDARD.encode(text);
    let login = encoded(&format!("ada:{PASSWORD}"));
    // The passwords that ECR gives are encoded with the name before them.
    let issued = encoded("AWS:");
    let planted = [&*secret, &*token, WRONG, PASSWORD, &*login, issued.trim_end_matches('=')];
    for text in planted {
        let found = places(stack, text);
        assert!(found.is_empty(), "`{text}` is in {found:?}");
    }
    // Each way to fail was taken, with these secrets.
    for words in ["AWS gives no registry password", "does not accept the credentials from docker"] {
        assert!(places(stack, words).contains(&"printed".to_owned()), "{words}");
    }
    // What is no secret is found, so the search would have found a secret.
    let found = places(stack, &stack.name);
    for place in ["terraform.tfstate", "tfplan", "tfstate", "main.tf", "trace.log", "printed"] {
        assert!(found.iter().any(|found| found == place), "{place} is not in {found:?}");
    }
}

/// Plans, applies, and fails in two ways: with a secret that is wrong, and with a password that is refused.
fn lives(stack: &Stack, provider: &str, settings: &[(&str, &str)], wrong: (&str, &str)) {
    let docker = docker_configuration();
    let succeeds = |arguments: &[&str], more: &[(&str, &str)]| {
        let mut command = stack.command(arguments);
        command.env("DOCKER_CONFIG", docker.path()).envs(settings.iter().chain(more).copied());
        recorded(stack, &mut command)
    };
    let write = |content: &str, base: &str| {
        let base = format!("    base = \"{base}\"\n    layers");
        stack.file("app/index.html", &format!("{content} {}", provider.len()));
        stack.image(&FILES.replace("    layers", &base));
        let path = stack.folder.path().join("main.tf");
        fs::write(&path, fs::read_to_string(&path).unwrap() + provider).unwrap();
    };
    write("one", "scratch");
    assert!(succeeds(&["plan", "-input=false", "-out=plan"], &[]));
    open_plan(stack.folder.path());
    assert!(succeeds(&["apply", "-input=false", "plan"], &[]));
    write("two", "scratch");
    assert!(!succeeds(&["apply", "-input=false", "-auto-approve"], &[wrong]));
    write("two", &format!("{HOST}/base:1"));
    let front = stack.lab.front();
    let mapped = format!("{REGISTRY}=http://{front},{HOST}=http://{front}");
    let mapped = ("EKS_DEPLOY_REGISTRY_ENDPOINTS", &*mapped);
    assert!(!succeeds(&["apply", "-input=false", "-auto-approve"], &[mapped]));
}

/// Access key, its secret and its token.
fn session(stack: &Stack) -> [String; 3] {
    let root = stack.lab.root();
    let caller = root.create_admin(&stack.lab.unique("admin")).unwrap();
    let rights = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
    let role = root.create_role(&stack.lab.unique("role"), &json!({ "AWS": caller.arn }), &rights).unwrap();
    let session = Aws::at(stack.lab.front(), caller.keys)
        .query("sts", "AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "run")])
        .unwrap();
    ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|name| element(&session, name).unwrap().to_owned())
}

fn docker_configuration() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let login = BASE64_STANDARD.encode(format!("ada:{PASSWORD}"));
    let text = json!({ "auths": { HOST: { "auth": login } } }).to_string();
    fs::write(folder.path().join("config.json"), text).unwrap();
    folder
}

/// Runs the command; all that it prints, and all that it and the provider can be told to log, is added to the folder.
fn recorded(stack: &Stack, command: &mut Command) -> bool {
    let printed =
        File::options().append(true).create(true).open(stack.folder.path().join("printed")).unwrap();
    command.envs([("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER_ECR", "trace")]);
    command.env("TF_LOG_PATH", stack.folder.path().join("trace.log"));
    command.stdin(Stdio::null()).stdout(printed.try_clone().unwrap()).stderr(printed);
    command.status().unwrap().success()
}

/// A saved plan is a zip archive.
fn open_plan(folder: &Path) {
    let mut open = Command::new("python3");
    run(open.args(["-m", "zipfile", "-e", "plan", "opened"]).current_dir(folder), SHORT).unwrap();
}

/// The names of the files of the folder that hold this text.
fn places(stack: &Stack, text: &str) -> Vec<String> {
    let mut folders = vec![stack.folder.path().to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).contains(text) {
                found.push(entry.file_name().into_string().unwrap());
            }
        }
    }
    found
}
