//! Where to: the cluster and the way into it, the Helm that goes there, Terraform's outputs that name things.

use std::{path::Path, time::SystemTime};

use crate::{
    eks::{cluster::Cluster, token_socket::TokenSocket},
    failure::Failure,
    helm::{binary::Version, duration, session::Helm},
    images::terraform::Outputs,
    run_folder::RunFolder,
    settings::{Settings, image::ImageSource},
    talk::{say, warn},
    verb::way::{self, Way},
};

/// Everything outside of this machine that a deployment needs to know.
pub(crate) struct Target {
    /// The cluster, and the way into it.
    pub(crate) way: Way,
    /// The Helm at hand.
    pub(crate) helm: Version,
    /// Terraform's outputs, if something is named by one.
    pub(crate) outputs: Option<Outputs>,
    /// Answers Helm while it runs.
    _tokens: Option<TokenSocket>,
}

impl Target {
    /// Finds it, and writes the kubeconfig that leads there.
    pub(crate) async fn find(
        settings: &Settings,
        helm: &Helm<'_>,
        folder: &RunFolder,
        own: &Path,
    ) -> Result<Self, Failure> {
        let output = settings.images.iter().find_map(|image| match &image.source {
            ImageSource::Output(name) => Some(name.as_str()),
            ImageSource::Reference(_) => None,
        });
        let (version, outputs) = tokio::join!(helm.version(), way::outputs(&settings.place, output));
        let (helm, outputs) = (version?, outputs?);
        let way = Way::find(&settings.place, outputs.as_ref()).await?;
        let (_, tokens) = way.open(folder, own, Some(&settings.namespace.name))?;
        introduce(settings, &way.cluster, &helm);
        if let Some(line) = too_short(way.credentials_end(), SystemTime::now(), settings.helm.timeout()) {
            warn(&line);
        }
        Ok(Self { way, helm, outputs, _tokens: tokens })
    }
}

/// What to say of credentials that end before Helm stops waiting.
fn too_short(end: Option<SystemTime>, now: SystemTime, timeout: &str) -> Option<String> {
    let left = end?.duration_since(now).unwrap_or_default();
    (left < duration::parse(timeout)?).then(|| {
        let left = match left.as_secs() {
            seconds @ 0..120 => format!("{seconds} seconds"),
            seconds => format!("{} minutes", seconds / 60),
        };
        format!("the credentials end in {left}, and --timeout is {timeout}: helm loses the cluster unless they are renewed")
    })
}

fn introduce(settings: &Settings, cluster: &Cluster, helm: &Version) {
    let Settings { release, namespace, .. } = settings;
    say(&format!(
        "release {release} in namespace {} of cluster {} ({}), by Helm {helm}",
        namespace.name,
        cluster.name,
        cluster.arn.as_deref().unwrap_or(&cluster.region)
    ));
    if namespace.assumed {
        warn(&format!(
            "namespace {} comes from the current context of your kubeconfig; -n names another",
            namespace.name
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rule_13_credentials_that_end_too_soon() {
        let check = |left: Option<u64>, timeout: &str, expected: Option<&str>| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
            let got = too_short(left.map(|seconds| now + Duration::from_secs(seconds)), now, timeout);
            let expected =
                expected.map(|start| format!("{start}: helm loses the cluster unless they are renewed"));
            assert_eq!(got, expected);
        };
        check(None, "5m0s", None);
        check(Some(300), "5m0s", None);
        check(Some(299), "5m0s", Some("the credentials end in 4 minutes, and --timeout is 5m0s"));
        check(Some(1), "1h", Some("the credentials end in 1 seconds, and --timeout is 1h"));
        check(Some(1), "no duration", None);
        let now = SystemTime::UNIX_EPOCH;
        assert!(too_short(Some(now), now + Duration::from_mins(1), "5m").unwrap().contains("in 0 seconds"));
    }
}
