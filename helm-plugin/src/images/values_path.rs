//! A place in a chart's values, as Helm's `--set` writes it: `api.image`, `sidecars[0].image`, `a\.b.image`.

use std::{fmt, str::FromStr};

use serde_json::{Map, Value};

/// A place in values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValuesPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    Key(String),
    Index(usize),
}

/// What was typed is no path.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("values path `{0}` is not of the form `key.key[0].key`")]
pub(crate) struct ValuesPathError(String);

impl FromStr for ValuesPath {
    type Err = ValuesPathError;

    fn from_str(text: &str) -> Result<Self, ValuesPathError> {
        let error = || ValuesPathError(text.to_owned());
        let mut steps = Vec::new();
        for part in split_at_dots(text) {
            let (key, indices) = match part.split_once('[') {
                Some((key, indices)) => (key, Some(indices.strip_suffix(']').ok_or_else(error)?)),
                None => (part.as_str(), None),
            };
            if key.is_empty() {
                return Err(error());
            }
            steps.push(Step::Key(key.to_owned()));
            for index in indices.into_iter().flat_map(|indices| indices.split("][")) {
                steps.push(Step::Index(index.parse().map_err(|_| error())?));
            }
        }
        Ok(Self(steps))
    }
}

/// A dot after a backslash belongs to the key.
fn split_at_dots(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&'.') => {
                characters.next();
                parts.last_mut().expect("it starts with one part").push('.');
            }
            '.' => parts.push(String::new()),
            character => parts.last_mut().expect("it starts with one part").push(character),
        }
    }
    parts
}

impl fmt::Display for ValuesPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    let dot = if position == 0 { "" } else { "." };
                    write!(f, "{dot}{}", key.replace('.', "\\."))?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl ValuesPath {
    /// The whole of the values.
    pub(crate) fn root() -> Self {
        Self(Vec::new())
    }

    /// Whether it is the whole.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The place below this one, by key.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// The place below this one, by index.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// The place that is at `below` from this one.
    pub(crate) fn join(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// What stands there.
    pub(crate) fn get<'a>(&self, values: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(values, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }

    /// Sets what stands there in `config`, which overlays `values`. Helm overlays maps key by key and lists as a
    /// whole: a list on the way is copied from `values` where `config` does not have it.
    pub(crate) fn set(&self, config: &mut Value, values: &Value, new: Value) {
        let mut place = config;
        let mut below = Some(values);
        for step in &self.0 {
            match step {
                Step::Key(key) => {
                    if !place.is_object() {
                        *place = Value::Object(Map::new());
                    }
                    place = &mut place[key.as_str()];
                    below = below.and_then(|value| value.get(key));
                }
                Step::Index(index) => {
                    if !place.is_array() {
                        *place = below
                            .cloned()
                            .filter(Value::is_array)
                            .unwrap_or_else(|| Value::Array(Vec::new()));
                    }
                    let Value::Array(items) = place else { return };
                    if items.len() <= *index {
                        items.resize(index + 1, Value::Null);
                    }
                    place = &mut items[*index];
                    below = below.and_then(|value| value.get(index));
                }
            }
        }
        *place = new;
    }
}

/// The values that templates see: `config` over the chart's own. A null in `config` takes a key away.
pub(crate) fn overlay(chart: &Value, config: &Value) -> Value {
    let (Value::Object(chart), Value::Object(config)) = (chart, config) else { return config.clone() };
    let mut merged = chart.clone();
    for (key, value) in config {
        let below = merged.remove(key);
        match (below, value) {
            (_, Value::Null) => {}
            (Some(below), value) => drop(merged.insert(key.clone(), overlay(&below, value))),
            (None, value) => drop(merged.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parses_what_set_takes() {
        let check = |text: &str| assert_eq!(text.parse::<ValuesPath>().unwrap().to_string(), text);
        check("image");
        check("api.image");
        check("sidecars[0].image");
        check("grid[1][2]");
        check("a\\.b.image");
        let refuse = |text: &str| assert!(text.parse::<ValuesPath>().is_err(), "{text}");
        refuse("");
        refuse("a..b");
        refuse("[0]");
        refuse("a[x]");
        refuse("a[0");
        refuse("a.");
    }

    #[test]
    fn sets_over_the_charts_values() {
        let values = json!({"image": {"tag": "1"}, "list": [{"image": "a", "x": 1}, {"image": "b"}]});
        let check = |path: &str, config: Value, expected: Value| {
            let mut config = config;
            path.parse::<ValuesPath>().unwrap().set(&mut config, &values, json!("new"));
            assert_eq!(config, expected, "{path}");
        };
        check("image.tag", json!({}), json!({"image": {"tag": "new"}}));
        check("image.tag", json!({"image": {"pull": 1}}), json!({"image": {"pull": 1, "tag": "new"}}));
        check("image.tag", json!({"image": null}), json!({"image": {"tag": "new"}}));
        check("list[1].image", json!({}), json!({"list": [{"image": "a", "x": 1}, {"image": "new"}]}));
        check("list[0].image", json!({"list": [{}]}), json!({"list": [{"image": "new"}]}));
    }

    #[test]
    fn overlays_like_helm() {
        let check =
            |chart: Value, config: Value, expected: Value| assert_eq!(overlay(&chart, &config), expected);
        check(json!({"a": {"b": 1, "c": 2}}), json!({"a": {"c": 3}}), json!({"a": {"b": 1, "c": 3}}));
        check(json!({"a": {"b": 1}, "d": 1}), json!({"a": null}), json!({"d": 1}));
        check(json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]}));
        check(json!({}), json!({"n": {"x": 1}}), json!({"n": {"x": 1}}));
    }
}
