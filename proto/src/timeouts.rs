//! How long operations may take, as users of many providers know it: `timeouts { create = "30m" }`.

use std::time::Duration;

use crate::{Attribute, Block, GoDuration, NestedBlock, Schema, Shape, Type, Value, ValueError};

/// The operations of a resource that have a limit, and the limits where the user sets none.
///
/// ```
/// # use std::time::Duration;
/// # use tfplugin_rs::{Schema, Timed, Timeouts, Value};
/// let timeouts = Timeouts::block().limit(Timed::Create, Duration::from_secs(30 * 60));
/// let schema = timeouts.add_to(Schema::new());
/// let config = Value::object([("timeouts", Value::object([("create", Value::from("1h"))]))]);
/// assert_eq!(timeouts.of(&config, Timed::Create)?, Some(Duration::from_secs(60 * 60)));
/// assert_eq!(timeouts.of(&Value::Null, Timed::Create)?, Some(Duration::from_secs(30 * 60)));
/// # Ok::<_, tfplugin_rs::ValueError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    limits: Vec<(Timed, Duration)>,
    block: bool,
}

/// An operation that can have a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timed {
    /// `create`
    Create,
    /// `read`
    Read,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

const NAME: &str = "timeouts";

impl Timeouts {
    /// Written as a block: `timeouts { … }`. What users know from most providers.
    pub fn block() -> Self {
        Self { limits: Vec::new(), block: true }
    }

    /// Written as an attribute: `timeouts = { … }`.
    pub fn attribute() -> Self {
        Self { limits: Vec::new(), block: false }
    }

    /// Gives an operation a limit that the user can change.
    #[must_use]
    pub fn limit(mut self, operation: Timed, usual: Duration) -> Self {
        self.limits.push((operation, usual));
        self
    }

    /// Puts it into a schema.
    #[must_use]
    pub fn add_to(&self, schema: Schema) -> Schema {
        let description = "How long operations may take, such as `\"30m\"` or `\"1h30m\"`.";
        let limits = self.limits.iter().map(|(operation, usual)| operation.attribute(*usual));
        if self.block {
            let block = limits.fold(Block::new().describe(description), Block::attribute);
            schema.block(NestedBlock::single(NAME, block))
        } else {
            schema.attribute(Attribute::optional(NAME, Shape::single(limits)).describe(description))
        }
    }

    /// The limit of an operation under a configuration, or a state: what the user wrote, else the usual.
    /// `None` if the operation has none.
    ///
    /// # Errors
    /// If what the user wrote is no duration.
    pub fn of(&self, value: &Value, operation: Timed) -> Result<Option<Duration>, ValueError> {
        let usual = self.limits.iter().find_map(|(one, usual)| (*one == operation).then_some(*usual));
        let written = value.view().get(NAME).get(operation.name()).read::<Option<Duration>>()?;
        Ok(written.or(usual).filter(|_| usual.is_some()))
    }
}

impl Timed {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn attribute(self, usual: Duration) -> Attribute {
        let usual = GoDuration::from(usual);
        let description = format!("How long a {} may take; `\"{usual}\"` if not set.", self.name());
        Attribute::optional(self.name(), Type::String)
            .validate(GoDuration::validator())
            .describe(&description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        for timeouts in [Timeouts::block(), Timeouts::attribute()] {
            let schema = timeouts.limit(Timed::Delete, Duration::from_secs(90)).add_to(Schema::new());
            assert_eq!(schema.check(), []);
            let config = |text: &str| Value::object([(NAME, Value::object([("delete", Value::from(text))]))]);
            assert!(schema.validate(&config("1h")).is_empty());
            let faults: Vec<_> =
                schema.validate(&config("1")).into_iter().map(|fault| fault.detail).collect();
            let expected = "`timeouts.delete` must be a duration with units, such as \"30m\" or \"1h30m\".";
            assert_eq!(faults, [expected]);
            let described = schema.attribute_at(&crate::Path::from(NAME).attribute("delete")).unwrap();
            assert_eq!(described.description(), "How long a delete may take; `\"1m30s\"` if not set.");
        }
    }
}
