//! Calls about the provider as a whole.

use std::sync::Arc;

use super::{Inner, codec};
use crate::{
    ClientCapabilities, ConfigureRequest, Diagnostics, ValidateRequest,
    wire::tfplugin6::{
        ServerCapabilities, configure_provider, get_metadata, get_provider_schema,
        get_resource_identity_schemas, validate_provider_config,
    },
};

const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: true,
    get_provider_schema_optional: true,
    move_resource_state: false,
    generate_resource_config: false,
};

pub(super) async fn metadata(
    inner: Arc<Inner>,
    _: get_metadata::Request,
) -> Result<get_metadata::Response, Diagnostics> {
    let resources = inner.managed.keys().cloned();
    let data_sources = inner.data_sources.keys().cloned();
    Ok(get_metadata::Response {
        server_capabilities: Some(CAPABILITIES),
        resources: resources.map(|type_name| get_metadata::ResourceMetadata { type_name }).collect(),
        data_sources: data_sources.map(|type_name| get_metadata::DataSourceMetadata { type_name }).collect(),
        ..Default::default()
    })
}

pub(super) async fn schema(
    inner: Arc<Inner>,
    _: get_provider_schema::Request,
) -> Result<get_provider_schema::Response, Diagnostics> {
    let resources = inner.managed.iter().map(|(name, one)| (name.clone(), one.schema.to_wire()));
    let data_sources = inner.data_sources.iter().map(|(name, one)| (name.clone(), one.schema.to_wire()));
    Ok(get_provider_schema::Response {
        provider: Some(inner.schema.to_wire()),
        resource_schemas: resources.collect(),
        data_source_schemas: data_sources.collect(),
        server_capabilities: Some(CAPABILITIES),
        ..Default::default()
    })
}

pub(super) async fn identity_schemas(
    inner: Arc<Inner>,
    _: get_resource_identity_schemas::Request,
) -> Result<get_resource_identity_schemas::Response, Diagnostics> {
    let schemas = inner.managed.iter();
    let schemas = schemas.filter_map(|(name, one)| Some((name.clone(), one.identity.as_ref()?.to_wire())));
    Ok(get_resource_identity_schemas::Response { identity_schemas: schemas.collect(), ..Default::default() })
}

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_provider_config::Request,
) -> Result<validate_provider_config::Response, Diagnostics> {
    let config = codec::decode(request.config, &inner.schema.implied_type())?;
    let client = ClientCapabilities::default();
    let request = ValidateRequest { config, client, cancellation: inner.cancellation() };
    let diagnostics = inner.provider.validate(request).await.to_wire();
    Ok(validate_provider_config::Response { diagnostics })
}

pub(super) async fn configure(
    inner: Arc<Inner>,
    request: configure_provider::Request,
) -> Result<configure_provider::Response, Diagnostics> {
    let request = ConfigureRequest {
        config: codec::decode(request.config, &inner.schema.implied_type())?,
        terraform_version: request.terraform_version,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let diagnostics = inner.provider.configure(request).await.to_wire();
    Ok(configure_provider::Response { diagnostics })
}
