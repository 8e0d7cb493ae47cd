//! The configuration that would have led to a state.

use super::{Mode, Schema};
use crate::{Path, Value};

impl Schema {
    /// What of a state the user could have written: neither results nor write-only arguments, nor what is
    /// deprecated, nor blocks that the provider fills.
    pub fn configurable(&self, state: Value) -> Value {
        state.map(&mut |path, value| if self.is_configurable(path) { value } else { Value::Null })
    }

    fn is_configurable(&self, path: &Path) -> bool {
        match (self.block_at(path), self.attribute_at(path)) {
            (Some(block), _) => !block.is_computed() && block.block.notes.deprecated.is_none(),
            (None, Some(attribute)) => {
                let ours = attribute.mode == Mode::Computed || attribute.write_only;
                !ours && attribute.notes.deprecated.is_none()
            }
            (None, None) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Attribute, Block, NestedBlock, Schema, Shape, Type, Value};

    #[test]
    fn what_the_user_can_write_is_kept() {
        let text = |name: &str| Attribute::optional(name, Type::String);
        let computed = || Attribute::computed("c", Type::String);
        let schema = Schema::new()
            .attribute(Attribute::required("r", Type::map(Type::String)))
            .attribute(Attribute::optional_computed("oc", Type::String))
            .attribute(computed())
            .attribute(text("d").deprecated("use r"))
            .attribute(Attribute::optional("n", Shape::list([text("o"), computed()])))
            .block(NestedBlock::list("b", Block::new().attribute(text("o")).attribute(computed())))
            .block(NestedBlock::list("f", Block::new().attribute(computed())).computed());
        let part = || Value::object([("o", "x".into()), ("c", "x".into())]);
        let kept = Value::object([("o", "x".into()), ("c", Value::Null)]);
        let state = Value::object([
            ("r", Value::object([("c", "x".into())])),
            ("oc", "x".into()),
            ("c", "x".into()),
            ("d", "x".into()),
            ("n", Value::list([part()])),
            ("b", Value::list([part()])),
            ("f", Value::list([Value::object([("c", "x".into())])])),
        ]);
        let expected = Value::object([
            ("r", Value::object([("c", "x".into())])),
            ("oc", "x".into()),
            ("c", Value::Null),
            ("d", Value::Null),
            ("n", Value::list([kept.clone()])),
            ("b", Value::list([kept])),
            ("f", Value::Null),
        ]);
        assert_eq!(schema.configurable(state), expected);
    }
}
