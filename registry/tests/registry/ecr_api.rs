//! ECR's API: what it is asked, and what is made of its answers.

use std::{collections::BTreeMap, time::Duration};

use ecr_registry::{
    AccountSetting, CreationTemplate, Digest, EcrRegistry, EcrRepository, Encryption, Error, ErrorKind,
    Frequency, ImageStatus, Mutability, NewRepository, Occasion, Outcome, Registry, ScanType, Tag, Tagged,
    Version,
};
use futures::TryStreamExt;
use serde_json::{Value, json};

use crate::{
    ecr::{client, credentials, impatient, settings_with},
    fake::{ECR, Fake, What, api_error},
    image, told,
};

pub(crate) fn ecr(fake: &Fake) -> EcrRepository {
    client(fake).ecr(&fake.repository("web")).unwrap()
}

pub(crate) fn digest(number: usize) -> Digest {
    Digest::of(number.to_string().as_bytes())
}

fn tag(name: &str) -> Version {
    Version::Tag(name.parse().unwrap())
}

fn registry(fake: &Fake) -> EcrRegistry {
    client(fake).ecr_registry(&ECR.parse().unwrap()).unwrap()
}

#[tokio::test]
async fn images_come_page_by_page() {
    let fake = Fake::ecr(&["web"]).await;
    let detail = json!({
        "imageDigest": digest(1), "imageTags": ["b", "a", "x".repeat(200)], "imageSizeInBytes": 7,
        "imagePushedAt": 1.5, "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
        "subjectManifestDigest": digest(0), "imageStatus": "ARCHIVED",
    });
    fake.says("DescribeImages", &json!({ "imageDetails": [detail], "nextToken": "more" }));
    fake.says("DescribeImages", &json!({ "imageDetails": [{ "imageDigest": digest(2) }] }));
    let images: Vec<_> = ecr(&fake).images(Tagged::Any).try_collect().await.unwrap();
    let [first, second] = &images[..] else { panic!("{images:?}") };
    assert_eq!(first.tags, ["a", "b"].map(|tag| tag.parse::<Tag>().unwrap()));
    assert_eq!((first.odd_tags.len(), first.size, first.subject), (1, Some(7), Some(digest(0))));
    assert_eq!((&first.status, first.is_tagged()), (&ImageStatus::Archived, true));
    let pushed = first.pushed_at.unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(pushed.as_millis(), 1500);
    assert_eq!((second.digest, second.is_tagged(), second.pushed_at), (digest(2), false, None));
    let asked = fake.asked("DescribeImages");
    assert_eq!(
        asked[1],
        json!({ "registryId": "123456789012", "repositoryName": "web", "maxResults": 1000, "nextToken": "more" })
    );

    fake.says("DescribeImages", &json!({ "imageDetails": [{ "imageDigest": "sha256:1" }] }));
    let error = ecr(&fake).images(Tagged::No).try_collect::<Vec<_>>().await.unwrap_err();
    assert!(
        told(&error).starts_with(&format!("cannot describe `{ECR}/web`: the answer is not a registry's: ")),
        "{}",
        told(&error)
    );
    assert_eq!(fake.asked("DescribeImages")[2]["filter"], json!({ "tagStatus": "UNTAGGED" }));
}

#[tokio::test]
async fn what_is_missing_does_not_hide_the_rest() {
    let fake = Fake::ecr(&["web"]).await;
    let image = image(&[b"one"]);
    let registry = client(&fake);
    registry.push(&fake.repository("web"), &image, &()).await.unwrap();
    fake.state().repositories.get_mut("web").unwrap().tags.insert("here".to_owned(), image.manifest.digest);
    let mut versions: Vec<Version> = (0..150).map(|number| tag(&format!("gone-{number}"))).collect();
    versions.insert(70, tag("here"));
    let found = ecr(&fake).describe(&versions).await.unwrap();
    let there: Vec<usize> = (0..found.len()).filter(|&index| found[index].is_some()).collect();
    assert_eq!(there, [70]);
    assert_eq!(found[70].as_ref().unwrap().digest, image.manifest.digest);
}

