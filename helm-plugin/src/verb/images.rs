//! `eks-deploy images`: which images a release would run, and whether they stay what they are.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
};

use ecr_registry::Reference;
use serde_json::json;

use super::release::{Begun, Prepared, unless_stopped};
use crate::{
    cli::{ImagesVerb, Output, UpArguments},
    exit::Exit,
    failure::{Explain, Failure},
    images::{lock::Lock, resolve, table, uses::ImageUse},
    talk::say,
};

/// Nobody takes the answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the list of images")]
struct WriteError(#[source] io::Error);

impl Explain for WriteError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }
}

/// The command line does not name the file.
#[derive(Debug, thiserror::Error)]
#[error("no lock file was named")]
struct NoLock;

impl Explain for NoLock {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("pass --lock FILE".to_owned())
    }
}

/// Tells the images that the release would run, pinned as `up` would pin them.
pub(crate) async fn run(verb: ImagesVerb) -> Result<(), Failure> {
    match verb {
        ImagesVerb::List { release, output } => list(*release, output).await,
        ImagesVerb::Lock { release } => lock(*release).await,
        ImagesVerb::Verify { release } => verify(*release).await,
    }
}

async fn list(release: UpArguments, output: Output) -> Result<(), Failure> {
    let (begun, mut signals) = Begun::new(release)?;
    let helm = begun.helm()?;
    let target = begun.target(&helm, &mut signals).await?;
    let images = begun.prepare(&target, &helm, &mut signals).await?.images();
    let text = match output {
        Output::Text => table::text(&images),
        Output::Json => format!("{:#}\n", json!(images.iter().map(row).collect::<Vec<_>>())),
    };
    io::stdout().write_all(text.as_bytes()).map_err(WriteError)?;
    Ok(())
}

/// What an older lock file says does not count.
async fn lock(mut release: UpArguments) -> Result<(), Failure> {
    let path = release.pinning.lock.take().ok_or(NoLock)?;
    let (begun, mut signals) = Begun::new(release)?;
    let helm = begun.helm()?;
    let target = begun.target(&helm, &mut signals).await?;
    let Prepared { pins, .. } = begun.prepare(&target, &helm, &mut signals).await?;
    Lock::write(&path, &pins)?;
    say(&format!("{} has the digests of {} images", path.display(), pins.len()));
    Ok(())
}

async fn verify(release: UpArguments) -> Result<(), Failure> {
    let (begun, mut signals) = Begun::new(release)?;
    let helm = begun.helm()?;
    let target = begun.target(&helm, &mut signals).await?;
    let images = begun.prepare(&target, &helm, &mut signals).await?.images();
    let registry = resolve::registry(target.way.aws.clone(), begun.settings.endpoints.clone())?;
    let pinned = images.iter().filter(|used| used.digest().is_some());
    let references: BTreeSet<Reference> = pinned.filter_map(|used| used.image.parse().ok()).collect();
    let references: Vec<Reference> = references.into_iter().collect();
    let looked_for = async { Ok(resolve::digests(&registry, &references).await?) };
    unless_stopped(&mut signals, Box::pin(looked_for)).await?;
    io::stdout().write_all(table::text(&images).as_bytes()).map_err(WriteError)?;
    Ok(())
}

fn row(used: &ImageUse) -> serde_json::Value {
    json!({
        "image": used.image,
        "digest": used.digest().map(|digest| digest.to_string()),
        "kind": used.object.kind,
        "name": used.object.name,
        "hooks": used.object.events,
        "path": used.path,
    })
}
