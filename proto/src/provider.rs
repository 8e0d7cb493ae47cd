//! What a provider is made of.

mod fault;

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    Action, DataSource, Diagnostic, Diagnostics, EphemeralResource, Function, ListResource, Resource, Schema,
    StateStore, Value,
};

pub use fault::ProviderFault;

/// A provider: its configuration, and all that it offers.
///
/// Terraform starts the process several times per command and configures it at most once each
/// time; under a debugger one process may be configured again. Nothing lasts between processes.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The schema of the `provider` block.
    fn schema(&self) -> Schema;

    /// The managed resources.
    fn resources(&self) -> Vec<Arc<dyn Resource>>;

    /// The data sources.
    fn data_sources(&self) -> Vec<Arc<dyn DataSource>>;

    /// The functions.
    fn functions(&self) -> Vec<Arc<dyn Function>> {
        Vec::new()
    }

    /// The ephemeral resources.
    fn ephemeral_resources(&self) -> Vec<Arc<dyn EphemeralResource>> {
        Vec::new()
    }

    /// The searches for managed resources.
    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        Vec::new()
    }

    /// The actions.
    fn actions(&self) -> Vec<Arc<dyn Action>> {
        Vec::new()
    }

    /// The places for states.
    fn state_stores(&self) -> Vec<Arc<dyn StateStore>> {
        Vec::new()
    }

    /// The schema of the `provider_meta` block, in which a module tells the provider about itself. Its
    /// content comes with the requests that deal with resources and data sources of that module.
    fn meta_schema(&self) -> Option<Schema> {
        None
    }

    /// Checks the configuration as far as it is known, without network. Runs before [`Provider::configure`].
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Takes the configuration over. While planning, parts of it may be unknown: that is no error;
    /// what needs them waits. Resources see the result through what they share, see [`Configured`].
    async fn configure(&self, request: ConfigureRequest) -> Diagnostics;
}

/// A configuration to check.
#[derive(Clone, Debug, Default)]
pub struct ValidateRequest {
    /// As written; references to things not yet made are unknown.
    pub config: Value,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// A configuration to work with from now on.
#[derive(Clone, Debug, Default)]
pub struct ConfigureRequest {
    /// As written; references to things not yet made are unknown while planning.
    pub config: Value,
    /// The version of Terraform, as it says; OpenTofu gives the Terraform version it stands for.
    pub terraform_version: String,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// What the client, Terraform or OpenTofu, understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's own flags, each independent")]
pub struct ClientCapabilities {
    /// It would take "not now" for an answer. Terraform sets this while applying even if it was not set
    /// while planning.
    pub deferral_allowed: bool,
    /// It keeps write-only values out of plan and state.
    /// [`Attribute::write_only`](crate::Attribute::write_only) is refused by this library without.
    pub write_only: bool,
    /// It sends the private data of the plan back when it plans again during apply.
    pub stores_planned_private: bool,
    /// It understands blocks filled by the provider.
    pub computed_blocks: bool,
}

/// What `configure` made of the configuration, shared by a provider with its resources.
///
/// Cloning gives another handle on the same place. Configuring again replaces what is there;
/// work that is under way goes on with what it has.
#[derive(Debug)]
pub struct Configured<T>(Arc<RwLock<Option<Arc<T>>>>);

impl<T> Configured<T> {
    /// An empty place.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Puts a configuration in place.
    pub fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(value));
    }

    /// The configuration.
    ///
    /// # Errors
    /// If there is none yet.
    pub fn get(&self) -> Result<Arc<T>, Diagnostic> {
        let value = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        value.ok_or_else(|| {
            Diagnostic::error(
                "The provider is not configured",
                "Its configuration did not reach it before this call.",
            )
        })
    }
}

impl<T> Default for Configured<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Configured<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
