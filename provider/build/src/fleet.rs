//! Several builders as one: which of them builds, and what to do when one does not answer.
//!
//! Who builds natively for a platform comes first. Among those the same image goes to the same builder, on every
//! machine that asks, because that one has its steps in its cache; unless it has much more to do than others.

use std::{
    cmp::Reverse,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bollard_buildkit_proto::{
    moby::buildkit::v1::{ListWorkersRequest, control_client::ControlClient},
    pb,
};
use ecr_registry::{Digest, Platform};
use futures::future::join_all;
use tokio::{sync::OnceCell, time::timeout};
use tonic::transport::{Channel, Endpoint as ChannelEndpoint};

use crate::{
    connect::{ConnectError, connect},
    docker::Docker,
    endpoint::{Address, Endpoint},
};

/// How long a builder may take to say what it builds for.
const ANSWER: Duration = Duration::from_secs(10);
/// How many builds more than others a builder may have before its cache counts for nothing.
const SLACK: usize = 2;

/// Builders given by their addresses.
#[derive(Debug, Default)]
pub(crate) struct Fleet(Vec<Node>);

#[derive(Debug)]
struct Node {
    endpoint: Endpoint,
    running: Arc<AtomicUsize>,
    known: OnceCell<Known>,
}

/// What a builder said about itself.
#[derive(Debug, Clone)]
struct Known {
    docker: Option<Docker>,
    /// The first is its own, the others it may only imitate. Empty where it does not say.
    platforms: Vec<Platform>,
}

/// A builder that answers, and counts as busy until this is dropped.
pub(crate) struct Seat {
    pub(crate) address: Address,
    pub(crate) place: Place,
    _busy: Busy,
}

/// How it is spoken to.
pub(crate) enum Place {
    Docker(Docker),
    Buildkit(Channel),
}

struct Busy(Arc<AtomicUsize>);

impl Seat {
    /// Of a builder that is not one of a fleet.
    pub(crate) fn new(address: Address, place: Place) -> Self {
        Self { address, place, _busy: Busy::new(&Arc::default()) }
    }
}

impl Busy {
    fn new(running: &Arc<AtomicUsize>) -> Self {
        running.fetch_add(1, Ordering::Relaxed);
        Self(running.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// No builder is there for a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no builder for {platform} answers (tried {})", tried.join("; "))]
pub struct NoBuilder {
    /// What was to be built for.
    pub platform: Platform,
    /// Where, and what came of it.
    pub tried: Vec<String>,
}

impl Fleet {
    pub(crate) fn new(endpoints: Vec<Endpoint>) -> Self {
        let node = |endpoint| Node { endpoint, running: Arc::default(), known: OnceCell::new() };
        Self(endpoints.into_iter().map(node).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A builder for the platform that answers now. `key` stands for what is built, whatever its content.
    pub(crate) async fn choose(&self, platform: &Platform, key: &Digest) -> Result<Seat, NoBuilder> {
        let asked = join_all(self.0.iter().map(Node::known)).await;
        let mut tried: Vec<String> = Vec::new();
        let candidates = self.0.iter().zip(&asked).enumerate().filter_map(|(place, (node, known))| {
            let address = node.endpoint.address.to_string();
            match known {
                Ok(known) => {
                    let platforms = if node.endpoint.platforms.is_empty() {
                        Offered::Said(&known.platforms)
                    } else {
                        Offered::Given(&node.endpoint.platforms)
                    };
                    Some(Candidate {
                        place,
                        address,
                        platforms,
                        running: node.running.load(Ordering::Relaxed),
                    })
                }
                Err(why) => {
                    tried.push(format!("{address}: {why}"));
                    None
                }
            }
        });
        let candidates: Vec<_> = candidates.collect();
        let order = order(&candidates, platform, key);
        let others = candidates.iter().filter(|candidate| !order.contains(&candidate.place));
        let others: Vec<String> =
            others.map(|candidate| format!("{}: not for {platform}", candidate.address)).collect();
        for place in order {
            match self.0[place].open().await {
                Ok(seat) => return Ok(seat),
                Err(why) => tried.push(format!("{}: {why}", self.0[place].endpoint.address)),
            }
        }
        tried.extend(others);
        Err(NoBuilder { platform: platform.clone(), tried })
    }
}

impl Node {
    /// Asks once; one that does not answer is asked again by the next build.
    async fn known(&self) -> Result<&Known, String> {
        self.known.get_or_try_init(|| self.ask()).await
    }

    async fn ask(&self) -> Result<Known, String> {
        let Endpoint { address, tls, .. } = &self.endpoint;
        if let Address::Unix(_) = address
            && let Ok(docker) = Docker::connect(address.clone(), tls.clone()).await
        {
            return Ok(Known { docker: Some(docker), platforms: Vec::new() });
        }
        let (_, platforms) = self.buildkit().await?;
        Ok(Known { docker: None, platforms })
    }

    /// A connection over which it has just answered.
    async fn open(&self) -> Result<Seat, String> {
        let busy = Busy::new(&self.running);
        let place = match self.known().await?.docker.clone() {
            Some(docker) => Place::Docker(docker),
            None => Place::Buildkit(self.buildkit().await?.0),
        };
        Ok(Seat { address: self.endpoint.address.clone(), place, _busy: busy })
    }

    async fn buildkit(&self) -> Result<(Channel, Vec<Platform>), String> {
        let channel = channel(&self.endpoint).await.map_err(|error| innermost(&error))?;
        let mut client = ControlClient::new(channel.clone());
        let asking = client.list_workers(ListWorkersRequest::default());
        let answer = match timeout(ANSWER, asking).await {
            Err(_) => return Err(format!("no answer in {} s", ANSWER.as_secs())),
            Ok(Err(status)) => {
                return Err(format!("it is no buildkitd, or trusts us not: {}", innermost(&status)));
            }
            Ok(Ok(answer)) => answer.into_inner(),
        };
        let platforms = answer.record.into_iter().flat_map(|worker| worker.platforms).map(platform);
        Ok((channel, platforms.collect()))
    }
}

fn platform(platform: pb::Platform) -> Platform {
    let variant = Some(platform.variant).filter(|variant| !variant.is_empty());
    Platform { os: platform.os, architecture: platform.architecture, variant }
}

/// Opened before the channel is made, because a channel hides why it fails.
async fn channel(endpoint: &Endpoint) -> Result<Channel, ConnectError> {
    let stream = connect(&endpoint.address, endpoint.tls.as_ref()).await?;
    over(hyper_util::rt::TokioIo::new(stream)).await.map_err(|source| ConnectError::Refused {
        address: endpoint.address.clone(),
        source: std::io::Error::other(source),
    })
}

/// A channel over one connection, which is never made again.
pub(crate) async fn over<S>(stream: S) -> Result<Channel, tonic::transport::Error>
where
    S: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let mut first = Some(stream);
    let connector = tower::service_fn(move |_| {
        let stream = first.take();
        async move { stream.ok_or_else(|| std::io::Error::other("the connection to BuildKit broke")) }
    });
    ChannelEndpoint::from_static("http://buildkit").connect_with_connector(connector).await
}

/// The last of an error's causes says what happened.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// A builder among which is chosen.
struct Candidate<'a> {
    place: usize,
    address: String,
    platforms: Offered<'a>,
    running: usize,
}

/// What a builder builds for.
enum Offered<'a> {
    /// By its own word.
    Said(&'a [Platform]),
    /// By the configuration.
    Given(&'a [Platform]),
}

impl Offered<'_> {
    /// `None` where it is not for the platform, else whether it only imitates it.
    fn imitates(&self, platform: &Platform) -> Option<bool> {
        match self {
            Self::Given(given) => given.iter().any(|given| platform.matches(given)).then_some(false),
            Self::Said([]) => Some(true),
            Self::Said([own, ..]) if platform.matches(own) => Some(false),
            Self::Said(said) => said.iter().any(|said| platform.matches(said)).then_some(true),
        }
    }
}

/// The places of those that build for the platform, the best first.
fn order(candidates: &[Candidate<'_>], platform: &Platform, key: &Digest) -> Vec<usize> {
    let mut ranked: Vec<_> = candidates
        .iter()
        .filter_map(|candidate| {
            let imitates = candidate.platforms.imitates(platform)?;
            let weight = Digest::of(format!("{key} {}", candidate.address).as_bytes());
            Some(((imitates, candidate.running.saturating_sub(SLACK), Reverse(weight)), candidate.place))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests;
