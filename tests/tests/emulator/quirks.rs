//! What ECR does otherwise than the registry protocol says: each as a request, its answer, and where the fact is from.
//!
//! Sources are issues and documents that are public: `roadmap` is aws/containers-roadmap, `model` is ECR's API model,
//! `docs` is the Amazon ECR user guide.

use std::fmt::Write;
use std::time::Duration;

use lab::emulator::{Options, ecr_rates};
use lab::http::Answer;
use serde_json::{Value, json};

use crate::stage::{CONFIG, Client, INDEX, MANIFEST, descriptor, digest, index, manifest};

const MIB: usize = 1 << 20;

struct Quirk {
    /// What is odd about it.
    what: &'static str,
    source: &'static str,
    ask: fn(&Client) -> String,
    answer: &'static str,
}

/// The status and these headers; of an error its code and message.
fn told(answer: &Answer, headers: &[&str]) -> String {
    let mut line = answer.status.to_string();
    for name in headers {
        write!(line, " {name}={}", answer.header(name).unwrap_or("-")).unwrap();
    }
    let error: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if let (Some(code), Some(message)) =
        (error["errors"][0]["code"].as_str(), error["errors"][0]["message"].as_str())
    {
        write!(line, " {code}: {message}").unwrap();
    }
    line
}

fn status(answer: &Answer) -> String {
    told(answer, &[])
}

