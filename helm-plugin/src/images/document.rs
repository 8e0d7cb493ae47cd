//! YAML in, YAML out, both by way of JSON values.
//!
//! In: what charts render may repeat keys, which Helm and Kubernetes take and strict parsers refuse.
//! Out: one JSON text that is also YAML, escaped where the two differ.

use std::{fmt, io};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// Reads every document of a YAML stream; empty ones are left out.
pub(crate) fn read_all(yaml: &str) -> Result<Vec<Value>, serde_yaml_ng::Error> {
    let mut documents = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(yaml) {
        let Lenient(value) = Lenient::deserialize(document)?;
        if !value.is_null() {
            documents.push(value);
        }
    }
    Ok(documents)
}

/// A YAML node as JSON: of a repeated key the last value counts, `<<` is merged, keys become text.
struct Lenient(Value);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor).map(Lenient)
    }
}

struct LenientVisitor;

impl<'de> Visitor<'de> for LenientVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Lenient(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        while let Some((Lenient(key), Lenient(value))) = entries.next_entry()? {
            match key {
                Value::String(key) if key == "<<" => merged.push(value),
                Value::String(key) => drop(map.insert(key, value)),
                key => drop(map.insert(key.to_string(), value)),
            }
        }
        for value in merged {
            merge(&mut map, value);
        }
        Ok(Value::Object(map))
    }
}

/// YAML's merge key: what the map says itself stays.
fn merge(map: &mut Map<String, Value>, value: Value) {
    match value {
        Value::Object(other) => {
            for (key, value) in other {
                map.entry(key).or_insert(value);
            }
        }
        Value::Array(others) => {
            for other in others {
                merge(map, other);
            }
        }
        _ => {}
    }
}

/// Writes one document that is JSON and YAML alike.
pub(crate) fn write(value: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, YamlSafe);
    value.serialize(&mut serializer).expect("a JSON value written to memory");
    text
}

/// JSON without the characters that YAML refuses or folds when they stand unescaped.
struct YamlSafe;

impl serde_json::ser::Formatter for YamlSafe {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((start, character)) = rest.char_indices().find(|(_, c)| needs_escape(*c)) {
            write!(writer, "{}\\u{:04x}", &rest[..start], u32::from(character))?;
            rest = &rest[start + character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Control characters, YAML 1.1's line breaks, the byte order mark and the last two of the first plane. All are
/// below U+10000, so that four digits do; JSON's surrogate pairs would be refused.
fn needs_escape(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(yaml: &str, expected: &Value) {
        let got = read_all(yaml).map(Value::Array);
        assert_eq!(got.as_ref().ok(), Some(expected), "{yaml}: {got:?}");
    }

    #[test]
    fn reads_what_charts_render() {
        check(
            "a: 1\n---\n# only a comment\n---\nb: [x, 2.5, true, null]\n",
            &json!([{"a": 1}, {"b": ["x", 2.5, true, null]}]),
        );
        check("a: 1\na: 2\n", &json!([{"a": 2}]));
        check(
            "x: &d {image: a, tag: b}\ny: {<<: *d, tag: c}\n",
            &json!([{"x": {"image": "a", "tag": "b"}, "y": {"image": "a", "tag": "c"}}]),
        );
        check("1: a\ntrue: b\n", &json!([{"1": "a", "true": "b"}]));
        check("a: |\r\n  x\r\n---\r\nb: '---'\r\n", &json!([{"a": "x\n"}, {"b": "---"}]));
        check("", &json!([]));
        assert!(read_all("a: [").is_err());
    }

    #[test]
    fn writes_json_that_is_yaml() {
        let check = |value: Value, expected: &str| {
            let text = String::from_utf8(write(&value)).unwrap();
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            assert_eq!(read_all(&text).unwrap(), [value]);
        };
        check(json!({"a": null, "b": [1, 1.5, -2], "é": "😀"}), r#"{"a":null,"b":[1,1.5,-2],"é":"😀"}"#);
        check(json!({"k": "a\u{85}b\u{2028}\u{7f}\u{feff}"}), r#"{"k":"a\u0085b\u2028\u007f\ufeff"}"#);
        check(json!({"k": "\u{1}\n\"\\/: # - &*!"}), r#"{"k":"\u0001\n\"\\/: # - &*!"}"#);
    }
}
