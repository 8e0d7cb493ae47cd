//! The network of the lab's own dockerd: its bridge, and the packet rules that dockerd adds and leaves behind.
//!
//! Two labs, or a lab and another Docker, must not meet: name and address come from the lab's folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::cache::Cache;
use crate::packages::find;
use crate::process::{SHORT, run};

/// A bridge of the lab's own.
#[derive(Debug)]
pub(super) struct Network {
    /// Of the bridge, and of all else in the kernel that belongs to this lab.
    pub(super) name: String,
    /// `10.41.<number>.`
    prefix: String,
}

impl Network {
    pub(super) fn of(cache: &Cache) -> Self {
        let number = Sha256::digest(cache.run().as_os_str().as_encoded_bytes())[0];
        Self { name: format!("ekslab{number:03}"), prefix: format!("10.41.{number}.") }
    }

    /// The machine's address on the bridge.
    pub(super) fn gateway(&self) -> String {
        format!("{}1", self.prefix)
    }

    /// Makes the bridge, and notes in the folder what dockerd is about to change.
    pub(super) fn add(&self, folder: &Path) -> Result<()> {
        remember_forwarding(folder)?;
        ip(&["link", "add", &self.name, "type", "bridge"])?;
        ip(&["address", "add", &format!("{}/24", self.gateway()), "dev", &self.name])?;
        ip(&["link", "set", &self.name, "up"])
    }

    /// Removes the bridge and its rules, and puts back what was noted.
    pub(super) fn remove(&self, folder: &Path) -> Result<()> {
        if !Path::new("/sys/class/net").join(&self.name).exists() {
            return Ok(());
        }
        for table in ["nat", "filter"] {
            let rules = iptables(&["-t", table, "-S"])?;
            for words in self.removals(&rules) {
                iptables(&[&["-t", table], &*words].concat())?;
            }
        }
        restore_forwarding(folder)?;
        ip(&["link", "delete", &self.name])
    }

    /// The commands that take this network out of what `iptables -S` printed: rules first, then Docker's chains, which
    /// stay when another Docker uses them.
    fn removals<'a>(&self, rules: &'a str) -> Vec<Vec<&'a str>> {
        let ours = |rule: &str| rule.contains(&self.name) || rule.contains(&self.prefix);
        let docker = |rule: &str| rule.contains("DOCKER");
        let of_another =
            |rule: &str| docker(rule) && !ours(rule) && (rule.contains(" -i ") || rule.contains(" -o "));
        let shared = rules.lines().any(of_another);
        let rule_removals = rules
            .lines()
            .filter_map(|line| line.strip_prefix("-A "))
            .filter(|rule| ours(rule) || (docker(rule) && !shared))
            .map(|rule| std::iter::once("-D").chain(rule.split(' ')).collect());
        let chain_removals = rules
            .lines()
            .filter_map(|line| line.strip_prefix("-N "))
            .filter(|chain| docker(chain) && !shared)
            .map(|chain| vec!["-X", chain]);
        rule_removals.chain(chain_removals).collect()
    }
}

const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";
const SWITCH_FILE: &str = "ip_forward.before";
const POLICY_FILE: &str = "forward-policy.before";

/// dockerd turns forwarding on where it was off, and then sets its policy to DROP.
fn remember_forwarding(folder: &Path) -> Result<()> {
    fs::write(folder.join(SWITCH_FILE), fs::read(FORWARDING)?)?;
    let rules = iptables(&["-S", "FORWARD"])?;
    Ok(fs::write(folder.join(POLICY_FILE), rules.lines().next().unwrap_or_default())?)
}

fn restore_forwarding(folder: &Path) -> Result<()> {
    let read = |name| fs::read_to_string(folder.join(name)).ok();
    let (Some(switch), Some(policy)) = (read(SWITCH_FILE), read(POLICY_FILE)) else { return Ok(()) };
    if switch.trim() == "0" {
        fs::write(FORWARDING, switch)?;
        iptables(&policy.split(' ').collect::<Vec<_>>())?;
    }
    Ok(())
}

fn ip(words: &[&str]) -> Result<()> {
    let program = find("ip").context("`ip` is missing (Debian: iproute2)")?;
    run(Command::new(program).args(words), SHORT).map(drop)
}

fn iptables(words: &[&str]) -> Result<String> {
    let program = find("iptables-legacy").or_else(|| find("iptables")).context("iptables is missing")?;
    run(Command::new(program).args(words), SHORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &str, expected: &[&str]) {
        let network = Network { name: "ekslab007".to_owned(), prefix: "10.41.7.".to_owned() };
        let found: Vec<_> = network.removals(rules).iter().map(|words| words.join(" ")).collect();
        assert_eq!(found, expected, "{rules}");
    }

    #[test]
    fn only_what_the_lab_added_goes() {
        check("-P FORWARD ACCEPT\n-N MINE\n-A INPUT -j MINE\n", &[]);
        check(
            "-N DOCKER\n-A FORWARD -o ekslab007 -j DOCKER\n-A FORWARD -j DOCKER-USER\n-A POSTROUTING -s 10.41.7.0/24 -j X\n",
            &[
                "-D FORWARD -o ekslab007 -j DOCKER",
                "-D FORWARD -j DOCKER-USER",
                "-D POSTROUTING -s 10.41.7.0/24 -j X",
                "-X DOCKER",
            ],
        );
    }

    #[test]
    fn what_another_docker_uses_stays() {
        check(
            "-N DOCKER\n-A FORWARD -o docker0 -j DOCKER\n-A FORWARD -j DOCKER-USER\n-A DOCKER -i ekslab007 -j RETURN\n",
            &["-D DOCKER -i ekslab007 -j RETURN"],
        );
    }
}
