//! Builders beside their peers: what ours make of a context and a Dockerfile, and what BuildKit's own code makes of it.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod apart;
mod buildkit;
mod moby;
mod native;
