//! What ECR does on its own: scans, copies, signatures, previews; and waiting for it.

use std::time::Duration;

use ecr_registry::{LifecycleAction, Scan, ScanStatus, Severity, Stage, Wait};
use serde_json::{Value, json};

use crate::{
    ecr_api::{digest, ecr},
    fake::{ECR, Fake, What, api_error},
    told,
};

/// Looks without a pause, and waits for as long as it takes.
fn wait() -> Wait {
    let every = Duration::ZERO;
    Wait { every, begins: Duration::from_hours(1), within: Duration::from_hours(1) }
}

fn no_wait() -> Wait {
    Wait { every: Duration::ZERO, begins: Duration::ZERO, within: Duration::ZERO }
}

fn scan(status: &str) -> Value {
    json!({ "imageScanStatus": { "status": status, "description": "words" } })
}

fn no_scan(fake: &Fake, times: usize) {
    let none = api_error("ScanNotFoundException", "Image scan does not exist");
    fake.fail("POST", "DescribeImageScanFindings", times, What::Answer(none));
}

#[tokio::test]
async fn a_basic_scan_has_findings_on_several_pages() {
    let fake = Fake::ecr(&["web"]).await;
    let page = |findings: Value, next: Option<&str>| {
        let findings = json!({ "findingSeverityCounts": { "HIGH": 1, "LOW": 1 }, "findings": findings, "imageScanCompletedAt": 7 });
        json!({ "imageScanStatus": { "status": "COMPLETE" }, "imageScanFindings": findings, "nextToken": next })
    };
    let attributes = json!([{ "key": "package_name", "value": "zlib" }, { "key": "package_version", "value": "1.2" }, { "key": "CVSS3_SCORE", "value": "7.5" }]);
    let low = json!([{ "name": "CVE-1", "severity": "LOW", "uri": "https://cve/1", "description": "old" }]);
    let high = json!([{ "name": "CVE-2", "severity": "HIGH", "attributes": attributes }]);
    fake.says("DescribeImageScanFindings", &page(low, Some("2")));
    fake.says("DescribeImageScanFindings", &page(high, None));
    let Scan { status, severity_counts, findings, completed_at, .. } =
        ecr(&fake).scan(&digest(1)).await.unwrap().unwrap();
    assert!(status.has_findings() && !status.goes_on() && completed_at.is_some());
    assert_eq!(severity_counts, [(Severity::Low, 1), (Severity::High, 1)].into());
    let [worst, other] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((worst.id.as_str(), &worst.severity, worst.score), ("CVE-2", &Severity::High, Some(7.5)));
    assert_eq!((worst.packages[0].name.as_str(), worst.packages[0].version.as_str()), ("zlib", "1.2"));
    assert_eq!((other.id.as_str(), other.url.as_deref()), ("CVE-1", Some("https://cve/1")));
    let asked = fake.asked("DescribeImageScanFindings");
    assert_eq!(
        (&asked[0]["imageId"], &asked[1]["nextToken"]),
        (&json!({ "imageDigest": digest(1) }), &json!("2"))
    );
}

#[tokio::test]
async fn an_enhanced_scan_tells_more() {
    let fake = Fake::ecr(&["web"]).await;
    let package =
        json!({ "name": "openssl", "version": "3.0.1", "fixedInVersion": "3.0.2", "filePath": "usr/lib/x" });
    let finding = json!({
        "title": "CVE-3 - openssl", "severity": "CRITICAL", "score": 9.8, "status": "ACTIVE", "fixAvailable": "YES", "exploitAvailable": "NO",
        "packageVulnerabilityDetails": { "vulnerabilityId": "CVE-3", "sourceUrl": "https://nvd/3", "vulnerablePackages": [package] },
    });
    fake.says("DescribeImageScanFindings", &json!({
        "imageScanStatus": { "status": "ACTIVE" },
        "imageScanFindings": { "findingSeverityCounts": { "CRITICAL": 1, "UNTRIAGED": 2 }, "enhancedFindings": [finding] },
    }));
    let scan = ecr(&fake).scan(&digest(1)).await.unwrap().unwrap();
    assert_eq!((scan.status.has_findings(), scan.severity_counts[&Severity::Untriaged]), (true, 2));
    let finding = &scan.findings[0];
    assert_eq!(
        (finding.id.as_str(), finding.score, finding.fix_available.as_deref()),
        ("CVE-3", Some(9.8), Some("YES"))
    );
    assert_eq!(finding.packages[0].fixed_in.as_deref(), Some("3.0.2"));
}

