//! Where in a registry a blob is, and what follows from it for the next repository that wants it. Decides; sends
//! nothing.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::watch;

use crate::names::{Digest, Host, Repository};

/// The push of one image, as those see it who want to take over its blobs.
///
/// ECR mounts only blobs that a manifest in the source repository names, so that they may have to wait for it. A push
/// waits for older ones alone: no two wait for each other. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Voyage {
    number: u64,
    named: Arc<watch::Sender<bool>>,
}

impl Voyage {
    pub(super) fn new(numbers: &AtomicU64) -> Self {
        Self { number: numbers.fetch_add(1, Ordering::Relaxed), named: Arc::default() }
    }

    /// A part of the same push, with a manifest of its own.
    pub(crate) fn part(&self) -> Self {
        Self { number: self.number, named: Arc::default() }
    }

    /// The manifest is there, and names all blobs of the push.
    pub(crate) fn arrived(&self) {
        self.named.send_replace(true);
    }

    /// The home of a blob that this push brought to the repository.
    pub(super) fn home(&self, repository: &Repository) -> Home {
        Home { repository: repository.clone(), number: self.number, named: self.named.subscribe() }
    }
}

/// A repository that has a blob since one push.
#[derive(Clone)]
pub(super) struct Home {
    pub(super) repository: Repository,
    number: u64,
    named: watch::Receiver<bool>,
}

/// How far the push is that made the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// A manifest names the blob.
    Named,
    /// The push is under way, and older than the one that asks.
    Older,
    /// The push is under way, but not older; or it ended early.
    Vague,
}

impl Home {
    fn is_under_way(&self) -> bool {
        !*self.named.borrow() && self.named.has_changed().is_ok()
    }

    pub(super) fn stage(&self, asker: &Voyage) -> Stage {
        match (*self.named.borrow(), self.named.has_changed()) {
            (true, _) => Stage::Named,
            (false, Ok(_)) if self.number < asker.number => Stage::Older,
            (false, _) => Stage::Vague,
        }
    }

    /// Waits until the manifest is there, or will not come.
    pub(super) async fn settled(mut self) {
        _ = self.named.wait_for(|named| *named).await;
    }
}

/// What pushes that are under way need: whoever is younger leaves that to them.
#[derive(Default)]
pub(super) struct Claims(Mutex<Vec<Claim>>);

struct Claim {
    home: Home,
    blobs: HashSet<Digest>,
}

impl Claims {
    pub(super) fn add(&self, voyage: &Voyage, repository: &Repository, blobs: HashSet<Digest>) {
        let mut claims = self.claims();
        claims.retain(|claim| claim.home.is_under_way());
        claims.push(Claim { home: voyage.home(repository), blobs });
    }

    /// A push that is older than this one, and needs the blob in another repository of the registry.
    pub(super) fn older(&self, asker: &Voyage, repository: &Repository, blob: Digest) -> Option<Home> {
        let claims = self.claims();
        let claim = claims.iter().find(|Claim { home, blobs }| {
            let elsewhere = home.repository.host() == repository.host() && home.repository != *repository;
            elsewhere && blobs.contains(&blob) && home.stage(asker) == Stage::Older
        });
        claim.map(|claim| claim.home.clone())
    }

    fn claims(&self) -> MutexGuard<'_, Vec<Claim>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to do for a blob that the repository does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Ask the registry to take it over; it may still want the bytes.
    Mount(&'a Repository),
    /// Wait for the push that made the home, then decide again.
    Wait,
    Send,
}

/// What is known when it is decided.
pub(super) struct Outlook<'a> {
    pub(super) wanted_in: &'a Repository,
    /// Where the caller says that the blob is.
    pub(super) source: Option<&'a Repository>,
    /// Where it is since a push of this process.
    pub(super) home: Option<(&'a Repository, Stage)>,
    /// Whether waiting for a mount may be worth it.
    pub(super) mounts: bool,
}

impl<'a> Outlook<'a> {
    pub(super) fn step(&self) -> Step<'a> {
        let same_registry =
            |from: &&Repository| from.host() == self.wanted_in.host() && *from != self.wanted_in;
        if let Some(source) = self.source.filter(same_registry) {
            return Step::Mount(source);
        }
        let only_named = self.wanted_in.host().ecr().is_some();
        match self.home.filter(|(home, _)| same_registry(home)) {
            Some((_, Stage::Older)) if only_named && self.mounts => Step::Wait,
            // An attempt that is refused costs nothing: it opens the session to send the bytes to.
            Some((home, _)) => Step::Mount(home),
            None => Step::Send,
        }
    }
}

/// Which registries mount, as far as that was seen.
#[derive(Default)]
pub(super) struct Mounts(Mutex<HashMap<Host, Seen>>);

#[derive(Default, Clone, Copy)]
struct Seen {
    mounted: u32,
    refused: u32,
}

/// So often a registry has to refuse before nobody waits for it any more: single repositories may have reasons of
/// their own, such as another key.
const REFUSALS: u32 = 2;

impl Mounts {
    /// Whether it is worth to wait for a mount.
    pub(super) fn are_likely(&self, host: &Host) -> bool {
        let seen = self.seen().get(host).copied().unwrap_or_default();
        seen.mounted > 0 || seen.refused < REFUSALS
    }

