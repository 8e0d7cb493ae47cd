//! Starting and stopping the lab as a whole.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Lab;
use crate::base::{self, Origin};
use crate::cache::{Cache, lock, remove};
use crate::docker::Engine;
use crate::http::answers;
use crate::ministack::{MiniStack, Ports};
use crate::packages::Consent;
use crate::process::Service;
use crate::state::{FrontProcess, State};
use crate::{node, progress, providers};

/// The front's port; MiniStack's are counted from here. `EKS_DEPLOY_LAB_PORT` names another one.
const FIRST_PORT: u16 = 14_560;
const READY: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(10);

/// Starts the lab, or finds it running. What died or was left half started is cleaned up first.
pub fn up(cache: &Cache, consent: Consent) -> Result<Lab> {
    let _one_at_a_time = hold(cache)?;
    if let Some(lab) = Lab::whole(cache, State::load(cache)?).filter(Lab::is_up) {
        return Ok(lab);
    }
    stop(cache)?;
    let mut state = State::default();
    start(cache, consent, &mut state)?;
    Lab::whole(cache, state).context("every part was started")
}

/// Ends what the lab started, and nothing else. What was built stays in the cache.
pub fn down(cache: &Cache) -> Result<()> {
    let _one_at_a_time = hold(cache)?;
    stop(cache)
}

fn hold(cache: &Cache) -> Result<std::fs::File> {
    std::fs::create_dir_all(cache.join("."))?;
    lock(&cache.join("lab.lock"))
}

/// Each part is written down as soon as it runs.
fn start(cache: &Cache, consent: Consent, state: &mut State) -> Result<()> {
    std::fs::create_dir_all(cache.run())?;
    providers::write_cli_config(cache)?;
    let first = first_port()?;
    let engine = Engine::start(cache, consent, |engine| {
        state.engine = Some(engine.clone());
        state.save(cache)
    })?;
    let image = node::image(cache, &engine, consent)?;
    let ports = Ports { gateway: first + 1, iot: first + 2, eks: first + 10 };
    let ministack = MiniStack::start(cache, &engine, &image, ports, |ministack| {
        state.ministack = Some(ministack.clone());
        state.save(cache)
    })?;
    state.front = Some(start_front(cache, SocketAddr::from(([127, 0, 0, 1], first)), &ministack)?);
    state.save(cache)?;
    let origin = if image == node::PUBLIC { Origin::Public } else { Origin::Machine(consent) };
    base::push_busybox(cache, &engine, &ministack, origin)?;
    state.build_base = Some(base::golang(cache, &engine, origin)?);
    state.save(cache)
}

fn start_front(cache: &Cache, address: SocketAddr, ministack: &MiniStack) -> Result<FrontProcess> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("front").arg(format!("--listen={address}")).arg(format!("--upstream={}", ministack.address));
    let service = Service::start("the ECR front", &mut command, cache.run().join("front.log"))?;
    let ready = service.wait_until(READY, || answers(address, "/_front/requests"));
    if ready.is_err() {
        service.stop(GRACE)?;
    }
    ready.map(|()| FrontProcess { address, service })
}

fn stop(cache: &Cache) -> Result<()> {
    let mut state = State::load(cache)?;
    state.build_base = None;
    if let Some(front) = state.front.take() {
        front.service.stop(GRACE)?;
        state.save(cache)?;
    }
    if let (Some(ministack), Some(engine)) = (state.ministack.take(), &state.engine) {
        progress::step("stop MiniStack and its clusters", || ministack.stop(engine))?;
        state.save(cache)?;
    }
    if let Some(engine) = state.engine.take().filter(|engine| engine.own.is_some()) {
        progress::step("stop dockerd", || engine.stop())?;
    }
    Engine::sweep(cache)?;
    remove(&cache.run())
}

fn first_port() -> Result<u16> {
    let Ok(text) = std::env::var("EKS_DEPLOY_LAB_PORT") else { return Ok(FIRST_PORT) };
    let port: u16 = text.parse().with_context(|| format!("EKS_DEPLOY_LAB_PORT: `{text}` is no port"))?;
    Ok(port.min(u16::MAX - 100))
}
