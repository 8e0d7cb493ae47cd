//! Values that are stored nowhere: write-only arguments and ephemeral resources.

use tfplugin_rs::testing::cli::Does;

use crate::stage::every_cli;

const SECRET: &str = "correct horse battery staple";

/// A file whose content is never stored.
fn key(version: u32) -> String {
    format!(
        "variable \"secret\" {{\n  type      = string\n  ephemeral = true\n}}\n\
         resource \"files_file\" \"key\" {{\n  path               = \"key\"\n  content_wo         = var.secret\n\
         \x20 content_wo_version = {version}\n  mode               = \"0600\"\n}}\n"
    )
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn a_write_only_content_is_written_and_not_stored() {
    every_cli(|stage| {
        let secret = format!("-var=secret={SECRET}");
        stage.write(&key(1));
        stage.run(&["plan", "-out=saved", &secret]);
        stage.run(&["apply", &secret, "saved"]);
        assert_eq!(stage.file("key").as_deref(), Some(SECRET));
        stage.plans_nothing_with(&["-var=secret=another"]);

        stage.write(&key(2));
        let plan = stage.plan(&["-var=secret=another"]);
        assert_eq!(plan.change("files_file.key").unwrap().does, Does::Update);
        stage.apply(&["-var=secret=another"]);
        assert_eq!(stage.file("key").as_deref(), Some("another"));
        assert_eq!(stage.files_with(SECRET), Vec::<String>::new(), "state, backup, saved plan");
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn an_ephemeral_file_is_there_while_it_is_needed() {
    every_cli(|stage| {
        stage.write(
            "ephemeral \"files_temporary\" \"key\" {\n  content = \"sesame\"\n}\n\
             resource \"files_file\" \"path\" {\n  path               = \"path\"\n\
             \x20 content_wo         = ephemeral.files_temporary.key.path\n  content_wo_version = 1\n}\n",
        );
        stage.put("path.lock", "");
        let applying = stage.start_apply();
        applying.wait_for("tf_rpc=RenewEphemeralResource");
        stage.remove("path.lock");
        applying.succeed();
        let path = stage.file("path").unwrap();
        assert!(path.starts_with('/') && !std::path::Path::new(&path).exists(), "{path}");
        stage.plans_nothing();
        assert_eq!(stage.files_with("sesame"), ["main.tf"]);
    });
}
