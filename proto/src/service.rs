//! The protocol's calls, answered by a provider written against our traits.
//!
//! Every handler runs in a task of its own: a panic becomes a diagnostic, and a connection that
//! breaks does not stop an apply half-way. Every call answers OK; errors are diagnostics.

mod action;
mod calls;
mod catalog;
mod change;
mod codec;
mod data_source;
mod deferral;
mod ephemeral;
mod function;
mod list;
mod managed;
mod offer;
mod provider;
mod state_store;
mod task;
mod transfer;

use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

use self::{
    function::Called,
    managed::Managed,
    offer::{Form, Offer},
    state_store::Store,
};
use crate::{
    Action, ClientCapabilities, DataSource, Diagnostic, Diagnostics, EphemeralResource, ListResource,
    Provider, ProviderFault, Value, wire::tfplugin6 as wire,
};

/// A provider as a gRPC service.
pub(crate) struct Service(Arc<Inner>);

struct Inner {
    provider: Box<dyn Provider>,
    /// What Terraform would refuse; looked for in debug builds only.
    faults: Vec<ProviderFault>,
    config: Form,
    meta: Option<Form>,
    managed: BTreeMap<String, Managed>,
    data_sources: BTreeMap<String, Offer<dyn DataSource>>,
    ephemeral_resources: BTreeMap<String, Offer<dyn EphemeralResource>>,
    list_resources: BTreeMap<String, Offer<dyn ListResource>>,
    actions: BTreeMap<String, Offer<dyn Action>>,
    functions: BTreeMap<String, Called>,
    state_stores: BTreeMap<String, Store>,
    /// Whether part of the provider's configuration was unknown.
    waits: AtomicBool,
    interrupt: Mutex<CancellationToken>,
}

impl Service {
    pub(crate) fn new(provider: impl Provider) -> Self {
        let faults = if cfg!(debug_assertions) { ProviderFault::all(&provider) } else { Vec::new() };
        Self(Arc::new(Inner {
            faults,
            config: Form::new(provider.schema()),
            meta: provider.meta_schema().map(Form::new),
            managed: offer::by_name(provider.resources(), |one| one.type_name(), Managed::new),
            data_sources: offer::all(provider.data_sources(), DataSource::type_name, DataSource::schema),
            ephemeral_resources: offer::all(
                provider.ephemeral_resources(),
                EphemeralResource::type_name,
                EphemeralResource::schema,
            ),
            list_resources: offer::all(
                provider.list_resources(),
                ListResource::type_name,
                ListResource::schema,
            ),
            actions: offer::all(provider.actions(), Action::type_name, Action::schema),
            functions: offer::by_name(provider.functions(), |one| one.name(), Called::new),
            state_stores: offer::by_name(provider.state_stores(), |one| one.type_name(), Store::new),
            waits: AtomicBool::default(),
            interrupt: Mutex::default(),
            provider: Box::new(provider),
        }))
    }
}

impl Inner {
    /// Cancelled by the next interruption, not by those before.
    fn cancellation(&self) -> CancellationToken {
        self.interrupt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls that are under way are to end soon; later ones run as ever.
    fn interrupt(&self) {
        let mut current = self.interrupt.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut *current).cancel();
    }

    /// Whether the provider waits for part of its configuration.
    fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    fn meta(&self, sent: Option<wire::DynamicValue>) -> Result<Value, Diagnostics> {
        self.meta.as_ref().map_or(Ok(Value::Null), |form| form.read(sent))
    }

    fn managed(&self, type_name: &str) -> Result<&Managed, Diagnostics> {
        find(&self.managed, "resource", type_name)
    }
}

fn find<'a, T>(parts: &'a BTreeMap<String, T>, what: &str, name: &str) -> Result<&'a T, Diagnostics> {
    let missing = || Diagnostic::error(format!("This version of the provider has no {what} `{name}`"), "");
    Ok(parts.get(name).ok_or_else(missing)?)
}

impl From<Option<wire::ClientCapabilities>> for ClientCapabilities {
    fn from(sent: Option<wire::ClientCapabilities>) -> Self {
        sent.map_or_else(Self::default, |sent| Self {
            deferral_allowed: sent.deferral_allowed,
            write_only: sent.write_only_attributes_allowed,
            stores_planned_private: sent.store_planned_private,
            computed_blocks: sent.computed_blocks_allowed,
        })
    }
}

#[cfg(test)]
mod tests;
