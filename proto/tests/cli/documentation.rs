//! The example's documentation: generated from its schema, and what the registry's own checks accept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tfplugin_rs::testing::cli::Feature;

use crate::golden;
use crate::schema::schema;
use crate::stage::{ADDRESS, every_cli};

#[tokio::test]
#[ignore = "needs tfplugindocs"]
async fn is_up_to_date_and_valid() {
    let folder = tempfile::tempdir().unwrap();
    copy(&example().join("examples"), &folder.path().join("examples"));
    let file = folder.path().join("schema.json");
    fs::write(&file, named(schema().await).to_string()).unwrap();
    tfplugindocs("generate", folder.path(), &file);
    tfplugindocs("validate", folder.path(), &file);

    let generated = files(&folder.path().join("docs"));
    if golden::is_updating() {
        let _ = fs::remove_dir_all(example().join("docs"));
        copy(&folder.path().join("docs"), &example().join("docs"));
    }
    let kept = files(&example().join("docs"));
    assert_eq!(generated.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>());
    for (name, text) in &generated {
        assert_eq!(text, &kept[name], "{name}: run again with UPDATE_GOLDEN=1");
    }
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn its_examples_are_valid() {
    let text = |path: &str| fs::read_to_string(example().join("examples").join(path)).unwrap();
    let examples = [
        ("resources/files_file/resource.tf", Feature::WriteOnly),
        ("data-sources/files_file/data-source.tf", Feature::Functions),
        ("functions/fingerprint/function.tf", Feature::Functions),
        ("functions/join/function.tf", Feature::Functions),
        ("ephemeral-resources/files_temporary/ephemeral-resource.tf", Feature::WriteOnly),
        ("actions/files_touch/action.tf", Feature::Actions),
    ];
    every_cli(|stage| {
        for (path, _) in examples.iter().filter(|(_, feature)| stage.has(*feature)) {
            stage.workspace().write("main.tf", &(text("provider/provider.tf") + &text(path))).unwrap();
            stage.workspace().validate().unwrap();
            stage.run(&["fmt", "-check", "main.tf"]);
        }
    });
}

/// The tool wants the schema of a provider of its own registry.
fn named(mut schema: Value) -> Value {
    let ours = schema["provider_schemas"][ADDRESS].take();
    json!({ "format_version": "1.0", "provider_schemas": { "files": ours } })
}

fn tfplugindocs(verb: &str, folder: &Path, schema: &Path) {
    let program =
        std::env::var_os("TFPLUGIN_TEST_TFPLUGINDOCS").expect("TFPLUGIN_TEST_TFPLUGINDOCS names it");
    let mut command = Command::new(program);
    command.arg(verb).args(["--provider-name", "files", "--provider-dir"]).arg(folder);
    let output = command.arg("--providers-schema").arg(schema).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && !said.contains("WARN"), "{verb}: {said}");
}

fn example() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/files")
}

/// The texts below a folder, by path.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            found.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for (name, text) in files(from) {
        let file = to.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}
