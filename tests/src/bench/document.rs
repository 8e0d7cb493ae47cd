//! `docs/benchmarks.md`: a section for each area, in it one for each lane, and a picture beside it. What was not
//! measured stays as it is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::plot;
use super::report::Outcome;
use crate::process::{SHORT, run};

const INTRODUCTION: &str = "# Benchmarks

What ours takes, beside the programs that people use for the same, in one run on one machine: every program in turn,
round by round, and the medians of whole processes. Smaller is better, and `ours/it` below 1 means that ours takes
less. `cargo xtask bench AREA --write` measures anew and writes this page.

The peers are what people build and push with: `docker build && docker push`, buildctl, crane, skopeo, and from Terraform
kreuzwerker/docker. Two that are named beside these are not measured: pulumi-docker-build, which runs in Pulumi's own
engine with a state of its own, so that its times are that engine's; and cdk-assets, which runs `docker build` and
`docker push` and is at best as fast as they are.
";

/// Writes what a lane came to into the documents of a checkout.
pub(super) fn write(checkout: &Path, outcome: &Outcome) -> Result<()> {
    let docs = checkout.join("docs");
    let picture = format!("benchmarks/{}-{}.svg", outcome.area, outcome.lane);
    let file = docs.join("benchmarks.md");
    let old = fs::read_to_string(&file).unwrap_or_else(|_| INTRODUCTION.to_owned());
    let new = with(&old, outcome, &outcome.section(&machine()?, &picture));
    fs::create_dir_all(docs.join("benchmarks"))?;
    fs::write(docs.join(&picture), plot::bars(outcome))?;
    fs::write(&file, new).with_context(|| format!("cannot write `{}`", file.display()))
}

/// What the figures depend on, and nothing that names this very machine.
fn machine() -> Result<String> {
    let date = run(std::process::Command::new("date").arg("+%Y-%m-%d"), SHORT)?;
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let count = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim().split('-').next().unwrap_or_default().to_owned();
    Ok(format!("{}; {count} × {model}, Linux {kernel}", date.trim()))
}

/// The document with this section in its place, or at the end of its area.
fn with(old: &str, outcome: &Outcome, section: &str) -> String {
    let area = format!("## {}", outcome.area);
    let heading = format!("### {}/{}", outcome.area, outcome.lane);
    let mut parts = parts(old);
    let is = |part: &String, heading: &str| part.lines().next() == Some(heading);
    let section = format!("{}\n", section.trim_end());
    if let Some(part) = parts.iter_mut().find(|part| is(part, &heading)) {
        *part = section;
    } else {
        let start = parts.iter().position(|part| is(part, &area)).unwrap_or_else(|| {
            parts.push(format!("{area}\n"));
            parts.len() - 1
        });
        let lanes = parts[start + 1..].iter().take_while(|part| part.starts_with("### ")).count();
        parts.insert(start + 1 + lanes, section);
    }
    parts.iter().map(|part| part.trim_end()).collect::<Vec<_>>().join("\n\n") + "\n"
}

/// The document, cut before each heading of the second and third level.
fn parts(document: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in document.lines() {
        if line.starts_with("## ") || line.starts_with("### ") {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::outcome;

    #[test]
    fn a_section_takes_its_place_and_leaves_the_others() {
        let check = |old: &str, expected: &str| {
            let new = with(old, &outcome(), "### helm/token\n\nnew\n");
            assert_eq!(new, expected);
            assert_eq!(with(&new, &outcome(), "### helm/token\n\nnew\n"), expected);
        };
        check("# B\n", "# B\n\n## helm\n\n### helm/token\n\nnew\n");
        check(
            "# B\n\n## helm\n\n### helm/token\n\nold\nold\n\n## tf\n\nkept\n",
            "# B\n\n## helm\n\n### helm/token\n\nnew\n\n## tf\n\nkept\n",
        );
        check(
            "# B\n\n## helm\n\nwords\n\n### helm/a\n\nkept\n\n## tf\n",
            "# B\n\n## helm\n\nwords\n\n### helm/a\n\nkept\n\n### helm/token\n\nnew\n\n## tf\n",
        );
    }

    #[test]
    fn document_and_picture_are_written() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &outcome()).unwrap();
        write(folder.path(), &outcome()).unwrap();
        let text = fs::read_to_string(folder.path().join("docs/benchmarks.md")).unwrap();
        assert_eq!(text.matches("### helm/token").count(), 1, "{text}");
        assert!(text.starts_with("# Benchmarks\n"));
        let picture = fs::read_to_string(folder.path().join("docs/benchmarks/helm-token.svg")).unwrap();
        assert!(picture.starts_with("<svg "));
    }
}