    pub(super) fn mounted(&self, host: &Host) {
        self.seen().entry(host.clone()).or_default().mounted += 1;
    }

    pub(super) fn refused(&self, host: &Host) {
        self.seen().entry(host.clone()).or_default().refused += 1;
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Host, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        let ecr = |name: &str| -> Repository {
            format!("123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}").parse().unwrap()
        };
        let plain = |name: &str| -> Repository { format!("127.0.0.1:5000/{name}").parse().unwrap() };
        let check =
            |wanted_in: &Repository, source: Option<&Repository>, home, mounts, expected: Step<'_>| {
                let outlook = Outlook { wanted_in, source, home, mounts };
                assert_eq!(outlook.step(), expected, "{wanted_in} {source:?} {home:?}");
            };
        let (ecr_a, ecr_b, plain_a, plain_b) = (&ecr("a"), &ecr("b"), &plain("a"), &plain("b"));
        check(plain_a, None, None, true, Step::Send);
        check(plain_a, Some(plain_b), None, true, Step::Mount(plain_b));
        check(plain_a, Some(ecr_b), None, true, Step::Send); // bytes come from another registry
        check(plain_a, Some(plain_a), None, true, Step::Send);
        check(plain_a, None, Some((ecr_b, Stage::Named)), true, Step::Send);
        check(plain_a, None, Some((plain_b, Stage::Older)), true, Step::Mount(plain_b));
        check(ecr_a, None, Some((ecr_b, Stage::Named)), true, Step::Mount(ecr_b));
        check(ecr_a, None, Some((ecr_b, Stage::Older)), true, Step::Wait);
        check(ecr_a, None, Some((ecr_b, Stage::Older)), false, Step::Mount(ecr_b));
        check(ecr_a, None, Some((ecr_b, Stage::Vague)), true, Step::Mount(ecr_b));
        check(ecr_a, Some(ecr_b), Some((ecr_b, Stage::Older)), true, Step::Mount(ecr_b));
    }

    #[tokio::test]
    async fn a_push_waits_for_older_ones_until_they_end() {
        let (numbers, repository) = (AtomicU64::new(0), "127.0.0.1:5000/a".parse().unwrap());
        let [first, second] = [(); 2].map(|()| Voyage::new(&numbers));
        let (home, younger) = (first.home(&repository), second.home(&repository));
        assert_eq!((home.stage(&second), younger.stage(&first)), (Stage::Older, Stage::Vague));
        drop(second);
        assert_eq!(younger.stage(&Voyage::new(&numbers)), Stage::Vague);
        younger.settled().await;
        first.arrived();
        drop(first);
        assert_eq!(home.stage(&Voyage::new(&numbers)), Stage::Named);
        home.settled().await;
    }

    #[tokio::test]
    async fn parts_of_one_push_are_equally_old() {
        let (numbers, repository) = (AtomicU64::new(0), "127.0.0.1:5000/a".parse().unwrap());
        let [first, second] = [(); 2].map(|()| Voyage::new(&numbers));
        let (part, younger) = (first.part(), second.part());
        let home = part.home(&repository);
        assert_eq!((home.stage(&first), home.stage(&younger)), (Stage::Vague, Stage::Older));
        assert_eq!(younger.home(&repository).stage(&part), Stage::Vague);
        part.arrived();
        assert_eq!(home.stage(&younger), Stage::Named);
        assert_eq!(first.home(&repository).stage(&younger), Stage::Older);
    }

    #[test]
    fn what_an_older_push_needs_is_left_to_it() {
        let (claims, numbers) = (Claims::default(), AtomicU64::new(0));
        let [shared, other] = [b"1", b"2"].map(|text| Digest::of(text));
        let [web, shop, away] = ["127.0.0.1:1/web", "127.0.0.1:1/shop", "127.0.0.1:2/web"]
            .map(|name| name.parse::<Repository>().unwrap());
        let [oldest, older, younger] = [(); 3].map(|()| Voyage::new(&numbers));
        claims.add(&older, &shop, [shared, other].into());
        claims.add(&oldest, &web, [shared].into());
        let check = |asker: &Voyage, repository: &Repository, blob, expected: Option<&Repository>| {
            let found = claims.older(asker, repository, blob).map(|home| home.repository);
            assert_eq!(found.as_ref(), expected, "{} {repository}", asker.number);
        };
        check(&oldest, &web, shared, None);
        check(&older, &shop, shared, Some(&web));
        check(&younger, &shop, other, None); // a push to one repository sends each blob once without this
        check(&younger, &web, other, Some(&shop));
        check(&younger, &away, shared, None);
        oldest.arrived();
        claims.add(&younger, &web, [shared].into());
        assert_eq!(claims.claims().len(), 2);
        check(&younger, &web, shared, Some(&shop));
        drop(older);
        check(&younger, &web, shared, None);
    }

    #[test]
    fn registries_that_do_not_mount_are_not_waited_for() {
        let (mounts, host): (_, Host) = (Mounts::default(), "ghcr.io".parse().unwrap());
        for expected in [true, true, false, false] {
            assert_eq!(mounts.are_likely(&host), expected);
            mounts.refused(&host);
        }
        mounts.mounted(&host);
        assert!(mounts.are_likely(&host));
    }
}
