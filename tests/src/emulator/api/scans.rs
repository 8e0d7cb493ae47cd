//! Scans: what is scanned how, how far a scan is, and what it found.
//!
//! A scan shows nothing for a moment, waits, runs and ends; [`super::super::Emulator::pass`] brings it there at once.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::Call;
use crate::emulator::clock::seconds;
use crate::emulator::refusal::Refusal;
use crate::emulator::store::{Manifest, Registry, Repository, matches};

/// Between two states of a scan.
pub(super) const STEP: Duration = Duration::from_secs(1);
/// ECR scans an image once in this time when asked to.
const AGAIN: Duration = Duration::from_hours(24);

/// How a scan of an image ends.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// Such as `FAILED` or `UNSUPPORTED_IMAGE`; without it the scan succeeds.
    pub status: Option<&'static str>,
    /// Name and severity of what is found, such as `CVE-2026-1` and `HIGH`.
    pub findings: Vec<(String, &'static str)>,
}

pub(super) fn answer(
    call: &Call<'_>,
    registry: &mut Registry,
    action: &str,
) -> Option<Result<Value, Refusal>> {
    Some(match action {
        "PutRegistryScanningConfiguration" => {
            let rules = call.input.get("rules").cloned().unwrap_or(json!([]));
            let scan_type = call.text("scanType").unwrap_or("BASIC");
            let configuration = json!({ "scanType": scan_type, "rules": rules });
            registry.documents.insert("scanning", configuration.clone());
            Ok(json!({ "registryScanningConfiguration": configuration }))
        }
        "GetRegistryScanningConfiguration" => {
            Ok(json!({ "registryId": call.scope.account, "scanningConfiguration": configuration(registry) }))
        }
        "BatchGetRepositoryScanningConfiguration" => Ok(call.repository_scanning(registry)),
        "PutImageScanningConfiguration" => call.put_scanning(registry),
        "StartImageScan" => call.start_scan(registry),
        "DescribeImageScanFindings" => call.findings(registry),
        _ => return None,
    })
}

fn configuration(registry: &Registry) -> Value {
    let basic = || json!({ "scanType": "BASIC", "rules": [] });
    registry.documents.get("scanning").cloned().unwrap_or_else(basic)
}

/// How a repository is scanned: how often, and by which of the registry's filters.
fn frequency(configuration: &Value, repository: &Repository) -> (String, Vec<Value>) {
    for rule in configuration["rules"].as_array().into_iter().flatten() {
        let fits = |filter: &&Value| {
            filter["filter"].as_str().is_some_and(|pattern| matches(pattern, &repository.name))
        };
        let filters = rule["repositoryFilters"].as_array().into_iter().flatten();
        let filters: Vec<Value> = filters.filter(fits).cloned().collect();
        if !filters.is_empty() {
            return (rule["scanFrequency"].as_str().unwrap_or("MANUAL").to_owned(), filters);
        }
    }
    let on_push = repository.settings["imageScanningConfiguration"]["scanOnPush"] == true;
    (if on_push { "SCAN_ON_PUSH" } else { "MANUAL" }.to_owned(), Vec::new())
}

