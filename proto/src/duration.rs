//! Durations as Terraform's users write them.

use std::{fmt, str::FromStr, time::Duration};

use crate::{FromValue, Validator, Value, ValueError, View};

/// A duration in Go's notation, such as `30m` or `1h30m`; kept as it was written, so that a state says the
/// same as the configuration.
///
/// Shape: numbers, each with a unit (`ns`, `us`, `ms`, `s`, `m`, `h`), from 0 to about 292 years.
/// Source: `time.ParseDuration` of Go.
#[derive(Clone, Debug)]
pub struct GoDuration {
    text: String,
    duration: Duration,
}

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {FORM}: `{0}`")]
pub struct GoDurationError(String);

const FORM: &str = "a duration with units, such as \"30m\" or \"1h30m\"";

impl GoDuration {
    /// How long it is.
    pub fn get(&self) -> Duration {
        self.duration
    }

    /// Accepts what this type can be read from.
    pub fn validator() -> Validator {
        Validator::parses::<Self>(FORM)
    }
}

impl FromStr for GoDuration {
    type Err = GoDurationError;

    fn from_str(text: &str) -> Result<Self, GoDurationError> {
        let parsed = if text == "0" { Some(0) } else { nanoseconds(text) };
        let parsed = parsed.and_then(|all| u64::try_from(all).ok()).filter(|all| i64::try_from(*all).is_ok());
        let all = parsed.ok_or_else(|| GoDurationError(text.chars().take(40).collect()))?;
        Ok(Self { text: text.to_owned(), duration: Duration::from_nanos(all) })
    }
}

fn nanoseconds(text: &str) -> Option<u128> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut all = 0_u128;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|next: char| !next.is_ascii_digit() && next != '.')?;
        let (number, behind) = rest.split_at(digits);
        let unit = behind.find(|next: char| next.is_ascii_digit() || next == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit);
        all = all.checked_add(amount(number, unit)?)?;
        rest = behind;
    }
    Some(all)
}

/// Nanoseconds of one number with its unit; digits beyond them do not count.
fn amount(number: &str, unit: &str) -> Option<u128> {
    let unit: u128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let part = &part[..part.len().min(18)];
    let digits = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u128>().ok() };
    let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
    digits(whole)?.checked_mul(unit)?.checked_add(digits(part)? * unit / scale)
}

impl From<Duration> for GoDuration {
    fn from(duration: Duration) -> Self {
        let (seconds, rest) = (duration.as_secs(), duration.subsec_nanos());
        let parts =
            [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"), (rest.into(), "ns")];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<_> = parts.map(|(count, unit)| format!("{count}{unit}")).collect();
        Self { text: if parts.is_empty() { "0s".to_owned() } else { parts.concat() }, duration }
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// By length, not by notation.
impl PartialEq for GoDuration {
    fn eq(&self, other: &Self) -> bool {
        self.duration == other.duration
    }
}

impl Eq for GoDuration {}

impl FromValue for GoDuration {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        let parsed = view.value().as_str().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| view.is_not(FORM))
    }
}

/// Only to be read: [`GoDuration`] is what can be written back as it was.
impl FromValue for Duration {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        view.read().map(|duration: GoDuration| duration.get())
    }
}

impl From<GoDuration> for Value {
    fn from(duration: GoDuration) -> Self {
        duration.text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_reads_them() {
        for (text, expected) in [
            ("0", Some(Duration::ZERO)),
            ("30m", Some(Duration::from_mins(30))),
            ("1h30m", Some(Duration::from_mins(90))),
            ("1.5h", Some(Duration::from_mins(90))),
            (".5s", Some(Duration::from_millis(500))),
            ("+1m1s1ms1us1ns", Some(Duration::new(61, 1_001_001))),
            ("2562047h47m", Some(Duration::from_mins(153_722_867))),
            ("2562048h", None),
            ("99999999999999999999999999999999999999999h", None),
            ("30", None),
            ("-1s", None),
            ("", None),
            ("+", None),
            ("m", None),
            (".s", None),
            ("1.2.3s", None),
            ("1 s", None),
            ("1d", None),
        ] {
            assert_eq!(text.parse::<GoDuration>().ok().map(|one| one.get()), expected, "{text}");
        }
    }

    #[test]
    fn written_as_they_were() {
        let value = Value::from("60m");
        assert_eq!(Value::from(value.view().read::<GoDuration>().unwrap()), value);
        for (seconds, expected) in [(0, "0s"), (1800, "30m"), (3601, "1h1s")] {
            assert_eq!(GoDuration::from(Duration::from_secs(seconds)).to_string(), expected);
        }
        let error = Value::from("soon").view().read::<Duration>().unwrap_err().to_string();
        assert_eq!(error, "`` must be a duration with units, such as \"30m\" or \"1h30m\", not this string");
    }
}
