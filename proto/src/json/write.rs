//! Writing, character by character as go-cty does.

use std::fmt::Write as _;

use crate::{Step, Value, view::ValueError};

const MEMORY: &str = "memory takes everything";

type Written = Result<(), ValueError>;

/// Writes a value that has the form of its type already.
pub(super) fn value_into(out: &mut String, value: &Value) -> Written {
    match value {
        Value::Null => out.push_str("null"),
        Value::Unknown | Value::Refined(_) => return Err(value.view().is_not("known")),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) if number.is_finite() => out.push_str(&number.to_string()),
        Value::Number(_) => return Err(value.view().is_not("a finite number")),
        Value::String(text) => text_into(out, text),
        Value::List(elements) => {
            listed(out, ['[', ']'], elements.iter().enumerate(), |out, (index, element)| {
                value_into(out, element).map_err(|error| error.below(Step::Index(index)))
            })?;
        }
        Value::Map(members) => {
            listed(out, ['{', '}'], members, |out, (name, member)| {
                text_into(out, name);
                out.push(':');
                value_into(out, member).map_err(|error| error.below(Step::Attribute(name.clone())))
            })?;
        }
        Value::Dynamic(own, inner) => {
            out.push_str("{\"value\":");
            value_into(out, inner)?;
            write!(out, ",\"type\":{}}}", own.to_json()).expect(MEMORY);
        }
    }
    Ok(())
}

fn listed<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut String, T) -> Written,
) -> Written {
    out.push(open);
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(out, item)?;
    }
    out.push(close);
    Ok(())
}

/// Go escapes what HTML and JavaScript could trip over, too.
fn text_into(out: &mut String, text: &str) {
    for character in serde_json::Value::from(text).to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(out, "\\u{:04x}", u32::from(character)).expect(MEMORY);
            }
            plain => out.push(plain),
        }
    }
}