#[tokio::test]
async fn deletions_are_told_one_by_one() {
    let fake = Fake::ecr(&["web"]).await;
    let failure = |number: usize, code: &str| json!({ "imageId": { "imageDigest": digest(number) }, "failureCode": code, "failureReason": "because" });
    let held = failure(1, "ImageReferencedByManifestList");
    fake.says(
        "BatchDeleteImage",
        &json!({ "failures": [held, failure(2, "ImageNotFound"), failure(3, "KmsError")] }),
    );
    fake.says("BatchDeleteImage", &json!({ "imageIds": [{ "imageDigest": digest(100) }] }));
    fake.says("BatchDeleteImage", &json!({ "failures": [] }));
    let versions: Vec<Version> = (0..101).map(|number| Version::Digest(digest(number))).collect();
    let deleted = ecr(&fake).delete(&versions).await;
    assert_eq!(deleted.len(), 101);
    assert_eq!(
        (deleted[0].as_ref().unwrap(), deleted[1].as_ref().unwrap(), deleted[2].as_ref().unwrap()),
        (&true, &true, &false)
    );
    let error = deleted[3].as_ref().unwrap_err();
    assert_eq!(
        told(error),
        format!("cannot delete `{ECR}/web@{}`: the registry refuses: KmsError: because", digest(3))
    );
    assert!(error.hint().unwrap().contains("KMS key"));
    let asked: Vec<usize> = fake
        .asked("BatchDeleteImage")
        .iter()
        .map(|input| input["imageIds"].as_array().unwrap().len())
        .collect();
    assert_eq!(asked, [100, 1, 1]); // the last one is for the image that an index held
}

#[tokio::test]
async fn tags_are_listed() {
    let fake = Fake::ecr(&["web"]).await;
    let id = |number: usize, tag: &str| json!({ "imageDigest": digest(number), "imageTag": tag });
    fake.says("ListImages", &json!({ "imageIds": [id(1, "a"), id(2, "b")], "nextToken": "2" }));
    fake.says("ListImages", &json!({ "imageIds": [id(1, "c"), id(1, &"x".repeat(200))] }));
    let expected = [("a", 1), ("b", 2), ("c", 1)].map(|(tag, number)| (tag.parse().unwrap(), digest(number)));
    assert_eq!(ecr(&fake).tags().await.unwrap(), BTreeMap::from(expected));
    assert_eq!(fake.asked("ListImages")[0]["filter"], json!({ "tagStatus": "TAGGED" }));
}

#[tokio::test]
async fn a_repository_tells_how_it_is_set_up() {
    let fake = Fake::ecr(&["web"]).await;
    assert_eq!(client(&fake).ecr(&fake.repository("none")).unwrap().settings().await.unwrap(), None);
    fake.says(
        "DescribeRepositories",
        &json!({ "repositories": [{
        "repositoryName": "web", "repositoryArn": "arn:aws:ecr:eu-central-1:123456789012:repository/web",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{ "filterType": "WILDCARD", "filter": "dev-*" }],
        "imageScanningConfiguration": { "scanOnPush": true },
        "encryptionConfiguration": { "encryptionType": "KMS", "kmsKey": "arn:key" },
    }] }),
    );
    let settings = ecr(&fake).settings().await.unwrap().unwrap();
    assert_eq!(settings.mutability, Mutability { immutable: true, except: vec!["dev-*".to_owned()] });
    assert_eq!(settings.encryption, Encryption::Kms(Some("arn:key".to_owned())));
    assert!(settings.scan_on_push && settings.arn.ends_with("/web"));

    fake.fail(
        "POST",
        "GetRepositoryPolicy",
        1,
        What::Answer(api_error("RepositoryPolicyNotFoundException", "none")),
    );
    assert_eq!(ecr(&fake).policy().await.unwrap(), None);
    let policy = json!({ "Statement": [{ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "ecr:BatchGetImage" }] });
    fake.says("GetRepositoryPolicy", &json!({ "policyText": policy.to_string() }));
    let policy = ecr(&fake).policy().await.unwrap().unwrap();
    assert!(policy.lets_service("lambda.amazonaws.com", "ecr:BatchGetImage"));
    assert!(!policy.lets_service("lambda.amazonaws.com", "ecr:GetDownloadUrlForLayer"));
}

