//! Plans that core makes in halves, or again during apply with more known than before: what was promised holds, and
//! what was left open is filled in.

use std::fs;

use serde_json::json;

use crate::stack::{FILES, REGISTRY, Stack, copy, run_cli};

pub(crate) fn fills_in_an_unknown_label(stack: &Stack) {
    let other = Stack::new(stack.cli, stack.program.clone());
    let image = format!("  labels = {{ later = terraform_data.later.output }}\n{FILES}");
    // A create, an update, and a replacement.
    for (input, home) in [("one", stack), ("two", stack), ("three", &other)] {
        later(stack, input);
        stack.image_in(&home.repository(), &image);
        let plan = stack.plan_to_file();
        assert!(plan.contains("source_hash") && plan.contains("(known after apply)"), "{plan}");
        stack.apply_planned().unwrap();
        assert!(home.tags().iter().any(|(_, digest)| *digest == stack.digest()), "{input}");
        stack.plans_nothing(&[]);
    }
    assert_eq!((stack.tags().len(), other.tags().len()), (2, 1));
}

pub(crate) fn fills_in_an_unknown_repository(stack: &Stack) {
    let other = Stack::new(stack.cli, stack.program.clone());
    stack.image_in(&format!("{REGISTRY}/${{terraform_data.later.output}}"), FILES);
    // The way back finds the first image again, but not before its repository is known.
    for home in [stack, &other, stack] {
        later(stack, &home.name);
        stack.plan_to_file();
        stack.apply_planned().unwrap();
        assert!(home.tags().iter().any(|(_, digest)| *digest == stack.digest()), "{}", home.name);
        stack.plans_nothing(&[]);
    }
}

pub(crate) fn replaces_in_either_order(stack: &Stack) {
    let other = Stack::new(stack.cli, stack.program.clone());
    let created_first = format!("{FILES}\n  lifecycle {{ create_before_destroy = true }}");
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let digest = stack.digest();
    let steps =
        [(stack, FILES, &["-replace=ecr_image.web"][..]), (&other, &created_first, &[]), (stack, FILES, &[])];
    for (home, image, arguments) in steps {
        stack.image_in(&home.repository(), &format!("  tags = [\"latest\"]\n{image}"));
        let plan = stack.plan(&[&["-out=plan"], arguments].concat()).unwrap();
        assert!(plan.contains("1 to add, 0 to change, 1 to destroy"), "{plan}");
        let found = home.tag("latest").is_some() && stack.stores_planned_private();
        let digest_line =
            |line: &&str| line.trim_start_matches(['~', '-', '+', '/', ' ']).starts_with("digest ");
        let open = plan.lines().filter(digest_line).any(|line| line.ends_with("(known after apply)"));
        assert_eq!(open, !found, "{plan}");
        stack.apply_planned().unwrap();
        assert_eq!(home.tag("latest"), Some(digest.clone()));
        assert_eq!(stack.digest(), digest);
        stack.plans_nothing(&[]);
    }
}

pub(crate) fn plans_here_and_applies_there(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let first = stack.digest();
    let reading = json!([
        { "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" },
        { "Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:ListImages"], "Resource": "*" },
    ]);
    let reader = stack.lab.root().create_user(&stack.lab.unique("reader"), &reading).unwrap().keys;
    stack.file("app/index.html", "two");
    let mut plan = stack.command(&["plan", "-input=false", "-out=plan"]);
    plan.env("AWS_ACCESS_KEY_ID", &reader.id).env("AWS_SECRET_ACCESS_KEY", &reader.secret);
    let plan = run_cli(&mut plan).unwrap();
    assert!(plan.contains("~ \"/srv/index.html\" ") && !plan.contains("The registry "), "{plan}");
    // Another checkout, and nothing else of the machine that planned.
    let (here, there) = (stack.folder.path(), tempfile::tempdir().unwrap());
    copy(&here.join("app"), &there.path().join("app"));
    for file in ["main.tf", "terraform.tfstate", "plan"] {
        fs::copy(here.join(file), there.path().join(file)).unwrap();
    }
    fs::remove_dir_all(here.join("app")).unwrap();
    run_cli(stack.command(&["apply", "-input=false", "plan"]).current_dir(there.path())).unwrap();
    assert_ne!(stack.tag("latest").unwrap(), first);
    let mut plan = stack.command(&["plan"]);
    let plan = run_cli(plan.current_dir(there.path())).unwrap();
    assert!(plan.contains("No changes."), "{plan}");
}

/// What `terraform_data.later` gives is unknown while its input changes.
fn later(stack: &Stack, input: &str) {
    stack.file("later.tf", &format!("resource \"terraform_data\" \"later\" {{ input = \"{input}\" }}\n"));
}
