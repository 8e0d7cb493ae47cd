//! What only newer Terraform can ask for: the action that deletes old images, and the search for tags.

use std::collections::BTreeSet;

use crate::stack::{Stack, run_cli};

pub(crate) fn and_queries(stack: &Stack) {
    if stack.terraform_minor().is_none_or(|minor| minor < 14) {
        // It has neither.
        return;
    }
    stack.images();
    let repository = stack.repository();
    let provider = "provider \"ecr\" {}\n";
    stack.configuration(provider);
    stack.file(
        "tags.tfquery.hcl",
        &format!(
            "list \"ecr_tag\" \"named\" {{\n  provider = ecr\n  config {{\n    repository = \"{repository}\"\n    \
             tag_pattern = \"t*\"\n  }}\n}}\n"
        ),
    );
    let found = run_cli(&mut stack.command(&["query"])).unwrap();
    assert!(found.contains(":two") && found.contains(":three") && !found.contains(":one"), "{found}");

    let prune = |more: &str| {
        stack.configuration(&format!(
            "{provider}action \"ecr_prune\" \"old\" {{\n  config {{\n    repository = \"{repository}\"\n    {more}\n  }}\n}}\n"
        ));
        run_cli(&mut stack.command(&["apply", "-auto-approve", "-invoke=action.ecr_prune.old"])).unwrap()
    };
    let images = || stack.tags().into_iter().map(|(_, digest)| digest).collect::<BTreeSet<_>>().len();
    let said = prune("keep = 1\n    dry_run = true");
    assert!(said.contains("2 of 3 images in") && images() == 3, "{said}");
    let said = prune("keep = 1\n    tag_pattern = \"pr-*\"");
    assert!(said.contains("0 of 3 images in") && images() == 3, "{said}");
    let said = prune("keep = 1");
    assert!(said.contains("deleted 2 of 2 images") && images() == 1, "{said}");
    let error = {
        stack.configuration(&format!(
            "{provider}action \"ecr_prune\" \"old\" {{\n  config {{ repository = \"{repository}\" }}\n}}\n"
        ));
        stack.plan(&["-invoke=action.ecr_prune.old"]).unwrap_err()
    };
    assert!(error.contains("set at least one of `keep`, `older_than`"), "{error}");
}
