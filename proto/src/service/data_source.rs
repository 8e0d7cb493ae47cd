//! Calls about data sources.

use std::sync::Arc;

use super::{Inner, codec};
use crate::{
    ClientCapabilities, DataSource, Diagnostics, ReadDataRequest, Schema, ValidateRequest,
    wire::tfplugin6::{read_data_source, validate_data_resource_config},
};

/// A data source with what is asked of it again and again.
pub(super) struct Read {
    source: Arc<dyn DataSource>,
    pub(super) schema: Schema,
}

impl Read {
    pub(super) fn new(source: Arc<dyn DataSource>) -> Self {
        Self { schema: source.schema(), source }
    }
}

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_data_resource_config::Request,
) -> Result<validate_data_resource_config::Response, Diagnostics> {
    let data = inner.data_source(&request.type_name)?;
    let config = codec::decode(request.config, &data.schema.implied_type())?;
    let client = ClientCapabilities::default();
    let request = ValidateRequest { config, client, cancellation: inner.cancellation() };
    let diagnostics = data.source.validate(request).await.to_wire();
    Ok(validate_data_resource_config::Response { diagnostics })
}

pub(super) async fn read(
    inner: Arc<Inner>,
    request: read_data_source::Request,
) -> Result<read_data_source::Response, Diagnostics> {
    let data = inner.data_source(&request.type_name)?;
    let request = ReadDataRequest {
        config: codec::decode(request.config, &data.schema.implied_type())?,
        provider_meta: inner.meta(request.provider_meta)?,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let response = data.source.read(request).await?;
    Ok(read_data_source::Response {
        state: Some(codec::encode_known(response.state, &data.schema)?),
        diagnostics: response.diagnostics.to_wire(),
        deferred: None,
    })
}
