use std::{
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

use super::*;
use crate::{
    hash::source_hash,
    recipe::{DockerfileRecipe, FilesRecipe, LayerSource},
};

/// A folder with these files; a name that ends in `/` is a folder, one with `->` a link, one with `*` a program.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, content) in files {
        add(root.path(), name, content);
    }
    root
}

fn add(root: &Path, name: &str, content: &str) {
    if let Some((link, target)) = name.split_once("->") {
        return symlink(target, root.join(link)).unwrap();
    }
    let path = root.join(name.trim_end_matches(['/', '*']));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if name.ends_with('/') {
        return fs::create_dir_all(path).unwrap();
    }
    fs::write(&path, content).unwrap();
    let mode = if name.ends_with('*') { 0o755 } else { 0o644 };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

fn dockerfile(root: &Path, dockerfile: Option<&str>) -> Recipe {
    let dockerfile = dockerfile.map(PathBuf::from);
    Recipe::of(How::Dockerfile(DockerfileRecipe { context: root.into(), dockerfile, ..Default::default() }))
}

fn layer(source: &Path, destination: &str) -> Recipe {
    let layer = LayerSource { source: source.into(), destination: destination.into(), mode: None };
    Recipe::of(How::Files(FilesRecipe { layers: vec![layer], ..Default::default() }))
}

fn seen(root: &TempDir) -> Sources {
    observe(&dockerfile(root.path(), None), &Cache::none()).unwrap()
}

fn names(map: &BTreeMap<String, String>) -> Vec<&str> {
    map.keys().map(String::as_str).collect()
}

const SERVICE: [(&str, &str); 6] = [
    ("Dockerfile", "FROM scratch\nCOPY . .\n"),
    ("src/main.rs", "fn main() {}"),
    ("run.sh*", "#!/bin/sh"),
    ("latest->src/main.rs", ""),
    ("empty/", ""),
    ("README.md", "# A service"),
];

#[test]
fn what_is_no_content_changes_nothing() {
    let (one, other) = (folder(&SERVICE), folder(&[]));
    for (name, content) in SERVICE.iter().rev() {
        add(other.path(), name, content);
    }
    let old = SystemTime::now() - Duration::from_hours(24_000);
    fs::File::open(other.path().join("README.md")).unwrap().set_modified(old).unwrap();
    for (name, mode) in [("README.md", 0o600), ("run.sh", 0o700), ("src", 0o700), ("src/main.rs", 0o666)] {
        fs::set_permissions(other.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    assert_eq!(seen(&one), seen(&other));
    assert_eq!(
        names(&seen(&one).files),
        ["Dockerfile", "README.md", "empty", "latest", "run.sh", "src/main.rs"]
    );
    assert_eq!(names(&seen(&one).summary), ["Dockerfile", "README.md", "empty", "latest", "run.sh", "src"]);
}

/// The tree never changes for a given content: private data of images that exist hold it.
#[test]
fn golden_tree() {
    assert_eq!(
        seen(&folder(&SERVICE)).tree.to_string(),
        "sha256:df0fb54b1ad1aaba4f0ce1cc48550cf3582775318782f048ac228bbb6869d366"
    );
}

#[test]
fn what_is_content_changes_the_tree_and_its_own_line() {
    let check = |change: &[(&str, &str)], changed: &[&str]| {
        let root = folder(&SERVICE);
        let before = seen(&root);
        for (name, content) in change {
            fs::remove_file(root.path().join(name.trim_end_matches('*'))).ok();
            add(root.path(), name, content);
        }
        let after = seen(&root);
        assert_ne!(before.tree, after.tree, "{change:?}");
        let mut lines: Vec<&str> = names(&after.files);
        lines.retain(|name| before.files.get(*name) != after.files.get(*name));
        assert_eq!(lines, changed);
    };
    check(&[("src/main.rs", "fn main() { }")], &["src/main.rs"]);
    check(&[("README.md*", "# A service")], &["README.md"]);
    check(&[("Dockerfile", "FROM scratch")], &["Dockerfile"]);
    check(&[("new", "")], &["new"]);
    check(&[("empty/not", "")], &["empty/not"]);
    check(&[("other/", "")], &["other"]);
}

#[test]
fn ignored_files_and_terraforms_own_do_not_count() {
    let root = folder(&SERVICE);
    add(root.path(), ".dockerignore", "target\n*.md\n!terraform.tfstate\n.dockerignore\n");
    let before = seen(&root);
    assert_eq!(names(&before.files), ["Dockerfile", "empty", "latest", "run.sh", "src/main.rs"]);
    fs::write(root.path().join("next"), crate::terraform_files::tests::archive(&["tfplan"])).unwrap();
    for name in ["target/debug/x", "README.md", "terraform.tfstate", ".terraform/x", "infra/.terraform/y"] {
        add(root.path(), name, "changed");
    }
    fs::remove_dir_all(root.path().join("infra/.terraform")).unwrap();
    fs::remove_dir(root.path().join("infra")).unwrap();
    let after = seen(&root);
    assert_eq!((after.tree, after.files), (before.tree, before.files));
    assert_eq!(after.warnings, [Warning::State(vec!["terraform.tfstate".to_owned()])]);
}

#[test]
fn the_dockerfile_counts_even_where_the_build_cannot_copy_it() {
    let root = folder(&SERVICE);
    add(root.path(), ".dockerignore", "*\n");
    let before = seen(&root);
    assert_eq!(names(&before.files), ["Dockerfile"]);
    add(root.path(), "Dockerfile", "FROM scratch\n");
    assert_ne!(seen(&root).tree, before.tree);
}

#[test]
fn a_dockerfile_that_is_written_out_counts_as_one_in_a_file() {
    let folder = folder(&[("one", "1"), ("Dockerfile", "FROM scratch\nCOPY one /\n")]);
    let file = seen(&folder);
    fs::remove_file(folder.path().join("Dockerfile")).unwrap();
    let mut inline = dockerfile(folder.path(), None);
    how_of(&mut inline).dockerfile_inline = Some("FROM scratch\nCOPY one /\n".to_owned());
    assert_eq!(observe(&inline, &Cache::none()).unwrap(), file);
}

#[test]
fn rules_made_for_a_dockerfile_win() {
    let root = folder(&SERVICE);
    add(root.path(), ".dockerignore", "**\n");
    add(root.path(), "docker/web.Dockerfile", "FROM scratch\nCOPY . /\n");
    add(root.path(), "docker/web.Dockerfile.dockerignore", "docker\n.dockerignore\nREADME.md\nDockerfile\n");
    let seen = observe(&dockerfile(root.path(), Some("docker/web.Dockerfile")), &Cache::none()).unwrap();
    assert_eq!(names(&seen.files), ["docker/web.Dockerfile", "empty", "latest", "run.sh", "src/main.rs"]);
}

#[test]
fn layers_are_shown_by_their_place_in_the_image() {
    let root =
        folder(&[("bin/web*", "ELF"), ("bin/.dockerignore", "*.map\n.dockerignore\n"), ("bin/x.map", "")]);
    let shown = |source: &str, destination: &str| {
        let sources = observe(&layer(&root.path().join(source), destination), &Cache::none()).unwrap();
        sources.files.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(shown("bin", "/app"), ["/app/web"]);
    assert_eq!(shown("bin/web", "/app"), ["/app"]);
    assert_eq!(shown("bin/web", "/app/"), ["/app/web"]);
    assert_eq!(shown("bin", "/"), ["/web"]);
}

#[test]
fn many_files_are_shown_by_folder() {
    let root = folder(&[("Dockerfile", "FROM scratch\nCOPY . /")]);
    for index in 0..300 {
        add(root.path(), &format!("src/{}/{index}", index % 10), "x");
    }
    let sources = seen(&root);
    assert_eq!(sources.files.len(), 11);
    assert_eq!(names(&sources.summary), ["Dockerfile", "src"]);
    for index in 0..300 {
        add(root.path(), &format!("file-{index:03}"), "x");
    }
    let sources = seen(&root);
    assert_eq!((sources.files.len(), sources.summary.len()), (256, 64));
    assert!(sources.summary.contains_key("(239 more)"), "{:?}", names(&sources.summary));
}

#[test]
fn says_what_is_wrong_and_what_to_do() {
    let root = folder(&[("docker/Dockerfile.web", ""), ("file", ""), ("Web/x", ""), ("pipe-here/x", "")]);
    make_pipe(&root.path().join("pipe-here/pipe"));
    let at = |path: &str| root.path().join(path).display().to_string();
    let check = |recipe: Recipe, message: &str, hint: &str| {
        let error = observe(&recipe, &Cache::none()).unwrap_err();
        assert_eq!((error.to_string(), error.hint().unwrap()), (message.to_owned(), hint.to_owned()));
    };
    check(
        dockerfile(&root.path().join("web"), None),
        &format!("context folder `{}` does not exist", at("web")),
        &format!("there is `{}`", at("Web")),
    );
    check(
        dockerfile(&root.path().join("file"), None),
        &format!("context folder `{}` is a file", at("file")),
        "`context` names a folder",
    );
    check(
        dockerfile(root.path(), None),
        &format!("Dockerfile `{}` does not exist", at("Dockerfile")),
        &format!("there is `{}`", at("docker/Dockerfile.web")),
    );
    check(
        layer(&root.path().join("none"), "/x"),
        &format!("layer source `{}` does not exist", at("none")),
        "relative paths begin at Terraform's working folder; write \"${path.module}/...\"",
    );
    check(
        layer(&root.path().join("pipe-here"), "/x"),
        &format!("`{}` is a named pipe, which no image can hold", at("pipe-here/pipe")),
        "remove it, make it readable, or name it in .dockerignore",
    );
    check(
        layer(root.path(), "app"),
        "destination `app` is not an absolute path without `..`",
        "write it from the root: \"/app/\"",
    );
    add(root.path(), "Web/.dockerignore", "ok\n[\n");
    check(
        layer(&root.path().join("Web"), "/x"),
        &format!("cannot use the ignore file `{}`", at("Web/.dockerignore")),
        "patterns are those of .dockerignore: *, ?, **, [a-z], ! and \\ to escape",
    );
}

fn make_pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn hard_links_and_odd_names_are_files_like_others() {
    let root = folder(&[("Dockerfile", "FROM scratch\nCOPY . /"), ("one", "same")]);
    fs::hard_link(root.path().join("one"), root.path().join("other")).unwrap();
    let odd = ["a b", "new\nline", "*", "-rf", "ü", "\u{fc}", "#x", "!y", "quote\"s"];
    for name in odd {
        fs::write(root.path().join(name), "odd").unwrap();
    }
    let seen = seen(&root);
    assert_eq!(seen.files["one"], seen.files["other"]);
    assert!(odd.iter().all(|name| seen.files.contains_key(*name)), "{:?}", seen.files.keys());
    let copies = folder(&[("Dockerfile", "FROM scratch\nCOPY . /"), ("one", "same"), ("other", "same")]);
    for name in odd {
        fs::write(copies.path().join(name), "odd").unwrap();
    }
    assert_eq!(observe(&dockerfile(copies.path(), None), &Cache::none()).unwrap().tree, seen.tree);
}

#[test]
fn a_name_that_is_no_text_is_an_error() {
    let root = folder(&[("Dockerfile", "FROM scratch\nCOPY . .\n")]);
    let name = std::ffi::OsStr::from_bytes(b"\xff");
    fs::write(root.path().join(name), "").unwrap();
    let error = observe(&dockerfile(root.path(), None), &Cache::none()).unwrap_err();
    assert!(error.to_string().ends_with("is not UTF-8"), "{error}");
    add(root.path(), ".dockerignore", "?\n");
    observe(&dockerfile(root.path(), None), &Cache::none()).unwrap();
}

#[test]
fn what_the_cache_knows_is_not_read() {
    let (root, cache) = (folder(&SERVICE), tempfile::tempdir().unwrap());
    let (recipe, cache) = (dockerfile(root.path(), None), Cache::in_folder(cache.path()));
    let cold = observe(&recipe, &cache).unwrap();
    // Files that young are read again, whatever the cache holds.
    add(root.path(), "README.md", "# A SERVICE");
    assert_ne!(observe(&recipe, &cache).unwrap(), cold);
    assert_eq!(observe(&recipe, &cache).unwrap(), seen(&root));
}

#[test]
fn many_files_are_seen_in_full() {
    let root = folder(&[("Dockerfile", "FROM scratch\nCOPY . .\n")]);
    for index in 0..3000 {
        let folder = root.path().join(format!("{}/{}", index % 7, index % 31));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(index.to_string()), index.to_string()).unwrap();
    }
    let Sources { tree, .. } = seen(&root);
    assert_eq!(seen(&root).tree, tree);
    fs::remove_file(root.path().join("4/0/186")).unwrap();
    assert_ne!(seen(&root).tree, tree);
}

#[test]
fn only_what_the_dockerfile_copies_counts() {
    let root = folder(&[
        ("Dockerfile", "ARG KIND=a\nFROM scratch\nARG KIND\nCOPY src/$KIND link /\n"),
        ("src/a/x", "1"),
        ("src/b/x", "1"),
        ("link->notes/target", ""),
        ("notes/target", "1"),
        ("README.md", "1"),
    ]);
    let before = seen(&root);
    assert_eq!(names(&before.files), ["Dockerfile", "link", "notes/target", "src/a/x"]);
    for name in ["README.md", "src/b/x", "notes/other"] {
        add(root.path(), name, "changed");
    }
    make_pipe(&root.path().join("pipe"));
    assert_eq!(seen(&root), before);
    let mut other = dockerfile(root.path(), None);
    how_of(&mut other).args.insert("NONE".into(), "b".into());
    assert!(before.sees_as_much_for(&other));
    how_of(&mut other).args.insert("KIND".into(), "b".into());
    assert!(!before.sees_as_much_for(&other));
    let after = observe(&other, &Cache::none()).unwrap();
    assert_eq!(names(&after.files), ["Dockerfile", "link", "notes/target", "src/b/x"]);
    assert_eq!(after.warnings.len(), 1);
    assert_eq!(after.warnings[0].to_string(), "no ARG of the Dockerfile declares `NONE`");
}

fn how_of(recipe: &mut Recipe) -> &mut DockerfileRecipe {
    match &mut recipe.how {
        How::Dockerfile(how) => how,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dockerfile_that_another_frontend_reads_is_taken_as_it_is() {
    let check = |text: &str, expected: &[&str]| {
        let root = folder(&[("Dockerfile", text), ("a", ""), ("b", "")]);
        assert_eq!(names(&seen(&root).files), expected, "{text}");
    };
    check("# syntax=docker/dockerfile:1\nFROM scratch\nCOPY a /\n", &["Dockerfile", "a"]);
    check("# syntax=docker/dockerfile:1\nFROM scratch\nCOPY --new a /\n", &["Dockerfile", "a", "b"]);
    check("# syntax=example.com/other\nCOPY what it wants\n", &["Dockerfile", "a", "b"]);
    let root = folder(&[("Dockerfile", "FROM scratch\nCOPY a /\n"), ("a", "")]);
    let mut recipe = dockerfile(root.path(), None);
    how_of(&mut recipe).args.insert("BUILDKIT_SYNTAX".into(), "example.com/other".into());
    add(root.path(), "b", "");
    assert_eq!(names(&observe(&recipe, &Cache::none()).unwrap().files), ["Dockerfile", "a", "b"]);
}

#[test]
fn names_the_mistake_in_a_dockerfile() {
    let check = |text: &str, target: Option<&str>, words: &str| {
        let root = folder(&[("Dockerfile", text)]);
        let mut recipe = dockerfile(root.path(), None);
        how_of(&mut recipe).target = target.map(str::to_owned);
        let error = observe(&recipe, &Cache::none()).unwrap_err();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        assert_eq!(format!("{error}{cause}; {}", error.hint().unwrap_or_default()), words);
    };
    let text = "FROM scratch\nRUNN make\n";
    let words =
        "cannot use Dockerfile `Dockerfile`: line 2, column 1: unknown instruction `RUNN`; did you mean RUN?";
    check(text, None, words);
    let words = "the Dockerfile has no stage `webb`; its stages are web, worker";
    check("FROM scratch AS web\nFROM scratch AS worker\n", Some("webb"), words);
}

/// Checks which of these files count, and the format of the hash.
fn check_excluded(instructions: &str, counted: &[&str], format: u32) {
    let text = format!("FROM scratch\n{instructions}\n");
    let files = ["a.md", "a.rs", "docs/a.md", "docs/deep/b.md", "docs/x.rs", "lib/a.md", "lib/x.rs"];
    let root = folder(&files.map(|name| (name, name)));
    add(root.path(), "to-docs->docs", "");
    let mut recipe = dockerfile(root.path(), None);
    how_of(&mut recipe).dockerfile_inline = Some(text.clone());
    let seen = |recipe: &Recipe| observe(recipe, &Cache::none()).unwrap();
    let sources = seen(&recipe);
    let found: Vec<&str> = names(&sources.files).into_iter().filter(|name| *name != "Dockerfile").collect();
    assert_eq!((found.as_slice(), source_hash(&recipe, &sources).format().id()), (counted, format), "{text}");
    // An image that was hashed before plans nothing: all that is named counts for it, as it did.
    recipe.format = Some(Format::FIRST);
    let whole: Vec<&str> = text.split(' ').filter(|word| !word.starts_with("--exclude")).collect();
    let before = seen(&recipe);
    how_of(&mut recipe).dockerfile_inline = Some(whole.join(" "));
    assert_eq!(names(&before.files), names(&seen(&recipe).files), "{text}");
    assert_eq!(source_hash(&recipe, &before).format(), Format::FIRST);
}

#[test]
fn what_every_copy_excludes_does_not_count() {
    let rust = ["a.rs", "docs/deep", "docs/x.rs", "lib/x.rs", "to-docs"];
    let all = ["a.md", "a.rs", "docs/a.md", "docs/deep/b.md", "docs/x.rs", "lib/a.md", "lib/x.rs", "to-docs"];
    check_excluded("COPY --exclude=**/*.md . /", &rust, 2);
    check_excluded("ADD --exclude=**/*.md . /", &rust, 2);
    // Patterns are relative to what is copied.
    check_excluded("COPY --exclude=*.md docs /", &["docs/deep/b.md", "docs/x.rs"], 2);
    check_excluded("COPY --exclude=docs/*.md docs /", &["docs/a.md", "docs/deep/b.md", "docs/x.rs"], 2);
    check_excluded("COPY --exclude=deep --exclude=*.md docs lib /", &["docs/x.rs", "lib/x.rs"], 2);
    check_excluded("ARG END=md\nCOPY --exclude=*.$END lib /", &["lib/x.rs"], 2);
    // What one leaves out another may take.
    let docs = ["docs/a.md", "docs/deep/b.md", "docs/x.rs", "lib/x.rs"];
    check_excluded("COPY --exclude=*.md lib /\nCOPY docs /", &docs, 2);
    check_excluded(
        "COPY --exclude=*.md docs /\nCOPY docs/a.md /",
        &["docs/a.md", "docs/deep/b.md", "docs/x.rs"],
        2,
    );
    check_excluded("COPY --exclude=**/*.md . /\nCOPY --exclude=**/*.rs . /", &all, 2);
    check_excluded("COPY --exclude=**/*.md . /\nRUN --mount=target=/x make", &all, 2);
    // A file by its name, a link and a pattern are taken as they are.
    check_excluded("COPY --exclude=*.md a.md /", &["a.md"], 2);
    check_excluded("COPY --exclude=*.md l* /", &["lib/a.md", "lib/x.rs"], 2);
    check_excluded(
        "COPY --exclude=*.md to-docs /",
        &["docs/a.md", "docs/deep/b.md", "docs/x.rs", "to-docs"],
        2,
    );
    check_excluded("COPY --parents --exclude=*.md lib /", &["lib/a.md", "lib/x.rs"], 1);
    check_excluded(
        "FROM scratch AS other\nCOPY --exclude=*.md . /\nFROM scratch\nCOPY lib /",
        &["lib/a.md", "lib/x.rs"],
        1,
    );
}
