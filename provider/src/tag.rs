//! The resource `ecr_tag`: a tag that points at an image, whoever made that.

pub(crate) mod decision;
pub(crate) mod plan;
pub(crate) mod pointing;
#[cfg(test)]
mod tests;

use ecr_registry::{Digest, EcrHost, Registry, Repository, Tag, Version};
use tfplugin_rs::{
    Call, Change, Configured, Diagnostic, Diagnostics, Failed, Field, IdentitySchema, ImportRequest, Object,
    Operation, Type, TypedResource, ValidateRequest, Value, async_trait,
};

use self::{
    decision::{Step, step},
    plan::wanted_place,
    pointing::{points_at, untag},
};
use crate::{
    access::Access,
    argument::{OnMovedTag, Place, PrivateRepository, Text, blamed, choice, faults, known_place, place_of},
    report::Report,
};

pub(crate) const TYPE_NAME: &str = "ecr_tag";

/// The image that this resource pointed the tag at, in private data: state follows where others move it.
const PUT: &str = "put";
/// In private data: the plan is that of a create, which may replace, so destroying takes nothing away.
pub(crate) const REPLACES: &str = "replaces";

/// The resource `ecr_tag`.
pub(crate) struct TagResource(pub(crate) Configured<Access>);

choice! {
    /// What becomes of the tag when its resource goes.
    OnDestroy {
        /// It stays.
        Keep = "keep",
        /// It is taken away, unless that would delete the image.
        Untag = "untag",
    }
}

/// A tag of a repository in ECR, pointing at an image that is there. Use it for tags that move from image to image,
/// such as `production`, or whose image somebody else pushes; tags of an image built or copied here are its own `tags`.
#[derive(Clone, Debug, Object)]
pub(crate) struct TagState {
    /// The repository with its registry, `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web`, or as a name in the
    /// provider's account and region, `shop/web`. Another repository gets a tag of its own; the old one stays.
    #[object(requires_replace)]
    repository: Text<Place>,
    /// The tag. Another one is put beside the old, which stays.
    #[object(requires_replace)]
    tag: Text<Tag>,
    /// The image to point at, `sha256:…`. It has to be in the repository. A change moves the tag.
    digest: Text<Digest>,
    /// What becomes of the tag when it leaves the configuration: `keep`, or `untag`, which takes it away if it still points
    /// where this resource pointed it, and is not the last tag of its image: ECR would delete the image. Default: `keep`.
    #[object(default = "keep")]
    on_destroy: OnDestroy,
    /// What to do when somebody points the tag at another image: `restore` plans to point it back, `ignore` leaves it.
    /// A change of this takes effect with the apply after. Default: `restore`.
    #[object(default = "restore")]
    on_moved_tag: OnMovedTag,
    /// The image by its digest, `repository@sha256:…`: the reference to deploy.
    #[object(depends_on(["repository", "digest"]))]
    uri: Field<String>,
    /// What the tag pointed at before it was moved last: where to go back to. Null for a tag that was new.
    #[object(depends_on(["repository", "tag", "digest"]))]
    previous_digest: Field<Text<Digest>>,
}

impl TagState {
    /// As it is found in a registry, with the policies that nobody has chosen.
    pub(crate) fn found(repository: PrivateRepository, tag: Tag, digest: Digest) -> Self {
        let there = repository.repository.clone();
        let state = Self {
            repository: Place::from(repository).into(),
            tag: tag.into(),
            digest: digest.into(),
            on_destroy: OnDestroy::Keep,
            on_moved_tag: OnMovedTag::Restore,
            uri: Field::Null,
            previous_digest: Field::Null,
        };
        state.pointing_at(&there, digest)
    }

    fn pointing_at(self, repository: &Repository, digest: Digest) -> Self {
        let uri = format!("{repository}@{digest}").into();
        // Written as it was, if it is the same.
        let digest = if *self.digest == digest { self.digest } else { digest.into() };
        Self { digest, uri, ..self }
    }
}

pub(crate) fn identity(repository: &PrivateRepository, tag: &Tag) -> Value {
    Value::object([
        ("account_id", Value::from(repository.host.account.as_str())),
        ("region", repository.host.region.as_str().into()),
        ("repository_name", repository.repository.name().into()),
        ("tag", tag.as_str().into()),
    ])
}

#[async_trait]
impl TypedResource for TagResource {
    type Model = TagState;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn identity(&self) -> Option<IdentitySchema> {
        let schema = IdentitySchema::new()
            .required("account_id", Type::String, "The account of the registry.")
            .required("region", Type::String, "The region of the registry.")
            .required("repository_name", Type::String, "The name of the repository, without the registry's.")
            .required("tag", Type::String, "The tag.");
        Some(schema)
    }

    fn identity_of(&self, state: &TagState) -> Option<Value> {
        let repository = place_of(&state.uri.clone().into())?;
        Some(identity(&repository, &state.tag))
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let config = request.config.view();
        let mut problems = faults::<Place>(&config.get("repository"));
        problems.extend(faults::<Tag>(&config.get("tag")));
        problems.extend(faults::<Digest>(&config.get("digest")));
        problems
    }

    async fn plan(&self, change: &mut Change) -> Result<(), Diagnostics> {
        let access = self.0.get()?;
        let repository = wanted_place(&access, change).await;
        if change.operation() == Operation::Create {
            plan::mark_create(&mut change.private);
            if let Some((registry, repository)) = access.registry.as_ref().zip(repository.as_ref()) {
                plan::warn_of_takeover(registry, &repository.repository, change).await;
            }
        }
        plan::refine(change, repository.as_ref());
        Ok(())
    }

