//! What a builder fetches for itself: repositories, pages, the program that looks what is in an image. And its disk, full.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;

use axum::Router;
use axum::routing::get;
use ecr_registry::{Endpoints, Registry, Settings, Tag};
use image_build::{Attestations, DockerfileRecipe, Endpoint, NamedContext};
use lab::emulator::{Emulator, Options};
use lab::process::{SHORT, run};

use super::daemon::Buildkitd;
use super::session::{content, files};
use super::{BUSYBOX, Desk, builder, context, recipe, whole};

const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];
/// What BuildKit takes for a scanner unless it is told of another.
const SCANNER: &str = "docker/buildkit-syft-scanner";
/// Says of an image which files are in it, by the rules for a scanner of BuildKit.
const SCAN: &str = r#"cd $BUILDKIT_SCAN_SOURCE; echo "{\"_type\":\"https://in-toto.io/Statement/v0.1\",\
\"predicateType\":\"https://spdx.dev/Document\",\"predicate\":{\"comment\":\"$(find . -type f)\"}}" \
> $BUILDKIT_SCAN_DESTINATION/sbom.spdx.json"#;

/// A git repository with one file on `main`, served at this address for as long as the process runs.
fn serve_git(folder: &Path) -> SocketAddr {
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=shop", "-c", "user.email=shop@shop.test"]).args(words);
        run(git.current_dir(folder.join("code")).env("GIT_CONFIG_GLOBAL", "/dev/null"), SHORT).unwrap();
    };
    fs::create_dir(folder.join("code")).unwrap();
    fs::write(folder.join("code/greeting"), "from git").unwrap();
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "greeting"]);
    git(&["commit", "--quiet", "--message=greet"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("--base-path={}", folder.display());
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut daemon = Command::new("git");
            daemon.args(["daemon", "--inetd", "--export-all", &base]);
            daemon.stdin(OwnedFd::from(stream.try_clone().unwrap())).stdout(OwnedFd::from(stream));
            daemon.spawn().unwrap().wait().unwrap();
        }
    });
    address
}

/// A page at `/page.txt`.
async fn serve_page() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/page.txt", get(async || "from the web"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn several_platforms_share_what_comes_from_git_and_the_web() {
    let daemon = Buildkitd::on_socket();
    let repository = tempfile::tempdir().unwrap();
    let remote = |text: String| text.parse::<NamedContext>().unwrap();
    let contexts = [
        ("code".to_owned(), remote(format!("git://{}/code#main", serve_git(repository.path())))),
        ("page".to_owned(), remote(format!("http://{}/page.txt", serve_page().await))),
    ];
    // What an address gives is one file of this name, whatever its own.
    let text = "FROM scratch\nARG TARGETARCH\nCOPY --from=code greeting /\nCOPY --from=page context /page.txt\n\
                COPY $TARGETARCH /program\n";
    let folder = context(&[("Dockerfile", text), ("amd64", "of amd64"), ("arm64", "of arm64")]);
    let how = DockerfileRecipe { contexts: contexts.into(), ..DockerfileRecipe::default() };
    // Nothing runs, so that nothing has to be imitated.
    let platforms = PLATFORMS.map(|platform| platform.parse().unwrap()).to_vec();
    let fleet = builder(vec![Endpoint { platforms, ..daemon.endpoint.clone() }]);
    let built = Desk::new().build(&fleet, &recipe(folder.path(), &PLATFORMS, how)).await.unwrap();
    let platforms: Vec<String> = built.tree().platforms().iter().map(|(of, _)| of.to_string()).collect();
    assert_eq!((built.tree().indexes.len(), platforms), (1, PLATFORMS.map(str::to_owned).to_vec()));
    let programs = built.tree().images.iter().map(|image| {
        let mut files = files(image);
        assert_eq!(files.remove("greeting").as_deref(), Some("from git"));
        assert_eq!(files.remove("page.txt").as_deref(), Some("from the web"));
        files.remove("program").unwrap()
    });
    assert_eq!(programs.collect::<Vec<_>>(), ["of amd64", "of arm64"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn a_list_of_what_is_in_the_image_comes_with_it() {
    let hub = Emulator::start(Options { open: true, ..Options::default() }).await.unwrap();
    let mirror = hub.address();
    let daemon = Buildkitd::configured(&format!(
        "[registry.\"docker.io\"]\nmirrors = [\"{mirror}\"]\n[registry.\"{mirror}\"]\nhttp = true\n"
    ));
    let fleet = builder(vec![daemon.endpoint.clone()]);
    let desk = Desk::new();
    let platform = &PLATFORMS[..1];
    let entrypoint = serde_json::to_string(&["/bin/busybox", "sh", "-ec", SCAN]).unwrap();
    let text = format!("{BUSYBOX}RUN /bin/busybox --install /bin\nENTRYPOINT {entrypoint}\n");
    let folder = context(&[("Dockerfile", &text)]);
    let scanner = recipe(folder.path(), platform, DockerfileRecipe::default());
    let scanner = desk.build(&fleet, &scanner).await.unwrap();
    let endpoints = Endpoints::parse_text(&hub.endpoints()).unwrap();
    let registry = Registry::new(Settings { endpoints, ..Settings::default() }).unwrap();
    let (place, tag) =
        (format!("{}/{SCANNER}", hub.host()).parse().unwrap(), "stable-1".parse::<Tag>().unwrap());
    registry.push_tree(&place, scanner.tree(), &[tag], &()).await.unwrap();

    let folder = context(&[("Dockerfile", "FROM scratch\nCOPY one /srv/one\n"), ("one", "")]);
    let attestations = Attestations { provenance: None, sbom: true };
    let how = DockerfileRecipe { attestations, ..DockerfileRecipe::default() };
    let built = desk.build(&fleet, &recipe(folder.path(), platform, how)).await.unwrap();
    let [image, said] = &built.tree().images[..] else { panic!("{:?}", built.tree()) };
    assert!(files(image).contains_key("srv/one"));
    let statement = String::from_utf8(content(&said.layers[0])).unwrap();
    assert!(
        statement.contains("https://spdx.dev/Document") && statement.contains("./srv/one"),
        "{statement}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn a_builder_whose_disk_is_full_says_so() {
    let daemon = Buildkitd::on_small_disk();
    let fleet = builder(vec![daemon.endpoint.clone()]);
    let text = format!("{BUSYBOX}RUN /bin/busybox dd if=/dev/zero of=/big bs=1M count=100\n");
    let folder = context(&[("Dockerfile", &text)]);
    let recipe = recipe(folder.path(), &PLATFORMS[..1], DockerfileRecipe::default());
    let message = whole(&Desk::new().build(&fleet, &recipe).await.unwrap_err());
    assert!(message.contains("(line 4 of the Dockerfile) failed:"), "{message}");
    assert!(message.contains("No space left on device"), "{message}");
}
