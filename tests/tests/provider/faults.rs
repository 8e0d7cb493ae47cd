//! The fault matrix: something changes between a plan and its apply. Whatever it is, the words are ours, nothing is
//! lost, and the next plan puts it right.

use crate::stack::{Outcome, REGISTRY, Stack, run_cli};

/// What changes between plan and apply.
#[derive(Clone, Copy, Debug)]
enum Fault {
    File,
    Tag,
    Image,
    Credentials,
    Network,
}

const ALL: [Fault; 5] = [Fault::File, Fault::Tag, Fault::Image, Fault::Credentials, Fault::Network];

/// Applies the saved plan after the fault, then without it, and sees to it that all is well in the end.
fn check(stack: &Stack, fault: Fault, expected: Result<(), &str>, break_it: impl FnOnce()) {
    break_it();
    let outcome = apply_under(stack, fault);
    match (&outcome, expected) {
        (Ok(_), Ok(())) => {}
        (Err(error), Err(words)) if error.contains(words) => {}
        _ => panic!("{fault:?}: expected {expected:?}, got {outcome:?}"),
    }
    stack.apply().unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()), "{fault:?}");
    stack.plans_nothing(&[]);
}

fn apply_under(stack: &Stack, fault: Fault) -> Outcome {
    let mut apply = stack.command(&["apply", "-input=false", "plan"]);
    match fault {
        Fault::Credentials => {
            apply.env("AWS_SECRET_ACCESS_KEY", "wrong").env("AWS_ACCESS_KEY_ID", "AKIAWRONG")
        }
        Fault::Network => {
            apply.env("EKS_DEPLOY_REGISTRY_ENDPOINTS", format!("{REGISTRY}=http://127.0.0.1:1"))
        }
        Fault::File | Fault::Tag | Fault::Image => &mut apply,
    };
    run_cli(&mut apply)
}

pub(crate) fn on_create(stack: &Stack) {
    // Where a create's values are known after apply, it takes the files as they are then.
    let file = if stack.stores_planned_private() { Err(FILE) } else { Ok(()) };
    for (number, fault) in ALL.into_iter().enumerate() {
        let _ = std::fs::remove_file(stack.folder.path().join("terraform.tfstate"));
        stack.file("app/index.html", "other");
        stack.files(r#"["other"]"#);
        stack.apply().unwrap();
        let other = stack.digest();
        std::fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
        stack.file("app/index.html", &format!("{number}"));
        stack.files(r#"["latest"]"#);
        stack.plan_to_file();
        match fault {
            Fault::File => check(stack, fault, file, || stack.file("app/index.html", "edited")),
            Fault::Tag => check(stack, fault, Ok(()), || stack.move_tag("latest", &other)),
            Fault::Image => check(stack, fault, Ok(()), || stack.delete_image(&other)),
            Fault::Credentials => check(stack, fault, Err(CREDENTIALS), || ()),
            Fault::Network => check(stack, fault, Err(NETWORK), || ()),
        }
    }
}

pub(crate) fn on_update(stack: &Stack) {
    for (number, fault) in ALL.into_iter().enumerate() {
        let known = planned_update(stack, number);
        match fault {
            Fault::File => check(stack, fault, Err(FILE), || stack.file("app/index.html", "edited")),
            Fault::Tag => check(stack, fault, Err(TAG), || stack.move_tag("latest", &known.third)),
            Fault::Image => check(stack, fault, Err(IMAGE), || stack.delete_image(&known.planned)),
            Fault::Credentials => check(stack, fault, Err(CREDENTIALS), || ()),
            Fault::Network => check(stack, fault, Err(NETWORK), || ()),
        }
    }
}

pub(crate) fn on_a_change_of_tags(stack: &Stack) {
    for (number, fault) in ALL.into_iter().enumerate() {
        stack.file("app/index.html", &format!("third {number}"));
        stack.files(r#"["third"]"#);
        stack.apply().unwrap();
        let third = stack.digest();
        stack.file("app/index.html", &format!("{number}"));
        stack.files(r#"["latest"]"#);
        stack.apply().unwrap();
        let digest = stack.digest();
        stack.files(r#"["latest", "more"]"#);
        stack.plan_to_file();
        match fault {
            Fault::File => check(stack, fault, Err(FILE), || stack.file("app/index.html", "edited")),
            Fault::Tag => check(stack, fault, Err(TAG), || stack.move_tag("latest", &third)),
            Fault::Image => check(stack, fault, Err(IMAGE), || stack.delete_image(&digest)),
            Fault::Credentials => check(stack, fault, Err(CREDENTIALS), || ()),
            Fault::Network => check(stack, fault, Err(NETWORK), || ()),
        }
    }
}

const FILE: &str = "/srv/index.html was ";
const TAG: &str = "Tag `latest` was moved to another image since the plan";
const IMAGE: &str = "vanished since the plan";
const CREDENTIALS: &str = "AWS gives no registry password";
const NETWORK: &str = "no answer from `127.0.0.1:1`";

struct Known {
    /// The image that the saved plan names.
    planned: String,
    /// An image that is neither that nor the one in state.
    third: String,
}

/// A saved plan of an update whose digest is known, because that content was there before.
fn planned_update(stack: &Stack, number: usize) -> Known {
    let content = |name: &str| {
        stack.file("app/index.html", &format!("{name} {number}"));
        stack.files(r#"["latest"]"#);
    };
    let [third, planned, _] = ["third", "planned", "before"].map(|name| {
        content(name);
        stack.apply().unwrap();
        stack.digest()
    });
    content("planned");
    let plan = stack.plan_to_file();
    assert!(plan.contains(&format!("-> \"{planned}\"")), "{plan}");
    Known { planned, third }
}
