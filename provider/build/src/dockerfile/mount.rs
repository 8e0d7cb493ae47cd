//! `RUN --mount`, as far as it decides what a step reads.

use super::error::{ExpansionError, Problem};

/// Where a mount's content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// A stage or an image; the context when absent.
    pub(super) from: Option<String>,
    pub(super) source: String,
    pub(super) kind: String,
}

/// What can be said before variables have values.
pub(super) fn check(text: &str) -> Result<(), Problem> {
    for field in fields(text)? {
        let Some((name, value)) = field.split_once('=') else { continue };
        let has_variable = value.find('$').is_some_and(|at| at + 1 < value.len());
        if name.to_lowercase() == "from" && has_variable {
            let what = "name of a stage: variables do not count here";
            return Err(Problem::Value { value: value.to_owned(), what });
        }
    }
    Ok(())
}

/// What can be said of a `--device`.
pub(super) fn check_device(text: &str) -> Result<(), Problem> {
    let wrong = |what| Problem::Flag { flag: "device".to_owned(), what };
    let mut named = false;
    for field in fields(text)? {
        let (name, value) =
            field.split_once('=').map_or((field.as_str(), None), |(name, value)| (name, Some(value)));
        match (name.to_lowercase().as_str(), value) {
            ("required", None) => {}
            ("required", Some(value)) if is_bool(value) => {}
            ("required", Some(_)) => return Err(wrong("is neither required nor not")),
            ("name", Some(_)) if named => return Err(wrong("has two names")),
            ("name", Some(value)) => named = !value.is_empty(),
            _ if named => return Err(wrong("has an unknown field")),
            _ => named = !field.is_empty(),
        }
    }
    Ok(())
}

/// Go's words for true and false.
fn is_bool(text: &str) -> bool {
    ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"].contains(&text)
}

/// Reads a mount. `expand` gives variables their values.
pub(super) fn read(
    text: &str,
    expand: impl Fn(&str) -> Result<String, ExpansionError>,
) -> Result<Mount, Problem> {
    let mut mount = Mount { from: None, source: String::new(), kind: "bind".to_owned() };
    for field in fields(text)? {
        let Some((name, value)) = field.split_once('=') else { continue };
        match name.to_lowercase().as_str() {
            "type" => mount.kind = expand(value)?.to_lowercase(),
            "from" => mount.from = Some(value.to_owned()).filter(|from| !from.is_empty()),
            "source" | "src" => mount.source = expand(value)?,
            _ => {}
        }
    }
    Ok(mount)
}

/// The fields of a line of comma-separated values.
fn fields(text: &str) -> Result<Vec<String>, Problem> {
    let wrong = |what| Problem::Value { value: text.to_owned(), what };
    if text.is_empty() {
        return Err(wrong("list of fields"));
    }
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_field(quoted).ok_or_else(|| wrong("list of fields: a quote is not closed"))?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        };
        if !rest.starts_with('"') && field.contains('"') {
            return Err(wrong("list of fields: a quote is within a field"));
        }
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err(wrong("list of fields: a quote is within a field")),
        }
    }
}

fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let fields = fields(text).ok();
            assert_eq!(
                fields
                    .as_ref()
                    .map(|fields| fields.iter().map(String::as_str).collect::<Vec<_>>())
                    .as_deref(),
                expected,
                "{text}"
            );
        };
        check("type=bind,target=/x", Some(&["type=bind", "target=/x"]));
        check("\"source=a,b\",\"\"\"\"", Some(&["source=a,b", "\""]));
        check("a,", Some(&["a", ""]));
        for text in ["", "a\"b", "\"a", "\"a\"b"] {
            check(text, None);
        }
    }
}
