//! What of the lab runs, on disk: written after each start, so that a run that was killed can be cleaned up by the next.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::docker::Engine;
use crate::ministack::MiniStack;
use crate::process::Service;

/// The parts in the order of their start. A part is there from the moment it is started until it is stopped.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Docker.
    pub engine: Option<Engine>,
    /// AWS's stand-in.
    pub ministack: Option<MiniStack>,
    /// The ECR front before it.
    pub front: Option<FrontProcess>,
    /// The image for builds with Go. The last step of a start: where it is named, all is there.
    pub build_base: Option<String>,
}

/// The ECR front as a process of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrontProcess {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process.
    pub service: Service,
}

impl State {
    /// Reads the state; none means that nothing runs.
    pub fn load(cache: &Cache) -> Result<Self> {
        let file = file(cache);
        match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("`{}` is no lab state", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", file.display())),
        }
    }

    /// Writes the state, whole or not at all.
    pub fn save(&self, cache: &Cache) -> Result<()> {
        let (file, part) = (file(cache), cache.run().join("state.json.part"));
        fs::create_dir_all(cache.run())?;
        fs::write(&part, serde_json::to_vec_pretty(self)?)?;
        fs::rename(&part, &file).with_context(|| format!("cannot write `{}`", file.display()))
    }
}

fn file(cache: &Cache) -> PathBuf {
    cache.run().join("state.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        assert!(State::load(&cache).unwrap().engine.is_none());
        let engine = Engine { host: "unix:///x".to_owned(), gateway: "10.0.0.1".to_owned(), own: None };
        State { engine: Some(engine), ..State::default() }.save(&cache).unwrap();
        assert_eq!(State::load(&cache).unwrap().engine.unwrap().gateway, "10.0.0.1");
    }
}
