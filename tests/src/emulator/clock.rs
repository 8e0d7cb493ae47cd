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
}
