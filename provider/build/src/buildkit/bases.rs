//! Base images that BuildKit is not to look up by the name that is written: those that are followed go by the digest
//! that was planned, and those whose registry is reached elsewhere than its name says come from this program.

use ecr_registry::{Digest, Layout, Outcome, Reference, Version, Wanted};

use super::{Job, content::Store};
use crate::{build_error::BuildError, existing::ExistingError, named::Named, resolve::images_of};

/// These images, by the names that are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Bases(pub(super) Vec<(String, Base)>);

/// Where a base image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// In a registry, by its digest.
    Pinned(Reference),
    /// With this program.
    Here(Digest),
}

impl Job<'_> {
    /// The base images, and all that is handed out of images. `can_take` tells whether the builder takes any.
    pub(super) async fn bases(&self, can_take: bool) -> Result<(Bases, Store), BuildError> {
        let mut store = Store::new(self.tools.registry.clone());
        for named in self.context.named.values() {
            if let Named::Layout(path, root) = named {
                let tree = Layout::open(path).and_then(|layout| layout.tree(root, &Wanted::All));
                store.add(&tree.map_err(ExistingError::from)?);
            }
        }
        let parsed = self.context.parsed.iter();
        let images =
            parsed.flat_map(|parsed| images_of(self.dockerfile, parsed, std::slice::from_ref(self.platform)));
        let mut bases = Vec::new();
        for name in images {
            // What is no reference is BuildKit's to refuse.
            let Ok(reference) = name.parse::<Reference>() else { continue };
            if let Some(base) = self.base(&name, reference, can_take, &mut store).await? {
                bases.push((name, base));
            }
        }
        Ok((Bases(bases), store))
    }

    async fn base(
        &self,
        name: &str,
        reference: Reference,
        can_take: bool,
        store: &mut Store,
    ) -> Result<Option<Base>, BuildError> {
        let digest = self.dockerfile.base_digests.get(name).copied();
        if !self.tools.registry.is_mapped(reference.repository.host()) {
            return Ok(digest.map(|digest| Base::Pinned(Reference { digest: Some(digest), ..reference })));
        }
        if !can_take {
            let line =
                format!("{name} is left to the Docker daemon, which takes no images from here before 24.0");
            self.tools.progress.line(&line);
            return Ok(None);
        }
        let version = digest.map_or_else(|| reference.version(), Version::Digest);
        let wanted = Wanted::One(self.platform.clone());
        match self.tools.registry.tree(&reference.repository, &version, &wanted).await {
            Ok(tree) => {
                store.add(&tree);
                Ok(Some(Base::Here(tree.root.digest)))
            }
            Err(error) if matches!(error.outcome(), Outcome::ImageGone | Outcome::TagGone) => {
                Err(BuildError::BaseMissing { base: Box::new(reference) })
            }
            Err(source) => Err(BuildError::BaseUnavailable { base: Box::new(reference), source }),
        }
    }
}
