//! A provider for the corners of the protocol: each of its types stands for one of them.
//!
//! It has no world outside: a resource keeps what it is told, and the state is all there is. What a test
//! wants to know besides is in computed attributes and in a journal. Knows nothing about the cases.

use std::{process::ExitCode, sync::Arc};

use tfplugin_rs::{
    Action, Attribute, ConfigureRequest, Configured, DataSource, Diagnostics, EphemeralResource, Function,
    ListResource, Provider, Resource, Schema, StateStore, Type, async_trait,
};

mod action;
mod address;
mod computed;
mod defaults;
mod deferred;
mod dynamic;
mod echo;
mod ephemeral;
mod fragile;
mod functions;
mod journal;
mod keeper;
mod kinds;
mod moved;
mod number;
mod password;
mod person;
mod secret;
mod store;
mod text;
mod time;
mod typed;
mod upgrade;
mod user;

#[tokio::main]
async fn main() -> ExitCode {
    tfplugin_rs::serve(Corner::default(), "example.com/tfplugin/corner").await
}

#[derive(Default)]
struct Corner {
    waits: Configured<bool>,
}

#[async_trait]
impl Provider for Corner {
    fn schema(&self) -> Schema {
        Schema::new().attribute(
            Attribute::optional("name", Type::String)
                .describe("What everything waits for while it is unknown."),
        )
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![
            Arc::new(address::Address),
            Arc::new(computed::resource()),
            Arc::new(defaults::resource()),
            Arc::new(deferred::Deferred { provider: self.waits.clone() }),
            Arc::new(dynamic::resource()),
            Arc::new(echo::Echo),
            Arc::new(fragile::Fragile),
            Arc::new(kinds::resource()),
            Arc::new(moved::Moved),
            Arc::new(number::resource()),
            Arc::new(password::once()),
            Arc::new(password::versioned()),
            Arc::new(person::Person),
            Arc::new(secret::Leaky),
            Arc::new(secret::resource()),
            Arc::new(text::resource()),
            Arc::new(tfplugin_rs::Typed(typed::Typed { block: false })),
            Arc::new(tfplugin_rs::Typed(typed::Typed { block: true })),
            Arc::new(upgrade::Upgraded),
            Arc::new(user::resource()),
        ]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![
            Arc::new(deferred::Deferred { provider: self.waits.clone() }),
            Arc::new(kinds::Kinds),
            Arc::new(time::Time),
        ]
    }

    fn functions(&self) -> Vec<Arc<dyn Function>> {
        functions::all()
    }

    fn ephemeral_resources(&self) -> Vec<Arc<dyn EphemeralResource>> {
        vec![Arc::new(ephemeral::Kinds), Arc::new(ephemeral::Token)]
    }

    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        vec![Arc::new(person::Person)]
    }

    fn actions(&self) -> Vec<Arc<dyn Action>> {
        vec![Arc::new(action::Note)]
    }

    fn state_stores(&self) -> Vec<Arc<dyn StateStore>> {
        vec![Arc::new(store::Memory::default())]
    }

    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        self.waits.set(request.config.get("name").is_unknown());
        Diagnostics::new()
    }
}
