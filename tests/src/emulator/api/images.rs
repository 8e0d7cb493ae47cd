//! Images by the API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Call;
use crate::ecr::images::{self, Image, ImageId, Listing, Stored};
use crate::emulator::refusal::Refusal;
use crate::emulator::store::{Incoming, Manifest, Registry, Repository};

/// The most images in one call.
const MAX_IDS: usize = 100;

pub(super) fn answer<'a>(
    call: &Call<'a>,
    registry: &mut Registry,
    action: &str,
) -> Option<Result<Value, Refusal>> {
    let look: fn(&Call<'a>, &mut Repository) -> Result<Value, Refusal> = match action {
        "BatchGetImage" => Call::get_images,
        "PutImage" => Call::put_image,
        "ListImages" => Call::list_images,
        "DescribeImages" => Call::describe_images,
        "BatchDeleteImage" => Call::delete_images,
        "ListImageReferrers" => Call::list_referrers,
        "UpdateImageStorageClass" => Call::update_storage_class,
        _ => return None,
    };
    Some(call.repository(registry).and_then(|repository| look(call, repository)))
}

/// The image that an id names.
pub(super) fn of(repository: &Repository, id: &ImageId) -> Option<Image> {
    images::find(&repository.images(), id).cloned()
}

impl Call<'_> {
    fn ids(&self) -> Result<Vec<ImageId>, Refusal> {
        let ids = self.list("imageIds");
        if ids.len() > MAX_IDS {
            let constraint = "Member must have length less than or equal to 100";
            return Err(Refusal::parameter("imageIds", constraint));
        }
        serde_json::from_value(ids.into()).map_err(|_| Refusal::parameter("imageIds", "must be image ids"))
    }

    pub(super) fn listing(&self) -> Result<Listing, Refusal> {
        serde_json::from_value(self.input.clone())
            .map_err(|_| Refusal::parameter("filter", "must be a filter"))
    }

    fn get_images(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        let common = self.about(repository, json!({}));
        let stored = |manifest: &Manifest| Stored {
            manifest: String::from_utf8_lossy(&manifest.bytes).into_owned(),
            media_type: manifest.media_type.clone(),
        };
        let manifests = repository.manifests.iter().filter(|(_, manifest)| manifest.is_active());
        let stored: BTreeMap<_, _> = manifests.map(|(digest, one)| (digest.clone(), stored(one))).collect();
        let common = common.as_object().cloned().unwrap_or_else(Map::new);
        let mut answer = images::get(&common, &self.ids()?, &repository.images(), &stored);
        // An image that is there and not given is archived.
        for failure in answer["failures"].as_array_mut().into_iter().flatten() {
            let id: ImageId = serde_json::from_value(failure["imageId"].clone()).unwrap_or_default();
            if of(repository, &id).is_some() {
                failure["failureCode"] = json!("ImageInaccessible");
                failure["failureReason"] = json!("The image is archived");
            }
        }
        Ok(answer)
    }

    fn put_image(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        let (tag, text) = (self.text("imageTag"), self.needs("imageManifest")?);
        let incoming = Incoming {
            bytes: text.to_owned().into(),
            media_type: self.text("imageManifestMediaType"),
            tag,
            digest: self.text("imageDigest"),
        };
        // The API takes the media type from its own field where the manifest has none.
        let (digest, changed) = repository.put(&incoming, false, self.now)?;
        if !changed {
            return Err(Refusal::image_exists(&digest, tag, repository));
        }
        let id = ImageId { image_digest: Some(digest.clone()), image_tag: tag.map(str::to_owned) };
        let media_type = &repository.manifests[&digest].media_type;
        let image = json!({ "imageId": id, "imageManifest": text, "imageManifestMediaType": media_type });
        Ok(json!({ "image": self.about(repository, image) }))
    }

    fn list_images(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        Ok(images::list(&repository.images(), &self.listing()?))
    }

    fn describe_images(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        self.ids()?;
        let described = images::describe(&repository.images(), &self.listing()?);
        described.map_err(|absent| Refusal::no_image(&absent.to_string(), repository))
    }

    fn delete_images(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        Ok(repository.delete(&self.ids()?))
    }

    fn list_referrers(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        let subject = self.input["subjectId"]["imageDigest"].as_str();
        let subject = subject.ok_or_else(|| Refusal::parameter("subjectId", "must not be null"))?;
        let wanted = self.input["filter"]["artifactTypes"].as_array();
        let kept = |found: &Value| wanted.is_none_or(|wanted| wanted.contains(&found["artifactType"]));
        let found = repository.referrers(subject).into_iter().filter(kept).map(|mut found| {
            found["artifactStatus"] = json!("ACTIVE");
            found
        });
        Ok(json!({ "referrers": found.collect::<Vec<_>>() }))
    }

    fn update_storage_class(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        let digest = self.image(repository)?;
        let status = if self.text("targetStorageClass") == Some("ARCHIVE") { "ARCHIVED" } else { "ACTIVE" };
        if let Some(manifest) = repository.manifests.get_mut(&digest) {
            manifest.status = status;
        }
        let answer = json!({ "imageId": self.input["imageId"], "imageStatus": status });
        Ok(self.about(repository, answer))
    }
}
