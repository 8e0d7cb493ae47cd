//! Rust types as Terraform sees them: what attribute a field makes, what schema a struct.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Attribute, Block, Field, FromValue, GoDuration, Mode, NestedBlock, Nesting, Number, Schema, Sensitive,
    Shape, Type, Validator, Value,
};

/// A struct that stands for an object: made by `#[derive(Object)]`.
pub trait Object: FromValue + Into<Value> + Shaped {
    /// Its attributes and blocks, described by its documentation.
    fn block() -> Block;
}

/// A type that can be a field of an [`Object`].
///
/// | field | attribute |
/// |---|---|
/// | `T` | required |
/// | `Option<T>` | optional |
/// | `Field<T>` | computed |
/// | `Sensitive<T>` in any of them | sensitive too |
///
/// `String`, `bool`, [`Number`], whole numbers and [`GoDuration`] are plain types, checked for what they
/// can hold when a configuration is validated; `Vec`, `BTreeSet`, and `BTreeMap` with text as key are lists,
/// sets and maps; structs are nested attributes; [`Value`] is of any type. Floats are none of these: 0.1 has
/// no float, and what is not returned as it was configured fails the apply. [`Number::to_f64`] is for
/// reading.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of an object",
    note = "structs need #[derive(Object)]; floats lose digits: use `Number`"
)]
pub trait Shaped {
    /// What it holds.
    fn shape() -> Shape;

    /// The attribute that a field of this type makes.
    fn attribute(name: &str) -> Attribute {
        Attribute::required(name, Self::shape())
    }
}

/// A type that can be a field with nested blocks: `#[object(block)]`.
#[diagnostic::on_unimplemented(message = "`{Self}` holds no blocks: those are structs, optional or repeated")]
pub trait Blocks {
    /// The block that a field of this type makes.
    fn block(name: &str) -> NestedBlock;
}

impl Schema {
    /// The schema a struct stands for.
    pub fn of<T: Object>() -> Self {
        Self::from(T::block())
    }
}

macro_rules! plain {
    ($($plain:ty: $kind:expr),*) => {$(
        impl Shaped for $plain {
            fn shape() -> Shape {
                $kind.into()
            }
        }
    )*};
}

plain!(String: Type::String, bool: Type::Bool, Number: Type::Number, Value: Type::Dynamic);

macro_rules! whole_number {
    ($($number:ty),*) => {$(
        impl Shaped for $number {
            fn shape() -> Shape {
                Type::Number.into()
            }

            fn attribute(name: &str) -> Attribute {
                let form = format!("a whole number from {} to {}", <$number>::MIN, <$number>::MAX);
                let fits = |value: &Value| value.view().read::<$number>().is_ok();
                Attribute::required(name, Self::shape()).validate(Validator::new(&form, fits))
            }
        }
    )*};
}

whole_number!(i8, i16, i32, i64, u8, u16, u32, u64);

impl Shaped for GoDuration {
    fn shape() -> Shape {
        Type::String.into()
    }

    fn attribute(name: &str) -> Attribute {
        Attribute::required(name, Self::shape()).validate(Self::validator())
    }
}

impl<T: Shaped> Shaped for Option<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn attribute(name: &str) -> Attribute {
        T::attribute(name).set_by(Mode::Optional)
    }
}

impl<T: Shaped> Shaped for Field<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn attribute(name: &str) -> Attribute {
        T::attribute(name).set_by(Mode::Computed)
    }
}

impl<T: Shaped> Shaped for Sensitive<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn attribute(name: &str) -> Attribute {
        T::attribute(name).sensitive()
    }
}

macro_rules! collection {
    ($($collection:ty: $nesting:expr),*) => {$(
        impl<T: Shaped> Shaped for $collection {
            fn shape() -> Shape {
                $nesting.around(T::shape())
            }

            fn attribute(name: &str) -> Attribute {
                T::attribute(name).collected($nesting)
            }
        }

        impl<T: Object> Blocks for $collection {
            fn block(name: &str) -> NestedBlock {
                NestedBlock::occurring(name, T::block(), $nesting)
            }
        }
    )*};
}

collection!(Vec<T>: Nesting::List, BTreeSet<T>: Nesting::Set, BTreeMap<String, T>: Nesting::Map);

impl<T: Object> Blocks for T {
    fn block(name: &str) -> NestedBlock {
        NestedBlock::single(name, T::block()).min_items(1)
    }
}

impl<T: Object> Blocks for Option<T> {
    fn block(name: &str) -> NestedBlock {
        NestedBlock::single(name, T::block())
    }
}
