//! Data a provider keeps in the state beside a resource, unseen by the user.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, de::DeserializeOwned};

use crate::Diagnostic;

use crate::json;

/// A resource's private data: bytes by key. Not encrypted, so no place for secrets.
///
/// Travels as a JSON object from key to base64, like that of terraform-plugin-framework, so that state
/// can move between the two. Keys that begin with a dot are the framework's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private(BTreeMap<String, Vec<u8>>);

/// Private data that somebody else wrote, or that was damaged.
#[derive(Debug, thiserror::Error)]
#[error("private data of the resource cannot be read")]
pub struct PrivateError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Private {
    /// What is kept under a key.
    ///
    /// # Errors
    /// If it is not of this shape.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, PrivateError> {
        let read = self.0.get(key).map(|bytes| serde_json::from_slice(bytes)).transpose();
        read.map_err(|error| PrivateError(error.into()))
    }

    /// Keeps a value under a key, as JSON.
    ///
    /// # Errors
    /// If the value has no JSON form.
    pub fn set<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), PrivateError> {
        let bytes = serde_json::to_vec(value).map_err(|error| PrivateError(error.into()))?;
        self.0.insert(key.to_owned(), bytes);
        Ok(())
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, PrivateError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let texts = json::parse(bytes).and_then(serde_json::from_value::<BTreeMap<String, String>>);
        let texts = texts.map_err(|error| PrivateError(error.into()))?;
        let decode = |(key, text): (String, String)| Ok((key, STANDARD.decode(text)?));
        let decoded: Result<_, base64::DecodeError> = texts.into_iter().map(decode).collect();
        decoded.map(Self).map_err(|error| PrivateError(error.into()))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let texts = self.0.iter().map(|(key, bytes)| (key.clone(), STANDARD.encode(bytes).into()));
        serde_json::Value::Object(texts.collect()).to_string().into_bytes()
    }
}

impl From<PrivateError> for Diagnostic {
    fn from(error: PrivateError) -> Self {
        Self::error("The resource's private data is unusable", error.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travels_as_keys_to_base64() {
        let mut private = Private::default();
        assert!(private.encode().is_empty());
        private.set("witness", &("sha256:00", 1)).unwrap();
        let bytes = private.encode();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), r#"{"witness":"WyJzaGEyNTY6MDAiLDFd"}"#);
        let read = Private::decode(&bytes).unwrap();
        assert_eq!(read.get("witness").unwrap(), Some(("sha256:00".to_owned(), 1)));
        assert_eq!(read.get::<String>("other").unwrap(), None);
        assert!(read.get::<u32>("witness").is_err());
        assert_eq!(Private::decode(b"").unwrap(), Private::default());
    }

    #[test]
    fn damage_is_an_error() {
        for bytes in ["[]", "{", r#"{"a":1}"#, r#"{"a":"?"}"#] {
            assert!(Private::decode(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }
}
