//! The ECR API: MiniStack checks signature and policy and does the work; the front mends what it answers.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::upstream::is_there;
use super::{Grant, Shared};
use crate::ecr::images::{self, Image, ImageId, Listing, Stored};
use crate::ecr::{MAX_DOCUMENT, Scope, Signer, action, answer, password};

pub(super) async fn serve(shared: &Shared, request: Request<Body>) -> Result<Response> {
    let action = action(request.headers()).unwrap_or_default().to_owned();
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_DOCUMENT).await.context("cannot read the request")?;
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let entry =
        shared.ledger.open(format!("ecr:{action}"), input["repositoryName"].as_str().map(str::to_owned));
    entry.received(body.len() as u64);
    let call = Call { shared, parts, body, input };
    let answer = match action.as_str() {
        "GetAuthorizationToken" => call.authorization_token().await,
        "BatchCheckLayerAvailability" => call.layer_availability().await,
        "BatchGetImage" => call.get_images().await,
        "ListImages" => call.list_images().await,
        "DescribeImages" => call.describe_images().await,
        "BatchDeleteImage" => call.delete_images().await,
        "PutImage" => call.put_image().await,
        _ => call.forward().await.map_err(Stop::Trouble),
    };
    match answer {
        Ok(answer) | Err(Stop::Refused(answer)) => Ok(entry.close(answer)),
        Err(Stop::Trouble(error)) => Err(error),
    }
}

/// Why a call ends early.
enum Stop {
    /// MiniStack refused it, and its answer stands.
    Refused(Response),
    /// The front could not do its work.
    Trouble(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Trouble(error)
    }
}

/// One request of the ECR API.
struct Call<'a> {
    shared: &'a Shared,
    parts: Parts,
    body: Bytes,
    input: Value,
}

/// What MiniStack let through: whose registry it is, and what it answered.
struct Admitted {
    scope: Scope,
    answer: Map<String, Value>,
}