#[tokio::test]
async fn a_scan_is_started_and_waited_for() {
    let fake = Fake::ecr(&["web"]).await;
    fake.says("StartImageScan", &scan("IN_PROGRESS"));
    assert_eq!(ecr(&fake).start_scan(&digest(1)).await.unwrap(), ScanStatus::InProgress);
    no_scan(&fake, 2);
    for status in ["PENDING", "IN_PROGRESS", "UNSUPPORTED_IMAGE"] {
        fake.says("DescribeImageScanFindings", &scan(status));
    }
    let over = ecr(&fake).wait_for_scan(&digest(1), &wait()).await.unwrap().unwrap();
    assert_eq!((over.status, over.description.as_str()), (ScanStatus::UnsupportedImage, "words"));
    assert_eq!(fake.asked("DescribeImageScanFindings").len(), 5);

    no_scan(&fake, 2);
    assert_eq!(ecr(&fake).scan(&digest(1)).await.unwrap(), None);
    assert_eq!(ecr(&fake).wait_for_scan(&digest(1), &no_wait()).await.unwrap(), None);

    fake.says("DescribeImageScanFindings", &scan("IN_PROGRESS"));
    let error = ecr(&fake).wait_for_scan(&digest(1), &no_wait()).await.unwrap_err();
    let image = format!("{ECR}/web@{}", digest(1));
    assert_eq!(
        told(&error),
        format!("cannot read the scan of `{image}`: the scan is IN_PROGRESS after 0 seconds")
    );

    let once_a_day = api_error(
        "LimitExceededException",
        "The scan quota per image has been exceeded. Wait and try again.",
    );
    fake.fail("POST", "StartImageScan", 1, What::Answer(once_a_day));
    let error = ecr(&fake).start_scan(&digest(1)).await.unwrap_err();
    assert!(
        told(&error)
            .starts_with(&format!("cannot scan `{image}`: a quota of ECR is used up: The scan quota")),
        "{}",
        told(&error)
    );
    assert!(!error.is_transient());
}

#[tokio::test]
async fn trouble_that_passes_does_not_end_the_wait() {
    let fake = Fake::ecr(&["web"]).await;
    for code in ["ThrottlingException", "ServerException"] {
        fake.fail("POST", "DescribeImageScanFindings", 1, What::Answer(api_error(code, "later")));
    }
    fake.says("DescribeImageScanFindings", &scan("COMPLETE"));
    let scan = ecr(&fake).wait_for_scan(&digest(1), &wait()).await.unwrap().unwrap();
    assert_eq!(scan.status, ScanStatus::Complete);
}

