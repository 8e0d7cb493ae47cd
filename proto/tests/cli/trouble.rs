//! What is left when something goes wrong half-way.

use crate::stage::every_cli;

/// Two files, of which the second needs the first.
const TWO: &str = "resource \"files_file\" \"first\" {\n  path    = \"first\"\n  content = \"1\"\n}\n\
                   resource \"files_file\" \"second\" {\n  path       = \"second\"\n  content    = \"2\"\n\
                   \x20 depends_on = [files_file.first]\n}\n";

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn an_interrupted_apply_keeps_what_was_made() {
    every_cli(|stage| {
        stage.write(TWO);
        stage.put("second.lock", "");
        let applying = stage.start_apply();
        applying.wait_for("waiting for the lock");
        let said = applying.interrupt();
        assert!(said.contains("The wait for it was interrupted."), "{said}");
        assert_eq!(stage.run(&["state", "list"]), "files_file.first\n");
        stage.remove("second.lock");
        stage.apply(&[]);
        stage.plans_nothing();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn a_failure_keeps_what_was_made() {
    every_cli(|stage| {
        stage.write(TWO);
        stage.put("second/in the way", "");
        let error = stage.fails("apply", &["-auto-approve"]);
        assert!(error.contains("cannot write `second`"), "{error}");
        assert_eq!(stage.run(&["state", "list"]), "files_file.first\n");
        stage.remove("second/in the way");
        stage.remove("second");
        stage.apply(&[]);
        stage.plans_nothing();
    });
}

#[test]
#[ignore = "needs Terraform and OpenTofu"]
fn an_update_that_fails_keeps_the_old_state() {
    every_cli(|stage| {
        stage.write(TWO);
        stage.apply(&[]);
        stage.put("second.lock", "");
        let short = "content    = \"3\"\n  timeouts   = { update = \"100ms\" }";
        stage.write(&TWO.replace("content    = \"2\"", short));
        let error = stage.fails("apply", &["-auto-approve"]);
        assert!(error.contains("`second` is locked by") && error.contains("100ms"), "{error}");
        assert_eq!(stage.attributes("files_file.second")["content"], "2");
        stage.remove("second.lock");
        stage.apply(&[]);
        assert_eq!(stage.file("second").as_deref(), Some("3"));
        stage.plans_nothing();
    });
}
