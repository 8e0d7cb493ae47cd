//! What the fuzzer feeds, and what has to hold then. A panic is a finding.
//!
//! The programs for the fuzzer are in `fuzz/`, what it found worth keeping in `fuzz/corpus/`; the tests here go through
//! all of that again.

use ecr_registry::Platform;

use crate::{
    dockerfile::{Dockerfile, reach::Inputs},
    ignore::Rules,
};

/// Reads the data as a Dockerfile, and follows it for one platform.
pub fn dockerfile(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = u32::try_from(text.split_inclusive('\n').count()).unwrap_or(u32::MAX);
    let inside = |line: u32| (1..=lines.max(1)).contains(&line);
    match Dockerfile::parse(&text) {
        Err(error) => assert!(inside(error.line) && error.column > 0, "{error}"),
        Ok(dockerfile) => {
            let steps = dockerfile.stages.iter().flat_map(|stage| &stage.steps);
            assert!(steps.clone().all(|step| step.lines.0 <= step.lines.1 && inside(step.lines.1)));
            let args = [("A".to_owned(), "a".to_owned())].into();
            let inputs = Inputs { target: None, args: &args, platforms: &[Platform::linux_amd64()] };
            let Ok(reach) = dockerfile.reach(inputs) else { return };
            let paths = reach.paths.iter().flatten();
            assert!(
                paths.clone().all(|path| !path.starts_with('/') && !path.split('/').any(|name| name == ".."))
            );
        }
    }
}

/// Reads the data as an ignore file, an empty byte, and paths, one a line.
pub fn ignore(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (rules, paths) = text.split_once('\0').unwrap_or((&text, "a\na/b"));
    let Ok(rules) = Rules::parse(rules) else { return };
    for path in paths.lines() {
        rules.ignores(path);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    fn replay(target: &str, feed: impl Fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty());
        for file in files {
            println!("{}", file.display());
            feed(&fs::read(file).unwrap());
        }
    }

    #[test]
    fn dockerfile_survives_the_corpus() {
        replay("dockerfile", super::dockerfile);
    }

    #[test]
    fn ignore_survives_the_corpus() {
        replay("ignore", super::ignore);
    }
}
