//! `eks-deploy images`: which images a release would run, and whether they stay what they are.

use std::io::{self, Write as _};

use serde_json::json;

use super::release::{Begun, Prepared};
use crate::{
    cli::{ImagesVerb, Output},
    exit::Exit,
    failure::{Explain, Failure},
    images::{table, uses::ImageUse},
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

/// Prints the images that the release would run, pinned as `up` would pin them.
pub(crate) async fn run(verb: ImagesVerb) -> Result<(), Failure> {
    let ImagesVerb::List { release, output } = verb;
    let (begun, mut signals) = Begun::new(*release)?;
    let helm = begun.helm()?;
    let (_, Prepared { images, .. }) = begun.prepare(&helm, &mut signals).await?;
    let text = match output {
        Output::Text => table::text(&images),
        Output::Json => format!("{:#}\n", json!(images.iter().map(row).collect::<Vec<_>>())),
    };
    io::stdout().write_all(text.as_bytes()).map_err(WriteError)?;
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
