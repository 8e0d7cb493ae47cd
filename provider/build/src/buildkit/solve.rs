//! Tells BuildKit what to build, and listens while it does.

use std::{collections::HashMap, time::Duration};

use aws_lc_rs::rand;
use bollard_buildkit_proto::moby::buildkit::v1::{
    SolveRequest, StatusRequest, control_client::ControlClient,
};
use tonic::{Status, transport::Channel};

use super::log::Log;
use crate::build::Progress;

/// How long the last lines of a failed step may take to come in after the failure itself.
const LAST_LINES: Duration = Duration::from_secs(3);
/// The longest message taken from BuildKit, in bytes.
const MESSAGE: usize = 64 << 20;

/// What a builder says of what it built.
pub(super) type Answer = HashMap<String, String>;

/// Builds. What was said on the way is in `log`.
pub(super) async fn solve(
    channel: Channel,
    request: SolveRequest,
    log: &mut Log,
    progress: &dyn Progress,
) -> Result<Answer, Status> {
    let reference = request.r#ref.clone();
    let mut client = ControlClient::new(channel.clone()).max_decoding_message_size(MESSAGE);
    let mut solving = std::pin::pin!(client.solve(request));
    let mut listening = std::pin::pin!(listen(channel, &reference, log, progress));
    let result = tokio::select! {
        result = &mut solving => {
            tokio::time::timeout(LAST_LINES, listening).await.ok();
            result
        }
        () = &mut listening => solving.await,
    };
    Ok(result?.into_inner().exporter_response)
}

/// Follows the build until it ends.
async fn listen(channel: Channel, reference: &str, log: &mut Log, progress: &dyn Progress) {
    let mut client = ControlClient::new(channel).max_decoding_message_size(MESSAGE);
    let request = StatusRequest { r#ref: reference.to_owned() };
    let Ok(response) = client.status(request).await else { return };
    let mut updates = response.into_inner();
    while let Ok(Some(update)) = updates.message().await {
        log.take(&update).iter().for_each(|line| progress.line(line));
    }
}

/// 128 random bits in hexadecimal digits.
pub(super) fn random_id() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).expect("the system has random numbers");
    hex::encode(bytes)
}
