use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::Method;
use tokio::{sync::Notify, time::Instant};

use crate::names::Host;

/// What a registry counts requests by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    ReadManifest,
    PutManifest,
    CheckBlob,
    ReadBlob,
    StartUpload,
    Upload,
    /// An action of ECR's API for which the registry protocol has no request, by its name.
    Api(&'static str),
}

impl Kind {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        match (path.contains("/blobs/uploads/"), path.contains("/blobs/")) {
            (true, _) if method == Method::POST => Self::StartUpload,
            (true, _) => Self::Upload,
            (_, true) if method == Method::HEAD => Self::CheckBlob,
            (_, true) => Self::ReadBlob,
            _ if reads => Self::ReadManifest,
            _ => Self::PutManifest,
        }
    }

    /// How many a second ECR is asked for at most, and how many at once after a pause: half of the quotas, which are
    /// for a whole account and region and shared with everyone there.
    ///
    /// Source: "Amazon ECR endpoints and quotas", rate of each action.
    fn rate(self) -> Option<(f64, f64)> {
        match self {
            Self::PutManifest => Some((5.0, 10.0)),
            Self::StartUpload | Self::Upload => Some((40.0, 40.0)),
            Self::CheckBlob => Some((300.0, 300.0)),
            Self::ReadManifest | Self::ReadBlob | Self::Api(_) => None,
        }
    }
}

/// How fast requests go out, by registry and kind of request, shared by all that goes on in this process.
#[derive(Default, Clone)]
pub(crate) struct Paces(Arc<Mutex<Gates>>);

type Gates = HashMap<(Host, Kind), Arc<Gate>>;

struct Gate {
    pace: Mutex<Pace>,
    left: Notify,
}

/// A request on its way. It counts until this is dropped.
pub(crate) struct Pass {
    gate: Arc<Gate>,
    came_through: Option<Came>,
}

/// What became of a request, as far as its pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Through,
    /// Too fast; the registry may say when to come again.
    TooFast(Option<Duration>),
}

impl Paces {
    /// Waits until a request may go out.
    pub(crate) async fn enter(&self, host: &Host, kind: Kind) -> Pass {
        let gate = self.gate(host, kind);
        loop {
            let left = gate.left.notified();
            let asked = gate.pace.lock().unwrap_or_else(PoisonError::into_inner).ask(Instant::now());
            match asked {
                Asked::Go => break,
                Asked::At(time) => tokio::time::sleep_until(time).await,
                Asked::WhenOneCame => left.await,
            }
        }
        Pass { gate, came_through: None }
    }

    fn gate(&self, host: &Host, kind: Kind) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry((host.clone(), kind)).or_insert_with(|| {
            let rate = host.ecr().and_then(|_| kind.rate());
            Arc::new(Gate { pace: Mutex::new(Pace::new(rate, Instant::now())), left: Notify::new() })
        });
        Arc::clone(gate)
    }
}

impl Pass {
    pub(crate) fn came(&mut self, came: Came) {
        self.came_through = Some(came);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut pace = self.gate.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.came(self.came_through, Instant::now());
        drop(pace);
        self.gate.left.notify_one();
    }
}

/// Decides when the next request may go out.
///
/// A bucket of tokens holds what the registry is known to take. Beside it, `share` is the part of everything that is
/// used: halved when the registry says that it is too much, grown by a step with each answer, so that it swings around
/// what the registry gives to this process just now.
#[derive(Debug)]
struct Pace {
    /// Tokens a second, and the most that are kept.
    rate: Option<(f64, f64)>,
    tokens: f64,
    filled: Instant,
    share: f64,
    halved: Option<Instant>,
    closed_until: Option<Instant>,
    under_way: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Go,
    At(Instant),
    WhenOneCame,
}

/// Requests of one kind under way at once, to begin with; more than callers have.
const MOST: f64 = 64.0;
const SMALLEST_SHARE: f64 = 4.0 / MOST;
/// While nothing is refused: the whole quota.
const LARGEST_SHARE: f64 = 2.0;
const STEP: f64 = 1.0 / MOST;
/// Those that were sent together are refused together, which says it once.
const ONE_ANSWER: Duration = Duration::from_secs(1);
/// A registry may ask for a pause, but not for the day.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

impl Pace {
    fn new(rate: Option<(f64, f64)>, now: Instant) -> Self {
        let tokens = rate.map_or(0.0, |(_, most)| most);
        Self { rate, tokens, filled: now, share: 1.0, halved: None, closed_until: None, under_way: 0 }
    }

