//! Pushing an image or index: what it is made of first, the root last, and nothing that is there already.

mod plan;
mod report;

use std::{collections::BTreeSet, pin::pin, time::Instant};

use futures::{
    FutureExt, StreamExt, TryStreamExt,
    future::{Either, select},
    stream,
};

use crate::{
    blobs::{Blobs, Voyage},
    content::{Blob, Image, Manifest, Tree},
    error::{Action, Error, ErrorKind},
    manifests::Manifests,
    names::{Digest, Repository, Tag, Version},
    progress::{Event, How, Progress},
    registry::{TagOutcome, named, pinned},
    requests,
};
use plan::{Plan, in_order};
pub use report::PushReport;

/// How many blobs of an image are worked on at once: as many as ECR tells about in one answer. How many are sent at
/// once is [`Blobs`]' affair.
const BLOBS_AT_ONCE: usize = 100;
/// So many blobs have to be asked for before it is worth to ask first whether the image is there by digest.
const WORTH_A_QUESTION: usize = 3;
const IMAGES_AT_ONCE: usize = 8;
const TAGS_AT_ONCE: usize = 4;

/// A push that begins before its image is whole, so that large blobs are sent while others are made. Whoever waits to
/// take over those blobs waits until the image is pushed, or until all clones of this are gone.
#[derive(Debug, Clone)]
pub struct Departure {
    first: Voyage,
    others: Vec<Voyage>,
}

impl Departure {
    pub(crate) fn new(voyage: Voyage) -> Self {
        Self { first: voyage, others: Vec::new() }
    }

    pub(crate) fn voyage(&self) -> &Voyage {
        &self.first
    }

    /// Both are of images that are pushed together.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        self.others.push(other.first);
        self.others.extend(other.others);
        self
    }

    fn arrived(&self) {
        self.first.arrived();
        self.others.iter().for_each(Voyage::arrived);
    }
}

/// One push to one repository.
#[derive(Clone, Copy)]
pub(crate) struct Push<'a> {
    pub(crate) blobs: &'a Blobs,
    pub(crate) manifests: &'a Manifests,
    pub(crate) repository: &'a Repository,
    /// If it began before.
    pub(crate) departure: Option<&'a Departure>,
    pub(crate) progress: &'a dyn Progress,
}

