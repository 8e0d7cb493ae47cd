//! What the provider's configuration gives its resources: the way to registries and to builders.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ecr_registry::{Digest, Error, Outcome, Registry, Repository, Tag};
use image_build::{Builder, Cache, Recipe, SourceHash};
use tfplugin_rs::{ClientCapabilities, Diagnostic, Diagnostics};

use crate::{
    argument::{Place, PrivateRepository, Unfit},
    home::Home,
    image::Client,
    report::{Report, details},
};

/// What the provider's settings lead to.
#[derive(Default)]
pub(crate) struct Ways {
    /// `None` while a setting that decides about it is unknown: then nothing is asked, and less is known at plan.
    pub(crate) registry: Option<Registry>,
    /// As for `registry`.
    pub(crate) home: Option<Home>,
    pub(crate) builder: Builder,
    /// What earlier runs know of files.
    pub(crate) cache: Cache,
    /// `None` while they are unknown.
    pub(crate) default_labels: Option<BTreeMap<String, String>>,
    /// `None` where images carry none.
    pub(crate) source_tag: Option<SourceTag>,
}

/// What the tag of an image's source hash begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceTag(pub(crate) String);

/// Made once, by configure.
pub(crate) struct Access {
    ways: Ways,
    tells_walks_apart: bool,
    refreshed: AtomicBool,
    /// What was warned of: each is said once.
    warned: Mutex<BTreeSet<String>>,
    /// For what each tag is wanted.
    claimed: Mutex<BTreeMap<(Repository, Tag), Recipe>>,
    /// The images that were created or updated here.
    made: Mutex<BTreeSet<(Repository, Digest)>>,
}

impl Default for SourceTag {
    fn default() -> Self {
        Self("src-".to_owned())
    }
}

impl SourceTag {
    /// The tag by which any machine finds the image of a hash again.
    pub(crate) fn of(&self, hash: &SourceHash) -> Tag {
        hash.tag(&self.0).expect("a short start of a tag, a number and 64 digits make a tag")
    }
}

impl std::ops::Deref for Access {
    type Target = Ways;

    fn deref(&self) -> &Ways {
        &self.ways
    }
}

impl Access {
    pub(crate) fn new(ways: Ways, terraform_version: &str) -> Self {
        Self {
            ways,
            tells_walks_apart: tells_walks_apart(terraform_version),
            refreshed: AtomicBool::new(false),
            warned: Mutex::default(),
            claimed: Mutex::default(),
            made: Mutex::default(),
        }
    }

    /// Way to registries, for work that cannot be put off.
    pub(crate) fn registry(&self) -> Result<&Registry, Diagnostics> {
        self.registry.as_ref().ok_or_else(unsettled)
    }

    /// The repository that is meant: `registry/name`, or a name in the provider's own account and region.
    ///
    /// # Errors
    /// Where it is none, or the account is not known.
    pub(crate) async fn repository(&self, text: &str) -> Result<Repository, Diagnostics> {
        if !is_bare(text) {
            return text.parse().map_err(|error: ecr_registry::NameError| error.report().into());
        }
        let home = self.home.as_ref().ok_or_else(unsettled)?;
        let registry = home.registry().await.map_err(|error| error.report())?;
        Repository::new(registry, text).map_err(|error| error.report().into())
    }

    /// The same for a repository that has to be one of ECR.
    pub(crate) async fn private(&self, place: &Place) -> Result<PrivateRepository, Diagnostics> {
        match place {
            Place::There(repository) => Ok(repository.clone()),
            Place::Home(name) => {
                let repository = self.repository(name).await?;
                repository.to_string().parse().map_err(|error: Unfit| error.report().into())
            }
        }
    }

    /// Adds a warning, unless this process gave it before about the same thing.
    pub(crate) fn warn(&self, about: &str, warning: Diagnostic, diagnostics: &mut Diagnostics) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(format!("{about}\0{}", warning.summary)) {
            diagnostics.push(warning);
        }
    }

    /// Whether a tag can be that of the image of this recipe: another one may want it as well.
    pub(crate) fn claims(&self, repository: &Repository, tag: &Tag, recipe: &Recipe) -> bool {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.entry((repository.clone(), tag.clone())).or_insert_with(|| recipe.clone()) == recipe
    }

    /// Remembers an image as one that the configuration has, so that nothing else takes it away.
    pub(crate) fn note_made(&self, repository: &Repository, image: Digest) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert((repository.clone(), image));
    }

    /// Whether it is one of those.
    pub(crate) fn made_here(&self, repository: &Repository, image: &Digest) -> bool {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).contains(&(repository.clone(), *image))
    }

    /// Remembers that this process reads resources: private data is of the plan that is being made.
    pub(crate) fn note_refresh(&self) {
        self.refreshed.store(true, Ordering::Relaxed);
    }

    /// What is known of the program that asks.
    pub(crate) fn client(&self, capabilities: ClientCapabilities) -> Client {
        Client {
            stores_planned_private: capabilities.stores_planned_private,
            surely_planning: self.tells_walks_apart && !capabilities.deferral_allowed,
            refreshed: self.refreshed.load(Ordering::Relaxed),
        }
    }

    /// Passes over a registry that cannot be asked, with one warning for all that this process asks.
    ///
    /// # Errors
    /// Any other failure.
    pub(crate) fn tolerate(&self, error: &Error, diagnostics: &mut Diagnostics) -> Result<(), Diagnostics> {
        match error.outcome() {
            Outcome::NotAllowed | Outcome::NoAnswer => {
                self.warn("", unasked(error), diagnostics);
                Ok(())
            }
            Outcome::ImageGone | Outcome::TagGone => Ok(()),
            Outcome::Other => Err(error.report().into()),
        }
    }
}

fn unsettled() -> Diagnostics {
    let detail = "They have to be known before anything can be looked up or changed in a registry.";
    Diagnostic::error("The provider's settings are not known yet", detail).into()
}

/// Whether a repository is written without its registry.
pub(crate) fn is_bare(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or(text);
    !first.contains(['.', ':']) && !first.eq_ignore_ascii_case("localhost")
}

fn unasked(error: &Error) -> Diagnostic {
    let summary = match error.outcome() {
        Outcome::NotAllowed => "The registry may not be asked, so images are taken to be as state has them",
        _ => "The registry gives no answer, so images are taken to be as state has them",
    };
    Diagnostic::warning(summary, format!("{error}\n{}", details(error, error.hint())))
}

/// Whether a program of this version says in each call if it plans or applies.
///
/// Terraform does since 1.9. OpenTofu never does, and names a Terraform version: its own up to 1.11,
/// then a first release of a minor version, "1.13.0".
fn tells_walks_apart(version: &str) -> bool {
    let mut parts = version.split(['.', '-']).map(|part| part.parse::<u64>().ok());
    let mut next = || parts.next().flatten().unwrap_or(0);
    let (major, minor, patch) = (next(), next(), next());
    (major, minor) >= (1, 12) && patch > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_who_tells_walks_apart() {
        for (version, expected) in [
            ("1.15.9", true),
            ("1.12.1", true),
            ("1.13.0", false),
            ("1.11.4", false),
            ("1.16.0-rc2", false),
            ("", false),
            ("2.0.1", true),
        ] {
            assert_eq!(tells_walks_apart(version), expected, "{version}");
        }
    }
}
