//! Rows of the table in `provider/docs/guides/why.md` that nothing else here is about.

use lab::emulator::Options;
use lab::process::{LONG, run};

use crate::emulated::Emulated;
use crate::stack::{FILES, Stack, run_cli};

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_failed_build_shows_its_step_line_and_last_words() {
    let stack = Stack::terraform();
    let base = stack.lab.build_base();
    let steps = format!("FROM {base}\n\nRUN echo first words && \\\n    echo last words && exit 3\n");
    stack.file("app/Dockerfile", &steps);
    stack.image("  build = { context = \"./app\" }\n  log_file = \"./build.log\"");
    let error = stack.apply().unwrap_err();
    for words in ["RUN echo first words", "line 3 of the Dockerfile", "last words"] {
        assert!(error.contains(words), "`{words}` is not in: {error}");
    }
    let log = std::fs::read_to_string(stack.folder.path().join("build.log")).unwrap();
    assert!(log.contains("first words") && log.contains("last words"), "{log}");
    assert_eq!(stack.tags(), []);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_base_for_another_processor_is_refused() {
    let stack = Stack::terraform();
    stack.image(&format!("  tags = [\"arm\"]\n  platforms = [\"linux/arm64\"]\n{FILES}"));
    stack.apply().unwrap();
    let base = format!("base = \"{}:arm\"\n    layers", stack.repository());
    stack.image(&FILES.replace("layers", &base));
    let error = stack.apply().unwrap_err();
    for words in ["linux/amd64", "linux/arm64", "argument: files.base"] {
        assert!(error.contains(words), "`{words}` is not in: {error}");
    }
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn what_buildkit_can_do_is_there() {
    const SECRET: &str = "npm-token-2f1a77";
    let stack = Stack::terraform();
    let base = stack.lab.build_base();
    stack.file(
        "app/Dockerfile",
        &format!(
            "FROM {base} AS build\n\
             RUN --mount=type=secret,id=npm --mount=type=cache,target=/cache --mount=type=bind,source=index.html,target=/page \\\n\
             test \"$(cat /run/secrets/npm)\" = {SECRET} && cp /page /cache/page && cp /cache/page /built\n\
             FROM scratch\nCOPY --from=build --chmod=0600 /built /built\n"
        ),
    );
    let image = |secret: &str, version: u8| {
        stack.image(&format!(
            "  tags = [\"latest\"]\n  build = {{\n    context = \"./app\"\n    secrets_wo = {{ npm = \"{secret}\" }}\n    \
             secrets_wo_version = {version}\n  }}"
        ));
    };
    image(SECRET, 1);
    stack.apply().unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
    let state = std::fs::read_to_string(stack.folder.path().join("terraform.tfstate")).unwrap();
    assert!(!state.contains(SECRET), "{state}");
    // Another secret makes no other image, another version of it does.
    image("another", 1);
    stack.plans_nothing(&[]);
    image("another", 2);
    assert!(stack.plan(&[]).unwrap().contains("1 to change"));
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn ecrs_own_ways_are_known() {
    let stack = Stack::terraform();
    let world = Emulated::new(&stack, Options::default(), &["web"]);
    let image = |name: &str| {
        stack.image_in(&world.repository(name), &format!("  tags = [\"v1\", \"v2\"]\n{FILES}"));
        world.apply()
    };
    image("web").unwrap();
    assert_eq!((world.ecr.count("PUT upload"), world.ecr.count("PATCH upload")), (3, 0));
    // ECR hangs up on who pushes to what is not there.
    let error = image("not-there").unwrap_err();
    assert!(error.contains("does not exist") && error.contains("aws_ecr_repository"), "{error}");
    assert_eq!(world.ecr.faults(), [""; 0]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn what_changes_each_time_rebuilds_nothing() {
    let stack = Stack::terraform();
    stack.file("app/Dockerfile", "FROM scratch\nARG PROXY\nCOPY index.html /\n");
    let image = |proxy: &str, comment: &str| {
        stack.file("app/Dockerfile", &format!("# {comment}\nFROM scratch\nARG PROXY\nCOPY index.html /\n"));
        stack.image(&format!(
            "  tags = [\"latest\"]\n  build = {{\n    context = \"./app\"\n    args = {{ PROXY = \"{proxy}\" }}\n    \
             hash_ignore_args = [\"PROXY\"]\n  }}"
        ));
    };
    image("one", "first");
    stack.apply().unwrap();
    let (digest, hash) = (stack.digest(), stack.output("hash"));
    // What is beside what is copied, and the value of an argument that does not count.
    stack.file("app/README.md", "read me");
    stack.plans_nothing(&[]);
    image("two", "first");
    let plan = stack.plan(&[]).unwrap();
    assert!(plan.contains("1 to change") && !plan.contains("(known after apply)"), "{plan}");
    stack.apply().unwrap();
    assert_eq!((stack.digest(), stack.output("hash")), (digest.clone(), hash));
    // A comment is part of the sources and of no image: nothing is rolled out.
    image("two", "second");
    stack.apply().unwrap();
    assert_eq!(stack.digest(), digest);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_builder_is_found_where_docker_says_it_is() {
    let stack = Stack::terraform();
    let base = stack.lab.build_base();
    let steps = format!("FROM {base} AS build\nRUN touch /built\nFROM scratch\nCOPY --from=build /built /\n");
    stack.file("app/Dockerfile", &steps);
    stack.image("  tags = [\"latest\"]\n  build = { context = \"./app\" }");
    let home = tempfile::tempdir().unwrap();
    let apply = |variables: &[(&str, &str)]| {
        let mut apply = stack.command(&["apply", "-auto-approve"]);
        apply.env_remove("DOCKER_HOST").env("DOCKER_CONFIG", home.path().join(".docker"));
        run_cli(apply.envs(variables.iter().copied()))
    };
    let error = apply(&[("DOCKER_HOST", "unix:///nowhere/docker.sock")]).unwrap_err();
    assert!(error.contains("/nowhere/docker.sock") && error.contains("hint: "), "{error}");
    let mut context = stack.lab.engine().docker();
    let host = format!("host={}", stack.lab.engine().host);
    context.args(["context", "create", "elsewhere", "--docker", &host]);
    run(context.env("DOCKER_CONFIG", home.path().join(".docker")), LONG).unwrap();
    apply(&[("DOCKER_CONTEXT", "elsewhere")]).unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn no_machine_builds_again_what_is_in_ecr() {
    let stack = Stack::terraform();
    let base = stack.lab.build_base();
    let steps =
        format!("FROM {base} AS build\nRUN date +%N > /built\nFROM scratch\nCOPY --from=build /built /\n");
    stack.file("app/Dockerfile", &steps);
    stack.image("  tags = [\"latest\"]\n  build = { context = \"./app\", no_cache = true }");
    stack.apply().unwrap();
    let digest = stack.digest();
    std::fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
    let mut apply = stack.command(&["apply", "-auto-approve"]);
    run_cli(apply.env("DOCKER_HOST", "/dev/null")).unwrap();
    assert_eq!(stack.digest(), digest);
    let source = format!("src-{}", stack.output("hash").replace(':', "-"));
    assert_eq!(stack.tag(&source), Some(digest));
}
