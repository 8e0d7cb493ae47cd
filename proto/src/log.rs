//! Logs in the shape of go-hclog, which Terraform reads from a provider's standard error.
//!
//! One JSON object per line with `@level`, `@message`, `@module` and `@timestamp` (exactly six
//! fraction digits, else Terraform takes the line for plain text); all other fields are free. What the
//! user has not asked for is dropped before it is put into words, and libraries that would flood the log,
//! or print headers with credentials, are held back even then.

use std::{fmt, fs::File, io::Write as _, sync::Arc};

use serde_json::{Map, Value as Json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit, display},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::{
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::{Diagnostic, Severity};

/// Libraries of which nothing finer than this is logged.
const HELD_BACK: [(&str, LevelFilter); 12] = [
    ("h2", LevelFilter::WARN),
    ("hyper", LevelFilter::WARN),
    ("hyper_util", LevelFilter::WARN),
    ("tower", LevelFilter::WARN),
    ("tonic", LevelFilter::WARN),
    ("rustls", LevelFilter::WARN),
    ("reqwest", LevelFilter::WARN),
    ("aws_config", LevelFilter::INFO),
    ("aws_runtime", LevelFilter::WARN),
    ("aws_smithy_runtime", LevelFilter::WARN),
    ("aws_smithy_runtime_api", LevelFilter::WARN),
    ("aws_sigv4", LevelFilter::WARN),
];

/// Lines above this are no longer read as JSON by Terraform.
const MAX_LINE: usize = 60 << 10;

/// A message of this size fits a line even if each of its bytes has to be escaped (`\u0000`).
const MAX_MESSAGE: usize = MAX_LINE / 8;

/// Logs to `stderr` from now on: what the environment asks for, see [`filter`].
pub(crate) fn install(address: &str, stderr: Arc<File>) {
    let filter = filter(address, |name| std::env::var(name).ok());
    let layer = Hclog { provider: address.to_owned(), stderr };
    // A provider that installed its own logging before keeps it.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}

/// `TF_LOG_PROVIDER_NAME` (the last part of the address, `_` for `-`) counts most, then
/// `TF_LOG_PROVIDER`, then `TF_LOG`: a level of Terraform, or in the first a list such as
/// `info,tfplugin_rs=debug`. Without one of them Terraform shows no log, and only warnings are written.
fn filter(address: &str, variable: impl Fn(&str) -> Option<String>) -> Targets {
    let name = address.rsplit('/').next().unwrap_or_default().replace('-', "_").to_uppercase();
    let own = variable(&format!("TF_LOG_PROVIDER_{name}")).map(|text| text.to_lowercase());
    if let Some(list) =
        own.as_ref().filter(|text| text.contains(['=', ','])).and_then(|text| text.parse().ok())
    {
        return list;
    }
    let asked = own.or_else(|| variable("TF_LOG_PROVIDER")).or_else(|| variable("TF_LOG"));
    let level = asked.filter(|text| !text.is_empty()).map_or(LevelFilter::WARN, |text| level(&text));
    let held_back = HELD_BACK.map(|(library, most)| (library, most.min(level)));
    Targets::new().with_default(level).with_targets(held_back)
}

/// What Terraform does not know it takes for `TRACE`; `JSON` is one of its names for that.
fn level(text: &str) -> LevelFilter {
    text.to_lowercase().parse().unwrap_or(LevelFilter::TRACE)
}

/// Logs what the user will be told, with the keys that terraform-plugin-go uses for it.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) {
    let Diagnostic { severity, summary, detail, attribute } = diagnostic;
    let attribute = attribute.as_ref().map(display);
    macro_rules! log {
        ($level:ident, $severity:literal, $text:literal) => {
            tracing::$level!(
                diagnostic_severity = $severity,
                diagnostic_summary = summary,
                diagnostic_detail = detail,
                diagnostic_attribute = attribute,
                $text
            )
        };
    }
    match severity {
        Severity::Error => log!(error, "ERROR", "the answer has an error"),
        Severity::Warning => log!(warn, "WARNING", "the answer has a warning"),
    }
}

struct Hclog {
    provider: String,
    stderr: Arc<File>,
}

/// Fields of a span, which every event inside it carries.
struct Fields(Map<String, Json>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Hclog {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        for span in
            context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(inherited) = span.extensions().get::<Fields>() {
                fields.0.extend(inherited.0.clone());
            }
        }
        event.record(&mut fields);
        let line = line(&self.provider, *event.metadata().level(), event.metadata().target(), fields.0);
        // One write, so that lines of several threads do not mix. A closed pipe is nobody's to know.
        let _ = (&*self.stderr).write_all(line.as_bytes());
    }
}

