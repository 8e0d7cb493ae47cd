//! `HEALTHCHECK`, with its durations.

use std::time::Duration;

use super::{
    error::{DockerfileError, Problem},
    instruction::{Check, Command, Healthcheck},
    read::{Line, command},
    split::Arguments,
};

pub(super) fn read(line: &Line<'_>) -> Result<Healthcheck, DockerfileError> {
    let Arguments::Typed(kind, rest) = &line.split.arguments else {
        return Err(line.wrong("needs CMD and a command, or NONE"));
    };
    let is_empty = match &**rest {
        Arguments::Plain(words) | Arguments::Json(words) => words.is_empty(),
        _ => true,
    };
    if kind.to_uppercase() == "NONE" {
        return if is_empty { Ok(Healthcheck::None) } else { Err(line.wrong("NONE takes no arguments")) };
    }
    let flags = line.flags()?;
    if kind.to_uppercase() != "CMD" {
        return Err(line.wrong("needs CMD and a command, or NONE"));
    }
    if is_empty {
        return Err(line.wrong("CMD needs a command"));
    }
    let problem = |name: &str, what| {
        let value = flags.text(name).unwrap_or_default().to_owned();
        line.logical.error(flags.offset(name), Problem::Value { value, what })
    };
    let time = |name: &str| match flags.text(name) {
        None | Some("") => Ok(Duration::ZERO),
        Some(text) => {
            duration(text).ok_or_else(|| problem(name, "duration of 1 ms or more, such as 30s or 1m30s"))
        }
    };
    let retries = match flags.text("retries") {
        None | Some("") => Ok(0),
        Some(text) => text.parse::<i32>().ok().and_then(|count| u32::try_from(count).ok()).ok_or("count"),
    };
    let command: Command = command(rest);
    Ok(Healthcheck::Check(Check {
        command,
        interval: time("interval")?,
        timeout: time("timeout")?,
        start_period: time("start-period")?,
        start_interval: time("start-interval")?,
        retries: retries.map_err(|what| problem("retries", what))?,
    }))
}

/// A duration as Go writes it: `1h30m`, `1.5s`, `300ms`; nothing between zero and a millisecond, and nothing below.
fn duration(text: &str) -> Option<Duration> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let nanoseconds = if unsigned == "0" { 0 } else { nanoseconds(unsigned)? };
    let fits = nanoseconds == 0 || (!negative && nanoseconds >= 1_000_000);
    fits.then(|| Duration::from_nanos(nanoseconds))
}

fn nanoseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        sum = sum.checked_add(parts_of(number, unit)?)?;
        rest = after;
    }
    i64::try_from(sum).ok()?;
    Some(sum)
}

fn parts_of(number: &str, unit: &str) -> Option<u64> {
    let unit: u64 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len().min(18)).ok()?)?;
    let digits: u64 =
        if fraction.is_empty() { 0 } else { fraction[..fraction.len().min(18)].parse().ok()? };
    let part = u128::from(digits) * u128::from(unit) / u128::from(scale);
    whole.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        for (text, expected) in [
            ("30s", Some(30_000)),
            ("1m30s", Some(90_000)),
            ("1.5s", Some(1_500)),
            (".5h", Some(1_800_000)),
            ("1h0.25m", Some(3_615_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("-0s", Some(0)),
            ("+1s", Some(1_000)),
            ("1000us", Some(1)),
            ("1000000ns", Some(1)),
            ("999µs", None),
            ("-1s", None),
            ("30", None),
            ("", None),
            ("s", None),
            ("1.2.3s", None),
            ("1 s", None),
            ("9999999999h", None),
        ] {
            assert_eq!(duration(text), expected.map(Duration::from_millis), "{text}");
        }
    }
}
