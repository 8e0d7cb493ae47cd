//! Our reading of ignore files and Dockerfiles beside that of moby: programs in Go that do nothing else answer the same
//! questions, thousands of them, made by chance from a fixed seed.

mod dockerfile;
mod ignore;

use std::process::Command;

use lab::cache::Cache;
use lab::process::{SHORT, run_with_input};
use lab::tool::go::{Module, Source};
use serde::{Serialize, de::DeserializeOwned};

/// BuildKit's parsers as programs.
const MOBY: Module = Module {
    name: "moby",
    version: "0.34.2",
    source: Source::Folder { folder: "tools/moby", packages: &["./ignore", "./dockerfile"], flags: "-s -w" },
};

/// What `program` answers to each question.
fn answers<Q: Serialize, A: DeserializeOwned>(program: &str, questions: &[Q]) -> Vec<A> {
    let program = MOBY.install(&Cache::from_env().unwrap(), program).unwrap();
    let lines: Vec<String> =
        questions.iter().map(|question| serde_json::to_string(question).unwrap()).collect();
    let said = run_with_input(&mut Command::new(program), SHORT, |input| {
        input.write_all(lines.join("\n").as_bytes())?;
        Ok(())
    });
    let answers: Vec<A> = said.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), questions.len());
    answers
}

/// Numbers by chance, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// Up to `most` of these, joined.
    fn text(&mut self, from: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.pick(from)).collect()
    }
}
