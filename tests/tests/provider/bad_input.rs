//! Bad input: a clear error, at the argument that is to blame, and nothing lost.

use lab::aws::Keys;
use serde_json::json;

use crate::stack::{FILES, Stack, run_cli};

pub(crate) fn refuses_before_anything_is_done(stack: &Stack) {
    let check = |arguments: &str, words: &[&str]| {
        stack.image(arguments);
        let error = stack.plan(&[]).unwrap_err();
        for words in words {
            assert!(error.contains(words), "`{words}` is not in: {error}");
        }
    };
    let build = |more: &str| format!("  build = {{ {more} }}");
    check(
        &build("context = \"./nothing\""),
        &["Context folder `./nothing` does not exist", "hint: ", "argument: build.context"],
    );
    let named = build("context = \"./app\", dockerfile = \"Dockerfil\"");
    check(&named, &["does not exist", "Dockerfil", "argument: build.dockerfile"]);
    check(
        &format!("{}\n{FILES}", build("context = \"./app\"")),
        &["Both `build` and `files` are given", "files = {"],
    );
    check("", &["None of `build`, `files` and `source` is given"]);
    check(&format!("  tags = [\"a b\"]\n{FILES}"), &["Tag `a b`", "tags = [\"a b\"]"]);
    check(&format!("  platforms = [\"linux/x86_64\"]\n{FILES}"), &["linux/amd64", "platforms = ["]);
    let lambda = "  runtime = \"lambda\"";
    check(
        &format!("{lambda}\n  compression = \"zstd\"\n{FILES}"),
        &["AWS Lambda runs no image with layers of zstd", "compression = \"zstd\""],
    );
    check(
        &format!("{lambda}\n  platforms = [\"linux/amd64\", \"linux/arm64\"]\n{FILES}"),
        &["AWS Lambda runs no image of several platforms", "platforms = ["],
    );
    check(&format!("  wait_for = [\"luck\"]\n{FILES}"), &["nothing that can be waited for", "wait_for = ["]);
    check(&format!("  timeouts {{ create = \"1\" }}\n{FILES}"), &["a duration with units"]);
    let image = |name: &str| {
        let repository = stack.repository();
        format!(
            "resource \"ecr_image\" \"{name}\" {{\n  repository = \"{repository}\"\n  tags = [\"latest\"]\n  \
             labels = {{ name = \"{name}\" }}\n{FILES}\n}}\n"
        )
    };
    stack.configuration(&format!("{}{}", image("web"), image("worker")));
    let error = stack.plan(&[]).unwrap_err();
    assert!(error.contains("Two images of this configuration want the tag `latest`"), "{error}");
    assert_eq!(stack.tags(), []);
}

pub(crate) fn names_what_the_apply_misses(stack: &Stack) {
    let check = |words: &[&str]| {
        let error = stack.apply().unwrap_err();
        for words in words {
            assert!(error.contains(words), "`{words}` is not in: {error}");
        }
        assert_eq!(stack.tags(), []);
    };
    let missing = format!("{}/nothing:1", stack.repository());
    let with_base = FILES.replace("    layers", &format!("    base = \"{missing}\"\n    layers"));
    stack.image(&with_base);
    check(&["base image `", "/nothing:1", "argument: files.base"]);

    stack.file("app/Dockerfile", "FROM scratch AS one\nCOPY . /\nRUN [\"/run\"]\n");
    stack.image("  build = {\n    context = \"./app\"\n    target = \"two\"\n  }");
    check(&["stage `two`", "argument: build.target", "one"]);

    stack.image("  build = { context = \"./app\" }");
    let mut apply = stack.command(&["apply", "-auto-approve"]);
    let error = run_cli(apply.env("DOCKER_HOST", "unix:///nowhere/docker.sock")).unwrap_err();
    assert!(error.contains("/nowhere/docker.sock") && error.contains("hint: "), "{error}");

    stack.image(&format!("  runtime = \"lambda\"\n{FILES}"));
    check(&["does not let AWS Lambda pull", "aws_ecr_repository_policy"]);

    stack.configuration(&format!(
        "resource \"ecr_image\" \"web\" {{\n  repository = \"{}-not\"\n{FILES}\n}}\n",
        stack.repository()
    ));
    check(&[
        "does not exist",
        "hint: create it first: an aws_ecr_repository",
        "in resource \"ecr_image\" \"web\"",
    ]);
}

pub(crate) fn names_what_is_not_allowed(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    let reading = json!([
        { "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" },
        { "Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Resource": "*" },
    ]);
    let apply_as = |keys: &Keys| {
        let mut apply = stack.command(&["apply", "-auto-approve"]);
        apply.env("AWS_ACCESS_KEY_ID", &keys.id).env("AWS_SECRET_ACCESS_KEY", &keys.secret);
        run_cli(&mut apply).unwrap_err()
    };
    let reader = stack.lab.root().create_user(&stack.lab.unique("reader"), &reading).unwrap();
    let error = apply_as(&reader.keys);
    assert!(error.contains("ecr:InitiateLayerUpload") || error.contains("ecr:BatchCheckLayer"), "{error}");
    assert!(error.contains(&reader.arn) && error.contains("hint: allow "), "{error}");

    let wrong = Keys { secret: "wrong".to_owned(), ..reader.keys };
    let error = apply_as(&wrong);
    assert!(error.contains("AWS gives no registry password") && error.contains("hint: "), "{error}");
    assert!(!error.contains("wrong"), "{error}");
    assert_eq!(stack.tags(), []);
}
