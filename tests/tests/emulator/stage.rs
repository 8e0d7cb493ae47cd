//! An emulator, AWS's own client, and plain HTTP for what no client would send.

use aws_sdk_ecr::config::{BehaviorVersion, Credentials, Region};
use lab::emulator::{Emulator, Options};
use sha2::{Digest, Sha256};

/// The emulator with these repositories.
pub(crate) async fn start(options: Options, repositories: &[&str]) -> Emulator {
    let ecr = Emulator::start(options).await.unwrap();
    for repository in repositories {
        ecr.create(repository);
    }
    ecr
}

/// AWS's client, which tries nothing twice.
pub(crate) fn sdk(ecr: &Emulator) -> aws_sdk_ecr::Client {
    let keys = ecr.keys();
    let config = aws_sdk_ecr::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(ecr.url())
        .retry_config(aws_sdk_ecr::config::retry::RetryConfig::disabled())
        .credentials_provider(Credentials::new(keys.id, keys.secret, None, None, "test"));
    aws_sdk_ecr::Client::from_conf(config.build())
}

pub(crate) fn digest(bytes: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
