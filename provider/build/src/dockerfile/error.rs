//! What can be wrong with a Dockerfile, and where.

use std::fmt;

/// A mistake in a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct DockerfileError {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No such instruction.
    #[error("unknown instruction `{word}`")]
    UnknownInstruction {
        /// What stands in its place.
        word: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// No such flag of this instruction.
    #[error("{instruction} has no flag `--{flag}`")]
    UnknownFlag {
        /// The instruction.
        instruction: &'static str,
        /// The flag.
        flag: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// A flag that is written wrongly.
    #[error("flag `--{flag}` {what}")]
    Flag {
        /// The flag.
        flag: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An instruction that is written wrongly.
    #[error("{instruction} {what}")]
    Instruction {
        /// The instruction.
        instruction: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A value that is not of its kind.
    #[error("`{value}` is no {what}")]
    Value {
        /// What is written.
        value: String,
        /// What it should be.
        what: &'static str,
    },
    /// A directive, such as `# escape=`, that is written wrongly.
    #[error("directive `{name}` {what}")]
    Directive {
        /// Its name.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A here-document whose end is missing.
    #[error("the here-document is not ended by a line `{0}`")]
    Heredoc(String),
    /// A text with variables that cannot be worked out.
    #[error(transparent)]
    Expansion(#[from] ExpansionError),
    /// No stage of this name, or number, at this place.
    #[error("there is no stage `{stage}`")]
    NoStage {
        /// The stage asked for.
        stage: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// A stage that takes from itself or from a later one.
    #[error("stage `{0}` has to come before what copies from it")]
    LaterStage(String),
    /// Nothing to build.
    #[error("there is no FROM")]
    Empty,
}

impl DockerfileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match &self.problem {
            Problem::UnknownInstruction { near: Some(near), .. } => Some(format!("did you mean {near}?")),
            Problem::UnknownFlag { near: Some(near), .. } => Some(format!("did you mean `--{near}`?")),
            Problem::NoStage { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Problem::UnknownInstruction { .. } | Problem::UnknownFlag { .. } => Some(
                "where the builder knows it, say so in the first line: `# syntax=docker/dockerfile:1`"
                    .to_owned(),
            ),
            Problem::Empty => Some("begin with `FROM scratch`, or with the name of an image".to_owned()),
            Problem::Flag { .. }
            | Problem::Instruction { .. }
            | Problem::Value { .. }
            | Problem::Directive { .. }
            | Problem::Heredoc(_)
            | Problem::Expansion(_)
            | Problem::NoStage { .. }
            | Problem::LaterStage(_) => None,
        }
    }
}

/// A text whose variables or quotes cannot be worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpansionError {
    /// A quote or brace that is not closed.
    Unclosed(char),
    /// `${` and then no name.
    BadSubstitution,
    /// `${name` and then something that is not known.
    UnknownModifier(String),
    /// `${name?message}` where there is no such variable.
    Required {
        /// The variable.
        name: String,
        /// What to say then.
        message: String,
    },
    /// A pattern in `${name#pattern}` that cannot be understood.
    BadPattern(String),
    /// More text than any instruction needs.
    TooLong,
    /// The value of this variable is known to the builder alone.
    Unknown(String),
}

impl std::error::Error for ExpansionError {}

impl fmt::Display for ExpansionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed(what) => write!(f, "`{what}` is missing"),
            Self::BadSubstitution => f.write_str("`${` is not followed by a name"),
            Self::UnknownModifier(modifier) => write!(f, "`{modifier}` in `${{…}}` is not known"),
            Self::Required { name, message } => write!(f, "variable `{name}` {message}"),
            Self::BadPattern(pattern) => write!(f, "pattern `{pattern}` in `${{…}}` is malformed"),
            Self::TooLong => f.write_str("the values of its variables make a text of more than a mebibyte"),
            Self::Unknown(name) => write!(f, "the value of `{name}` is not known here"),
        }
    }
}
