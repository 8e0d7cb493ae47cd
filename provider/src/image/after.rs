//! What happens to an image once it is in its repository, and what has to be there for it to be of use.

use std::{collections::BTreeSet, time::Duration};

use ecr_registry::{Digest, EcrRepository, Outcome, Registry, Repository, Stage, Wait};
use tfplugin_rs::{Diagnostic, Diagnostics};

use crate::report::Report;

/// What ECR does on its own after a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum After {
    /// Copies in other regions and accounts.
    Replication,
    /// Signatures by AWS Signer.
    Signature,
}

/// What Lambda does with the repository of a function.
const LAMBDA_NEEDS: [&str; 2] = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// Waits until all of it is done.
///
/// # Errors
/// Where something of it fails, or ECR is not set up to do it.
pub(super) async fn wait_for(
    registry: &Registry,
    repository: &Repository,
    image: &Digest,
    wanted: &BTreeSet<After>,
    within: Duration,
) -> Result<(), Diagnostics> {
    if wanted.is_empty() {
        return Ok(());
    }
    let ecr = registry.ecr(repository).map_err(|error| error.report().at("wait_for"))?;
    let wait = Wait { within, ..Wait::default() };
    for after in wanted {
        let parts = after.wait(&ecr, image, &wait).await.map_err(|error| error.report().at("wait_for"))?;
        after.judge(&parts, repository)?;
    }
    Ok(())
}

/// A copy or a signature: where or by what, whether it is complete, and what went wrong.
struct Part {
    what: String,
    complete: bool,
    failure: Option<String>,
}

impl After {
    async fn wait(
        self,
        ecr: &EcrRepository,
        image: &Digest,
        wait: &Wait,
    ) -> Result<Vec<Part>, ecr_registry::Error> {
        Ok(match self {
            Self::Replication => {
                let replicas = ecr.wait_for_replicas(image, wait).await?.into_iter();
                let part = |replica: ecr_registry::Replica| Part {
                    what: format!("to {} in {}", replica.account, replica.region),
                    complete: replica.status == Stage::Complete,
                    failure: replica.failure,
                };
                replicas.map(part).collect()
            }
            Self::Signature => {
                let signings = ecr.wait_for_signings(image, wait).await?.into_iter();
                let part = |signing: ecr_registry::Signing| Part {
                    what: format!("by {}", signing.profile),
                    complete: signing.status == Stage::Complete,
                    failure: signing.failure,
                };
                signings.map(part).collect()
            }
        })
    }

    fn judge(self, parts: &[Part], repository: &Repository) -> Result<(), Diagnostic> {
        let (name, setting) = match self {
            Self::Replication => ("replication", "aws_ecr_replication_configuration"),
            Self::Signature => ("signature", "a signing configuration of the registry"),
        };
        if parts.is_empty() {
            let summary = format!("ECR began no {name} of the image");
            let detail = format!(
                "The image is in {repository}. ECR needs {setting} whose rules name the repository; or leave \
                 \"{name}\" out of wait_for."
            );
            return Err(Diagnostic::error(summary, detail).at("wait_for"));
        }
        let failed: Vec<String> = parts
            .iter()
            .filter(|part| !part.complete)
            .map(|part| {
                format!("{}: {}", part.what, part.failure.as_deref().unwrap_or("ECR does not say why"))
            })
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        let summary = format!("The {name} of the image failed");
        Err(Diagnostic::error(summary, failed.join("\n")).at("wait_for"))
    }
}

/// Whether AWS Lambda may pull from the repository. Asked before anything is built.
///
/// # Errors
/// Where the repository's policy does not let it. A policy that may not be read is taken to do.
pub(super) async fn lambda_may_pull(registry: &Registry, repository: &Repository) -> Result<(), Diagnostics> {
    let Ok(ecr) = registry.ecr(repository) else { return Ok(()) };
    let policy = match ecr.policy().await {
        Err(error) if error.outcome() == Outcome::NotAllowed => return Ok(()),
        policy => policy.map_err(|error| error.report())?,
    };
    let lets = |action: &&str| {
        policy.as_ref().is_some_and(|policy| policy.lets_service("lambda.amazonaws.com", action))
    };
    if LAMBDA_NEEDS.iter().all(lets) {
        return Ok(());
    }
    let summary = format!("The repository's policy does not let AWS Lambda pull from `{repository}`");
    let detail = format!(
        "hint: write an aws_ecr_repository_policy that lets lambda.amazonaws.com do {}, and name it in depends_on; \
         or leave runtime = \"lambda\" out, and Lambda adds it where its caller may",
        LAMBDA_NEEDS.join(" and ")
    );
    Err(Diagnostic::error(summary, detail).at("runtime").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_failed() {
        let part = |complete, failure: Option<&str>| Part {
            what: "to 123456789012 in eu-west-1".to_owned(),
            complete,
            failure: failure.map(str::to_owned),
        };
        let check = |parts: &[Part], expected: Option<(&str, &str)>| {
            let repository = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web".parse().unwrap();
            let problem = After::Replication.judge(parts, &repository).err();
            let seen = problem.as_ref().map(|problem| (problem.summary.as_str(), problem.detail.as_str()));
            match (seen, expected) {
                (None, None) => {}
                (Some((summary, detail)), Some((expected, words))) => {
                    assert_eq!(summary, expected);
                    assert!(detail.contains(words), "{detail}");
                }
                other => panic!("{other:?}"),
            }
        };
        check(&[part(true, None)], None);
        check(&[], Some(("ECR began no replication of the image", "aws_ecr_replication_configuration")));
        let failed = Some(("The replication of the image failed", "eu-west-1: Denied"));
        check(&[part(true, None), part(false, Some("Denied"))], failed);
        check(&[part(false, None)], Some(("The replication of the image failed", "does not say why")));
    }
}
