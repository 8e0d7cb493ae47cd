//! A store for states, in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tfplugin_rs::{
    Attribute, CancellationToken, ConfigureStoreRequest, Diagnostic, Diagnostics, LockRequest, Schema,
    StateRequest, StateStore, Type, UnlockRequest, ValidateRequest, async_trait,
};

/// `corner_memory`.
#[derive(Default)]
pub(crate) struct Memory {
    states: Mutex<BTreeMap<String, Vec<u8>>>,
    locks: Mutex<BTreeMap<String, String>>,
}

/// What another thread left behind is whole.
fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl StateStore for Memory {
    fn type_name(&self) -> &'static str {
        "corner_memory"
    }

    fn schema(&self) -> Schema {
        Schema::new().attribute(Attribute::required("region", Type::String))
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        match request.config.get("region").as_str() {
            Some("east" | "west") => Diagnostics::new(),
            _ => Diagnostic::error("There is no such region", "Use `east` or `west`.").at("region").into(),
        }
    }

    async fn configure(&self, _: ConfigureStoreRequest) -> Diagnostics {
        Diagnostics::new()
    }

    async fn states(&self, _: CancellationToken) -> Result<Vec<String>, Diagnostics> {
        Ok(open(&self.states).keys().cloned().collect())
    }

    async fn read(&self, request: StateRequest) -> Result<Option<Vec<u8>>, Diagnostics> {
        Ok(open(&self.states).get(&request.name).cloned())
    }

    async fn write(&self, request: StateRequest, state: Vec<u8>) -> Result<(), Diagnostics> {
        open(&self.states).insert(request.name, state);
        Ok(())
    }

    async fn delete(&self, request: StateRequest) -> Result<(), Diagnostics> {
        open(&self.states).remove(&request.name);
        Ok(())
    }

    async fn lock(&self, request: LockRequest) -> Result<String, Diagnostics> {
        let mut locks = open(&self.locks);
        if let Some(operation) = locks.get(&request.name) {
            let summary = format!("`{}` is locked for {operation}", request.name);
            return Err(Diagnostic::error(summary, "").into());
        }
        let key = format!("key of {}", request.name);
        locks.insert(request.name, request.operation);
        Ok(key)
    }

    async fn unlock(&self, request: UnlockRequest) -> Result<(), Diagnostics> {
        if request.key != format!("key of {}", request.name) {
            return Err(Diagnostic::error("This is not the key", "").into());
        }
        open(&self.locks).remove(&request.name);
        Ok(())
    }
}
