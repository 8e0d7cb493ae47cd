//! The pipeline that runs us: what we say to it, and what of others' words it must not take for that.

use std::{
    env,
    fs::OpenOptions,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;

/// Whose log we write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ci {
    /// GitHub Actions: a line that begins with `::`, and one with `##[` anywhere, is a command to it.
    GitHub,
    /// GitLab: its commands begin with an escape sequence, which is taken out of all that is shown.
    GitLab,
    /// A terminal, or a pipeline whose log is only shown.
    None,
}

/// Whose words we use, as it is typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CiChoice {
    /// Those of the pipeline that the environment tells of.
    #[default]
    Auto,
    /// GitHub's: a group for helm's log, annotations, a summary of the step, its outputs.
    #[value(name = "github")]
    GitHub,
    /// GitLab's: a section for helm's log, and a dotenv report into the file that `EKS_DEPLOY_DOTENV` names.
    #[value(name = "gitlab")]
    GitLab,
    /// Nobody's.
    None,
}

impl CiChoice {
    /// Who that is.
    pub(crate) fn resolve(self) -> Ci {
        match self {
            Self::Auto => Ci::of_environment(),
            Self::GitHub => Ci::GitHub,
            Self::GitLab => Ci::GitLab,
            Self::None => Ci::None,
        }
    }
}

impl Ci {
    /// The one that says so in the environment.
    pub(crate) fn of_environment() -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| value == "true");
        match (is_set("GITHUB_ACTIONS"), is_set("GITLAB_CI")) {
            (true, _) => Self::GitHub,
            (false, true) => Self::GitLab,
            (false, false) => Self::None,
        }
    }

    /// Words of others, shown so that nothing in them is a command.
    pub(crate) fn quoted(self, text: &str) -> String {
        if self != Self::GitHub || !text.lines().any(is_command) {
            return text.to_owned();
        }
        // Nobody who wrote the text knew what ends the quotation.
        let end = random();
        format!("::stop-commands::{end}\n{text}\n::{end}::")
    }

    /// The same of one line among others that come as they come.
    pub(crate) fn harmless(self, line: &str) -> String {
        if self == Self::GitHub && is_command(line) {
            line.replace("::", ": :").replace("##[", "# #[")
        } else {
            line.to_owned()
        }
    }

    /// What begins a part of the log that can be folded.
    pub(crate) fn begin(self, title: &str) -> Option<String> {
        match self {
            Self::GitHub => Some(format!("::group::{}", data(title))),
            Self::GitLab => Some(format!("{}{title}", section("start"))),
            Self::None => None,
        }
    }

    /// What ends that part.
    pub(crate) fn end(self) -> Option<String> {
        match self {
            Self::GitHub => Some("::endgroup::".to_owned()),
            Self::GitLab => Some(section("end")),
            Self::None => None,
        }
    }

    /// What marks the job with this; `level` is `error` or `warning`.
    pub(crate) fn annotation(self, level: &str, title: &str, text: &str) -> Option<String> {
        (self == Self::GitHub).then(|| format!("::{level} title={}::{}", property(title), data(text)))
    }

    /// Adds a summary to the page of the job, where there is one.
    pub(crate) fn summarize(self, markdown: &str) -> io::Result<()> {
        if self == Self::GitHub { append("GITHUB_STEP_SUMMARY", markdown) } else { Ok(()) }
    }

    /// Gives values, none of which has more than one line, to later jobs.
    pub(crate) fn give(self, outputs: &[(&str, String)]) -> io::Result<()> {
        let (variable, name): (_, fn(&str) -> String) = match self {
            Self::GitHub => ("GITHUB_OUTPUT", str::to_owned),
            Self::GitLab => ("EKS_DEPLOY_DOTENV", |name| format!("EKS_DEPLOY_{}", name.to_uppercase())),
            Self::None => return Ok(()),
        };
        let line = |(key, value): &(&str, String)| format!("{}={value}\n", name(key));
        append(variable, &outputs.iter().map(line).collect::<String>())
    }
}

fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

fn random() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

fn section(what: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("\x1b[0Ksection_{what}:{now}:eks_deploy\r\x1b[0K")
}

/// A text of GitHub's commands.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// To the file that a variable names, if it does.
fn append(variable: &str, text: &str) -> io::Result<()> {
    let Some(path) = env::var_os(variable).filter(|path| !path.is_empty()) else { return Ok(()) };
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_16_quotes_for_github() {
        assert_eq!(Ci::None.quoted("::error::x"), "::error::x");
        assert_eq!(Ci::GitHub.quoted("a::b"), "a::b");
        for text in ["::error::x", "a\n  ::error::x", "a ##[error]x"] {
            let (first, second) = (Ci::GitHub.quoted(text), Ci::GitHub.quoted(text));
            let (begin, rest) = first.split_once('\n').unwrap();
            let end = begin.strip_prefix("::stop-commands::").unwrap();
            assert_eq!(rest, format!("{text}\n::{end}::"));
            assert_ne!(first, second);
        }
        let check = |line: &str, expected: &str| assert_eq!(Ci::GitHub.harmless(line), expected);
        check(" ::error::x", " : :error: :x");
        check("a ##[error]x", "a # #[error]x");
        check("a::b", "a::b");
        assert_eq!(Ci::GitLab.harmless("::error::x"), "::error::x");
    }

    #[test]
    fn rule_16_what_is_said_cannot_say_more() {
        let said = Ci::GitHub.annotation("error", "a:b,c", "50%\n::warning::x").unwrap();
        assert_eq!(said, "::error title=a%3Ab%2Cc::50%25%0A::warning::x");
        assert_eq!(Ci::GitHub.begin("helm\n::error::").unwrap(), "::group::helm%0A::error::");
        assert_eq!(Ci::GitLab.annotation("error", "a", "b"), None);
        let section = Ci::GitLab.begin("helm").unwrap();
        assert!(
            section.starts_with("\x1b[0Ksection_start:") && section.ends_with(":eks_deploy\r\x1b[0Khelm")
        );
        assert_eq!((Ci::None.begin("helm"), Ci::None.end()), (None, None));
    }
}
