//! Calls about managed resources, with the duties towards Terraform that need no knowledge of the resource.

use std::sync::Arc;

use super::{Inner, codec};
use crate::{
    ApplyRequest, ApplyResponse, Diagnostic, Diagnostics, IdentitySchema, ImportRequest, Operation, Path,
    PlanRequest, PlanResponse, Private, ReadRequest, Resource, Schema, Type, UpgradeRequest, ValidateRequest,
    Value, check,
    wire::tfplugin6::{
        DynamicValue, ResourceIdentityData, apply_resource_change, import_resource_state,
        plan_resource_change, read_resource, upgrade_resource_identity, upgrade_resource_state,
        validate_resource_config,
    },
};

/// A resource with what is asked of it again and again.
pub(super) struct Managed {
    resource: Arc<dyn Resource>,
    pub(super) schema: Schema,
    pub(super) identity: Option<IdentitySchema>,
    kind: Type,
}

impl Managed {
    pub(super) fn new(resource: Arc<dyn Resource>) -> Self {
        let schema = resource.schema();
        Self { kind: schema.implied_type(), identity: resource.identity(), schema, resource }
    }

    fn value(&self, sent: Option<DynamicValue>) -> Result<Value, Diagnostics> {
        codec::decode(sent, &self.kind)
    }

    fn read_identity(&self, sent: Option<ResourceIdentityData>) -> Result<Option<Value>, Diagnostics> {
        let (Some(schema), Some(sent)) = (&self.identity, sent) else { return Ok(None) };
        let identity = codec::decode(sent.identity_data, &schema.implied_type())?;
        Ok(Some(identity).filter(|identity| !identity.is_null()))
    }

    fn write_identity(&self, identity: Option<Value>) -> Result<Option<ResourceIdentityData>, Diagnostics> {
        let (Some(schema), Some(identity)) = (&self.identity, identity) else { return Ok(None) };
        codec::encode_identity(identity, &schema.implied_type()).map(Some)
    }
}

fn private(bytes: &[u8]) -> Result<Private, Diagnostics> {
    Private::decode(bytes).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        Diagnostic::error("The state of the resource is damaged", format!("Its {error}: {cause}.")).into()
    })
}

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_resource_config::Request,
) -> Result<validate_resource_config::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let request = ValidateRequest {
        config: managed.value(request.config)?,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let mut diagnostics = Diagnostics::new();
    if !request.client.write_only {
        diagnostics.extend(written_only(&managed.schema, &request.config).into_iter().map(unsafe_write_only));
    }
    diagnostics.extend(managed.resource.validate(request).await);
    Ok(validate_resource_config::Response { diagnostics: diagnostics.to_wire() })
}

/// Write-only attributes that are set.
fn written_only(schema: &Schema, config: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    config.walk(&mut |path, value| {
        let exact = schema.attribute_at(path).filter(|attribute| path.ends_with(attribute.name()));
        if !value.is_null() && exact.is_some_and(crate::Attribute::is_write_only) {
            paths.push(path.clone());
        }
    });
    paths
}

fn unsafe_write_only(path: Path) -> Diagnostic {
    let detail = format!("`{path}` would be kept in the state. Use Terraform 1.11, OpenTofu 1.11, or newer.");
    Diagnostic::error("Write-only arguments need a newer client", detail).at(path)
}

pub(super) async fn upgrade(
    inner: Arc<Inner>,
    request: upgrade_resource_state::Request,
) -> Result<upgrade_resource_state::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let state = serde_json::from_slice(&codec::raw_json(request.raw_state)?)
        .map_err(|error| Diagnostic::error("The state of the resource is damaged", error.to_string()))?;
    let state = managed.resource.upgrade(UpgradeRequest { version: request.version, state }).await?;
    let upgraded_state = Some(codec::encode_known(state, &managed.schema)?);
    Ok(upgrade_resource_state::Response { upgraded_state, diagnostics: Vec::new() })
}

pub(super) async fn upgrade_identity(
    inner: Arc<Inner>,
    request: upgrade_resource_identity::Request,
) -> Result<upgrade_resource_identity::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let Some(schema) = &managed.identity else {
        let summary = format!("`{}` has no identity in this version of the provider", request.type_name);
        return Err(Diagnostic::error(summary, "").into());
    };
    let identity = codec::decode_json(&codec::raw_json(request.raw_identity)?, &schema.implied_type())?;
    let upgraded_identity = managed.write_identity(Some(identity))?;
    Ok(upgrade_resource_identity::Response { upgraded_identity, diagnostics: Vec::new() })
}

pub(super) async fn read(
    inner: Arc<Inner>,
    request: read_resource::Request,
) -> Result<read_resource::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let request = ReadRequest {
        state: managed.value(request.current_state)?,
        private: private(&request.private)?,
        identity: managed.read_identity(request.current_identity)?,
        provider_meta: inner.meta(request.provider_meta)?,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let response = managed.resource.read(request).await?;
    Ok(read_resource::Response {
        new_state: Some(codec::encode_known(response.state, &managed.schema)?),
        private: response.private.encode(),
        new_identity: managed.write_identity(response.identity)?,
        diagnostics: response.diagnostics.to_wire(),
        deferred: None,
    })
}

