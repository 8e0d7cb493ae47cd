//! The protocol's calls, over any connection.

use tonic::{
    body::Body,
    codegen::{StdError, http},
    transport::Channel,
};
use tower::{ServiceExt, util::BoxCloneSyncService};

use crate::{
    Provider,
    service::Service,
    wire::tfplugin6::{provider_client::ProviderClient, provider_server::ProviderServer},
};

/// What Terraform takes, too; a provider sets its own limit.
const MAX_MESSAGE: usize = i32::MAX as usize;

/// What carries calls: a connection to a process, or a provider in this one.
pub type Transport = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, StdError>;

/// All calls of the protocol, as generated from its definition.
pub type Calls = ProviderClient<Transport>;

/// Calls to a process.
pub(super) fn over(channel: Channel) -> Calls {
    limited(Transport::new(channel.map_err(StdError::from)))
}

/// Calls to a provider in this process, through the same encoding.
pub(in crate::testing) fn in_process(provider: impl Provider) -> Calls {
    let server = ProviderServer::new(Service::new(provider))
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    let server = ServiceExt::<http::Request<Body>>::map_err(server, StdError::from);
    limited(Transport::new(server))
}

fn limited(transport: Transport) -> Calls {
    ProviderClient::new(transport)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE)
}
