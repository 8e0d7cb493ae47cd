//! The bridge of the lab's own dockerd. There are no packet rules: containers see each other and this machine, no further,
//! and a user's Docker, whose rules have the same names, loses none.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::cache::Cache;
use crate::packages::find;
use crate::process::{SHORT, run};

/// A bridge whose name and address come from the lab's folder, so that two labs do not meet.
#[derive(Debug)]
pub(super) struct Network {
    /// Of the bridge, and of all else in the kernel that belongs to this lab.
    pub(super) name: String,
    /// The machine's address on the bridge.
    pub(super) gateway: String,
}

impl Network {
    pub(super) fn of(cache: &Cache) -> Self {
        let number = Sha256::digest(cache.run().as_os_str().as_encoded_bytes())[0];
        Self { name: format!("ekslab{number:03}"), gateway: format!("10.41.{number}.1") }
    }

    pub(super) fn add(&self) -> Result<()> {
        ip(&["link", "add", &self.name, "type", "bridge"])?;
        ip(&["address", "add", &format!("{}/24", self.gateway), "dev", &self.name])?;
        ip(&["link", "set", &self.name, "up"])
    }

    pub(super) fn remove(&self) -> Result<()> {
        if Path::new("/sys/class/net").join(&self.name).exists() {
            ip(&["link", "delete", &self.name])?;
        }
        Ok(())
    }
}

fn ip(words: &[&str]) -> Result<()> {
    let program = find("ip").context("`ip` is missing (Debian: iproute2)")?;
    run(Command::new(program).args(words), SHORT).map(drop)
}
