//! A plan, as `show -json` gives it, with the parts that tests look at.

use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use super::{CliError, Run};

/// A saved plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The command that made it.
    pub run: Run,
    /// The file it is saved in, for [`Workspace::apply_plan`](super::Workspace::apply_plan).
    pub file: PathBuf,
    /// What it does to each resource, data sources that are read during apply included.
    pub changes: Vec<Change>,
    /// Resources found to be different from the state, under the same rules.
    pub drift: Vec<Change>,
    /// The whole document.
    pub json: Json,
}

/// What becomes of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its address, such as `text_file.greeting["a"]`.
    pub address: String,
    /// What is done.
    pub does: Does,
    /// Its attributes before; null if there is nothing.
    pub before: Json,
    /// Its attributes after; those not known yet are missing.
    pub after: Json,
    /// `true` in place of every attribute that is not known yet.
    pub after_unknown: Json,
    /// The attributes that force a replacement, as paths like `tags[0].name`.
    pub replaces: Vec<String>,
    /// Why it is done, in Terraform's words, such as `replace_because_cannot_update`; empty if it is plain.
    pub reason: String,
    /// Where it was before a move; empty if it did not move.
    pub moved_from: String,
    /// Whether it is taken over by this plan.
    pub imports: bool,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Does {
    /// Nothing.
    Nothing,
    /// Made.
    Create,
    /// Read during apply; data sources only.
    Read,
    /// Changed in place.
    Update,
    /// Destroyed and then made again.
    Replace,
    /// Made again and then destroyed.
    CreateThenDestroy,
    /// Destroyed.
    Destroy,
    /// Taken out of the state and left as it is.
    Forget,
    /// Something else, in a newer version.
    Other,
}

impl Does {
    fn read(actions: &Json) -> Self {
        let actions: Vec<_> = list(actions).iter().filter_map(Json::as_str).collect();
        match &actions[..] {
            ["no-op"] => Self::Nothing,
            ["create"] => Self::Create,
            ["read"] => Self::Read,
            ["update"] => Self::Update,
            ["delete", "create"] => Self::Replace,
            ["create", "delete"] => Self::CreateThenDestroy,
            ["delete"] => Self::Destroy,
            ["forget"] => Self::Forget,
            _ => Self::Other,
        }
    }
}

impl Plan {
    pub(super) fn read(run: Run, file: PathBuf, shown: &Run) -> Result<Self, CliError> {
        let json = shown.json()?;
        let changes = |name: &str| list(&json[name]).iter().map(Change::read).collect();
        Ok(Self { changes: changes("resource_changes"), drift: changes("resource_drift"), run, file, json })
    }

    /// What becomes of the resource at an address.
    pub fn change(&self, address: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.address == address)
    }

    /// Whether nothing is done: no resource changes, is imported or moves, and no output changes.
    pub fn is_empty(&self) -> bool {
        let outputs = self.json["output_changes"].as_object();
        let outputs = outputs.into_iter().flat_map(Map::values);
        self.changes.iter().all(Change::is_nothing)
            && outputs.map(|output| Does::read(&output["actions"])).all(|does| does == Does::Nothing)
    }
}

impl Change {
    fn read(json: &Json) -> Self {
        let change = &json["change"];
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        Self {
            address: text(&json["address"]),
            does: Does::read(&change["actions"]),
            before: change["before"].clone(),
            after: change["after"].clone(),
            after_unknown: change["after_unknown"].clone(),
            replaces: list(&change["replace_paths"]).iter().map(|path| show(list(path))).collect(),
            reason: text(&json["action_reason"]),
            moved_from: text(&json["previous_address"]),
            imports: !change["importing"].is_null(),
        }
    }

    fn is_nothing(&self) -> bool {
        self.does == Does::Nothing && self.moved_from.is_empty() && !self.imports
    }

    /// Whether an attribute at the top, or a part of it, is not known yet.
    pub fn is_unknown(&self, attribute: &str) -> bool {
        fn any(json: &Json) -> bool {
            match json {
                Json::Bool(unknown) => *unknown,
                Json::Array(parts) => parts.iter().any(any),
                Json::Object(parts) => parts.values().any(any),
                _ => false,
            }
        }
        any(&self.after_unknown[attribute])
    }
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn show(path: &[Json]) -> String {
    path.iter().fold(String::new(), |path, step| match step {
        Json::String(name) if path.is_empty() => name.clone(),
        Json::String(name) => format!("{path}.{name}"),
        index => format!("{path}[{index}]"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(json: &Json) -> Plan {
        let shown = Run { stdout: json.to_string(), ..Run::default() };
        Plan::read(Run::default(), PathBuf::new(), &shown).unwrap()
    }

    #[test]
    fn reads_changes() {
        let plan = plan(&json!({ "resource_changes": [{
            "address": "text_file.one",
            "previous_address": "text_file.old",
            "action_reason": "replace_because_cannot_update",
            "change": {
                "actions": ["delete", "create"],
                "before": { "path": "a" },
                "after": { "path": "b" },
                "after_unknown": { "id": true, "path": false, "tags": [{ "x": false }, { "x": true }] },
                "replace_paths": [["path"], ["tags", 0, "x"]],
                "importing": { "id": "a" },
            },
        }] }));
        let change = plan.change("text_file.one").unwrap();
        assert_eq!(
            (change.does, &*change.moved_from, change.imports),
            (Does::Replace, "text_file.old", true)
        );
        assert_eq!(
            (&*change.reason, &change.replaces[..]),
            ("replace_because_cannot_update", &["path".to_owned(), "tags[0].x".to_owned()][..])
        );
        assert_eq!(
            ["id", "path", "tags", "none"].map(|name| change.is_unknown(name)),
            [true, false, true, false]
        );
        assert!(plan.change("text_file.other").is_none() && !plan.is_empty());
    }

    #[test]
    fn is_empty_without_changes_moves_imports_and_outputs() {
        let resource = |change: Json| json!({ "resource_changes": [change] });
        for (document, empty) in [
            (json!({}), true),
            (resource(json!({ "change": { "actions": ["no-op"] } })), true),
            (resource(json!({ "change": { "actions": ["update"] } })), false),
            (resource(json!({ "change": { "actions": ["no-op"], "importing": {} } })), false),
            (resource(json!({ "change": { "actions": ["no-op"] }, "previous_address": "a.b" })), false),
            (json!({ "output_changes": { "x": { "actions": ["no-op"] } } }), true),
            (json!({ "output_changes": { "x": { "actions": ["create"] } } }), false),
        ] {
            assert_eq!(plan(&document).is_empty(), empty, "{document}");
        }
    }
}
