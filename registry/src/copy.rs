//! Whole images and indexes: from one registry to another, to a folder, from a folder.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    content::{
        BlobSource, Descriptor, Grower, Image, Layout, MAX_MANIFESTS, Manifest, ManifestError, ManifestKind,
        Selected, Tree, Wanted,
    },
    download::{Place, sweep},
    error::{Action, Error, ErrorKind},
    names::{Digest, Reference, Repository, Tag, Version},
    progress::Progress,
    push::PushReport,
    registry::{Registry, TagOutcome, named, pinned},
};

/// What to copy, besides the image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Which platforms of an index.
    pub wanted: Wanted,
    /// Whether what is about the image comes along: signatures, provenance, lists of contents. What is about an
    /// index stays behind when only some of its platforms are copied: it is about another index.
    pub referrers: bool,
    /// The tags to give the copy.
    pub tags: Vec<Tag>,
}

/// What a copy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyReport {
    /// What was copied; another digest than the original's if only some platforms of an index were.
    pub root: Descriptor,
    /// What came along, by digest.
    pub referrers: Vec<Digest>,
    /// What was sent.
    pub pushed: PushReport,
}

const MANIFESTS_AT_ONCE: usize = 8;
const BLOBS_AT_ONCE: usize = 4;

impl Registry {
    /// An image or index with all it names. Manifests are fetched, blobs are not: they are pushed from where they
    /// are.
    ///
    /// # Errors
    /// Also when the image is not there, or has none of the wanted platforms.
    pub async fn tree(
        &self,
        repository: &Repository,
        version: &Version,
        wanted: &Wanted,
    ) -> Result<Tree, Error> {
        let grown = self.grow(repository, version, wanted).await;
        grown.map_err(|kind| Error::new(Action::Read, named(repository, version), kind))
    }

    /// Copies an image or index to another repository, of this registry or any other.
    ///
    /// Manifests go as they are, byte for byte. Blobs are mounted where both repositories are in one registry, else
    /// streamed from one to the other without touching the disk. What is there is not sent.
    pub async fn copy(
        &self,
        from: &Reference,
        to: &Repository,
        options: &CopyOptions,
        progress: &dyn Progress,
    ) -> Result<CopyReport, Error> {
        let source = &from.repository;
        let tree = self.tree(source, &from.version(), &options.wanted).await?;
        let mut pushed = self.push_tree(to, &tree, &options.tags, progress).await?;
        let mut referrers = Vec::new();
        if options.referrers {
            let subjects = tree.images.iter().map(|image| &image.manifest).chain(&tree.indexes);
            let subjects = subjects.map(|manifest| manifest.digest).collect();
            referrers = self.copy_referrers(source, to, subjects, &mut pushed, progress).await?;
        }
        Ok(CopyReport { root: tree.root.descriptor(), referrers, pushed })
    }