    async fn read(&self, state: TagState, call: &mut Call) -> Result<Option<TagState>, Diagnostics> {
        let access = self.0.get()?;
        let Some(registry) = &access.registry else { return Ok(Some(state)) };
        let repository = known_place(&state.uri)?.repository;
        let version = Version::Tag(state.tag.clone().into_inner());
        match registry.digests(&repository, &[version]).await {
            Ok(found) => Ok(found.into_iter().next().flatten().map(|now| seen(state, &repository, now))),
            Err(error) if pointing::is_gone(&error) => Ok(None),
            Err(error) => access.tolerate(&error, &mut call.warnings).map(|()| Some(state)),
        }
    }

    async fn create(&self, planned: TagState, call: &mut Call) -> Result<TagState, Failed<TagState>> {
        let access = self.0.get()?;
        let registry = access.registry()?;
        let repository = access.private(&planned.repository).await?.repository;
        let before = points_at(registry, &repository, &planned.tag).await;
        let before = before.map_err(|error| error.report())?;
        if before != Some(*planned.digest) {
            put(registry, &repository, &planned).await?;
        }
        remember(call, *planned.digest);
        let previous_digest = before.filter(|before| *before != *planned.digest).map(Text::from).into();
        let digest = *planned.digest;
        Ok(TagState { previous_digest, ..planned.pointing_at(&repository, digest) })
    }

    async fn update(
        &self,
        state: TagState,
        planned: TagState,
        call: &mut Call,
    ) -> Result<TagState, Failed<TagState>> {
        let (before, wanted) = (*state.digest, *planned.digest);
        if before == wanted {
            let (uri, previous_digest) = (state.uri, state.previous_digest);
            return Ok(TagState { uri, previous_digest, ..planned });
        }
        let access = self.0.get()?;
        let registry = access.registry()?;
        let repository = known_place(&state.uri)?.repository;
        let now = points_at(registry, &repository, &planned.tag).await.map_err(|error| error.report())?;
        match step(now, wanted, before, planned.on_moved_tag) {
            Step::Nothing => {}
            Step::Put => put(registry, &repository, &planned).await?,
            Step::Leave(there) => call.warnings.push(pointing::left(&planned.tag, &there)),
            Step::Refuse(there) => return Err(pointing::moved(&planned.tag, &there).at("tag").into()),
        }
        remember(call, wanted);
        Ok(TagState {
            previous_digest: Text::from(before).into(),
            ..planned.pointing_at(&repository, wanted)
        })
    }

    async fn delete(&self, state: TagState, call: &mut Call) -> Result<(), Diagnostics> {
        let replaced = call.private.get::<bool>(REPLACES).ok().flatten().unwrap_or(false);
        if state.on_destroy == OnDestroy::Keep || replaced {
            return Ok(());
        }
        let ours = call.private.get::<String>(PUT).ok().flatten();
        let ours = ours.and_then(|text| text.parse().ok()).unwrap_or(*state.digest);
        let access = self.0.get()?;
        let repository = known_place(&state.uri)?.repository;
        let warning = untag(access.registry()?, &repository, &state.tag, ours).await?;
        call.warnings.extend(warning);
        Ok(())
    }

    async fn import(&self, request: ImportRequest, call: &mut Call) -> Result<TagState, Diagnostics> {
        let (repository, tag) = match (request.id, request.identity) {
            (Some(id), _) => of_id(&id)?,
            (None, identity) => of_identity(&identity.unwrap_or_default())?,
        };
        let access = self.0.get()?;
        let found = points_at(access.registry()?, &repository.repository, &tag).await;
        let Some(digest) = found.map_err(|error| error.report())? else {
            let summary = format!("There is no tag `{}:{tag}` to import", repository.repository);
            return Err(Diagnostic::error(summary, "Check the repository and the tag.").into());
        };
        remember(call, digest);
        Ok(TagState::found(repository, tag, digest))
    }
}

/// The state of a tag that points there now.
fn seen(state: TagState, repository: &Repository, now: Digest) -> TagState {
    match state.on_moved_tag {
        OnMovedTag::Restore => state.pointing_at(repository, now),
        OnMovedTag::Ignore => state,
    }
}

async fn put(registry: &Registry, repository: &Repository, tag: &TagState) -> Result<(), Diagnostics> {
    let image = Version::Digest(*tag.digest);
    let done = registry.retag(repository, &image, &tag.tag).await;
    done.map(drop).map_err(|error| blamed(&error, "digest", "tag").into())
}

fn remember(call: &mut Call, digest: Digest) {
    call.private.remove(REPLACES);
    call.private.set(PUT, &digest.to_string()).expect("a text has a JSON form");
}

fn of_id(id: &str) -> Result<(PrivateRepository, Tag), Diagnostics> {
    const FORM: &str = "Write repository:tag, such as \
                        123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:production.";
    // A host may have a port, so the tag is what follows the last colon behind the last slash.
    let named = id.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    let Some((repository, tag)) = named else {
        return Err(Diagnostic::error(format!("`{id}` does not say which tag to import"), FORM).into());
    };
    let repository = repository.parse().map_err(|error: crate::argument::Unfit| error.report())?;
    let tag = tag.parse().map_err(|error: ecr_registry::NameError| error.report())?;
    Ok((repository, tag))
}

fn of_identity(identity: &Value) -> Result<(PrivateRepository, Tag), Diagnostics> {
    let text = |name: &str| identity.view().get(name).read::<String>();
    let (account, region, name) = (text("account_id")?, text("region")?, text("repository_name")?);
    let report = |error: ecr_registry::NameError| error.report();
    let host = EcrHost::host(&account, &region).map_err(report)?;
    let repository =
        format!("{host}/{name}").parse().map_err(|error: crate::argument::Unfit| error.report())?;
    Ok((repository, text("tag")?.parse().map_err(report)?))
}
