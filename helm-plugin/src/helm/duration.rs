//! Durations as Helm's flags take them, which is Go's way: `1h30m`, `90s`, `1.5h`.

use std::time::Duration;

/// Reads one; `None` if Helm would not take it either.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (mut seconds, mut rest) = (0.0, if text == "0" { "0s" } else { text });
    loop {
        let (number, tail) = rest.split_at(rest.find(|c| !is_number(c))?);
        let (unit, after) = tail.split_at(tail.find(is_number).unwrap_or(tail.len()));
        seconds += number.parse::<f64>().ok()? * seconds_in(unit)?;
        rest = after;
        if rest.is_empty() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
    }
}

fn seconds_in(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(parse(text), expected.map(Duration::from_millis), "{text}");
        };
        check("5m0s", Some(300_000));
        check("1h30m", Some(5_400_000));
        check("1.5h", Some(5_400_000));
        check("250ms", Some(250));
        check("0", Some(0));
        check("300", None);
        check("5 m", None);
        check("m", None);
        check("-5m", None);
        check("1e9h", None);
        check(&format!("{}h", "9".repeat(400)), None);
        check("", None);
    }
}