/// Runs every row in a repository and an emulator of its own.
fn check(quirks: &[Quirk], options: &Options) {
    for Quirk { what, source, ask, answer } in quirks {
        let client = Client::new(options.clone());
        let said = ask(&client).replace(&client.repository, "REPOSITORY");
        assert_eq!(&said, answer, "{what} ({source})");
        assert_eq!(client.ecr.faults(), Vec::<String>::new(), "{what}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn uploads() {
    let quirks = [
        Quirk {
            what: "a part is answered with 201, not 202",
            source: "openai/tart 273, jdx/mise 11376, oras-project/rust-oci-client 33",
            ask: |c| told(&c.patch(&c.upload(), 100, &[]), &["range"]),
            answer: "201 range=0-99",
        },
        Quirk {
            what: "Range stays at the end of the first part, and that at 10 MiB",
            source: "roadmap 2831, crashappsec/chalk 682, apple/containerization 790",
            ask: |c| {
                let upload = c.upload();
                let parts = [12 * MIB, 5 * MIB].map(|size| told(&c.patch(&upload, size, &[]), &["range"]));
                parts.join(", ")
            },
            answer: "201 range=0-10485759, 201 range=0-10485759",
        },
        Quirk {
            what: "to go on where Range says is an error",
            source: "roadmap 2831",
            ask: |c| {
                let upload = c.upload();
                c.patch(&upload, 12 * MIB, &[]);
                status(&c.patch(&upload, 5 * MIB, &[("content-range", "10485760-15728639")]))
            },
            answer: "416 BLOB_UPLOAD_INVALID: First byte of the layer part is 10485760 instead of 12582912",
        },
        Quirk {
            what: "nothing tells how far an upload is",
            source: "dotnet/sdk 33019",
            ask: |c| {
                let upload = c.upload();
                c.ask(&format!("GET {upload}")).status.to_string()
            },
            answer: "404",
        },
        Quirk {
            what: "a small part that is not the last is found out at the end",
            source: "dotnet/sdk-container-builds 424",
            ask: |c| {
                let upload = c.upload();
                let parts = [MIB, MIB].map(|size| c.patch(&upload, size, &[]).status);
                let end = c.ask(&format!("PUT {upload}?digest={}", digest(vec![7; 2 * MIB])));
                format!("{parts:?} {}", status(&end))
            },
            answer: "[201, 201] 400 BLOB_UPLOAD_INVALID: All layer parts except the last part should be at least 5MB",
        },
        Quirk {
            what: "parts of 5 MiB and a small last one with the PUT are fine",
            source: "dotnet/sdk-container-builds 279",
            ask: |c| {
                let upload = c.upload();
                c.patch(&upload, 5 * MIB, &[]);
                let path = format!("PUT {upload}?digest={}", digest(vec![7; 5 * MIB + 3]));
                status(&c.send(&path, &[], &[7; 3]))
            },
            answer: "201",
        },
        Quirk {
            what: "one PATCH of any size and an empty PUT are fine, as is one PUT",
            source: "what crane and containerd send",
            ask: |c| {
                let upload = c.upload();
                c.patch(&upload, 10, &[]);
                let end = c.ask(&format!("PUT {upload}?digest={}", digest([7; 10])));
                format!("{} {}", end.status, c.blob(b"whole").status)
            },
            answer: "201 201",
        },
        Quirk {
            what: "another digest than was said",
            source: "model: InvalidLayerException",
            ask: |c| {
                let upload = c.upload();
                status(&c.send(&format!("PUT {upload}?digest={}", digest(b"one")), &[], b"two"))
            },
            answer: "400 BLOB_UPLOAD_INVALID: None of the provided layer digests match the calculated layer digest",
        },
        Quirk {
            what: "a push to a repository that does not exist ends with the connection",
            source: "docker/build-push-action 599 and 850, dotnet/sdk-container-builds 279",
            ask: |c| match c.try_send("POST /v2/none/blobs/uploads/", &[], b"") {
                Ok(answer) => status(&answer),
                Err(error) => error.to_string().split(" from").next().unwrap().to_owned(),
            },
            answer: "no HTTP",
        },
        Quirk {
            what: "a blob is in one repository, not in all",
            source: "docs: blob mounting",
            ask: |c| {
                c.ecr.create("other");
                c.blob(b"layer");
                let head = |path: String| c.ask(&path).status;
                let digest = digest(b"layer");
                format!(
                    "{} {}",
                    head(format!("HEAD blobs/{digest}")),
                    head(format!("HEAD /v2/other/blobs/{digest}"))
                )
            },
            answer: "200 404",
        },
    ];
    check(&quirks, &Options::default());
    let quirk = Quirk {
        what: "or is answered with 404",
        source: "docs: error messages of docker push",
        ask: |c| status(&c.ask("POST /v2/none/blobs/uploads/")),
        answer: "404 NAME_UNKNOWN: The repository with name 'none' does not exist in the registry with id '123456789012'",
    };
    check(&[quirk], &Options { hangs_up: false, ..Options::default() });
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn manifests() {
    let quirks = [
        Quirk {
            what: "an accepted manifest has no Location",
            source: "oras-project/rust-oci-client 33",
            ask: |c| {
                c.image("v1", b"layer");
                told(&c.put("v2", MANIFEST, &manifest(b"layer")), &["location"])
            },
            answer: "201 location=-",
        },
        Quirk {
            what: "a manifest has to say itself what it is",
            source: "containers/image 584, chainguard-dev/apko 450",
            ask: |c| {
                c.image("v1", b"layer");
                let mut manifest = manifest(b"layer");
                manifest.as_object_mut().unwrap().remove("mediaType");
                status(&c.put("v2", MANIFEST, &manifest))
            },
            answer: "405 UNSUPPORTED: Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
        },
        Quirk {
            what: "what is about an image has an empty configuration or an image's",
            source: "roadmap 2783, moby/buildkit 5747",
            ask: |c| {
                let image = c.image("v1", b"layer");
                let about = |config: &str| {
                    let mut about = manifest(b"layer");
                    about["artifactType"] = json!("application/x-signed");
                    about["subject"] = descriptor(MANIFEST, image.to_string().as_bytes());
                    about["config"]["mediaType"] = json!(config);
                    c.put(&digest(about.to_string()), MANIFEST, &about).status
                };
                format!("{} {}", about("application/x-custom"), about("application/vnd.oci.empty.v1+json"))
            },
            answer: "405 201",
        },
        Quirk {
            what: "no type has parameters",
            source: "roadmap 2306, sigstore/sigstore-js 1058",
            ask: |c| {
                c.image("v1", b"layer");
                let mut about = manifest(b"layer");
                about["artifactType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.2");
                c.put("v2", MANIFEST, &about).status.to_string()
            },
            answer: "405",
        },
        Quirk {
            what: "no manifest is longer than 4 MiB",
            source: "model: ImageManifest",
            ask: |c| {
                c.image("v1", b"layer");
                let mut long = manifest(b"layer");
                long["annotations"] = json!({ "long": "x".repeat(4 * MIB) });
                status(&c.put("v2", MANIFEST, &long))
            },
            answer: "405 UNSUPPORTED: Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Member must have length less than or equal to 4194304'",
        },
        Quirk {
            what: "layers come before manifests",
            source: "model: LayersNotFoundException",
            ask: |c| {
                c.blob(b"{}");
                let said = status(&c.put("v1", MANIFEST, &manifest(b"layer")));
                said.replace(&digest(b"layer"), "DIGEST")
            },
            answer: "400 MANIFEST_BLOB_UNKNOWN: Layers with digests '[DIGEST]' required for pushing image into repository with name 'REPOSITORY' in the registry with id '123456789012' do not exist",
        },
        Quirk {
            what: "images come before their index",
            source: "int128/docker-manifest-create-action 63, model: ReferencedImagesNotFoundException",
            ask: |c| {
                let child = manifest(b"layer");
                let said = status(&c.put("v1", INDEX, &index(&[&child])));
                said.replace(&digest(child.to_string()), "DIGEST")
            },
            answer: "400 MANIFEST_BLOB_UNKNOWN: Images with digests '[DIGEST]' required for pushing image into repository with name 'REPOSITORY' in the registry with id '123456789012' do not exist",
        },
        Quirk {
            what: "another digest than was said",
            source: "google/go-containerregistry 1568",
            ask: |c| {
                c.image("v1", b"layer");
                let said = status(&c.put(&digest(b""), MANIFEST, &manifest(b"layer")));
                said.split(" with").next().unwrap().to_owned()
            },
            answer: "400 MANIFEST_INVALID: The image",
        },
        Quirk {
            what: "an image of an index cannot be deleted",
            source: "model: ImageReferencedByManifestList",
            ask: |c| {
                let child = c.image("child", b"layer");
                c.put("v1", INDEX, &index(&[&child]));
                let id = json!({ "imageDigest": digest(child.to_string()) });
                let input = json!({ "repositoryName": c.repository, "imageIds": [id] });
                let answer = c.ecr.api("BatchDeleteImage", &input).unwrap();
                format!(
                    "{} {}",
                    answer["failures"][0]["failureCode"],
                    c.ecr.contents(&c.repository).manifests.len()
                )
            },
            answer: "\"ImageReferencedByManifestList\" 2",
        },
        Quirk {
            what: "an image goes with its last tag",
            source: "docs: BatchDeleteImage",
            ask: |c| {
                let image = c.image("v1", b"layer");
                c.put("v2", MANIFEST, &image);
                let left = ["v1", "v2"].map(|tag| {
                    c.set("BatchDeleteImage", json!({ "imageIds": [{ "imageTag": tag }] }));
                    c.ask(&format!("HEAD manifests/{}", digest(image.to_string()))).status
                });
                format!("{left:?}")
            },
            answer: "[200, 404]",
        },
    ];
    check(&quirks, &Options::default());
}

#[test]
fn tags() {
    let quirks = [
        Quirk {
            what: "an immutable tag is not set again, even to the digest that it has",
            source: "roadmap 2179 and 2380, moby/buildkit 3776",
            ask: |c| {
                c.set("PutImageTagMutability", json!({ "imageTagMutability": "IMMUTABLE" }));
                let image = c.image("v1", b"layer");
                status(&c.put("v1", MANIFEST, &image))
            },
            answer: "400 TAG_INVALID: The image tag 'v1' already exists in the 'REPOSITORY' repository and cannot be overwritten because the repository is immutable.",
        },
        Quirk {
            what: "but for tags that are excluded",
            source: "model: ImageTagMutabilityExclusionFilter",
            ask: |c| {
                let filters = json!([{ "filterType": "WILDCARD", "filter": "cache-*" }]);
                c.set("PutImageTagMutability", json!({ "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": filters }));
                let image = c.image("v1", b"layer");
                let put =
                    |tag: &str| [c.put(tag, MANIFEST, &image).status, c.put(tag, MANIFEST, &image).status];
                format!("{:?} {:?}", put("v2"), put("cache-1"))
            },
            answer: "[201, 400] [201, 201]",
        },
        Quirk {
            what: "no more than 1000 tags in one answer",
            source: "crane's default page",
            ask: |c| status(&c.ask("GET tags/list?n=1001")),
            answer: "405 UNSUPPORTED: Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'",
        },
        Quirk {
            what: "tags come in pages, the next of which is in Link",
            source: "OCI distribution specification, listing tags",
            ask: |c| {
                let image = c.image("v1", b"layer");
                c.put("v2", MANIFEST, &image);
                told(&c.ask("GET tags/list?n=1"), &["link"])
            },
            answer: "200 link=</v2/REPOSITORY/tags/list?last=v1&n=1>; rel=\"next\"",
        },
        Quirk {
            what: "there is no catalog",
            source: "docs: DescribeRepositories instead",
            ask: |c| c.ask("GET /v2/_catalog").status.to_string(),
            answer: "404",
        },
    ];
    check(&quirks, &Options::default());
}

/// Asks to mount a layer from a repository that has it, which is `SOURCE` of these settings.
fn mount(c: &Client, setting: &str, source: Value, used: bool, query: &str) -> String {
    let mut source = source;
    source["repositoryName"] = json!("source");
    c.set("PutAccountSetting", json!({ "name": "BLOB_MOUNTING", "value": setting }));
    c.set("CreateRepository", source);
    for bytes in [b"{}".as_slice(), b"layer"] {
        let location = c.ask("POST /v2/source/blobs/uploads/").header("location").unwrap().to_owned();
        let path = location.split_once("/v2/").unwrap().1;
        c.send(&format!("PUT /v2/{path}?digest={}", digest(bytes)), &[], bytes);
    }
    if used {
        let manifest = manifest(b"layer").to_string();
        c.send("PUT /v2/source/manifests/v1", &[("content-type", MANIFEST)], manifest.as_bytes());
    }
    let path = format!("POST blobs/uploads/?mount={}{query}", digest(b"layer"));
    c.ask(&path).status.to_string()
}

#[test]
fn mounts() {
    let source = "docs: blob mounting; roadmap 2860";
    let quirks = [
        Quirk {
            what: "what an image of the source has is mounted where the account allows it",
            source,
            ask: |c| mount(c, "ENABLED", json!({}), true, "&from=source"),
            answer: "201",
        },
        Quirk {
            what: "and nowhere else",
            source,
            ask: |c| mount(c, "DISABLED", json!({}), true, "&from=source"),
            answer: "202",
        },
        Quirk {
            what: "what no image has is not mounted",
            source,
            ask: |c| mount(c, "ENABLED", json!({}), false, "&from=source"),
            answer: "202",
        },
        Quirk {
            what: "what is encrypted otherwise is not mounted",
            source,
            ask: |c| {
                mount(
                    c,
                    "ENABLED",
                    json!({ "encryptionConfiguration": { "encryptionType": "KMS", "kmsKey": "one" } }),
                    true,
                    "&from=source",
                )
            },
            answer: "202",
        },
        Quirk {
            what: "what a pull-through rule brought is not mounted",
            source,
            ask: |c| {
                c.set(
                    "CreatePullThroughCacheRule",
                    json!({ "ecrRepositoryPrefix": "shop", "upstreamRegistryUrl": "quay.io" }),
                );
                mount(c, "ENABLED", json!({}), true, "&from=source")
            },
            answer: "202",
        },
        Quirk {
            what: "a further parameter makes it a plain upload",
            source: "bazel-contrib/rules_img 712",
            ask: |c| mount(c, "ENABLED", json!({}), true, "&from=source&origin=docker.io"),
            answer: "202",
        },
    ];
    check(&quirks, &Options::default());
}

/// A request to where layers are fetched from.
fn fetch(c: &Client, url: &str, method: &str, headers: &[(&str, &str)]) -> Answer {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let headers = headers.iter().copied().chain([("host", host)]);
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_ne!(host, c.ecr.address().to_string());
    lab::http::exchange(host.parse().unwrap(), method, &format!("/{path}"), &headers, b"").unwrap()
}

fn layer_url(c: &Client) -> String {
    c.blob(b"layer");
    let answer = c.ask(&format!("GET blobs/{}", digest(b"layer")));
    assert_eq!(answer.status, 307);
    answer.header("location").unwrap().to_owned()
}

#[test]
fn layers() {
    let quirks = [
        Quirk {
            what: "a layer is on another host, in any range",
            source: "awslabs/amazon-ecr-containerd-resolver",
            ask: |c| {
                let url = layer_url(c);
                let (all, part) =
                    (fetch(c, &url, "GET", &[]), fetch(c, &url, "GET", &[("range", "bytes=1-3")]));
                format!("{} {}, {} {}", all.status, all.body, told(&part, &["content-range"]), part.body)
            },
            answer: "200 layer, 206 content-range=bytes 1-3/5 aye",
        },
        Quirk {
            what: "which wants no password beside its signature",
            source: "S3: Only one auth mechanism allowed",
            ask: |c| {
                fetch(c, &layer_url(c), "GET", &[("authorization", "Basic QVdTOng=")]).status.to_string()
            },
            answer: "400",
        },
        Quirk {
            what: "and its URL is for one method, one layer, and a time",
            source: "S3: presigned URLs",
            ask: |c| {
                let url = layer_url(c);
                let (head, other) =
                    (fetch(c, &url, "HEAD", &[]), fetch(c, &url.replace("prod", "test"), "GET", &[]));
                c.ecr.pass(Duration::from_hours(2));
                format!("{} {} {}", head.status, other.status, fetch(c, &url, "GET", &[]).status)
            },
            answer: "403 403 403",
        },
    ];
    check(&quirks, &Options::default());
}

#[test]
fn access() {
    let quirks = [
        Quirk {
            what: "a password is asked for with Basic",
            source: "docs: registry authentication",
            ask: |c| {
                told(&c.send("GET /v2/", &[("authorization", "Basic QVdTOng=")], b""), &["www-authenticate"])
                    .replace(&c.ecr.address().to_string(), "HOST")
            },
            answer: "401 www-authenticate=Basic realm=\"https://HOST/\",service=\"ecr.amazonaws.com\"",
        },
        Quirk {
            what: "a password that ended is refused with 403",
            source: "docs: error messages",
            ask: |c| {
                c.ecr.pass(Duration::from_hours(12));
                status(&c.ask("GET manifests/v1"))
            },
            answer: "403 DENIED: Your authorization token has expired. Reauthenticate and try again.",
        },
        Quirk {
            what: "to HEAD, a refusal says nothing: only GET has a reason",
            source: "containerd, docker resolver",
            ask: |c| {
                c.ecr.deny("ecr:BatchGetImage");
                let said =
                    format!("{:?}, {}", c.ask("HEAD manifests/v1").body, status(&c.ask("GET manifests/v1")));
                said.split(" because").next().unwrap().to_owned()
            },
            answer: "\"\", 403 DENIED: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-central-1:123456789012:repository/REPOSITORY",
        },
        Quirk {
            what: "a mount needs a right on its source",
            source: "docs: blob mounting",
            ask: |c| {
                c.ecr.deny("ecr:GetDownloadUrlForLayer");
                let path = format!("POST blobs/uploads/?mount={}&from=source", digest(b"layer"));
                c.ask(&path).status.to_string()
            },
            answer: "403",
        },
    ];
    check(&quirks, &Options::default());
}

#[test]
fn pace() {
    let options = Options { rates: ecr_rates(), stopped_clock: true, ..Options::default() };
    let quirks = [
        Quirk {
            what: "ten images a second, then 429, then some more",
            source: "docs: service quotas",
            ask: |c| {
                let image = c.image("v0", b"layer");
                let push = |from: u32, to: u32| {
                    let tags = (from..to).map(|tag| c.put(&format!("v{tag}"), MANIFEST, &image));
                    tags.map(|answer| answer.status).filter(|status| *status == 201).count()
                };
                let first = push(1, 15);
                c.ecr.pass(Duration::from_millis(300));
                format!("{first} {} {}", push(15, 30), status(&c.put("v99", MANIFEST, &image)))
            },
            answer: "9 3 429 TOOMANYREQUESTS: Rate exceeded",
        },
        Quirk {
            what: "a storm refuses everything until it is over",
            source: "docs: error messages",
            ask: |c| {
                c.ecr.storm(Duration::from_mins(1));
                let before = c.ask("HEAD manifests/v1").status;
                c.ecr.pass(Duration::from_mins(1));
                format!("{before} {}", c.ask("HEAD manifests/v1").status)
            },
            answer: "429 404",
        },
    ];
    check(&quirks, &options);
}

#[test]
fn referrers() {
    let ask = |c: &Client| {
        let image = c.image("v1", b"layer");
        let about = |kind: &str| {
            let mut about = manifest(b"layer");
            about["artifactType"] = json!(kind);
            about["subject"] = descriptor(MANIFEST, image.to_string().as_bytes());
            about["config"] = descriptor(CONFIG, b"{}");
            told(&c.put(&digest(about.to_string()), MANIFEST, &about), &["oci-subject"])
        };
        let subject = digest(image.to_string());
        let put = [about("application/x-signature"), about("application/x-sbom")];
        let put = put.join(" ").replace(&subject, "SUBJECT");
        let listed = |query: &str| {
            let answer = c.ask(&format!("GET referrers/{subject}{query}"));
            let index: Value = serde_json::from_str(&answer.body).unwrap();
            let count = index["manifests"].as_array().unwrap().len();
            format!("{count} {}", told(&answer, &["oci-filters-applied"]))
        };
        format!("{put}, {}, {}", listed(""), listed("?artifactType=application/x-sbom"))
    };
    let quirk = Quirk {
        what: "what is about an image is listed",
        source: "OCI distribution specification 1.1; ECR since 2024",
        ask,
        answer: "201 oci-subject=SUBJECT 201 oci-subject=SUBJECT, 2 200 oci-filters-applied=-, 1 200 oci-filters-applied=artifactType",
    };
    check(&[quirk], &Options::default());
}
