//! What the API says about registries, repositories and images beside their content, as AWS's SDK reads it.

use std::time::Duration;

use aws_sdk_ecr::Client as Sdk;
use aws_sdk_ecr::error::ProvideErrorMetadata;
use aws_sdk_ecr::types::{
    ImageIdentifier, ImageTagMutability, LayerAvailability, RctAppliedFor, RegistryScanningRule,
    ReplicationConfiguration, ReplicationDestination, ReplicationRule, ReplicationStatus, ScanFrequency,
    ScanStatus, ScanType, ScanningRepositoryFilter, ScanningRepositoryFilterType, SigningConfiguration,
    SigningRule, SigningStatus, SubjectIdentifier, Tag, TargetStorageClass,
};
use lab::ecr::Scope;
use lab::emulator::{Emulator, Options, Scan};
use serde_json::json;

use crate::stage::{MANIFEST, descriptor, digest, manifest, sdk, start};

/// An emulator with an image `web:v1`.
async fn with_image() -> (Emulator, Sdk) {
    let ecr = start(Options { stopped_clock: true, ..Options::default() }, &["web"]).await;
    let client = sdk(&ecr);
    for bytes in ["{}", "layer"] {
        layer(&client, bytes).await;
    }
    put(&client, &manifest(b"layer"), Some("v1")).await;
    (ecr, client)
}

async fn layer(sdk: &Sdk, bytes: &str) {
    let upload = sdk.initiate_layer_upload().repository_name("web").send().await.unwrap().upload_id.unwrap();
    let part = sdk.upload_layer_part().repository_name("web").upload_id(&upload).part_first_byte(0);
    let blob = aws_sdk_ecr::primitives::Blob::new(bytes);
    part.part_last_byte(i64::try_from(bytes.len()).unwrap() - 1).layer_part_blob(blob).send().await.unwrap();
    let done = sdk.complete_layer_upload().repository_name("web").upload_id(upload);
    done.layer_digests(digest(bytes)).send().await.unwrap();
}

async fn put(sdk: &Sdk, manifest: &serde_json::Value, tag: Option<&str>) {
    let put = sdk.put_image().repository_name("web").image_manifest(manifest.to_string());
    put.set_image_tag(tag.map(str::to_owned)).send().await.unwrap();
}

fn v1() -> ImageIdentifier {
    ImageIdentifier::builder().image_tag("v1").build()
}

