//! Tells BuildKit what to build, and listens while it does.

use std::{collections::HashMap, time::Duration};

use aws_lc_rs::rand;
use bollard_buildkit_proto::moby::buildkit::v1::{
    Exporter, SolveRequest, SolveResponse, StatusRequest, control_client::ControlClient,
};
use ecr_registry::Platform;
use tonic::{Status, transport::Channel};

use super::{failure, log::Log};
use crate::{
    build::Progress,
    build_error::BuildError,
    context::DockerfileContext,
    recipe::{DockerfileRecipe, Recipe},
};

/// How long the last lines of a failed step may take to come in after the failure itself.
const LAST_LINES: Duration = Duration::from_secs(3);
/// Where the image's id is in the answer, the first that is there.
const IDS: [&str; 2] = ["containerimage.config.digest", "containerimage.digest"];

/// One build of one Dockerfile for one platform.
pub(super) struct Solve {
    attributes: HashMap<String, String>,
    epoch: u64,
    target: Option<String>,
    dockerfile: String,
}

impl Solve {
    pub(super) fn new(
        recipe: &Recipe,
        dockerfile: &DockerfileRecipe,
        platform: &Platform,
        context: &DockerfileContext,
    ) -> Self {
        let epoch = recipe.source_date_epoch;
        let mut attributes: HashMap<_, _> = [
            ("filename".to_owned(), context.dockerfile.file_name().to_owned()),
            ("platform".to_owned(), platform.to_string()),
            ("build-arg:SOURCE_DATE_EPOCH".to_owned(), epoch.to_string()),
        ]
        .into();
        let named = |kind: &'static str| {
            move |(name, value): (&String, &String)| (format!("{kind}:{name}"), value.clone())
        };
        attributes.extend(context.args(dockerfile).map(named("build-arg")));
        attributes.extend(recipe.labels.iter().map(named("label")));
        attributes.extend(dockerfile.target.iter().map(|target| ("target".to_owned(), target.clone())));
        let text = String::from_utf8_lossy(&context.dockerfile.content).into_owned();
        Self { attributes, epoch, target: dockerfile.target.clone(), dockerfile: text }
    }

    /// The time of all files: seconds since 1970.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Builds into the daemon's own store and gives the image's id there.
    pub(super) async fn run(
        &self,
        channel: Channel,
        session: &str,
        progress: &dyn Progress,
    ) -> Result<String, BuildError> {
        let reference = random_id();
        let mut log = Log::default();
        let request = self.request(&reference, session);
        let mut client = ControlClient::new(channel.clone()).max_decoding_message_size(64 << 20);
        let result = {
            let mut solving = std::pin::pin!(client.solve(request));
            let mut listening = std::pin::pin!(listen(channel, &reference, &mut log, progress));
            tokio::select! {
                result = &mut solving => {
                    tokio::time::timeout(LAST_LINES, listening).await.ok();
                    result
                }
                () = &mut listening => solving.await,
            }
        };
        match result {
            Ok(response) => image_id(&response.into_inner()),
            Err(status) => Err(self.failed(&status, &log)),
        }
    }

    fn request(&self, reference: &str, session: &str) -> SolveRequest {
        // The name of the exporter that Docker's own BuildKit has for its image store, for old and new daemons.
        let exporter = "moby".to_owned();
        SolveRequest {
            r#ref: reference.to_owned(),
            session: session.to_owned(),
            frontend: "dockerfile.v0".to_owned(),
            frontend_attrs: self.attributes.clone(),
            exporter_deprecated: exporter.clone(),
            exporters: vec![Exporter { r#type: exporter, attrs: HashMap::new() }],
            ..SolveRequest::default()
        }
    }

    fn failed(&self, status: &Status, log: &Log) -> BuildError {
        failure::explain(status, log, self.target.as_deref(), &self.dockerfile)
    }
}

/// Follows the build until it ends.
async fn listen(channel: Channel, reference: &str, log: &mut Log, progress: &dyn Progress) {
    let mut client = ControlClient::new(channel).max_decoding_message_size(64 << 20);
    let request = StatusRequest { r#ref: reference.to_owned() };
    let Ok(response) = client.status(request).await else { return };
    let mut updates = response.into_inner();
    while let Ok(Some(update)) = updates.message().await {
        log.take(&update).iter().for_each(|line| progress.line(line));
    }
}

fn image_id(response: &SolveResponse) -> Result<String, BuildError> {
    let id = IDS.iter().find_map(|name| response.exporter_response.get(*name));
    id.cloned().ok_or(BuildError::NoImage)
}

/// 128 random bits in hexadecimal digits.
pub(super) fn random_id() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).expect("the system has random numbers");
    hex::encode(bytes)
}
