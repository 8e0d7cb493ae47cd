use std::fmt;

/// What a text was meant to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// A registry host.
    Host,
    /// A repository: host and name.
    Repository,
    /// A tag.
    Tag,
    /// A digest.
    Digest,
    /// A reference to an image.
    Reference,
    /// A platform.
    Platform,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "registry host",
            Self::Repository => "repository",
            Self::Tag => "tag",
            Self::Digest => "digest",
            Self::Reference => "image reference",
            Self::Platform => "platform",
        })
    }
}

/// Why a text is not the name it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// Longer than any registry takes.
    #[error("has {length} characters, the limit is {limit}")]
    TooLong {
        /// Characters given.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// A character that has no place there.
    #[error("has {character:?} at position {position}, where {allowed} may stand")]
    Character {
        /// The character.
        character: char,
        /// Counted from 1.
        position: usize,
        /// What may stand there.
        allowed: &'static str,
    },
    /// It ends where something has to follow.
    #[error("ends where {expected} is expected")]
    Unfinished {
        /// What has to follow.
        expected: &'static str,
    },
    /// A digest by another algorithm than SHA-256.
    #[error("does not start with `sha256:`")]
    Algorithm,
    /// A digest whose hexadecimal part is too short or too long.
    #[error("has {length} hexadecimal digits after `sha256:`, not 64")]
    DigestLength {
        /// Characters found after the colon.
        length: usize,
    },
    /// A URL where a plain name belongs.
    #[error("is a URL")]
    Url,
    /// A repository without its registry.
    #[error("names no registry host")]
    NoHost,
    /// A host without a repository.
    #[error("names a registry host but no repository in it")]
    NoRepository,
    /// A tag or digest where only a repository belongs.
    #[error("has a tag or digest, where a repository alone is meant")]
    NotOnlyRepository,
    /// A port that is no number from 1 to 65535.
    #[error("has no valid port")]
    Port,
    /// A part between dots that is empty, or starts or ends with a hyphen.
    #[error("has an empty part, or one that starts or ends with a hyphen")]
    Label,
    /// Neither a name nor an address, or an address written in a way that hides it.
    #[error("is neither a valid name nor an address in its usual form")]
    Address,
    /// Almost the host of a private ECR registry.
    #[error(
        "looks like ECR, but is not ACCOUNT.dkr.ecr.REGION.amazonaws.com with an account of 12 digits and the ending of its region"
    )]
    EcrHost,
    /// Not `os/architecture[/variant]`.
    #[error("is not of the form os/architecture or os/architecture/variant")]
    PlatformForm,
    /// A name of an architecture or system that images spell in another way.
    #[error("is spelled differently in images")]
    Alias,
}

impl Problem {
    /// The same problem of a text with `by` more characters in front.
    pub(super) fn shifted(self, by: usize) -> Self {
        match self {
            Self::Character { character, position, allowed } => {
                Self::Character { character, position: position + by, allowed }
            }
            other => other,
        }
    }

    /// The same problem of a text without its first `by` characters.
    pub(super) fn shifted_back(self, by: usize) -> Self {
        match self {
            Self::Character { character, position, allowed } => {
                Self::Character { character, position: position.saturating_sub(by), allowed }
            }
            other => other,
        }
    }
}

/// A text that is not the name it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{noun} `{text}` {problem}")]
pub struct NameError {
    /// What the text was meant to name.
    pub noun: Noun,
    /// The text as given.
    pub text: String,
    /// What is wrong with it.
    pub problem: Problem,
    /// A well-formed text that was probably meant.
    pub near_miss: Option<String>,
}

impl NameError {
    pub(super) fn new(noun: Noun, text: &str, problem: Problem) -> Self {
        Self { noun, text: text.to_owned(), problem, near_miss: None }
    }

    /// Adds a suggestion, if it is one: well formed, and not what was given.
    pub(super) fn suggest<T: std::str::FromStr>(mut self, candidate: impl Into<String>) -> Self {
        let candidate = candidate.into();
        if candidate != self.text && candidate.parse::<T>().is_ok() {
            self.near_miss = Some(candidate);
        }
        self
    }

    /// What to write instead, when that can be guessed.
    pub fn hint(&self) -> Option<String> {
        self.near_miss.as_ref().map(|text| format!("did you mean `{text}`?"))
    }
}