fn line(provider: &str, level: Level, module: &str, mut fields: Map<String, Json>) -> String {
    let mut now = String::new();
    let stamped = SystemTime.format_time(&mut Writer::new(&mut now));
    debug_assert!(stamped.is_ok(), "memory takes everything");
    let message = fields.remove("message").unwrap_or_else(|| "".into());
    let mut message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    message.truncate(message.floor_char_boundary(MAX_MESSAGE));
    let own = [
        ("@level", level.as_str().to_lowercase().into()),
        ("@message", message.into()),
        ("@module", module.into()),
        ("@timestamp", now.into()),
        ("tf_provider_addr", provider.into()),
    ];
    let own: Map<_, _> = own.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    fields.extend(own.clone());
    let mut line = Json::Object(fields).to_string();
    if line.len() > MAX_LINE {
        line = Json::Object(own).to_string();
    }
    line + "\n"
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.0.insert(field.name().to_owned(), value.to_string().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_shape_terraform_reads() {
        let mut fields = Map::new();
        fields.insert("message".to_owned(), "pushed".into());
        fields.insert("bytes".to_owned(), 7.into());
        fields.insert("@level".to_owned(), "forged".into());
        let text = line("example.com/a/b", Level::WARN, "b::push", fields);
        assert!(text.ends_with("}\n") && text.matches('\n').count() == 1);
        let read: Map<String, Json> = serde_json::from_str(&text).unwrap();
        let own =
            ["@level", "@message", "@module", "bytes", "tf_provider_addr"].map(|name| read[name].to_string());
        assert_eq!(own, ["\"warn\"", "\"pushed\"", "\"b::push\"", "7", "\"example.com/a/b\""]);
        let stamp = read["@timestamp"].as_str().unwrap();
        let shape: String = stamp.chars().map(|one| if one.is_ascii_digit() { '0' } else { one }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000000Z");
    }

    #[test]
    fn long_lines_lose_their_fields_first() {
        let check = |message: String, field: String, expected: (usize, bool)| {
            let fields = [("message", message), ("body", field)];
            let fields = fields.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
            let text = line("a", Level::INFO, "m", fields);
            assert!(text.len() <= MAX_LINE);
            let read: Map<String, Json> = serde_json::from_str(&text).unwrap();
            assert_eq!((read["@message"].as_str().unwrap().len(), read.contains_key("body")), expected);
        };
        check("x".into(), "y".into(), (1, true));
        check("x".into(), "y".repeat(70_000), (1, false));
        check("\u{1}".repeat(70_000), "y".into(), (MAX_MESSAGE, true));
    }

    #[test]
    fn terraforms_variables_choose_the_level() {
        let check = |variables: &[(&str, &str)], ours: Option<Level>, h2: Option<Level>| {
            let filter = filter("example.com/a/my-cloud", |name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            });
            let most = |target| {
                let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
                levels.into_iter().find(|level| filter.would_enable(target, level))
            };
            assert_eq!((most("my_cloud"), most("h2::codec")), (ours, h2), "{variables:?}");
        };
        let warn = Some(Level::WARN);
        check(&[], warn, warn);
        check(&[("TF_LOG", "")], warn, warn);
        check(&[("TF_LOG", "TRACE")], Some(Level::TRACE), warn);
        check(&[("TF_LOG", "JSON")], Some(Level::TRACE), warn);
        check(&[("TF_LOG", "off")], None, None);
        check(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "ERROR")], Some(Level::ERROR), Some(Level::ERROR));
        let debug = ("TF_LOG_PROVIDER_MY_CLOUD", "DEBUG");
        check(&[("TF_LOG_PROVIDER", "ERROR"), debug], Some(Level::DEBUG), warn);
        check(&[("TF_LOG_PROVIDER_MY_CLOUD", "info,h2=trace")], Some(Level::INFO), Some(Level::TRACE));
    }
}
