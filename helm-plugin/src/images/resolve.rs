//! From tags to digests, by asking the registries.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use ecr_registry::{Digest, Endpoints, Outcome, Reference, Registry, Settings};

use crate::{exit::Exit, failure::Explain, talk::warn};

/// A registry did not say what an image is.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct ResolveError(#[from] ecr_registry::Error);

impl Explain for ResolveError {
    fn exit(&self) -> Exit {
        match self.0.outcome() {
            Outcome::ImageGone | Outcome::TagGone => Exit::ImagePolicy,
            Outcome::NotAllowed | Outcome::NoAnswer => Exit::Access,
            Outcome::Other => Exit::Failure,
        }
    }

    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

/// Access to registries with these AWS credentials.
pub(crate) fn registry(aws: SdkConfig, endpoints: Endpoints) -> Result<Registry, ResolveError> {
    let settings = Settings { aws: Some(aws), endpoints, ..Settings::default() };
    let settings = settings.with_logins_of_user(|name| std::env::var_os(name));
    Ok(Registry::new(settings.with_network_of_machine(|name| std::env::var_os(name))?)?)
}

/// The digest of every image. One that was named by digest is only looked for: that it is gone is an error, that it
/// could not be looked for is not.
pub(crate) async fn digests(
    registry: &Registry,
    references: &[Reference],
) -> Result<BTreeMap<Reference, Digest>, ResolveError> {
    let answers = registry.resolve(references).await;
    let mut digests = BTreeMap::new();
    for (reference, answer) in references.iter().zip(answers) {
        let digest = match (answer, reference.digest) {
            (Ok(descriptor), _) => descriptor.digest,
            (Err(error), Some(digest)) if !is_gone(&error) => {
                warn(&format!("{reference} was not looked for: {error}"));
                digest
            }
            (Err(error), _) => return Err(error.into()),
        };
        digests.insert(reference.clone(), digest);
    }
    Ok(digests)
}

/// Whether the registry says that it has no such image. No answer is no such word.
pub(crate) async fn is_absent(registry: &Registry, image: &Reference) -> bool {
    let answers = registry.resolve(std::slice::from_ref(image)).await;
    matches!(&answers[..], [Err(error)] if is_gone(error))
}

fn is_gone(error: &ecr_registry::Error) -> bool {
    matches!(error.outcome(), Outcome::ImageGone | Outcome::TagGone)
}
