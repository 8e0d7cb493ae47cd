//! What a repository has after a run.

use lab::emulator::Emulator;

use crate::world::{IMAGE, NAME};

/// What is there is whole: a tag is right or not there at all.
pub(crate) fn nothing_is_partial(ecr: &Emulator) -> Result<(), String> {
    let (faults, tags) = (ecr.faults(), ecr.contents(NAME).tags);
    let expected = IMAGE.manifest.digest.to_string();
    if faults.is_empty() && tags.values().all(|digest| *digest == expected) {
        return Ok(());
    }
    Err(format!("{faults:?}, {tags:?}"))
}

/// A fault strikes one connection, on which no more than one blob is in flight.
pub(crate) fn little_is_sent_again(ecr: &Emulator, struck: usize) -> Result<(), String> {
    let (sent, blobs) = (ecr.count("PUT upload"), IMAGE.blobs().count());
    if sent <= blobs + struck {
        Ok(())
    } else {
        Err(format!("{sent} uploads of {blobs} blobs after {struck} faults"))
    }
}

/// The image is there with all that belongs to it, and nothing else is.
pub(crate) fn is_right(ecr: &Emulator) -> Result<(), String> {
    nothing_is_partial(ecr)?;
    let contents = ecr.contents(NAME);
    let blobs = IMAGE.blobs().map(|blob| (blob.descriptor.digest.to_string(), blob.descriptor.size));
    let is_right =
        contents.tags.len() == 1 && contents.manifests.len() == 1 && contents.blobs == blobs.collect();
    if is_right { Ok(()) } else { Err(format!("{:?}, {:?}", contents.tags, contents.blobs)) }
}
