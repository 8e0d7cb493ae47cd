use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// One slot for each key, so that work on the same thing is done once and by one task at a time.
///
/// A task locks the slot for as long as it works; whoever comes meanwhile waits, and finds the result in the slot.
/// A task that is cancelled unlocks the slot as it was, and the next one does the work.
pub(crate) struct Flights<K, V>(Mutex<HashMap<K, Slot<V>>>);

/// What is known about one key.
pub(crate) type Slot<V> = Arc<tokio::sync::Mutex<V>>;

impl<K: Hash + Eq, V: Default> Flights<K, V> {
    pub(crate) fn slot(&self, key: K) -> Slot<V> {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
    }
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
