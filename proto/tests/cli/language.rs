//! What the language makes possible around a resource.

use serde_json::json;

use tfplugin_rs::testing::cli::Feature;

use crate::stage::every_cli;

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn instances_have_odd_names() {
    let names =
        ["plain", "with space", "dots.and-dashes", "quo\"te", "ünï", "日本", "${brace}", "%{percent}"];
    every_cli(|stage| {
        let set =
            names.map(|name| serde_json::to_string(&name.replace("${", "$${").replace("%{", "%%{")).unwrap());
        stage.write(&format!(
            "resource \"files_file\" \"each\" {{\n  for_each = toset([{}])\n  path     = \"${{each.key}}.txt\"\n\
             \x20 content  = each.key\n}}\n",
            set.join(", ")
        ));
        stage.apply(&[]);
        for name in names {
            assert_eq!(stage.file(&format!("{name}.txt")).as_deref(), Some(name));
        }
        stage.plans_nothing();
        stage.destroy();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn many_are_made_at_once() {
    every_cli(|stage| {
        stage.write(
            "resource \"files_file\" \"many\" {\n  count   = 40\n  path    = \"many/${count.index}\"\n\
             \x20 content = \"file ${count.index}\"\n}\n",
        );
        stage.apply(&["-parallelism=20"]);
        assert_eq!(stage.file("many/39").as_deref(), Some("file 39"));
        stage.plans_nothing();
        stage.destroy();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn the_provider_is_configured_with_what_is_not_known_yet() {
    every_cli(|stage| {
        stage.write_all(
            "resource \"terraform_data\" \"root\" {\n  input = \"./late\"\n}\n\
             provider \"files\" {\n  root = terraform_data.root.output\n}\n\
             resource \"files_file\" \"page\" {\n  path    = \"index.html\"\n  content = \"one\"\n}\n\
             data \"files_file\" \"page\" {\n  path = files_file.page.path\n}\n\
             output \"size\" {\n  value = data.files_file.page.size\n}\n",
        );
        stage.apply(&[]);
        assert_eq!(stage.read("late/index.html"), "one");
        stage.plans_nothing();
        assert_eq!(stage.workspace().output("size").unwrap(), json!(3));
        stage.destroy();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn data_is_read() {
    every_cli(|stage| {
        stage.put("licence", "MPL");
        stage.write(
            "data \"files_file\" \"licence\" {\n  path = \"licence\"\n}\n\
             output \"licence\" {\n  value = data.files_file.licence\n}\n",
        );
        stage.apply(&[]);
        let data = stage.workspace().output("licence").unwrap();
        assert_eq!((&data["content"], &data["size"]), (&json!("MPL"), &json!(3)));
        stage.remove("licence");
        let error = stage.fails("plan", &[]);
        assert!(
            error.contains("there is no file `licence`") && error.contains("path = \"licence\""),
            "{error}"
        );
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn functions_are_called() {
    every_cli(|stage| {
        stage.write(
            "resource \"files_file\" \"page\" {\n  path    = provider::files::join(\"a\", \"b\")\n  content = \"one\"\n}\n\
             output \"same\" {\n  value = provider::files::fingerprint(\"one\").sha256 == files_file.page.sha256\n}\n\
             output \"size\" {\n  value = provider::files::fingerprint(\"ünï\").size\n}\n",
        );
        stage.apply(&[]);
        assert_eq!(stage.workspace().output("same").unwrap(), json!(true));
        assert_eq!(stage.workspace().output("size").unwrap(), json!(5));
        stage.plans_nothing();

        for (call, complaint) in [
            ("join(\"a\", \"..\")", "`..` cannot be part of a path. It leads out of the provider's folder"),
            ("fingerprint(null)", "argument must not be null"),
            ("fingerprint()", "issing value for \"content\""),
        ] {
            stage.write(&format!("output \"bad\" {{\n  value = provider::files::{call}\n}}\n"));
            let error = stage.fails("plan", &[]);
            assert!(error.contains(complaint), "{call}: {error}");
        }
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn mistakes_are_shown_where_they_are() {
    every_cli(|stage| {
        for (argument, complaint) in [
            ("path = \"../x\"", "a path below the provider's `root`"),
            ("path = \"x\"\nmode = \"rw-r--r--\"", "mode = \"rw-r--r--\""),
            ("path = \"x\"\ncontent = \"a\"\ncontent_wo = \"b\"", "content_wo"),
            ("path = \"x\"\ntimeouts = { create = \"soon\" }", "timeouts"),
            ("content = \"x\"", "The argument \"path\" is required"),
        ] {
            stage.write(&format!("resource \"files_file\" \"page\" {{\n{argument}\n}}\n"));
            let error = stage.fails("validate", &[]);
            assert!(error.contains(complaint) && error.contains("on main.tf line"), "{argument}: {error}");
        }
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn files_are_found() {
    every_cli(|stage| {
        stage.put("a.html", "a");
        stage.put("deep/b.html", "b");
        stage.put("c.txt", "c");
        stage.write("");
        let query = "list \"files_file\" \"pages\" {\n  provider         = files\n  include_resource = true\n\
                     \x20 config {\n    suffix = \".html\"\n  }\n}\n";
        stage.workspace().write("find.tfquery.hcl", query).unwrap();
        if !stage.has(Feature::ListResources) {
            return; // the wire client searches, see `support`
        }
        let found = stage.run(&["query"]);
        assert!(found.contains("path=a.html") && found.contains("path=deep/b.html"), "{found}");
        assert!(!found.contains("c.txt"), "{found}");
        stage.run(&["query", "-generate-config-out=found.tf"]);
        stage.apply(&[]);
        stage.plans_nothing();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn actions_are_invoked() {
    every_cli(|stage| {
        let action = "action \"files_touch\" \"page\" {\n  config {\n    paths = [\"index.html\"]\n  }\n}\n";
        let page = "resource \"files_file\" \"page\" {\n  path    = \"index.html\"\n  content = \"one\"\n  lifecycle {\n\
                    \x20   action_trigger {\n      events  = [after_create]\n      actions = [action.files_touch.page]\n\
                    \x20   }\n  }\n}\n";
        stage.write(&format!("{action}{page}"));
        if !stage.has(Feature::Actions) {
            let refused = stage.fails("plan", &[]);
            assert!(refused.contains("action"), "{refused}");
            return;
        }
        let said = stage.apply(&[]);
        assert!(said.contains("touched `index.html`"), "{said}");
        stage.plans_nothing();
        let said = stage.apply(&["-invoke=action.files_touch.page"]);
        assert!(said.contains("touched `index.html`"), "{said}");
        stage.remove("index.html");
        let error = stage.fails("apply", &["-auto-approve", "-invoke=action.files_touch.page"]);
        assert!(error.contains("cannot touch `index.html`"), "{error}");
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn a_module_tests_itself() {
    every_cli(|stage| {
        stage.write(
            "resource \"files_file\" \"page\" {\n  path    = \"index.html\"\n  content = \"one\"\n}\n",
        );
        let tests = "run \"plans\" {\n  command = plan\n  assert {\n    condition     = files_file.page.mode == \"0644\"\n\
                     \x20   error_message = \"the default\"\n  }\n}\n\
                     run \"applies\" {\n  assert {\n    condition     = files_file.page.size == 3\n\
                     \x20   error_message = \"the size\"\n  }\n}\n";
        stage.workspace().write("page.tftest.hcl", tests).unwrap();
        let said = stage.run(&["test", "-no-color"]);
        assert!(said.contains("2 passed, 0 failed"), "{said}");
        assert_eq!(stage.file("index.html"), None, "what a test makes it destroys");
    });
}
