//! The ECR front before the real MiniStack: what AWS would refuse is refused, and what it would answer is answered.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::net::SocketAddr;
use std::time::Duration;

use lab::aws::identity::User;
use lab::aws::{ACCOUNT, Aws, Keys, REGION, element};
use lab::ecr::{PASSWORD_LIFE, ledger};
use lab::front::{Front, Settings};
use lab::http::{Answer, exchange};
use lab::lab::Lab;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &[u8] = b"the one layer";
const PUSH: [&str; 6] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
    "ecr:BatchGetImage",
];

/// A repository of one test, and a front of its own: the lab's may be of an older build.
struct Registry {
    lab: Lab,
    name: String,
    front: SocketAddr,
    _serving: (Front, Runtime),
}

/// A caller of `/v2`.
struct Client<'a> {
    registry: &'a Registry,
    authorization: String,
}

impl Registry {
    fn new(mutability: &str) -> Self {
        let registry = Self::lasting(PASSWORD_LIFE);
        let input = json!({ "repositoryName": registry.name, "imageTagMutability": mutability });
        registry.ecr("CreateRepository", &input);
        registry
    }

    /// Passwords live as long as is said.
    fn lasting(password_life: Duration) -> Self {
        let lab = Lab::running().unwrap();
        let name = lab.unique("front");
        let runtime = Runtime::new().unwrap();
        let settings = Settings { password_life, ..Settings::before(lab.ministack()) };
        let front = runtime.block_on(Front::start(settings)).unwrap();
        Self { lab, name, front: front.address(), _serving: (front, runtime) }
    }

    /// The same repository through a front that has just started.
    fn anew(self) -> Self {
        Self { name: self.name, ..Self::lasting(PASSWORD_LIFE) }
    }

    fn root(&self) -> Aws {
        Aws::at(self.front, Keys::root())
    }

    /// An action on this repository, as root.
    fn ecr(&self, action: &str, input: &Value) -> Value {
        self.root().ecr(action, &self.named(input)).unwrap()
    }

    fn named(&self, input: &Value) -> Value {
        let mut input = input.clone();
        input["repositoryName"] = self.name.clone().into();
        input
    }

    /// A user with these rights on this repository.
    fn user(&self, actions: &[&str]) -> User {
        let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{}", self.name);
        let statements = json!([
            {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {"Effect": "Allow", "Action": actions, "Resource": arn},
        ]);
        self.lab.root().create_user(&self.lab.unique("caller"), &statements).unwrap()
    }

    /// `/v2` with a password issued to the holder of the keys.
    fn client(&self, keys: &Keys) -> Client<'_> {
        let token = Aws::at(self.front, keys.clone()).ecr("GetAuthorizationToken", &json!({})).unwrap();
        let token = token["authorizationData"][0]["authorizationToken"].as_str().unwrap().to_owned();
        Client { registry: self, authorization: format!("Basic {token}") }
    }
}

impl Client<'_> {
    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let Registry { front, name, .. } = self.registry;
        let headers = [
            ("host".to_owned(), front.to_string()),
            ("authorization".to_owned(), self.authorization.clone()),
            ("content-type".to_owned(), kind.to_owned()),
        ];
        exchange(*front, method, &format!("/v2/{name}/{path}"), &headers, body).unwrap()
    }

    fn get(&self, path: &str) -> u16 {
        self.send("GET", path, "", b"").status
    }

    fn push_layer(&self) -> Answer {
        let begun = self.send("POST", "blobs/uploads/", "", b"");
        let Some(location) = begun.header("location") else { return begun };
        let prefix = format!("/v2/{}/", self.registry.name);
        let upload = format!("{}?digest={}", location.strip_prefix(&prefix).unwrap(), digest(LAYER));
        self.send("PUT", &upload, "application/octet-stream", LAYER)
    }

    fn push_manifest(&self, tag: &str) -> Answer {
        self.send("PUT", &format!("manifests/{tag}"), MANIFEST_TYPE, manifest().as_bytes())
    }

    /// An image with these tags; its digest.
    fn push(&self, tags: &[&str]) -> String {
        assert_eq!(self.push_layer().status, 201);
        for tag in tags {
            assert_eq!(self.push_manifest(tag).status, 201, "{tag}");
        }
        digest(manifest().as_bytes())
    }
}

fn manifest() -> String {
    let layer = json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(LAYER), "size": LAYER.len() });
    json!({ "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": layer, "layers": [layer] }).to_string()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn tags(values: &Value) -> Vec<String> {
    let tag = |id: &Value| id["imageTag"].as_str().unwrap_or("-").to_owned();
    values.as_array().unwrap().iter().map(tag).collect()
}