pub(super) async fn plan(
    inner: Arc<Inner>,
    request: plan_resource_change::Request,
) -> Result<plan_resource_change::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let planned_private = Some(&request.planned_private).filter(|bytes| !bytes.is_empty());
    let request = PlanRequest {
        prior: managed.value(request.prior_state)?,
        proposed: managed.value(request.proposed_new_state)?,
        config: managed.value(request.config)?,
        prior_private: private(&request.prior_private)?,
        planned_private: planned_private.map(|bytes| private(bytes)).transpose()?,
        prior_identity: managed.read_identity(request.prior_identity)?,
        provider_meta: inner.meta(request.provider_meta)?,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let (prior, config, operation) = (request.prior.clone(), request.config.clone(), request.operation());
    let response = managed.resource.plan(request).await?;
    check_plan(managed, response, operation, &prior, &config)
}

/// A plan as Terraform takes it.
fn check_plan(
    managed: &Managed,
    response: PlanResponse,
    operation: Operation,
    prior: &Value,
    config: &Value,
) -> Result<plan_resource_change::Response, Diagnostics> {
    let planned = if operation == Operation::Destroy { Value::Null } else { response.planned };
    let (planned, planned_state) = codec::encode(planned, &managed.schema)?;
    let mut diagnostics = response.diagnostics;
    if !diagnostics.has_errors() {
        diagnostics.extend(check::plan(&managed.schema, prior, config, &planned).iter().map(codec::bug));
    }
    let identity = response.identity.filter(Value::is_wholly_known);
    Ok(plan_resource_change::Response {
        planned_state: Some(planned_state),
        requires_replace: response.requires_replace.iter().map(Path::to_wire).collect(),
        planned_private: response.private.encode(),
        planned_identity: managed.write_identity(identity)?,
        diagnostics: diagnostics.to_wire(),
        ..Default::default()
    })
}

pub(super) async fn apply(
    inner: Arc<Inner>,
    request: apply_resource_change::Request,
) -> Result<apply_resource_change::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let request = ApplyRequest {
        prior: managed.value(request.prior_state)?,
        planned: managed.value(request.planned_state)?,
        config: managed.value(request.config)?,
        private: private(&request.planned_private)?,
        identity: managed.read_identity(request.planned_identity)?,
        provider_meta: inner.meta(request.provider_meta)?,
        cancellation: inner.cancellation(),
    };
    let (planned, operation) = (request.planned.clone(), request.operation());
    // An `Err` answers without a state: Terraform keeps the one before, with its private data.
    let response = managed.resource.apply(request).await?;
    check_apply(managed, response, operation, &planned)
}

/// A state as Terraform takes it. Whatever is wrong with the answer, what exists must not be
/// forgotten: an answer that cannot be written is replaced by what was planned.
fn check_apply(
    managed: &Managed,
    response: ApplyResponse,
    operation: Operation,
    planned: &Value,
) -> Result<apply_resource_change::Response, Diagnostics> {
    let mut diagnostics = response.diagnostics;
    let failed = diagnostics.has_errors();
    let state = if operation == Operation::Destroy && !failed { Value::Null } else { response.state };
    if !failed {
        diagnostics.collect(codec::known(&state));
    }
    let written = diagnostics.collect(codec::encode(without_unknowns(state), &managed.schema));
    let (state, new_state) = match written {
        Some(written) => written,
        None => codec::encode(without_unknowns(planned.clone()), &managed.schema)?,
    };
    if !diagnostics.has_errors() {
        diagnostics.extend(check::apply(&managed.schema, planned, &state).iter().map(codec::bug));
    }
    let identity = response.identity.filter(Value::is_wholly_known);
    let new_identity = diagnostics.collect(managed.write_identity(identity)).flatten();
    Ok(apply_resource_change::Response {
        new_state: Some(new_state),
        private: response.private.encode(),
        new_identity,
        diagnostics: diagnostics.to_wire(),
        ..Default::default()
    })
}

fn without_unknowns(state: Value) -> Value {
    state.map(&mut |_, value| if value.is_unknown() { Value::Null } else { value })
}

pub(super) async fn import(
    inner: Arc<Inner>,
    request: import_resource_state::Request,
) -> Result<import_resource_state::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let identity = managed.read_identity(request.identity)?;
    let id = Some(request.id).filter(|_| identity.is_none());
    let client = request.client_capabilities.into();
    let request = ImportRequest { id, identity, client, cancellation: inner.cancellation() };
    let response = managed.resource.import(request).await?;
    let imported = import_resource_state::ImportedResource {
        type_name: managed.resource.type_name().to_owned(),
        state: Some(codec::encode_known(response.state, &managed.schema)?),
        private: response.private.encode(),
        identity: managed.write_identity(response.identity)?,
    };
    Ok(import_resource_state::Response {
        imported_resources: vec![imported],
        diagnostics: response.diagnostics.to_wire(),
        deferred: None,
    })
}
