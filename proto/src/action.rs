//! Actions: things done on demand that leave no resource behind.

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{ClientCapabilities, Deferral, Diagnostics, Schema, ValidateRequest, Value};

/// Something that can be done, such as emptying a cache.
#[async_trait]
pub trait Action: Send + Sync + 'static {
    /// Its full name, such as `cache_flush`.
    fn type_name(&self) -> &str;

    /// The schema of its `config` block.
    fn schema(&self) -> Schema;

    /// Checks a configuration as far as it is known, without network. The provider may not be configured.
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Says whether it could be done. Writes nothing.
    async fn plan(&self, request: PlanActionRequest) -> Result<PlanActionResponse, Diagnostics> {
        let _ = request;
        Ok(PlanActionResponse::default())
    }

    /// Does it. Keeps running if Terraform goes away.
    async fn invoke(&self, request: InvokeRequest, progress: Progress) -> Result<(), Diagnostics>;
}

/// An action that may be wanted.
#[derive(Clone, Debug, Default)]
pub struct PlanActionRequest {
    /// As written; references to things not yet made are unknown.
    pub config: Value,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// Whether it can be done.
#[derive(Clone, Debug, Default)]
pub struct PlanActionResponse {
    /// If it has to wait, why. Only [`Deferral::ProviderConfigUnknown`] is taken.
    pub deferred: Option<Deferral>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// An action to do.
#[derive(Clone, Debug, Default)]
pub struct InvokeRequest {
    /// As written, wholly known.
    pub config: Value,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// Where an action says how far it is.
#[derive(Clone, Debug)]
pub struct Progress(pub(crate) mpsc::UnboundedSender<Report>);

/// What an action says while it runs.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    Message(String),
    Warnings(Diagnostics),
}

impl Progress {
    /// Tells the user now. Whether anybody listens makes no difference to the action.
    pub fn say(&self, message: impl Into<String>) {
        let _ = self.0.send(Report::Message(message.into()));
    }

    /// Tells the user at the end.
    pub fn warn(&self, warnings: impl Into<Diagnostics>) {
        let _ = self.0.send(Report::Warnings(warnings.into()));
    }
}
