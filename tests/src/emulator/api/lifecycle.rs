//! Lifecycle policies: kept, and shown what they would do. The emulator carries none out.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::Call;
use super::scans::STEP;
use crate::ecr::images::Listing;
use crate::emulator::clock::seconds;
use crate::emulator::refusal::Refusal;
use crate::emulator::store::{Manifest, Preview, Registry, Repository, matches};

pub(super) fn answer(
    call: &Call<'_>,
    registry: &mut Registry,
    action: &str,
) -> Option<Result<Value, Refusal>> {
    let actions = [
        "PutLifecyclePolicy",
        "GetLifecyclePolicy",
        "DeleteLifecyclePolicy",
        "StartLifecyclePolicyPreview",
        "GetLifecyclePolicyPreview",
    ];
    let at = actions.iter().position(|known| *known == action)?;
    Some(call.repository(registry).and_then(|repository| match at {
        0 => call.put_policy(repository),
        1 => call.lifecycle(repository, repository.documents.get("lifecycle").cloned()),
        2 => {
            let text = repository.documents.remove("lifecycle");
            call.lifecycle(repository, text)
        }
        3 => call.start_preview(repository),
        _ => call.preview(repository),
    }))
}

/// One rule of a policy.
///
/// Source: "Lifecycle policy properties in Amazon ECR".
struct Rule<'a>(&'a Value);

impl Call<'_> {
    fn put_policy(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        let text = self.needs("lifecyclePolicyText")?;
        parse(text)?;
        repository.documents.insert("lifecycle", text.to_owned());
        Ok(self.about(repository, json!({ "lifecyclePolicyText": text })))
    }

    fn lifecycle(&self, repository: &Repository, text: Option<String>) -> Result<Value, Refusal> {
        let message = format!(
            "Lifecycle policy does not exist for the repository with name '{}' in the registry with id '{}'",
            repository.name, self.scope.account
        );
        let missing = || Refusal::not_found("LifecyclePolicyNotFoundException", message);
        let answer =
            json!({ "lifecyclePolicyText": text.ok_or_else(missing)?, "lastEvaluatedAt": seconds(self.now) });
        Ok(self.about(repository, answer))
    }

    fn start_preview(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        let known = repository.documents.get("lifecycle").cloned();
        let Some(text) = self.text("lifecyclePolicyText").map(str::to_owned).or(known) else {
            return self.lifecycle(repository, None);
        };
        let busy = |preview: &Preview| self.now < preview.begun + STEP;
        if repository.preview.as_ref().is_some_and(busy) {
            let message = "The previous lifecycle policy preview request has not completed";
            return Err(Refusal::not_found("LifecyclePolicyPreviewInProgressException", message));
        }
        let results = results(&parse(&text)?, repository, self.now);
        repository.preview = Some(Preview { text: text.clone(), begun: self.now, results });
        Ok(self.about(repository, json!({ "lifecyclePolicyText": text, "status": "IN_PROGRESS" })))
    }

    fn preview(&self, repository: &Repository) -> Result<Value, Refusal> {
        let message = "The preview lifecycle policy does not exist";
        let missing = || Refusal::not_found("LifecyclePolicyPreviewNotFoundException", message);
        let preview = repository.preview.as_ref().ok_or_else(missing)?;
        let mut answer = json!({ "lifecyclePolicyText": preview.text, "status": "IN_PROGRESS" });
        if self.now >= preview.begun + STEP {
            let listing: Listing = self.listing()?;
            let kept = |result: &&Value| listing.keeps(result["imageTags"][0].is_string());
            let results: Vec<_> = preview.results.iter().filter(kept).collect();
            let expiring = results.iter().filter(|result| result["action"]["type"] == "EXPIRE").count();
            answer["status"] = json!("COMPLETE");
            answer["summary"] = json!({ "expiringImageTotalCount": expiring });
            answer["previewResults"] = json!(results);
        }
        Ok(self.about(repository, answer))
    }
}

/// The rules of a policy, by priority.
fn parse(text: &str) -> Result<Vec<Value>, Refusal> {
    let wrong = |what: &str| Refusal::parameter("LifecyclePolicyText", what);
    let policy: Value = serde_json::from_str(text).map_err(|_| wrong("Lifecycle policy is not JSON"))?;
    let mut rules = policy["rules"].as_array().cloned().filter(|rules| !rules.is_empty());
    let rules = rules.as_mut().ok_or_else(|| wrong("Lifecycle policy has no rules"))?;
    let priorities: BTreeSet<_> = rules.iter().filter_map(|rule| rule["rulePriority"].as_u64()).collect();
    if priorities.len() != rules.len() {
        return Err(wrong("every rule needs a priority of its own"));
    }
    rules.sort_by_key(|rule| rule["rulePriority"].as_u64());
    Ok(rules.clone())
}

/// What the rules would do, newest images first. Each image is at most one rule's, and never while an index has it.
fn results(rules: &[Value], repository: &Repository, now: std::time::SystemTime) -> Vec<Value> {
    let held: BTreeSet<_> = repository.manifests.values().flat_map(|index| index.children.iter()).collect();
    let mut images: Vec<_> =
        repository.manifests.iter().filter(|(digest, _)| !held.contains(digest)).collect();
    images.sort_by(|one, other| other.1.pushed.cmp(&one.1.pushed).then(one.0.cmp(other.0)));
    let (mut seen, mut results) = (BTreeSet::new(), Vec::new());
    for rule in rules.iter().map(Rule) {
        let mut matching = 0;
        for (digest, manifest) in &images {
            let tags = repository.tags_of(digest);
            if seen.contains(*digest) || !rule.selects(&tags) {
                continue;
            }
            matching += 1;
            if rule.reaches(matching, manifest, now) {
                seen.insert((*digest).clone());
                results.push(json!({
                    "imageTags": tags, "imageDigest": digest, "imagePushedAt": seconds(manifest.pushed),
                    "action": rule.action(), "appliedRulePriority": rule.0["rulePriority"],
                }));
            }
        }
    }
    results
}

impl Rule<'_> {
    fn selects(&self, tags: &[String]) -> bool {
        let selection = &self.0["selection"];
        let list = |name: &str| selection[name].as_array().cloned().unwrap_or_default();
        let all = |patterns: Vec<Value>, fits: fn(&str, &str) -> bool| {
            patterns.iter().filter_map(Value::as_str).all(|pattern| tags.iter().any(|tag| fits(pattern, tag)))
        };
        match selection["tagStatus"].as_str() {
            Some("untagged") => tags.is_empty(),
            Some("tagged") => {
                !tags.is_empty()
                    && all(list("tagPrefixList"), |prefix, tag| tag.starts_with(prefix))
                    && all(list("tagPatternList"), matches)
            }
            _ => true,
        }
    }

    /// Whether the rule's count is over: of images so far, or of days.
    fn reaches(&self, number: u64, manifest: &Manifest, now: std::time::SystemTime) -> bool {
        let selection = &self.0["selection"];
        let count = selection["countNumber"].as_u64().unwrap_or(u64::MAX);
        if selection["countType"] == "imageCountMoreThan" {
            return number > count;
        }
        let age = now.duration_since(manifest.pushed).unwrap_or_default();
        age > Duration::from_hours(24).saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn action(&self) -> Value {
        let action = &self.0["action"];
        if action["type"] == "transition" {
            json!({ "type": "TRANSITION", "targetStorageClass": "ARCHIVE" })
        } else {
            json!({ "type": "EXPIRE" })
        }
    }
}