#[test]
#[ignore = "needs the lab"]
fn only_an_issued_password_opens_the_registry() {
    let registry = Registry::new("MUTABLE");
    let user = registry.user(&PUSH);
    let stranger = Client { registry: &registry, authorization: "Basic QVdTOmd1ZXNz".to_owned() };
    let refused = stranger.push_layer();
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").unwrap().starts_with("Basic realm=\"https://"));
    registry.client(&user.keys).push(&["v1"]);
    let wrong = Keys { secret: "wrong".to_owned(), ..user.keys };
    let error = Aws::at(registry.front, wrong).ecr("GetAuthorizationToken", &json!({})).unwrap_err();
    assert!(format!("{error:#}").contains("InvalidSignatureException"), "{error:#}");
}

#[test]
#[ignore = "needs the lab"]
fn an_expired_password_is_told_from_a_wrong_one() {
    let registry = Registry::lasting(Duration::ZERO);
    let answer = registry.client(&Keys::root()).push_layer();
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("Your authorization token has expired. Reauthenticate and try again."),
        "{}",
        answer.body
    );
}

#[test]
#[ignore = "needs the lab"]
fn a_missing_right_is_named_with_caller_and_repository() {
    let registry = Registry::new("MUTABLE");
    let check = |user: &User, answer: &Answer, action: &str| {
        let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{}", registry.name);
        let words = format!("User: {} is not authorized to perform: {action} on resource: {arn}", user.arn);
        assert_eq!(answer.status, 403, "{action}");
        assert!(answer.body.contains("\"DENIED\"") && answer.body.contains(&words), "{}", answer.body);
    };
    let reader = registry.user(&["ecr:BatchGetImage"]);
    let client = registry.client(&reader.keys);
    check(&reader, &client.push_layer(), "ecr:InitiateLayerUpload");
    check(&reader, &client.push_manifest("v1"), "ecr:PutImage");
    check(&reader, &client.send("GET", "blobs/sha256:0", "", b""), "ecr:GetDownloadUrlForLayer");
    let nobody = registry.user(&["ecr:DescribeRepositories"]);
    check(&nobody, &registry.client(&nobody.keys).send("GET", "manifests/v1", "", b""), "ecr:BatchGetImage");
    let error = Aws::at(registry.front, nobody.keys)
        .ecr("BatchGetImage", &registry.named(&json!({ "imageIds": [] })));
    let error = format!("{:#}", error.unwrap_err());
    assert!(
        error.contains(&format!("on resource: arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{}", registry.name)),
        "{error}"
    );
}

#[test]
#[ignore = "needs the lab"]
fn a_role_session_has_the_rights_of_its_role() {
    let registry = Registry::new("MUTABLE");
    let caller = registry.lab.root().create_admin(&registry.lab.unique("admin")).unwrap();
    let rights = json!([{"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", "ecr:BatchGetImage"], "Resource": "*"}]);
    let name = registry.lab.unique("role");
    let role = registry.lab.root().create_role(&name, &json!({ "AWS": caller.arn }), &rights).unwrap();
    let session = Aws::at(registry.front, caller.keys)
        .query("sts", "AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "run")])
        .unwrap();
    let key = element(&session, "AccessKeyId").unwrap().to_owned();
    let token = element(&session, "SessionToken").unwrap();
    let secret = element(&session, "SecretAccessKey").unwrap().to_owned();
    let aws = Aws::at(registry.front, Keys { id: key, secret });
    let issued = aws.with_session(token).ecr("GetAuthorizationToken", &json!({})).unwrap();
    let issued = issued["authorizationData"][0]["authorizationToken"].as_str().unwrap();
    let client = Client { registry: &registry, authorization: format!("Basic {issued}") };
    assert_eq!(client.get("manifests/v1"), 404);
    let denied = client.push_layer();
    assert!(denied.body.contains(&format!("assumed-role/{name}/run is not authorized")), "{}", denied.body);
}