impl Call<'_> {
    async fn forward(&self) -> Result<Response> {
        let request = Request::from_parts(self.parts.clone(), Body::from(self.body.clone()));
        let answer = self.shared.upstream.forward(request).await?;
        if answer.status() == StatusCode::FORBIDDEN { self.name_resource(answer).await } else { Ok(answer) }
    }

    /// Adds to a denial what ECR's names and MiniStack's leaves out, the resource; ECR's status of any refusal is 400.
    async fn name_resource(&self, answer: Response) -> Result<Response> {
        let body =
            axum::body::to_bytes(answer.into_body(), MAX_DOCUMENT).await.context("MiniStack broke off")?;
        let error: Value = serde_json::from_slice(&body).context("MiniStack answered no JSON")?;
        let text = |name: &str| error[name].as_str().unwrap_or_default();
        let Some((caller, rest)) = text("message").split_once(" is not authorized to perform: ") else {
            return Ok(answer::api_error(text("__type"), text("message")));
        };
        let (action, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let resource = match self.input["repositoryName"].as_str() {
            Some(repository) => self.scope().await?.repository_arn(repository),
            None => "*".to_owned(),
        };
        let message =
            format!("{caller} is not authorized to perform: {action} on resource: {resource} {reason}");
        Ok(answer::api_error(text("__type"), message.trim_end()))
    }

    /// Lets MiniStack judge signature, policy and repository by carrying out the call.
    async fn admit(&self) -> Result<Admitted, Stop> {
        let answer = self.forward().await?;
        if !is_there(&answer) {
            return Err(Stop::Refused(answer));
        }
        let body =
            axum::body::to_bytes(answer.into_body(), MAX_DOCUMENT).await.context("MiniStack broke off")?;
        let answer = serde_json::from_slice(&body).context("MiniStack answered no JSON")?;
        Ok(Admitted { scope: self.scope().await?, answer })
    }

    async fn scope(&self) -> Result<Scope> {
        self.shared.callers.scope(&self.shared.upstream, self.signer()?).await
    }

    fn signer(&self) -> Result<Signer> {
        Signer::of(&self.parts.headers).context("the request carries no signature in its header")
    }

    fn repository(&self) -> &str {
        self.input["repositoryName"].as_str().unwrap_or_default()
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.input.clone()).context("the request's fields have other types than ECR's")
    }

    fn asked(&self) -> Result<Vec<ImageId>> {
        let ids = self.input.get("imageIds").cloned().unwrap_or_else(|| json!([]));
        serde_json::from_value(ids).context("`imageIds` is no list of image ids")
    }

    async fn images(&self, scope: &Scope) -> Result<Vec<Image>> {
        let input = json!({ "repositoryName": self.repository() });
        let mut answer = self.shared.upstream.ecr(scope, "DescribeImages", &input).await?;
        Ok(serde_json::from_value(answer["imageDetails"].take())?)
    }

    async fn authorization_token(&self) -> Result<Response, Stop> {
        let Admitted { scope, mut answer } = self.admit().await?;
        let signer = self.signer()?;
        let caller = self.shared.callers.identify(&self.shared.upstream, &signer.key, &scope.account).await?;
        let password = password::random().context("no random bytes")?;
        let grant = Grant { caller, scope };
        let (token, expires) = self.shared.passwords.issue(password, grant, SystemTime::now());
        let data = answer.get_mut("authorizationData").and_then(|data| data.get_mut(0));
        let data = data.context("MiniStack's GetAuthorizationToken has no data")?;
        data["authorizationToken"] = token.into();
        data["expiresAt"] = expires.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().into();
        Ok(answer::api(&answer.into()))
    }

    async fn layer_availability(&self) -> Result<Response, Stop> {
        let Admitted { scope, .. } = self.admit().await?;
        let mut layers = Vec::new();
        for digest in self.input["layerDigests"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let path = format!("/v2/{}/blobs/{digest}", self.repository());
            let blob = self.shared.upstream.registry(&scope, Method::HEAD, &path).await?;
            layers.push(if is_there(&blob) {
                let size = blob.headers().get(CONTENT_LENGTH).and_then(|size| size.to_str().ok());
                let size: u64 = size.and_then(|size| size.parse().ok()).unwrap_or_default();
                json!({ "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size })
            } else {
                json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" })
            });
        }
        Ok(answer::api(&json!({ "layers": layers, "failures": [] })))
    }

    async fn get_images(&self) -> Result<Response, Stop> {
        let _unchanged = self.shared.images.read().await;
        let Admitted { scope, .. } = self.admit().await?;
        let (images, asked) = (self.images(&scope).await?, self.asked()?);
        let digests = asked.iter().filter_map(|id| images::find(&images, id)).map(|image| &image.digest);
        let stored = self.stored(&scope, digests).await?;
        let common = json!({ "registryId": scope.account, "repositoryName": self.repository() });
        let common = common.as_object().cloned().unwrap_or_default();
        Ok(answer::api(&images::get(&common, &asked, &images, &stored)))
    }

    /// The manifests of these digests.
    async fn stored<'d>(
        &self,
        scope: &Scope,
        digests: impl Iterator<Item = &'d String>,
    ) -> Result<BTreeMap<String, Stored>> {
        let ids: Vec<_> = digests.map(|digest| json!({ "imageDigest": digest })).collect();
        let input = json!({ "repositoryName": self.repository(), "imageIds": ids });
        let answer = self.shared.upstream.ecr(scope, "BatchGetImage", &input).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let stored = answer["images"].as_array().into_iter().flatten().map(|image| {
            let stored = Stored {
                manifest: text(&image["imageManifest"]),
                media_type: text(&image["imageManifestMediaType"]),
            };
            (text(&image["imageId"]["imageDigest"]), stored)
        });
        Ok(stored.collect())
    }

    async fn list_images(&self) -> Result<Response, Stop> {
        let _unchanged = self.shared.images.read().await;
        let Admitted { scope, .. } = self.admit().await?;
        Ok(answer::api(&images::list(&self.images(&scope).await?, &self.parse::<Listing>()?)))
    }

    async fn describe_images(&self) -> Result<Response, Stop> {
        let _unchanged = self.shared.images.read().await;
        let Admitted { scope, .. } = self.admit().await?;
        let described = images::describe(&self.images(&scope).await?, &self.parse::<Listing>()?);
        Ok(described
            .map_or_else(|absent| self.image_not_found(&scope, &absent), |answer| answer::api(&answer)))
    }

    fn image_not_found(&self, scope: &Scope, absent: &ImageId) -> Response {
        let message = format!(
            "The image with imageId {absent} does not exist within the repository with name '{}' in the registry with id \
             '{}'",
            self.repository(),
            scope.account
        );
        answer::api_error("ImageNotFoundException", &message)
    }

    /// MiniStack deletes an image with any of its tags, and only from its list: what has tags left is put back, and what
    /// goes leaves the registry too.
    async fn delete_images(&self) -> Result<Response, Stop> {
        let _alone = self.shared.images.write().await;
        let scope = self.scope().await?;
        let Ok(before) = self.images(&scope).await else {
            return Ok(self.forward().await?); // No such repository: MiniStack says so, or refuses the caller.
        };
        let planned = images::delete(&before, &self.asked()?);
        let kept = self.stored(&scope, planned.kept.keys()).await?;
        self.admit().await?;
        for (digest, tags) in &planned.kept {
            let stored =
                kept.get(digest).with_context(|| format!("MiniStack has no manifest of `{digest}`"))?;
            self.put_back(&scope, stored, tags).await?;
        }
        for digest in &planned.gone {
            let path = format!("/v2/{}/manifests/{digest}", self.repository());
            self.shared.upstream.registry(&scope, Method::DELETE, &path).await?;
        }
        Ok(answer::api(&planned.answer))
    }

    async fn put_back(&self, scope: &Scope, stored: &Stored, tags: &[String]) -> Result<()> {
        for tag in tags {
            let input = json!({
                "repositoryName": self.repository(),
                "imageTag": tag,
                "imageManifest": stored.manifest,
                "imageManifestMediaType": stored.media_type,
            });
            self.shared.upstream.ecr(scope, "PutImage", &input).await?;
        }
        Ok(())
    }

    /// An image put by the API is served by `/v2` too, and one that is there already is refused.
    async fn put_image(&self) -> Result<Response, Stop> {
        let _unchanged = self.shared.images.read().await;
        let scope = self.scope().await?;
        let before = self.images(&scope).await.unwrap_or_default();
        let Admitted { answer, .. } = self.admit().await?;
        let image = &answer.get("image").cloned().unwrap_or_default();
        let digest = image["imageId"]["imageDigest"].as_str().context("PutImage answered no digest")?;
        let tag = self.input["imageTag"].as_str().map(str::to_owned);
        let id = ImageId { image_digest: Some(digest.to_owned()), image_tag: tag };
        if images::find(&before, &id).is_some() {
            return Ok(self.image_exists(&scope, digest, id.image_tag.as_deref()));
        }
        let (path, text) =
            (format!("/v2/{}/manifests/{digest}", self.repository()), |name: &str| image[name].as_str());
        let kind = text("imageManifestMediaType").unwrap_or_default();
        let manifest = text("imageManifest").unwrap_or_default().to_owned();
        self.shared.upstream.put_manifest(&scope, &path, kind, manifest).await?;
        let image = json!({
            "registryId": scope.account, "repositoryName": self.repository(), "imageId": id,
            "imageManifest": image["imageManifest"], "imageManifestMediaType": kind,
        });
        Ok(answer::api(&json!({ "image": image })))
    }

    fn image_exists(&self, scope: &Scope, digest: &str, tag: Option<&str>) -> Response {
        let message = format!(
            "Image with digest '{digest}' and tag '{}' already exists in the repository with name '{}' in registry with \
             id '{}'",
            tag.unwrap_or("null"),
            self.repository(),
            scope.account
        );
        answer::api_error("ImageAlreadyExistsException", &message)
    }
}
