//! The data source `ecr_scan`: what ECR's scan of an image found, today.

use std::collections::BTreeMap;

use ecr_registry::{Finding, Scan};
use tfplugin_rs::{
    Call, Configured, Diagnostics, Field, Number, Object, TypedDataSource, ValidateRequest, async_trait,
};

use crate::{
    access::Access,
    argument::{PrivateImage, Text, faults},
    report::Report,
    scan::{Summary, scanned_images, scans},
};

/// The data source `ecr_scan`.
pub(crate) struct ScanData(pub(crate) Configured<Access>);

/// What ECR's scan of an image found, as it is known today; of an index, the scans of all its images together. To keep
/// an image back for it, use the resource `ecr_scan_gate`: a data source changes with every new finding.
#[derive(Object)]
pub(crate) struct Scanned {
    /// The image, by its digest.
    image: Text<PrivateImage>,
    /// Where the scan stands, in ECR's words: `COMPLETE`, or `ACTIVE` for enhanced scans, once there are findings. Of several
    /// images, what the first says that has none. Null if there is no scan.
    status: Field<String>,
    /// How many findings of each severity there are.
    severity_counts: Field<BTreeMap<String, u64>>,
    /// The findings, the worst first.
    findings: Field<Vec<Found>>,
}

/// A vulnerability.
#[derive(Object)]
struct Found {
    /// What it is known by: `CVE-2024-3094`.
    id: Field<String>,
    /// How bad it is: `CRITICAL`, `HIGH`, …
    severity: Field<String>,
    /// What it is about.
    description: Field<String>,
    /// Where to read more.
    url: Field<String>,
    /// What it was found in.
    packages: Field<Vec<Package>>,
    /// Its CVSS score; 10 is the worst.
    score: Field<Number>,
    /// Whether a fix is there: `YES`, `NO`, `PARTIAL`; enhanced scans only.
    fix_available: Field<String>,
    /// Whether it still counts: `ACTIVE`, `SUPPRESSED`, `CLOSED`; enhanced scans only.
    status: Field<String>,
}

/// A package in an image.
#[derive(Object)]
struct Package {
    /// Its name.
    name: Field<String>,
    /// Its version.
    version: Field<String>,
    /// The first version without the vulnerability, as far as known.
    fixed_in: Field<String>,
}

#[async_trait]
impl TypedDataSource for ScanData {
    type Model = Scanned;

    fn type_name(&self) -> &'static str {
        "ecr_scan"
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        faults::<PrivateImage>(&request.config.view().get("image"))
    }

    async fn read(&self, config: Scanned, _: &mut Call) -> Result<Scanned, Diagnostics> {
        let access = self.0.get()?;
        let (registry, image) = (access.registry()?, &config.image.0);
        let images = scanned_images(registry, image).await?;
        let report = |error: ecr_registry::Error| error.report().at("image");
        let scans =
            scans(&registry.ecr(&image.repository).map_err(report)?, &images).await.map_err(report)?;
        let scans: Vec<Option<Scan>> = scans.into_iter().map(|(_, scan)| scan).collect();
        let summary = Summary::of(scans.iter().flatten());
        let findings: Vec<Found> = summary.findings.iter().map(Found::of).collect();
        Ok(Scanned {
            status: status(&scans).into(),
            severity_counts: summary.counts().into(),
            findings: findings.into(),
            ..config
        })
    }
}

/// Together no scan is further than the one that is the furthest behind.
fn status(scans: &[Option<Scan>]) -> Option<String> {
    let behind = scans.iter().find(|scan| scan.as_ref().is_none_or(|scan| !scan.status.has_findings()));
    let decisive = behind.or(scans.first())?;
    decisive.as_ref().map(|scan| scan.status.to_string())
}

impl Found {
    fn of(finding: &Finding) -> Self {
        let package = |package: &ecr_registry::Package| Package {
            name: package.name.clone().into(),
            version: package.version.clone().into(),
            fixed_in: package.fixed_in.clone().into(),
        };
        Self {
            id: finding.id.clone().into(),
            severity: finding.severity.to_string().into(),
            description: finding.description.clone().into(),
            url: finding.url.clone().into(),
            packages: finding.packages.iter().map(package).collect::<Vec<_>>().into(),
            score: finding.score.and_then(|score| Number::try_from(score).ok()).into(),
            fix_available: finding.fix_available.clone().into(),
            status: finding.status.clone().into(),
        }
    }
}
