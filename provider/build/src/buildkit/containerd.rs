//! containerd's content service, as far as BuildKit reads from it and writes caches to it. Its messages are in no crate.
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
    Status, Streaming,
    body::Body,
    server::{Grpc, NamedService, ServerStreamingService, StreamingService, UnaryService},
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

/// What a [`WriteContentRequest`] wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(super) enum WriteAction {
    Stat = 0,
    Write = 1,
    Commit = 2,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WriteContentRequest {
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub(super) action: i32,
    #[prost(string, tag = "2")]
    pub(super) r#ref: String,
    #[prost(int64, tag = "3")]
    pub(super) total: i64,
    #[prost(string, tag = "4")]
    pub(super) expected: String,
    #[prost(int64, tag = "5")]
    pub(super) offset: i64,
    #[prost(bytes = "vec", tag = "6")]
    pub(super) data: Vec<u8>,
    #[prost(map = "string, string", tag = "7")]
    pub(super) labels: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WriteContentResponse {
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub(super) action: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) started_at: Option<Timestamp>,
    #[prost(message, optional, tag = "3")]
    pub(super) updated_at: Option<Timestamp>,
    #[prost(int64, tag = "4")]
    pub(super) offset: i64,
    #[prost(int64, tag = "5")]
    pub(super) total: i64,
    #[prost(string, tag = "6")]
    pub(super) digest: String,
}

pub(super) type Pieces = ReceiverStream<Result<ReadContentResponse, Status>>;
pub(super) type Written = ReceiverStream<Result<WriteContentResponse, Status>>;
/// The longest message that BuildKit writes, in bytes.
const LONGEST: usize = 16 << 20;

/// What is served.
#[tonic::async_trait]
pub(super) trait Content: Send + Sync + 'static {
    async fn info(&self, request: InfoRequest) -> Result<InfoResponse, Status>;
    async fn read(&self, request: ReadContentRequest) -> Result<Pieces, Status>;
    async fn write(&self, requests: Streaming<WriteContentRequest>) -> Result<Written, Status>;
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
                "Write" => {
                    let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(LONGEST);
                    grpc.streaming(Take(content), request).await
                }
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

struct Take<T>(Arc<T>);

impl<T: Content> StreamingService<WriteContentRequest> for Take<T> {
    type Response = WriteContentResponse;
    type ResponseStream = Written;
    type Future = BoxFuture<'static, Result<tonic::Response<Written>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<WriteContentRequest>>) -> Self::Future {
        let content = self.0.clone();
        Box::pin(async move { content.write(request.into_inner()).await.map(tonic::Response::new) })
    }
}

/// Everything that would list or remove.
struct Refuse;

impl UnaryService<InfoRequest> for Refuse {
    type Response = InfoResponse;
    type Future = Ready<Result<tonic::Response<InfoResponse>, Status>>;

    fn call(&mut self, _: tonic::Request<InfoRequest>) -> Self::Future {
        ready(Err(Status::unimplemented("content is only read and written here")))
    }
}
