use std::time::SystemTime;

use aws_sdk_ecr::types::{LifecyclePolicyPreviewResult, LifecyclePolicyPreviewStatus};
use futures::TryStreamExt;

use super::{
    EcrRepository, Wait, digest,
    error::said,
    pages::pages,
    time,
    wait::{Seen, until},
    words::words,
};
use crate::{
    error::{Action, Error, ErrorKind},
    names::{Digest, Tag},
};

/// An image that a lifecycle policy would act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleMatch {
    /// The image.
    pub digest: Digest,
    /// Its tags, sorted.
    pub tags: Vec<Tag>,
    /// When it was pushed.
    pub pushed_at: Option<SystemTime>,
    /// The priority of the rule that acts on it.
    pub rule: u32,
    /// What the rule does.
    pub action: LifecycleAction,
}

words! {
    /// What a lifecycle rule does.
    LifecycleAction {
        /// It deletes the image.
        Expire = "EXPIRE",
        /// It puts the image into the archive.
        Archive = "TRANSITION",
    }
}

impl EcrRepository {
    /// What a lifecycle policy, or else the repository's own, would do now. Nothing is done. ECR takes some seconds,
    /// and makes one preview at a time. Without any policy there is nothing to be done.
    pub async fn preview_lifecycle(
        &self,
        policy: Option<&str>,
        wait: &Wait,
    ) -> Result<Vec<LifecycleMatch>, Error> {
        self.previewed(policy, wait).await.map_err(self.error(Action::Describe, ""))
    }

    async fn previewed(&self, policy: Option<&str>, wait: &Wait) -> Result<Vec<LifecycleMatch>, ErrorKind> {
        let call = self.client().start_lifecycle_policy_preview().registry_id(&self.host.account);
        let call =
            call.repository_name(self.repository.name()).set_lifecycle_policy_text(policy.map(str::to_owned));
        let start = || async {
            match self.call("StartLifecyclePolicyPreview", || call.clone().send()).await {
                Ok(_) => Ok(Seen::Over(true)),
                Err(kind) if said(&kind, "LifecyclePolicyNotFoundException") => Ok(Seen::Over(false)),
                Err(kind) if said(&kind, "LifecyclePolicyPreviewInProgressException") => {
                    Ok(Seen::Goes("blocked by another".to_owned()))
                }
                Err(kind) => Err(kind),
            }
        };
        if !until(wait, "preview", start).await? {
            return Ok(Vec::new());
        }
        until(wait, "preview", || self.is_previewed()).await?;
        let call = self.preview().max_results(100);
        let ask = |mark| {
            let call = call.clone().set_next_token(mark);
            async move {
                let answer = self.call("GetLifecyclePolicyPreview", || call.clone().send()).await?;
                let matches = answer.preview_results().iter().map(parse).collect::<Result<_, _>>()?;
                Ok((matches, answer.next_token))
            }
        };
        pages(ask).try_collect().await
    }

    async fn is_previewed(&self) -> Result<Seen<()>, ErrorKind> {
        let call = self.preview().max_results(1);
        let answer = match self.call("GetLifecyclePolicyPreview", || call.clone().send()).await {
            Ok(answer) => answer,
            Err(kind) if said(&kind, "LifecyclePolicyPreviewNotFoundException") => {
                return Ok(Seen::Goes("not there yet".to_owned()));
            }
            Err(kind) => return Err(kind),
        };
        match answer.status() {
            Some(LifecyclePolicyPreviewStatus::Complete) => Ok(Seen::Over(())),
            Some(LifecyclePolicyPreviewStatus::InProgress) => Ok(Seen::Goes("under way".to_owned())),
            other => {
                let status = other.map_or("no status", LifecyclePolicyPreviewStatus::as_str).to_owned();
                Err(ErrorKind::Refused {
                    status,
                    message: "there is no preview of the lifecycle policy".to_owned(),
                })
            }
        }
    }

    fn preview(
        &self,
    ) -> aws_sdk_ecr::operation::get_lifecycle_policy_preview::builders::GetLifecyclePolicyPreviewFluentBuilder
    {
        let call = self.client().get_lifecycle_policy_preview().registry_id(&self.host.account);
        call.repository_name(self.repository.name())
    }
}

fn parse(result: &LifecyclePolicyPreviewResult) -> Result<LifecycleMatch, ErrorKind> {
    let mut tags: Vec<Tag> = result.image_tags().iter().filter_map(|tag| tag.parse().ok()).collect();
    tags.sort();
    let action = result.action().and_then(|action| action.r#type());
    Ok(LifecycleMatch {
        digest: digest(result.image_digest())?,
        tags,
        pushed_at: time(result.image_pushed_at()),
        rule: result.applied_rule_priority().and_then(|rule| rule.try_into().ok()).unwrap_or(0),
        action: action.map_or(LifecycleAction::Expire, |action| action.as_str().into()),
    })
}
