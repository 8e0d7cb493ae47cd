//! The protocol's calls, answered by a provider written against our traits.
//!
//! Every handler runs in a task of its own: a panic becomes a diagnostic, and a connection that
//! breaks does not stop an apply half-way. Every call answers OK; errors are diagnostics.

mod codec;
mod data_source;
mod managed;
mod provider;

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use self::{data_source::Read, managed::Managed};
use crate::{ClientCapabilities, Diagnostic, Diagnostics, Provider, Schema, Value, wire::tfplugin6 as wire};

/// A provider as a gRPC service.
pub(crate) struct Service(Arc<Inner>);

struct Inner {
    provider: Box<dyn Provider>,
    schema: Schema,
    meta: Option<Schema>,
    managed: BTreeMap<String, Managed>,
    data_sources: BTreeMap<String, Read>,
    interrupt: Mutex<CancellationToken>,
}

impl Service {
    pub(crate) fn new(provider: impl Provider) -> Self {
        let managed = provider.resources().into_iter();
        let data_sources = provider.data_sources().into_iter();
        Self(Arc::new(Inner {
            schema: provider.schema(),
            meta: provider.meta_schema(),
            managed: managed.map(|one| (one.type_name().to_owned(), Managed::new(one))).collect(),
            data_sources: data_sources.map(|one| (one.type_name().to_owned(), Read::new(one))).collect(),
            interrupt: Mutex::default(),
            provider: Box::new(provider),
        }))
    }

    async fn run<Q, A, F>(&self, rpc: &'static str, work: impl FnOnce(Arc<Inner>, Q) -> F, request: Q) -> A
    where
        A: Answer,
        F: Future<Output = Result<A, Diagnostics>> + Send + 'static,
    {
        let span = tracing::debug_span!("call", tf_rpc = rpc);
        let work = work(Arc::clone(&self.0), request);
        let task =
            tokio::spawn(async { work.await.inspect(|_| tracing::debug!("answered")) }.instrument(span));
        let failed = match task.await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(diagnostics)) => diagnostics,
            Err(ended) => panicked(rpc, ended).into(),
        };
        let mut answer = A::default();
        *answer.diagnostics() = failed.to_wire();
        answer
    }
}

fn panicked(rpc: &str, ended: JoinError) -> Diagnostic {
    let said = ended.try_into_panic().ok().and_then(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
    });
    let said = said.unwrap_or_else(|| "it gave no reason".to_owned());
    Diagnostic::error(
        "The provider crashed",
        format!("This is a bug in the provider: `{rpc}` panicked: {said}. Please report it."),
    )
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

    fn meta(&self, sent: Option<wire::DynamicValue>) -> Result<Value, Diagnostics> {
        self.meta.as_ref().map_or(Ok(Value::Null), |schema| codec::decode(sent, &schema.implied_type()))
    }

    fn managed(&self, type_name: &str) -> Result<&Managed, Diagnostics> {
        self.managed.get(type_name).ok_or_else(|| no_such("resource", type_name))
    }

    fn data_source(&self, type_name: &str) -> Result<&Read, Diagnostics> {
        self.data_sources.get(type_name).ok_or_else(|| no_such("data source", type_name))
    }
}

fn no_such(what: &str, type_name: &str) -> Diagnostics {
    Diagnostic::error(format!("This version of the provider has no {what} `{type_name}`"), "").into()
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

/// An answer that can carry diagnostics.
trait Answer: Default + Send + 'static {
    fn diagnostics(&mut self) -> &mut Vec<wire::Diagnostic>;
}

macro_rules! calls {
    ($($rpc:ident => $work:path,)*) => {
        $(impl Answer for wire::$rpc::Response {
            fn diagnostics(&mut self) -> &mut Vec<wire::Diagnostic> {
                &mut self.diagnostics
            }
        })*

        #[tonic::async_trait]
        impl wire::provider_server::Provider for Service {
            $(async fn $rpc(
                &self,
                request: Request<wire::$rpc::Request>,
            ) -> Result<Response<wire::$rpc::Response>, Status> {
                Ok(Response::new(self.run(stringify!($rpc), $work, request.into_inner()).await))
            })*

            async fn stop_provider(
                &self,
                _: Request<wire::stop_provider::Request>,
            ) -> Result<Response<wire::stop_provider::Response>, Status> {
                self.0.interrupt();
                Ok(Response::new(wire::stop_provider::Response::default()))
            }
        }
    };
}

calls! {
    get_metadata => provider::metadata,
    get_provider_schema => provider::schema,
    get_resource_identity_schemas => provider::identity_schemas,
    validate_provider_config => provider::validate,
    configure_provider => provider::configure,
    validate_resource_config => managed::validate,
    upgrade_resource_state => managed::upgrade,
    upgrade_resource_identity => managed::upgrade_identity,
    read_resource => managed::read,
    plan_resource_change => managed::plan,
    apply_resource_change => managed::apply,
    import_resource_state => managed::import,
    validate_data_resource_config => data_source::validate,
    read_data_source => data_source::read,
}

#[cfg(test)]
mod tests;
