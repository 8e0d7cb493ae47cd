//! The API as AWS's SDK speaks it: what it sends is understood, what comes back is what its types say.

use aws_sdk_ecr::error::ProvideErrorMetadata;
use aws_sdk_ecr::primitives::Blob;
use aws_sdk_ecr::types::{ImageIdentifier, LayerAvailability};
use lab::aws::Keys;
use lab::emulator::{Identity, Options};

use crate::stage::{digest, sdk, start};

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

#[tokio::test]
async fn an_image_is_pushed_and_read_by_the_api_alone() {
    let ecr = start(Options::default(), &["shop/web"]).await;
    let sdk = sdk(&ecr);
    let layer = b"{}".as_slice();
    let upload = sdk.initiate_layer_upload().repository_name("shop/web").send().await.unwrap();
    let id = upload.upload_id.unwrap();
    let part = sdk.upload_layer_part().repository_name("shop/web").upload_id(&id);
    let part =
        part.part_first_byte(0).part_last_byte(1).layer_part_blob(Blob::new(layer)).send().await.unwrap();
    assert_eq!(part.last_byte_received, Some(1));
    let done = sdk.complete_layer_upload().repository_name("shop/web").upload_id(&id);
    let done = done.layer_digests(digest(layer)).send().await.unwrap();
    assert_eq!(done.layer_digest, Some(digest(layer)));

    let digests = [digest(layer), digest(b"else")];
    let check = sdk.batch_check_layer_availability().repository_name("shop/web");
    let layers = check.set_layer_digests(Some(digests.to_vec())).send().await.unwrap().layers.unwrap();
    let available = layers.iter().map(|layer| layer.layer_availability.clone().unwrap()).collect::<Vec<_>>();
    assert_eq!(available, [LayerAvailability::Available, LayerAvailability::Unavailable]);

    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST_TYPE}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":2}},"layers":[]}}"#,
        digest(layer)
    );
    let put = || sdk.put_image().repository_name("shop/web").image_manifest(&manifest).image_tag("v1");
    let image = put().send().await.unwrap().image.unwrap();
    assert_eq!(image.image_id.unwrap().image_digest, Some(digest(&manifest)));
    let again = put().send().await.unwrap_err();
    assert_eq!(again.code(), Some("ImageAlreadyExistsException"));

    let id = |tag: &str| ImageIdentifier::builder().image_tag(tag).build();
    let get = sdk.batch_get_image().repository_name("shop/web").image_ids(id("v1")).image_ids(id("v2"));
    let got = get.send().await.unwrap();
    assert_eq!(got.images()[0].image_manifest(), Some(manifest.as_str()));
    assert_eq!(got.failures().len(), 1);
    let described = sdk.describe_images().repository_name("shop/web").send().await.unwrap();
    assert_eq!(described.image_details()[0].image_tags(), ["v1"]);
    assert_eq!(described.image_details()[0].image_size_in_bytes, i64::try_from(2 + manifest.len()).ok());
    let url = sdk.get_download_url_for_layer().repository_name("shop/web").layer_digest(digest(layer));
    assert!(url.send().await.unwrap().download_url.unwrap().contains("starport-layer-bucket"));
    let deleted =
        sdk.batch_delete_image().repository_name("shop/web").image_ids(id("v1")).send().await.unwrap();
    assert_eq!(deleted.image_ids().len(), 1);
    assert!(sdk.list_images().repository_name("shop/web").send().await.unwrap().image_ids().is_empty());
    assert_eq!(ecr.count("ecr:PutImage"), 2);
}

#[tokio::test]
async fn only_a_known_key_that_signs_may_call_and_not_what_it_is_denied() {
    let ecr = start(Options::default(), &["web"]).await;
    let told = async |ecr: &lab::emulator::Emulator| {
        let error = sdk(ecr).describe_repositories().send().await.unwrap_err();
        format!("{}: {}", error.code().unwrap(), error.message().unwrap())
    };
    ecr.deny("ecr:DescribeRepositories");
    let denied = told(&ecr).await;
    assert!(denied.starts_with("AccessDeniedException: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:DescribeRepositories on resource: *"), "{denied}");
    let keys = |id: &str, secret: &str| Keys { id: id.to_owned(), secret: secret.to_owned() };
    let arn = "arn:aws:iam::123456789012:user/ci";
    let check = async |known: Keys, used: Keys, expected: &str| {
        let options = Options { identities: vec![Identity::new(known, arn)], ..Options::default() };
        let ecr = start(options, &[]).await;
        let error = lab::aws::Aws::at(ecr.address(), used);
        let error =
            tokio::task::spawn_blocking(move || error.ecr("DescribeRepositories", &serde_json::json!({})));
        let error = format!("{:#}", error.await.unwrap().unwrap_err());
        assert!(error.contains(expected), "{error}");
    };
    check(keys("AKIA1", "right"), keys("AKIA1", "wrong"), "InvalidSignatureException").await;
    check(keys("AKIA1", "right"), keys("AKIA2", "right"), "UnrecognizedClientException").await;
}
