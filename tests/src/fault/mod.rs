//! A proxy on loopback that does to connections what networks do: cuts, resets, stalls and slows them, loses, splits
//! and half-closes what they carry, at any byte, as a schedule says that is drawn from a seed.
//!
//! It carries bytes and refuses to know what they mean.

mod random;
mod relay;
mod schedule;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

pub use random::Random;
pub use schedule::{Direction, Fault, Kind, Place, Schedule, Traffic};

/// A proxy that ends, and with it all its connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    state: Mutex<State>,
    kill: Notify,
    silence: Notify,
}

#[derive(Debug)]
struct State {
    /// Faults that have not struck yet.
    pending: Vec<Fault>,
    struck: Vec<Fault>,
    passed: Traffic,
}

impl Proxy {
    /// A proxy before a server, on a free port of this machine, inside the current tokio runtime.
    pub async fn start(to: SocketAddr, schedule: &Schedule) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state =
            State { pending: schedule.faults.clone(), struck: Vec::new(), passed: Traffic::default() };
        let shared =
            Arc::new(Shared { to, state: Mutex::new(state), kill: Notify::new(), silence: Notify::new() });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What passed so far.
    pub fn traffic(&self) -> Traffic {
        self.shared.state().passed
    }

    /// The faults that struck so far, in their order.
    pub fn struck(&self) -> Vec<Fault> {
        self.shared.state().struck.clone()
    }

    /// Waits until something goes silent.
    pub async fn silence_falls(&self) {
        self.shared.silence.notified().await;
    }

    /// Waits until the schedule wants the client dead.
    pub async fn kill_is_due(&self) {
        self.shared.kill.notified().await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of the next `length` bytes pass, and what happens then. `passed` are the bytes of this connection and
    /// direction that passed before.
    fn claim(
        &self,
        connection: usize,
        direction: Direction,
        passed: u64,
        length: usize,
    ) -> (usize, Option<Kind>) {
        let mut state = self.state();
        let all = state.passed.bytes(direction);
        let distance = |place: &Place| match place.connection {
            _ if place.direction != direction => None,
            None => Some(place.byte.saturating_sub(all)),
            Some(number) if number == connection => Some(place.byte.saturating_sub(passed)),
            Some(_) => None,
        };
        let faults = state.pending.iter().enumerate();
        let next = faults
            .filter_map(|(index, fault)| Some((distance(&fault.place)?, index)))
            .min()
            .map(|(distance, index)| (usize::try_from(distance).unwrap_or(usize::MAX), index));
        let (length, kind) = match next {
            Some((distance, index)) if distance < length => {
                let fault = state.pending.swap_remove(index);
                state.struck.push(fault);
                if fault.kind.is_silent() {
                    self.silence.notify_one();
                }
                (distance, Some(fault.kind))
            }
            _ => (length, None),
        };
        match direction {
            Direction::Up => state.passed.up += length as u64,
            Direction::Down => state.passed.down += length as u64,
        }
        (length, kind)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((client, _)) = accepted else { return };
        _ = client.set_nodelay(true); // what is split stays split
        let number = {
            let mut state = shared.state();
            state.passed.connections += 1;
            state.passed.connections - 1
        };
        connections.spawn(relay::relay(Arc::clone(&shared), number, client));
    }
}

#[cfg(test)]
mod tests;
