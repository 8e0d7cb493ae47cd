//! A resource written as structs: whatever a field can be, in each of its forms, and a limit of time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tfplugin_rs::{
    Call, Diagnostic, Diagnostics, Failed, Field, Number, Object, Timed, Timeouts, TypedResource, Value,
    async_trait,
};

/// `corner_typed`, or `corner_timed` whose timeouts are a block.
pub(crate) struct Typed {
    pub(crate) block: bool,
}

/// Everything, once.
#[derive(Clone, Object)]
pub(crate) struct Model {
    /// Anything.
    any: Option<Value>,
    /// How long it takes.
    milliseconds: Option<u32>,
    /// A number of any size.
    number: Option<Number>,
    /// Text by name.
    texts: Option<BTreeMap<String, String>>,
    /// One of them.
    one: Option<Part>,
    /// Some of them.
    some: Option<Vec<Part>>,
    /// Different ones.
    set: Option<BTreeSet<String>>,
    /// Some more of them.
    #[object(block)]
    part: Vec<Part>,
    /// The limit of the last change, in seconds.
    limit: Field<u64>,
    /// How many parts there are, computed as well.
    #[object(depends_on(["one", "some", "part"]))]
    count_of: Field<Counted>,
}

/// A part.
#[derive(Clone, Object)]
pub(crate) struct Part {
    /// Its name.
    name: String,
    /// What it is for.
    #[object(default = "nothing")]
    purpose: String,
    /// Its name backwards.
    #[object(depends_on(["name"]))]
    reversed: Field<String>,
}

/// Parts, counted.
#[derive(Clone, Object)]
pub(crate) struct Counted {
    /// All of them.
    parts: u64,
}

impl Model {
    fn parts(&mut self) -> impl Iterator<Item = &mut Part> {
        self.one.iter_mut().chain(self.some.iter_mut().flatten()).chain(&mut self.part)
    }

    /// Fills in what is computed, in the time that there is.
    async fn made(mut self, call: &Call) -> Result<Self, Failed<Self>> {
        let limit = call.timeout.unwrap_or_default();
        let work = tokio::time::sleep(Duration::from_millis(self.milliseconds.unwrap_or(0).into()));
        if tokio::time::timeout(limit, work).await.is_err() {
            return Err(Diagnostic::error("It takes too long", format!("The limit is {limit:?}.")).into());
        }
        for part in self.parts() {
            part.reversed = part.name.chars().rev().collect::<String>().into();
        }
        let parts = u64::try_from(self.parts().count()).unwrap_or(u64::MAX);
        self.count_of = Counted { parts }.into();
        self.limit = limit.as_secs().into();
        Ok(self)
    }
}

#[async_trait]
impl TypedResource for Typed {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        if self.block { "corner_timed" } else { "corner_typed" }
    }

    fn timeouts(&self) -> Option<Timeouts> {
        let timeouts = if self.block { Timeouts::block() } else { Timeouts::attribute() };
        let hour = Duration::from_hours(1);
        Some(timeouts.limit(Timed::Create, hour).limit(Timed::Update, 2 * hour))
    }

    async fn create(&self, model: Model, call: &mut Call) -> Result<Model, Failed<Model>> {
        model.made(call).await
    }

    async fn read(&self, model: Model, _: &mut Call) -> Result<Option<Model>, Diagnostics> {
        Ok(Some(model))
    }

    async fn update(&self, _: Model, model: Model, call: &mut Call) -> Result<Model, Failed<Model>> {
        model.made(call).await
    }

    async fn delete(&self, _: Model, _: &mut Call) -> Result<(), Diagnostics> {
        Ok(())
    }
}
