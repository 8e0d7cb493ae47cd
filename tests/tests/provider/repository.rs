//! A repository in the lab's ECR, as somebody beside Terraform sees and changes it.

use std::net::SocketAddr;

use lab::aws::{Aws, Keys};
use lab::ecr::ledger::{self, Entry};
use serde_json::{Value, json};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) struct Repository {
    pub(crate) front: SocketAddr,
    pub(crate) name: String,
}

impl Repository {
    /// Asks ECR about the repository, through the front: MiniStack alone knows one tag of an image.
    pub(crate) fn ecr(&self, action: &str, mut body: Value) -> Value {
        body["repositoryName"] = self.name.clone().into();
        Aws::at(self.front, Keys::root()).ecr(action, &body).unwrap()
    }

    /// Which tags point at what.
    pub(crate) fn tags(&self) -> Vec<(String, String)> {
        let tagged =
            self.images().into_iter().filter_map(|(tag, digest)| tag.map(|tag| (tag, digest))).collect();
        sorted(tagged)
    }

    /// The images without a tag.
    pub(crate) fn untagged(&self) -> Vec<String> {
        let images = self.images().into_iter();
        sorted(images.filter(|(tag, _)| tag.is_none()).map(|(_, digest)| digest).collect())
    }

    fn images(&self) -> Vec<(Option<String>, String)> {
        let images = self.ecr("ListImages", json!({ "maxResults": 1000 }));
        let text = |image: &Value, name: &str| image[name].as_str().map(str::to_owned);
        let images = images["imageIds"].as_array().unwrap().iter();
        images.map(|image| (text(image, "imageTag"), text(image, "imageDigest").unwrap())).collect()
    }

    /// Where a tag points.
    pub(crate) fn tag(&self, tag: &str) -> Option<String> {
        self.tags().into_iter().find(|(name, _)| name == tag).map(|(_, digest)| digest)
    }

    /// Takes a tag away, and the image with its last one.
    pub(crate) fn delete_tag(&self, tag: &str) {
        self.delete(&json!({ "imageTag": tag }));
    }

    pub(crate) fn delete_image(&self, digest: &str) {
        self.delete(&json!({ "imageDigest": digest }));
    }

    fn delete(&self, image: &Value) {
        let answer = self.ecr("BatchDeleteImage", json!({ "imageIds": [image] }));
        assert_eq!(answer["failures"], json!([]), "{answer}");
    }

    /// Points a tag at an image.
    pub(crate) fn move_tag(&self, tag: &str, digest: &str) {
        let image = self.ecr("BatchGetImage", json!({ "imageIds": [{ "imageDigest": digest }] }));
        let image = &image["images"][0];
        let body = json!({
            "imageManifest": image["imageManifest"], "imageManifestMediaType": image["imageManifestMediaType"],
            "imageTag": tag,
        });
        self.ecr("PutImage", body);
    }

    /// Pushes an index of these images and their architectures; its digest.
    pub(crate) fn put_index(&self, tag: &str, images: &[(&str, &str)]) -> String {
        let manifests = images.iter().map(|(digest, architecture)| {
            let image = self.ecr("BatchGetImage", json!({ "imageIds": [{ "imageDigest": digest }] }));
            let image = &image["images"][0];
            json!({
                "mediaType": image["imageManifestMediaType"], "digest": digest,
                "size": image["imageManifest"].as_str().unwrap().len(),
                "platform": { "os": "linux", "architecture": architecture },
            })
        });
        let manifests: Vec<_> = manifests.collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let body =
            json!({ "imageManifest": index.to_string(), "imageManifestMediaType": INDEX, "imageTag": tag });
        self.ecr("PutImage", body)["image"]["imageId"]["imageDigest"].as_str().unwrap().to_owned()
    }

    /// What was asked of the registry about this repository after a number, and the last number.
    pub(crate) fn requests(&self, since: u64) -> (Vec<Entry>, u64) {
        let entries = ledger::requests(self.front, since, Some(&self.name)).unwrap();
        let last = entries.last().map_or(since, |entry| entry.number);
        (entries, last)
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}
