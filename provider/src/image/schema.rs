//! The arguments and results of `ecr_image`.

use std::time::Duration;

use tfplugin_rs::{Attribute, Schema, Shape, Timed, Timeouts, Type, Validator};

use crate::form::{absolute, given, user, variable};

/// The schema. What is listed here works; what the provider cannot do yet is not listed.
pub(super) fn schema() -> Schema {
    let schema = Schema::new().describe(
        "An image, built when its sources change, pushed to a repository, and named by tags. \
         Whatever changes is changed in place; only another `repository` makes another image.",
    );
    let attributes = [target(), sources(), marks(), policies(), results()].concat();
    timeouts().add_to(attributes.into_iter().fold(schema, Schema::attribute))
}

/// How long building, pushing and what is waited for may take together.
pub(super) fn timeouts() -> Timeouts {
    let hour = Duration::from_hours(1);
    let timeouts = Timeouts::block().limit(Timed::Create, hour).limit(Timed::Update, hour);
    timeouts.limit(Timed::Delete, Duration::from_mins(10))
}

fn target() -> Vec<Attribute> {
    vec![
        Attribute::required("repository", Type::String).describe(
            "The repository to push to, with its registry, \
             `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web`, or as a name in the provider's account \
             and region, `shop/web`. It has to exist. \
             Another repository makes another image; the old one stays where it is.",
        ),
        Attribute::optional("tags", Type::set(Type::String)).describe(
            "Tags that have to point at this image. Adding or removing one needs no build. \
             What becomes of a tag that is taken out says `on_removed_tag`.",
        ),
        Attribute::optional_computed("platforms", Type::set(Type::String)).describe(
            "The platforms the image is for, each as `os/architecture[/variant]`; of several, an index is pushed. \
             Default: `[\"linux/amd64\"]`, whatever machine Terraform runs on.",
        ),
    ]
}

