//! Calls about ephemeral resources.

use std::{sync::Arc, time::SystemTime};

use prost_types::Timestamp;

use super::{Inner, codec, find, offer::Offer};
use crate::{
    CloseRequest, Diagnostics, EphemeralResource, OpenRequest, OpenResponse, Private, RenewRequest, Value,
    check,
    wire::tfplugin6::{
        DynamicValue, close_ephemeral_resource, open_ephemeral_resource, renew_ephemeral_resource,
        validate_ephemeral_resource_config,
    },
};

impl Inner {
    fn ephemeral(&self, type_name: &str) -> Result<&Offer<dyn EphemeralResource>, Diagnostics> {
        find(&self.ephemeral_resources, "ephemeral resource", type_name)
    }
}

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_ephemeral_resource_config::Request,
) -> Result<validate_ephemeral_resource_config::Response, Diagnostics> {
    let ephemeral = inner.ephemeral(&request.type_name)?;
    let check = |request| ephemeral.part.validate(request);
    let diagnostics = ephemeral.form.validate(ephemeral.form.config(request.config)?, &inner, check).await;
    Ok(validate_ephemeral_resource_config::Response { diagnostics })
}

pub(super) async fn open(
    inner: Arc<Inner>,
    request: open_ephemeral_resource::Request,
) -> Result<open_ephemeral_resource::Response, Diagnostics> {
    let ephemeral = inner.ephemeral(&request.type_name)?;
    let config = ephemeral.form.config(request.config)?;
    let client = request.client_capabilities.into();
    let request = OpenRequest { config: config.clone(), client, cancellation: inner.cancellation() };
    let response = ephemeral.part.open(request).await?;
    let deferred = inner.defer(response.deferred, client, Some(&config))?;
    if deferred.is_some() {
        let (result, diagnostics) = (Some(codec::encode_unknown()), response.diagnostics.to_wire());
        return Ok(open_ephemeral_resource::Response { result, deferred, diagnostics, ..Default::default() });
    }
    opened(ephemeral, response, &config).await
}

/// What was opened as Terraform takes it; if it cannot be, it is closed again.
async fn opened(
    ephemeral: &Offer<dyn EphemeralResource>,
    response: OpenResponse,
    config: &Value,
) -> Result<open_ephemeral_resource::Response, Diagnostics> {
    let OpenResponse { result, renew_at, private, diagnostics, .. } = response;
    match result_of(ephemeral, result, config) {
        Ok(result) => Ok(open_ephemeral_resource::Response {
            result: Some(result),
            renew_at: renew_at.map(timestamp),
            private: write_private(&private),
            diagnostics: diagnostics.to_wire(),
            deferred: None,
        }),
        Err(mut faults) => {
            faults.extend(diagnostics);
            faults.extend(ephemeral.part.close(CloseRequest { private, ..CloseRequest::default() }).await);
            Err(faults)
        }
    }
}

/// The result, if it holds what was configured and the rest was the provider's to fill.
fn result_of(
    ephemeral: &Offer<dyn EphemeralResource>,
    result: Value,
    config: &Value,
) -> Result<DynamicValue, Diagnostics> {
    if result.is_null() {
        return Err(codec::missing("open").into());
    }
    let (result, sent) = ephemeral.form.write(result)?;
    let faults = check::ephemeral(&ephemeral.form.schema, config, &result);
    if faults.is_empty() { Ok(sent) } else { Err(codec::bugs(&faults)) }
}

pub(super) async fn renew(
    inner: Arc<Inner>,
    request: renew_ephemeral_resource::Request,
) -> Result<renew_ephemeral_resource::Response, Diagnostics> {
    let ephemeral = inner.ephemeral(&request.type_name)?;
    let private = read_private(request.private)?;
    let request = RenewRequest { private, cancellation: inner.cancellation() };
    let response = ephemeral.part.renew(request).await?;
    Ok(renew_ephemeral_resource::Response {
        renew_at: response.renew_at.map(timestamp),
        private: write_private(&response.private),
        diagnostics: response.diagnostics.to_wire(),
    })
}

pub(super) async fn close(
    inner: Arc<Inner>,
    request: close_ephemeral_resource::Request,
) -> Result<close_ephemeral_resource::Response, Diagnostics> {
    let ephemeral = inner.ephemeral(&request.type_name)?;
    let private = read_private(request.private)?;
    let request = CloseRequest { private, cancellation: inner.cancellation() };
    let diagnostics = ephemeral.part.close(request).await.to_wire();
    Ok(close_ephemeral_resource::Response { diagnostics })
}

fn timestamp(at: SystemTime) -> Timestamp {
    at.into()
}

fn read_private(sent: Option<Vec<u8>>) -> Result<Private, Diagnostics> {
    codec::private(&sent.unwrap_or_default())
}

fn write_private(private: &Private) -> Option<Vec<u8>> {
    Some(private.encode()).filter(|bytes| !bytes.is_empty())
}
