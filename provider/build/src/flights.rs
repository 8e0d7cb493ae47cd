//! The same build is done once, however many ask for it at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use ecr_registry::Digest;
use tokio::sync::OnceCell;

use crate::build::Built;

/// Builds that are under way, by what stands for them.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<Digest, Weak<OnceCell<Built>>>>);

impl Flights {
    /// Builds, or waits for who does. If that one fails or is called off, the next in line builds.
    pub(crate) async fn join<E, F>(&self, key: Digest, build: impl FnOnce() -> F) -> Result<Built, E>
    where
        F: Future<Output = Result<Built, E>>,
    {
        let flight = self.flight(key);
        flight.get_or_try_init(build).await.cloned()
    }

    fn flight(&self, key: Digest) -> Arc<OnceCell<Built>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.strong_count() > 0);
        if let Some(flight) = flights.get(&key).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::new(OnceCell::new());
        flights.insert(key, Arc::downgrade(&flight));
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use ecr_registry::ImageConfig;

    use super::*;
    use crate::{native::config::image, sources::of_existing};

    fn built() -> Built {
        let image = image(&ImageConfig::default(), Vec::new(), BTreeMap::new());
        Built::of_tree(image.into(), of_existing("x", Digest::of(b"x")), None)
    }

    #[tokio::test]
    async fn equal_builds_that_meet_are_done_once_and_a_failed_one_again() {
        let (flights, count) = (Flights::default(), AtomicUsize::new(0));
        let begin = async || {
            count.fetch_add(1, Ordering::Relaxed);
            // The others come while this one is under way.
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(built())
        };
        let key = Digest::of(b"one");
        let (first, second, other) = tokio::join!(
            flights.join(key, begin),
            flights.join(key, begin),
            flights.join(Digest::of(b"two"), begin)
        );
        assert!(first.is_ok() && second.is_ok() && other.is_ok());
        assert_eq!(count.load(Ordering::Relaxed), 2);

        let fail = async || {
            tokio::task::yield_now().await;
            Err::<Built, _>("cancelled")
        };
        let works = async || Ok::<_, &str>(built());
        let (failed, next) = tokio::join!(flights.join(key, fail), flights.join(key, works));
        assert!(failed.is_err() && next.is_ok());
    }
}