impl Push<'_> {
    /// Brings the tree to the repository and points the tags at its root. With tags, the root is sent under them and
    /// not by digest as well.
    pub(crate) async fn tree(self, tree: &Tree, tags: &[Tag]) -> Result<PushReport, Error> {
        let start = Instant::now();
        let (requests, pushed) = requests::counted(self.tree_uncounted(tree, tags).boxed()).await;
        Ok(PushReport { requests, took: start.elapsed(), ..pushed? })
    }

    async fn tree_uncounted(self, tree: &Tree, tags: &[Tag]) -> Result<PushReport, Error> {
        let root = tree.root.digest;
        let plan = Plan::of(root, self.seen(tags).await?);
        let error = |kind| self.error(tree, kind);
        let alone =
            if tags.is_empty() { Some(self.manifests.alone(self.repository, root).await) } else { None };
        let is_there = plan.is_there || alone.is_some() && self.is_there(root).await.map_err(error)?;
        let mut report = if is_there { self.all_there(tree) } else { self.missing(tree, &plan).await? };
        report.tags.extend(plan.settled.iter().map(|tag| (tag.clone(), TagOutcome::Unchanged)));
        self.point_all(tree, &plan, &mut report).await?;
        for (tag, outcome) in &report.tags {
            self.progress.event(Event::Tagged { tag: tag.clone(), outcome: *outcome });
        }
        if let Some(departure) = self.departure {
            departure.arrived();
        }
        Ok(report)
    }

    fn voyage(self) -> Voyage {
        self.departure.map_or_else(|| self.blobs.voyage(), |departure| departure.first.part())
    }

    /// The tags, and what they point at.
    async fn seen(self, tags: &[Tag]) -> Result<Vec<(Tag, Option<Digest>)>, Error> {
        let look = |tag: &Tag| {
            let (tag, version) = (tag.clone(), Version::Tag(tag.clone()));
            async move {
                let found = self.manifests.look(self.repository, &version).await;
                let error = |kind| Error::new(Action::Tag, named(self.repository, &version), kind);
                Ok((tag, found.map_err(error)?.map(|found| found.digest)))
            }
        };
        let looks: Vec<_> = tags.iter().map(look).collect();
        stream::iter(looks).buffered(TAGS_AT_ONCE).try_collect().await
    }

    async fn is_there(self, digest: Digest) -> Result<bool, ErrorKind> {
        Ok(self.manifests.look(self.repository, &Version::Digest(digest)).await?.is_some())
    }

    /// The tags that the root was not sent under.
    async fn point_all(self, tree: &Tree, plan: &Plan, report: &mut PushReport) -> Result<(), Error> {
        let done: Vec<Tag> = report.tags.iter().map(|(tag, _)| tag.clone()).collect();
        let left = plan.to_point.iter().filter(|(tag, _)| !done.contains(tag));
        let points: Vec<_> = left.map(|(tag, before)| self.point(tag, *before, &tree.root)).collect();
        let mut points = stream::iter(points).buffered(TAGS_AT_ONCE);
        while let Some(pointed) = points.try_next().await? {
            report.tags.push(pointed);
        }
        Ok(())
    }

    async fn point(
        self,
        tag: &Tag,
        before: Option<Digest>,
        root: &Manifest,
    ) -> Result<(Tag, TagOutcome), Error> {
        let version = Version::Tag(tag.clone());
        let pointed = self.manifests.point(self.repository, tag, before, root).await;
        let outcome =
            pointed.map_err(|kind| Error::new(Action::Tag, named(self.repository, &version), kind))?;
        Ok((tag.clone(), outcome))
    }

    /// What is known of a tree whose root is there.
    fn all_there(self, tree: &Tree) -> PushReport {
        let voyage = self.voyage();
        let mut report = PushReport { manifest_already_there: true, ..PushReport::default() };
        for blob in tree.images.iter().flat_map(Image::blobs) {
            self.blobs.has_home(self.repository, blob.descriptor.digest, &voyage);
            let there = PushReport::of_blob(blob.descriptor.digest, 0, How::AlreadyThere);
            report.already_there.extend(there.already_there);
        }
        report.already_there.sort_unstable();
        report.already_there.dedup();
        voyage.arrived();
        self.progress.event(Event::Manifest { digest: tree.root.digest, how: How::AlreadyThere });
        report
    }

    /// For a tree whose root is not there as far as known. Under a tag it may still be there by digest, which is asked
    /// beside the first questions about blobs, if these are many.
    async fn missing(self, tree: &Tree, plan: &Plan) -> Result<PushReport, Error> {
        let error = |kind| self.error(tree, kind);
        let voyage = self.voyage();
        let mut report = {
            let mut parts = self.parts(tree, &voyage).boxed();
            if plan.to_point.is_empty() || self.unknown(tree) < WORTH_A_QUESTION {
                parts.await.map_err(error)?
            } else {
                match select(pin!(self.is_there(tree.root.digest)), &mut parts).await {
                    Either::Left((there, _)) if there.clone().map_err(error)? => {
                        return Ok(self.all_there(tree));
                    }
                    Either::Left(_) => parts.await.map_err(error)?,
                    Either::Right((report, _)) => report.map_err(error)?,
                }
            }
        };
        let tagged = match self.root(tree, plan).await {
            Err(failed) if matches!(*failed.kind, ErrorKind::ContentMissing(_)) => {
                self.forget(tree.images.iter().flat_map(Image::blobs)).await;
                report.add(self.parts(tree, &voyage).await.map_err(error)?);
                self.root(tree, plan).await?
            }
            sent => sent?,
        };
        report.tags.extend(tagged);
        voyage.arrived();
        self.progress.event(Event::Manifest { digest: tree.root.digest, how: How::Sent });
        Ok(report)
    }

    /// How many blobs of the tree are not known to be there.
    fn unknown(self, tree: &Tree) -> usize {
        let blobs = tree.images.iter().flat_map(Image::blobs).map(|blob| blob.descriptor.digest);
        let blobs: BTreeSet<Digest> = blobs.collect();
        blobs.into_iter().filter(|digest| !self.blobs.knows(self.repository, *digest)).count()
    }

    /// Sends the root, by digest or under its first tag.
    async fn root(self, tree: &Tree, plan: &Plan) -> Result<Option<(Tag, TagOutcome)>, Error> {
        if let Some((tag, before)) = plan.to_point.first() {
            return self.point(tag, *before, &tree.root).await.map(Some);
        }
        let root = Version::Digest(tree.root.digest);
        let put = self.manifests.put(self.repository, &root, &tree.root).await;
        put.map(|()| None).map_err(|kind| self.error(tree, kind))
    }

    fn error(self, tree: &Tree, kind: ErrorKind) -> Error {
        Error::new(Action::Push, pinned(self.repository, tree.root.digest), kind)
    }

    /// All that the root is made of, what is named before what names it.
    async fn parts(self, tree: &Tree, root: &Voyage) -> Result<PushReport, ErrorKind> {
        let mut report = PushReport::default();
        let is_root = |manifest: &Manifest| manifest.digest == tree.root.digest;
        let images = tree.images.iter().map(|image| async move {
            if is_root(&image.manifest) { self.blobs_of(image, root).await } else { self.image(image).await }
        });
        let images: Vec<_> = images.collect();
        let mut images = stream::iter(images).buffer_unordered(IMAGES_AT_ONCE);
        while let Some(pushed) = images.try_next().await? {
            report.add(pushed);
        }
        for index in tree.indexes.iter().filter(|index| !is_root(index)) {
            let how = self.manifests.ensure(self.repository, index).await?;
            self.progress.event(Event::Manifest { digest: index.digest, how });
        }
        Ok(PushReport { manifest_already_there: false, ..report })
    }

    /// An image that an index names.
    async fn image(self, image: &Image) -> Result<PushReport, ErrorKind> {
        let _alone = self.manifests.alone(self.repository, image.manifest.digest).await;
        if self.is_there(image.manifest.digest).await? {
            return Ok(self.all_there(&Tree::from(image.clone())));
        }
        let voyage = self.voyage();
        let mut report = self.blobs_of(image, &voyage).await?;
        let version = Version::Digest(image.manifest.digest);
        match self.manifests.put(self.repository, &version, &image.manifest).await {
            Err(ErrorKind::ContentMissing(_)) => {
                self.forget(image.blobs()).await;
                report.add(self.blobs_of(image, &voyage).await?);
                self.manifests.put(self.repository, &version, &image.manifest).await?;
            }
            sent => sent?,
        }
        voyage.arrived();
        self.progress.event(Event::Manifest { digest: image.manifest.digest, how: How::Sent });
        Ok(report)
    }

    /// A registry may clean up what no manifest names yet.
    async fn forget(self, blobs: impl Iterator<Item = &Blob>) {
        for blob in blobs {
            self.blobs.forget(self.repository, blob.descriptor.digest).await;
        }
    }

    async fn blobs_of(self, image: &Image, voyage: &Voyage) -> Result<PushReport, ErrorKind> {
        self.blobs.claim(voyage, self.repository, image);
        let brought: Vec<_> =
            in_order(image).into_iter().map(|blob| self.blob(blob, voyage).boxed()).collect();
        let mut brought = stream::iter(brought).buffer_unordered(BLOBS_AT_ONCE);
        let mut report = PushReport::default();
        while let Some(blob) = brought.try_next().await? {
            report.add(blob);
        }
        Ok(report)
    }

    async fn blob(self, blob: &Blob, voyage: &Voyage) -> Result<PushReport, ErrorKind> {
        let how = self.blobs.ensure(self.repository, blob, voyage, self.progress).await?;
        Ok(PushReport::of_blob(blob.descriptor.digest, blob.descriptor.size, how))
    }
}
