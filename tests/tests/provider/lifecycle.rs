//! The life of an image: what is planned, what is sent, what stays.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use lab::process::{SHORT, run};
use serde_json::json;

use crate::stack::{FILES, Stack, copy, one_line, run_cli};

pub(crate) fn plans_nothing_twice(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
    assert_eq!(stack.tags().len(), 2, "one tag is the source's: {:?}", stack.tags());
    stack.plans_nothing(&[]);
    stack.plans_nothing(&["-refresh=false"]);

    // Times and permissions that git does not know are no content.
    let (run, page) = (stack.folder.path().join("app/run"), stack.folder.path().join("app/index.html"));
    fs::set_permissions(&page, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o644)).unwrap();
    fs::File::options().append(true).open(&page).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    stack.plans_nothing(&[]);

    // Nor is the folder they lie in.
    let elsewhere = tempfile::tempdir().unwrap();
    copy(&stack.folder.path().join("app"), elsewhere.path());
    let moved = FILES.replace("./app", elsewhere.path().to_str().unwrap());
    stack.image(&format!("  tags = [\"latest\"]\n{moved}"));
    fs::remove_dir_all(stack.folder.path().join("app")).unwrap();
    stack.plans_nothing(&[]);
    stack.plans_nothing(&["-refresh=false"]);
}

pub(crate) fn shows_one_byte_and_sends_one_layer(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let (first, (sent, number)) = (stack.digest(), stack.requests(0));
    assert_eq!(sent.iter().filter(|request| request.class == "PUT upload").count(), 3, "{sent:?}");
    stack.file("app/index.html", "two");
    let plan = stack.plan_to_file();
    assert!(plan.contains("~ \"/srv/index.html\" "), "{plan}");
    assert!(!plan.contains("~ \"/app/run"), "{plan}");
    stack.apply_planned().unwrap();
    assert_ne!(stack.digest(), first);
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
    let (sent, _) = stack.requests(number);
    let uploads = sent.iter().filter(|request| request.class == "PUT upload").count();
    assert_eq!(uploads, 2, "a layer and the configuration: {sent:?}");
    stack.plans_nothing(&[]);
}

pub(crate) fn finds_an_image_again(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let (digest, (_, number)) = (stack.digest(), stack.requests(0));
    // Another machine, without state.
    fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
    let plan = stack.plan_to_file();
    assert_eq!(plan.contains(&digest), stack.stores_planned_private(), "{plan}");
    stack.apply_planned().unwrap();
    assert_eq!(stack.digest(), digest);
    let (sent, _) = stack.requests(number);
    assert!(sent.iter().all(|request| !request.class.contains("upload")), "{sent:?}");
    // And back to content that was there before: the plan knows which image that is.
    stack.file("app/index.html", "two");
    stack.apply().unwrap();
    stack.file("app/index.html", "one");
    let plan = stack.plan_to_file();
    assert!(plan.contains(&format!("-> \"{digest}\"")), "{plan}");
    stack.apply_planned().unwrap();
    assert_eq!(stack.digest(), digest);
}

pub(crate) fn sees_what_others_did(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let first = stack.digest();
    stack.file("app/index.html", "two");
    stack.apply().unwrap();
    stack.move_tag("latest", &first);
    let plan = stack.plan_to_file();
    assert!(plan.contains("+ \"latest\"") && !plan.contains("(known after apply)"), "{plan}");
    assert!(plan.contains("Tag `latest` was moved to another image"), "{plan}");
    stack.apply_planned().unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
    stack.plans_nothing(&[]);
    stack.ecr("BatchDeleteImage", json!({ "imageIds": [{ "imageTag": "latest" }] }));
    let plan = stack.plan(&[]).unwrap();
    assert!(plan.contains("Tag `latest` is gone from its repository"), "{plan}");
    stack.apply().unwrap();

    stack.move_tag("latest", &first);
    stack.image(&format!("  tags = [\"latest\"]\n  on_moved_tag = \"ignore\"\n{FILES}"));
    stack.apply().unwrap();
    stack.move_tag("latest", &first);
    stack.plans_nothing(&[]);

    stack.delete_image(&stack.digest());
    let plan = stack.plan(&[]).unwrap();
    assert!(plan.contains("1 to add") && plan.contains("The image is gone from its repository"), "{plan}");
    stack.apply().unwrap();
    stack.plans_nothing(&[]);
}

