//! Calls that search for managed resources.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Inner, codec, find,
    managed::Managed,
    offer::Offer,
    task::{self, Outlet},
};
use crate::{
    Diagnostic, Diagnostics, Found, ListEvent, ListRequest, ListResource, Type, ValidateListRequest,
    wire::tfplugin6::{self as wire, list_resource, validate_list_resource_config},
};

impl Inner {
    fn list_resource(&self, type_name: &str) -> Result<&Offer<dyn ListResource>, Diagnostics> {
        find(&self.list_resources, "list resource", type_name)
    }
}

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_list_resource_config::Request,
) -> Result<validate_list_resource_config::Response, Diagnostics> {
    let listed = inner.list_resource(&request.type_name)?;
    let request = ValidateListRequest {
        config: listed.form.config_block(request.config)?,
        include_resource: codec::decode(request.include_resource_object, &Type::Bool)?,
        limit: codec::decode(request.limit, &Type::Number)?,
        cancellation: inner.cancellation(),
    };
    let mut diagnostics = listed.form.schema.validate(&request.config);
    diagnostics.extend(listed.part.validate(request).await);
    Ok(validate_list_resource_config::Response { diagnostics: diagnostics.to_wire() })
}

pub(super) async fn list(
    inner: Arc<Inner>,
    request: list_resource::Request,
    outlet: Outlet<list_resource::Event>,
) -> Result<Diagnostics, Diagnostics> {
    let listed = inner.list_resource(&request.type_name)?;
    let results = Results {
        managed: inner.managed(&request.type_name)?,
        include_resource: request.include_resource_object,
        limit: u64::try_from(request.limit).ok().filter(|limit| *limit > 0),
        enough: inner.cancellation().child_token(),
        outlet,
    };
    let request = ListRequest {
        config: listed.form.config_block(request.config)?,
        include_resource: results.include_resource,
        limit: results.limit,
        cancellation: results.enough.clone(),
    };
    let (found, finds) = mpsc::channel(1);
    let part = Arc::clone(&listed.part);
    let search = async move { part.list(request, Found(found)).await };
    let search = task::isolated::<list_resource::Request, _>(search);
    let (searched, sent) = tokio::join!(search, results.send(finds));
    sent.and(searched).map(|()| Diagnostics::new())
}

/// Whatever ends a search but its success is told in an event of its own.
pub(super) fn end(diagnostic: Vec<wire::Diagnostic>) -> Option<list_resource::Event> {
    (!diagnostic.is_empty()).then(|| list_resource::Event { diagnostic, ..Default::default() })
}

/// The way of results to the client.
struct Results<'a> {
    managed: &'a Managed,
    include_resource: bool,
    limit: Option<u64>,
    /// Cancelled when no more results are wanted.
    enough: CancellationToken,
    outlet: Outlet<list_resource::Event>,
}

impl Results<'_> {
    /// Sends results on until there are no more, the client has enough, or one is wrong.
    async fn send(
        &self,
        mut finds: mpsc::Receiver<Result<ListEvent, Diagnostics>>,
    ) -> Result<(), Diagnostics> {
        let outcome = tokio::select! {
            outcome = self.send_all(&mut finds) => outcome,
            () = self.outlet.closed() => Ok(()),
        };
        finds.close();
        self.enough.cancel();
        outcome
    }

    async fn send_all(
        &self,
        finds: &mut mpsc::Receiver<Result<ListEvent, Diagnostics>>,
    ) -> Result<(), Diagnostics> {
        let mut count = 0;
        while self.limit.is_none_or(|limit| count < limit) {
            let event = match finds.recv().await {
                Some(Ok(event)) => {
                    count += 1;
                    self.event(event)?
                }
                Some(Err(warnings)) => {
                    list_resource::Event { diagnostic: warnings.to_wire(), ..Default::default() }
                }
                None => break,
            };
            if self.outlet.send(Ok(event)).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn event(&self, event: ListEvent) -> Result<list_resource::Event, Diagnostics> {
        let ListEvent { identity, display_name, resource, diagnostics } = event;
        let Some(identity) = self.managed.write_identity(Some(identity).filter(|one| !one.is_null()))? else {
            let detail =
                "This is a bug in the provider, please report it: something was found that has no identity.";
            return Err(Diagnostic::error(codec::INVALID, detail).into());
        };
        let resource = resource.filter(|_| self.include_resource);
        let resource = resource.map(|resource| self.managed.form.write_result(resource, "list"));
        Ok(list_resource::Event {
            identity: Some(identity),
            display_name,
            resource_object: resource.transpose()?,
            diagnostic: diagnostics.to_wire(),
        })
    }
}
