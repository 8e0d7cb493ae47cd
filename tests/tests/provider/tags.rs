//! The life of a tag: where it points, who moves it, and that no image is lost with it.

use lab::process::{SHORT, run};

use crate::stack::{Stack, run_cli};

/// A tag of every character that one may have.
const TAG: &str = "Live_1.0-rc..x";

pub(crate) fn point_and_move(stack: &Stack) {
    let [one, two, three] = stack.images();
    let tag = |tag: &str, digest: &str, more: &str| {
        stack.configuration(&format!(
            "resource \"ecr_tag\" \"live\" {{\n  repository = \"{}\"\n  tag = \"{tag}\"\n  digest = \"{digest}\"\n{more}\n}}\n\
             output \"uri\" {{ value = ecr_tag.live.uri }}\n\
             output \"previous\" {{ value = coalesce(ecr_tag.live.previous_digest, \"none\") }}\n",
            stack.repository()
        ));
    };
    let points_at = |digest: &str, previous: &str| {
        assert_eq!(stack.tag(TAG).as_deref(), Some(digest));
        assert_eq!(stack.output("uri"), format!("{}@{digest}", stack.repository()));
        assert_eq!(stack.output("previous"), previous);
        stack.plans_nothing(&[]);
    };
    tag(TAG, &one, "");
    stack.apply().unwrap();
    points_at(&one, "none");
    stack.plans_nothing(&["-refresh=false"]);

    tag(TAG, &two, "");
    let plan = stack.plan_to_file();
    assert!(
        plan.contains(&format!("\"{one}\" -> \"{two}\"")) && !plan.contains("(known after apply)"),
        "{plan}"
    );
    stack.apply_planned().unwrap();
    points_at(&two, &one);

    // Somebody moves it, before the plan and after it.
    stack.move_tag(TAG, &three);
    let plan = stack.plan_to_file();
    assert!(plan.contains(&format!("\"{three}\" -> \"{two}\"")), "{plan}");
    stack.move_tag(TAG, &one);
    let error = stack.apply_planned().unwrap_err();
    assert!(error.contains("was moved to another image since the plan") && error.contains(&one), "{error}");
    stack.apply().unwrap();
    points_at(&two, &one);
    tag(TAG, &two, "  on_moved_tag = \"ignore\"");
    stack.apply().unwrap();
    stack.move_tag(TAG, &one);
    stack.plans_nothing(&[]);

    // Somebody takes it away.
    stack.there().delete_tag(TAG);
    let plan = stack.plan(&[]).unwrap();
    assert!(plan.contains("1 to add"), "{plan}");
    stack.apply().unwrap();
    assert_eq!(stack.tag(TAG).as_deref(), Some(two.as_str()));

    // Another tag is another resource, and the old one stays.
    tag("next", &two, "  on_destroy = \"untag\"");
    let applied = stack.apply().unwrap();
    assert!(applied.contains("1 added, 0 changed, 1 destroyed"), "{applied}");
    assert_eq!(stack.tag(TAG), stack.tag("next"));

    // Imported, it is as it is configured; destroyed, it goes; as the last tag of its image it stays.
    run(&mut stack.command(&["state", "rm", "ecr_tag.live"]), SHORT).unwrap();
    let id = format!("{}:next", stack.repository());
    run_cli(stack.command(&["import"]).args(["ecr_tag.live", &id])).unwrap();
    let applied = stack.apply().unwrap();
    assert!(applied.contains("0 added, 1 changed, 0 destroyed"), "on_destroy: {applied}");
    destroy(stack);
    assert_eq!((stack.tag("next"), stack.tag(TAG).as_ref()), (None, Some(&two)));
    tag("last", &three, "  on_destroy = \"untag\"");
    stack.apply().unwrap();
    for (name, _) in stack.tags().iter().filter(|(name, digest)| *digest == three && name != "last") {
        stack.there().delete_tag(name);
    }
    let destroyed = destroy(stack);
    assert!(destroyed.contains("it is the last tag of its image"), "{destroyed}");
    assert_eq!(stack.tag("last"), Some(three));

    let missing = format!("sha256:{}", "0".repeat(64));
    tag("nothing", &missing, "");
    let error = stack.apply().unwrap_err();
    assert!(
        error.contains("the registry has no such image") && error.contains("hint: check the digest"),
        "{error}"
    );
}

fn destroy(stack: &Stack) -> String {
    run_cli(&mut stack.command(&["destroy", "-auto-approve"])).unwrap()
}
