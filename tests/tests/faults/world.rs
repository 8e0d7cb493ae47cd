//! What all runs need: an ECR, a client of it, an image, and an eye for errors.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use ecr_registry::content::{ImageConfig, ImageManifest, media_type};
use ecr_registry::{
    Blob, Endpoints, Error, Image, Login, Manifest, Patience, Reference, Registry, Repository, Secret,
    Settings, Tag,
};
use lab::ecr::Scope;
use lab::emulator::{Emulator, Options};
use lab::fault::{Kind, Random, Schedule};

/// The repository that everything is pushed to.
pub(crate) const NAME: &str = "shop/web";

/// Layers of very different length, 8 MiB and more in all.
const LAYERS: [usize; 6] = [3 << 20, 5 << 19, 3 << 19, 1 << 20, 200_000, 1];

/// For what fails and is tried again.
const FIRST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(50);
/// How long silence is borne where there is some: far longer than a busy machine takes for anything.
const SILENCE: Duration = Duration::from_secs(6);

/// The seed of the content that most runs share.
pub(crate) const CONTENT: u64 = 42;
pub(crate) static IMAGE: LazyLock<Image> = LazyLock::new(|| image(CONTENT));

/// An image whose content follows from the seed.
pub(crate) fn image(seed: u64) -> Image {
    let mut random = Random::seeded(seed);
    let layers: Vec<Blob> = LAYERS
        .iter()
        .map(|length| Blob::of_bytes(media_type::OCI_LAYER, random.bytes(*length).into()))
        .collect();
    let (architecture, os) = ("amd64".to_owned(), "linux".to_owned());
    let config = ImageConfig { architecture, os, ..ImageConfig::default() };
    let config = Blob::of_bytes(media_type::OCI_CONFIG, serde_json::to_vec(&config).unwrap().into());
    let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new());
    Image { manifest: Manifest::of_image(manifest), config, layers }
}

/// How much a client bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nerves {
    /// As much as by default, but with short waits before another attempt.
    Strong,
    /// Silence for less than minutes.
    ShortOfSilence,
    /// No failure at all.
    None,
}

impl Nerves {
    /// A fifth of all gives up at the first failure.
    pub(crate) fn of(schedule: &Schedule) -> Self {
        match schedule.seed % 5 {
            0 => Self::None,
            _ if schedule.has(Kind::is_silent) => Self::ShortOfSilence,
            _ => Self::Strong,
        }
    }

    fn patience(self) -> Patience {
        let strong = Patience { first_wait: FIRST_WAIT, longest_wait: LONGEST_WAIT, ..Patience::default() };
        let short = Patience { answer: SILENCE, stall: SILENCE, store: SILENCE, ..strong.clone() };
        match self {
            Self::Strong => strong,
            Self::ShortOfSilence => short,
            Self::None => Patience { attempts: 1, ..short },
        }
    }
}

impl FromStr for Nerves {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Strong, Self::ShortOfSilence, Self::None];
        all.into_iter().find(|nerves| format!("{nerves:?}") == text).ok_or_else(|| text.to_owned())
    }
}

/// What a client has to know of a registry.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) host: String,
    pub(crate) address: SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Door {
    /// The emulator, reached at this address.
    pub(crate) fn of(ecr: &Emulator, address: SocketAddr) -> Self {
        let (user, password) = ecr.login();
        Self { host: ecr.host(), address, user, password }
    }

    pub(crate) fn repository(&self) -> Repository {
        format!("{}/{NAME}", self.host).parse().unwrap()
    }

    pub(crate) fn reference(&self) -> Reference {
        Reference { repository: self.repository(), tag: Some(tag()), digest: None }
    }
}

/// A client of these registries. Those with the same folder for locks work together.
pub(crate) fn client(doors: &[&Door], nerves: Nerves, locks: Option<PathBuf>) -> Registry {
    client_with(doors, nerves.patience(), locks)
}

pub(crate) fn client_with(doors: &[&Door], patience: Patience, locks: Option<PathBuf>) -> Registry {
    let endpoints: Vec<String> =
        doors.iter().map(|Door { host, address, .. }| format!("{host}=http://{address}")).collect();
    let login = |door: &&Door| {
        let Door { host, user, password, .. } = door;
        (host.parse().unwrap(), Login { user: user.clone(), password: Secret::new(password) })
    };
    let (endpoints, logins) =
        (Endpoints::parse_text(&endpoints.join(",")).unwrap(), doors.iter().map(login).collect());
    Registry::new(Settings { endpoints, logins, locks, patience, ..Settings::default() }).unwrap()
}

/// An ECR with an empty repository, in this account.
pub(crate) async fn ecr(seed: u64, account: &str) -> Emulator {
    let registries = vec![Scope { account: account.to_owned(), region: "eu-central-1".to_owned() }];
    let ecr = Emulator::start(Options { seed, registries, ..Options::default() }).await.unwrap();
    ecr.create(NAME);
    ecr
}

pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) fn tag() -> Tag {
    "v1".parse().unwrap()
}

/// An error with all its causes, as a person gets to see it.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An error that names the image and the cause, and says that another attempt is worth it.
pub(crate) fn is_clear(error: &Error) -> Result<(), String> {
    let text = told(error);
    let is_clear = text.starts_with("cannot ") && text.contains(NAME) && text.contains(": ");
    if is_clear && error.is_transient() { Ok(()) } else { Err(format!("no clear error: {text}")) }
}