    fn ask(&mut self, now: Instant) -> Asked {
        if let Some(until) = self.closed_until.filter(|until| now < *until) {
            return Asked::At(until);
        }
        if f64::from(self.under_way) >= (MOST * self.share).max(1.0) {
            return Asked::WhenOneCame;
        }
        if let Some((a_second, most)) = self.rate {
            let a_second = a_second * self.share;
            let grown = now.duration_since(self.filled).as_secs_f64() * a_second;
            (self.tokens, self.filled) = ((self.tokens + grown).min(most), now);
            if self.tokens < 1.0 {
                return Asked::At(now + Duration::from_secs_f64((1.0 - self.tokens) / a_second));
            }
            self.tokens -= 1.0;
        }
        self.under_way += 1;
        Asked::Go
    }

    fn came(&mut self, came: Option<Came>, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        match came {
            Some(Came::Through) => self.share = (self.share + STEP).min(LARGEST_SHARE),
            Some(Came::TooFast(pause)) => {
                let pause = pause.map(|pause| now + pause.min(LONGEST_PAUSE));
                self.closed_until = self.closed_until.max(pause);
                if self.halved.is_none_or(|halved| now.duration_since(halved) >= ONE_ANSWER) {
                    self.share = (self.share / 2.0).max(SMALLEST_SHARE);
                    self.halved = Some(now);
                }
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn kinds_of_requests() {
        let check = |method, path, expected| assert_eq!(Kind::of(&method, path), expected, "{path}");
        check(Method::HEAD, "/v2/a/manifests/x", Kind::ReadManifest);
        check(Method::GET, "/v2/a/referrers/sha256:0", Kind::ReadManifest);
        check(Method::PUT, "/v2/a/manifests/x", Kind::PutManifest);
        check(Method::HEAD, "/v2/a/blobs/sha256:0", Kind::CheckBlob);
        check(Method::GET, "/v2/a/blobs/sha256:0", Kind::ReadBlob);
        check(Method::POST, "/v2/a/blobs/uploads/", Kind::StartUpload);
        check(Method::PUT, "/v2/a/blobs/uploads/7", Kind::Upload);
    }

    /// How many may go out now, each answered at once.
    fn many(pace: &mut Pace, now: Instant) -> usize {
        let go = std::iter::repeat_with(|| pace.ask(now)).take_while(|asked| *asked == Asked::Go);
        let count = go.take(1000).count();
        (0..count).for_each(|_| pace.came(None, now));
        count
    }

    #[test]
    fn a_bucket_fills_at_its_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(Kind::PutManifest.rate(), start);
        assert_eq!(many(&mut pace, start), 10);
        assert_eq!(pace.ask(start), Asked::At(start + SECOND / 5));
        assert_eq!(many(&mut pace, start + SECOND), 5);
        assert_eq!(many(&mut pace, start + 100 * SECOND), 10);
    }

    #[test]
    fn too_fast_halves_once_for_those_sent_together_and_grows_back_by_steps() {
        let start = Instant::now();
        let mut pace = Pace::new(None, start);
        assert_eq!(many(&mut pace, start), 64);
        for (after, expected) in [(0, 32), (0, 32), (1, 16), (2, 8), (3, 4), (4, 4), (9, 4)] {
            let now = start + after * SECOND;
            assert_eq!(pace.ask(now), Asked::Go);
            pace.came(Some(Came::TooFast(None)), now);
            assert_eq!(many(&mut pace, now), expected);
        }
        for expected in [5, 6, 7] {
            assert_eq!(pace.ask(start), Asked::Go);
            pace.came(Some(Came::Through), start);
            assert_eq!(many(&mut pace, start), expected);
        }
    }

    #[test]
    fn a_pause_is_kept_by_all() {
        let start = Instant::now();
        let mut pace = Pace::new(None, start);
        assert_eq!(pace.ask(start), Asked::Go);
        pace.came(Some(Came::TooFast(Some(3 * SECOND))), start);
        assert_eq!(pace.ask(start + SECOND), Asked::At(start + 3 * SECOND));
        assert_eq!(pace.ask(start + 3 * SECOND), Asked::Go);
        pace.came(Some(Came::TooFast(Some(1000 * SECOND))), start + 3 * SECOND);
        assert_eq!(pace.ask(start + 4 * SECOND), Asked::At(start + 3 * SECOND + LONGEST_PAUSE));
    }

    #[tokio::test]
    async fn one_that_waits_goes_when_another_came() {
        let (paces, host): (Paces, Host) = (Paces::default(), "ghcr.io".parse().unwrap());
        let mut passes = Vec::new();
        for _ in 0..64 {
            passes.push(paces.enter(&host, Kind::ReadBlob).await);
        }
        let next = paces.enter(&host, Kind::ReadBlob);
        tokio::pin!(next);
        assert!(futures::poll!(&mut next).is_pending());
        passes.pop();
        next.await;
    }
}