#[test]
#[ignore = "needs the lab"]
fn images_are_answered_with_all_their_tags() {
    let registry = Registry::new("MUTABLE");
    let digest = registry.client(&Keys::root()).push(&["v1", "latest"]);
    let ids = json!([{ "imageTag": "v1" }, { "imageTag": "latest" }, { "imageDigest": digest }, { "imageTag": "v9" }]);
    let got = registry.ecr("BatchGetImage", &json!({ "imageIds": ids }));
    let asked: Value =
        got["images"].as_array().unwrap().iter().map(|image| image["imageId"].clone()).collect();
    assert_eq!(tags(&asked), ["v1", "latest", "-"]);
    assert_eq!(got["images"][0]["imageManifest"], manifest());
    assert_eq!(got["failures"][0]["failureCode"], "ImageNotFound");
    let page = registry.ecr("ListImages", &json!({ "maxResults": 1 }));
    assert_eq!(tags(&page["imageIds"]), ["latest"]);
    let next = registry.ecr("ListImages", &json!({ "maxResults": 1, "nextToken": page["nextToken"] }));
    assert_eq!((tags(&next["imageIds"]), &next["nextToken"]), (vec!["v1".to_owned()], &Value::Null));
    let described = registry.ecr("DescribeImages", &json!({ "imageIds": [{ "imageTag": "latest" }] }));
    assert_eq!(described["imageDetails"][0]["imageTags"], json!(["v1", "latest"]));
    let absent = registry
        .root()
        .ecr("DescribeImages", &registry.named(&json!({ "imageIds": [{ "imageTag": "v9" }] })));
    assert!(format!("{:#}", absent.unwrap_err()).contains("ImageNotFoundException"));
    let layers = registry.ecr(
        "BatchCheckLayerAvailability",
        &json!({ "layerDigests": [self::digest(LAYER), self::digest(b"")] }),
    );
    let of = |layer: usize| layers["layers"][layer]["layerAvailability"].clone();
    assert_eq!((of(0), of(1)), (json!("AVAILABLE"), json!("UNAVAILABLE")));
}

#[test]
#[ignore = "needs the lab"]
fn an_image_goes_with_its_last_tag() {
    let registry = Registry::new("MUTABLE");
    let client = registry.client(&Keys::root());
    let digest = client.push(&["v1", "v2"]);
    let delete =
        |id: Value| registry.ecr("BatchDeleteImage", &json!({ "imageIds": [id] }))["imageIds"].clone();
    let by_digest = format!("manifests/{digest}");
    assert_eq!(tags(&delete(json!({ "imageTag": "v1" }))), ["v1"]);
    assert_eq!(
        (client.get("manifests/v1"), client.get("manifests/v2"), client.get(&by_digest)),
        (404, 200, 200)
    );
    assert_eq!(tags(&delete(json!({ "imageTag": "v2" }))), ["v2"]);
    assert_eq!((client.get("manifests/v2"), client.get(&by_digest)), (404, 404));
    client.push(&["v3", "v4"]);
    assert_eq!(tags(&delete(json!({ "imageDigest": digest }))), ["v3", "v4"]);
    assert_eq!((client.get("manifests/v3"), client.get(&by_digest)), (404, 404));
}

#[test]
#[ignore = "needs the lab"]
fn an_immutable_tag_is_not_set_twice_even_to_the_same_digest() {
    let registry = Registry::new("IMMUTABLE");
    let client = registry.client(&Keys::root());
    client.push(&["v1"]);
    let again = client.push_manifest("v1");
    assert_eq!(again.status, 400);
    assert!(
        again.body.contains("TAG_INVALID") && again.body.contains("cannot be overwritten"),
        "{}",
        again.body
    );
    assert_eq!(client.push_manifest("v2").status, 201);
}

#[test]
#[ignore = "needs the lab"]
fn an_image_put_by_the_api_is_served_and_not_put_twice() {
    let registry = Registry::new("MUTABLE");
    let put =
        json!({ "imageManifest": manifest(), "imageManifestMediaType": MANIFEST_TYPE, "imageTag": "v1" });
    registry.ecr("PutImage", &put);
    let digest = digest(manifest().as_bytes());
    assert_eq!(registry.client(&Keys::root()).get(&format!("manifests/{digest}")), 200);
    let again = format!("{:#}", registry.root().ecr("PutImage", &registry.named(&put)).unwrap_err());
    assert!(again.contains("ImageAlreadyExistsException"), "{again}");
}

#[test]
#[ignore = "needs the lab"]
fn a_front_that_starts_anew_knows_every_image() {
    let registry = Registry::new("MUTABLE");
    let digest = registry.client(&Keys::root()).push(&["v1", "v2"]);
    let registry = registry.anew();
    let listed = registry.ecr("ListImages", &json!({}));
    assert_eq!(tags(&listed["imageIds"]), ["v1", "v2"]);
    assert_eq!(listed["imageIds"][0]["imageDigest"], digest);
}

#[test]
#[ignore = "needs the lab"]
fn requests_and_bytes_are_counted() {
    let registry = Registry::new("MUTABLE");
    let seen = |since| ledger::requests(registry.front, since, Some(&registry.name)).unwrap();
    let before = seen(0).last().unwrap().number;
    registry.client(&Keys::root()).push(&["v1"]);
    let lines: Vec<_> =
        seen(before).into_iter().map(|entry| (entry.class, entry.status, entry.received)).collect();
    let expected = [
        ("POST upload".to_owned(), 202, 0),
        ("PUT upload".to_owned(), 201, LAYER.len() as u64),
        ("PUT manifest".to_owned(), 201, manifest().len() as u64),
    ];
    assert_eq!(lines, expected);
}
