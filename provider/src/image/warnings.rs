//! What works, and is seldom meant: said at plan, when it can still be changed.

use image_build::{How, Recipe, Sources};
use tfplugin_rs::{Diagnostic, Path};

use crate::report::{at, capitalized};

/// What a person should know of an image and its files; of base images only when the image is made anew and they are not
/// followed.
pub(super) fn warnings(recipe: &Recipe, sources: &Sources, anew: bool) -> Vec<Diagnostic> {
    let context = sources.warnings.iter().map(|warning| {
        let path = Path::from("build").attribute("context");
        at(Diagnostic::warning(capitalized(&warning.to_string()), warning.hint()), path)
    });
    let is_new = anew && recipe.followed(sources).is_empty();
    let bases = if is_new { image_build::base_images(recipe, sources) } else { Vec::new() };
    context.chain(secret_args(recipe)).chain(unpinned(&bases)).collect()
}

/// The build arguments whose names are those of secrets.
fn secret_args(recipe: &Recipe) -> Vec<Diagnostic> {
    const WORDS: [&str; 6] = ["PASSWORD", "SECRET", "TOKEN", "API_KEY", "PRIVATE_KEY", "CREDENTIALS"];
    let How::Dockerfile(build) = &recipe.how else { return Vec::new() };
    let is_secret = |name: &&String| WORDS.iter().any(|word| name.to_ascii_uppercase().contains(word));
    let warning = |name: &String| {
        let summary = format!("Build argument `{name}` looks like a secret");
        let detail = "Build arguments are kept in the image and in Terraform's state.";
        at(Diagnostic::warning(summary, detail), Path::from("build").attribute("args"))
    };
    build.args.keys().filter(is_secret).map(warning).collect()
}

/// The base images that are named by a tag.
fn unpinned(bases: &[String]) -> Option<Diagnostic> {
    let tagged: Vec<&str> = bases.iter().map(String::as_str).filter(|base| !base.contains('@')).collect();
    let first = tagged.first()?;
    let more = if tagged.len() > 1 { format!(" and {} more", tagged.len() - 1) } else { String::new() };
    let detail = "What such a tag names may change from one build to the next. Write it as name:tag@sha256:…, or have it followed by track_base_images = true.";
    let summary = format!("Base image `{first}`{more} is named by a tag alone");
    Some(at(Diagnostic::warning(summary, detail), Path::from("build").attribute("context")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image_build::{Cache, DockerfileRecipe};

    use super::*;

    /// The summaries for a Dockerfile with build arguments.
    fn check(dockerfile: &str, args: &[&str], anew: bool, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        let build = DockerfileRecipe {
            context: folder.path().to_owned(),
            args: args.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect(),
            ..DockerfileRecipe::default()
        };
        let recipe = Recipe::of(How::Dockerfile(build));
        let sources = image_build::observe(&recipe, &Cache::none()).unwrap();
        let seen: Vec<String> =
            warnings(&recipe, &sources, anew).into_iter().map(|warning| warning.summary).collect();
        assert_eq!(seen, expected, "{dockerfile}");
    }

    #[test]
    fn warns_of_what_is_seldom_meant() {
        let pinned = format!("FROM debian:12@sha256:{}\n", "0".repeat(64));
        check(&pinned, &[], true, &[]);
        check("FROM scratch\n", &[], true, &[]);
        check("FROM debian:12\n", &[], false, &[]);
        check("FROM debian:12\n", &[], true, &["Base image `debian:12` is named by a tag alone"]);
        let two = "FROM debian:12 AS a\nFROM alpine:3\nCOPY --from=a /etc /\n";
        check(two, &[], true, &["Base image `alpine:3` and 1 more is named by a tag alone"]);
        let secret = "FROM scratch\nARG NPM_TOKEN\nARG PAGE\n";
        check(secret, &["NPM_TOKEN", "PAGE"], true, &["Build argument `NPM_TOKEN` looks like a secret"]);
    }
}