#[tokio::test]
async fn a_repository_is_made_as_wanted() {
    let fake = Fake::ecr(&[]).await;
    for operation in ["CreateRepository", "SetRepositoryPolicy", "PutLifecyclePolicy"] {
        fake.says(operation, &json!({}));
    }
    let new = NewRepository {
        mutability: Mutability { immutable: true, except: vec!["dev-*".to_owned()] },
        encryption: Encryption::Kms(Some("arn:key".to_owned())),
        scan_on_push: true,
        resource_tags: [("team".to_owned(), "shop".to_owned())].into(),
        policy: Some("{}".to_owned()),
        lifecycle_policy: Some("{\"rules\":[]}".to_owned()),
    };
    assert!(ecr(&fake).create(&new).await.unwrap());
    assert_eq!(
        fake.asked("CreateRepository")[0],
        json!({
            "registryId": "123456789012", "repositoryName": "web", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{ "filterType": "WILDCARD", "filter": "dev-*" }],
            "imageScanningConfiguration": { "scanOnPush": true },
            "encryptionConfiguration": { "encryptionType": "KMS", "kmsKey": "arn:key" },
            "tags": [{ "Key": "team", "Value": "shop" }],
        })
    );
    assert_eq!(fake.asked("PutLifecyclePolicy")[0]["lifecyclePolicyText"], "{\"rules\":[]}");

    let exists = api_error("RepositoryAlreadyExistsException", "it exists");
    fake.fail("POST", "CreateRepository", 1, What::Answer(exists));
    assert!(!ecr(&fake).create(&new).await.unwrap());
    assert_eq!(fake.asked("SetRepositoryPolicy").len(), 1); // that of somebody else's repository is left alone

    let full = api_error("LimitExceededException", "The registry has 100000 repositories");
    fake.fail("POST", "CreateRepository", 1, What::Answer(full));
    let error = ecr(&fake).create(&NewRepository::default()).await.unwrap_err();
    assert_eq!(
        told(&error),
        format!("cannot create `{ECR}/web`: a quota of ECR is used up: The registry has 100000 repositories")
    );
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_registry_tells_how_it_is_set_up() {
    let fake = Fake::ecr(&["web"]).await;
    let registry = registry(&fake);
    fake.says("GetAccountSetting", &json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" }));
    assert!(registry.mounts_blobs().await.unwrap());
    fake.says("GetAccountSetting", &json!({ "name": "BASIC_SCAN_TYPE_VERSION" }));
    assert_eq!(registry.setting(AccountSetting::BasicScanTypeVersion).await.unwrap(), None);

    let filters = json!([{ "filter": "prod-*", "filterType": "WILDCARD" }]);
    fake.says("GetRegistryScanningConfiguration", &json!({ "registryId": "123456789012", "scanningConfiguration": {
        "scanType": "ENHANCED", "rules": [{ "scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": filters }],
    } }));
    let scanning = registry.scanning().await.unwrap();
    assert_eq!(scanning.scan_type, ScanType::Enhanced);
    assert_eq!(
        (&scanning.rules[0].frequency, &scanning.rules[0].repositories[..]),
        (&Frequency::Continuous, &["prod-*".to_owned()][..])
    );

    let none = api_error("SigningConfigurationNotFoundException", "none");
    fake.fail("POST", "GetSigningConfiguration", 1, What::Answer(none));
    assert_eq!(registry.signing_profiles().await.unwrap(), Vec::<String>::new());
    fake.says(
        "GetSigningConfiguration",
        &json!({ "signingConfiguration": { "rules": [{ "signingProfileArn": "arn:p" }] } }),
    );
    assert_eq!(registry.signing_profiles().await.unwrap(), ["arn:p"]);

    let rule = json!({ "destinations": [{ "region": "us-east-1", "registryId": "123456789012" }] });
    fake.says(
        "DescribeRegistry",
        &json!({ "registryId": "123456789012", "replicationConfiguration": { "rules": [rule] } }),
    );
    assert_eq!(
        registry.replicates_to().await.unwrap(),
        [("123456789012".to_owned(), "us-east-1".to_owned())]
    );

    let template = json!({ "prefix": "ROOT", "appliedFor": ["CREATE_ON_PUSH"], "imageTagMutability": "IMMUTABLE",
        "encryptionConfiguration": { "encryptionType": "AES256" }, "resourceTags": [{ "Key": "a", "Value": "b" }],
        "lifecyclePolicy": "{}" });
    fake.says("DescribeRepositoryCreationTemplates", &json!({ "repositoryCreationTemplates": [template] }));
    let templates = registry.creation_templates().await.unwrap();
    let chosen =
        CreationTemplate::choose(&templates, &fake.repository("new"), &Occasion::CreateOnPush).unwrap();
    assert!(chosen.repository.mutability.immutable);
    assert_eq!(
        (&chosen.repository.encryption, chosen.repository.lifecycle_policy.as_deref()),
        (&Encryption::Aes256, Some("{}"))
    );
    assert_eq!(fake.count("POST", "GetCallerIdentity"), 1); // it is known from then on

    fake.says(
        "DescribeRepositories",
        &json!({ "repositories": [{ "repositoryName": "web" }], "nextToken": "2" }),
    );
    fake.says("DescribeRepositories", &json!({ "repositories": [{ "repositoryName": "api" }] }));
    let repositories: Vec<_> = registry.repositories().try_collect().await.unwrap();
    assert_eq!(repositories.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["web", "api"]);
}

#[tokio::test]
async fn another_accounts_answers_are_not_taken_for_the_registrys() {
    let fake = Fake::ecr(&["web"]).await;
    fake.state().caller = Some("999999999999");
    let error = registry(&fake).mounts_blobs().await.unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "cannot describe `{ECR}`: only account 123456789012 itself may ask this, and the credentials are of account 999999999999"
        )
    );
    assert_eq!((error.outcome(), fake.asked("GetAccountSetting").len()), (Outcome::NotAllowed, 0));
}

