//! What a provider writes to its standard error.

use serde_json::{Map, Value as Json};

/// One line of a provider's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// As it was written, without the end of line.
    pub text: String,
    /// Its fields if it is in the form of hclog, `@level` and `@message` included; else empty.
    pub fields: Map<String, Json>,
}

impl LogLine {
    pub(super) fn read(text: &str) -> Self {
        let fields = serde_json::from_str(text).unwrap_or_default();
        Self { text: text.to_owned(), fields }
    }

    /// A field's text; empty if there is none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Json::as_str).unwrap_or_default()
    }

    /// Whether Terraform would take it for a log line and not for stray text: level, message and a time
    /// with exactly six digits of its second's fraction.
    pub fn is_hclog(&self) -> bool {
        let levels = ["trace", "debug", "info", "warn", "error"];
        let fraction = self.field("@timestamp").split('.').nth(1).unwrap_or_default();
        let digits = fraction.chars().take_while(char::is_ascii_digit).count();
        levels.contains(&self.field("@level")) && self.fields.contains_key("@message") && digits == 6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_log_lines_from_stray_text() {
        for (text, message, is_hclog) in [
            (r#"{"@level":"warn","@message":"hm","@timestamp":"2026-01-02T03:04:05.123456Z"}"#, "hm", true),
            (r#"{"@level":"warn","@message":"hm","@timestamp":"2026-01-02T03:04:05.123Z"}"#, "hm", false),
            (r#"{"@level":"loud","@message":"hm"}"#, "hm", false),
            ("panic: at the disco", "", false),
            ("[1]", "", false),
        ] {
            let line = LogLine::read(text);
            assert_eq!((line.field("@message"), line.is_hclog()), (message, is_hclog), "{text}");
        }
    }
}
