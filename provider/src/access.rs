//! What the provider's configuration gives its resources: the way to registries and to builders.

use std::sync::atomic::{AtomicBool, Ordering};

use ecr_registry::{Error, Outcome, Registry};
use image_build::{Builder, Cache};
use tfplugin_rs::{ClientCapabilities, Diagnostic, Diagnostics};

use crate::{
    image::Client,
    report::{Report, details},
};

/// Made once, by configure.
pub(crate) struct Access {
    /// `None` while a setting of the provider is unknown: then nothing is asked, and less is known at plan.
    pub(crate) registry: Option<Registry>,
    pub(crate) builder: Builder,
    /// What earlier runs know of files.
    pub(crate) cache: Cache,
    tells_walks_apart: bool,
    refreshed: AtomicBool,
    warned: AtomicBool,
}

impl Access {
    pub(crate) fn new(
        registry: Option<Registry>,
        builder: Builder,
        cache: Cache,
        terraform_version: &str,
    ) -> Self {
        Self {
            registry,
            builder,
            cache,
            tells_walks_apart: tells_walks_apart(terraform_version),
            refreshed: AtomicBool::new(false),
            warned: AtomicBool::new(false),
        }
    }

    /// Way to registries, for work that cannot be put off.
    pub(crate) fn registry(&self) -> Result<&Registry, Diagnostics> {
        self.registry.as_ref().ok_or_else(|| {
            let detail = "They have to be known before anything can be looked up or changed in a registry.";
            Diagnostic::error("The provider's settings are not known yet", detail).into()
        })
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
                if !self.warned.swap(true, Ordering::Relaxed) {
                    diagnostics.push(unasked(error));
                }
                Ok(())
            }
            Outcome::ImageGone | Outcome::TagGone => Ok(()),
            Outcome::Other => Err(error.report().into()),
        }
    }
}

fn unasked(error: &Error) -> Diagnostic {
    let summary = "The registry could not be asked, so images are taken to be as state has them";
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
