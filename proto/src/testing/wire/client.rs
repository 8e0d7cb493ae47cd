//! A connection to a provider's process.

use tokio_stream::pending;
use tonic::{Streaming, transport::Channel};

use super::{Calls, Ended, HostError, LogLine, Plugin, calls};
use crate::{
    testing::Core,
    wire::go_plugin::{
        ConnInfo, Empty, StdioData, grpc_broker_client::GrpcBrokerClient,
        grpc_controller_client::GrpcControllerClient, grpc_stdio_client::GrpcStdioClient,
    },
};

/// A provider's process with a connection to it. Dropping it kills the process.
#[derive(Debug)]
pub struct Client {
    plugin: Plugin,
    channel: Channel,
    /// Opened at once and kept, as go-plugin does: a provider must end in spite of them.
    streams: (Option<Streaming<StdioData>>, Option<Streaming<ConnInfo>>),
}

impl Client {
    pub(super) async fn open(plugin: Plugin) -> Result<Self, HostError> {
        let channel = plugin.connect().await?;
        // Providers without these services are fine.
        let output = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await;
        let broker = GrpcBrokerClient::new(channel.clone()).start_stream(pending()).await;
        let streams =
            (output.map(tonic::Response::into_inner).ok(), broker.map(tonic::Response::into_inner).ok());
        Ok(Self { plugin, channel, streams })
    }

    /// All calls of the protocol. Clones share the connection.
    pub fn calls(&self) -> Calls {
        calls::over(self.channel.clone())
    }

    /// Terraform's part, played over this connection.
    pub fn core(&self) -> Core {
        Core::over(self.calls())
    }

    /// The connection, for calls to other services.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The process.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// What the provider logged so far.
    pub fn log(&self) -> Vec<LogLine> {
        self.plugin.log()
    }

    /// Asks the provider to end and waits until it has.
    ///
    /// # Errors
    /// If it cannot be asked, or does not end.
    pub async fn shutdown(self) -> Result<Ended, HostError> {
        GrpcControllerClient::new(self.channel).shutdown(Empty {}).await?;
        drop(self.streams);
        self.plugin.end().await
    }
}
