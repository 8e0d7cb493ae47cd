//! Reads Dockerfiles: every instruction and flag of BuildKit's own frontend, and nothing run or fetched.
//!
//! [`Dockerfile::parse`] knows the language, `reach` which part of the context a build can see. What this accepts
//! and refuses is what BuildKit does; what it says is ours: line, column, and what was probably meant.

mod error;
mod flags;
mod health;
mod heredoc;
mod images;
mod instruction;
mod lex;
mod lines;
mod mount;
mod near;
pub(crate) mod reach;
mod read;
mod split;
pub(crate) mod stages;

pub use error::{DockerfileError, ExpansionError, Problem};
#[cfg(test)]
pub(crate) use flags::FLAGS;
pub use instruction::{
    Add, Argument, Check, Command, Copy, Healthcheck, Heredoc, Instruction, Pair, Run, Transfer, Trigger,
};
pub(crate) use lex::Lex;
pub use lex::Variable;
pub use lines::Directives;
pub(crate) use near::nearest;

#[cfg(test)]
pub(crate) use self::read::KEYWORDS as INSTRUCTIONS;
use self::read::Read;

/// A Dockerfile, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// What the comments at its beginning say.
    pub directives: Directives,
    /// The `ARG`s before the first `FROM`.
    pub arguments: Vec<Argument>,
    /// At least one.
    pub stages: Vec<Stage>,
}

/// What one `FROM` begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// An image, another stage, or `scratch`. May hold variables.
    pub base: String,
    /// In lower case.
    pub name: Option<String>,
    /// `--platform`. May hold variables.
    pub platform: Option<String>,
    /// Its instructions.
    pub steps: Vec<Step>,
    /// The first and the last line of the `FROM`, counted from 1.
    pub lines: (u32, u32),
}

/// An instruction and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it says.
    pub instruction: Instruction,
    /// As written, without here-documents.
    pub text: String,
    /// The first and the last line, here-documents included, counted from 1.
    pub lines: (u32, u32),
}

impl Dockerfile {
    /// Reads a Dockerfile.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn parse(text: &str) -> Result<Self, DockerfileError> {
        let (directives, instructions) = lines::read(text)?;
        let mut dockerfile = Self { directives, arguments: Vec::new(), stages: Vec::new() };
        for (logical, split) in &instructions {
            match read::read(logical, split)? {
                Read::From { base, name, platform } => {
                    dockerfile.stages.push(Stage {
                        base,
                        name,
                        platform,
                        steps: Vec::new(),
                        lines: logical.lines,
                    });
                }
                Read::Instruction(instruction) => match (dockerfile.stages.last_mut(), instruction) {
                    (Some(stage), instruction) => {
                        let text = logical.text.trim().to_owned();
                        stage.steps.push(Step { instruction, text, lines: logical.lines });
                    }
                    (None, Instruction::Arg(arguments)) => dockerfile.arguments.extend(arguments),
                    (None, instruction) => {
                        let what = "comes before the first FROM; only ARG may";
                        let problem = Problem::Instruction { instruction: instruction.keyword(), what };
                        return Err(logical.error(0, problem));
                    }
                },
            }
        }
        if dockerfile.stages.is_empty() {
            return Err(DockerfileError { line: 1, column: 1, problem: Problem::Empty });
        }
        Ok(dockerfile)
    }

    /// The frontend that `# syntax=` names, whether or not the rest can be read.
    pub fn syntax(text: &str) -> Option<String> {
        lines::syntax(text)
    }

    /// The names of the stages.
    pub fn stage_names(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().filter_map(|stage| stage.name.as_deref())
    }
}

#[cfg(test)]
mod tests;
