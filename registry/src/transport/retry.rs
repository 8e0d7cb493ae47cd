use std::time::Duration;

use tokio::time::Instant;

use crate::{
    error::{ErrorKind, Trouble},
    settings::Patience,
};

/// How often a thing was tried, and how long to wait before it is tried again.
///
/// The wait is random between nothing and a limit that doubles ("full jitter"), so that many who failed together
/// do not come back together.
pub(crate) struct Retry<'a> {
    patience: &'a Patience,
    failures: u32,
    since: Option<Instant>,
}

/// A name that is not known or a port that is closed rarely changes in seconds.
const ATTEMPTS_TO_CONNECT: u32 = 3;

impl<'a> Retry<'a> {
    pub(crate) fn new(patience: &'a Patience) -> Self {
        Self { patience, failures: 0, since: None }
    }

    /// The wait before the next attempt; `None` if there was the last one. What the registry asks for is obeyed.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.next_at(Instant::now(), self.patience.attempts, asked)
    }

    /// As [`Self::next`] after a request that got no answer.
    pub(crate) fn next_after(&mut self, error: &ErrorKind) -> Option<Duration> {
        let attempts = match error {
            ErrorKind::NoAnswer { trouble: Trouble::Dns | Trouble::Connect, .. } => {
                self.patience.attempts.min(ATTEMPTS_TO_CONNECT)
            }
            _ => self.patience.attempts,
        };
        self.next_at(Instant::now(), attempts, None)
    }

    fn next_at(&mut self, now: Instant, attempts: u32, asked: Option<Duration>) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        self.failures += 1;
        let doubled = self.patience.first_wait.saturating_mul(1 << (self.failures - 1).min(16));
        let longest = doubled.min(self.patience.longest_wait);
        let wait = asked.map_or(longest.mul_f64(random()), |asked| asked.min(self.patience.longest_wait));
        let in_budget = now.duration_since(since) + wait < self.patience.budget;
        (self.failures < attempts && in_budget).then_some(wait)
    }
}

/// A random part of one.
fn random() -> f64 {
    let mut bytes = [0; 4];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience() -> Patience {
        Patience { attempts: 5, first_wait: SECOND, longest_wait: 3 * SECOND, ..Patience::default() }
    }

    #[test]
    fn waits_grow_up_to_a_limit() {
        let patience = patience();
        let mut retry = Retry::new(&patience);
        for limit in [SECOND, 2 * SECOND, 3 * SECOND, 3 * SECOND] {
            assert!(retry.next(None).unwrap() <= limit);
        }
        assert_eq!(retry.next(None), None);
    }

    #[test]
    fn what_the_registry_asks_for_is_obeyed() {
        let patience = patience();
        let mut retry = Retry::new(&patience);
        assert_eq!(retry.next(Some(2 * SECOND)), Some(2 * SECOND));
        assert_eq!(retry.next(Some(100 * SECOND)), Some(3 * SECOND));
        assert_eq!(retry.next(Some(Duration::ZERO)), Some(Duration::ZERO));
    }

    #[test]
    fn the_budget_ends_it() {
        let patience = Patience { budget: 10 * SECOND, ..patience() };
        let mut retry = Retry::new(&patience);
        let start = Instant::now();
        assert!(retry.next_at(start, 5, None).is_some());
        assert_eq!(retry.next_at(start + 10 * SECOND, 5, None), None);
    }

    #[test]
    fn nobody_home_is_believed_sooner() {
        let patience = patience();
        let mut retry = Retry::new(&patience);
        let error = ErrorKind::NoAnswer { host: String::new(), trouble: Trouble::Dns, cause: None };
        assert!(retry.next_after(&error).is_some());
        assert!(retry.next_after(&error).is_some());
        assert_eq!(retry.next_after(&error), None);
    }
}
