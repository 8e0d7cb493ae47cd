//! Whether what is kept is what would be generated, and what the registry's own checks accept.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tfplugin_rs::{
    testing::{document, wire::Host},
    wire::tfplugin6::{get_provider_schema, get_resource_identity_schemas},
};

const ADDRESS: &str = "registry.terraform.io/eks-deploy/ecr";
/// Folders of `examples` that are about one object each. The others are whole stories.
const EXAMPLES: [&str; 6] =
    ["provider", "resources", "data-sources", "functions", "actions", "list-resources"];
/// Written by hand.
const GUIDES: &str = "guides/";

#[tokio::test]
#[ignore = "needs tfplugindocs"]
async fn is_up_to_date_and_valid() {
    let folder = tempfile::tempdir().unwrap();
    for part in EXAMPLES {
        copy(&root().join("../examples").join(part), &folder.path().join("examples").join(part));
    }
    let file = folder.path().join("schema.json");
    fs::write(&file, schema().await.to_string()).unwrap();
    tfplugindocs("generate", folder.path(), &file);
    tfplugindocs("validate", folder.path(), &file);

    let (generated, kept) = (folder.path().join("docs"), root().join("docs"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        for name in pages(&kept).keys() {
            fs::remove_file(kept.join(name)).unwrap();
        }
        copy(&generated, &kept);
    }
    let (generated, kept) = (pages(&generated), pages(&kept));
    assert_eq!(generated.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>());
    for (name, text) in &generated {
        assert_eq!(text, &kept[name], "{name}: run again with UPDATE_GOLDEN=1");
    }
}

/// What the provider says of itself. The tool wants a provider of its own registry.
async fn schema() -> Value {
    let program = env!("CARGO_BIN_EXE_terraform-provider-ecr");
    let client = Host::new(program).start().await.unwrap().client().await.unwrap();
    let mut calls = client.calls();
    let schema = calls.get_provider_schema(get_provider_schema::Request {}).await.unwrap();
    let identities =
        calls.get_resource_identity_schemas(get_resource_identity_schemas::Request {}).await.unwrap();
    client.shutdown().await.unwrap();
    let mut document = document(ADDRESS, schema.get_ref(), identities.into_inner().identity_schemas);
    let ours = document["provider_schemas"][ADDRESS].take();
    json!({ "format_version": "1.0", "provider_schemas": { "ecr": ours } })
}

fn tfplugindocs(verb: &str, folder: &Path, schema: &Path) {
    let program =
        std::env::var_os("TFPLUGIN_TEST_TFPLUGINDOCS").expect("TFPLUGIN_TEST_TFPLUGINDOCS names it");
    let mut command = Command::new(program);
    command.arg(verb).args(["--provider-name", "ecr", "--provider-dir"]).arg(folder);
    let output = command.arg("--providers-schema").arg(schema).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && !said.contains("WARN"), "{verb}: {said}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The generated pages below a folder.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    files(folder).into_iter().filter(|(name, _)| !name.starts_with(GUIDES)).collect()
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
