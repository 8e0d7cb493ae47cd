//! `eks-deploy post-render ORDER`, which Helm runs for us: manifests in, the same with images by digest out.
//!
//! No network and no cluster: what images become is in the order.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use crate::{
    exit::Exit,
    failure::{Explain, Failure},
    helm::renderer::{Order, Program},
    images::rewrite::rewrite,
};

/// The manifests cannot be passed on.
#[derive(Debug, thiserror::Error)]
enum PostRenderError {
    /// The order is none of ours.
    #[error("cannot read the order `{}`", path.display())]
    Order {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Helm does not give manifests, or does not take them.
    #[error("cannot pass manifests on")]
    Io(#[source] io::Error),
    /// The user's own renderer.
    #[error("post-renderer `{program}` failed: {reason}")]
    First { program: String, reason: String },
}

impl Explain for PostRenderError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }
}

/// Reads manifests from stdin and writes them to stdout.
pub(crate) fn run(path: &Path) -> Result<(), Failure> {
    let text = fs::read(path).and_then(|text| Ok(serde_json::from_slice(&text)?));
    let Order { images, first } =
        text.map_err(|source| PostRenderError::Order { path: path.to_owned(), source })?;
    let mut manifests = String::new();
    io::stdin().read_to_string(&mut manifests).map_err(PostRenderError::Io)?;
    if let Some(first) = first {
        manifests = through(&first, manifests)?;
    }
    let manifests = rewrite(&manifests, &images)?;
    io::stdout().write_all(manifests.as_bytes()).map_err(PostRenderError::Io)?;
    Ok(())
}

fn through(first: &Program, manifests: String) -> Result<String, PostRenderError> {
    let failed = |reason: String| PostRenderError::First { program: first.path.clone(), reason };
    let mut command = Command::new(&first.path);
    command.args(&first.arguments).envs(&first.environment).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let stdin = child.stdin.take();
    // It may write before it has read all.
    let writer = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(manifests.as_bytes())));
    let output = child.wait_with_output().map_err(PostRenderError::Io)?;
    // One that does not read to the end says itself whether that is a failure.
    let _ = writer.join();
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("what it wrote is not UTF-8".to_owned()))
}