impl Call<'_> {
    fn repository_scanning(&self, registry: &Registry) -> Value {
        let configuration = configuration(registry);
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for name in self.list("repositoryNames").iter().filter_map(Value::as_str) {
            let Some(repository) = registry.repositories.get(name) else {
                let reason = format!("The repository with name '{name}' does not exist");
                failures.push(json!({ "repositoryName": name, "failureCode": "REPOSITORY_NOT_FOUND", "failureReason": reason }));
                continue;
            };
            let (frequency, filters) = frequency(&configuration, repository);
            found.push(json!({
                "repositoryArn": repository.settings["repositoryArn"], "repositoryName": name,
                "scanOnPush": frequency == "SCAN_ON_PUSH", "scanFrequency": frequency, "appliedScanFilters": filters,
            }));
        }
        json!({ "scanningConfigurations": found, "failures": failures })
    }

    fn put_scanning(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let repository = self.repository(registry)?;
        let configuration = &self.input["imageScanningConfiguration"];
        repository.settings["imageScanningConfiguration"] = configuration.clone();
        Ok(self.about(repository, json!({ "imageScanningConfiguration": configuration })))
    }

    fn start_scan(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        if configuration(registry)["scanType"] == "ENHANCED" {
            return Err(Refusal::not_found("ValidationException", "This feature is disabled"));
        }
        let repository = self.repository(registry)?;
        let digest = self.image(repository)?;
        let Some(manifest) = repository.manifests.get_mut(&digest) else {
            return Err(Refusal::no_manifest());
        };
        if !manifest.children.is_empty() {
            let message = "The image type is not supported by image scanning";
            return Err(Refusal::not_found("UnsupportedImageTypeException", message));
        }
        let again = |last| self.now.duration_since(last).unwrap_or_default() < AGAIN;
        if manifest.scanned.is_some_and(again) {
            let message = "The scan quota per image has been exceeded. Wait and try again.";
            return Err(Refusal::not_found("LimitExceededException", message));
        }
        manifest.scanned = Some(self.now);
        let answer =
            json!({ "imageId": self.input["imageId"], "imageScanStatus": { "status": "IN_PROGRESS" } });
        Ok(self.about(repository, answer))
    }

    fn findings(&self, registry: &mut Registry) -> Result<Value, Refusal> {
        let configuration = configuration(registry);
        let enhanced = configuration["scanType"] == "ENHANCED";
        let repository = self.repository(registry)?;
        let digest = self.image(repository)?;
        let automatic = frequency(&configuration, repository).0 != "MANUAL";
        let manifest = &repository.manifests[&digest];
        // Nobody scans an index: its images are scanned.
        let begun = manifest.scanned.or(automatic.then_some(manifest.pushed));
        let begun = begun.filter(|_| manifest.children.is_empty());
        let age = begun.map(|begun| self.now.duration_since(begun).unwrap_or_default());
        let Some((begun, age)) = begun.zip(age).filter(|(_, age)| manifest.scanned.is_some() || *age >= STEP)
        else {
            let message = format!(
                "Image scan does not exist for the image with '{}' in the repository with name '{}' in the registry \
                 with id '{}'",
                self.input["imageId"], repository.name, self.scope.account
            );
            return Err(Refusal::not_found("ScanNotFoundException", message));
        };
        let done = if enhanced { "ACTIVE" } else { "COMPLETE" };
        let status = match age {
            age if age < 2 * STEP => "PENDING",
            age if age < 3 * STEP => "IN_PROGRESS",
            _ => manifest.scan.status.unwrap_or(done),
        };
        let mut answer =
            json!({ "imageId": { "imageDigest": digest }, "imageScanStatus": { "status": status } });
        if status == done {
            answer["imageScanFindings"] = self.found(manifest, &digest, begun + 3 * STEP, enhanced);
        }
        Ok(self.about(repository, answer))
    }

    fn found(&self, manifest: &Manifest, digest: &str, at: SystemTime, enhanced: bool) -> Value {
        let mut counts = serde_json::Map::new();
        for (_, severity) in &manifest.scan.findings {
            let count = counts.get(*severity).and_then(Value::as_u64).unwrap_or(0);
            counts.insert((*severity).to_owned(), json!(count + 1));
        }
        let findings = manifest.scan.findings.iter().map(|(name, severity)| {
            if enhanced {
                self.enhanced(name, severity, digest)
            } else {
                let attribute = |key: &str, value: &str| json!({ "key": key, "value": value });
                let attributes =
                    [attribute("package_name", "openssl"), attribute("package_version", "3.0.0")];
                json!({ "name": name, "severity": severity, "description": name, "attributes": attributes })
            }
        });
        let list = if enhanced { "enhancedFindings" } else { "findings" };
        json!({
            "imageScanCompletedAt": seconds(at), "vulnerabilitySourceUpdatedAt": seconds(at),
            "findingSeverityCounts": counts, list: findings.collect::<Vec<_>>(),
        })
    }

    /// A finding as Inspector writes it.
    fn enhanced(&self, name: &str, severity: &str, digest: &str) -> Value {
        let account = &self.scope.account;
        json!({
            "awsAccountId": account, "title": format!("{name} - openssl"), "description": name,
            "severity": severity, "status": "ACTIVE", "type": "PACKAGE_VULNERABILITY", "score": 7.5,
            "findingArn": format!("arn:aws:inspector2:{}:{account}:finding/{}", self.scope.region, self.shared.sign(name)),
            "packageVulnerabilityDetails": {
                "vulnerabilityId": name, "source": "NVD",
                "vulnerablePackages": [{ "name": "openssl", "version": "3.0.0", "fixedInVersion": "3.0.1" }],
            },
            "resources": [{ "id": digest, "type": "AWS_ECR_CONTAINER_IMAGE" }],
            "fixAvailable": "YES", "exploitAvailable": "NO",
        })
    }
}
