//! A sign of life on a pending release, by which another job tells a deployment at work from one that was killed.
//!
//! It is an annotation on the Secret in which Helm keeps the revision: who may deploy may set it, and Helm's last
//! update of the revision wipes it off. Clocks are never compared: a heart beats as long as the value changes.

use std::{
    convert::Infallible,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep};

use crate::kube::{Client, Collection, KubeError};

const ANNOTATION: &str = "eks-deploy/heartbeat";
/// Between two beats.
const EVERY: Duration = Duration::from_secs(5);
/// A heart that has not beaten for so long does not beat any more.
const STILL: Duration = Duration::from_secs(30);

/// The heart of one revision of a release.
pub(crate) struct Heart<'a> {
    client: &'a Client,
    namespace: &'a str,
    secret: String,
}

/// What is found when someone feels for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// The value has changed: someone is at work.
    Beats,
    /// It has not for so long that nobody is.
    Still,
    /// There is no value: a Helm without us, or one that was killed before the first beat.
    None,
}

/// By the first value, the one that is there after so long, and nothing else: `None` if that is too early to say.
fn judge(first: &str, now: Option<&str>, silent: Duration) -> Option<Pulse> {
    // Gone is changed: Helm has ended in the meantime.
    if now == Some(first) { (silent >= STILL).then_some(Pulse::Still) } else { Some(Pulse::Beats) }
}

impl<'a> Heart<'a> {
    /// Of this revision, which need not be there yet.
    pub(crate) fn of(client: &'a Client, namespace: &'a str, release: &str, revision: u64) -> Self {
        Self { client, namespace, secret: format!("sh.helm.release.v1.{release}.v{revision}") }
    }

    /// Beats until it is dropped. Where Helm keeps releases elsewhere, or we may not change them, it beats in vain.
    pub(crate) async fn beat(&self) -> Infallible {
        let holder = RandomState::new().build_hasher().finish();
        let mut ticks = interval(EVERY);
        for count in 0_u64.. {
            ticks.tick().await;
            let annotations =
                json!({"metadata": {"annotations": {ANNOTATION: format!("{holder:016x}-{count}")}}});
            let _ = self.client.merge(self.secrets(), &self.secret, &annotations).await;
        }
        unreachable!("nobody deploys for so long")
    }

    /// Feels for it, until it beats or has not for long enough.
    pub(crate) async fn feel(&self) -> Result<Pulse, KubeError> {
        let Some(first) = self.value().await? else { return Ok(Pulse::None) };
        let begun = Instant::now();
        loop {
            sleep(EVERY).await;
            // Before the question: its answer may be as old as that.
            let silent = begun.elapsed();
            if let Some(pulse) = judge(&first, self.value().await?.as_deref(), silent) {
                return Ok(pulse);
            }
        }
    }

    async fn value(&self) -> Result<Option<String>, KubeError> {
        let secret = self.client.get(self.secrets(), &self.secret).await?;
        let value = |secret: Value| secret["metadata"]["annotations"][ANNOTATION].as_str().map(str::to_owned);
        Ok(secret.and_then(value))
    }

    fn secrets(&self) -> Collection<'a> {
        Collection { group: "api/v1", kind: "secrets", namespace: self.namespace }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_8_a_heart_is_still_after_half_a_minute_and_never_before() {
        let check = |now: Option<&str>, seconds: u64, expected: Option<Pulse>| {
            assert_eq!(
                judge("a-1", now, Duration::from_secs(seconds)),
                expected,
                "{now:?} after {seconds} s"
            );
        };
        check(Some("a-1"), 5, None);
        check(Some("a-1"), 29, None);
        check(Some("a-1"), 30, Some(Pulse::Still));
        check(Some("a-2"), 5, Some(Pulse::Beats));
        check(Some("a-2"), 30, Some(Pulse::Beats));
        check(Some("b-1"), 30, Some(Pulse::Beats));
        check(None, 5, Some(Pulse::Beats));
        // One that is slow, or misses some, is not taken for dead.
        assert!(STILL >= EVERY * 5);
    }
}
