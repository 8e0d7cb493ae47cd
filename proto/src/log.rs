//! Logs in the shape of go-hclog, which Terraform reads from a provider's standard error.
//!
//! One JSON object per line with `@level`, `@message`, `@module` and `@timestamp` (exactly six
//! fraction digits, else Terraform takes the line for plain text); all other fields are free.
//! Terraform filters by `TF_LOG`; here only libraries that would flood it, or print headers with
//! credentials, are held back.

use std::{fmt, io::Write as _};

use serde_json::{Map, Value as Json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

/// What is logged if the user does not say otherwise.
const FILTER: &str = "debug,h2=warn,hyper=warn,hyper_util=warn,tower=warn,tonic=warn,rustls=warn,reqwest=warn,\
    aws_config=info,aws_runtime=warn,aws_smithy_runtime=warn,aws_smithy_runtime_api=warn,aws_sigv4=warn";

/// Lines above this are no longer read as JSON by Terraform.
const MAX_LINE: usize = 60 << 10;

/// Logs to standard error from now on. `TF_LOG_PROVIDER_NAME` (the last part of the address) may
/// hold a filter in the syntax of tracing, such as `trace` or `info,tfplugin_rs=debug`.
pub(crate) fn install(address: &str) {
    let name = address.rsplit('/').next().unwrap_or_default().replace('-', "_").to_uppercase();
    let asked = std::env::var(format!("TF_LOG_PROVIDER_{name}")).ok();
    let filter = asked.and_then(|text| EnvFilter::try_new(text.to_lowercase()).ok());
    let layer = Hclog { provider: address.to_owned() };
    // A provider that installed its own logging before keeps it.
    let _ = tracing_subscriber::registry()
        .with(filter.unwrap_or_else(|| EnvFilter::new(FILTER)))
        .with(layer)
        .try_init();
}

struct Hclog {
    provider: String,
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
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

fn line(provider: &str, level: Level, module: &str, mut fields: Map<String, Json>) -> String {
    let mut now = String::new();
    let stamped = SystemTime.format_time(&mut Writer::new(&mut now));
    debug_assert!(stamped.is_ok(), "memory takes everything");
    let message = fields.remove("message").unwrap_or_else(|| "".into());
    let own = [
        ("@level", level.as_str().to_lowercase().into()),
        ("@message", message.as_str().map_or_else(|| message.to_string().into(), Json::from)),
        ("@module", module.into()),
        ("@timestamp", now.into()),
        ("tf_provider_addr", provider.into()),
    ];
    let own: Map<_, _> = own.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    fields.extend(own.clone());
    let mut line = Json::Object(fields).to_string();
    if line.len() > MAX_LINE {
        line = Json::Object(own).to_string();
        line.truncate(line.floor_char_boundary(MAX_LINE));
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
        let fields = [("message", "x"), ("body", &*"y".repeat(70_000))];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
        let text = line("a", Level::INFO, "m", fields);
        let read: Map<String, Json> = serde_json::from_str(&text).unwrap();
        assert_eq!((read["@message"].as_str(), read.get("body")), (Some("x"), None));
    }
}
