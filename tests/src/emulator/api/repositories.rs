//! Repositories and their settings.

use serde_json::{Value, json};

use super::Call;
use crate::emulator::refusal::Refusal;
use crate::emulator::store::{Registry, Repository, resource_tags};

pub(super) fn answer(
    call: &Call<'_>,
    registry: &mut Registry,
    action: &str,
) -> Option<Result<Value, Refusal>> {
    Some(match action {
        "CreateRepository" => call.create(registry),
        "DescribeRepositories" => call.describe(registry),
        "DeleteRepository" => call.delete(registry),
        "PutImageTagMutability" => call.put_mutability(registry),
        "SetRepositoryPolicy" => call.set_policy(registry),
        "GetRepositoryPolicy" => call.repository_policy(registry, false),
        "DeleteRepositoryPolicy" => call.repository_policy(registry, true),
        "TagResource" => call.tag(registry),
        "UntagResource" => call.untag(registry),
        "ListTagsForResource" => call.resource_tags(registry),
        _ => return None,
    })
}

impl Call<'_> {
    fn create(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let repository = registry.create(self.needs("repositoryName")?, self.input, self.now)?;
        Ok(json!({ "repository": repository.settings }))
    }

    fn describe(&self, registry: &Registry) -> Result<Value, Refusal> {
        let names = self.list("repositoryNames");
        let repositories: Vec<_> = if names.is_empty() {
            registry.repositories.values().collect()
        } else {
            let names = names.iter().filter_map(Value::as_str);
            names.map(|name| registry.repository(name)).collect::<Result<_, _>>()?
        };
        let settings: Vec<_> = repositories.into_iter().map(|one| one.settings.clone()).collect();
        Ok(json!({ "repositories": settings }))
    }

    fn delete(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let repository = self.repository(registry)?;
        if !repository.manifests.is_empty() && self.input["force"] != true {
            return Err(Refusal::repository_not_empty(&repository.name, self.scope));
        }
        let (name, settings) = (repository.name.clone(), repository.settings.clone());
        registry.repositories.remove(&name);
        Ok(json!({ "repository": settings }))
    }

    fn put_mutability(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let mutability = self.needs("imageTagMutability")?.to_owned();
        let filters = self.input["imageTagMutabilityExclusionFilters"].clone();
        let repository = self.repository(registry)?;
        repository.settings["imageTagMutability"] = json!(mutability);
        if let Some(settings) = repository.settings.as_object_mut() {
            settings.remove("imageTagMutabilityExclusionFilters");
        }
        let mut answer = json!({ "imageTagMutability": mutability });
        if filters.is_array() {
            repository.settings["imageTagMutabilityExclusionFilters"] = filters.clone();
            answer["imageTagMutabilityExclusionFilters"] = filters;
        }
        Ok(self.about(repository, answer))
    }

    fn set_policy(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let text = self.needs("policyText")?.to_owned();
        let repository = self.repository(registry)?;
        repository.documents.insert("policy", text.clone());
        Ok(self.about(repository, json!({ "policyText": text })))
    }

    fn repository_policy(&self, registry: &mut Registry, delete: bool) -> Result<Value, Refusal> {
        let repository = self.repository(registry)?;
        let message = format!(
            "Repository policy does not exist for the repository with name '{}' in the registry with id '{}'",
            repository.name, self.scope.account
        );
        let documents = &mut repository.documents;
        let text = if delete { documents.remove("policy") } else { documents.get("policy").cloned() };
        let missing = || Refusal::not_found("RepositoryPolicyNotFoundException", message);
        Ok(self.about(repository, json!({ "policyText": text.ok_or_else(missing)? })))
    }

    /// The repository that an ARN names.
    fn resource<'r>(&self, registry: &'r mut Registry) -> Result<&'r mut Repository, Refusal> {
        let arn = self.needs("resourceArn")?;
        let name = arn.split_once(":repository/").map_or("", |(_, name)| name);
        registry.repository_mut(name)
    }

    fn tag(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        self.resource(registry)?.resource_tags.extend(resource_tags(self.list("tags")));
        Ok(json!({}))
    }

    fn untag(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let keys: Vec<_> = self.list("tagKeys").iter().filter_map(Value::as_str).collect();
        self.resource(registry)?.resource_tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(json!({}))
    }

    fn resource_tags(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let tags = self.resource(registry)?.resource_tags.iter();
        Ok(
            json!({ "tags": tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect::<Vec<_>>() }),
        )
    }
}
