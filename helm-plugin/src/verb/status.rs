//! `eks-deploy status`: how a release is, which digests it has, and how its pods are.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use serde_json::{Value, json};

use super::{existing::Existing, plan, release::unless_stopped};
use crate::{
    cli::{Output, StatusArguments},
    exit::Exit,
    failure::{Explain, Failure},
    helm::stored::Stored,
    images::uses::{self, ImageUse},
    rollout::{self, Operation, State},
    text,
};

/// There is nothing to tell, or nobody to tell it to.
#[derive(Debug, thiserror::Error)]
enum StatusError {
    /// There is no such release.
    #[error("there is no release `{release}` in namespace {namespace}")]
    NotThere {
        /// The release.
        release: String,
        /// The namespace.
        namespace: String,
    },
    /// Nobody takes the answer.
    #[error("cannot write the status")]
    Write(#[source] io::Error),
}

impl Explain for StatusError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotThere { .. } => Some("helm list --all --all-namespaces".to_owned()),
            Self::Write(_) => None,
        }
    }
}

/// Tells how the release is; ends by the code that the table has for that.
pub(crate) async fn run(arguments: StatusArguments) -> Result<Exit, Failure> {
    let (existing, mut signals) = Existing::new(arguments.existing)?;
    let helm = existing.helm()?;
    let entrance = existing.enter(&mut signals).await?;
    let scene = existing.scene(&entrance);
    let look = async {
        let stored = helm.stored(scene.release, scene.namespace, None).await?;
        let stored = stored.ok_or_else(|| StatusError::NotThere {
            release: scene.release.to_owned(),
            namespace: scene.namespace.to_owned(),
        })?;
        let objects = plan::objects(&stored, scene.release)?;
        let mut subjects = rollout::subjects(&objects, scene.namespace, Operation::Upgrade);
        subjects.retain(|subject| !subject.hook);
        let states = rollout::look_at_all(&scene.reach().await?, &subjects).await?;
        let images = objects.iter().flat_map(uses::images).collect();
        Ok::<_, Failure>(Status { release: scene.release, stored, images, states })
    };
    let status = unless_stopped(&mut signals, Box::pin(look)).await?;
    let told = match arguments.output {
        Output::Text => status.text(),
        Output::Json => format!("{:#}\n", status.json()),
    };
    io::stdout().write_all(told.as_bytes()).map_err(StatusError::Write)?;
    Ok(exit(&status.stored.info.status))
}

fn exit(status: &str) -> Exit {
    match status {
        "deployed" => Exit::Done,
        "failed" => Exit::ReleaseFailed,
        status if status.starts_with("pending-") || status == "uninstalling" => Exit::Pending,
        _ => Exit::Unknown,
    }
}

struct Status<'a> {
    release: &'a str,
    stored: Stored,
    images: Vec<ImageUse>,
    states: Vec<State>,
}

impl Status<'_> {
    fn text(&self) -> String {
        let Stored { revision, info, .. } = &self.stored;
        let description = text::line(&info.description);
        let mut out =
            format!("release {} is {} at revision {revision}: {description}\n", self.release, info.status);
        for used in &self.images {
            let digest = used.digest().map_or("not pinned".to_owned(), |digest| digest.to_string());
            let _ = writeln!(out, "image {}: {} ({digest})", used.object, text::line(&used.image));
        }
        for state in &self.states {
            let _ = writeln!(out, "{}: {} of {} ready", state.subject, state.ready, state.wanted);
            for pod in &state.pods {
                let node = pod.node.as_deref().map(|node| format!(" on {node}")).unwrap_or_default();
                let ready = if pod.settled { "ready" } else { "not ready" };
                let _ = writeln!(out, "  pod {}{node}: {ready}", pod.name);
                for container in &pod.containers {
                    let runs = container.digest.as_deref().unwrap_or("nothing yet");
                    let _ = writeln!(
                        out,
                        "    {} runs {}, {} restarts",
                        container.name,
                        text::line(runs),
                        container.restarts
                    );
                }
            }
            for cause in rollout::causes(state) {
                let _ = writeln!(out, "  {cause}");
            }
        }
        out
    }

    fn json(&self) -> Value {
        let Stored { revision, info, .. } = &self.stored;
        let image = |used: &ImageUse| json!({"object": used.object.to_string(), "image": used.image, "digest": used.digest().map(|digest| digest.to_string())});
        json!({
            "release": self.release, "revision": revision, "status": info.status,
            "description": info.description, "lastDeployed": info.last_deployed,
            "images": self.images.iter().map(image).collect::<Value>(),
            "objects": self.states.iter().map(object).collect::<Value>(),
        })
    }
}

fn object(state: &State) -> Value {
    let pods = state.pods.iter().map(|pod| {
        let containers = pod.containers.iter().map(|container| {
            json!({"name": container.name, "digest": container.digest, "ready": container.ready, "restarts": container.restarts})
        });
        json!({"name": pod.name, "node": pod.node, "ready": pod.settled, "containers": containers.collect::<Value>()})
    });
    json!({
        "object": state.subject.to_string(), "wanted": state.wanted, "ready": state.ready, "done": state.done,
        "pods": pods.collect::<Value>(),
        "causes": rollout::causes(state).iter().map(ToString::to_string).collect::<Value>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_of_the_table() {
        let check = |status: &str, expected: Exit| assert_eq!(exit(status), expected, "{status}");
        check("deployed", Exit::Done);
        check("failed", Exit::ReleaseFailed);
        check("pending-upgrade", Exit::Pending);
        check("uninstalling", Exit::Pending);
        check("uninstalled", Exit::Unknown);
    }
}
