//! How a resource gets into a state without being created, and out of it without being destroyed.

use tfplugin_rs::testing::cli::{Does, Feature};

use crate::stage::every_cli;

const PAGE: &str = "resource \"files_file\" \"page\" {\n  path    = \"index.html\"\n  content = \"one\"\n}\n";

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn is_imported_by_id() {
    every_cli(|stage| {
        stage.put("index.html", "one");
        stage.write(PAGE);
        stage.run(&["import", "files_file.page", "index.html"]);
        stage.plans_nothing();
        stage.run(&["state", "rm", "files_file.page"]);

        stage.write(&format!("{PAGE}import {{\n  to = files_file.page\n  id = \"index.html\"\n}}\n"));
        let change = stage.change("files_file.page");
        assert_eq!((change.does, change.imports), (Does::Nothing, true));
        stage.apply(&[]);
        stage.plans_nothing();
        stage.run(&["state", "rm", "files_file.page"]);

        let missing = stage.fails("import", &["files_file.page", "missing.html"]);
        assert!(missing.contains("Cannot import non-existent remote object"), "{missing}");
        let outside = stage.fails("import", &["files_file.page", "../index.html"]);
        assert!(outside.contains("`../index.html` is no path of a file It leads out of"), "{outside}");
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn is_imported_by_identity() {
    every_cli(|stage| {
        stage.put("index.html", "one");
        let import = "import {\n  to       = files_file.page\n  identity = { path = \"index.html\" }\n}\n";
        stage.write(&format!("{PAGE}{import}"));
        if !stage.has(Feature::Identity) {
            let refused = stage.fails("plan", &[]);
            assert!(refused.contains("identity"), "{refused}");
            return;
        }
        stage.apply(&[]);
        stage.plans_nothing();
        assert_eq!(stage.workspace().identity("files_file.page").unwrap()["path"], "index.html");
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn its_configuration_is_generated() {
    every_cli(|stage| {
        stage.put("index.html", "one");
        // Terraform asks the provider since 1.14, and then only if the block says which one; others refuse that.
        let provider = if stage.has(Feature::GenerateConfig) { "provider = files" } else { "" };
        let import =
            |more| format!("import {{\n  to = files_file.page\n  id = \"index.html\"\n  {more}\n}}\n");
        stage.write(&import(provider));
        stage.run(&["plan", "-generate-config-out=generated.tf"]);
        stage.write(&import(""));
        stage.apply(&[]);
        let generated = stage.read("generated.tf");
        assert!(generated.contains("\"index.html\"") && !generated.contains("sha256"), "{generated}");
        stage.plans_nothing();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn moves_to_another_address() {
    every_cli(|stage| {
        stage.write(PAGE);
        stage.apply(&[]);
        let renamed = PAGE.replace("\"page\"", "\"home\"");
        stage.write(&format!("{renamed}moved {{\n  from = files_file.page\n  to   = files_file.home\n}}\n"));
        assert_eq!(stage.change("files_file.home").does, Does::Nothing);
        stage.apply(&[]);
        stage.plans_nothing();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn takes_over_a_resource_of_another_type() {
    every_cli(|stage| {
        let input = "{ path = \"index.html\", content = \"one\" }";
        stage.write(&format!("resource \"terraform_data\" \"page\" {{\n  input = {input}\n}}\n"));
        stage.put("index.html", "one");
        stage.apply(&[]);
        stage.write(&format!("{PAGE}moved {{\n  from = terraform_data.page\n  to   = files_file.page\n}}\n"));
        assert_eq!(stage.change("files_file.page").moved_from, "terraform_data.page");
        stage.apply(&[]);
        stage.plans_nothing();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn is_let_go() {
    every_cli(|stage| {
        stage.write(PAGE);
        stage.apply(&[]);
        stage.write("removed {\n  from = files_file.page\n  lifecycle { destroy = false }\n}\n");
        stage.apply(&[]);
        assert_eq!(stage.file("index.html").as_deref(), Some("one"));
        assert_eq!(stage.run(&["state", "list"]), "");
    });
}
