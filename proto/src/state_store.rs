//! State stores: places where Terraform keeps whole states. Experimental in Terraform, absent in `OpenTofu`.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{Diagnostic, Diagnostics, Schema, ValidateRequest, Value};

/// A place for states, one for each workspace.
///
/// States travel in chunks; a store sees them whole, up to 256 MiB.
#[async_trait]
pub trait StateStore: Send + Sync + 'static {
    /// Its full name, such as `bucket_object`.
    fn type_name(&self) -> &str;

    /// Its schema.
    fn schema(&self) -> Schema;

    /// Checks a configuration as far as it is known, without network. The provider may not be configured.
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Takes the configuration over. Everything else comes afterwards.
    async fn configure(&self, request: ConfigureStoreRequest) -> Diagnostics;

    /// The names of all states.
    async fn states(&self, cancellation: CancellationToken) -> Result<Vec<String>, Diagnostics>;

    /// A state's bytes; `None` if there is no state of that name yet.
    async fn read(&self, request: StateRequest) -> Result<Option<Vec<u8>>, Diagnostics>;

    /// Replaces a state, all of it or, with an `Err`, nothing.
    async fn write(&self, request: StateRequest, state: Vec<u8>) -> Result<(), Diagnostics>;

    /// Removes a state. One that is not there is no error.
    async fn delete(&self, request: StateRequest) -> Result<(), Diagnostics>;

    /// Locks a state for one client and gives the key. An empty key says that there is no locking here.
    async fn lock(&self, request: LockRequest) -> Result<String, Diagnostics> {
        let _ = request;
        Ok(String::new())
    }

    /// Unlocks a state.
    async fn unlock(&self, request: UnlockRequest) -> Result<(), Diagnostics> {
        let _ = request;
        let detail = "This store gives no locks.";
        Err(Diagnostic::error("The state is not locked", detail).into())
    }
}

/// A store's configuration.
#[derive(Clone, Debug, Default)]
pub struct ConfigureStoreRequest {
    /// As written, wholly known.
    pub config: Value,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// A state that is wanted.
#[derive(Clone, Debug, Default)]
pub struct StateRequest {
    /// Its name: that of the workspace.
    pub name: String,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// A state to lock.
#[derive(Clone, Debug, Default)]
pub struct LockRequest {
    /// Its name: that of the workspace.
    pub name: String,
    /// What for, such as `apply`.
    pub operation: String,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// A state to unlock.
#[derive(Clone, Debug, Default)]
pub struct UnlockRequest {
    /// Its name: that of the workspace.
    pub name: String,
    /// The key that locking gave.
    pub key: String,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}
