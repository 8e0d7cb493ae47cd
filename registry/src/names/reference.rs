use std::{fmt, str::FromStr};

use super::{Digest, Host, NameError, Noun, Problem, Repository, Tag};

/// An image as it was named: a repository, and a tag, a digest, both or neither.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Where the image is.
    pub repository: Repository,
    /// The tag, if one was named.
    pub tag: Option<Tag>,
    /// The digest, if one was named; it decides, whatever the tag says.
    pub digest: Option<Digest>,
}

/// What a registry is asked for an image by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// The image the tag points at now.
    Tag(Tag),
    /// This image and no other.
    Digest(Digest),
}

impl Reference {
    /// The reference to one image by its digest.
    pub fn pinned(repository: Repository, digest: Digest) -> Self {
        Self { repository, tag: None, digest: Some(digest) }
    }

    /// What to ask the registry for: the digest, else the tag, else `latest`.
    pub fn version(&self) -> Version {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => Version::Digest(*digest),
            (None, Some(tag)) => Version::Tag(tag.clone()),
            (None, None) => Version::Tag(Tag::latest()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl FromStr for Reference {
    type Err = NameError;

    /// Parses `[host/]name[:tag][@digest]`. Without a host it is Docker Hub's, and a name of one part is one
    /// of its official images: `debian:12` is `docker.io/library/debian:12`.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let error = |problem| NameError::new(Noun::Reference, text, problem);
        if text.is_empty() {
            return Err(error(Problem::Empty));
        }
        if text.contains("://") {
            let (_, rest) = text.split_once("://").unwrap_or_default();
            return Err(error(Problem::Url).suggest::<Self>(rest));
        }
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest.parse()?)),
            None => (text, None),
        };
        let (repository, tag) = match named.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.parse()?)),
            _ => (named, None),
        };
        let full = with_defaults(repository);
        let added = full.len().saturating_sub(repository.len());
        let repository = full.parse::<Repository>().map_err(|cause| {
            let guess = cause.near_miss.and_then(|near_miss| near_miss.parse().ok());
            let guess = guess.map(|repository| Self { repository, tag: tag.clone(), digest }.to_string());
            error(cause.problem.shifted_back(added)).suggest::<Self>(guess.unwrap_or_default())
        })?;
        Ok(Self { repository, tag, digest })
    }
}

/// Adds the host, and the folder of official images, that Docker has always left out.
fn with_defaults(repository: &str) -> String {
    match repository.split_once('/') {
        Some((first, rest)) if Host::is_meant_by(first) => match first.parse::<Host>() {
            Ok(host) if host.is_docker_hub() && !rest.contains('/') => format!("{host}/library/{rest}"),
            _ => repository.to_owned(),
        },
        Some(_) => format!("{}/{repository}", Host::docker_hub()),
        None => format!("{}/library/{repository}", Host::docker_hub()),
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "{tag}"),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

impl FromStr for Version {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains(':') { text.parse().map(Self::Digest) } else { text.parse().map(Self::Tag) }
    }
}

impl From<Tag> for Version {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Version {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn parses() {
        let check = |text: &str, expected: &str| {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), expected, "{text}");
            assert_eq!(expected.parse::<Reference>().unwrap(), reference, "{text}");
        };
        check("debian", "docker.io/library/debian");
        check("debian:12", "docker.io/library/debian:12");
        check("docker.io/debian:12", "docker.io/library/debian:12");
        check("index.docker.io/debian:12", "docker.io/library/debian:12");
        check("bitnami/redis", "docker.io/bitnami/redis");
        check("localhost/a", "localhost/a");
        check("localhost:5000/a:1", "localhost:5000/a:1");
        check("localhost:5000/a", "localhost:5000/a");
        check("GHCR.IO/a/b:X", "ghcr.io/a/b:X");
        check(&format!("debian@sha256:{HEX}"), &format!("docker.io/library/debian@sha256:{HEX}"));
        check(&format!("debian:12@sha256:{HEX}"), &format!("docker.io/library/debian:12@sha256:{HEX}"));
        check(
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web:1.8",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web:1.8",
        );
    }

    #[test]
    fn refuses_with_a_near_miss() {
        let check = |text: &str, message: &str, near_miss: Option<&str>| {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.near_miss.as_deref(), near_miss, "{text}");
        };
        check("", "image reference `` is empty", None);
        check("https://ghcr.io/a:1", "image reference `https://ghcr.io/a:1` is a URL", Some("ghcr.io/a:1"));
        check("debian:", "tag `` is empty", None);
        check("debian@", "digest `` is empty", None);
        check(
            "debian@sha256:12",
            "digest `sha256:12` has 2 hexadecimal digits after `sha256:`, not 64",
            None,
        );
        check(
            "Debian:12",
            "image reference `Debian:12` has 'D' at position 1, where a lower-case letter or a digit may stand",
            Some("docker.io/library/debian:12"),
        );
        check(
            "ghcr.io/:1",
            "image reference `ghcr.io/:1` names a registry host but no repository in it",
            None,
        );
        check(
            "1234.dkr.ecr.us-east-1.amazonaws.com/a:1",
            "image reference `1234.dkr.ecr.us-east-1.amazonaws.com/a:1` looks like ECR, but is not \
             ACCOUNT.dkr.ecr.REGION.amazonaws.com with an account of 12 digits and the ending of its region",
            None,
        );
    }

    #[test]
    fn the_digest_decides() {
        let check = |text: &str, expected: &str| {
            assert_eq!(text.parse::<Reference>().unwrap().version(), expected.parse().unwrap());
        };
        check("debian", "latest");
        check("debian:12", "12");
        check(&format!("debian:12@sha256:{HEX}"), &format!("sha256:{HEX}"));
    }
}
