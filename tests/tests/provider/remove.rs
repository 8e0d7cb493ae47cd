//! What becomes of images that leave the configuration.

use crate::stack::{FILES, Stack, run_cli};

pub(crate) fn takes_away_what_is_asked_for(stack: &Stack) {
    let delete = "  tags = [\"a\"]\n  on_destroy = \"delete_if_unreferenced\"";
    let destroy = || run_cli(&mut stack.command(&["destroy", "-auto-approve"])).unwrap();
    stack.image(&format!("{delete}\n{FILES}"));
    stack.apply().unwrap();
    let digest = stack.digest();
    // One that is replaced by itself stays, whichever goes first.
    for order in ["", "  lifecycle { create_before_destroy = true }"] {
        stack.image(&format!("{delete}\n{FILES}\n{order}"));
        run_cli(&mut stack.command(&["apply", "-auto-approve", "-replace=ecr_image.web"])).unwrap();
        assert_eq!(stack.tag("a"), Some(digest.clone()), "{order}");
    }
    stack.move_tag("prod", &digest);
    let destroyed = destroy();
    assert!(destroyed.contains("the tag `prod` points at it too"), "{destroyed}");
    assert_eq!((stack.tag("prod"), stack.tag("a")), (Some(digest), None));

    stack.image(&format!("  tags = [\"prod\", \"b\"]\n  on_destroy = \"untag\"\n{FILES}"));
    stack.apply().unwrap();
    destroy();
    let left: Vec<String> = stack.tags().into_iter().map(|(tag, _)| tag).collect();
    assert!(left.len() == 1 && left[0].starts_with("src-1-"), "{left:?}");

    stack.image(&format!("{delete}\n{FILES}"));
    stack.apply().unwrap();
    destroy();
    assert_eq!(stack.tags(), []);
}
