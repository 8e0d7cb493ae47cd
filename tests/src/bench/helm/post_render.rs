//! The post-renderer by itself, as Helm runs it: manifests in, the same with images by digest out.

use std::fs;
use std::process::Command;

use anyhow::Result;
use serde_json::json;

use crate::bench::contest::{self, Entrant, Finished, OURS, Taken, measured};
use crate::bench::lane::Stage;

const OBJECTS: usize = 250;
/// Bytes of each object beside its pod: 250 of them are a megabyte.
const REST: usize = 4000;
const IMAGE: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web";

pub(super) fn compete(stage: &Stage, rounds: usize) -> Result<Vec<Finished>> {
    let folder = tempfile::tempdir_in(stage.folder.path())?;
    let (order, manifests) = (folder.path().join("order.json"), folder.path().join("manifests.yaml"));
    let images: serde_json::Map<_, _> = (0..OBJECTS)
        .map(|number| (format!("{IMAGE}:v{number}"), json!(format!("{IMAGE}@sha256:{number:064x}"))))
        .collect();
    fs::write(&order, json!({"images": images, "first": null}).to_string())?;
    fs::write(&manifests, (0..OBJECTS).map(object).collect::<String>())?;
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec "$0" post-render "$1" <"$2""#]).arg(stage.programs()?.plugin);
    command.arg(order).arg(manifests);
    let run = move |_| {
        let done = |said: &str| said.matches("@sha256:").count() == OBJECTS;
        Ok(Taken { usage: measured(&command, folder.path(), None, done)?, ..Taken::default() })
    };
    contest::compete(vec![Entrant { name: OURS, version: String::new(), run: Box::new(run) }], rounds)
}

/// One in two runs an image; the rest is what fills charts.
fn object(number: usize) -> String {
    let text = "x: some text of a configuration file\n    ".repeat(REST / 40);
    format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}}}\ndata:\n  f: |\n    {text}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d{number}}}\nspec:\n  template:\n    spec:\n      \
         containers:\n      - name: c\n        image: {IMAGE}:v{number}\n"
    )
}
