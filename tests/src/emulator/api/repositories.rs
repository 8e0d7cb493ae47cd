//! Repositories and their settings.

use serde_json::{Value, json};

use super::Call;
use crate::emulator::refusal::Refusal;
use crate::emulator::store::Registry;

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
}
