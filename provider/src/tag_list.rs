//! The list resource `ecr_tag`: finds the tags of a repository, for `terraform query`.

use tfplugin_rs::{
    Configured, Diagnostics, Found, ListEvent, ListRequest, ListResource, Object, Schema,
    ValidateListRequest, async_trait,
};

use crate::{
    access::Access,
    argument::{Place, Text, blamed, faults},
    report::Report,
    tag::{TYPE_NAME, TagState, identity},
    tag_pattern::TagPattern,
};

/// The list resource `ecr_tag`.
pub(crate) struct TagList(pub(crate) Configured<Access>);

/// Finds the tags of a repository in ECR.
#[derive(Object)]
struct Search {
    /// The repository with its registry, `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web`, or as a name in the
    /// provider's account and region, `shop/web`.
    repository: Text<Place>,
    /// Only tags like this, in which `*` stands for any text: `v1.*`.
    tag_pattern: Option<Text<TagPattern>>,
}

#[async_trait]
impl ListResource for TagList {
    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> Schema {
        Schema::of::<Search>()
    }

    async fn validate(&self, request: ValidateListRequest) -> Diagnostics {
        let config = request.config.view();
        let mut problems = faults::<Place>(&config.get("repository"));
        problems.extend(faults::<TagPattern>(&config.get("tag_pattern")));
        problems
    }

    async fn list(&self, request: ListRequest, found: Found) -> Result<(), Diagnostics> {
        let search: Search = request.config.view().read()?;
        let access = self.0.get()?;
        let repository = access.private(&search.repository).await?;
        let ecr = access.registry()?.ecr(&repository.repository).map_err(|error| error.report())?;
        let tags = ecr.tags().await.map_err(|error| blamed(&error, "repository", "tag_pattern"))?;
        let is_meant =
            |tag: &ecr_registry::Tag| search.tag_pattern.as_ref().is_none_or(|pattern| pattern.matches(tag));
        for (tag, digest) in tags.into_iter().filter(|(tag, _)| is_meant(tag)) {
            let display_name = format!("{}:{tag}", repository.repository.name());
            let identity = identity(&repository, &tag);
            let state = TagState::found(repository.clone(), tag, digest);
            let resource = request.include_resource.then(|| state.into());
            found.send(ListEvent { identity, display_name, resource, ..Default::default() }).await?;
        }
        Ok(())
    }
}
