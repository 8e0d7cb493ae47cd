//! Sets whose elements can be written in several ways: the service answers in its own, which must not
//! show as a change.

use std::{collections::BTreeSet, net::Ipv6Addr};

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Block, Diagnostic, Diagnostics, NestedBlock, PlanRequest,
    PlanResponse, Private, ReadRequest, ReadResponse, Resource, Schema, Shape, Type, Value, async_trait,
};

/// `corner_address`. Its service lives in the private data, and knows the short form of addresses alone.
pub(crate) struct Address;

/// The attributes, and whether their elements are objects.
const SETS: [(&str, bool); 3] = [("set", false), ("set_block", true), ("set_nested", true)];

#[async_trait]
impl Resource for Address {
    fn type_name(&self) -> &'static str {
        "corner_address"
    }

    fn schema(&self) -> Schema {
        let address = || Attribute::required("ipv6", Type::String);
        Schema::new()
            .attribute(Attribute::optional("set", Type::set(Type::String)))
            .attribute(Attribute::optional("set_nested", Shape::set([address()])))
            .block(NestedBlock::set("set_block", Block::new().attribute(address())))
    }

    /// What is remembered stays where it means what the service tells.
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let mut state = request.state.clone();
        for (name, nested) in SETS {
            let told: BTreeSet<String> = request.private.get(name).map_err(forgotten)?.unwrap_or_default();
            if told != short(state.get(name)) {
                let element =
                    |text: String| if nested { Value::object([("ipv6", text.into())]) } else { text.into() };
                state.set(name, Value::list(told.into_iter().map(element)));
            }
        }
        Ok(ReadResponse { state, ..request.unchanged() })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        Ok(PlanResponse { planned: request.proposed, ..PlanResponse::default() })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let mut private = Private::default();
        for (name, _) in SETS {
            private.set(name, &short(request.planned.get(name))).map_err(forgotten)?;
        }
        Ok(ApplyResponse { state: request.planned, private, ..ApplyResponse::default() })
    }
}

/// All addresses in a value, as the service writes them.
fn short(value: &Value) -> BTreeSet<String> {
    let mut addresses = BTreeSet::new();
    value.walk(&mut |_, part| {
        if let Some(text) = part.as_str() {
            addresses.insert(
                text.parse().map_or_else(|_| text.to_owned(), |address: Ipv6Addr| address.to_string()),
            );
        }
    });
    addresses
}

fn forgotten(error: impl std::error::Error) -> Diagnostic {
    Diagnostic::error("The service lost its memory", error.to_string())
}
