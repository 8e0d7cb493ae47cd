//! Terraform's part, for the tests of a provider.
//!
//! [`Core`] makes the calls Terraform makes, in its order: in process, in milliseconds and without a CLI, or
//! over the connection to a program that [`wire::Host`] started. Validate, plan, and for apply validate and
//! plan again before the change is made; a replacement destroys and creates; functions are called twice.
//! What Terraform would call a bug in the provider comes back as an error.
//! [`cli`] drives Terraform and OpenTofu themselves, for what only they can show.
//!
//! ```no_run
//! # async fn run(provider: impl tfplugin_rs::Provider) -> Result<(), tfplugin_rs::Diagnostics> {
//! use tfplugin_rs::{Value, testing::{Core, State}};
//!
//! let core = Core::new(provider);
//! core.configure(Value::object([("folder", "notes")].map(|(name, value)| (name, value.into())))).await?;
//! let config = Value::object([("name", "one".into()), ("text", Value::from("hello"))]);
//! let planned = core.plan("notes_note", &State::default(), config.clone()).await?;
//! assert!(!planned.is_empty());
//! let state = core.apply("notes_note", planned, config).await.map_err(|(_, errors)| errors)?;
//! assert_eq!(*state.value.get("name"), "one".into());
//! # Ok(())
//! # }
//! ```

pub mod cli;
mod core;
mod document;
mod documentation;
mod form;
pub(crate) mod proposed;
mod published;
pub mod wire;

pub use self::{
    core::{Core, Listed, Moved, Opened, Planned, State},
    document::document,
    documentation::Documentation,
    published::Published,
};
