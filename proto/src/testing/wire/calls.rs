//! The protocol's calls, over any connection.

use tonic::{
    body::Body,
    codegen::{StdError, http},
    transport::Channel,
};
use tower::{ServiceExt, util::BoxCloneSyncService};

use crate::wire::tfplugin6::provider_client::ProviderClient;

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

fn limited(transport: Transport) -> Calls {
    ProviderClient::new(transport)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE)
}
