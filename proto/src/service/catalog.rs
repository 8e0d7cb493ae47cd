//! Calls that say what the provider offers.

use std::{collections::BTreeMap, sync::Arc};

use super::{Inner, offer::Offer};
use crate::{
    Diagnostic, Diagnostics,
    wire::tfplugin6::{
        self as wire, ServerCapabilities, get_functions, get_metadata as meta, get_provider_schema,
        get_resource_identity_schemas,
    },
};

impl Inner {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities {
            plan_destroy: true,
            get_provider_schema_optional: true,
            move_resource_state: self.managed.values().any(|managed| managed.resource.moves_from()),
            generate_resource_config: !self.managed.is_empty(),
        }
    }
}

pub(super) async fn metadata(inner: Arc<Inner>, _: meta::Request) -> Result<meta::Response, Diagnostics> {
    fn names<T, N>(parts: &BTreeMap<String, T>, named: impl Fn(String) -> N) -> Vec<N> {
        parts.keys().cloned().map(named).collect()
    }
    Ok(meta::Response {
        server_capabilities: Some(inner.capabilities()),
        diagnostics: Vec::new(),
        data_sources: names(&inner.data_sources, |type_name| meta::DataSourceMetadata { type_name }),
        resources: names(&inner.managed, |type_name| meta::ResourceMetadata { type_name }),
        functions: names(&inner.functions, |name| meta::FunctionMetadata { name }),
        ephemeral_resources: names(&inner.ephemeral_resources, |type_name| meta::EphemeralMetadata {
            type_name,
        }),
        list_resources: names(&inner.list_resources, |type_name| meta::ListResourceMetadata { type_name }),
        state_stores: names(&inner.state_stores, |type_name| meta::StateStoreMetadata { type_name }),
        actions: names(&inner.actions, |type_name| meta::ActionMetadata { type_name }),
    })
}

pub(super) async fn schema(
    inner: Arc<Inner>,
    _: get_provider_schema::Request,
) -> Result<get_provider_schema::Response, Diagnostics> {
    fn schemas<T: ?Sized>(
        parts: &BTreeMap<String, Offer<T>>,
    ) -> impl Iterator<Item = (String, wire::Schema)> {
        parts.iter().map(|(name, offer)| (name.clone(), offer.form.schema.to_wire()))
    }
    let resources = inner.managed.iter().map(|(name, one)| (name.clone(), one.form.schema.to_wire()));
    let stores = inner.state_stores.iter().map(|(name, one)| (name.clone(), one.form.schema.to_wire()));
    let actions = schemas(&inner.actions);
    let actions = actions.map(|(name, schema)| (name, wire::ActionSchema { schema: Some(schema) }));
    let bug = |fault| {
        let detail = format!("This is a bug in the provider, please report it: {fault}.");
        Diagnostic::error("Terraform would refuse this provider", detail)
    };
    Ok(get_provider_schema::Response {
        provider: Some(inner.config.schema.to_wire()),
        provider_meta: inner.meta.as_ref().map(|meta| meta.schema.to_wire()),
        resource_schemas: resources.collect(),
        data_source_schemas: schemas(&inner.data_sources).collect(),
        functions: inner.functions(),
        ephemeral_resource_schemas: schemas(&inner.ephemeral_resources).collect(),
        list_resource_schemas: schemas(&inner.list_resources).collect(),
        state_store_schemas: stores.collect(),
        action_schemas: actions.collect(),
        diagnostics: inner.faults.iter().map(bug).collect::<Diagnostics>().to_wire(),
        server_capabilities: Some(inner.capabilities()),
    })
}

pub(super) async fn identities(
    inner: Arc<Inner>,
    _: get_resource_identity_schemas::Request,
) -> Result<get_resource_identity_schemas::Response, Diagnostics> {
    let schemas = inner.managed.iter();
    let schemas =
        schemas.filter_map(|(name, one)| Some((name.clone(), one.identity.as_ref()?.schema.to_wire())));
    Ok(get_resource_identity_schemas::Response { identity_schemas: schemas.collect(), ..Default::default() })
}

pub(super) async fn functions(
    inner: Arc<Inner>,
    _: get_functions::Request,
) -> Result<get_functions::Response, Diagnostics> {
    Ok(get_functions::Response { functions: inner.functions(), ..Default::default() })
}
