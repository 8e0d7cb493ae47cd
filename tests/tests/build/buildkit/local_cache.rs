//! Results of steps that are kept in a folder of this machine.

use std::fs;
use std::path::Path;

use ecr_registry::{Layout, Wanted};
use image_build::{BuildCache, BuildOptions, DockerfileRecipe};

use super::daemon::Buildkitd;
use super::session::files;
use super::{BUSYBOX, Desk, builder, context, recipe};

/// What the step made that makes something else each time.
async fn made(daemon: &Buildkitd, context: &Path, cache: &Path) -> (String, Vec<String>) {
    let cache = BuildCache { local: Some(cache.to_owned()), ..BuildCache::default() };
    let how = DockerfileRecipe {
        options: BuildOptions { cache, ..BuildOptions::default() },
        target: Some("last".to_owned()),
        ..DockerfileRecipe::default()
    };
    let desk = Desk::new();
    let fleet = builder(vec![daemon.endpoint.clone()]);
    let built = desk.build(&fleet, &recipe(context, &["linux/amd64"], how)).await.unwrap();
    (files(&built.tree().images[0])["random"].clone(), desk.said())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn another_builder_goes_on_from_there() {
    let cache = tempfile::tempdir().unwrap();
    let text = format!(
        "{BUSYBOX}RUN /bin/busybox head -c 9 /dev/urandom | /bin/busybox base64 > /random\n\
         FROM scratch AS last\nCOPY --from=0 /random /random\n"
    );
    let folder = context(&[("Dockerfile", &text)]);
    let (first, _) = made(&Buildkitd::on_socket(), folder.path(), cache.path()).await;

    let layout = Layout::open(cache.path()).unwrap();
    let [name] = &layout.names()[..] else { panic!("{:?}", layout.names()) };
    assert!(name.ends_with("-linux-amd64"), "{name}");
    let kept = layout.find(Some(name)).unwrap();
    layout.verify(kept).unwrap();
    // The stage that is not in the image too.
    assert!(layout.tree(kept, &Wanted::All).unwrap().images[0].layers.len() >= 2);

    let daemon = Buildkitd::on_socket();
    let (again, said) = made(&daemon, folder.path(), cache.path()).await;
    assert_eq!(again, first, "{said:?}");
    // Nobody has to tell it to others: what the builder calls the folder says nothing of this machine.
    assert!(!said.iter().any(|line| line.contains(cache.path().to_str().unwrap())), "{said:?}");

    // A cache whose content is gone, and one that is no folder, cost time and nothing else.
    for blob in fs::read_dir(cache.path().join("blobs/sha256")).unwrap() {
        fs::remove_file(blob.unwrap().path()).unwrap();
    }
    let (anew, _) = made(&Buildkitd::on_socket(), folder.path(), cache.path()).await;
    assert_ne!(anew, first);
    let (_, said) = made(&daemon, folder.path(), &folder.path().join("Dockerfile")).await;
    assert!(said.iter().any(|line| line.starts_with("the cache is not used: ")), "{said:?}");
}
