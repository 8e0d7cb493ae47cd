//! Resources and data sources as Rust structs: an author writes the struct and what creates, reads,
//! changes and removes the thing; schema, plan and conversions follow.

mod data_source;
mod resource;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{ClientCapabilities, Deferral, Diagnostics, Operation, Path, Private, Value};

pub use data_source::TypedDataSource;
pub use resource::TypedResource;

/// Makes a [`Resource`](crate::Resource) of a [`TypedResource`], and a [`DataSource`](crate::DataSource)
/// of a [`TypedDataSource`].
#[derive(Clone, Debug)]
pub struct Typed<T>(pub T);

/// What comes with a call beside the struct, and what goes back beside it.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// As written, wholly known: the place of write-only values. Null for reading, importing and deleting.
    pub config: Value,
    /// Private data: as it was, and to be kept as left here.
    pub private: Private,
    /// How long it may take, if the resource has [`Timeouts`](crate::Timeouts).
    pub timeout: Option<Duration>,
    /// Told to the user if all goes well.
    pub warnings: Diagnostics,
    /// What the module says in `provider_meta`; null without.
    pub provider_meta: Value,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts: stop soon, and answer with what was reached.
    pub cancellation: CancellationToken,
}

/// A change as its schema plans it, to be refined by [`TypedResource::plan`].
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The state; null if there is none, or if it is to be replaced.
    pub prior: Value,
    /// As written, write-only values included; may hold unknowns. Null for destroying.
    pub config: Value,
    /// The state after apply. Null for destroying.
    pub planned: Value,
    /// What changes and cannot be changed in place.
    pub requires_replace: Vec<Path>,
    /// Private data of the state, to be that of the plan as left here.
    pub private: Private,
    /// Private data of the first plan, in a plan made again
    /// ([`PlanRequest::planned_private`](crate::PlanRequest::planned_private)).
    pub planned_private: Option<Private>,
    /// Identity of the state, to be that of the plan as left here.
    pub identity: Option<Value>,
    /// If it has to wait, why.
    pub deferred: Option<Deferral>,
    /// Told to the user.
    pub warnings: Diagnostics,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

impl Change {
    /// What is asked for.
    pub fn operation(&self) -> Operation {
        Operation::from(&self.prior, &self.planned)
    }
}

/// A change that failed. Made from a diagnostic by `?`, it says that nothing changed; made by
/// [`Failed::leaving`], that something did.
#[derive(Clone, Debug)]
pub struct Failed<M> {
    left: Option<Box<M>>,
    diagnostics: Diagnostics,
}

impl<M> Failed<M> {
    /// It failed half-way, and this is what exists now. Terraform keeps it: as tainted if it was to be
    /// created.
    pub fn leaving(left: M, cause: impl Into<Diagnostics>) -> Self {
        Self { left: Some(Box::new(left)), diagnostics: cause.into() }
    }
}

impl<M, E: Into<Diagnostics>> From<E> for Failed<M> {
    fn from(cause: E) -> Self {
        Self { left: None, diagnostics: cause.into() }
    }
}

/// A struct put back into the object it was read from; what the struct does not have stays.
fn overlaid(base: &Value, object: impl Into<Value>) -> Value {
    match (base, object.into()) {
        (Value::Map(base), Value::Map(object)) => {
            let mut members = base.clone();
            members.extend(object);
            Value::Map(members)
        }
        (_, object) => object,
    }
}

#[cfg(test)]
mod tests;
