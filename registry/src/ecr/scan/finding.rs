use aws_sdk_ecr::types::{
    EnhancedImageScanFinding, ImageScanFinding, PackageVulnerabilityDetails, VulnerablePackage,
};

use crate::ecr::words::words;

/// A vulnerability in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is known by: `CVE-2024-3094`.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub description: String,
    /// Where to read more.
    pub url: Option<String>,
    /// What it was found in.
    pub packages: Vec<Package>,
    /// Its CVSS score, as far as there is one; 10 is the worst.
    pub score: Option<f64>,
    /// Whether a fix is there: `YES`, `NO`, `PARTIAL`; enhanced scans only.
    pub fix_available: Option<String>,
    /// Whether it is known to be exploited: `YES`, `NO`; enhanced scans only.
    pub exploit_available: Option<String>,
    /// Whether it still counts: `ACTIVE`, `SUPPRESSED`, `CLOSED`; enhanced scans only.
    pub status: Option<String>,
}

words! {
    /// How bad a vulnerability is. Each is worse than those before; a word that is not known is taken for the worst.
    Severity {
        /// Nobody has decided.
        Undefined = "UNDEFINED",
        /// Nobody has decided, in the words of enhanced scans.
        Untriaged = "UNTRIAGED",
        /// Nothing to be done.
        Informational = "INFORMATIONAL",
        /// Low.
        Low = "LOW",
        /// Medium.
        Medium = "MEDIUM",
        /// High.
        High = "HIGH",
        /// Critical.
        Critical = "CRITICAL",
    }
}

/// A package in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The first version without the vulnerability, as far as known.
    pub fixed_in: Option<String>,
    /// Where in the image it is, as far as known.
    pub path: Option<String>,
}

impl Finding {
    pub(super) fn basic(finding: &ImageScanFinding) -> Self {
        let attribute = |key: &str| {
            let attribute = finding.attributes().iter().find(|attribute| attribute.key() == key);
            attribute.and_then(|attribute| attribute.value()).map(str::to_owned)
        };
        let package = attribute("package_name").map(|name| Package {
            name,
            version: attribute("package_version").unwrap_or_default(),
            fixed_in: None,
            path: None,
        });
        let score = ["CVSS4_SCORE", "CVSS3_SCORE", "CVSS2_SCORE"].iter().find_map(|key| attribute(key));
        Self {
            id: finding.name().unwrap_or_default().to_owned(),
            severity: finding.severity().map_or(Severity::Undefined, |severity| severity.as_str().into()),
            description: finding.description().unwrap_or_default().to_owned(),
            url: finding.uri().map(str::to_owned),
            packages: package.into_iter().collect(),
            score: score.and_then(|score| score.parse().ok()),
            fix_available: None,
            exploit_available: None,
            status: None,
        }
    }

    pub(super) fn enhanced(finding: &EnhancedImageScanFinding) -> Self {
        let details = finding.package_vulnerability_details();
        let packages = details.map(PackageVulnerabilityDetails::vulnerable_packages).unwrap_or_default();
        let id = details.and_then(|details| details.vulnerability_id()).or(finding.title());
        Self {
            id: id.unwrap_or_default().to_owned(),
            severity: finding.severity().map_or(Severity::Undefined, Severity::from),
            description: finding.description().or(finding.title()).unwrap_or_default().to_owned(),
            url: details.and_then(|details| details.source_url()).map(str::to_owned),
            packages: packages.iter().map(Package::of).collect(),
            score: (finding.score() > 0.0).then(|| finding.score()),
            fix_available: finding.fix_available().map(str::to_owned),
            exploit_available: finding.exploit_available().map(str::to_owned),
            status: finding.status().map(str::to_owned),
        }
    }
}

impl Package {
    fn of(package: &VulnerablePackage) -> Self {
        Self {
            name: package.name().unwrap_or_default().to_owned(),
            version: package.version().unwrap_or_default().to_owned(),
            fixed_in: package.fixed_in_version().map(str::to_owned),
            path: package.file_path().map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_in_order() {
        let order = ["UNDEFINED", "UNTRIAGED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "WORSE"];
        let severities = order.map(Severity::from);
        assert!(severities.is_sorted());
        assert_eq!(severities.map(|severity| severity.to_string()), order);
    }
}
