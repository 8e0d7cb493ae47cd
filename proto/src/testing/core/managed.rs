//! Managed resources that exist: read, imported, moved, brought up to date.

use super::{Core, find};
use crate::{
    Diagnostics, IdentitySchema, Schema, Value, check,
    testing::form::{
        answer, bug, decode, decode_identity, deferral, encode, encode_identity, judge, outcome,
    },
    wire::tfplugin6::{self as wire, DynamicValue, RawState, ResourceIdentityData},
};

/// What Terraform remembers of one resource. The default is "there is none".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Its attributes; null if there is none.
    pub value: Value,
    /// Its private data, as bytes.
    pub private: Vec<u8>,
    /// What names it, if its type has an identity.
    pub identity: Option<Value>,
    /// Whether its creation failed half-way: it is replaced next.
    pub tainted: bool,
}

/// A resource of another type, or of another provider, that becomes one of this provider.
#[derive(Clone, Debug, Default)]
pub struct Moved {
    /// The address of the provider it comes from, such as `registry.terraform.io/hashicorp/null`.
    pub provider: String,
    /// The type it had.
    pub type_name: String,
    /// The version of that type's schema.
    pub version: i64,
    /// Its attributes, as JSON.
    pub state: String,
    /// Its private data.
    pub private: Vec<u8>,
}

