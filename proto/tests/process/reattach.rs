//! A provider that waits to be attached to.

use std::{collections::BTreeMap, fs, path::PathBuf};

use rustix::process::{Signal, kill_process};
use serde_json::Value as Json;
use tokio::process::Command;

use crate::{
    call,
    host::{self, Plugin, program},
};

const ADDRESS: &str = "example.com/tfplugin/process";

/// A provider that was started by hand, and the value of `TF_REATTACH_PROVIDERS`.
async fn start() -> (Plugin, String) {
    let mut plugin = Plugin::launch(Command::new(program()).arg("-debug")).await;
    loop {
        let line = plugin.next_line().await;
        assert!(!line.is_empty(), "it says how to attach");
        if let Some(value) = line.trim().strip_prefix("export TF_REATTACH_PROVIDERS='") {
            return (plugin, value.strip_suffix('\'').unwrap().to_owned());
        }
    }
}

/// What is expected of Ctrl-C.
async fn interrupt(plugin: Plugin) {
    kill_process(plugin.process(), Signal::INT).unwrap();
    let ended = plugin.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn one_process_serves_several_commands() {
    let (plugin, variable) = start().await;
    let said: BTreeMap<String, Json> = serde_json::from_str(&variable).unwrap();
    let ours = &said[ADDRESS];
    assert_eq!(ours["Pid"], plugin.process().as_raw_nonzero().get());
    assert_eq!((&ours["Protocol"], &ours["ProtocolVersion"]), (&"grpc".into(), &6.into()));
    assert_eq!((&ours["Test"], &ours["Addr"]["Network"]), (&true.into(), &"unix".into()));
    let socket = ours["Addr"]["String"].as_str().unwrap();
    for greeting in ["hello", "again"] {
        // Terraform looks whether somebody is there before it really connects.
        drop(host::dial("unix", socket).await.unwrap());
        let channel = host::channel(host::dial("unix", socket).await).await.unwrap();
        call::configure(&channel, greeting).await;
        assert_eq!(call::trouble(&channel, "greet").await.unwrap(), greeting);
    }
    interrupt(plugin).await;
    assert!(!PathBuf::from(socket).exists());
}

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    process = { source = "example.com/tfplugin/process" }
  }
}

variable "text" {}

provider "process" {
  greeting = var.text
}

resource "process_note" "note" {
  name = "note"
  text = var.text
}

data "process_trouble" "greeting" {
  kind = "greet"
}

output "greeting" {
  value = data.process_trouble.greeting.result
}
"#;

#[tokio::test]
#[ignore = "needs Terraform and OpenTofu"]
async fn terraform_and_opentofu_attach() {
    for cli in clis() {
        let (plugin, variable) = start().await;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("main.tf"), CONFIGURATION).unwrap();
        let settings = folder.path().join("none.tfrc");
        fs::write(&settings, "").unwrap();
        let run = async |arguments: &[&str], text: &str| {
            let mut command = Command::new(&cli);
            command.args(arguments).current_dir(folder.path());
            command.env("TF_REATTACH_PROVIDERS", &variable).env("TF_VAR_text", text);
            command.env("TF_CLI_CONFIG_FILE", &settings);
            let output = command.output().await.unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{} {arguments:?}: {said}", cli.display());
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["init", "-input=false"], "").await;
        for text in ["one", "one and another"] {
            run(&["apply", "-input=false", "-auto-approve"], text).await;
            assert_eq!(run(&["output", "-raw", "greeting"], text).await, text);
            run(&["plan", "-input=false", "-detailed-exitcode"], text).await;
        }
        run(&["destroy", "-input=false", "-auto-approve"], "one").await;
        interrupt(plugin).await;
    }
}

/// Those that `cargo xtask test` names, else those on PATH.
fn clis() -> Vec<PathBuf> {
    let named = ["TFPLUGIN_TEST_CLIS", "LAB_TERRAFORM"].into_iter().filter_map(std::env::var_os);
    let named: Vec<_> = named.flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>()).collect();
    if named.is_empty() { vec!["terraform".into(), "tofu".into()] } else { named }
}
