//! The part of Terraform that talks to providers.

mod kinds;
mod managed;
mod plan;

use std::collections::BTreeMap;

use tokio::sync::OnceCell;

use super::{
    Published,
    form::{answer, bug, complete_config, encode_config, outcome},
    wire::Calls,
};
use crate::{
    Diagnostics, Provider, Schema, Value,
    wire::tfplugin6::{self as wire, ClientCapabilities, DynamicValue},
};

pub use self::{
    kinds::{Listed, Opened},
    managed::{Moved, State},
    plan::Planned,
};

/// Terraform, with one provider.
///
/// Its methods panic if the provider has no type of the given name, or if a value does not fit its schema:
/// both are mistakes of the test.
#[derive(Debug)]
pub struct Core {
    calls: Calls,
    published: OnceCell<Published>,
    capabilities: ClientCapabilities,
    meta: Value,
}

impl Core {
    /// With a provider in this process. Behaves as Terraform 1.11 to 1.15 and OpenTofu do.
    pub fn new(provider: impl Provider) -> Self {
        Self::over(super::wire::in_process(provider))
    }

    /// With a provider elsewhere, see [`Client::core`](super::wire::Client::core).
    pub fn over(calls: Calls) -> Self {
        let capabilities = ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() };
        Self { calls, published: OnceCell::new(), capabilities, meta: Value::Null }
    }

    /// As Terraform behaves from 1.16 on: the plan's private data comes back in the plan made again
    /// during apply.
    #[must_use]
    pub fn storing_planned_private(mut self) -> Self {
        self.capabilities.store_planned_private = true;
        self
    }

    /// As Terraform behaves from 1.16 on: the provider may fill blocks.
    #[must_use]
    pub fn with_computed_blocks(mut self) -> Self {
        self.capabilities.computed_blocks_allowed = true;
        self
    }

    /// As Terraform behaves with `-allow-deferral`: "not now" is taken for an answer.
    #[must_use]
    pub fn allowing_deferral(mut self) -> Self {
        self.capabilities.deferral_allowed = true;
        self
    }

    /// As clients before Terraform 1.11 behave: write-only arguments would be stored.
    #[must_use]
    pub fn storing_write_only(mut self) -> Self {
        self.capabilities.write_only_attributes_allowed = false;
        self
    }

    /// Sends this with every call, as the `provider_meta` block of a module.
    #[must_use]
    pub fn with_meta(mut self, meta: Value) -> Self {
        self.meta = meta;
        self
    }

    /// What the provider publishes; asked for once.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform could not read.
    pub async fn published(&self) -> Result<&Published, Diagnostics> {
        self.published.get_or_try_init(|| self.load()).await
    }

    async fn load(&self) -> Result<Published, Diagnostics> {
        let schema = answer(self.calls().get_provider_schema(wire::get_provider_schema::Request {})).await?;
        outcome(schema.diagnostics.clone())?;
        let identities = self.identities().await?;
        Published::read(schema, identities).map_err(|fault| bug("Failed to load plugin schemas", fault))
    }

    /// Providers of older versions of the protocol have none.
    async fn identities(&self) -> Result<wire::get_resource_identity_schemas::Response, Diagnostics> {
        let request = wire::get_resource_identity_schemas::Request {};
        match self.calls().get_resource_identity_schemas(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                outcome(answer.diagnostics.clone())?;
                Ok(answer)
            }
            Err(status) if status.code() == tonic::Code::Unimplemented => {
                Ok(wire::get_resource_identity_schemas::Response::default())
            }
            Err(status) => Err(bug("Plugin error", status.to_string())),
        }
    }

    /// All faults Terraform would find in the schemas when it loads the provider.
    ///
    /// # Errors
    /// As [`Core::published`].
    pub async fn schema_faults(&self) -> Result<Vec<String>, Diagnostics> {
        Ok(self.published().await?.faults())
    }

    /// Configures the provider, as every process is before it plans or applies. Gives warnings.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn configure(&self, config: Value) -> Result<Diagnostics, Diagnostics> {
        let schema = &self.published().await?.provider;
        let config = encode_config(schema, &complete_config(schema, config));
        let request = wire::validate_provider_config::Request { config: Some(config.clone()) };
        outcome(answer(self.calls().validate_provider_config(request)).await?.diagnostics)?;
        let request = wire::configure_provider::Request {
            terraform_version: "1.11.4".to_owned(),
            config: Some(config),
            client_capabilities: Some(self.capabilities),
        };
        outcome(answer(self.calls().configure_provider(request)).await?.diagnostics)
    }

    /// Interrupts what is under way, as the first Ctrl-C does.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn stop(&self) -> Result<(), Diagnostics> {
        let answer = answer(self.calls().stop_provider(wire::stop_provider::Request {})).await?;
        if answer.error.is_empty() { Ok(()) } else { Err(bug("The provider cannot stop", answer.error)) }
    }

    fn calls(&self) -> Calls {
        self.calls.clone()
    }

    async fn meta(&self) -> Result<Option<DynamicValue>, Diagnostics> {
        let meta = self.published().await?.meta.as_ref();
        Ok(meta.map(|schema| encode_config(schema, &complete_config(schema, self.meta.clone()))))
    }
}

fn find<'a, T>(of: &'a BTreeMap<String, T>, name: &str) -> &'a T {
    of.get(name).unwrap_or_else(|| panic!("the provider has no `{name}` of this kind"))
}

fn config_of(schema: &Schema, config: Value) -> DynamicValue {
    encode_config(schema, &complete_config(schema, config))
}

#[cfg(test)]
mod tests;
