//! Lines on stderr that tell the reader what the lab does and how long it took.
//!
//! The one place of the lab that prints; verbs print their results on stdout themselves.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// One line about what happens now.
#[expect(clippy::print_stderr, reason = "progress is for the person at the terminal")]
pub fn say(line: impl Display) {
    eprintln!("lab: {line}");
}

/// Runs `work`, and says what it was and how long it took.
pub fn step<T>(what: impl Display, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    say(format_args!("{what} …"));
    let start = Instant::now();
    let result = work();
    let outcome = if result.is_ok() { "done" } else { "failed" };
    say(format_args!("{what}: {outcome} in {}", human(start.elapsed())));
    result
}

/// `0.4 s`, `12 s`, `3 min 20 s`.
pub fn human(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        for (millis, expected) in [(400, "0.4 s"), (12_300, "12 s"), (200_000, "3 min 20 s")] {
            assert_eq!(human(Duration::from_millis(millis)), expected);
        }
    }
}
