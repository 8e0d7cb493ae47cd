use std::time::Duration;

use tokio::time::Instant;

use crate::{
    error::{ErrorKind, Trouble},
    settings::Patience,
};

/// How often a thing was tried, and how long to wait before it is tried again.
///
/// | what happened | tried again |
/// |---|---|
/// | 429, `TOOMANYREQUESTS` | for [`Patience::throttled`], however often |
/// | 408, 425, 499, 500, 502, 503, 504, 520 to 524 | up to [`Patience::attempts`] |
/// | the connection broke, or nothing came for too long | up to [`Patience::attempts`] |
/// | an upload's session is gone (404, 416) | up to [`Patience::attempts`], in a new session from the first byte |
/// | the name is not known, nobody listens, or the proxy refuses | three times: that rarely changes in seconds |
/// | 401, or 403 with an expired password | once, with new credentials, and not counted here |
/// | TLS fails, and any other status | never |
///
/// The wait is random between nothing and a limit that doubles ("full jitter"), so that many who failed together
/// do not come back together. What the registry asks for in `Retry-After` is obeyed instead, up to
/// [`Patience::longest_wait`]. Nothing is tried again after [`Patience::budget`].
pub(crate) struct Retry<'a> {
    patience: &'a Patience,
    failures: u32,
    since: Option<Instant>,
}

const ATTEMPTS_TO_CONNECT: u32 = 3;

impl<'a> Retry<'a> {
    pub(crate) fn new(patience: &'a Patience) -> Self {
        Self { patience, failures: 0, since: None }
    }

    /// The wait before the next attempt; `None` if there was the last one.
    pub(crate) fn next(&mut self, error: &ErrorKind, asked: Option<Duration>) -> Option<Duration> {
        self.next_at(Instant::now(), error, asked)
    }

    fn next_at(&mut self, now: Instant, error: &ErrorKind, asked: Option<Duration>) -> Option<Duration> {
        let Patience { attempts, throttled, first_wait, longest_wait, budget, .. } = *self.patience;
        let (attempts, budget) = match error {
            ErrorKind::Throttled(_) => (u32::MAX, throttled),
            ErrorKind::NoAnswer { trouble: Trouble::Dns | Trouble::Connect | Trouble::Proxy, .. } => {
                (attempts.min(ATTEMPTS_TO_CONNECT), budget)
            }
            _ => (attempts, budget),
        };
        let since = *self.since.get_or_insert(now);
        self.failures += 1;
        let doubled = first_wait.saturating_mul(1 << (self.failures - 1).min(16));
        let wait = asked.unwrap_or_else(|| doubled.min(longest_wait).mul_f64(random())).min(longest_wait);
        let in_budget = now.duration_since(since) + wait < budget;
        (self.failures < attempts && in_budget).then_some(wait)
    }
}

/// A random part of one.
pub(crate) fn random() -> f64 {
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

    fn broke(trouble: Trouble) -> ErrorKind {
        ErrorKind::NoAnswer { host: String::new(), trouble, cause: None }
    }

    #[test]
    fn waits_grow_up_to_a_limit() {
        let patience = patience();
        let mut retry = Retry::new(&patience);
        for limit in [SECOND, 2 * SECOND, 3 * SECOND, 3 * SECOND] {
            assert!(retry.next(&broke(Trouble::Cut), None).unwrap() <= limit);
        }
        assert_eq!(retry.next(&broke(Trouble::Cut), None), None);
    }

    #[test]
    fn what_the_registry_asks_for_is_obeyed() {
        let patience = patience();
        let mut retry = Retry::new(&patience);
        let mut next = |asked| retry.next(&broke(Trouble::Cut), Some(asked));
        assert_eq!(next(2 * SECOND), Some(2 * SECOND));
        assert_eq!(next(100 * SECOND), Some(3 * SECOND));
        assert_eq!(next(Duration::ZERO), Some(Duration::ZERO));
    }

    #[test]
    fn the_budget_ends_it() {
        let patience = Patience { budget: 10 * SECOND, throttled: 20 * SECOND, ..patience() };
        let mut retry = Retry::new(&patience);
        let start = Instant::now();
        let (cut, throttled) = (broke(Trouble::Cut), ErrorKind::Throttled(String::new()));
        assert!(retry.next_at(start, &cut, None).is_some());
        assert_eq!(retry.next_at(start + 10 * SECOND, &cut, None), None);
        for _ in 0..100 {
            assert!(retry.next_at(start + 15 * SECOND, &throttled, None).is_some());
        }
        assert_eq!(retry.next_at(start + 20 * SECOND, &throttled, None), None);
    }

    #[test]
    fn nobody_home_is_believed_sooner() {
        let patience = patience();
        let mut retry = Retry::new(&patience);
        assert!(retry.next(&broke(Trouble::Dns), None).is_some());
        assert!(retry.next(&broke(Trouble::Connect), None).is_some());
        assert_eq!(retry.next(&broke(Trouble::Dns), None), None);
    }
}
