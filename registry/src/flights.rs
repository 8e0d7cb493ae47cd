//! Work that many want at the same time and that is done once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::error::ErrorKind;

/// One slot for each key, so that work on the same thing is done once and by one task at a time.
///
/// A task locks the slot for as long as it works; whoever comes meanwhile waits, and finds the result in the slot.
/// A task that is cancelled unlocks the slot as it was, and the next one does the work. At most `limit` slots are
/// remembered: beyond that, those that nobody holds are forgotten, the longest unused first.
pub(crate) struct Flights<K, V> {
    slots: Mutex<Slots<K, V>>,
    limit: usize,
}

/// What is known about one key.
pub(crate) type Slot<V> = Arc<tokio::sync::Mutex<V>>;

struct Slots<K, V> {
    by_key: HashMap<K, (Slot<V>, u64)>,
    /// Counts the uses, to tell old from new.
    clock: u64,
}

impl<K: Hash + Eq, V: Default> Flights<K, V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { slots: Mutex::new(Slots { by_key: HashMap::new(), clock: 0 }), limit }
    }

    pub(crate) fn slot(&self, key: K) -> Slot<V> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.clock += 1;
        let now = slots.clock;
        let entry = slots.by_key.entry(key).or_default();
        entry.1 = now;
        let slot = Arc::clone(&entry.0);
        if slots.by_key.len() > self.limit {
            slots.forget_older_half();
        }
        slot
    }
}

impl<K, V> Slots<K, V> {
    /// Half at once, so that the work of choosing is spread over many uses.
    fn forget_older_half(&mut self) {
        let mut uses: Vec<u64> = self.by_key.values().map(|(_, used)| *used).collect();
        let middle = uses.len() / 2;
        let (_, middle, _) = uses.select_nth_unstable(middle);
        let middle = *middle;
        self.by_key.retain(|_, (slot, used)| *used >= middle || Arc::strong_count(slot) > 1);
    }
}

/// Things that end: made by one for all who ask at the same time, renewed when 80 % of their life is over.
///
/// A failure answers those who waited for it, and is repeated for a moment to those who come next: a hundred
/// requests without credentials must not wait a hundred times for the same timeout.
pub(crate) struct Lived<K, V>(Flights<K, Life<V>>);

#[derive(Default)]
enum Life<V> {
    #[default]
    Unborn,
    Alive {
        value: V,
        renew_at: Instant,
        ends_at: Instant,
    },
    Failed {
        error: ErrorKind,
        until: Instant,
    },
}

/// For how long a failure is repeated without another attempt.
const FAILURE_HOLDS: Duration = Duration::from_secs(2);

impl<K: Hash + Eq, V: Clone> Lived<K, V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Flights::new(limit))
    }

    /// The value of the key, made with its length of life by `make` if there is none that is good enough.
    pub(crate) async fn get(
        &self,
        key: K,
        make: impl AsyncFnOnce() -> Result<(V, Duration), ErrorKind>,
    ) -> Result<V, ErrorKind> {
        let slot = self.0.slot(key);
        let mut life = slot.lock().await;
        if let Some(known) = life.at(Instant::now()) {
            return known;
        }
        // Boxed: what it takes to ask AWS is a deep nest of futures, which compilers need not see through.
        let outcome = Box::pin(make()).await;
        life.go_on(outcome, Instant::now())
    }

    /// Forgets the value if it is the one that did not work.
    pub(crate) async fn forget(&self, key: K, is_it: impl FnOnce(&V) -> bool) {
        let slot = self.0.slot(key);
        let mut life = slot.lock().await;
        if matches!(&*life, Life::Alive { value, .. } if is_it(value)) {
            *life = Life::Unborn;
        }
    }
}

impl<V: Clone> Life<V> {
    /// What to answer now; `None` if it has to be made.
    fn at(&self, now: Instant) -> Option<Result<V, ErrorKind>> {
        match self {
            Self::Alive { value, renew_at, .. } if now < *renew_at => Some(Ok(value.clone())),
            Self::Failed { error, until } if now < *until => Some(Err(error.clone())),
            Self::Unborn | Self::Alive { .. } | Self::Failed { .. } => None,
        }
    }

    /// Takes in what came of making it, and tells what to answer.
    fn go_on(&mut self, outcome: Result<(V, Duration), ErrorKind>, now: Instant) -> Result<V, ErrorKind> {
        match (outcome, &mut *self) {
            (Ok((value, length)), _) => {
                let (renew_at, ends_at) = (now + length.mul_f64(0.8), now + length);
                *self = Self::Alive { value: value.clone(), renew_at, ends_at };
                Ok(value)
            }
            // What is left of its life is for troubles such as this one.
            (Err(error), Self::Alive { value, renew_at, ends_at })
                if error.is_transient() && now < *ends_at =>
            {
                *renew_at = now + FAILURE_HOLDS;
                Ok(value.clone())
            }
            (Err(error), _) => {
                *self = Self::Failed { error: error.clone(), until: now + FAILURE_HOLDS };
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn only_so_many_slots_are_remembered() {
        let flights: Flights<u32, u32> = Flights::new(100);
        let held = flights.slot(0);
        *held.try_lock().unwrap() = 7;
        for key in 0..10_000 {
            *flights.slot(key % 5000).try_lock().unwrap() += 1;
            assert!(flights.slots.lock().unwrap().by_key.len() <= 101);
        }
        assert_eq!(*flights.slot(0).try_lock().unwrap(), 9); // someone held it all the time
        assert_eq!(*flights.slot(4999).try_lock().unwrap(), 1); // made anew since
    }

    #[test]
    fn a_value_is_renewed_at_four_fifths_of_its_life_and_outlives_trouble() {
        let (mut life, start) = (Life::default(), Instant::now());
        let mut get = |percent: u32, made: Result<u32, ErrorKind>| {
            let now = start + HOUR * percent / 100;
            let answer = life.at(now).unwrap_or_else(|| life.go_on(made.map(|value| (value, HOUR)), now));
            answer.map_err(|error| error.to_string())
        };
        let throttled = || Err(ErrorKind::Throttled(String::new()));
        let slow_down = || Err("the registry asks to slow down".to_owned());
        assert_eq!(get(0, Ok(1)), Ok(1));
        assert_eq!(get(79, Ok(2)), Ok(1));
        assert_eq!(get(80, Ok(2)), Ok(2));
        assert_eq!(get(170, throttled()), Ok(2));
        assert_eq!(get(170, Ok(3)), Ok(2)); // not asked again at once
        assert_eq!(get(175, Err(ErrorKind::ImageMissing)), Err("the registry has no such image".to_owned()));
        assert_eq!(get(175, Ok(3)), Err("the registry has no such image".to_owned()));
        assert_eq!(get(176, Ok(3)), Ok(3));
        assert_eq!(get(300, throttled()), slow_down());
        assert_eq!(get(301, Ok(4)), Ok(4));
    }

    #[tokio::test]
    async fn what_did_not_work_is_forgotten() {
        let lived = Lived::new(9);
        let get = async |value: u32| lived.get("key", async || Ok((value, HOUR))).await.unwrap();
        assert_eq!((get(0).await, get(1).await), (0, 0));
        lived.forget("key", |value| *value == 1).await;
        assert_eq!(get(1).await, 0);
        lived.forget("key", |value| *value == 0).await;
        assert_eq!(get(1).await, 1);
    }
}
