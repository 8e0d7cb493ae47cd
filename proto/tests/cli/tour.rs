//! Everything a CLI can do with a provider, once.

use std::collections::BTreeSet;

use tfplugin_rs::testing::cli::Feature;

use crate::stage::Stage;

const PLACEHOLDER: &str =
    "resource \"terraform_data\" \"page\" {\n  input = { path = \"page\", content = \"1\" }\n}\n";
const EVERYTHING: &str = r#"
moved {
  from = terraform_data.page
  to   = files_file.page
}
resource "files_file" "page" {
  path    = provider::files::join("page")
  content = "1"
}
data "files_file" "page" {
  path = "page"
}
ephemeral "files_temporary" "key" {
  content = "sesame"
}
resource "files_file" "key" {
  path               = "key"
  content_wo         = ephemeral.files_temporary.key.path
  content_wo_version = 1
}
"#;
const ACTION: &str = "action \"files_touch\" \"page\" {\n  config {\n    paths = [\"page\"]\n  }\n}\n";
const LIST: &str =
    "list \"files_file\" \"all\" {\n  provider         = files\n  include_resource = true\n}\n";

/// What the provider answered when a CLI did all it can.
pub(crate) fn tour(stage: &Stage) -> BTreeSet<String> {
    stage.write(PLACEHOLDER);
    stage.put("page", "1");
    stage.apply(&[]);
    stage.write(EVERYTHING);
    stage.put("key.lock", "");
    let applying = stage.start_apply();
    applying.wait_for("tf_rpc=RenewEphemeralResource");
    applying.interrupt();
    assert_eq!(stage.files_with("sesame"), ["main.tf"], "the interrupted command closes nothing");
    stage.remove("key.lock");
    stage.apply(&[]);
    stage.plans_nothing();
    stage.run(&["state", "rm", "files_file.page"]);
    let provider = if stage.has(Feature::GenerateConfig) { "provider = files" } else { "" };
    let import = |more| format!("import {{\n  to = files_file.page\n  id = \"page\"\n  {more}\n}}\n");
    stage.write(&import(provider));
    stage.run(&["plan", "-generate-config-out=generated.tf"]);
    stage.write(&import(""));
    stage.apply(&[]);
    if stage.has(Feature::Actions) {
        stage.workspace().write("action.tf", ACTION).unwrap();
        stage.apply(&["-invoke=action.files_touch.page"]);
    }
    if stage.has(Feature::ListResources) {
        stage.workspace().write("all.tfquery.hcl", LIST).unwrap();
        stage.run(&["query"]);
    }
    stage.destroy();
    stage.calls()
}
