use std::{fmt, str::FromStr};

use super::{Host, NameError, Noun, Problem};

/// A repository: the registry's host and the name in it, `host/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    host: Host,
    name: String,
}

impl Repository {
    /// The longest name a registry takes, in characters; ECR's limit.
    pub const MAX_NAME_LENGTH: usize = 256;

    /// The repository of this name in this registry.
    pub fn new(host: Host, name: &str) -> Result<Self, NameError> {
        match name_problem(name) {
            None => Ok(Self { host, name: name.to_owned() }),
            Some(problem) => {
                let text = format!("{host}/{name}");
                let guess = near_miss(&text);
                Err(NameError::new(Noun::Repository, &text, problem.shifted(host.as_str().len() + 1))
                    .suggest::<Self>(guess))
            }
        }
    }

    /// The registry's host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The name inside the registry, without the host.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

impl FromStr for Repository {
    type Err = NameError;

    /// Parses `host/name`. The host has to be there: what is pushed to or deleted from is never guessed.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let error =
            |problem| Err(NameError::new(Noun::Repository, text, problem).suggest::<Self>(near_miss(text)));
        if text.is_empty() {
            return error(Problem::Empty);
        }
        if text.contains("://") {
            return error(Problem::Url);
        }
        let (first, name) = text.split_once('/').unwrap_or((text, ""));
        if !Host::is_meant_by(first) {
            return error(Problem::NoHost);
        }
        if name.is_empty() {
            return error(Problem::NoRepository);
        }
        if name.contains(['@', ':']) {
            return error(Problem::NotOnlyRepository);
        }
        match (first.parse(), name_problem(name)) {
            (Ok(host), None) => Ok(Self { host, name: name.to_owned() }),
            (Ok(_), Some(problem)) => error(problem.shifted(first.len() + 1)),
            (Err(host), _) => error(host.problem),
        }
    }
}

/// The problem with a name inside a registry, positions counted in the name.
pub(super) fn name_problem(name: &str) -> Option<Problem> {
    if name.is_empty() {
        return Some(Problem::NoRepository);
    }
    let length = name.len();
    if length > Repository::MAX_NAME_LENGTH {
        return Some(Problem::TooLong { length, limit: Repository::MAX_NAME_LENGTH });
    }
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut run = String::new(); // the separators since the last letter or digit
    let mut in_component = false;
    for (index, character) in name.chars().enumerate() {
        if is_word(character) {
            run.clear();
            in_component = true;
            continue;
        }
        run.push(character);
        let fits = in_component && (is_separator(&run) || (character == '/' && run.len() == 1));
        if !fits {
            let allowed = if in_component && run.len() == 1 {
                "a lower-case letter, a digit, . _ - or /"
            } else {
                "a lower-case letter or a digit"
            };
            return Some(Problem::Character { character, position: index + 1, allowed });
        }
        if character == '/' {
            run.clear();
            in_component = false;
        }
    }
    (!run.is_empty() || !in_component)
        .then_some(Problem::Unfinished { expected: "a lower-case letter or a digit" })
}

/// `.`, `_`, `__` or any number of hyphens.
fn is_separator(run: &str) -> bool {
    matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-')
}

fn near_miss(text: &str) -> String {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.split_once('@').map_or(text, |(rest, _)| rest);
    let text = match text.rsplit_once(':') {
        Some((rest, tag)) if !tag.contains('/') && rest.contains('/') => rest,
        _ => text,
    };
    let text = text.trim_matches('/').to_ascii_lowercase();
    match text.split_once('/') {
        Some((first, _)) if Host::is_meant_by(first) => text,
        Some(_) => format!("docker.io/{text}"),
        None if Host::is_meant_by(&text) => text,
        None => format!("docker.io/library/{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

    #[test]
    fn parses() {
        let check = |text: &str, host: &str, name: &str| {
            let repository: Repository = text.parse().unwrap();
            assert_eq!((repository.host().as_str(), repository.name()), (host, name));
            assert_eq!(repository.to_string(), text);
            assert_eq!(Repository::new(host.parse().unwrap(), name).unwrap(), repository);
        };
        check("docker.io/library/debian", "docker.io", "library/debian");
        check(&format!("{ECR}/shop/web"), ECR, "shop/web");
        check("localhost/a", "localhost", "a");
        check("127.0.0.1:5000/a.b_c__d---e/f", "127.0.0.1:5000", "a.b_c__d---e/f");
        check("ghcr.io/0", "ghcr.io", "0");
    }

    #[test]
    fn refuses_with_a_near_miss() {
        let check = |text: &str, message: &str, near_miss: Option<&str>| {
            let error = text.parse::<Repository>().unwrap_err();
            assert_eq!(error.to_string(), format!("repository `{text}` {message}"));
            assert_eq!(error.near_miss.as_deref(), near_miss, "{text}");
        };
        let inner = |c: char, position: usize| {
            format!(
                "has {c:?} at position {position}, where a lower-case letter, a digit, . _ - or / may stand"
            )
        };
        let word = |c: char, position: usize| {
            format!("has {c:?} at position {position}, where a lower-case letter or a digit may stand")
        };
        check("", "is empty", None);
        check("debian", "names no registry host", Some("docker.io/library/debian"));
        check("shop/web", "names no registry host", Some("docker.io/shop/web"));
        check("ghcr.io", "names a registry host but no repository in it", None);
        check("ghcr.io/", "names a registry host but no repository in it", None);
        check("https://ghcr.io/a/b", "is a URL", Some("ghcr.io/a/b"));
        check("ghcr.io/a:1.0", "has a tag or digest, where a repository alone is meant", Some("ghcr.io/a"));
        check(
            "ghcr.io/a@sha256:00",
            "has a tag or digest, where a repository alone is meant",
            Some("ghcr.io/a"),
        );
        check("ghcr.io/Shop", &word('S', 9), Some("ghcr.io/shop"));
        check("ghcr.io/sHop", &inner('H', 10), Some("ghcr.io/shop"));
        check("ghcr.io/a..b", &word('.', 11), None);
        check("ghcr.io/a___b", &word('_', 12), None);
        check("ghcr.io/a//b", &word('/', 11), None);
        check("ghcr.io/a/", "ends where a lower-case letter or a digit is expected", Some("ghcr.io/a"));
        check("ghcr.io/a-", "ends where a lower-case letter or a digit is expected", None);
        check("ghcr.io/-a", &word('-', 9), None);
        check("ghcr.io/a b", &inner(' ', 10), None);
        check("ghcr.io/a/../b", &word('.', 11), None);
        check(&format!("ghcr.io/{}", "a".repeat(257)), "has 257 characters, the limit is 256", None);
        assert_eq!(
            Repository::new("ghcr.io".parse().unwrap(), "Shop").unwrap_err().to_string(),
            "repository `ghcr.io/Shop` has 'S' at position 9, where a lower-case letter or a digit may stand"
        );
    }
}
