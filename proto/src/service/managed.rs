//! Calls that look at managed resources: validate, read, import.

use std::sync::Arc;

use super::{Inner, codec, offer::Form};
use crate::{
    Attribute, Diagnostic, Diagnostics, IdentitySchema, ImportRequest, ImportResponse, Path, ReadRequest,
    Resource, Schema, Type, ValidateRequest, Value, check,
    wire::tfplugin6::{ResourceIdentityData, import_resource_state, read_resource, validate_resource_config},
};

/// A resource with what is asked of it again and again.
pub(super) struct Managed {
    pub(super) resource: Arc<dyn Resource>,
    pub(super) form: Form,
    pub(super) identity: Option<Identity>,
}

/// An identity's schema and its type, worked out once.
pub(super) struct Identity {
    pub(super) schema: IdentitySchema,
    kind: Type,
}

impl Managed {
    pub(super) fn new(resource: Arc<dyn Resource>) -> Self {
        let identity = resource.identity();
        let identity = identity.map(|schema| Identity { kind: schema.implied_type(), schema });
        Self { form: Form::new(resource.schema()), identity, resource }
    }

    pub(super) fn read_identity(
        &self,
        sent: Option<ResourceIdentityData>,
    ) -> Result<Option<Value>, Diagnostics> {
        let (Some(identity), Some(sent)) = (&self.identity, sent) else { return Ok(None) };
        let value = codec::decode(sent.identity_data, &identity.kind)?;
        Ok(Some(value).filter(|value| !value.is_null()))
    }

    pub(super) fn write_identity(
        &self,
        value: Option<Value>,
    ) -> Result<Option<ResourceIdentityData>, Diagnostics> {
        let (Some(identity), Some(value)) = (&self.identity, value) else { return Ok(None) };
        codec::encode_identity(value, &identity.kind).map(Some)
    }

    /// Writes the identity of something that may have had one before, which it keeps for ever.
    pub(super) fn write_same_identity(
        &self,
        before: Option<&Value>,
        value: Option<Value>,
    ) -> Result<Option<ResourceIdentityData>, Diagnostics> {
        if let (Some(before), Some(after)) = (before, &value) {
            let faults = check::same_identity(before, after);
            // Its parts are no arguments that a diagnostic could point at.
            let unplaced = |fault| Diagnostic { attribute: None, ..codec::bug(fault) };
            if !faults.is_empty() {
                return Err(faults.iter().map(unplaced).collect());
            }
        }
        self.write_identity(value)
    }
}

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_resource_config::Request,
) -> Result<validate_resource_config::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let request = ValidateRequest {
        config: managed.form.config(request.config)?,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let mut diagnostics = managed.form.schema.validate(&request.config);
    if !request.client.write_only {
        let paths = written_only(&managed.form.schema, &request.config);
        diagnostics.extend(paths.into_iter().map(unsafe_write_only));
    }
    diagnostics.extend(managed.resource.validate(request).await);
    Ok(validate_resource_config::Response { diagnostics: diagnostics.to_wire() })
}

/// Write-only attributes that are set.
fn written_only(schema: &Schema, config: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    config.walk(&mut |path, value| {
        let exact = schema.attribute_at(path).filter(|attribute| path.ends_with(attribute.name()));
        if !value.is_null() && exact.is_some_and(Attribute::is_write_only) {
            paths.push(path.clone());
        }
    });
    paths
}

fn unsafe_write_only(path: Path) -> Diagnostic {
    let detail = format!("`{path}` would be kept in the state. Use Terraform 1.11, OpenTofu 1.11, or newer.");
    Diagnostic::error("Write-only arguments need a newer client", detail).at(path)
}

pub(super) async fn read(
    inner: Arc<Inner>,
    request: read_resource::Request,
) -> Result<read_resource::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let unchanged = request.clone();
    let request = ReadRequest {
        state: managed.form.need(request.current_state, "state")?,
        private: codec::private(&request.private)?,
        identity: managed.read_identity(request.current_identity)?,
        provider_meta: inner.meta(request.provider_meta)?,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let (client, before) = (request.client, request.identity.clone());
    let response = managed.resource.read(request).await?;
    let deferred = inner.defer(response.deferred, client, None)?;
    let diagnostics = response.diagnostics.to_wire();
    if deferred.is_some() {
        return Ok(read_resource::Response {
            new_state: unchanged.current_state,
            private: unchanged.private,
            new_identity: unchanged.current_identity,
            deferred,
            diagnostics,
        });
    }
    Ok(read_resource::Response {
        new_state: Some(managed.form.write_known(response.state)?),
        private: response.private.encode(),
        new_identity: managed.write_same_identity(before.as_ref(), response.identity)?,
        deferred,
        diagnostics,
    })
}

pub(super) async fn import(
    inner: Arc<Inner>,
    request: import_resource_state::Request,
) -> Result<import_resource_state::Response, Diagnostics> {
    let managed = inner.managed(&request.type_name)?;
    let identity = managed.read_identity(request.identity)?;
    let by_identity = identity.is_some();
    let request = ImportRequest {
        id: Some(request.id).filter(|_| !by_identity),
        identity,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let client = request.client;
    let ImportResponse { state, private, identity, deferred, diagnostics } =
        managed.resource.import(request).await?;
    let deferred = inner.defer(deferred, client, None)?;
    let state = match deferred {
        Some(_) => codec::encode_unknown(),
        None if by_identity && identity.is_none() => return Err(nameless().into()),
        None => managed.form.write_result(state, "import")?,
    };
    let imported = import_resource_state::ImportedResource {
        type_name: managed.resource.type_name().to_owned(),
        state: Some(state),
        private: private.encode(),
        identity: managed.write_identity(identity)?,
    };
    let (diagnostics, imported_resources) = (diagnostics.to_wire(), vec![imported]);
    Ok(import_resource_state::Response { imported_resources, diagnostics, deferred })
}

fn nameless() -> Diagnostic {
    let detail =
        "This is a bug in the provider, please report it: it imported by identity and gave none back.";
    Diagnostic::error(codec::INVALID, detail)
}
