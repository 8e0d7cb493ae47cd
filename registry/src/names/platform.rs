use std::{fmt, str::FromStr};

use super::{NameError, Noun, Problem};

/// The system an image runs on: `os/architecture` or `os/architecture/variant`, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `linux`, `windows`, …
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `v7` of `arm`, `v8` of `arm64`, …
    pub variant: Option<String>,
}

impl Platform {
    /// `linux/amd64`.
    pub fn linux_amd64() -> Self {
        Self { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None }
    }

    /// Whether an image for `other` is an image for this platform: the default variant may be left out.
    pub fn matches(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && self.effective_variant() == other.effective_variant()
    }

    fn effective_variant(&self) -> Option<&str> {
        let default = match self.architecture.as_str() {
            "arm64" => Some("v8"),
            "arm" => Some("v7"),
            "amd64" => Some("v1"),
            _ => None,
        };
        self.variant.as_deref().or(default)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let error = |problem| NameError::new(Noun::Platform, text, problem);
        if text.is_empty() {
            return Err(error(Problem::Empty));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err(error(Problem::PlatformForm).suggest::<Self>(near_miss(text))),
        };
        if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !is_allowed(*c)) {
            let problem = Problem::Character {
                character,
                position: index + 1,
                allowed: "a lower-case letter or a digit",
            };
            return Err(error(problem).suggest::<Self>(near_miss(text)));
        }
        if parts.contains(&"") {
            return Err(error(Problem::PlatformForm).suggest::<Self>(near_miss(text)));
        }
        if canonical(os) != os || canonical(architecture) != architecture {
            return Err(error(Problem::Alias).suggest::<Self>(near_miss(text)));
        }
        Ok(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        })
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '/' | '.' | '_' | '-')
}

/// What uname, Rust and people call a system or an architecture, in the words of images.
fn canonical(part: &str) -> &str {
    match part {
        "x86_64" | "x86-64" | "x64" => "amd64",
        "aarch64" | "armv8" => "arm64",
        "i386" | "i686" | "x86" => "386",
        "armhf" | "armv7" | "armv7l" => "arm",
        "macos" => "darwin",
        part => part,
    }
}

fn near_miss(text: &str) -> String {
    let lower = text.trim().to_ascii_lowercase();
    let parts: Vec<&str> = lower.split('/').filter(|part| !part.is_empty()).map(canonical).collect();
    match parts[..] {
        [architecture @ ("amd64" | "arm64" | "386" | "arm")] => format!("linux/{architecture}"),
        ref parts => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses() {
        for text in ["linux/amd64", "linux/arm64/v8", "windows/amd64", "linux/386", "linux/ppc64le"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_with_a_near_miss() {
        let check = |text: &str, problem: Problem, near_miss: Option<&str>| {
            let error = text.parse::<Platform>().unwrap_err();
            assert_eq!((error.problem, error.near_miss.as_deref()), (problem, near_miss), "{text}");
        };
        let allowed = "a lower-case letter or a digit";
        check("", Problem::Empty, None);
        check("amd64", Problem::PlatformForm, Some("linux/amd64"));
        check("x86_64", Problem::PlatformForm, Some("linux/amd64"));
        check("linux/x86_64", Problem::Alias, Some("linux/amd64"));
        check("linux/aarch64", Problem::Alias, Some("linux/arm64"));
        check("linux/", Problem::PlatformForm, None);
        check("linux//amd64", Problem::PlatformForm, Some("linux/amd64"));
        check("a/b/c/d", Problem::PlatformForm, None);
        check(
            "Linux/AMD64",
            Problem::Character { character: 'L', position: 1, allowed },
            Some("linux/amd64"),
        );
        let comma = Problem::Character { character: ',', position: 12, allowed };
        check("linux/amd64,linux/arm64", comma, None);
    }

    #[test]
    fn a_default_variant_may_be_left_out() {
        let check = |wanted: &str, found: &str, expected: bool| {
            let (wanted, found): (Platform, Platform) = (wanted.parse().unwrap(), found.parse().unwrap());
            assert_eq!(wanted.matches(&found), expected, "{wanted} {found}");
        };
        check("linux/arm64", "linux/arm64/v8", true);
        check("linux/arm/v7", "linux/arm", true);
        check("linux/arm/v6", "linux/arm", false);
        check("linux/amd64", "linux/arm64", false);
        check("linux/amd64", "windows/amd64", false);
        check("linux/amd64/v3", "linux/amd64", false);
    }
}
