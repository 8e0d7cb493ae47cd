mod finding;

use std::{collections::BTreeMap, time::SystemTime};

use aws_sdk_ecr::{
    operation::describe_image_scan_findings::DescribeImageScanFindingsOutput,
    types::{ImageScanFindings, ImageScanStatus},
};
use futures::TryStreamExt;

pub use finding::{Finding, Package, Severity};

use super::{
    EcrRepository, Wait,
    error::said,
    pages::pages,
    resolve::identifier,
    time,
    wait::{Seen, until},
    words::words,
};
use crate::{
    error::{Action, Error, ErrorKind},
    names::{Digest, Version},
};

/// What a scan of an image for vulnerabilities found.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Where it stands.
    pub status: ScanStatus,
    /// What ECR says about that.
    pub description: String,
    /// When it ended, or was brought up to date last.
    pub completed_at: Option<SystemTime>,
    /// How many findings there are of each severity, as ECR counts them.
    pub severity_counts: BTreeMap<Severity, u64>,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
}

words! {
    /// Where a scan stands.
    ScanStatus {
        /// It waits for its turn.
        Pending = "PENDING",
        /// It runs.
        InProgress = "IN_PROGRESS",
        /// A basic scan is over.
        Complete = "COMPLETE",
        /// An enhanced scan has findings, and goes on as vulnerabilities become known.
        Active = "ACTIVE",
        /// It failed.
        Failed = "FAILED",
        /// Such images cannot be scanned; an index never can, only its images.
        UnsupportedImage = "UNSUPPORTED_IMAGE",
        /// The image is too old to be scanned any more.
        ScanEligibilityExpired = "SCAN_ELIGIBILITY_EXPIRED",
        /// There are no findings to be had.
        FindingsUnavailable = "FINDINGS_UNAVAILABLE",
        /// Too many scans.
        LimitExceeded = "LIMIT_EXCEEDED",
        /// The image lies in the archive.
        ImageArchived = "IMAGE_ARCHIVED",
    }
}

impl ScanStatus {
    /// Whether the findings are there: the end of a basic scan, and all that an enhanced scan ever comes to.
    pub fn has_findings(&self) -> bool {
        matches!(self, Self::Complete | Self::Active)
    }

    /// Whether waiting may change it.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Pending | Self::InProgress)
    }
}

impl EcrRepository {
    /// The scan of an image, basic or enhanced, with all findings; `None` if there is none, or none yet.
    /// An index has no scan, but each of its images may.
    pub async fn scan(&self, image: &Digest) -> Result<Option<Scan>, Error> {
        self.scanned(image).await.map_err(self.error(Action::ReadScan, format!("@{image}")))
    }

    /// Starts a scan, and tells where it stands. ECR scans an image once a day at most, and begins enhanced scans on
    /// its own only.
    pub async fn start_scan(&self, image: &Digest) -> Result<ScanStatus, Error> {
        let call = self.client().start_image_scan().registry_id(&self.host.account);
        let call =
            call.repository_name(self.repository.name()).image_id(identifier(&Version::Digest(*image)));
        let answer = self.call("StartImageScan", || call.clone().send()).await;
        let answer = answer.map_err(self.error(Action::Scan, format!("@{image}")))?;
        Ok(status(answer.image_scan_status()))
    }

    /// Waits until a scan is over, one way or another. `None` if there is none.
    pub async fn wait_for_scan(&self, image: &Digest, wait: &Wait) -> Result<Option<Scan>, Error> {
        let look = || async {
            Ok(match self.scanned(image).await? {
                None => Seen::NotBegun(None),
                Some(scan) if scan.status.goes_on() => Seen::Goes(scan.status.to_string()),
                Some(scan) => Seen::Over(Some(scan)),
            })
        };
        until(wait, "scan", look).await.map_err(self.error(Action::ReadScan, format!("@{image}")))
    }

    async fn scanned(&self, image: &Digest) -> Result<Option<Scan>, ErrorKind> {
        let call = self.client().describe_image_scan_findings().registry_id(&self.host.account);
        let call =
            call.repository_name(self.repository.name()).image_id(identifier(&Version::Digest(*image)));
        let call = call.max_results(1000);
        let ask = |mark| {
            let call = call.clone().set_next_token(mark);
            async move {
                let answer = self.call("DescribeImageScanFindings", || call.clone().send()).await?;
                let next = answer.next_token.clone();
                Ok((vec![answer], next))
            }
        };
        let found = pages(ask).try_fold(None, |scan, page| async move { Ok(Some(with(scan, &page))) }).await;
        match found {
            Ok(scan) => Ok(scan.map(sorted)),
            Err(kind) if said(&kind, "ScanNotFoundException") => Ok(None),
            Err(kind) => Err(kind),
        }
    }
}

/// The scan with what is on one more page, each of which tells all but the findings again.
fn with(scan: Option<Scan>, page: &DescribeImageScanFindingsOutput) -> Scan {
    let about = page.image_scan_status();
    let found = page.image_scan_findings();
    let counts = found.and_then(|found| found.finding_severity_counts()).into_iter().flatten();
    let mut scan = scan.unwrap_or_else(|| Scan {
        status: status(about),
        description: about.and_then(ImageScanStatus::description).unwrap_or_default().to_owned(),
        completed_at: time(found.and_then(|found| found.image_scan_completed_at())),
        severity_counts: counts
            .map(|(severity, count)| (severity.as_str().into(), u64::try_from(*count).unwrap_or(0)))
            .collect(),
        findings: Vec::new(),
    });
    let basic = found.map(ImageScanFindings::findings).unwrap_or_default().iter().map(Finding::basic);
    let enhanced =
        found.map(ImageScanFindings::enhanced_findings).unwrap_or_default().iter().map(Finding::enhanced);
    scan.findings.extend(basic.chain(enhanced));
    scan
}

fn sorted(mut scan: Scan) -> Scan {
    scan.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)));
    scan
}

fn status(status: Option<&ImageScanStatus>) -> ScanStatus {
    status.and_then(ImageScanStatus::status).map_or(ScanStatus::Pending, |status| status.as_str().into())
}