fn sources() -> Vec<Attribute> {
    let build = Shape::single([
        Attribute::required("context", Type::String).validate(given())
            .describe("The folder the build sees, less what its `.dockerignore` names."),
        Attribute::optional("dockerfile", Type::String).validate(given()).describe(
            "The Dockerfile, relative to the context or absolute. Default: `Dockerfile` in the context.",
        ),
        Attribute::optional("dockerfile_inline", Type::String).validate(given())
            .describe("The text of the Dockerfile itself, instead of a file."),
        Attribute::optional("target", Type::String).validate(given()).describe("The stage to build. Default: the last one."),
        Attribute::optional("args", Type::map(Type::String)).validate(variable().each_key()).describe(
            "Values for the Dockerfile's `ARG`s. They are kept in the image: no place for secrets.",
        ),
        Attribute::optional("hash_ignore_args", Type::set(Type::String)).validate(variable().each())
            .describe("The `args` whose values cause no build when they change, such as a proxy."),
        Attribute::optional("track_base_images", Type::Bool).describe(
            "Whether the image is built anew when a tag that it is built `FROM` moves: a plan then shows the digest it \
             was built with and the one that the tag has now, and the build takes the image that was planned. \
             Default: `false`, a base image that moved makes no difference until something else does.",
        ),
        Attribute::optional("source_date_epoch", Type::Number)
            .validate(whole("seconds since 1970: a whole number from 0 up"))
            .describe("The time that is put on files and image, in seconds since 1970. Default: `0`."),
        Attribute::optional("contexts", Type::map(Type::String)).validate(given().each_key()).validate(given().each()).describe(
            "Content beside the context, by the name the Dockerfile has for it: a folder, `docker-image://…`, \
             `oci-layout://…`, or the URL of a git repository.",
        ),
        Attribute::optional("secrets_wo", Type::map(Type::String)).validate(given().each_key()).write_only().describe(
            "Values for `RUN --mount=type=secret`, by id. They are kept nowhere, and cause no build when they change.",
        ),
        Attribute::optional("secrets_wo_version", Type::Number).validate(whole("a whole number from 0 up"))
            .describe("A number to be raised when a build with other secrets is wanted."),
        Attribute::optional("ssh", Type::set(Type::String)).validate(ssh().each()).describe(
            "Agents for `RUN --mount=type=ssh`: `id=path of the socket`, or an id alone for that of `SSH_AUTH_SOCK`.",
        ),
        Attribute::optional("network", Type::String)
            .describe("The network of `RUN` steps: `default`, `none` or `host`."),
        Attribute::optional("extra_hosts", Type::map(Type::String))
            .describe("Names that `RUN` steps know beside those of DNS, with their addresses."),
        Attribute::optional(
            "attestations",
            Shape::single([
                Attribute::optional("provenance", Type::String)
                    .describe("How the image was made: `off`, `min` or `max`. Default: `off`."),
                Attribute::optional("sbom", Type::Bool).describe("What the image contains. Default: `false`."),
            ]),
        )
        .describe("What is said about the image beside it. AWS Lambda takes no image with any of it."),
        Attribute::optional("builder", Type::String).describe(
            "What builds this image: `auto`, `native`, `docker` or `buildkit`. Default: as the provider says.",
        ),
        Attribute::optional("no_cache", Type::Bool).describe("Run every step anew. Default: `false`."),
        Attribute::optional("cache", cache())
            .describe("Where results of steps are kept beside the builder's own store. It never fails a build."),
    ]);
    let layer = Shape::list([
        Attribute::required("source", Type::String)
            .validate(given())
            .describe("A file, or a folder whose content is taken, less what its `.dockerignore` names."),
        Attribute::required("destination", Type::String)
            .describe("The absolute path in the image. A file goes into a destination that ends in `/`."),
        Attribute::optional("mode", Type::String).describe(
            "Permissions of the files in octal, such as `0755`. Default: `0755` for programs, else `0644`.",
        ),
    ]);
    let files = Shape::single([
        Attribute::optional("base", Type::String)
            .describe("The image below the files. Default: `scratch`, nothing."),
        Attribute::required("layers", layer).describe("Files to add, each source as a layer of its own."),
        Attribute::optional("entrypoint", Type::list(Type::String))
            .describe("The program and its first arguments. Default: the base's."),
        Attribute::optional("cmd", Type::list(Type::String))
            .describe("Default arguments. Default: the base's, or none with an `entrypoint`."),
        Attribute::optional("env", Type::map(Type::String)).validate(variable().each_key()).describe(
            "Environment variables, added to the base's. They are kept in the image: no place for secrets.",
        ),
        Attribute::optional("user", Type::String)
            .validate(user())
            .describe("The user, and group after a colon. Default: the base's."),
        Attribute::optional("workdir", Type::String)
            .validate(absolute())
            .describe("The folder the program starts in. Default: the base's."),
    ]);
    let existing = Shape::single([
        Attribute::optional("oci_layout", Type::String).validate(given())
            .describe("A folder in the OCI image layout; `folder:name` where it holds several images."),
        Attribute::optional("docker_archive", Type::String).validate(given())
            .describe("A file as `docker save` writes it; `file:name` where it holds several images."),
        Attribute::optional("local_image", Type::String).validate(given()).describe(
            "An image of Docker's daemon, by name or id. A plan asks the daemon which image that is; where there is \
             none, it takes it to be the one that it was.",
        ),
    ]);
    vec![
        Attribute::optional("build", build)
            .describe("Build from a Dockerfile. Exactly one of `build`, `files` and `source` is given."),
        Attribute::optional("files", files).describe("Put files onto a base image, without a daemon."),
        Attribute::optional("source", existing)
            .describe("Push an image that exists already, as it is. Its digest is what is hashed."),
    ]
}

fn whole(form: &str) -> Validator {
    Validator::new(form, |value| value.view().read::<u64>().is_ok())
}

fn ssh() -> Validator {
    Validator::text("an id, or id=path of a socket", |text| {
        text.split('=').count() <= 2 && text.split('=').all(|part| !part.is_empty())
    })
}

