//! Changes as text for people, and as JSON for programs.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::{Basis, Changes, Field, ObjectChange, Shown, What};
use crate::text;

/// Unchanged lines that are shown around changed ones.
const AROUND: usize = 2;

impl Changes {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        if !self.images.is_empty() {
            out.push_str("images:\n");
        }
        for change in &self.images {
            let shown =
                |image: &Option<String>| image.as_deref().map_or_else(|| "nothing".to_owned(), text::line);
            let (before, after) = (shown(&change.before), shown(&change.after));
            let _ = writeln!(out, "  {}\n    - {before}\n    + {after}", text::line(&change.place));
        }
        self.objects.iter().for_each(|change| object(&mut out, change));
        if !self.drift.is_empty() {
            out.push_str("changed in the cluster since the last revision (helm puts it back):\n");
        }
        self.drift.iter().for_each(|change| object(&mut out, change));
        for hook in &self.hooks {
            let _ = writeln!(out, "runs {hook}");
        }
        for (name, conflict) in &self.conflicts {
            let _ = writeln!(out, "conflict: {name}: {}", text::line(&conflict.to_string()));
        }
        out.push_str(&self.summary());
        out
    }

    fn summary(&self) -> String {
        let count =
            |wanted: fn(&What) -> bool| self.objects.iter().filter(|change| wanted(&change.what)).count();
        let (created, changed, removed) = (
            count(|what| matches!(what, What::Created(_))),
            count(|what| matches!(what, What::Changed(_))),
            count(|what| *what == What::Removed),
        );
        let basis = match self.basis {
            Basis::Cluster => "compared with the cluster".to_owned(),
            Basis::Manifests(why) => format!("compared with the last revision's manifests: {why}"),
        };
        if self.is_empty() {
            return format!("no changes ({basis})\n");
        }
        format!("{created} to create, {changed} to change, {removed} to remove ({basis})\n")
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let conflicts = self.conflicts.iter().map(|(name, conflict)| {
            json!({"object": name.to_string(), "manager": conflict.manager, "field": conflict.field})
        });
        let (basis, why) = match self.basis {
            Basis::Cluster => ("cluster", None),
            Basis::Manifests(why) => ("manifests", Some(why)),
        };
        json!({
            "changes": !self.is_empty(), "basis": basis, "reason": why,
            "images": self.images,
            "objects": self.objects.iter().map(ObjectChange::json).collect::<Value>(),
            "drift": self.drift.iter().map(ObjectChange::json).collect::<Value>(),
            "hooks": self.hooks.iter().map(ToString::to_string).collect::<Value>(),
            "conflicts": conflicts.collect::<Value>(),
        })
    }
}

fn object(out: &mut String, ObjectChange { name, what }: &ObjectChange) {
    let name = text::line(&name.to_string());
    let _ = match what {
        What::Created(_) => writeln!(out, "+ {name}"),
        What::Changed(_) => writeln!(out, "~ {name}"),
        What::Removed => writeln!(out, "- {name}"),
        What::Kept => writeln!(out, "  {name} leaves the release and stays in the cluster"),
        What::Missing => writeln!(out, "+ {name}, which was removed"),
    };
    match what {
        What::Created(content) => {
            let yaml = serde_yaml_ng::to_string(&plain(content)).unwrap_or_default();
            for line in yaml.lines() {
                let _ = writeln!(out, "    {}", text::visible(line));
            }
        }
        What::Changed(fields) => fields.iter().for_each(|field| self::field(out, field)),
        What::Removed | What::Kept | What::Missing => {}
    }
}

/// Numbers of any precision are a map to YAML.
fn plain(value: &Value) -> serde_yaml_ng::Value {
    serde_yaml_ng::from_str(&value.to_string()).unwrap_or_default()
}

