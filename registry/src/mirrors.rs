//! Registries that have copies of what others have.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    error::ErrorKind,
    names::{Host, Repository},
    settings::NetworkError,
};

/// Where to read from first what a registry has: `docker.io` from `123456789012.dkr.ecr.eu-central-1.amazonaws.com/hub`.
///
/// Only content that is known by its digest is read from a mirror, so that none can pass something else off: what a tag
/// is, the registry itself says. What a mirror has not, or gets wrong, comes from the registry. Nothing is ever sent to a
/// mirror. Mirrors are registries like others: they have credentials and endpoints of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors(BTreeMap<Host, Vec<Mirror>>);

/// A host, or a host and the start of names there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirror(String);

impl Mirrors {
    /// Adds a mirror, `host` or `host/start-of-names`, after those that the registry has.
    pub fn with(mut self, registry: Host, mirror: &str) -> Result<Self, NetworkError> {
        let mirror = Mirror(mirror.trim_end_matches('/').to_owned());
        let error = |cause| NetworkError::Mirror { mirror: mirror.0.clone(), cause };
        mirror.repository("name").map_err(error)?;
        self.0.entry(registry).or_default().push(mirror);
        Ok(self)
    }

    /// The repository as its registry's mirrors have it.
    fn of(&self, repository: &Repository) -> impl Iterator<Item = Repository> {
        let mirrors = self.0.get(repository.host()).into_iter().flatten();
        mirrors.filter_map(|mirror| mirror.repository(repository.name()).ok()) // names may get too long
    }
}

impl Mirror {
    fn repository(&self, name: &str) -> Result<Repository, crate::names::NameError> {
        format!("{}/{name}", self.0).parse()
    }
}

/// Mirrors, and those of them that are left alone for now.
pub(crate) struct MirrorsInUse {
    mirrors: Mirrors,
    resting: Mutex<HashMap<Host, Instant>>,
}

/// For how long a mirror is left alone that gave no answer, or none that helps.
const REST: Duration = Duration::from_mins(1);
/// And one that gave other content than was asked for.
const LONG_REST: Duration = Duration::from_hours(24);

impl MirrorsInUse {
    pub(crate) fn new(mirrors: Mirrors) -> Self {
        Self { mirrors, resting: Mutex::default() }
    }

    /// Where to look before the repository itself, the first first.
    pub(crate) fn of(&self, repository: &Repository) -> Vec<Repository> {
        self.of_at(Instant::now(), repository)
    }

    fn of_at(&self, now: Instant, repository: &Repository) -> Vec<Repository> {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let rests = |mirror: &Repository| resting.get(mirror.host()).is_some_and(|until| now < *until);
        self.mirrors.of(repository).filter(|mirror| !rests(mirror)).collect()
    }

    /// A mirror did not help.
    pub(crate) fn failed(&self, mirror: &Repository, kind: &ErrorKind) {
        self.failed_at(Instant::now(), mirror, kind);
    }

    fn failed_at(&self, now: Instant, mirror: &Repository, kind: &ErrorKind) {
        let rest = match kind {
            ErrorKind::ImageMissing | ErrorKind::RepositoryMissing(_) | ErrorKind::ContentMissing(_) => {
                return;
            }
            ErrorKind::DigestMismatch { .. } | ErrorKind::SizeMismatch { .. } => LONG_REST,
            _ => REST,
        };
        tracing::warn!(%mirror, error = %kind, ?rest, "a mirror does not help");
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.insert(mirror.host().clone(), now + rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_mirrors() {
        let check = |mirrors: &[&str], repository: &str, expected: &[&str]| {
            let hub = Host::docker_hub();
            let add = |mirrors: Mirrors, mirror: &&str| mirrors.with(hub.clone(), mirror).unwrap();
            let mirrors = mirrors.iter().fold(Mirrors::default(), add);
            let repository = repository.parse().unwrap();
            let found = mirrors.of(&repository).map(|mirror| mirror.to_string());
            assert_eq!(found.collect::<Vec<_>>(), expected, "{repository}");
        };
        check(&[], "docker.io/library/debian", &[]);
        check(&["mirror.io"], "ghcr.io/a/b", &[]);
        check(&["mirror.io"], "docker.io/library/debian", &["mirror.io/library/debian"]);
        check(
            &["127.0.0.1:5000/", "mirror.io/hub/x"],
            "docker.io/a/b",
            &["127.0.0.1:5000/a/b", "mirror.io/hub/x/a/b"],
        );
    }

    #[test]
    fn what_is_no_mirror_is_refused() {
        for mirror in ["", "https://mirror.io", "mirror.io/UPPER", "mirror.io/a b"] {
            let error = Mirrors::default().with(Host::docker_hub(), mirror).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("mirror `{mirror}` is not of the form host[/start-of-names]")
            );
        }
    }

    #[test]
    fn one_that_does_not_help_rests() {
        let (start, repository): (_, Repository) =
            (Instant::now(), "docker.io/library/debian".parse().unwrap());
        let mirrors = Mirrors::default().with(Host::docker_hub(), "mirror.io").unwrap();
        let mirrors = MirrorsInUse::new(mirrors);
        let mirror = mirrors.of_at(start, &repository).remove(0);
        let other = ErrorKind::SizeMismatch { expected: 1, actual: 2 };
        for (kind, rest) in [
            (ErrorKind::ImageMissing, Duration::ZERO),
            (ErrorKind::Throttled(String::new()), REST),
            (other, LONG_REST),
        ] {
            mirrors.failed_at(start, &mirror, &kind);
            let asked = |after| !mirrors.of_at(start + after, &repository).is_empty();
            assert_eq!((asked(rest), asked(rest / 2)), (true, rest.is_zero()), "{kind}");
        }
    }
}
