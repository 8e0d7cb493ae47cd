//! List resources: finding what exists already, for `terraform query`.

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{Diagnostic, Diagnostics, Schema, Value};

/// Finds managed resources of one type. That type must have an identity.
#[async_trait]
pub trait ListResource: Send + Sync + 'static {
    /// The name of the managed resource it finds.
    fn type_name(&self) -> &str;

    /// The schema of its `config` block.
    fn schema(&self) -> Schema;

    /// Checks a configuration as far as it is known, without network. The provider may not be configured.
    async fn validate(&self, request: ValidateListRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Hands over what it finds, one by one. [`Found::send`] fails when the client has enough: `?` ends the
    /// search then, as it should.
    async fn list(&self, request: ListRequest, found: Found) -> Result<(), Diagnostics>;
}

/// A search to check.
#[derive(Clone, Debug, Default)]
pub struct ValidateListRequest {
    /// As written; references to things not yet made are unknown.
    pub config: Value,
    /// Whether whole resources are wanted, a bool, if that is known.
    pub include_resource: Value,
    /// How many are wanted, a number, if that is known.
    pub limit: Value,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// A search.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// As written, wholly known.
    pub config: Value,
    /// Whether [`ListEvent::resource`] is wanted. It is left out for the client if not.
    pub include_resource: bool,
    /// How many are wanted at most; `None` without limit. More are never sent on.
    pub limit: Option<u64>,
    /// Cancelled when the user interrupts, or the client has enough.
    pub cancellation: CancellationToken,
}

/// Something found.
#[derive(Clone, Debug, Default)]
pub struct ListEvent {
    /// Its identity, wholly known.
    pub identity: Value,
    /// What people call it.
    pub display_name: String,
    /// The state of the managed resource, if it was asked for.
    pub resource: Option<Value>,
    /// Warnings, or errors that concern this one alone.
    pub diagnostics: Diagnostics,
}

/// Where a search puts what it finds.
#[derive(Debug)]
pub struct Found(pub(crate) mpsc::Sender<Result<ListEvent, Diagnostics>>);

/// The client has enough, or is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody waits for further results")]
pub struct Enough;

impl Found {
    /// Hands over one thing.
    ///
    /// # Errors
    /// If no more are wanted.
    pub async fn send(&self, event: ListEvent) -> Result<(), Enough> {
        self.0.send(Ok(event)).await.map_err(|_| Enough)
    }

    /// Hands over a warning that concerns the search as a whole.
    ///
    /// # Errors
    /// If no more are wanted.
    pub async fn warn(&self, summary: impl Into<String>, detail: impl Into<String>) -> Result<(), Enough> {
        let warning = Diagnostic::warning(summary, detail);
        self.0.send(Err(warning.into())).await.map_err(|_| Enough)
    }
}

/// No fault: whoever ends a search early says nothing.
impl From<Enough> for Diagnostics {
    fn from(_: Enough) -> Self {
        Self::new()
    }
}