fn cache() -> Shape {
    let mode = || {
        Attribute::optional("mode", Type::String)
            .describe("`min`, the steps of the stage that is built, or `max`, those of all. Default: `min`.")
    };
    let repository = Attribute::required("repository", Type::String).describe("A repository of ECR.");
    let reference = Attribute::required("ref", Type::String).describe("An image of any registry.");
    Shape::single([
        Attribute::optional("ecr", Shape::single([repository, mode()])).describe("As ECR takes it."),
        Attribute::optional("registry", Shape::list([reference, mode()])).describe("Further ones."),
        Attribute::optional("local", Type::String).validate(given()).describe(
            "A folder of this machine, for the steps of all stages. Several images may share it. Docker's daemon \
             reads it and does not write to it.",
        ),
    ])
}

fn marks() -> Vec<Attribute> {
    let map = || Type::map(Type::String);
    vec![
        Attribute::optional("labels", map()).validate(given().each_key()).describe("Labels of the image."),
        Attribute::optional("annotations", map()).validate(given().each_key()).describe("Annotations of the manifest."),
        Attribute::optional("triggers", map()).describe(
            "Values that cause a build when they change. With one that is known only after apply, \
             such as the hash of files made by the same apply, the sources are read then.",
        ),
        Attribute::optional_computed("compression", Type::String).describe(
            "How layers are compressed: `gzip`, or `zstd`, which is smaller and faster but unknown to AWS Lambda. \
             Default: `gzip`.",
        ),
        Attribute::optional("source_lock", Type::String).describe(
            "The `source_lock` of a `data \"ecr_context\"` with the same context: then a plan shows `source_hash` \
             of new images too, and its apply refuses other files, on every version of Terraform and OpenTofu.",
        ),
        Attribute::optional("runtime", Type::String).describe(
            "`lambda`, for an image that AWS Lambda is to run: what it would refuse is an error at plan, and a \
             repository that it may not pull from one before anything is built.",
        ),
        Attribute::optional("log_file", Type::String).validate(given())
            .describe("A file that the output of a build is written to, anew each time."),
    ]
}

fn policies() -> Vec<Attribute> {
    vec![
        Attribute::optional_computed("on_destroy", Type::String).describe(
            "What becomes of the image when it leaves the configuration: `keep`, it stays in the repository \
             with its tags; `untag`, it loses those of `tags`, but never its last; `delete_if_unreferenced`, it is \
             deleted unless other tags point at it. One that is only replaced stays. Default: `keep`.",
        ),
        Attribute::optional_computed("on_moved_tag", Type::String).describe(
            "What to do about a tag that somebody pointed at another image: `restore` plans to point it back, \
             `ignore` leaves it. A change of this takes effect with the apply after. Default: `restore`.",
        ),
        Attribute::optional_computed("on_removed_tag", Type::String).describe(
            "What becomes of a tag that is taken out of `tags`: `keep` leaves it as it is, `untag` removes it, \
             if it still points at this image and is not its last. Default: `keep`.",
        ),
        Attribute::optional("wait_for", Type::set(Type::String)).describe(
            "What ECR does after a push that an apply waits for: `replication`, `signature`, or both.",
        ),
    ]
}

fn results() -> Vec<Attribute> {
    let map = || Type::map(Type::String);
    vec![
        Attribute::computed("source_hash", Type::String).describe(
            "Stands for everything the image is made from. The image also carries it as the tag `src-1-…`, \
             by which any machine finds it again instead of building it.",
        ),
        Attribute::computed("sources", map()).describe(
            "Short hashes of the Dockerfile and of the top-level files and folders: what changed, if it did.",
        ),
        Attribute::computed("base_image_digests", map()).describe(
            "With `build.track_base_images`, the base images by their names in the Dockerfile, and the digests that \
             these names stood for: a change of it is why the image is built anew.",
        ),
        Attribute::computed("digest", Type::String).describe("The image's digest, `sha256:…`."),
        Attribute::computed("uri", Type::String)
            .describe("The image by its digest, `repository@sha256:…`: the reference to deploy."),
        Attribute::computed("platform_digests", map()).describe("Platform to the digest of its image."),
        Attribute::computed("size_bytes", Type::Number)
            .describe("What the image takes in the registry, compressed, in bytes."),
    ]
}
