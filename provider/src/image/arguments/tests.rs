use image_build::{DockerfileRecipe, How};

use super::*;

fn base() -> Value {
    let build = Value::object([("context", "./app")].map(|(name, text)| (name, Value::from(text))));
    Value::object([("repository", Value::from("127.0.0.1:5000/web")), ("build", build)])
}

fn surroundings() -> Surroundings {
    Surroundings { registry: None, default_labels: Some(BTreeMap::new()) }
}

fn files(layer: &[(&str, &str)]) -> Value {
    let layer = Value::object(layer.iter().map(|(name, text)| (*name, Value::from(*text))));
    base().with("build", Value::Null).with("files", Value::object([("layers", Value::list([layer]))]))
}

/// `argument: summary` of each problem.
fn problems(config: &Value) -> Vec<String> {
    let text = |problem: &Diagnostic| {
        let at = problem.attribute.as_ref().map_or_else(String::new, |path| format!("{path}: "));
        format!("{at}{}", problem.summary)
    };
    check(config).iter().map(text).collect()
}

#[test]
fn takes_what_is_right_or_unknown() {
    let layer = [("source", "bin"), ("destination", "/"), ("mode", "0755")];
    for config in [
        base(),
        base().with("tags", vec!["latest", "1.8"]).with("platforms", vec!["linux/amd64", "linux/arm64"]),
        base().with("repository", "shop/web").with("on_destroy", "untag").with("runtime", "lambda"),
        base().with("tags", Value::Unknown).with("repository", Value::Unknown),
        base().with("tags", Value::list([Value::Unknown, "latest".into()])),
        base().with("build", Value::Unknown).with("files", Value::Unknown),
        base().with("build", Value::object([("context", Value::Unknown)])),
        base().with("compression", "zstd").with("on_moved_tag", "ignore").with("on_removed_tag", "untag"),
        files(&layer),
    ] {
        assert_eq!(problems(&config), Vec::<String>::new(), "{config:?}");
    }
}

#[test]
fn blames_what_is_wrong() {
    let check = |config: Value, expected: &str| {
        let problems = problems(&config);
        assert!(problems.len() == 1 && problems[0].starts_with(expected), "{problems:?} is not {expected}");
    };
    let both = files(&[("source", "a"), ("destination", "/a")]).with("build", base().get("build").clone());
    check(both, "files: Both `build` and `files` are given");
    check(base().with("build", Value::Null), "None of `build`, `files` and `source` is given");
    check(base().with("tags", vec!["a b"]), "tags: Tag `a b` ");
    check(base().with("tags", Value::list([Value::Unknown, "a b".into()])), "tags: Tag `a b` ");
    check(base().with("repository", "Web"), "repository: Repository `Web` ");
    check(
        base().with("repository", "127.0.0.1:5000/web:latest"),
        "repository: Repository `127.0.0.1:5000/web:latest` ",
    );
    check(base().with("platforms", vec!["amd64"]), "platforms: Platform `amd64` ");
    check(base().with("platforms", Vec::<String>::new()), "platforms: No platform is given");
    check(base().with("compression", "lzma"), "compression: Compression `lzma` is not");
    check(
        base().with("on_destroy", "delete"),
        "on_destroy: `on_destroy` is `delete`, which is not one of keep, untag, delete_if_unreferenced",
    );
    check(
        base().with("on_moved_tag", "x"),
        "on_moved_tag: `on_moved_tag` is `x`, which is not one of restore, ignore",
    );
    check(
        base().with("on_removed_tag", "x"),
        "on_removed_tag: `on_removed_tag` is `x`, which is not one of keep, untag",
    );
    check(
        files(&[("source", "a"), ("destination", "a")]),
        "files.layers[0].destination: Destination `a` is not",
    );
    let source = |members: &[&str]| {
        let members = members.iter().map(|name| (*name, Value::from("image")));
        base().with("build", Value::Null).with("source", Value::object(members))
    };
    check(source(&[]), "source: An image that exists is given by one of");
    check(source(&["oci_layout", "docker_archive"]), "source: An image that exists is given by one of");
    let labels = Value::object([("team", Value::from("shop"))]);
    check(source(&["oci_layout"]).with("labels", labels), "labels: `labels` cannot be put into an image");
    let inline = base().get("build").clone().with("dockerfile_inline", "FROM scratch\n");
    check(
        base().with("build", inline.clone()).with("source_lock", format!("sha256:{}", "0".repeat(64))),
        "source_lock: `source_lock` is of a Dockerfile in a file",
    );
    check(
        base().with("build", inline.with("dockerfile", "Dockerfile")),
        "build.dockerfile_inline: Both `dockerfile` and `dockerfile_inline` are given",
    );
    check(base().with("runtime", "ecs"), "runtime: `runtime` is `ecs`, which is not one of lambda");
    check(base().with("source_lock", "1"), "source_lock: The source lock is not one");
    check(base().with("wait_for", vec!["luck"]), "wait_for: `luck` is nothing that can be waited for");
    let mode = [("source", "a"), ("destination", "/"), ("mode", "rwx")];
    check(files(&mode), "files.layers[0].mode: Mode `rwx` is not");
}

#[test]
fn the_same_place_is_the_same_however_it_is_written() {
    let places = |context: &str, dockerfile: Option<&str>| {
        let how = How::Dockerfile(DockerfileRecipe {
            context: context.into(),
            dockerfile: dockerfile.map(PathBuf::from),
            ..DockerfileRecipe::default()
        });
        let recipe = Recipe { how, ..recipe(&base()) };
        super::places(&recipe)
    };
    assert_eq!(places("./app", None), places("app/", Some("./Dockerfile")));
    assert_ne!(places("app", None).0, places("app2", None).0);
    assert_eq!(places("app", None).1, places("app2", None).1);
}

fn recipe(config: &Value) -> Recipe {
    Arguments::parse(config, &surroundings()).unwrap().recipe.flatten().unwrap()
}
