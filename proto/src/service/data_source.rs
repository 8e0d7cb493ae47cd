//! Calls about data sources.

use std::sync::Arc;

use super::{Inner, codec, find};
use crate::{
    Diagnostics, ReadDataRequest,
    wire::tfplugin6::{read_data_source, validate_data_resource_config},
};

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_data_resource_config::Request,
) -> Result<validate_data_resource_config::Response, Diagnostics> {
    let data = find(&inner.data_sources, "data source", &request.type_name)?;
    let check = |request| data.part.validate(request);
    let diagnostics = data.form.validate(data.form.config(request.config)?, &inner, check).await;
    Ok(validate_data_resource_config::Response { diagnostics })
}

pub(super) async fn read(
    inner: Arc<Inner>,
    request: read_data_source::Request,
) -> Result<read_data_source::Response, Diagnostics> {
    let data = find(&inner.data_sources, "data source", &request.type_name)?;
    let request = ReadDataRequest {
        config: data.form.config(request.config)?,
        provider_meta: inner.meta(request.provider_meta)?,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let (client, config) = (request.client, request.config.clone());
    let response = data.part.read(request).await?;
    let deferred = inner.defer(response.deferred, client, Some(&config))?;
    let state = match deferred {
        Some(_) => codec::encode_unknown(),
        None => data.form.write_result(response.state, "read")?,
    };
    let diagnostics = response.diagnostics.to_wire();
    Ok(read_data_source::Response { state: Some(state), diagnostics, deferred })
}
