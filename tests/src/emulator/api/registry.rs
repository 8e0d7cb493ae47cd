//! Settings of a registry as a whole: mounting, signing, replication, templates, policies, pull-through rules.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::Call;
use crate::emulator::aftermath::{MOMENT, rules};
use crate::emulator::clock::seconds;
use crate::emulator::refusal::Refusal;
use crate::emulator::store::{REPLICATION, Registry, Repository, SIGNING};

pub(super) fn answer(
    call: &Call<'_>,
    registry: &mut Registry,
    action: &str,
) -> Option<Result<Value, Refusal>> {
    Some(match action {
        "GetAccountSetting" => call.setting(registry),
        "PutAccountSetting" => call.put_setting(registry),
        "PutSigningConfiguration" => Ok(call.put(registry, SIGNING)),
        "GetSigningConfiguration" => call.signing(registry.documents.get(SIGNING).cloned()),
        "DeleteSigningConfiguration" => call.signing(registry.documents.remove(SIGNING)),
        "DescribeImageSigningStatus" => call.signing_status(registry),
        "PutReplicationConfiguration" => Ok(call.put(registry, REPLICATION)),
        "DescribeRegistry" => Ok(call.with_id(json!({ "replicationConfiguration": replication(registry) }))),
        "DescribeImageReplicationStatus" => call.replication_status(registry),
        "PutRegistryPolicy" => {
            registry.documents.insert("policy", call.input["policyText"].clone());
            Ok(call.with_id(json!({ "policyText": call.input["policyText"] })))
        }
        "GetRegistryPolicy" => call.policy(registry.documents.get("policy").cloned()),
        "DeleteRegistryPolicy" => call.policy(registry.documents.remove("policy")),
        "CreateRepositoryCreationTemplate" => call.create_template(registry),
        "UpdateRepositoryCreationTemplate" => call.update_template(registry),
        "DescribeRepositoryCreationTemplates" => Ok(call.templates(registry)),
        "DeleteRepositoryCreationTemplate" => call.delete_template(registry),
        "CreatePullThroughCacheRule" => call.create_rule(registry),
        "DescribePullThroughCacheRules" => call.rules(registry),
        "DeletePullThroughCacheRule" => call.delete_rule(registry),
        _ => return None,
    })
}

fn replication(registry: &Registry) -> Value {
    registry.documents.get(REPLICATION).cloned().unwrap_or(json!({ "rules": [] }))
}

/// The configuration, if it was so when the image was pushed: what is older stays as it is.
fn then(configured: Option<(Value, SystemTime)>, repository: &Repository, digest: &str) -> Option<Value> {
    let pushed = repository.manifests[digest].pushed;
    configured.filter(|(_, since)| pushed >= *since).map(|(configuration, _)| configuration)
}

