//! Five planted secrets: whatever a build is given, it is in nothing that is kept, sent, said or logged.

use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ecr_registry::{Host, Layout, Login, Registry, Secret, Settings, Tag};
use flate2::read::MultiGzDecoder;
use image_build::{
    BuildCache, BuildError, BuildOptions, Builder, Built, Cache, CacheMode, DockerfileRecipe, Endpoint,
    FilesRecipe, How, Progress, Recipe, RegistryCache, Tools, build,
};
use lab::emulator::{Emulator, Options};
use tokio_util::sync::CancellationToken;

use super::native;
use crate::apart;
use crate::buildkit::daemon::Buildkitd;
use crate::buildkit::{BUSYBOX, builder, context, recipe, whole};

/// Where the builder of the other process is.
const BUILDER: &str = "TEST_BUILDER";
/// What stays in the folder for temporary files and caches.
const KEPT: [&str; 4] = ["files", "blobs", "steps", "log"];
/// No secret: what the search has to find.
const LABEL: &str = "found-3b7e0a91";

/// Random each time, so that nothing but this run can hold them.
struct Planted {
    secret: String,
    lines: String,
    password: String,
    wrong: String,
    proxy: String,
}

impl Planted {
    fn new(password: String) -> Self {
        let random = || {
            let mut bytes = [0; 12];
            fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
            hex::encode(bytes)
        };
        Self { secret: random(), lines: random(), password, wrong: random(), proxy: random() }
    }

    fn all(&self) -> [&str; 5] {
        [&self.secret, &self.lines, &self.password, &self.wrong, &self.proxy]
    }
}

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn five_planted_secrets_are_found_nowhere() {
    if let Some(folder) = apart::folder() {
        return tokio::runtime::Runtime::new().unwrap().block_on(plant(&folder));
    }
    // What the builder keeps is the builder's affair, so it is elsewhere.
    let daemon = Buildkitd::on_socket();
    let address = daemon.endpoint.address.to_string();
    let folder = tempfile::tempdir().unwrap();
    let test = "native::secrets::five_planted_secrets_are_found_nowhere";
    apart::run(
        test,
        folder.path(),
        &[(BUILDER, &address), ("XDG_CACHE_HOME", folder.path().to_str().unwrap())],
    );
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| KEPT.iter().any(|kept| name == kept)), "temporary files stay: {left:?}");
}

/// What is said and where it goes, looked at with every line.
struct Said<'a> {
    text: Mutex<String>,
    folder: &'a Path,
    planted: &'a Planted,
}

impl Progress for Said<'_> {
    fn line(&self, line: &str) {
        writeln!(self.text.lock().unwrap(), "{line}").unwrap();
        // What is there for good is looked at in the end.
        let passing = |entry: &fs::DirEntry| !KEPT.iter().any(|name| entry.file_name() == *name);
        let entries = fs::read_dir(self.folder).unwrap().map(Result::unwrap).filter(passing);
        for entry in entries {
            assert_eq!(found(&entry.path(), self.planted), Vec::<String>::new());
        }
    }
}

