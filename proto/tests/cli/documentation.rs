//! The example's documentation: generated from its schema, and what the registry's own checks accept.

use std::{fs, path::PathBuf};

use tfplugin_rs::testing::{Documentation, cli::Feature};

use crate::{golden, schema::schema, stage::every_cli};

#[tokio::test]
#[ignore = "needs tfplugindocs"]
async fn is_up_to_date_and_valid() {
    let tool = std::env::var_os("TFPLUGIN_TEST_TFPLUGINDOCS").expect("TFPLUGIN_TEST_TFPLUGINDOCS names it");
    let (examples, pages) = (example().join("examples"), example().join("docs"));
    let documentation =
        Documentation { tool: tool.as_ref(), provider: "files", examples: &examples, pages: &pages };
    let outdated = documentation.outdated(&schema().await, golden::is_updating()).unwrap();
    assert!(outdated.is_empty(), "run again with UPDATE_GOLDEN=1: {outdated:?}");
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

fn example() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/files")
}
