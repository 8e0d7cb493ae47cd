use super::{
    EcrRepository, Wait,
    resolve::identifier,
    wait::{Seen, until},
    words::words,
};
use crate::{
    error::{Action, Error, ErrorKind},
    names::{Digest, Version},
};

words! {
    /// Where something stands that ECR does on its own.
    Stage {
        /// It goes on.
        InProgress = "IN_PROGRESS",
        /// It is done.
        Complete = "COMPLETE",
        /// It failed.
        Failed = "FAILED",
    }
}

/// The copy of an image that ECR makes in another region or account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The account it goes to.
    pub account: String,
    /// The region it goes to.
    pub region: String,
    /// Where it stands.
    pub status: Stage,
    /// ECR's word for what went wrong.
    pub failure: Option<String>,
}

/// The signature that ECR makes for an image with a profile of AWS Signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The profile's ARN.
    pub profile: String,
    /// Where it stands.
    pub status: Stage,
    /// What went wrong: ECR's word for it, and why.
    pub failure: Option<String>,
}

impl EcrRepository {
    /// How far the copies of an image are that ECR makes; none if it makes none.
    pub async fn replicas(&self, image: &Digest) -> Result<Vec<Replica>, Error> {
        self.replicated(image).await.map_err(self.error(Action::Describe, format!("@{image}")))
    }

    /// How far the signatures of an image are that ECR makes; none if it makes none.
    pub async fn signings(&self, image: &Digest) -> Result<Vec<Signing>, Error> {
        self.signed(image).await.map_err(self.error(Action::Describe, format!("@{image}")))
    }

    /// Waits until no copy of an image is under way. Some may have failed.
    pub async fn wait_for_replicas(&self, image: &Digest, wait: &Wait) -> Result<Vec<Replica>, Error> {
        let look = || async { Ok(seen(self.replicated(image).await?, |replica| &replica.status)) };
        until(wait, "replication", look).await.map_err(self.error(Action::Describe, format!("@{image}")))
    }

    /// Waits until no signature of an image is under way. Some may have failed.
    pub async fn wait_for_signings(&self, image: &Digest, wait: &Wait) -> Result<Vec<Signing>, Error> {
        let look = || async { Ok(seen(self.signed(image).await?, |signing| &signing.status)) };
        until(wait, "signing", look).await.map_err(self.error(Action::Describe, format!("@{image}")))
    }

    async fn replicated(&self, image: &Digest) -> Result<Vec<Replica>, ErrorKind> {
        let call = self.client().describe_image_replication_status().registry_id(&self.host.account);
        let call =
            call.repository_name(self.repository.name()).image_id(identifier(&Version::Digest(*image)));
        let answer = self.call("DescribeImageReplicationStatus", || call.clone().send()).await?;
        let replica = |status: &aws_sdk_ecr::types::ImageReplicationStatus| Replica {
            account: status.registry_id().unwrap_or_default().to_owned(),
            region: status.region().unwrap_or_default().to_owned(),
            status: status.status().map_or(Stage::InProgress, |status| status.as_str().into()),
            failure: status.failure_code().map(str::to_owned),
        };
        Ok(answer.replication_statuses().iter().map(replica).collect())
    }

    async fn signed(&self, image: &Digest) -> Result<Vec<Signing>, ErrorKind> {
        let call = self.client().describe_image_signing_status().registry_id(&self.host.account);
        let call =
            call.repository_name(self.repository.name()).image_id(identifier(&Version::Digest(*image)));
        let answer = self.call("DescribeImageSigningStatus", || call.clone().send()).await?;
        let signing = |status: &aws_sdk_ecr::types::ImageSigningStatus| {
            let failure = [status.failure_code(), status.failure_reason()];
            let failure = failure.into_iter().flatten().collect::<Vec<_>>().join(": ");
            Signing {
                profile: status.signing_profile_arn().unwrap_or_default().to_owned(),
                status: status.status().map_or(Stage::InProgress, |status| status.as_str().into()),
                failure: (!failure.is_empty()).then_some(failure),
            }
        };
        Ok(answer.signing_statuses().iter().map(signing).collect())
    }
}

fn seen<T>(parts: Vec<T>, status: impl Fn(&T) -> &Stage) -> Seen<Vec<T>> {
    let under_way = parts.iter().filter(|part| *status(part) == Stage::InProgress).count();
    match (parts.len(), under_way) {
        (0, _) => Seen::NotBegun(parts),
        (_, 0) => Seen::Over(parts),
        (all, under_way) => Seen::Goes(format!("under way ({under_way} of {all})")),
    }
}
