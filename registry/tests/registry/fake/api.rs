//! ECR's API.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use ecr_registry::Digest;
use serde_json::{Value, json};

use super::{Content, Reply, Request, State};

pub(super) fn answer(state: &mut State, operation: &str, request: &Request) -> Reply {
    let input: Value = serde_json::from_slice(&request.body).unwrap();
    state.identities.insert(request.header("authorization").split(['=', '/']).nth(1).unwrap().to_owned());
    // The log has the operation where others have a path.
    operation.clone_into(&mut state.log.last_mut().unwrap().path);
    state.asked.push((operation.to_owned(), input.clone()));
    if let Some(reply) = state.fault_of_api(operation) {
        return reply;
    }
    if operation == "GetAuthorizationToken" {
        return token(state);
    }
    let name = input["repositoryName"].as_str().or(input["repositoryNames"][0].as_str()).unwrap();
    assert_eq!(input["registryId"], "123456789012");
    let Some(content) = state.repositories.get_mut(name) else {
        return error(
            "RepositoryNotFoundException",
            &format!("The repository with name '{name}' does not exist"),
        );
    };
    match operation {
        "DescribeRepositories" => ok(&json!({ "repositories": [{ "repositoryName": name }] })),
        "BatchGetImage" => batch_get_image(content, &input),
        "BatchCheckLayerAvailability" => batch_check_layer_availability(content, &input),
        "BatchDeleteImage" => batch_delete_image(content, &input),
        "DescribeImages" => describe_images(content, &input),
        other => panic!("{other} is not played"),
    }
}

/// STS: the access key it gives names the role.
pub(super) fn sts(state: &mut State, request: &Request) -> Reply {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    form["Action"].clone_into(&mut state.log.last_mut().unwrap().path);
    if let Some(reply) = state.fault_of_api(&form["Action"]) {
        return reply;
    }
    if form["Action"] == "GetCallerIdentity" {
        let account = state.caller.unwrap_or("123456789012");
        return Reply::status(200).header("content-type", "text/xml").body(format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{account}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        ));
    }
    let action = &form["Action"];
    let role = form["RoleArn"].rsplit('/').next().unwrap();
    Reply::status(200).header("content-type", "text/xml").body(format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>KEY-OF-{role}</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>"
    ))
}

impl State {
    fn fault_of_api(&mut self, operation: &str) -> Option<Reply> {
        let request = Request { method: "POST".to_owned(), path: operation.to_owned(), ..Request::default() };
        match self.fault(&request)? {
            super::What::Answer(reply) => Some(reply),
            _ => panic!("only answers can be faults of the API"),
        }
    }
}

/// An error as the API writes it.
pub(crate) fn error(code: &str, message: &str) -> Reply {
    let reply = Reply::status(400).header("content-type", "application/x-amz-json-1.1");
    reply.body(json!({ "__type": code, "message": message }).to_string())
}

/// What the API answers.
pub(crate) fn ok(body: &Value) -> Reply {
    Reply::status(200).header("content-type", "application/x-amz-json-1.1").body(body.to_string())
}

fn token(state: &mut State) -> Reply {
    state.passwords += 1;
    let token = STANDARD.encode(format!("AWS:password-{}", state.passwords));
    let in_twelve_hours = std::time::SystemTime::now() + std::time::Duration::from_hours(12);
    let expires = in_twelve_hours.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    ok(&json!({ "authorizationData": [{ "authorizationToken": token, "expiresAt": expires }] }))
}

fn find(content: &Content, id: &Value) -> Option<Digest> {
    let digest = match (id["imageDigest"].as_str(), id["imageTag"].as_str()) {
        (Some(digest), _) => digest.parse().ok(),
        (None, Some(tag)) => content.tags.get(tag).copied(),
        (None, None) => None,
    };
    digest.filter(|digest| content.manifests.contains_key(digest))
}

fn batch_get_image(content: &Content, input: &Value) -> Reply {
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    let ids = input["imageIds"].as_array().unwrap();
    assert!(ids.len() <= 100 && input["acceptedMediaTypes"].as_array().unwrap().len() == 4);
    for id in ids {
        match find(content, id) {
            Some(digest) => {
                let (media_type, body) = &content.manifests[&digest];
                let mut id = id.clone();
                id["imageDigest"] = json!(digest);
                let manifest = String::from_utf8(body.clone()).unwrap();
                images.push(
                    json!({ "imageId": id, "imageManifest": manifest, "imageManifestMediaType": media_type }),
                );
            }
            None => {
                failures
                    .push(json!({ "imageId": id, "failureCode": "ImageNotFound", "failureReason": "no" }));
            }
        }
    }
    ok(&json!({ "images": images, "failures": failures }))
}

fn batch_check_layer_availability(content: &Content, input: &Value) -> Reply {
    let digests = input["layerDigests"].as_array().unwrap();
    assert!(digests.len() <= 100);
    let there = |digest: &Value| content.blobs.contains_key(&digest.as_str().unwrap().parse().unwrap());
    let (there, missing): (Vec<&Value>, Vec<&Value>) = digests.iter().partition(|digest| there(digest));
    let layers =
        there.iter().map(|digest| json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE" }));
    let failures =
        missing.iter().map(|digest| json!({ "layerDigest": digest, "failureCode": "MissingLayerDigest" }));
    ok(&json!({ "layers": layers.collect::<Vec<_>>(), "failures": failures.collect::<Vec<_>>() }))
}

fn batch_delete_image(content: &mut Content, input: &Value) -> Reply {
    let id = &input["imageIds"][0];
    let removed = id["imageTag"].as_str().and_then(|tag| content.tags.remove(tag));
    match removed {
        Some(_) => ok(&json!({ "imageIds": [id], "failures": [] })),
        None => {
            ok(&json!({ "imageIds": [], "failures": [{ "imageId": id, "failureCode": "ImageNotFound" }] }))
        }
    }
}

fn describe_images(content: &Content, input: &Value) -> Reply {
    let Some(digest) = find(content, &input["imageIds"][0]) else {
        return error("ImageNotFoundException", "The image does not exist");
    };
    let tags: Vec<&String> =
        content.tags.iter().filter(|(_, to)| **to == digest).map(|(tag, _)| tag).collect();
    ok(&json!({ "imageDetails": [{ "imageDigest": digest, "imageTags": tags }] }))
}
