//! Data sources: things that are only read.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{ClientCapabilities, Deferral, Diagnostics, Schema, ValidateRequest, Value};

/// A data source.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// Its full name, such as `ecr_image`.
    fn type_name(&self) -> &str;

    /// Its schema.
    fn schema(&self) -> Schema;

    /// Checks a configuration as far as it is known, without network. The provider may not be configured.
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Reads. Everything in the result is known, and what was configured stays as it was.
    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics>;
}

/// A data source to read.
#[derive(Clone, Debug, Default)]
pub struct ReadDataRequest {
    /// As written, wholly known.
    pub config: Value,
    /// What the module says in `provider_meta`; null without.
    pub provider_meta: Value,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct ReadDataResponse {
    /// The configuration with the results filled in.
    pub state: Value,
    /// If it has to wait, why. The state is ignored then.
    pub deferred: Option<Deferral>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}