fn field(out: &mut String, field: &Field) {
    let lines = |shown: &Shown| match shown {
        Shown::Value(Value::String(text)) if text.contains('\n') => Some(text.clone()),
        _ => None,
    };
    let (Some(before), Some(after)) = (lines(&field.before), lines(&field.after)) else {
        let _ = writeln!(out, "    {}", text::line(&field.to_string()));
        return;
    };
    let _ = writeln!(out, "    {}:", text::line(&field.path));
    for group in TextDiff::from_lines(&before, &after).grouped_ops(AROUND) {
        let diff = TextDiff::from_lines(&before, &after);
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation).collect::<Vec<_>>()) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let _ = writeln!(out, "      {sign} {}", text::visible(change.value().trim_end()));
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, before, after } = self;
        let value = |shown: &Shown| match shown {
            Shown::Nothing => "nothing".to_owned(),
            Shown::Hidden => "(hidden)".to_owned(),
            Shown::Value(value) => value.to_string(),
        };
        match (before, after) {
            (Shown::Hidden, Shown::Hidden) => write!(f, "{path}: changed (hidden)"),
            (Shown::Nothing, Shown::Hidden) => write!(f, "{path}: added (hidden)"),
            (Shown::Hidden, Shown::Nothing) => write!(f, "{path}: removed (hidden)"),
            (before, after) => write!(f, "{path}: {} → {}", value(before), value(after)),
        }
    }
}

impl ObjectChange {
    fn json(&self) -> Value {
        let Self { name, what } = self;
        let shown = |shown: &Shown| match shown {
            Shown::Nothing | Shown::Hidden => Value::Null,
            Shown::Value(value) => value.clone(),
        };
        let field = |field: &Field| {
            let hidden = [&field.before, &field.after].contains(&&Shown::Hidden);
            json!({"path": field.path, "before": shown(&field.before), "after": shown(&field.after), "hidden": hidden})
        };
        let (action, fields) = match what {
            What::Created(_) | What::Missing => ("create", Vec::new()),
            What::Changed(fields) => ("change", fields.iter().map(field).collect()),
            What::Removed => ("remove", Vec::new()),
            What::Kept => ("keep", Vec::new()),
        };
        json!({"kind": name.kind, "name": name.name, "namespace": name.namespace, "action": action, "fields": fields})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        changes::{ImageChange, Name, compare},
        kube::Conflict,
    };

    fn changes() -> Changes {
        let object = |data: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"f": data, "g": "\u{1b}[2J"}});
        let name = |name: &str| {
            Name::of(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}), "shop")
        };
        let fields = compare::fields(&object("1\n2\n3\n4\n5\n"), &object("1\n2\n3\n4\n6\n"));
        Changes {
            basis: Basis::Cluster,
            objects: vec![
                ObjectChange { name: name("a"), what: What::Changed(fields) },
                ObjectChange { name: name("b"), what: What::Created(object("x")) },
                ObjectChange { name: name("c"), what: What::Removed },
            ],
            drift: vec![ObjectChange { name: name("d"), what: What::Missing }],
            conflicts: vec![(
                name("a"),
                Conflict { manager: "kubectl-set".to_owned(), field: "data.f".to_owned() },
            )],
            images: vec![ImageChange {
                place: "Pod/p x".to_owned(),
                before: Some("i:1".to_owned()),
                after: None,
            }],
            hooks: Vec::new(),
        }
    }

    #[test]
    fn text_for_people() {
        let expected = "images:\n  Pod/p x\n    - i:1\n    + nothing\n~ ConfigMap/a\n    data.f:\n        3\n        4\n      - 5\n      + 6\n\
                        + ConfigMap/b\n    apiVersion: v1\n    data:\n      f: x\n      g: \"\\e[2J\"\n    kind: ConfigMap\n    metadata:\n      name: a\n\
                        - ConfigMap/c\nchanged in the cluster since the last revision (helm puts it back):\n+ ConfigMap/d, which was removed\n\
                        conflict: ConfigMap/a: data.f (by kubectl-set)\n1 to create, 1 to change, 1 to remove (compared with the cluster)\n";
        assert_eq!(changes().text(), expected);
        let none = Changes { objects: vec![], drift: vec![], images: vec![], conflicts: vec![], ..changes() };
        assert_eq!(none.text(), "no changes (compared with the cluster)\n");
    }

    #[test]
    fn json_for_programs() {
        let json = changes().json();
        assert_eq!((&json["changes"], &json["basis"]), (&json!(true), &json!("cluster")));
        assert_eq!(
            json["objects"][1],
            json!({"kind": "ConfigMap", "name": "b", "namespace": null, "action": "create", "fields": []})
        );
        assert_eq!(
            json["conflicts"][0],
            json!({"object": "ConfigMap/a", "manager": "kubectl-set", "field": "data.f"})
        );
    }
}
