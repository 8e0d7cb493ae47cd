//! The life of a copy: what is sent, what it is called, and what becomes of it.

use lab::process::{SHORT, run};
use serde_json::json;

use crate::stack::{REGISTRY, Stack, run_cli};

pub(crate) fn come_and_go(stack: &Stack) {
    let [one, two, _] = stack.images();
    let index = stack.there().put_index("all", &[(&one, "amd64"), (&two, "arm64")]);
    let copies = format!("{}/copies", stack.name);
    stack.lab.root().ecr("CreateRepository", &json!({ "repositoryName": copies })).unwrap();
    let there = stack.beside(&copies);
    let copy = |repository: &str, digest: &str, more: &str| {
        stack.configuration(&format!(
            "resource \"ecr_image_copy\" \"web\" {{\n  source = \"{}@{digest}\"\n  repository = \"{REGISTRY}/{repository}\"\n\
             {more}\n}}\noutput \"digest\" {{ value = ecr_image_copy.web.digest }}\n\
             output \"platforms\" {{ value = join(\" \", keys(ecr_image_copy.web.platform_digests)) }}\n",
            stack.repository()
        ));
    };
    let tags = |names: &str| format!("  tags = {names}\n  on_removed_tag = \"untag\"");

    copy(&copies, &one, &tags(r#"["a", "b"]"#));
    let plan = stack.plan_to_file();
    assert!(plan.contains(&format!("/copies@{one}\"")), "{plan}");
    stack.apply_planned().unwrap();
    assert_eq!((there.tag("a").as_ref(), there.tag("b").as_ref()), (Some(&one), Some(&one)));
    stack.plans_nothing(&[]);
    stack.plans_nothing(&["-refresh=false"]);

    // Tags and content change in place.
    copy(&copies, &one, &tags(r#"["a"]"#));
    stack.apply().unwrap();
    assert_eq!((there.tag("a").as_ref(), there.tag("b")), (Some(&one), None));
    copy(&copies, &two, &tags(r#"["a"]"#));
    let applied = stack.apply().unwrap();
    assert!(applied.contains("0 added, 1 changed, 0 destroyed"), "{applied}");
    assert_eq!(there.tag("a").as_ref(), Some(&two));

    // Somebody moves the tag, before the plan and after it; somebody deletes the copy.
    there.move_tag("a", &one);
    let plan = stack.plan_to_file();
    assert!(plan.contains("+ \"a\"") && !plan.contains("(known after apply)"), "{plan}");
    stack.apply_planned().unwrap();
    assert_eq!(there.tag("a").as_ref(), Some(&two));
    copy(&copies, &one, &tags(r#"["a"]"#));
    stack.plan_to_file();
    there.delete_tag("a");
    stack.apply_planned().unwrap();
    there.delete_image(&one);
    let plan = stack.plan(&[]).unwrap();
    assert!(plan.contains("1 to add"), "{plan}");
    stack.apply().unwrap();

    // One platform of an index is an image; all of it is the index.
    copy(&copies, &index, "  platforms = [\"linux/arm64\"]");
    stack.apply().unwrap();
    assert_eq!((stack.output("digest"), stack.output("platforms").as_str()), (two.clone(), "linux/amd64"));
    copy(&copies, &index, "  tags = [\"all\"]\n  on_destroy = \"delete_if_unreferenced\"");
    stack.apply().unwrap();
    assert_eq!(
        (there.tag("all"), stack.output("platforms").as_str()),
        (Some(index), "linux/amd64 linux/arm64")
    );
    stack.plans_nothing(&[]);

    // Imported, it is a copy of itself until it is applied, which sends nothing.
    run(&mut stack.command(&["state", "rm", "ecr_image_copy.web"]), SHORT).unwrap();
    let id = format!("{REGISTRY}/{copies}:all");
    run_cli(stack.command(&["import"]).args(["ecr_image_copy.web", &id])).unwrap();
    let (_, number) = there.requests(0);
    let applied = stack.apply().unwrap();
    assert!(applied.contains("0 added, 1 changed, 0 destroyed"), "{applied}");
    let (sent, _) = there.requests(number);
    assert!(sent.iter().all(|request| !request.class.contains("upload")), "{sent:?}");

    // It is deleted with what only it names, unless somebody else has a name for it.
    let all = there.tag("all").unwrap();
    there.move_tag("theirs", &all);
    let destroyed = destroy(stack);
    assert!(destroyed.contains("other tags point at it"), "{destroyed}");
    assert_eq!((there.tag("all"), there.tag("theirs")), (None, Some(all)));
    assert_eq!(there.untagged(), [two.as_str()]);
    stack.apply().unwrap();
    there.delete_tag("theirs");
    destroy(stack);
    assert_eq!((there.tags(), there.untagged()), (vec![("a".to_owned(), one.clone())], Vec::new()));

    let missing = format!("sha256:{}", "0".repeat(64));
    copy(&copies, &missing, "");
    let error = stack.apply().unwrap_err();
    assert!(error.contains("the registry has no such image") && error.contains("source ="), "{error}");
    copy("nothing/here", &one, "");
    let error = stack.apply().unwrap_err();
    assert!(error.contains("hint: create it first: an aws_ecr_repository named \"nothing/here\""), "{error}");
}

fn destroy(stack: &Stack) -> String {
    run_cli(&mut stack.command(&["destroy", "-auto-approve"])).unwrap()
}