#[tokio::test]
async fn a_storm_of_throttling_is_sat_out() {
    let fake = Fake::ecr(&["web"]).await;
    let throttled = api_error("ThrottlingException", "Rate exceeded");
    fake.fail("POST", "ListImages", 5, What::Answer(throttled.clone()));
    fake.says("ListImages", &json!({ "imageIds": [] }));
    assert_eq!(ecr(&fake).tags().await.unwrap(), BTreeMap::new());
    assert_eq!(fake.asked("ListImages").len(), 6);

    fake.fail("POST", "ListImages", 999, What::Answer(throttled));
    let error = impatient(&fake).ecr(&fake.repository("web")).unwrap().tags().await.unwrap_err();
    assert_eq!((error.outcome(), error.is_transient()), (Outcome::NoAnswer, true));
}

#[tokio::test]
async fn only_private_registries_have_the_api() {
    let fake = Fake::ecr(&[]).await;
    let check = |error: Error| assert!(matches!(*error.kind, ErrorKind::NotEcr(_)), "{error:?}");
    check(client(&fake).ecr(&"ghcr.io/web".parse().unwrap()).unwrap_err());
    check(client(&fake).ecr_registry(&"ghcr.io".parse().unwrap()).unwrap_err());
    check(crate::client().ecr(&fake.repository("web")).unwrap_err());
}

/// A listing of tags `v0`, `v1`, … which all point at the same image.
fn listing(tags: std::ops::Range<usize>, next: Option<&str>) -> Value {
    let ids: Vec<Value> =
        tags.map(|number| json!({ "imageDigest": digest(0), "imageTag": format!("v{number}") })).collect();
    json!({ "imageIds": ids, "nextToken": next })
}

#[tokio::test]
async fn two_hundred_looks_at_one_repository_cost_its_pages_and_one_call() {
    let fake = Fake::ecr(&["web"]).await;
    let mut settings = settings_with(&fake, Some(credentials()));
    settings.patience.listing = Duration::from_hours(1);
    let registry = Registry::new(settings).unwrap();
    let (web, image) = (fake.repository("web"), image(&[b"one"]));
    registry.push(&web, &image, &()).await.unwrap();
    fake.state().repositories.get_mut("web").unwrap().tags.insert("v0".to_owned(), image.manifest.digest);
    assert_eq!(registry.digests(&web, &[tag("v0")]).await.unwrap(), [Some(image.manifest.digest)]);
    fake.take_log();
    fake.says("ListImages", &listing(0..1000, Some("2")));
    fake.says("ListImages", &listing(1000..1500, None));
    for number in 0..200 {
        let versions = [tag(&format!("v{}", number * 7)), Version::Digest(digest(0))];
        assert_eq!(registry.digests(&web, &versions).await.unwrap(), [Some(digest(0)); 2]);
    }
    assert_eq!(fake.take_log(), ["POST ListImages", "POST ListImages"]);

    // What the list does not have is asked for by name.
    let found = registry.digests(&web, &[tag("none"), Version::Digest(image.manifest.digest)]).await.unwrap();
    assert_eq!(found, [None, Some(image.manifest.digest)]);
    assert_eq!(fake.take_log(), ["POST BatchGetImage"]);

    // What is written here counts at once.
    registry.tag(&web, &"v7".parse().unwrap(), &image.manifest).await.unwrap();
    fake.take_log();
    assert_eq!(registry.digests(&web, &[tag("v7")]).await.unwrap(), [Some(image.manifest.digest)]);
    assert_eq!(fake.take_log(), ["POST BatchGetImage"]);
}

#[tokio::test]
async fn who_may_not_list_asks_by_name() {
    let fake = Fake::ecr(&["web"]).await;
    fake.fail("POST", "ListImages", 99, What::Answer(api_error("AccessDeniedException", "no")));
    let (registry, web) = (client(&fake), fake.repository("web"));
    for _ in 0..5 {
        assert_eq!(registry.digests(&web, &[tag("a"), tag("b")]).await.unwrap(), [None, None]);
    }
    assert_eq!((fake.asked("ListImages").len(), fake.asked("BatchGetImage").len()), (1, 5));
    let error = registry.digests(&fake.repository("none"), &[tag("a")]).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::ImageGone);
}
