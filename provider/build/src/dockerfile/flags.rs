//! The flags of an instruction, checked against those it has.

use super::{
    error::{DockerfileError, Problem},
    lines::Logical,
    near::nearest,
    split::Split,
};

/// What a flag may be given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Switch,
    Text,
    /// Any number of times.
    Texts,
}

/// Every flag of every instruction.
pub(crate) const FLAGS: [(&str, &[(&str, Kind)]); 6] = {
    use Kind::{Switch, Text, Texts};
    [
        (
            "ADD",
            &[
                ("chown", Text),
                ("chmod", Text),
                ("link", Switch),
                ("keep-git-dir", Switch),
                ("checksum", Text),
                ("unpack", Switch),
                ("exclude", Texts),
            ],
        ),
        (
            "COPY",
            &[
                ("chown", Text),
                ("from", Text),
                ("chmod", Text),
                ("link", Switch),
                ("exclude", Texts),
                ("parents", Switch),
            ],
        ),
        ("FROM", &[("platform", Text)]),
        (
            "HEALTHCHECK",
            &[
                ("interval", Text),
                ("timeout", Text),
                ("start-period", Text),
                ("start-interval", Text),
                ("retries", Text),
            ],
        ),
        ("RUN", &[("mount", Texts), ("network", Text), ("security", Text), ("device", Texts)]),
        ("", &[]),
    ]
};

/// The flags that were given: name, value and place.
pub(super) struct Given<'a>(Vec<(&'a str, Option<&'a str>, usize)>);

impl<'a> Given<'a> {
    pub(super) fn read(
        instruction: &'static str,
        split: &'a Split,
        logical: &Logical,
    ) -> Result<Self, DockerfileError> {
        let known = FLAGS.iter().find(|(name, _)| *name == instruction).map_or(&[][..], |(_, flags)| flags);
        let mut given: Vec<(&str, Option<&str>, usize)> = Vec::new();
        for (offset, flag) in &split.flags {
            let flag = &flag[2..];
            let (name, value) =
                flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            let error = |problem| Err(logical.error(*offset, problem));
            let wrong = |what| Err(logical.error(*offset, Problem::Flag { flag: name.to_owned(), what }));
            let Some((_, kind)) = known.iter().find(|(known, _)| *known == name) else {
                let near = nearest(name, known.iter().map(|(name, _)| *name));
                return error(Problem::UnknownFlag { instruction, flag: name.to_owned(), near });
            };
            if *kind != Kind::Texts && given.iter().any(|(other, ..)| *other == name) {
                return wrong("is given twice");
            }
            match (kind, value) {
                (Kind::Text | Kind::Texts, None) | (Kind::Switch, Some("")) => return wrong("has no value"),
                (Kind::Switch, Some(value)) if switch(value).is_none() => {
                    return wrong("is neither true nor false");
                }
                _ => given.push((name, value, *offset)),
            }
        }
        Ok(Self(given))
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(given, ..)| *given == name)?.1
    }

    /// Owned, and absent where it is empty.
    pub(super) fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let given = self.0.iter().filter(|(given, ..)| *given == name);
        given.filter_map(|(_, value, _)| value.map(str::to_owned)).collect()
    }

    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        let (_, value, _) = self.0.iter().find(|(given, ..)| *given == name)?;
        value.map_or(Some(true), switch)
    }

    /// Where the flag is written.
    pub(super) fn offset(&self, name: &str) -> usize {
        self.0.iter().find(|(given, ..)| *given == name).map_or(0, |(_, _, offset)| *offset)
    }
}

fn switch(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
