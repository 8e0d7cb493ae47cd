//! Finding things in what the CLIs print as JSON, and in the state file.

use serde_json::{Map, Value as Json};

/// A state: as `show -json` prints it, and as it lies in its file.
pub(crate) struct State {
    pub(crate) shown: Json,
    pub(crate) file: Json,
}

impl State {
    /// The value at `output.NAME…` or `ADDRESS.ATTRIBUTE…`.
    pub(crate) fn value(&self, path: &str) -> Option<&Json> {
        if let Some(path) = path.strip_prefix("output.") {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            return dig(&self.shown["values"]["outputs"][name]["value"], rest);
        }
        let (address, rest) = split(path)?;
        let resources = self.shown["values"]["root_module"]["resources"].as_array()?;
        dig(&resources.iter().find(|resource| resource["address"] == address)?["values"], rest)
    }

    /// The type of an output.
    pub(crate) fn output_type(&self, name: &str) -> &Json {
        &self.shown["values"]["outputs"][name]["type"]
    }

    /// The identity of a resource that is there once.
    pub(crate) fn identity(&self, address: &str) -> &Json {
        let (kind, name) = address.split_once('.').unwrap_or_default();
        let mut resources = self.file["resources"].as_array().into_iter().flatten();
        let found = resources.find(|resource| resource["type"] == kind && resource["name"] == name);
        found.map_or(&Json::Null, |resource| &resource["instances"][0]["identity"])
    }
}

/// A path into the values of a resource comes apart: `data.a.b.c.d` is `c.d` of `data.a.b`.
pub(crate) fn split(path: &str) -> Option<(&str, &str)> {
    let words = if path.starts_with("data.") { 3 } else { 2 };
    let (end, _) = path.match_indices('.').nth(words - 1)?;
    Some((&path[..end], &path[end + 1..]))
}

/// The part at a path of names and positions.
pub(crate) fn dig<'a>(value: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(value, |value, step| match value {
        Json::Array(elements) => elements.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// A planned value with `(unknown)` wherever `unknown`, its shadow, has `true`.
pub(crate) fn with_unknowns(value: &Json, unknown: &Json) -> Json {
    match (value, unknown) {
        (_, Json::Bool(true)) => "(unknown)".into(),
        (Json::Array(values), Json::Array(unknowns)) => {
            let both = values.iter().zip(unknowns);
            both.map(|(value, unknown)| with_unknowns(value, unknown)).collect()
        }
        (Json::Object(values), Json::Object(unknowns)) => {
            let mut merged = values.clone();
            for (name, unknown) in unknowns {
                let merging = with_unknowns(values.get(name).unwrap_or(&Json::Null), unknown);
                if merging != Json::Null {
                    merged.insert(name.clone(), merging);
                }
            }
            Json::Object(merged)
        }
        (Json::Null, Json::Object(unknowns)) => {
            with_unknowns(&Json::Object(Map::new()), &Json::Object(unknowns.clone()))
        }
        _ => value.clone(),
    }
}

/// An error or warning, and the file it is about; empty if it is about none.
pub(crate) struct Complaint {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) is_error: bool,
}

/// The documents that a command prints with `-json`.
fn documents(output: &str) -> impl Iterator<Item = Json> {
    serde_json::Deserializer::from_str(output).into_iter::<Json>().map_while(Result::ok)
}

/// The identities that a search found.
pub(crate) fn found(output: &str, address: &str) -> Json {
    let found = documents(output).map(|document| document["list_resource_found"].clone());
    found.filter(|found| found["address"] == address).map(|found| found["identity"].clone()).collect()
}

/// All complaints of a command that was run with `-json`.
pub(crate) fn complaints(output: &str) -> Vec<Complaint> {
    let mut found = Vec::new();
    for document in documents(output) {
        match document["diagnostics"].as_array() {
            Some(diagnostics) => found.extend(diagnostics.iter().map(complaint)),
            None if document["type"] == "diagnostic" => found.push(complaint(&document["diagnostic"])),
            None => {}
        }
    }
    found
}

fn complaint(diagnostic: &Json) -> Complaint {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    Complaint {
        file: text(&diagnostic["range"]["filename"]),
        text: format!("{}\n{}", text(&diagnostic["summary"]), text(&diagnostic["detail"])),
        is_error: diagnostic["severity"] == "error",
    }
}
