//! What every managed resource goes through, from its creation to its end.

use serde_json::json;
use tfplugin_rs::testing::cli::Does;

use crate::stage::every_cli;

/// The resource that all stories are about.
const PAGE: &str = "files_file.page";

/// One file, `files_file.page`.
fn page(arguments: &str) -> String {
    format!("resource \"files_file\" \"page\" {{\n{arguments}\n}}\n")
}

fn index(content: &str) -> String {
    page(&format!("path = \"index.html\"\ncontent = \"{content}\""))
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn is_created_changed_and_destroyed() {
    every_cli(|stage| {
        stage.write(&index("one"));
        let change = stage.change(PAGE);
        assert_eq!((change.does, &change.after["mode"]), (Does::Create, &json!("0644")));
        stage.apply(&[]);
        assert_eq!(stage.file("index.html").as_deref(), Some("one"));
        stage.plans_nothing();

        stage.write(&page("path = \"index.html\"\ncontent = \"two\"\nmode = \"0600\""));
        let change = stage.change(PAGE);
        assert_eq!(
            (change.does, &change.after["size"]),
            (Does::Update, &json!(3)),
            "known before it is done"
        );
        stage.apply(&[]);
        assert_eq!(stage.file("index.html").as_deref(), Some("two"));
        assert_eq!(stage.mode("index.html"), 0o600);
        stage.plans_nothing();

        stage.destroy();
        assert_eq!(stage.file("index.html"), None);
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn only_the_content_makes_its_results_unknown() {
    every_cli(|stage| {
        stage.write(&index("one"));
        stage.apply(&[]);
        let known = stage.attributes(PAGE)["sha256"].clone();
        stage.write(&page("path = \"index.html\"\ncontent = \"one\"\nmode = \"0640\""));
        assert_eq!(stage.change(PAGE).after["sha256"], known);
        let later = "resource \"terraform_data\" \"text\" { input = \"two\" }\n";
        stage.write(&format!(
            "{later}{}",
            page("path = \"index.html\"\ncontent = terraform_data.text.output\nmode = \"0640\"")
        ));
        let unknown = stage.change(PAGE).after_unknown;
        assert_eq!(unknown, json!({ "content": true, "sha256": true, "size": true }));
        stage.apply(&[]);
        assert_eq!(stage.file("index.html").as_deref(), Some("two"));
        stage.plans_nothing();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn is_replaced() {
    every_cli(|stage| {
        stage.write(&index("one"));
        stage.apply(&[]);
        stage.write(&page("path = \"home.html\"\ncontent = \"one\""));
        let change = stage.change(PAGE);
        assert_eq!((change.does, change.replaces), (Does::Replace, vec!["path".to_owned()]));
        stage.apply(&[]);
        assert_eq!((stage.file("index.html"), stage.file("home.html").as_deref()), (None, Some("one")));
        stage.plans_nothing();

        let first = "lifecycle { create_before_destroy = true }";
        stage.write(&page(&format!("path = \"index.html\"\ncontent = \"one\"\n{first}")));
        assert_eq!(stage.change(PAGE).does, Does::CreateThenDestroy);
        stage.apply(&[]);
        assert_eq!(
            stage.plan(&["-replace=files_file.page"]).change(PAGE).unwrap().does,
            Does::CreateThenDestroy
        );

        stage.write(&index("one"));
        stage.apply(&["-replace=files_file.page"]);
        stage.run(&["taint", PAGE]);
        assert_eq!(stage.change(PAGE).does, Does::Replace);
        stage.apply(&[]);
        stage.plans_nothing();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn what_happened_outside_is_noticed() {
    every_cli(|stage| {
        stage.write(&index("one"));
        stage.apply(&[]);
        stage.put("index.html", "changed by hand");
        assert_eq!(stage.change(PAGE).does, Does::Update);
        stage.apply(&["-refresh-only"]);
        assert_eq!(stage.attributes(PAGE)["content"], "changed by hand");
        stage.apply(&[]);
        assert_eq!(stage.file("index.html").as_deref(), Some("one"));

        stage.remove("index.html");
        assert_eq!(stage.change(PAGE).does, Does::Create);
        stage.apply(&[]);
        stage.plans_nothing();

        stage.write(&page(
            "path = \"index.html\"\ncontent = \"two\"\nlifecycle { ignore_changes = [content] }",
        ));
        stage.plans_nothing();
        stage.put("index.html", "changed by hand");
        stage.plans_nothing();

        stage.remove("index.html");
        stage.destroy();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn a_saved_plan_is_applied_later() {
    every_cli(|stage| {
        stage.write(&index("one"));
        stage.run(&["plan", "-out=saved"]);
        stage.write(&index("never applied"));
        stage.run(&["apply", "saved"]);
        assert_eq!(stage.file("index.html").as_deref(), Some("one"));

        stage.write(&index("two"));
        stage.run(&["plan", "-out=saved"]);
        stage.put("index.html", "changed by hand in between");
        stage.run(&["apply", "saved"]);
        assert_eq!(stage.file("index.html").as_deref(), Some("two"));
        stage.plans_nothing();
    });
}
