//! The scans of an image: of an index those of all its images, for ECR scans no index.

use std::{collections::BTreeMap, time::SystemTime};

use ecr_registry::{Digest, EcrRepository, Error, Finding, Registry, Scan, Severity, Version};
use tfplugin_rs::{Diagnostic, Diagnostics};

use crate::{argument::Pinned, report::Report};

/// The images that are scanned: the image itself, or those of the index, without its attestations.
pub(crate) async fn scanned_images(registry: &Registry, image: &Pinned) -> Result<Vec<Digest>, Diagnostics> {
    let found = registry.manifest(&image.repository, &Version::Digest(image.digest)).await;
    let Some(manifest) = found.map_err(|error| error.report().at("image"))? else {
        let detail = "Somebody, or a lifecycle rule, may have deleted it.";
        return Err(Diagnostic::error(format!("There is no image `{image}`"), detail).at("image").into());
    };
    let children = manifest.children().iter();
    let is_image = |os: &str| os != "unknown";
    let children: Vec<Digest> = children
        .filter(|child| child.platform.as_ref().is_none_or(|platform| is_image(&platform.os)))
        .map(|child| child.digest)
        .collect();
    Ok(if children.is_empty() { vec![image.digest] } else { children })
}

/// The scans that there are, each with its image.
pub(crate) async fn scans(
    ecr: &EcrRepository,
    images: &[Digest],
) -> Result<Vec<(Digest, Option<Scan>)>, Error> {
    let mut scans = Vec::new();
    for image in images {
        scans.push((*image, ecr.scan(image).await?));
    }
    Ok(scans)
}

/// What several scans say together.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) severity_counts: BTreeMap<Severity, u64>,
    /// The end of the scan that ended first.
    pub(crate) scanned_at: Option<SystemTime>,
    /// Each once, the worst first.
    pub(crate) findings: Vec<Finding>,
}

impl Summary {
    pub(crate) fn of<'a>(scans: impl IntoIterator<Item = &'a Scan>) -> Self {
        let mut summary = Self::default();
        for scan in scans {
            for (severity, count) in &scan.severity_counts {
                *summary.severity_counts.entry(severity.clone()).or_default() += count;
            }
            let ends = summary.scanned_at.into_iter().chain(scan.completed_at);
            summary.scanned_at = ends.min();
            for finding in &scan.findings {
                if !summary.findings.contains(finding) {
                    summary.findings.push(finding.clone());
                }
            }
        }
        summary.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)));
        summary
    }

    /// The counts by ECR's words.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.severity_counts.iter().map(|(severity, count)| (severity.to_string(), *count)).collect()
    }
}
