//! Writing, byte for byte as go-cty does.

use std::ops::Bound;

use rmp::encode;

use crate::{
    Number, Value,
    refinement::{Limit, Refinement},
};

type Written = std::io::Result<()>;

/// Writes a value that has the form of its type already.
pub(crate) fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value_into(&mut out, value).expect("memory takes everything");
    out
}

fn value_into(out: &mut Vec<u8>, value: &Value) -> Written {
    match value {
        Value::Null => encode::write_nil(out)?,
        Value::Unknown => out.extend([0xd4, 0, 0]),
        Value::Refined(refinement) => refinement_into(out, refinement)?,
        Value::Bool(truth) => encode::write_bool(out, *truth)?,
        Value::Number(number) => number_into(out, number)?,
        Value::String(text) => encode::write_str(out, text)?,
        Value::Dynamic(own, inner) => {
            encode::write_array_len(out, 2)?;
            encode::write_bin(out, own.to_json().to_string().as_bytes())?;
            value_into(out, inner)?;
        }
        Value::List(elements) => {
            encode::write_array_len(out, length(elements.len()))?;
            for element in elements {
                value_into(out, element)?;
            }
        }
        Value::Map(members) => {
            encode::write_map_len(out, length(members.len()))?;
            for (name, member) in members {
                encode::write_str(out, name)?;
                value_into(out, member)?;
            }
        }
    }
    Ok(())
}

/// Whole numbers as such where 64 bits hold them, other floats where no digit is lost, else decimal text.
fn number_into(out: &mut Vec<u8>, number: &Number) -> Written {
    if let Some(whole) = number.as_i64() {
        encode::write_sint(out, whole)?;
    } else if let Some(float) =
        number.as_exact_f64().filter(|float| float.fract() != 0.0 || float.is_infinite())
    {
        encode::write_f64(out, float)?;
    } else {
        encode::write_str(out, &number.to_string())?;
    }
    Ok(())
}

/// An extension that holds a map from small numbers to what they stand for.
fn refinement_into(out: &mut Vec<u8>, refinement: &Refinement) -> Written {
    let mut entries = Entries::default();
    if !refinement.may_be_null() {
        encode::write_bool(entries.entry(1), false)?;
    }
    match refinement.limit() {
        Limit::None => {}
        Limit::Prefix(beginning) => encode::write_str(entries.entry(2), beginning)?,
        Limit::Number(lower, upper) => {
            entries.bound(3, lower)?;
            entries.bound(4, upper)?;
        }
        Limit::Length(least, most) => {
            if *least > 0 {
                encode::write_uint(entries.entry(5), *least)?;
            }
            if let Some(most) = most {
                encode::write_uint(entries.entry(6), *most)?;
            }
        }
    }
    // A map of up to 15 entries has a head of one byte.
    encode::write_ext_meta(out, length(entries.bytes.len() + 1), 12)?;
    encode::write_map_len(out, entries.count)?;
    out.extend(entries.bytes);
    Ok(())
}

#[derive(Default)]
struct Entries {
    count: u32,
    bytes: Vec<u8>,
}

impl Entries {
    fn entry(&mut self, key: u8) -> &mut Vec<u8> {
        self.count += 1;
        self.bytes.push(key);
        &mut self.bytes
    }

    fn bound(&mut self, key: u8, bound: &Bound<Number>) -> Written {
        let (number, inclusive) = match bound {
            Bound::Included(number) => (number, true),
            Bound::Excluded(number) => (number, false),
            Bound::Unbounded => return Ok(()),
        };
        let out = self.entry(key);
        encode::write_array_len(out, 2)?;
        number_into(out, number)?;
        encode::write_bool(out, inclusive)?;
        Ok(())
    }
}

fn length(count: usize) -> u32 {
    u32::try_from(count).expect("messages are limited to 256 MiB")
}
