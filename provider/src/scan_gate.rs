//! The resource `ecr_scan_gate`: lets an image through whose scan found nothing that is too bad.
//!
//! It is judged in Apply only, and what was let through stays so as long as image and criteria do: findings of
//! tomorrow make no plan of today's configuration fail. [`judgement`] judges; here is what is looked at and when.

mod judgement;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use ecr_registry::{Digest, EcrRepository, Scan, ScanStatus, Wait};
use tfplugin_rs::{
    Call, Configured, Diagnostic, Diagnostics, Failed, Field, Object, Timed, Timeouts, TypedResource,
    ValidateRequest, async_trait,
};

use self::judgement::{Exception, judge};
use crate::{
    access::Access,
    argument::{PrivateImage, Text, choice, faults},
    moment::{Day, rfc3339},
    report::Report,
    scan::{Summary, scanned_images},
};

pub(crate) const TYPE_NAME: &str = "ecr_scan_gate";

/// How long to wait for a scan where the user sets no limit.
const PATIENCE: Duration = Duration::from_mins(10);

/// The resource `ecr_scan_gate`.
pub(crate) struct GateResource(pub(crate) Configured<Access>);

choice! {
    /// From which severity on a finding keeps the gate shut.
    FailOn {
        Informational = "INFORMATIONAL",
        Low = "LOW",
        Medium = "MEDIUM",
        High = "HIGH",
        Critical = "CRITICAL",
    }
}

/// A gate between an image and its use. An apply fails while ECR's scan of the image has findings that are too bad, and
/// what refers to `passed_uri` waits for it. An image that was let through stays so as long as `image`, `fail_on` and
/// `ignore` stay as they are.
#[derive(Clone, Debug, Object)]
pub(crate) struct GateState {
    /// The image, by its digest: the `uri` of an `ecr_image`, an `ecr_image_copy` or the data source. Of an index each image
    /// is judged.
    image: Text<PrivateImage>,
    /// The severity that keeps the gate shut, and all that is worse: `INFORMATIONAL`, `LOW`, `MEDIUM`, `HIGH` or `CRITICAL`.
    /// Default: `CRITICAL`.
    #[object(default = "CRITICAL")]
    fail_on: FailOn,
    /// Findings that do not count.
    ignore: Option<BTreeSet<Exception>>,
    /// Whether to have the image scanned where it was not. Not needed with scans on push. ECR scans an image once a day at
    /// most, and begins enhanced scans on its own only. Default: `false`.
    #[object(default = false)]
    start_scan: bool,
    /// The image by its digest, once it was let through: what to deploy.
    #[object(depends_on(["image", "fail_on", "ignore"]))]
    passed_uri: Field<String>,
    /// How many findings of each severity there were when it was let through, ignored ones too.
    #[object(depends_on(["image", "fail_on", "ignore"]))]
    severity_counts: Field<BTreeMap<String, u64>>,
    /// When the scan ended that let it through.
    #[object(depends_on(["image", "fail_on", "ignore"]))]
    scanned_at: Field<String>,
}

#[async_trait]
impl TypedResource for GateResource {
    type Model = GateState;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn timeouts(&self) -> Option<Timeouts> {
        Some(Timeouts::block().limit(Timed::Create, PATIENCE).limit(Timed::Update, PATIENCE))
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let config = request.config.view();
        let mut problems = faults::<PrivateImage>(&config.get("image"));
        for exception in config.get("ignore").value().as_list().into_iter().flatten() {
            // Elements of sets have no address: the set is to blame.
            let untils = faults::<Day>(&exception.view().get("until"));
            problems.extend(untils.into_iter().map(|fault| fault.at("ignore")));
        }
        problems
    }

    async fn read(&self, state: GateState, _: &mut Call) -> Result<Option<GateState>, Diagnostics> {
        Ok(Some(state))
    }

    async fn create(&self, planned: GateState, call: &mut Call) -> Result<GateState, Failed<GateState>> {
        Ok(self.pass(planned, call).await?)
    }

    async fn update(
        &self,
        _: GateState,
        planned: GateState,
        call: &mut Call,
    ) -> Result<GateState, Failed<GateState>> {
        if planned.passed_uri.is_unknown() { Ok(self.pass(planned, call).await?) } else { Ok(planned) }
    }

    async fn delete(&self, _: GateState, _: &mut Call) -> Result<(), Diagnostics> {
        Ok(())
    }
}

impl GateResource {
    /// Looks and judges. An error leaves everything as it was.
    async fn pass(&self, planned: GateState, call: &Call) -> Result<GateState, Diagnostics> {
        let access = self.0.get()?;
        let (registry, image) = (access.registry()?, &planned.image.0);
        let ecr = registry.ecr(&image.repository).map_err(|error| error.report())?;
        let looking = async {
            let mut scans = Vec::new();
            for part in scanned_images(registry, image).await? {
                scans.push(scan(&ecr, part, planned.start_scan, call).await?);
            }
            Ok::<_, Diagnostics>(Summary::of(&scans))
        };
        let summary = tokio::select! {
            biased;
            () = call.cancellation.cancelled() => {
                let summary = "Interrupted before the scan was judged";
                return Err(Diagnostic::error(summary, "Apply again to go on.").into());
            }
            summary = looking => summary?,
        };
        let ignore: Vec<&Exception> = planned.ignore.iter().flatten().collect();
        judge(&summary, planned.fail_on, &ignore, &Day::of(SystemTime::now()))
            .map_err(|refusal| refusal.diagnostic(image))?;
        Ok(GateState {
            passed_uri: image.to_string().into(),
            severity_counts: summary.counts().into(),
            scanned_at: summary.scanned_at.map(rfc3339).into(),
            ..planned
        })
    }
}

/// The scan of an image, waited for, with its findings.
async fn scan(ecr: &EcrRepository, image: Digest, start: bool, call: &Call) -> Result<Scan, Diagnostics> {
    let within = call.timeout.unwrap_or(PATIENCE);
    let report = |error: ecr_registry::Error| error.report().at("image");
    if start && ecr.scan(&image).await.map_err(report)?.is_none() {
        ecr.start_scan(&image).await.map_err(report)?;
    }
    let wait = Wait { every: Duration::from_secs(2), within, ..Wait::default() };
    match ecr.wait_for_scan(&image, &wait).await.map_err(report)? {
        Some(scan) if scan.status.has_findings() => Ok(scan),
        Some(scan) => Err(unscanned(&image, &scan).into()),
        None => {
            let detail = "Turn on scans for the repository (scan on push, or enhanced scanning), or have this one \
                          scanned with start_scan = true.";
            Err(Diagnostic::error(format!("{image} was not scanned"), detail).at("image").into())
        }
    }
}

fn unscanned(image: &Digest, scan: &Scan) -> Diagnostic {
    let remedy = match scan.status {
        ScanStatus::UnsupportedImage => "ECR cannot scan such an image: leave it out, or scan it elsewhere.",
        ScanStatus::ScanEligibilityExpired => {
            "Push the image again, or lengthen the time for which images are scanned."
        }
        ScanStatus::ImageArchived => "Bring the image back out of the archive first.",
        _ => "Have it scanned again.",
    };
    let words = if scan.description.is_empty() { String::new() } else { format!("{}\n", scan.description) };
    let summary = format!("The scan of {image} has no findings to judge: it is {}", scan.status);
    Diagnostic::error(summary, format!("{words}{remedy}")).at("image")
}
