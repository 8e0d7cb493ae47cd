//! Images by the API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Call;
use crate::ecr::images::{self, ImageId, Listing, Stored};
use crate::emulator::refusal::Refusal;
use crate::emulator::store::{Incoming, Registry, Repository};

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
        _ => return None,
    };
    Some(call.repository(registry).and_then(|repository| look(call, repository)))
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

    fn listing(&self) -> Result<Listing, Refusal> {
        serde_json::from_value(self.input.clone())
            .map_err(|_| Refusal::parameter("filter", "must be a filter"))
    }

    fn get_images(&self, repository: &mut Repository) -> Result<Value, Refusal> {
        let common = self.about(repository, json!({}));
        let stored = |manifest: &crate::emulator::store::image::Manifest| Stored {
            manifest: String::from_utf8_lossy(&manifest.bytes).into_owned(),
            media_type: manifest.media_type.clone(),
        };
        let manifests = repository.manifests.iter();
        let stored: BTreeMap<_, _> = manifests.map(|(digest, one)| (digest.clone(), stored(one))).collect();
        let common = common.as_object().cloned().unwrap_or_else(Map::new);
        Ok(images::get(&common, &self.ids()?, &repository.images(), &stored))
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
}
