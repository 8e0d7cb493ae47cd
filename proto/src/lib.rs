//! Terraform's plugin protocol for providers written in Rust.
//!
//! A provider implements [`Provider`], and [`Resource`] or [`DataSource`] for each type it has; its
//! `main` calls [`serve`]. Handshake, TLS, encoding, logs and Terraform's rules for answers are this
//! crate's work. Values are kept without loss: numbers are decimals ([`Number`]), unknown values are a
//! case of [`Value`], and private data of state and plan come apart ([`PlanRequest`]). It speaks
//! protocol 6, for Terraform 1.0 and OpenTofu 1.6 or newer, and knows nothing about any cloud.
//!
//! ```no_run
//! use std::{process::ExitCode, sync::Arc};
//! use tfplugin_rs::{
//!     Attribute, ConfigureRequest, DataSource, Diagnostics, Provider, ReadDataRequest, ReadDataResponse,
//!     Resource, Schema, Type, async_trait,
//! };
//!
//! struct Text;
//!
//! #[async_trait]
//! impl Provider for Text {
//!     fn schema(&self) -> Schema {
//!         Schema::new()
//!     }
//!     fn resources(&self) -> Vec<Arc<dyn Resource>> {
//!         vec![]
//!     }
//!     fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
//!         vec![Arc::new(Shout)]
//!     }
//!     async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
//!         Diagnostics::new()
//!     }
//! }
//!
//! struct Shout;
//!
//! #[async_trait]
//! impl DataSource for Shout {
//!     fn type_name(&self) -> &'static str {
//!         "text_shout"
//!     }
//!     fn schema(&self) -> Schema {
//!         Schema::new()
//!             .attribute(Attribute::required("text", Type::String).describe("What to shout."))
//!             .attribute(Attribute::computed("result", Type::String).describe("The same, louder."))
//!     }
//!     async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
//!         let text: String = request.config.view().get("text").read()?;
//!         let state = request.config.with("result", text.to_uppercase());
//!         Ok(ReadDataResponse { state, ..Default::default() })
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> ExitCode {
//!     tfplugin_rs::serve(Text, "registry.terraform.io/example/text").await
//! }
//! ```
//!
//! `examples/notes.rs` is a whole provider with a managed resource. Tests of a provider play Terraform's
//! part with `testing` (feature `test-kit`), assert that [`Schema::check`] finds nothing, and judge
//! single plans with [`check`].

// So that what the derive macro writes means the same in here.
extern crate self as tfplugin_rs;

mod action;
pub mod check;
mod conform;
mod data_source;
mod deferral;
mod diagnostic;
mod duration;
mod ephemeral;
mod field;
mod function;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod json;
mod limits;
mod list;
mod log;
mod msgpack;
mod number;
mod object;
mod path;
mod private;
mod provider;
mod refinement;
mod resource;
mod schema;
mod sensitive;
mod serve;
mod service;
mod state_store;
#[cfg(any(test, feature = "test-kit"))]
pub mod testing;
mod timeouts;
mod typed;
mod types;
mod validator;
mod value;
mod view;
pub mod wire;

pub use async_trait::async_trait;
pub use tokio_util::sync::CancellationToken;

pub use action::{Action, InvokeRequest, PlanActionRequest, PlanActionResponse, Progress};
pub use data_source::{DataSource, ReadDataRequest, ReadDataResponse};
pub use deferral::Deferral;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use duration::{GoDuration, GoDurationError};
pub use ephemeral::{
    CloseRequest, EphemeralResource, OpenRequest, OpenResponse, RenewRequest, RenewResponse,
};
pub use field::Field;
pub use function::{CallRequest, Function, FunctionError, Parameter, Signature};
pub use list::{Enough, Found, ListEvent, ListRequest, ListResource, ValidateListRequest};
pub use msgpack::DecodeError;
pub use number::{Number, NumberError};
pub use object::{Blocks, Object, Shaped};
pub use path::{Path, Step};
pub use private::{Private, PrivateError};
pub use provider::{ClientCapabilities, ConfigureRequest, Configured, Provider, ProviderFault, ValidateRequest};
pub use refinement::{Limit, Refinement};
pub use resource::{
    ApplyRequest, ApplyResponse, GenerateRequest, ImportRequest, ImportResponse, MoveRequest, MoveResponse,
    Operation, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource, UpgradeIdentityRequest,
    UpgradeRequest,
};
pub use schema::{
    Attribute, Block, IdentityAttribute, IdentitySchema, Mode, NestedBlock, Nesting, PlannedBySchema, Rule,
    Schema, SchemaFault, Shape,
};
pub use sensitive::Sensitive;
pub use serve::serve;
pub use state_store::{ConfigureStoreRequest, LockRequest, StateRequest, StateStore, UnlockRequest};
#[cfg(feature = "derive")]
pub use tfplugin_rs_derive::Object;
pub use timeouts::{Timed, Timeouts};
pub use typed::{Call, Change, Failed, Typed, TypedDataSource, TypedResource};
pub use types::{Type, TypeError};
pub use validator::Validator;
pub use value::Value;
pub use view::{FromValue, Known, ValueError, View};
