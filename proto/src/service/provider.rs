//! Calls about the provider's own configuration.

use std::sync::{Arc, atomic::Ordering};

use super::{Inner, task::Answer};
use crate::{
    ConfigureRequest, Diagnostics,
    wire::tfplugin6::{configure_provider, stop_provider, validate_provider_config},
};

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_provider_config::Request,
) -> Result<validate_provider_config::Response, Diagnostics> {
    let check = |request| inner.provider.validate(request);
    let diagnostics = inner.config.validate(inner.config.config(request.config)?, &inner, check).await;
    Ok(validate_provider_config::Response { diagnostics })
}

pub(super) async fn configure(
    inner: Arc<Inner>,
    request: configure_provider::Request,
) -> Result<configure_provider::Response, Diagnostics> {
    let config = inner.config.config(request.config)?;
    inner.waits.store(!config.is_wholly_known(), Ordering::Relaxed);
    let request = ConfigureRequest {
        config,
        terraform_version: request.terraform_version,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let diagnostics = inner.provider.configure(request).await.to_wire();
    Ok(configure_provider::Response { diagnostics })
}

/// "Please come to an end", not "go away": other calls follow.
pub(super) async fn stop(
    inner: Arc<Inner>,
    _: stop_provider::Request,
) -> Result<stop_provider::Response, Diagnostics> {
    inner.interrupt();
    Ok(stop_provider::Response::default())
}

impl Answer for stop_provider::Response {
    fn failed(diagnostics: &Diagnostics) -> Self {
        let said = diagnostics.iter().map(|one| one.summary.as_str()).collect::<Vec<_>>();
        Self { error: said.join("\n") }
    }
}
