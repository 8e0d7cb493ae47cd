//! The native builder from outside: who reads and runs its images, how layers are sent, and a disk that is full.

mod secrets;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ecr_registry::{Layout, Repository, Tag};
use image_build::{
    BuildError, Builder, BuilderSettings, Compression, DockerfileRecipe, Engine, FilesRecipe, How,
    LayerSource, Recipe,
};
use lab::emulator::{Emulator, Options};
use lab::lab::Lab;
use lab::process::{SHORT, poll_until, run};
use tempfile::TempDir;

use crate::apart;
use crate::buildkit::daemon::{Buildkitd, Disk};
use crate::buildkit::session::files;
use crate::buildkit::{Desk, builder, context, recipe};

fn native() -> Builder {
    Builder::new(BuilderSettings { engine: Engine::Native, ..BuilderSettings::default() })
}

/// An ECR that asks nobody who they are.
async fn open_ecr() -> (Emulator, Repository) {
    let options = Options { open: true, strict: false, ..Options::default() };
    let ecr = Emulator::start(options).await.unwrap();
    let repository = format!("{}/shop/web", ecr.address()).parse().unwrap();
    (ecr, repository)
}

/// One layer with all files of a folder.
fn layer(folder: &Path) -> Recipe {
    let layer = LayerSource { source: folder.to_owned(), destination: "/srv".to_owned(), mode: None };
    Recipe::of(How::Files(FilesRecipe { layers: vec![layer], ..FilesRecipe::default() }))
}

/// Bytes that nothing makes smaller.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()
    };
    (0..size / 8).flat_map(|_| next()).collect()
}

/// What the program of the image says of a file in it.
const SAYS: &str = "640 7:8 one\nfrom a file\n";
const DOCKERFILE: &str = "FROM scratch
COPY busybox /bin/busybox
WORKDIR /srv
COPY --chown=7:8 --chmod=0640 one .
USER 7:8
ENTRYPOINT [\"/bin/busybox\", \"sh\", \"-c\"]
CMD [\"/bin/busybox stat -c '%a %u:%g %n' one; /bin/busybox cat one\"]
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn everybody_reads_and_runs_its_images() {
    let (_ecr, repository) = open_ecr().await;
    let folder = context(&[("Dockerfile", DOCKERFILE), ("one", "from a file\n")]);
    let desk = Desk::new();
    for compression in [Compression::Gzip, Compression::Zstd] {
        let recipe =
            Recipe { compression, ..recipe(folder.path(), &["linux/amd64"], DockerfileRecipe::default()) };
        let built = desk.build(&native(), &recipe).await.unwrap();
        let tag: Tag = compression.to_string().parse().unwrap();
        desk.registry.push_tree(&repository, built.tree(), &[tag], &()).await.unwrap();
        read_by_skopeo(&format!("{repository}:{compression}"), compression, folder.path());
    }
    // Debian's Docker knows no zstd; buildkitd unpacks and runs it.
    let engine = Lab::running().unwrap().engine().clone();
    let image = format!("{repository}:gzip");
    engine.ask(&["pull", "--quiet", &image]).unwrap();
    let said = engine.ask(&["run", "--rm", "--network", "none", &image]);
    engine.ask(&["image", "rm", &image]).unwrap();
    assert_eq!(said.unwrap(), SAYS.trim_end());
    let text = format!(
        "FROM {repository}:zstd\nUSER 0\nSHELL [\"/bin/busybox\", \"sh\", \"-ec\"]\n\
         RUN /bin/busybox stat -c '%a %u:%g %n' one > /says; /bin/busybox cat one >> /says\n"
    );
    let above = context(&[("Dockerfile", &text)]);
    let daemon = Buildkitd::on_socket();
    let recipe = recipe(above.path(), &["linux/amd64"], DockerfileRecipe::default());
    let built = desk.build(&builder(vec![daemon.endpoint.clone()]), &recipe).await.unwrap();
    assert_eq!(files(&built.tree().images[0])["says"], SAYS);
}

/// Copied as it is, and what umoci can unpack, unpacked.
fn read_by_skopeo(image: &str, compression: Compression, context: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("layout");
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["--insecure-policy", "copy", "--src-tls-verify=false", "--preserve-digests"]);
    skopeo.args([format!("docker://{image}"), format!("oci:{}:it", layout.display())]);
    run(&mut skopeo, SHORT).unwrap();
    let copied = Layout::open(&layout).unwrap();
    copied.verify(copied.find(Some("it")).unwrap()).unwrap();
    if compression == Compression::Gzip {
        let mut umoci = Command::new("umoci");
        umoci.args(["unpack", "--rootless", "--image", &format!("{}:it", layout.display())]);
        run(umoci.arg(folder.path().join("bundle")), SHORT).unwrap();
        let unpacked = |path: &str| fs::read(folder.path().join("bundle/rootfs").join(path)).unwrap();
        assert_eq!(unpacked("srv/one"), fs::read(context.join("one")).unwrap());
        assert_eq!(unpacked("bin/busybox"), fs::read(context.join("busybox")).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_layer_is_on_its_way_before_the_image_is_pushed() {
    let (ecr, repository) = open_ecr().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("large"), noise(9 << 20)).unwrap();
    let mut desk = Desk::new();
    desk.destination = Some(repository.clone());
    let built = desk.build(&native(), &layer(folder.path())).await.unwrap();
    let there = || Ok((!ecr.contents("shop/web").blobs.is_empty()).then_some(()));
    poll_until("the layer", Duration::from_mins(1), there).unwrap();
    let report = built.push(&desk.registry, &repository, &[], &()).await.unwrap();
    assert!(report.bytes_sent < 10_000, "{report:?}");
    assert_eq!(ecr.contents("shop/web").manifests.len(), 1);
    assert_eq!(ecr.faults(), Vec::<String>::new());
}

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn a_full_disk_is_said() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if apart::folder().is_none() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::mount(&folder.path().join("disk"));
        return apart::run("native::a_full_disk_is_said", disk.path(), &[]);
    }
    let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new_in("/var/tmp")).unwrap();
    fs::write(folder.path().join("large"), noise(60 << 20)).unwrap();
    let error = runtime.block_on(Desk::new().build(&native(), &layer(folder.path()))).unwrap_err();
    assert!(matches!(error, BuildError::Scratch(_)), "{error:?}");
    let words = "cannot write to the folder for temporary files: No space left on device (os error 28)";
    assert_eq!(crate::buildkit::whole(&error), words);
    assert_eq!(error.hint().unwrap(), "check the space in TMPDIR, or set it to another folder");
}