async fn plant(folder: &Path) {
    let log = fs::File::create(folder.join("log")).unwrap();
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(Arc::new(log));
    log.init();
    let ecr = Emulator::start(Options { strict: false, ..Options::default() }).await.unwrap();
    for name in ["shop/web", "shop/steps"] {
        ecr.create(name);
    }
    let (user, password) = ecr.login();
    let planted = Planted::new(password);
    let host: Host = ecr.address().to_string().parse().unwrap();
    let registry = |password: &str| {
        let logins = [(host.clone(), Login { user: user.clone(), password: Secret::new(password) })].into();
        let cache = Some(ecr_registry::Cache::new(folder.join("blobs"), 1 << 30));
        Registry::new(Settings { logins, cache, ..Settings::default() }).unwrap()
    };
    let said = Said { text: Mutex::default(), folder, planted: &planted };
    let endpoint = Endpoint {
        address: std::env::var(BUILDER).unwrap().parse().unwrap(),
        platforms: Vec::new(),
        tls: None,
    };
    let fleet = builder(vec![endpoint]);
    let work = async |builder: &Builder, recipe: &Recipe, password: &str| {
        let repository = format!("{host}/shop/web").parse().unwrap();
        let registry = registry(password);
        let tools = Tools {
            builder,
            registry: &registry,
            destination: Some(&repository),
            cache: &Cache::in_folder(folder.join("files")),
            progress: &said,
            cancel: &CancellationToken::new(),
        };
        let built = build(recipe, tools).await?;
        let tag: Tag = "1".parse().unwrap();
        registry.push_tree(&repository, built.tree(), &[tag], &()).await.unwrap();
        Ok::<Built, BuildError>(built)
    };

    // Natively: a base that asks for the password.
    let files = context(&[("one", "one")]);
    let layers = super::layer(files.path());
    let below = work(&native(), &layers, &planted.password).await.unwrap();
    let How::Files(above) = layers.how.clone() else { unreachable!("it was just made so") };
    let base = Some(format!("{host}/shop/web:1").parse().unwrap());
    let above = Recipe { how: How::Files(FilesRecipe { base, ..above }), ..layers };
    let above = Recipe { labels: [("team".to_owned(), LABEL.to_owned())].into(), ..above };
    let onto = work(&native(), &above, &planted.password).await.unwrap();

    // By BuildKit: steps that use secrets, and one that fails while it has them.
    let steps = |last: &str| {
        let mounts = "--mount=type=secret,id=token --mount=type=secret,id=lines,required=true";
        let text = format!(
            "{BUSYBOX}RUN {mounts} /bin/busybox sha256sum /run/secrets/token /run/secrets/lines > /sums\n{last}"
        );
        let folder = context(&[("Dockerfile", &text)]);
        let reference = format!("{host}/shop/steps:1").parse().unwrap();
        let registry = vec![RegistryCache { reference, mode: CacheMode::Max }];
        let cache = BuildCache { local: Some(said.folder.join("steps")), registry };
        let secrets = [
            ("token".to_owned(), Secret::new(&*planted.secret)),
            ("lines".to_owned(), Secret::new(format!("first\n_authToken={}\n", planted.lines))),
        ];
        let options = BuildOptions { secrets: secrets.into(), cache, ..BuildOptions::default() };
        let proxy = format!("http://ada:{}@127.0.0.1:1", planted.proxy);
        let args = [("HTTP_PROXY".to_owned(), proxy)].into();
        let how = DockerfileRecipe { options, args, ..DockerfileRecipe::default() };
        (recipe(folder.path(), &["linux/amd64"], how), folder)
    };
    let (good, _kept) = steps("");
    let built = work(&fleet, &good, &planted.password).await.unwrap();
    assert!(!ecr.contents("shop/steps").manifests.is_empty(), "the builder was given the password");
    let (bad, _kept) = steps("RUN --mount=type=secret,id=token /bin/busybox false\n");
    let failed = work(&fleet, &bad, &planted.password).await.unwrap_err();
    let refused = work(&native(), &above, &planted.wrong).await.unwrap_err();
    let errors = [&failed, &refused].map(|error| format!("{} {error:?} {:?}", whole(error), error.hint()));
    assert!(errors[0].contains("busybox false") && errors[1].contains("credentials"), "{errors:?}");

    // Images as they are sent, all that was said, and how this program was started.
    for (name, built) in [("below", &below), ("onto", &onto), ("built", &built)] {
        let mut layout = Layout::create(folder.join(name)).unwrap();
        let registry = registry(&planted.password);
        let reference = format!("{host}/shop/web@{}", built.tree().root.digest).parse().unwrap();
        registry.pull(&reference, &mut layout, None, &ecr_registry::Wanted::All, &()).await.unwrap();
    }
    fs::write(folder.join("said"), said.text.lock().unwrap().as_bytes()).unwrap();
    fs::write(folder.join("errors"), errors.concat()).unwrap();
    fs::copy("/proc/self/cmdline", folder.join("argv")).unwrap();
    assert_eq!(found(folder, &planted), Vec::<String>::new());
    // What is no secret is found where it belongs, so the search would have found a secret.
    let places = holding(folder, &[LABEL]);
    assert!(places.iter().any(|place| place.contains("/onto/blobs/")), "{places:?}");
    for (place, text) in [("said", "sha256sum"), ("log", "DEBUG"), ("argv", "--exact"), ("steps", "busybox")]
    {
        assert!(holding(folder, &[text]).iter().any(|found| found.contains(&format!("/{place}"))), "{place}");
    }
    for scratch in ["below", "onto", "built", "said", "errors", "argv"].map(|name| folder.join(name)) {
        _ = fs::remove_dir_all(&scratch);
        _ = fs::remove_file(scratch);
    }
}

fn found(path: &Path, planted: &Planted) -> Vec<String> {
    holding(path, &planted.all())
}

/// The files at or below this path that hold one of these texts, as they are or unpacked.
fn holding(path: &Path, texts: &[&str]) -> Vec<String> {
    let (mut paths, mut found) = (vec![path.to_owned()], Vec::new());
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            // Temporary files may go away meanwhile.
            paths.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if path.is_file() && holds(&fs::read(&path).unwrap_or_default(), texts) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn holds(bytes: &[u8], texts: &[&str]) -> bool {
    let unpacked = match bytes {
        [0x1f, 0x8b, ..] => {
            let mut unpacked = Vec::new();
            MultiGzDecoder::new(bytes).read_to_end(&mut unpacked).map(|_| unpacked).unwrap_or_default()
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::decode_all(bytes).unwrap_or_default(),
        _ => Vec::new(),
    };
    [bytes, &unpacked].into_iter().any(|bytes| {
        let content = String::from_utf8_lossy(bytes);
        texts.iter().any(|text| content.contains(text))
    })
}
