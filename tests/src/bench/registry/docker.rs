//! Docker as a program that pushes: what is pushed has to be loaded before, by a daemon that may be anybody's.

use std::process::Command;

use anyhow::Result;

use super::image::TAG;
use super::program::{FROM, Job, TO, Task};
use crate::cache::Cache;
use crate::docker::Engine;
use crate::packages::Consent;
use crate::process::{LONG, run, run_with_input};
use crate::state::State;

/// The lab's Docker, or one of its own that ends with this.
pub(in crate::bench) struct Docker {
    pub(in crate::bench) engine: Engine,
    /// Whether it was started here.
    ours: bool,
    cache: Cache,
}

impl Docker {
    pub(in crate::bench) fn start(cache: &Cache) -> Result<Self> {
        let running = State::load(cache)?.engine.filter(Engine::is_up);
        let ours = running.is_none();
        let engine = match running {
            Some(engine) => engine,
            None => Engine::start(cache, Consent::from_flag(false), |engine| {
                State { engine: Some(engine.clone()), ..State::default() }.save(cache)
            })?,
        };
        Ok(Self { engine, ours, cache: cache.clone() })
    }

    pub(in crate::bench) fn version(&self) -> Result<String> {
        self.engine.ask(&["version", "--format", "{{.Server.Version}}"])
    }

    /// The daemon, where it is the lab's.
    pub(in crate::bench) fn pid(&self) -> Option<i32> {
        self.engine.own.as_ref().map(|service| service.pid)
    }

    /// The images are loaded once; what is measured is `docker push`.
    pub(super) fn command(&self, task: &Task<'_>) -> Result<Command> {
        let to = format!("{}/{TO}", task.to);
        let mut load = self.engine.docker();
        run_with_input(load.arg("load"), LONG, |input| task.images.docker_archive(&to, input))?;
        if task.job == Job::Copy {
            self.engine.ask(&["tag", &format!("{to}:{TAG}"), &source(task)])?;
        }
        let mut command = self.engine.docker();
        command.arg("push");
        if task.images.tags.len() > 1 {
            command.args(["--all-tags", &to])
        } else {
            command.arg(format!("{to}:{TAG}"))
        };
        Ok(command)
    }

    /// Has it push to where it shall copy from.
    pub(super) fn fill(&self, task: &Task<'_>) -> Result<()> {
        self.engine.ask(&["push", &source(task)]).map(drop)
    }

    /// Removes the images of a task, if it has any.
    pub(super) fn forget(&self, task: &Task<'_>) {
        let mut remove = self.engine.docker();
        remove.args(["image", "rm", "--force"]);
        remove.args(task.images.tags.iter().map(|tag| format!("{}/{TO}:{tag}", task.to)));
        remove.arg(source(task));
        _ = run(&mut remove, LONG); // a task of others left none
    }
}

fn source(task: &Task<'_>) -> String {
    format!("{}/{FROM}:{TAG}", task.from)
}

impl Drop for Docker {
    fn drop(&mut self) {
        if self.ours {
            // A failure leaves it to `cargo xtask lab down`.
            let stopped = self.engine.stop().and_then(|()| Engine::sweep(&self.cache));
            _ = stopped.and_then(|()| State::default().save(&self.cache));
        }
    }
}
