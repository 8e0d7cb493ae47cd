//! Test programs that mostly wait, several at once: cargo compiles them, each is run once and told as a whole when it
//! is done.
//!
//! Knows nothing of what the programs test, nor what they need beyond arguments and environment.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::report::is_result;
use crate::process::{LONG, run};
use crate::progress;

/// They wait for servers, machines and pods most of the time.
const AT_ONCE: usize = 3;

/// Programs that take longest; the others fill the gaps beside them. Each runs as many tests at once as there are cores,
/// but the first all of its few: each applies and waits for minutes.
const FIRST: [&str; 4] = ["examples", "provider", "infra", "helm"];
const TESTS_OF_FIRST: &str = "4";

/// What every test program is given.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(&'static str, OsString)>,
}

impl Given {
    pub(super) fn argue<A: Into<OsString>>(&mut self, arguments: impl IntoIterator<Item = A>) {
        self.arguments.extend(arguments.into_iter().map(Into::into));
    }

    pub(super) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.environment.push((name, value.into()));
    }
}

/// A compiled test program.
#[derive(Debug)]
pub(super) struct TestProgram {
    package: String,
    name: String,
    file: PathBuf,
    /// Where cargo would run it.
    folder: PathBuf,
}

/// Compiles the test programs of the workspace with this `cargo`.
pub(super) fn compile(cargo: &mut Command) -> Result<Vec<TestProgram>> {
    cargo.args(["test", "--locked", "--workspace", "--tests", "--no-run", "--quiet"]);
    let messages = run(cargo.arg("--message-format=json-render-diagnostics"), LONG)?;
    let mut programs: Vec<_> = messages.lines().filter_map(program).collect();
    programs.sort_by_key(|program| {
        let rank = FIRST.iter().position(|first| *first == program.name);
        (rank.unwrap_or(FIRST.len()), program.to_string())
    });
    ensure!(!programs.is_empty(), "cargo compiled no test program");
    Ok(programs)
}

/// Runs all of them, hands on what each printed, and keeps their results as `is_result` knows them.
///
/// # Errors
/// When a test failed, after all programs have run; the results are there all the same.
pub(super) fn run_all(
    programs: &[TestProgram],
    given: &Given,
    results: &mut Vec<String>,
    reader: &mut (dyn Write + Send),
) -> Result<()> {
    let waiting = Mutex::new(programs.iter());
    let told = Mutex::new((results, reader, Vec::new()));
    let next = || waiting.lock().expect("nobody panics while taking one").next();
    let work = || {
        while let Some(program) = next() {
            let outcome = program.run(given);
            let (results, reader, failed) = &mut *told.lock().expect("nobody panics while telling");
            if let Err(error) = outcome.and_then(|outcome| outcome.tell(program, results, *reader)) {
                failed.push(format!("{program}: {error:#}"));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let (_, _, failed) = told.into_inner().expect("nobody panicked while telling");
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

/// What a program printed, and whether its tests passed.
struct Outcome {
    output: File,
    passed: bool,
}

impl TestProgram {
    fn run(&self, given: &Given) -> Result<Outcome> {
        let start = Instant::now();
        let output = tempfile::tempfile()?;
        let mut command = Command::new(&self.file);
        command.args(&given.arguments).envs(given.environment.iter().map(|(name, value)| (name, value)));
        if self.name == FIRST[0] {
            command.env("RUST_TEST_THREADS", TESTS_OF_FIRST);
        }
        // Cargo's own words, so that a test may ask where it stands.
        command.env("CARGO_MANIFEST_DIR", &self.folder).current_dir(&self.folder).stdin(Stdio::null());
        let status = command
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?)
            .status()
            .with_context(|| format!("cannot run {}", self.file.display()))?;
        if start.elapsed().as_secs() > 0 {
            progress::say(format_args!("{self}: {status}, {}", progress::human(start.elapsed())));
        }
        Ok(Outcome { output, passed: status.success() })
    }
}

impl fmt::Display for TestProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.package, self.name)
    }
}

impl Outcome {
    fn tell(
        mut self,
        program: &TestProgram,
        results: &mut Vec<String>,
        reader: &mut dyn Write,
    ) -> Result<()> {
        let mut text = Vec::new();
        self.output.rewind()?;
        self.output.read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        results.extend(text.lines().filter(|line| is_result(line)).map(str::to_owned));
        write!(reader, "\n     Running {program}\n{text}")?;
        ensure!(self.passed, "tests failed");
        Ok(())
    }
}

/// A line of cargo's, if it tells of a test program.
fn program(line: &str) -> Option<TestProgram> {
    let artifact: Artifact = serde_json::from_str(line).ok()?;
    let folder = artifact.manifest_path.parent()?.to_owned();
    let file = artifact.executable.filter(|_| artifact.profile.test)?;
    let package = folder.file_name().map(Path::new)?.display().to_string();
    Some(TestProgram { package, name: artifact.target.name, file, folder })
}

/// The part of cargo's `compiler-artifact` message that is needed here.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    executable: Option<PathBuf>,
    profile: Profile,
    target: Target,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_other_messages() {
        let message = |test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/src/tests/Cargo.toml","target":{{"name":"helm","kind":["test"]}},"profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let found = |line: &str| program(line).map(|program| program.to_string());
        assert_eq!(found(&message(true, "\"/out/helm-1\"")), Some("tests/helm".to_owned()));
        assert_eq!(found(&message(true, "null")), None);
        assert_eq!(found(&message(false, "\"/out/xtask\"")), None);
        assert_eq!(found(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[test]
    fn all_run_and_each_failure_is_named() {
        let shell = |name: &str| TestProgram {
            package: "tests".to_owned(),
            name: name.to_owned(),
            file: "/bin/sh".into(),
            folder: std::env::temp_dir(),
        };
        let given = |script: &str| {
            let mut given = Given::default();
            given.argue(["-c", script]);
            given.set("WORD", "ok");
            given
        };
        let programs = [shell("one"), shell("two"), shell("three"), shell("four")];
        let (mut results, mut shown) = (Vec::new(), Vec::new());
        let line = "echo \"test result: $WORD. 1 passed\"";
        run_all(&programs, &given(line), &mut results, &mut shown).unwrap();
        assert_eq!(results, ["test result: ok. 1 passed"; 4]);
        let shown = String::from_utf8(std::mem::take(&mut shown)).unwrap();
        assert_eq!(shown.matches("     Running tests/").count(), 4, "{shown}");
        let error = run_all(&programs[..1], &given("exit 1"), &mut results, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "tests/one: tests failed");
    }
}
