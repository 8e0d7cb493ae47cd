//! The provider's documentation: generated from its schema and the examples, kept in `provider/docs`.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod documentation;
