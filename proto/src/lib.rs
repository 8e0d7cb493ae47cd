//! Terraform's plugin protocol for providers written in Rust.

pub mod check;
mod conform;
mod data_source;
mod diagnostic;
mod json;
mod log;
mod msgpack;
mod number;
mod path;
mod private;
mod provider;
mod resource;
mod schema;
mod serve;
mod service;
#[cfg(any(test, feature = "test-kit"))]
pub mod testing;
mod types;
mod value;
mod view;
pub mod wire;

pub use async_trait::async_trait;
pub use tokio_util::sync::CancellationToken;

pub use data_source::{DataSource, ReadDataRequest, ReadDataResponse};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use msgpack::DecodeError;
pub use number::{Number, NumberError};
pub use path::{Path, Step};
pub use private::{Private, PrivateError};
pub use provider::{ClientCapabilities, ConfigureRequest, Configured, Provider, ValidateRequest};
pub use resource::{
    Action, ApplyRequest, ApplyResponse, ImportRequest, ImportResponse, PlanRequest, PlanResponse,
    ReadRequest, ReadResponse, Resource, UpgradeRequest,
};
pub use schema::{
    Attribute, Block, IdentityAttribute, IdentitySchema, Mode, NestedBlock, Nesting, Schema, SchemaFault,
    Shape,
};
pub use serve::serve;
pub use types::{Type, TypeError};
pub use value::Value;
pub use view::{FromValue, Known, ValueError, View};