impl Core {
    /// Reads the state, as a plan does first.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn refresh(&self, type_name: &str, state: &State) -> Result<State, Diagnostics> {
        let (schema, identity) = self.managed(type_name).await?;
        let request = wire::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: Some(encode(schema, state.value.clone())),
            private: state.private.clone(),
            client_capabilities: Some(self.capabilities),
            current_identity: encode_identity(identity, state.identity.as_ref()),
            provider_meta: self.meta().await?,
        };
        let answer = answer(self.calls().read_resource(request)).await?;
        outcome(answer.diagnostics)?;
        if let Some(deferral) = deferral(answer.deferred) {
            self.may_defer(deferral)?;
            return Ok(state.clone());
        }
        let read = self.state(type_name, answer.new_state, answer.private, answer.new_identity).await?;
        judge_same(state, &read)?;
        Ok(State { tainted: state.tainted, ..read })
    }

    /// Takes over what exists already, by its id, and reads it.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn import(&self, type_name: &str, id: &str) -> Result<State, Diagnostics> {
        self.take_over(type_name, id, None).await
    }

    /// Takes over what exists already, by its identity, and reads it. Missing parts are null.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn import_identity(&self, type_name: &str, identity: Value) -> Result<State, Diagnostics> {
        let schema = find(&self.published().await?.identities, type_name);
        self.take_over(type_name, "", encode_identity(Some(schema), Some(&identity))).await
    }

    async fn take_over(
        &self,
        type_name: &str,
        id: &str,
        identity: Option<ResourceIdentityData>,
    ) -> Result<State, Diagnostics> {
        let by_identity = identity.is_some();
        let request = wire::import_resource_state::Request {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            client_capabilities: Some(self.capabilities),
            identity,
        };
        let answer = answer(self.calls().import_resource_state(request)).await?;
        outcome(answer.diagnostics)?;
        if let Some(deferral) = deferral(answer.deferred) {
            self.may_defer(deferral)?;
            return Ok(State::default());
        }
        let [imported] = <[_; 1]>::try_from(answer.imported_resources).map_err(|all| {
            bug("Multiple import states not supported", format!("There are {}.", all.len()))
        })?;
        let state = self.state(type_name, imported.state, imported.private, imported.identity).await?;
        if state.value.is_null() || imported.type_name != type_name {
            return Err(bug("Import returned null resource", imported.type_name));
        }
        if by_identity && state.identity.is_none() {
            return Err(bug("Provider produced invalid identity", "An import by identity gave none."));
        }
        let read = self.refresh(type_name, &state).await?;
        let gone =
            || bug("Cannot import non-existent remote object", "Reading what was imported found nothing.");
        if read.value.is_null() { Err(gone()) } else { Ok(read) }
    }

    /// Brings the JSON of a state file, written with a schema of `version`, up to date.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn upgrade(&self, type_name: &str, version: i64, json: &str) -> Result<Value, Diagnostics> {
        let request = wire::upgrade_resource_state::Request {
            type_name: type_name.to_owned(),
            version,
            raw_state: Some(raw(json)),
        };
        let answer = answer(self.calls().upgrade_resource_state(request)).await?;
        outcome(answer.diagnostics)?;
        Ok(self.state(type_name, answer.upgraded_state, Vec::new(), None).await?.value)
    }

    /// Brings the JSON of an identity, written with a schema of `version`, up to date.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn upgrade_identity(
        &self,
        type_name: &str,
        version: i64,
        json: &str,
    ) -> Result<Value, Diagnostics> {
        let schema = find(&self.published().await?.identities, type_name);
        let request = wire::upgrade_resource_identity::Request {
            type_name: type_name.to_owned(),
            version,
            raw_identity: Some(raw(json)),
        };
        let answer = answer(self.calls().upgrade_resource_identity(request)).await?;
        outcome(answer.diagnostics)?;
        let identity = decode_identity(Some(schema), answer.upgraded_identity)?.unwrap_or_default();
        judge("Invalid resource identity upgrade", &check::identity(schema, &identity))?;
        Ok(identity)
    }

    /// Takes over a resource of another type, as a `moved` block does.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn move_to(&self, type_name: &str, from: Moved) -> Result<State, Diagnostics> {
        let request = wire::move_resource_state::Request {
            source_provider_address: from.provider,
            source_type_name: from.type_name,
            source_schema_version: from.version,
            source_state: Some(raw(&from.state)),
            target_type_name: type_name.to_owned(),
            source_private: from.private,
            ..Default::default()
        };
        let answer = answer(self.calls().move_resource_state(request)).await?;
        outcome(answer.diagnostics)?;
        let state =
            self.state(type_name, answer.target_state, answer.target_private, answer.target_identity).await?;
        let nothing = || bug("Provider returned invalid value", "A moved resource cannot become nothing.");
        if state.value.is_null() { Err(nothing()) } else { Ok(state) }
    }

    /// The configuration for a resource that exists, as the provider writes it.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn generate_config(&self, type_name: &str, state: &State) -> Result<Value, Diagnostics> {
        let (schema, _) = self.managed(type_name).await?;
        let request = wire::generate_resource_config::Request {
            type_name: type_name.to_owned(),
            state: Some(encode(schema, state.value.clone())),
        };
        let answer = answer(self.calls().generate_resource_config(request)).await?;
        outcome(answer.diagnostics)?;
        decode(&schema.implied_type(), answer.config)
    }

    pub(super) async fn managed(
        &self,
        type_name: &str,
    ) -> Result<(&Schema, Option<&IdentitySchema>), Diagnostics> {
        let published = self.published().await?;
        Ok((find(&published.resources, type_name), published.identities.get(type_name)))
    }

    /// A state as it may be kept.
    async fn state(
        &self,
        type_name: &str,
        value: Option<DynamicValue>,
        private: Vec<u8>,
        identity: Option<ResourceIdentityData>,
    ) -> Result<State, Diagnostics> {
        let state = self.unjudged(type_name, value, private, identity).await?;
        let (schema, identity) = self.managed(type_name).await?;
        judge("Provider produced invalid object", &check::state(schema, &state.value))?;
        judge_identity(identity, state.identity.as_ref())?;
        Ok(state)
    }

    pub(super) async fn unjudged(
        &self,
        type_name: &str,
        value: Option<DynamicValue>,
        private: Vec<u8>,
        identity: Option<ResourceIdentityData>,
    ) -> Result<State, Diagnostics> {
        let (schema, identities) = self.managed(type_name).await?;
        let value = decode(&schema.implied_type(), value)?;
        let identity = decode_identity(identities, identity)?;
        Ok(State { value, private, identity, tainted: false })
    }
}

/// That a resource which goes on keeps its name.
pub(super) fn judge_same(before: &State, after: &State) -> Result<(), Diagnostics> {
    match (&before.identity, &after.identity) {
        (Some(old), Some(new)) if !after.value.is_null() => {
            judge("Unexpected Identity Change", &check::same_identity(old, new))
        }
        _ => Ok(()),
    }
}

pub(super) fn judge_identity(
    schema: Option<&IdentitySchema>,
    identity: Option<&Value>,
) -> Result<(), Diagnostics> {
    let (Some(schema), Some(identity)) = (schema, identity) else { return Ok(()) };
    judge("Provider produced invalid identity", &check::identity(schema, identity))
}

fn raw(json: &str) -> RawState {
    RawState { json: json.as_bytes().to_vec(), ..Default::default() }
}
