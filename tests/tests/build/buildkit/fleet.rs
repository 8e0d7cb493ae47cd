//! Several builders as one.

use ecr_registry::{Host, Login, Secret, Settings, Version, Wanted};
use image_build::{DockerfileRecipe, Endpoint};
use lab::emulator::{Emulator, Options};

use super::daemon::{Buildkitd, Keys};
use super::{Desk, builder, context, recipe, whole};

const DOCKERFILE: &str = "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /program\n";

/// As if it were made for one platform alone.
fn only(daemon: &Buildkitd, platform: &str) -> Endpoint {
    Endpoint { platforms: vec![platform.parse().unwrap()], ..daemon.endpoint.clone() }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn each_platform_is_built_and_pushed_by_its_own_builder() {
    let keys = Keys::new();
    let (first, second) = (Buildkitd::with_tls(&keys), Buildkitd::with_tls(&keys));
    let ecr = Emulator::start(Options::default()).await.unwrap();
    ecr.create("shop/web");
    let host: Host = ecr.address().to_string().parse().unwrap();
    let (user, password) = ecr.login();
    let logins = [(host, Login { user, password: Secret::new(password) })].into();
    let mut desk = Desk::with(Settings { logins, ..Settings::default() });
    let repository: ecr_registry::Repository = format!("{}/shop/web", ecr.address()).parse().unwrap();
    desk.destination = Some(repository.clone());
    let folder = context(&[("Dockerfile", DOCKERFILE), ("amd64", "of amd64"), ("arm64", "of arm64")]);
    let fleet = builder(vec![only(&first, "linux/amd64"), only(&second, "linux/arm64")]);
    let recipe = recipe(folder.path(), &["linux/amd64", "linux/arm64"], DockerfileRecipe::default());
    let built = desk.build(&fleet, &recipe).await.unwrap();

    let said = desk.said();
    for (daemon, platform) in [(&first, "linux/amd64"), (&second, "linux/arm64")] {
        let line = format!("{} builds for {platform}", daemon.endpoint.address);
        assert!(said.contains(&line), "{said:?}");
    }
    let report = desk.registry.push_tree(&repository, built.tree(), &[], &()).await.unwrap();
    assert_eq!(report.bytes_sent, 0, "the builders pushed: {report:?}");
    let version = Version::Digest(built.tree().root.digest);
    let there = desk.registry.tree(&repository, &version, &Wanted::All).await.unwrap();
    let platforms: Vec<String> = there.platforms().iter().map(|(platform, _)| platform.to_string()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    let again = desk.build(&fleet, &recipe).await.unwrap();
    assert_eq!(again.tree().root.digest, built.tree().root.digest);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab: cargo xtask lab up"]
async fn who_does_not_answer_is_passed_over_and_named() {
    let (keys, strangers) = (Keys::new(), Keys::new());
    let daemon = Buildkitd::with_tls(&keys);
    let gone = Endpoint { address: "tcp://127.0.0.1:1".parse().unwrap(), ..daemon.endpoint.clone() };
    let folder = context(&[("Dockerfile", DOCKERFILE), ("amd64", "")]);
    let recipe = recipe(folder.path(), &["linux/amd64"], DockerfileRecipe::default());
    let desk = Desk::new();
    desk.build(&builder(vec![gone.clone(), daemon.endpoint.clone()]), &recipe).await.unwrap();

    let untrusted = Endpoint { tls: Some(strangers.client()), ..daemon.endpoint.clone() };
    let other = only(&daemon, "linux/s390x");
    let error = desk.build(&builder(vec![gone, untrusted, other]), &recipe).await.unwrap_err();
    let address = &daemon.endpoint.address;
    assert_eq!(
        whole(&error),
        format!(
            "no builder for linux/amd64 answers (tried tcp://127.0.0.1:1: Connection refused (os error 111); \
             {address}: invalid peer certificate: BadSignature; {address}: not for linux/amd64)"
        )
    );
}
