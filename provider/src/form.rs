//! The forms that plain texts of arguments have, each told by the error of what has another.

use tfplugin_rs::{GoDuration, Validator};

/// Any text but none.
pub(crate) fn given() -> Validator {
    Validator::text("a text that is not empty", |text| !text.trim().is_empty())
}

/// The name of a variable: of a container's environment, or of a Dockerfile's `ARG`s.
pub(crate) fn variable() -> Validator {
    Validator::text("the name of a variable, without `=`", |name| {
        !name.is_empty() && !name.contains(['=', '\0'])
    })
}

/// A path in an image.
pub(crate) fn absolute() -> Validator {
    Validator::text("an absolute path, such as \"/srv\"", |path| path.starts_with('/'))
}

/// A user of an image, and a group.
pub(crate) fn user() -> Validator {
    Validator::text("a user, or user:group, by names or numbers", |text| {
        let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
        text.split(':').count() <= 2 && text.split(':').all(is_name)
    })
}

/// What STS calls a session.
pub(crate) fn session() -> Validator {
    let is_session = |text: &str| (2..=64).contains(&text.len()) && sts(text, "");
    Validator::text("2 to 64 of the characters a-z, A-Z, 0-9 and _+=,.@-", is_session)
}

/// What the owner of a role wants to hear.
pub(crate) fn external_id() -> Validator {
    let is_id = |text: &str| (2..=1224).contains(&text.len()) && sts(text, ":/");
    Validator::text("2 to 1224 of the characters a-z, A-Z, 0-9 and _+=,.@:/-", is_id)
}

fn sts(text: &str, more: &str) -> bool {
    text.chars().all(|one| one.is_ascii_alphanumeric() || "_+=,.@-".contains(one) || more.contains(one))
}

/// How long the session of a role may last.
pub(crate) fn session_time() -> Validator {
    Validator::new("a duration of 15m to 12h", |value| {
        let minutes = value.view().read::<GoDuration>().map(|time| time.get().as_secs() / 60);
        minutes.is_ok_and(|minutes| (15..=12 * 60).contains(&minutes))
    })
}

/// A policy of IAM.
pub(crate) fn policy() -> Validator {
    Validator::text("a policy in JSON", |text| {
        serde_json::from_str::<serde_json::Value>(text).is_ok_and(|policy| policy.is_object())
    })
}

/// A region of AWS.
pub(crate) fn region() -> Validator {
    Validator::text("the name of a region, such as \"eu-central-1\"", |text| {
        let is_part =
            |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        text.split('-').count() >= 3 && text.split('-').all(|part| !part.is_empty() && is_part(part))
    })
}

#[cfg(test)]
mod tests;
