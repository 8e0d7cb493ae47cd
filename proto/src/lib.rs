#![doc = include_str!("../README.md")]

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
pub use provider::{
    ClientCapabilities, ConfigureRequest, Configured, Provider, ProviderFault, ValidateRequest,
};
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
pub use view::{FromValue, ValueError, View};