impl Call<'_> {
    fn with_id(&self, mut answer: Value) -> Value {
        answer["registryId"] = json!(self.scope.account);
        answer
    }

    /// Keeps a configuration and says it back.
    fn put(&self, registry: &mut Registry, name: &'static str) -> Value {
        registry.documents.insert(name, self.input[name].clone());
        registry.since.insert(name, self.now);
        json!({ name: self.input[name] })
    }

    fn setting(&self, registry: &Registry) -> Result<Value, Refusal> {
        let name = self.setting_name()?;
        let default = if name == "BLOB_MOUNTING" { "DISABLED" } else { "AWS_NATIVE" };
        let value = registry.account_settings.get(name).map_or(default, String::as_str);
        Ok(json!({ "name": name, "value": value }))
    }

    fn put_setting(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let (name, value) = (self.setting_name()?, self.needs("value")?);
        registry.account_settings.insert(name.to_owned(), value.to_owned());
        Ok(json!({ "name": name, "value": value }))
    }

    fn setting_name(&self) -> Result<&str, Refusal> {
        let name = self.needs("name")?;
        let known = ["BLOB_MOUNTING", "BASIC_SCAN_TYPE_VERSION", "REGISTRY_POLICY_SCOPE"].contains(&name);
        if known {
            Ok(name)
        } else {
            Err(Refusal::parameter("name", "must be the name of an account setting"))
        }
    }

    fn signing(&self, configuration: Option<Value>) -> Result<Value, Refusal> {
        let message = "The signing configuration does not exist";
        let missing = || Refusal::not_found("SigningConfigurationNotFoundException", message);
        Ok(self.with_id(json!({ "signingConfiguration": configuration.ok_or_else(missing)? })))
    }

    /// How far a thing is that begins with the push and takes a moment.
    fn progress(&self, repository: &Repository, digest: &str) -> &'static str {
        let age = self.now.duration_since(repository.manifests[digest].pushed).unwrap_or_default();
        if age < MOMENT { "IN_PROGRESS" } else { "COMPLETE" }
    }

    fn signing_status(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let configured = registry.configured(SIGNING);
        let repository = self.repository(registry)?;
        let digest = self.image(repository)?;
        let status = self.progress(repository, &digest);
        let configuration = then(configured, repository, &digest);
        let statuses = rules(configuration.as_ref(), &repository.name)
            .map(|rule| json!({ "signingProfileArn": rule["signingProfileArn"], "status": status }));
        let answer =
            json!({ "imageId": { "imageDigest": digest }, "signingStatuses": statuses.collect::<Vec<_>>() });
        Ok(self.about(repository, answer))
    }

    fn replication_status(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let configured = registry.configured(REPLICATION);
        let repository = self.repository(registry)?;
        let digest = self.image(repository)?;
        let status = self.progress(repository, &digest);
        let configuration = then(configured, repository, &digest);
        let destinations = rules(configuration.as_ref(), &repository.name)
            .filter_map(|rule| rule["destinations"].as_array());
        let statuses = destinations
            .flatten()
            .map(|to| json!({ "region": to["region"], "registryId": to["registryId"], "status": status }));
        let statuses: Vec<_> = statuses.collect();
        let id = json!({ "imageDigest": digest });
        Ok(json!({ "repositoryName": repository.name, "imageId": id, "replicationStatuses": statuses }))
    }

    fn policy(&self, text: Option<Value>) -> Result<Value, Refusal> {
        let message =
            format!("Registry policy does not exist in the registry with id '{}'", self.scope.account);
        let missing = || Refusal::not_found("RegistryPolicyNotFoundException", message);
        Ok(self.with_id(json!({ "policyText": text.ok_or_else(missing)? })))
    }

    fn no_template(prefix: &str) -> Refusal {
        let message = format!("The template with prefix '{prefix}' does not exist");
        Refusal::not_found("TemplateNotFoundException", message)
    }

    fn create_template(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let prefix = self.needs("prefix")?;
        if registry.templates.contains_key(prefix) {
            let message = format!("The template with prefix '{prefix}' already exists");
            return Err(Refusal::not_found("TemplateAlreadyExistsException", message));
        }
        let mut template = self.input.as_object().cloned().unwrap_or_else(Map::new);
        template.entry("imageTagMutability").or_insert(json!("MUTABLE"));
        template.entry("encryptionConfiguration").or_insert(json!({ "encryptionType": "AES256" }));
        template.insert("createdAt".to_owned(), json!(seconds(self.now)));
        template.insert("updatedAt".to_owned(), json!(seconds(self.now)));
        registry.templates.insert(prefix.to_owned(), template.clone());
        Ok(self.with_id(json!({ "repositoryCreationTemplate": template })))
    }

    fn update_template(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let prefix = self.needs("prefix")?;
        let template = registry.templates.get_mut(prefix).ok_or_else(|| Self::no_template(prefix))?;
        template.extend(self.input.as_object().cloned().unwrap_or_default());
        template.insert("updatedAt".to_owned(), json!(seconds(self.now)));
        Ok(self.with_id(json!({ "repositoryCreationTemplate": template })))
    }

    fn templates(&self, registry: &Registry) -> Value {
        let asked = self.list("prefixes");
        let wanted = |prefix: &&String| asked.is_empty() || asked.iter().any(|asked| asked == *prefix);
        let templates = registry.templates.iter().filter(|(prefix, _)| wanted(prefix));
        let templates: Vec<_> = templates.map(|(_, template)| template).collect();
        self.with_id(json!({ "repositoryCreationTemplates": templates }))
    }

    fn delete_template(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let prefix = self.needs("prefix")?;
        let template = registry.templates.remove(prefix).ok_or_else(|| Self::no_template(prefix))?;
        Ok(self.with_id(json!({ "repositoryCreationTemplate": template })))
    }

    fn no_rule(&self, prefix: &str) -> Refusal {
        let message = format!(
            "The pull through cache rule with ecrRepositoryPrefix '{prefix}' does not exist in the registry with id '{}'",
            self.scope.account
        );
        Refusal::not_found("PullThroughCacheRuleNotFoundException", message)
    }

    fn create_rule(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let prefix = self.needs("ecrRepositoryPrefix")?;
        if registry.pull_through.contains_key(prefix) {
            let message = format!("A pull through cache rule with prefix '{prefix}' already exists");
            return Err(Refusal::not_found("PullThroughCacheRuleAlreadyExistsException", message));
        }
        let mut rule = self.with_id(self.input.clone());
        rule["createdAt"] = json!(seconds(self.now));
        registry.pull_through.insert(prefix.to_owned(), rule.clone());
        Ok(rule)
    }

    fn rules(&self, registry: &Registry) -> Result<Value, Refusal> {
        let asked: Vec<_> = self.list("ecrRepositoryPrefixes").iter().filter_map(Value::as_str).collect();
        if let Some(missing) = asked.iter().find(|prefix| !registry.pull_through.contains_key(**prefix)) {
            return Err(self.no_rule(missing));
        }
        let wanted = |prefix: &str| asked.is_empty() || asked.contains(&prefix);
        let rules = registry.pull_through.iter().filter(|(prefix, _)| wanted(prefix));
        Ok(json!({ "pullThroughCacheRules": rules.map(|(_, rule)| rule).collect::<Vec<_>>() }))
    }

    fn delete_rule(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let prefix = self.needs("ecrRepositoryPrefix")?;
        registry.pull_through.remove(prefix).ok_or_else(|| self.no_rule(prefix))
    }
}
