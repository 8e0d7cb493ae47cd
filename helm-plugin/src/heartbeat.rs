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
        while begun.elapsed() < STILL {
            sleep(EVERY).await;
            // Gone is changed: Helm has ended in the meantime.
            if self.value().await?.as_ref() != Some(&first) {
                return Ok(Pulse::Beats);
            }
        }
        Ok(Pulse::Still)
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
