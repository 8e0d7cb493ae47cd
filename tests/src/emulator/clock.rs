//! The emulator's time: the machine's, moved on by a test that does not want to wait.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

#[derive(Debug)]
pub(super) struct Clock {
    started: (Instant, SystemTime),
    moved: Mutex<Duration>,
    stopped: bool,
}

impl Clock {
    /// A clock that goes, or one that moves only when it is moved.
    pub(super) fn new(stopped: bool) -> Self {
        Self { started: (Instant::now(), SystemTime::now()), moved: Mutex::default(), stopped }
    }

    /// Since the start.
    pub(super) fn elapsed(&self) -> Duration {
        let moved = *self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stopped { moved } else { moved + self.started.0.elapsed() }
    }

    pub(super) fn now(&self) -> SystemTime {
        self.started.1 + self.elapsed()
    }

    pub(super) fn pass(&self, time: Duration) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

/// A point in time as the API's JSON has it: seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The same as AWS's XML has it: `2026-11-22T22:15:00Z`.
pub(super) fn stamp(time: SystemTime) -> String {
    let seconds = seconds(time);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March 0000, in cycles of 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}Z", year + 400 * era + next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_when_it_is_moved() {
        let clock = Clock::new(true);
        let start = clock.now();
        assert_eq!(clock.now(), start);
        clock.pass(Duration::from_secs(5));
        assert_eq!((clock.elapsed(), clock.now()), (Duration::from_secs(5), start + Duration::from_secs(5)));
    }

    #[test]
    fn a_time_is_written() {
        let check = |seconds, expected: &str| {
            assert_eq!(stamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        };
        check(0, "1970-01-01T00:00:00Z");
        check(951_868_799, "2000-02-29T23:59:59Z");
        check(951_868_800, "2000-03-01T00:00:00Z");
        check(1_795_385_700, "2026-11-22T22:15:00Z");
    }
}
