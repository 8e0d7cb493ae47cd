//! Ephemeral resources: things that are opened, used and closed within one run and never stored.

use std::time::SystemTime;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{ClientCapabilities, Deferral, Diagnostic, Diagnostics, Private, Schema, ValidateRequest, Value};

/// An ephemeral resource, such as a token. Opened while planning and again while applying.
#[async_trait]
pub trait EphemeralResource: Send + Sync + 'static {
    /// Its full name, such as `vault_token`.
    fn type_name(&self) -> &str;

    /// Its schema.
    fn schema(&self) -> Schema;

    /// Checks a configuration as far as it is known, without network. The provider may not be configured.
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Opens one. What is configured stays as configured in the result, and nothing in it is unknown.
    async fn open(&self, request: OpenRequest) -> Result<OpenResponse, Diagnostics>;

    /// Keeps one open for longer; the result given when opening stays valid. Called at
    /// [`OpenResponse::renew_at`].
    async fn renew(&self, request: RenewRequest) -> Result<RenewResponse, Diagnostics> {
        let _ = request;
        let summary = format!("`{}` cannot be renewed", self.type_name());
        Err(Diagnostic::error(summary, "This is a bug in the provider, please report it.").into())
    }

    /// Closes one. Terraform calls this with the private data of opening, not of the last renewal.
    ///
    /// A Terraform that is interrupted closes nothing: what must not outlive the process is let go when the provider is
    /// dropped, which happens before its process ends.
    async fn close(&self, request: CloseRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }
}

/// An ephemeral resource to open.
#[derive(Clone, Debug, Default)]
pub struct OpenRequest {
    /// As written, wholly known.
    pub config: Value,
    /// What the client understands. Terraform says nothing here.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// What was opened.
#[derive(Clone, Debug, Default)]
pub struct OpenResponse {
    /// The configuration with the results filled in.
    pub result: Value,
    /// When it has to be renewed; `None` for never.
    pub renew_at: Option<SystemTime>,
    /// Goes to renewing and closing.
    pub private: Private,
    /// If it has to wait, why. The result is ignored then.
    pub deferred: Option<Deferral>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// An ephemeral resource to keep open.
#[derive(Clone, Debug, Default)]
pub struct RenewRequest {
    /// What opening or the last renewal gave.
    pub private: Private,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// A renewal.
#[derive(Clone, Debug, Default)]
pub struct RenewResponse {
    /// When it has to be renewed again; `None` for never.
    pub renew_at: Option<SystemTime>,
    /// Goes to the next renewal.
    pub private: Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// An ephemeral resource to close.
#[derive(Clone, Debug, Default)]
pub struct CloseRequest {
    /// What opening gave.
    pub private: Private,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}