/// The state of a scan, or the name of the exception.
async fn scan(sdk: &Sdk) -> String {
    match sdk.describe_image_scan_findings().repository_name("web").image_id(v1()).send().await {
        Ok(found) => found.image_scan_status.unwrap().status.unwrap().as_str().to_owned(),
        Err(error) => error.code().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn a_basic_scan_is_asked_for_goes_on_and_finds() {
    let (ecr, sdk) = with_image().await;
    assert_eq!(scan(&sdk).await, "ScanNotFoundException");
    let findings = vec![("CVE-2026-1".to_owned(), "HIGH"), ("CVE-2026-2".to_owned(), "HIGH")];
    ecr.scan("web", "v1", Scan { findings, ..Scan::default() }).unwrap();
    let start = || sdk.start_image_scan().repository_name("web").image_id(v1()).send();
    let begun = start().await.unwrap().image_scan_status.unwrap().status.unwrap();
    assert_eq!(begun, ScanStatus::InProgress);
    assert_eq!(start().await.unwrap_err().code(), Some("LimitExceededException"));
    assert_eq!(scan(&sdk).await, "PENDING");
    ecr.pass(Duration::from_secs(2));
    assert_eq!(scan(&sdk).await, "IN_PROGRESS");
    ecr.pass(Duration::from_secs(1));
    let found =
        sdk.describe_image_scan_findings().repository_name("web").image_id(v1()).send().await.unwrap();
    assert_eq!(found.image_scan_status.unwrap().status, Some(ScanStatus::Complete));
    let found = found.image_scan_findings.unwrap();
    let counts = found.finding_severity_counts.as_ref().unwrap();
    assert_eq!((counts[&"HIGH".into()], found.findings()[1].name()), (2, Some("CVE-2026-2")));
    ecr.scan("web", "v1", Scan { status: Some("UNSUPPORTED_IMAGE"), ..Scan::default() }).unwrap();
    assert_eq!(scan(&sdk).await, "UNSUPPORTED_IMAGE");
}

#[tokio::test]
async fn an_enhanced_scan_begins_with_the_push_and_stays_active() {
    let (ecr, sdk) = with_image().await;
    let kind = ScanningRepositoryFilterType::Wildcard;
    let filter = ScanningRepositoryFilter::builder().filter("w*").filter_type(kind).build().unwrap();
    let rule = RegistryScanningRule::builder()
        .scan_frequency(ScanFrequency::ContinuousScan)
        .repository_filters(filter);
    let put =
        sdk.put_registry_scanning_configuration().scan_type(ScanType::Enhanced).rules(rule.build().unwrap());
    put.send().await.unwrap();
    let configuration =
        sdk.get_registry_scanning_configuration().send().await.unwrap().scanning_configuration.unwrap();
    assert_eq!((configuration.scan_type(), configuration.rules().len()), (Some(&ScanType::Enhanced), 1));
    let of = sdk.batch_get_repository_scanning_configuration().repository_names("web").repository_names("no");
    let of = of.send().await.unwrap();
    assert_eq!(of.scanning_configurations()[0].scan_frequency(), Some(&ScanFrequency::ContinuousScan));
    assert_eq!(of.failures()[0].repository_name(), Some("no"));
    assert_eq!(scan(&sdk).await, "ScanNotFoundException");
    ecr.scan("web", "v1", Scan { findings: vec![("CVE-2026-1".to_owned(), "CRITICAL")], ..Scan::default() })
        .unwrap();
    ecr.pass(Duration::from_secs(3));
    let found =
        sdk.describe_image_scan_findings().repository_name("web").image_id(v1()).send().await.unwrap();
    assert_eq!(found.image_scan_status.unwrap().status, Some(ScanStatus::Active));
    let found = found.image_scan_findings.unwrap();
    let finding = &found.enhanced_findings()[0];
    assert_eq!(finding.severity(), Some("CRITICAL"));
    assert_eq!(finding.package_vulnerability_details().unwrap().vulnerability_id(), Some("CVE-2026-1"));
    let error = sdk.start_image_scan().repository_name("web").image_id(v1()).send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"));
}

#[tokio::test]
async fn signing_and_replication_take_a_moment_after_a_push() {
    let (ecr, sdk) = with_image().await;
    let error = sdk.get_signing_configuration().send().await.unwrap_err();
    assert_eq!(error.code(), Some("SigningConfigurationNotFoundException"));
    let profile = "arn:aws:signer:eu-central-1:123456789012:/signing-profiles/ci";
    let rule = SigningRule::builder().signing_profile_arn(profile).build().unwrap();
    let configuration = SigningConfiguration::builder().rules(rule).build().unwrap();
    sdk.put_signing_configuration().signing_configuration(configuration).send().await.unwrap();
    let destination =
        ReplicationDestination::builder().region("eu-west-1").registry_id("123456789012").build().unwrap();
    let rule = ReplicationRule::builder().destinations(destination).build().unwrap();
    let configuration = ReplicationConfiguration::builder().rules(rule).build().unwrap();
    sdk.put_replication_configuration().replication_configuration(configuration).send().await.unwrap();
    let states = async || {
        let signing =
            sdk.describe_image_signing_status().repository_name("web").image_id(v1()).send().await.unwrap();
        let replication = sdk.describe_image_replication_status().repository_name("web").image_id(v1());
        let replication = replication.send().await.unwrap();
        (
            signing.signing_statuses()[0].status().cloned(),
            replication.replication_statuses()[0].status().cloned(),
        )
    };
    assert_eq!(states().await, (Some(SigningStatus::InProgress), Some(ReplicationStatus::InProgress)));
    ecr.pass(Duration::from_secs(1));
    assert_eq!(states().await, (Some(SigningStatus::Complete), Some(ReplicationStatus::Complete)));
    let registry = sdk.describe_registry().send().await.unwrap();
    assert_eq!(registry.replication_configuration.unwrap().rules().len(), 1);
    let deleted = sdk.delete_signing_configuration().send().await.unwrap();
    assert_eq!(deleted.signing_configuration.unwrap().rules()[0].signing_profile_arn(), profile);
}

#[tokio::test]
async fn a_template_makes_a_repository_with_the_first_push() {
    let ecr = start(Options::default(), &[]).await;
    let sdk = sdk(&ecr);
    let begin = |name: &str| sdk.initiate_layer_upload().repository_name(name).send();
    assert_eq!(begin("shop/web").await.unwrap_err().code(), Some("RepositoryNotFoundException"));
    let template =
        sdk.create_repository_creation_template().prefix("shop").applied_for(RctAppliedFor::CreateOnPush);
    let template = template.image_tag_mutability(ImageTagMutability::Immutable).send().await.unwrap();
    assert!(template.repository_creation_template.unwrap().created_at.is_some());
    begin("shop/web").await.unwrap();
    let found = sdk.describe_repositories().repository_names("shop/web").send().await.unwrap();
    assert_eq!(found.repositories()[0].image_tag_mutability(), Some(&ImageTagMutability::Immutable));
    assert!(begin("shopping").await.is_err());
    let templates = sdk.describe_repository_creation_templates().send().await.unwrap();
    assert_eq!(templates.repository_creation_templates()[0].prefix(), Some("shop"));
    sdk.delete_repository_creation_template().prefix("shop").send().await.unwrap();
    assert!(begin("shop/api").await.is_err());
}

#[tokio::test]
async fn a_preview_says_what_a_lifecycle_policy_would_do() {
    let (ecr, sdk) = with_image().await;
    ecr.pass(Duration::from_hours(24));
    let mut newer = manifest(b"layer");
    newer["annotations"] = json!({ "version": "2" });
    put(&sdk, &newer, Some("v2")).await;
    let rule = json!({ "rulePriority": 1, "action": { "type": "expire" }, "selection": {
        "tagStatus": "tagged", "tagPrefixList": ["v"], "countType": "imageCountMoreThan", "countNumber": 1 } });
    let policy = json!({ "rules": [rule] }).to_string();
    let missing = sdk.get_lifecycle_policy().repository_name("web").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("LifecyclePolicyNotFoundException"));
    sdk.put_lifecycle_policy().repository_name("web").lifecycle_policy_text(&policy).send().await.unwrap();
    sdk.start_lifecycle_policy_preview().repository_name("web").send().await.unwrap();
    let preview = || sdk.get_lifecycle_policy_preview().repository_name("web").send();
    assert_eq!(preview().await.unwrap().status.unwrap().as_str(), "IN_PROGRESS");
    ecr.pass(Duration::from_secs(1));
    let done = preview().await.unwrap();
    assert_eq!(done.status.as_ref().unwrap().as_str(), "COMPLETE");
    assert_eq!(done.preview_results()[0].image_tags(), ["v1"]);
    assert_eq!(
        (done.preview_results().len(), done.summary.unwrap().expiring_image_total_count),
        (1, Some(1))
    );
    assert_eq!(ecr.contents("web").tags.len(), 2, "a preview deletes nothing");
}

#[tokio::test]
async fn settings_policies_and_tags_are_kept() {
    let (_ecr, sdk) = with_image().await;
    let name = "BLOB_MOUNTING";
    let get = async || sdk.get_account_setting().name(name).send().await.unwrap().value.unwrap();
    assert_eq!(get().await, "DISABLED");
    sdk.put_account_setting().name(name).value("ENABLED").send().await.unwrap();
    assert_eq!(get().await, "ENABLED");

    let policy = sdk.get_repository_policy().repository_name("web").send().await.unwrap_err();
    assert_eq!(policy.code(), Some("RepositoryPolicyNotFoundException"));
    sdk.set_repository_policy().repository_name("web").policy_text("{}").send().await.unwrap();
    let policy = sdk.get_repository_policy().repository_name("web").send().await.unwrap();
    assert_eq!(policy.policy_text.as_deref(), Some("{}"));
    let policy = sdk.get_registry_policy().send().await.unwrap_err();
    assert_eq!(policy.code(), Some("RegistryPolicyNotFoundException"));

    let found = sdk.describe_repositories().repository_names("web").send().await.unwrap();
    let arn = found.repositories()[0].repository_arn().unwrap().to_owned();
    let tag = Tag::builder().key("team").value("shop").build().unwrap();
    sdk.tag_resource().resource_arn(&arn).tags(tag).send().await.unwrap();
    let tags = sdk.list_tags_for_resource().resource_arn(&arn).send().await.unwrap();
    assert_eq!(tags.tags()[0].value(), "shop");
    let busy = sdk.delete_repository().repository_name("web").send().await.unwrap_err();
    assert_eq!(busy.code(), Some("RepositoryNotEmptyException"));
    sdk.delete_repository().repository_name("web").force(true).send().await.unwrap();
}

#[tokio::test]
async fn an_archived_image_is_there_and_cannot_be_had() {
    let (_ecr, sdk) = with_image().await;
    let archive = sdk.update_image_storage_class().repository_name("web").image_id(v1());
    archive.target_storage_class(TargetStorageClass::Archive).send().await.unwrap();
    let got = sdk.batch_get_image().repository_name("web").image_ids(v1()).send().await.unwrap();
    assert_eq!(got.failures()[0].failure_code().unwrap().as_str(), "ImageInaccessible");
    let layers = sdk.batch_check_layer_availability().repository_name("web").layer_digests(digest("layer"));
    let layers = layers.send().await.unwrap();
    assert_eq!(layers.layers()[0].layer_availability(), Some(&LayerAvailability::Archived));
    let described = sdk.describe_images().repository_name("web").send().await.unwrap();
    assert_eq!(described.image_details()[0].image_status().unwrap().as_str(), "ARCHIVED");
}

#[tokio::test]
async fn referrers_are_listed() {
    let (_ecr, sdk) = with_image().await;
    let image = manifest(b"layer").to_string();
    let mut about = manifest(b"layer");
    about["artifactType"] = json!("application/x-signature");
    about["subject"] = descriptor(MANIFEST, image.as_bytes());
    put(&sdk, &about, None).await;
    let subject = SubjectIdentifier::builder().image_digest(digest(&image)).build().unwrap();
    let found = sdk.list_image_referrers().repository_name("web").subject_id(subject).send().await.unwrap();
    assert_eq!(found.referrers()[0].digest(), digest(about.to_string()));
    let described = sdk.describe_images().repository_name("web").send().await.unwrap();
    let subjects: Vec<_> =
        described.image_details().iter().filter_map(|image| image.subject_manifest_digest()).collect();
    assert_eq!(subjects, [digest(&image)]);
}

#[tokio::test]
async fn what_is_pushed_is_signed_and_copied_as_the_registry_is_told() {
    let scope =
        |account: &str, region: &str| Scope { account: account.to_owned(), region: region.to_owned() };
    let (here, there) = (scope("123456789012", "eu-central-1"), scope("210987654321", "eu-west-1"));
    let registries = vec![here, there.clone()];
    let ecr =
        start(Options { stopped_clock: true, registries, ..Options::default() }, &["web", "other"]).await;
    let sdk = sdk(&ecr);
    for bytes in ["{}", "layer"] {
        layer(&sdk, bytes).await;
    }
    put(&sdk, &manifest(b"layer"), Some("old")).await;
    ecr.pass(Duration::from_secs(1));
    let api = |action: &str, input: serde_json::Value| ecr.api(action, &input).unwrap();
    let filters = json!([{ "filter": "we", "filterType": "PREFIX_MATCH" }]);
    let to = json!([{ "region": there.region, "registryId": there.account }]);
    let rules = json!({ "rules": [{ "destinations": to, "repositoryFilters": filters }] });
    api("PutReplicationConfiguration", json!({ "replicationConfiguration": rules }));
    let profile = "arn:aws:signer:eu-central-1:123456789012:/signing-profiles/ci";
    let rules = json!({ "rules": [{ "signingProfileArn": profile }] });
    api("PutSigningConfiguration", json!({ "signingConfiguration": rules }));

    let mut newer = manifest(b"layer");
    newer["annotations"] = json!({ "version": "2" });
    put(&sdk, &newer, Some("v2")).await;
    let copied = || ecr.contents_in(&there.host(), "web");
    assert!(copied().tags.is_empty(), "it takes a moment");
    ecr.pass(Duration::from_secs(1));
    assert_eq!(copied().tags.keys().collect::<Vec<_>>(), ["v2"], "what is older stays");
    let signed = digest(newer.to_string());
    let referrers =
        api("ListImageReferrers", json!({ "repositoryName": "web", "subjectId": { "imageDigest": signed } }));
    let referrers = referrers["referrers"].as_array().unwrap();
    assert_eq!(
        (referrers.len(), &referrers[0]["artifactType"]),
        (1, &json!("application/vnd.cncf.notary.signature"))
    );
    ecr.pass(Duration::from_secs(1));
    assert_eq!(
        (copied().manifests.len(), ecr.contents("web").manifests.len()),
        (2, 3),
        "a signature is copied too"
    );
    ecr.pass(Duration::from_secs(9));
    assert_eq!(
        (copied().manifests.len(), ecr.contents("web").manifests.len()),
        (2, 3),
        "and is not signed itself"
    );
    assert!(ecr.faults().is_empty());
}