pub(crate) fn tags_without_a_build(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let (digest, (_, number)) = (stack.digest(), stack.requests(0));
    stack.files(r#"["v1", "v2"]"#);
    let plan = stack.plan_to_file();
    assert!(plan.contains("+ \"v1\"") && !plan.contains("(known after apply)"), "{plan}");
    stack.apply_planned().unwrap();
    for tag in ["v1", "v2", "latest"] {
        assert_eq!(stack.tag(tag).as_ref(), Some(&digest), "{tag}");
    }
    let (sent, _) = stack.requests(number);
    assert!(sent.iter().all(|request| !request.class.contains("upload")), "{sent:?}");
    stack.plans_nothing(&[]);
}

pub(crate) fn untags_but_never_the_last(stack: &Stack) {
    let policy = "  on_removed_tag = \"untag\"";
    stack.image(&format!("  tags = [\"a\", \"b\"]\n{policy}\n{FILES}"));
    stack.apply().unwrap();
    let (digest, source) = (stack.digest(), stack.output("hash").replace(':', "-"));
    stack.image(&format!("  tags = [\"a\"]\n{policy}\n{FILES}"));
    stack.apply().unwrap();
    assert_eq!((stack.tag("a"), stack.tag("b")), (Some(digest.clone()), None));
    // Without the source's own tag the next one would be the last.
    stack.ecr("BatchDeleteImage", json!({ "imageIds": [{ "imageTag": format!("src-{source}") }] }));
    stack.image(&format!("  tags = []\n{policy}\n{FILES}"));
    let applied = stack.apply().unwrap();
    assert!(applied.contains("it is the last tag of its image"), "{applied}");
    assert_eq!(stack.tag("a"), Some(digest));
}

pub(crate) fn imports(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let (digest, (_, number)) = (stack.digest(), stack.requests(0));
    fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
    let id = format!("{}:latest", stack.repository());
    let import = |id: &str| {
        let mut command = stack.command(&["import"]);
        run_cli(command.args(["ecr_image.web", id]))
    };
    let error = import(&format!("{}:nothing", stack.repository())).unwrap_err();
    assert!(error.contains("There is no image"), "{error}");
    import(&id).unwrap();
    let plan = stack.plan_to_file();
    assert_eq!(plan.contains("(known after apply)"), !stack.stores_planned_private(), "{plan}");
    let applied = stack.apply_planned().unwrap();
    assert!(applied.contains("1 changed"), "{applied}");
    assert_eq!(stack.digest(), digest);
    let (sent, _) = stack.requests(number);
    assert!(sent.iter().all(|request| !request.class.contains("upload")), "{sent:?}");
    stack.plans_nothing(&[]);
}

pub(crate) fn keeps_the_image_when_destroyed(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let digest = stack.digest();
    // Said when it can still be heeded.
    let plan = one_line(&stack.plan(&["-destroy"]).unwrap());
    for words in ["The image stays in its repository", "it needs force_delete = true"] {
        assert!(plan.contains(words), "{plan}");
    }
    let destroyed = run_cli(&mut stack.command(&["destroy", "-auto-approve"])).unwrap();
    assert!(destroyed.contains("1 destroyed"), "{destroyed}");
    assert_eq!(stack.tag("latest"), Some(digest));
}

pub(crate) fn keeps_the_image_of_a_targeted_destroy(stack: &Stack) {
    let image = |name: &str| {
        let repository = stack.repository();
        format!(
            "resource \"ecr_image\" \"{name}\" {{\n  repository = \"{repository}\"\n  tags = [\"{name}\"]\n{FILES}\n  \
             labels = {{ name = \"{name}\" }}\n}}\n"
        )
    };
    stack.configuration(&format!("{}{}", image("web"), image("worker")));
    stack.apply().unwrap();
    let (tags, (_, number)) = (stack.tags(), stack.requests(0));
    assert_eq!(tags.len(), 4, "each has its own and its source's: {tags:?}");
    let destroyed =
        run_cli(&mut stack.command(&["destroy", "-auto-approve", "-target=ecr_image.web"])).unwrap();
    assert!(destroyed.contains("1 destroyed") && destroyed.contains("The image stays"), "{destroyed}");
    assert_eq!(run(&mut stack.command(&["state", "list"]), SHORT).unwrap(), "ecr_image.worker\n");
    assert_eq!(stack.tags(), tags);
    let applied = stack.apply().unwrap();
    assert!(applied.contains("1 added, 0 changed, 0 destroyed"), "{applied}");
    assert_eq!(stack.tags(), tags);
    let (sent, _) = stack.requests(number);
    assert!(sent.iter().all(|request| !request.class.contains("upload")), "{sent:?}");
}

pub(crate) fn builds_a_dockerfile(stack: &Stack) {
    stack.file("app/Dockerfile", "FROM scratch AS all\nCOPY . /\nFROM scratch\nARG PAGE\nCOPY ${PAGE} /\n");
    stack.file("app/.dockerignore", "*.log\n");
    let build = |args: &str| {
        let block =
            format!("  build = {{\n    context = \"./app\"\n    args = {{ PAGE = \"{args}\" }}\n  }}");
        stack.image(&format!("  tags = [\"latest\"]\n{block}"));
    };
    build("index.html");
    let applied = stack.apply().unwrap();
    assert_eq!(applied.matches("The image has no ENTRYPOINT and no CMD").count(), 1, "{applied}");
    let first = stack.digest();
    stack.file("app/noise.log", "ignored");
    stack.plans_nothing(&[]);
    stack.file("app/index.html", "two");
    let plan = stack.plan_to_file();
    assert!(plan.contains("~ \"index.html\" "), "{plan}");
    stack.apply_planned().unwrap();
    assert_ne!(stack.digest(), first);
    build("run");
    let plan = stack.plan_to_file();
    let open =
        plan.lines().any(|line| line.contains("source_hash ") && line.ends_with("(known after apply)"));
    assert_eq!(open, !stack.stores_planned_private(), "{plan}");
    stack.apply_planned().unwrap();
    stack.plans_nothing(&[]);
}

pub(crate) fn reads_an_image(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let digest = stack.digest();
    let data = |reference: &str, more: &str| {
        stack.configuration(&format!(
            "data \"ecr_image\" \"web\" {{\n  reference = \"{}{reference}\"\n{more}\n}}\n\
             output \"seen\" {{ value = \"${{data.ecr_image.web.exists}} ${{coalesce(data.ecr_image.web.uri, \"none\")}}\" }}\n",
            stack.repository()
        ));
        stack.apply()
    };
    data(":latest", "").unwrap();
    assert_eq!(stack.output("seen"), format!("true {}@{digest}", stack.repository()));
    data(":nothing", "  allow_missing = true").unwrap();
    assert_eq!(stack.output("seen"), "false none");
    let error = data(":nothing", "").unwrap_err();
    assert!(error.contains("There is no image") && error.contains("allow_missing"), "{error}");
}