#[tokio::test]
async fn copies_are_waited_for() {
    let fake = Fake::ecr(&["web"]).await;
    let replica = |region: &str, status: &str| json!({ "region": region, "registryId": "123456789012", "status": status });
    let mut failed = replica("us-east-1", "FAILED");
    failed["failureCode"] = json!("RepositoryPolicy");
    let says = |statuses: Value| {
        fake.says("DescribeImageReplicationStatus", &json!({ "replicationStatuses": statuses }));
    };
    says(json!([]));
    says(json!([replica("us-east-1", "IN_PROGRESS"), replica("us-west-2", "COMPLETE")]));
    says(json!([failed, replica("us-west-2", "COMPLETE")]));
    let replicas = ecr(&fake).wait_for_replicas(&digest(1), &wait()).await.unwrap();
    assert_eq!(
        (&replicas[0].status, replicas[0].failure.as_deref()),
        (&Stage::Failed, Some("RepositoryPolicy"))
    );
    assert_eq!((replicas[1].region.as_str(), &replicas[1].status), ("us-west-2", &Stage::Complete));

    says(json!([]));
    assert_eq!(ecr(&fake).wait_for_replicas(&digest(1), &no_wait()).await.unwrap(), []);
    says(json!([replica("us-east-1", "IN_PROGRESS"), replica("us-west-2", "COMPLETE")]));
    let error = ecr(&fake).wait_for_replicas(&digest(1), &no_wait()).await.unwrap_err();
    assert!(
        told(&error).ends_with("the replication is under way (1 of 2) after 0 seconds"),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn signatures_are_waited_for() {
    let fake = Fake::ecr(&["web"]).await;
    let says =
        |status: Value| fake.says("DescribeImageSigningStatus", &json!({ "signingStatuses": [status] }));
    says(json!({ "signingProfileArn": "arn:p", "status": "IN_PROGRESS" }));
    says(
        json!({ "signingProfileArn": "arn:p", "status": "FAILED", "failureCode": "AccessDenied", "failureReason": "no" }),
    );
    let signings = ecr(&fake).wait_for_signings(&digest(1), &wait()).await.unwrap();
    assert_eq!((signings[0].profile.as_str(), &signings[0].status), ("arn:p", &Stage::Failed));
    assert_eq!(signings[0].failure.as_deref(), Some("AccessDenied: no"));
}

#[tokio::test]
async fn a_lifecycle_policy_is_tried_out() {
    let fake = Fake::ecr(&["web"]).await;
    let busy = api_error("LifecyclePolicyPreviewInProgressException", "another");
    fake.fail("POST", "StartLifecyclePolicyPreview", 1, What::Answer(busy));
    fake.says("StartLifecyclePolicyPreview", &json!({ "status": "IN_PROGRESS" }));
    let none = api_error("LifecyclePolicyPreviewNotFoundException", "none");
    fake.fail("POST", "GetLifecyclePolicyPreview", 1, What::Answer(none));
    let found = |number: usize, action: &str| json!({ "imageDigest": digest(number), "imageTags": ["b", "a"], "appliedRulePriority": 2, "action": { "type": action } });
    fake.says("GetLifecyclePolicyPreview", &json!({ "status": "IN_PROGRESS" }));
    fake.says("GetLifecyclePolicyPreview", &json!({ "status": "COMPLETE" }));
    fake.says(
        "GetLifecyclePolicyPreview",
        &json!({ "status": "COMPLETE", "previewResults": [found(1, "EXPIRE")], "nextToken": "2" }),
    );
    fake.says(
        "GetLifecyclePolicyPreview",
        &json!({ "status": "COMPLETE", "previewResults": [found(2, "TRANSITION")] }),
    );
    let matches = ecr(&fake).preview_lifecycle(Some("{}"), &wait()).await.unwrap();
    assert_eq!(
        matches.iter().map(|found| &found.action).collect::<Vec<_>>(),
        [&LifecycleAction::Expire, &LifecycleAction::Archive]
    );
    assert_eq!((matches[0].digest, matches[0].rule, matches[0].tags[0].as_str()), (digest(1), 2, "a"));
    assert_eq!(fake.asked("StartLifecyclePolicyPreview")[1]["lifecyclePolicyText"], "{}");

    let none = api_error("LifecyclePolicyNotFoundException", "none");
    fake.fail("POST", "StartLifecyclePolicyPreview", 1, What::Answer(none));
    assert_eq!(ecr(&fake).preview_lifecycle(None, &wait()).await.unwrap(), []);

    fake.says("StartLifecyclePolicyPreview", &json!({}));
    fake.says("GetLifecyclePolicyPreview", &json!({ "status": "FAILED" }));
    let error = ecr(&fake).preview_lifecycle(None, &wait()).await.unwrap_err();
    assert!(
        told(&error).ends_with("the registry refuses: FAILED: there is no preview of the lifecycle policy"),
        "{}",
        told(&error)
    );
}
