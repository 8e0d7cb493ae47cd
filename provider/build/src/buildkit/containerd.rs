//! containerd's content service, as far as BuildKit reads from it. Its messages are in no crate.
//!
//! Source: containerd, `api/services/content/v1/content.proto`.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{Request, Response};
use prost_types::Timestamp;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status,
    body::Body,
    server::{Grpc, NamedService, ServerStreamingService, UnaryService},
};
use tonic_prost::ProstCodec;
use tower::Service;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Info {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
    #[prost(int64, tag = "2")]
    pub(super) size: i64,
    #[prost(message, optional, tag = "3")]
    pub(super) created_at: Option<Timestamp>,
    #[prost(message, optional, tag = "4")]
    pub(super) updated_at: Option<Timestamp>,
    #[prost(map = "string, string", tag = "5")]
    pub(super) labels: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct InfoRequest {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct InfoResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) info: Option<Info>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ReadContentRequest {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
    #[prost(int64, tag = "2")]
    pub(super) offset: i64,
    /// All that follows when 0.
    #[prost(int64, tag = "3")]
    pub(super) size: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ReadContentResponse {
    #[prost(int64, tag = "1")]
    pub(super) offset: i64,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) data: Vec<u8>,
}

pub(super) type Pieces = ReceiverStream<Result<ReadContentResponse, Status>>;

/// What is served.
#[tonic::async_trait]
pub(super) trait Content: Send + Sync + 'static {
    async fn info(&self, request: InfoRequest) -> Result<InfoResponse, Status>;
    async fn read(&self, request: ReadContentRequest) -> Result<Pieces, Status>;
}

pub(super) struct ContentServer<T>(Arc<T>);

impl<T> ContentServer<T> {
    pub(super) fn new(content: T) -> Self {
        Self(Arc::new(content))
    }
}

impl<T> Clone for ContentServer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> NamedService for ContentServer<T> {
    const NAME: &'static str = "containerd.services.content.v1.Content";
}

impl<T: Content> Service<Request<Body>> for ContentServer<T> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let content = self.0.clone();
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        Box::pin(async move {
            Ok(match method.as_str() {
                "Info" => Grpc::new(ProstCodec::default()).unary(Look(content), request).await,
                "Read" => Grpc::new(ProstCodec::default()).server_streaming(Fetch(content), request).await,
                _ => Grpc::new(ProstCodec::default()).unary(Refuse, request).await,
            })
        })
    }
}

struct Look<T>(Arc<T>);

impl<T: Content> UnaryService<InfoRequest> for Look<T> {
    type Response = InfoResponse;
    type Future = BoxFuture<'static, Result<tonic::Response<InfoResponse>, Status>>;

    fn call(&mut self, request: tonic::Request<InfoRequest>) -> Self::Future {
        let content = self.0.clone();
        Box::pin(async move { content.info(request.into_inner()).await.map(tonic::Response::new) })
    }
}

struct Fetch<T>(Arc<T>);

impl<T: Content> ServerStreamingService<ReadContentRequest> for Fetch<T> {
    type Response = ReadContentResponse;
    type ResponseStream = Pieces;
    type Future = BoxFuture<'static, Result<tonic::Response<Pieces>, Status>>;

    fn call(&mut self, request: tonic::Request<ReadContentRequest>) -> Self::Future {
        let content = self.0.clone();
        Box::pin(async move { content.read(request.into_inner()).await.map(tonic::Response::new) })
    }
}

/// Everything that would write.
struct Refuse;

impl UnaryService<InfoRequest> for Refuse {
    type Response = InfoResponse;
    type Future = Ready<Result<tonic::Response<InfoResponse>, Status>>;

    fn call(&mut self, _: tonic::Request<InfoRequest>) -> Self::Future {
        ready(Err(Status::unimplemented("images are only read here")))
    }
}
