//! How much of each action an account may ask for in a second.
//!
//! A bucket for each action holds a second's worth. Source: "Amazon ECR service quotas", rates for private registries.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::refusal::Refusal;

/// Requests a second by action; what is not named is not limited.
pub type Rates = BTreeMap<&'static str, u32>;

/// ECR's own rates.
pub fn ecr_rates() -> Rates {
    BTreeMap::from([
        ("GetAuthorizationToken", 500),
        ("BatchCheckLayerAvailability", 1000),
        ("InitiateLayerUpload", 100),
        ("UploadLayerPart", 500),
        ("CompleteLayerUpload", 100),
        ("PutImage", 10),
        ("BatchGetImage", 2000),
        ("GetDownloadUrlForLayer", 3000),
    ])
}

#[derive(Debug)]
pub(super) struct Quotas {
    rates: Rates,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    buckets: BTreeMap<&'static str, Bucket>,
    /// Until then everything is refused.
    storm: Duration,
}

/// What is left of a second's worth, and when that was counted.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Duration,
}

impl Quotas {
    pub(super) fn of(rates: Rates) -> Self {
        Self { rates, state: Mutex::default() }
    }

    /// Refuses everything until then.
    pub(super) fn storm(&self, until: Duration) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).storm = until;
    }

    /// Takes some of an action's quota.
    pub(super) fn take(&self, action: &str, units: u32, now: Duration) -> Result<(), Refusal> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.storm {
            return Err(Refusal::throttled());
        }
        let Some((&action, &rate)) = self.rates.get_key_value(action) else { return Ok(()) };
        let full = f64::from(rate);
        let bucket = state.buckets.entry(action).or_insert(Bucket { left: full, at: now });
        let gained = now.saturating_sub(bucket.at).as_secs_f64() * full;
        *bucket = Bucket { left: (bucket.left + gained).min(full), at: now };
        // What asks for more than a bucket holds would never get it: it empties the bucket.
        let units = f64::from(units).min(full);
        if bucket.left < units {
            return Err(Refusal::throttled());
        }
        bucket.left -= units;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_a_second_and_fills_again() {
        let quotas = Quotas::of(ecr_rates());
        let granted = |action, tries: u32, at: u64| {
            (0..tries).filter(|_| quotas.take(action, 1, Duration::from_millis(at)).is_ok()).count()
        };
        assert_eq!(granted("PutImage", 15, 0), 10);
        assert_eq!(granted("PutImage", 15, 300), 3);
        assert_eq!(granted("PutImage", 15, 60_000), 10);
        assert_eq!(granted("DescribeImages", 5000, 0), 5000);
        quotas.storm(Duration::from_secs(100));
        assert_eq!((granted("DescribeImages", 5, 99_999), granted("DescribeImages", 5, 100_000)), (0, 5));
    }
}