    /// Fetches an image or index into a layout, under this name. What the layout has is not fetched.
    ///
    /// Any number of processes may pull into one layout: each blob is fetched by one of them. A pull that was killed
    /// leaves nothing that another takes for whole, and the next one goes on with what it got of large blobs.
    pub async fn pull(
        &self,
        from: &Reference,
        layout: &mut Layout,
        name: Option<&str>,
        wanted: &Wanted,
        progress: &dyn Progress,
    ) -> Result<Tree, Error> {
        sweep(layout.root());
        let tree = self.tree(&from.repository, &from.version(), wanted).await?;
        let error = |kind| Error::new(Action::Read, from, kind);
        let (root, mut seen) = (layout.root(), BTreeSet::new());
        let blobs = tree.images.iter().flat_map(Image::blobs).map(|blob| &blob.descriptor);
        let missing: Vec<&Descriptor> =
            blobs.filter(|blob| seen.insert(blob.digest) && !layout.has(blob)).collect();
        let fetch = |blob: &'_ Descriptor| {
            let (path, blob) = (layout.blob_path(&blob.digest), blob.clone());
            async move {
                let place = Place { to: &path, gathered_in: root, for_all: true };
                self.fetch_to(&from.repository, &blob, &place, progress).await
            }
        };
        let fetched: Vec<_> = missing.into_iter().map(fetch).collect();
        let fetched = stream::iter(fetched).buffer_unordered(BLOBS_AT_ONCE).try_collect::<()>();
        fetched.await.map_err(error)?;
        layout.add_manifests(&tree, name).map_err(|problem| error(Box::new(problem).into()))?;
        Ok(tree)
    }

    /// Points a tag at what another version of the repository is. No blob is touched.
    pub async fn retag(
        &self,
        repository: &Repository,
        from: &Version,
        tag: &Tag,
    ) -> Result<TagOutcome, Error> {
        match self.manifest(repository, from).await? {
            Some(manifest) => self.tag(repository, tag, &manifest).await,
            None => Err(Error::new(Action::Read, named(repository, from), ErrorKind::missing(from))),
        }
    }

    /// What is about a manifest: signatures, provenance, lists of contents; from the registry's list, or from the
    /// index under a tag that stands for one.
    pub async fn referrers(&self, repository: &Repository, digest: Digest) -> Result<Vec<Descriptor>, Error> {
        let found = self.parts().1.referrers(repository, digest).await;
        found.map_err(|kind| Error::new(Action::Read, pinned(repository, digest), kind))
    }

    async fn copy_referrers(
        &self,
        from: &Repository,
        to: &Repository,
        mut subjects: Vec<Digest>,
        pushed: &mut PushReport,
        progress: &dyn Progress,
    ) -> Result<Vec<Digest>, Error> {
        let mut seen: BTreeSet<Digest> = subjects.iter().copied().collect();
        let mut copied = Vec::new();
        while let Some(subject) = subjects.pop() {
            let read = |kind| Error::new(Action::Read, pinned(from, subject), kind);
            let listed = self.referrers(from, subject).await?;
            let listed = listed.into_iter().map(|referrer| (Version::Digest(referrer.digest), Vec::new()));
            let tags = self.parts().1.cosign_tags(from, subject).await.map_err(read)?;
            let tagged = tags.into_iter().map(|tag| (Version::Tag(tag.clone()), vec![tag]));
            for (version, tags) in listed.chain(tagged).collect::<Vec<_>>() {
                let tree = self.tree(from, &version, &Wanted::All).await?;
                if seen.insert(tree.root.digest) {
                    if seen.len() > MAX_MANIFESTS {
                        return Err(read(ManifestError::TooMany.into()));
                    }
                    pushed.add(self.push_tree(to, &tree, &tags, progress).await?);
                    copied.push(tree.root.digest);
                    subjects.push(tree.root.digest);
                }
            }
        }
        Ok(copied)
    }

    async fn grow(
        &self,
        repository: &Repository,
        version: &Version,
        wanted: &Wanted,
    ) -> Result<Tree, ErrorKind> {
        let (mut version, mut wanted, mut grower) = (version.clone(), wanted, Grower::default());
        let root = loop {
            let found = self.read_manifest(repository, &version).await?;
            let found = found.ok_or_else(|| ErrorKind::missing(&version))?;
            let ManifestKind::Index(index) = &found.kind else { break found };
            match wanted.of(&found, index)? {
                Selected::Index(index) => break *index,
                Selected::Child(child) => (version, wanted) = (Version::Digest(child.digest), &Wanted::All),
            }
        };
        let (mut level, mut indexes) = (vec![root.clone()], Vec::new());
        for depth in 1.. {
            let mut children = Vec::new();
            for manifest in level {
                match &manifest.kind {
                    ManifestKind::Image(image) => {
                        let source =
                            |_: &Descriptor| Ok::<_, ErrorKind>(BlobSource::Registry(repository.clone()));
                        grower.image(Image::of(&manifest, image, source)?);
                    }
                    ManifestKind::Index(_) => {
                        for child in manifest.children() {
                            if grower.is_new(child, depth)? {
                                children.push(child.clone());
                            }
                        }
                        indexes.push(manifest);
                    }
                }
            }
            if children.is_empty() {
                break;
            }
            level = self.children(repository, children).await?;
        }
        // Deeper ones first: each after those that it names.
        indexes.into_iter().rev().for_each(|index| grower.index(index));
        Ok(grower.done(root))
    }

    /// A manifest, from a mirror if one has it. What a tag is, the registry says.
    async fn read_manifest(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Manifest>, ErrorKind> {
        let (blobs, manifests) = self.parts();
        let mirrors = blobs.transport.mirrors.of(repository);
        let found = match version {
            Version::Tag(_) if !mirrors.is_empty() => manifests.head(repository, version).await?,
            Version::Tag(_) | Version::Digest(_) => None,
        };
        let version = &found.map_or_else(|| version.clone(), |found| Version::Digest(found.digest));
        for mirror in mirrors.iter().filter(|_| matches!(version, Version::Digest(_))) {
            match manifests.get(mirror, version).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(kind) => blobs.transport.mirrors.failed(mirror, &kind),
            }
        }
        manifests.get(repository, version).await
    }

    async fn children(
        &self,
        repository: &Repository,
        children: Vec<Descriptor>,
    ) -> Result<Vec<Manifest>, ErrorKind> {
        let fetched = children.into_iter().map(|child| async move {
            let found = self.read_manifest(repository, &Version::Digest(child.digest)).await?;
            found.ok_or_else(|| ErrorKind::ContentMissing(child.digest.to_string()))
        });
        let fetched: Vec<_> = fetched.collect();
        stream::iter(fetched).buffered(MANIFESTS_AT_ONCE).try_collect().await
    }
}
