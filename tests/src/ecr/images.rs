//! What ECR would answer about the images of one repository. Pure: given what a registry knows, as data.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// ECR's page when `maxResults` is not given, and the most it gives.
const PAGE: usize = 100;
const MAX_PAGE: usize = 1000;

/// How a request or an answer names an image: by digest, by tag, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageId {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_tag: Option<String>,
}

impl std::fmt::Display for ImageId {
    /// As ECR's messages write it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = |value: &Option<String>| value.as_deref().unwrap_or("null").to_owned();
        let (digest, tag) = (named(&self.image_digest), named(&self.image_tag));
        write!(formatter, "{{imageDigest:'{digest}', imageTag:'{tag}'}}")
    }
}

/// An image as `DescribeImages` shows it; what is not named here is kept as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Image {
    #[serde(rename = "imageDigest")]
    pub(crate) digest: String,
    #[serde(rename = "imageTags", default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A manifest's own bytes and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) manifest: String,
    pub(crate) media_type: String,
}

/// The inputs that `ListImages` and `DescribeImages` share.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Listing {
    image_ids: Vec<ImageId>,
    max_results: Option<usize>,
    next_token: Option<String>,
    filter: Filter,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    tag_status: Option<String>,
}

impl Image {
    pub(crate) fn new(digest: &str, tags: Vec<String>, rest: Value) -> Self {
        let rest = if let Value::Object(rest) = rest { rest } else { Map::new() };
        Self { digest: digest.to_owned(), tags, rest }
    }

    fn is(&self, asked: &ImageId) -> bool {
        let digest = asked.image_digest.as_ref().is_none_or(|digest| *digest == self.digest);
        let tag = asked.image_tag.as_ref().is_none_or(|tag| self.tags.contains(tag));
        digest && tag && *asked != ImageId::default()
    }

    fn ids(&self) -> Vec<ImageId> {
        let id = |tag| ImageId { image_digest: Some(self.digest.clone()), image_tag: tag };
        let tagged = self.tags.iter().cloned().map(Some).map(id);
        if self.tags.is_empty() { vec![id(None)] } else { tagged.collect() }
    }
}

impl Listing {
    /// Whether the filter lets through what has a tag, or has none.
    pub(crate) fn keeps(&self, tagged: bool) -> bool {
        self.filter.keeps(tagged)
    }
}

impl Filter {
    fn keeps(&self, tagged: bool) -> bool {
        match self.tag_status.as_deref() {
            Some("TAGGED") => tagged,
            Some("UNTAGGED") => !tagged,
            _ => true,
        }
    }
}

/// The image that an id names.
pub(crate) fn find<'a>(images: &'a [Image], asked: &ImageId) -> Option<&'a Image> {
    images.iter().find(|image| image.is(asked))
}

/// `ListImages`: one entry for every tag, sorted, in pages.
pub(crate) fn list(images: &[Image], listing: &Listing) -> Value {
    let mut ids: Vec<_> = images.iter().flat_map(Image::ids).collect();
    ids.retain(|id| listing.filter.keeps(id.image_tag.is_some()));
    ids.sort();
    let key = |id: &ImageId| {
        format!("{}/{}", id.image_digest.as_deref().unwrap_or(""), id.image_tag.as_deref().unwrap_or(""))
    };
    page("imageIds", ids, key, listing)
}

/// `DescribeImages`: the images asked for, or all in pages.
///
/// # Errors
/// The first id that names no image: ECR describes all or none.
pub(crate) fn describe(images: &[Image], listing: &Listing) -> Result<Value, ImageId> {
    if listing.image_ids.is_empty() {
        let mut images = images.to_vec();
        images.retain(|image| listing.filter.keeps(!image.tags.is_empty()));
        images.sort_by(|one, other| one.digest.cmp(&other.digest));
        return Ok(page("imageDetails", images, |image| image.digest.clone(), listing));
    }
    let mut found: Vec<&Image> = Vec::new();
    for asked in &listing.image_ids {
        let image = find(images, asked).ok_or_else(|| asked.clone())?;
        if !found.contains(&image) {
            found.push(image);
        }
    }
    Ok(json!({ "imageDetails": found }))
}

/// One page of sorted items. The token is the last key given, so that items which come and go move no page.
fn page<T: Serialize>(name: &str, mut items: Vec<T>, key: impl Fn(&T) -> String, listing: &Listing) -> Value {
    if let Some(last) = listing.next_token.as_ref().and_then(|token| hex::decode(token).ok()) {
        items.retain(|item| key(item).as_bytes() > last.as_slice());
    }
    let size = listing.max_results.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let mut answer = Map::new();
    if items.len() > size {
        items.truncate(size);
        answer.insert("nextToken".into(), items.last().map(|item| hex::encode(key(item))).into());
    }
    answer.insert(name.into(), json!(items));
    answer.into()
}

/// `BatchGetImage`: every id answered as it was asked; the manifest's bytes prove the digest.
pub(crate) fn get(
    common: &Map<String, Value>,
    asked: &[ImageId],
    images: &[Image],
    stored: &BTreeMap<String, Stored>,
) -> Value {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in asked {
        let stored = find(images, id).and_then(|image| stored.get_key_value(&image.digest));
        match stored {
            Some((digest, stored)) if digest_of(&stored.manifest) == *digest => {
                let mut image = common.clone();
                let id = ImageId { image_digest: Some(digest.clone()), image_tag: id.image_tag.clone() };
                image.insert("imageId".into(), json!(id));
                image.insert("imageManifest".into(), stored.manifest.clone().into());
                image.insert("imageManifestMediaType".into(), stored.media_type.clone().into());
                found.push(image);
            }
            _ => failures.push(failure(images, id)),
        }
    }
    json!({ "images": found, "failures": failures })
}

/// Why an id names no image.
fn failure(images: &[Image], id: &ImageId) -> Value {
    let by_tag = ImageId { image_digest: None, image_tag: id.image_tag.clone() };
    let (code, reason) = if id.image_digest.is_some() && find(images, &by_tag).is_some() {
        ("ImageTagDoesNotMatchDigest", "Requested image tag does not match the digest")
    } else if *id == ImageId::default() {
        ("MissingDigestAndTag", "Neither an image digest nor an image tag was given")
    } else {
        ("ImageNotFound", "Requested image not found")
    };
    json!({ "imageId": id, "failureCode": code, "failureReason": reason })
}

/// `sha256:` and the hash of a manifest's bytes.
pub(crate) fn digest_of(manifest: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(manifest)))
}

/// What a `BatchDeleteImage` means: an image goes with its last tag, or when asked for by digest alone.
#[derive(Debug, PartialEq)]
pub(crate) struct Deletion {
    /// ECR's answer.
    pub(crate) answer: Value,
    /// Images that lose tags and stay: digest and the tags left.
    pub(crate) kept: BTreeMap<String, Vec<String>>,
    /// Images that go.
    pub(crate) gone: BTreeSet<String>,
}

/// Plans a `BatchDeleteImage`.
pub(crate) fn delete(images: &[Image], asked: &[ImageId]) -> Deletion {
    let (mut deleted, mut failures) = (BTreeSet::new(), Vec::new());
    for id in asked {
        let Some(image) = find(images, id) else {
            failures.push(failure(images, id));
            continue;
        };
        let ids = image.ids().into_iter();
        deleted.extend(ids.filter(|each| id.image_tag.is_none() || each.image_tag == id.image_tag));
    }
    let (mut kept, mut gone) = (BTreeMap::new(), BTreeSet::new());
    for image in images {
        let left: Vec<_> = image.ids().into_iter().filter(|id| !deleted.contains(id)).collect();
        if left.is_empty() {
            gone.insert(image.digest.clone());
        } else if left.len() < image.ids().len() {
            kept.insert(image.digest.clone(), left.into_iter().filter_map(|id| id.image_tag).collect());
        }
    }
    Deletion { answer: json!({ "imageIds": deleted, "failures": failures }), kept, gone }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "{}";

    /// Three images: `a` has two tags, `b` one, `c` none.
    fn images() -> Vec<Image> {
        serde_json::from_value(json!([
            { "imageDigest": digest_of(MANIFEST), "imageTags": ["v1", "latest"], "imagePushedAt": 5 },
            { "imageDigest": "sha256:b", "imageTags": ["v2"] },
            { "imageDigest": "sha256:c", "imageTags": [] },
        ]))
        .unwrap()
    }

    fn ids(value: Value) -> Vec<ImageId> {
        serde_json::from_value(value).unwrap()
    }

    fn listing(value: Value) -> Listing {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_list_names_every_tag_and_comes_in_pages() {
        let a = digest_of(MANIFEST);
        let check = |input: Value, expected: Value| {
            assert_eq!(list(&images(), &listing(input.clone()))["imageIds"], expected, "{input}");
        };
        let (a_latest, a_v1) =
            (json!({"imageDigest": a, "imageTag": "latest"}), json!({"imageDigest": a, "imageTag": "v1"}));
        let (b, c) =
            (json!({"imageDigest": "sha256:b", "imageTag": "v2"}), json!({"imageDigest": "sha256:c"}));
        check(json!({}), json!([a_latest, a_v1, b, c]));
        check(json!({"filter": {"tagStatus": "TAGGED"}}), json!([a_latest, a_v1, b]));
        check(json!({"filter": {"tagStatus": "UNTAGGED"}}), json!([c]));
        check(json!({"maxResults": 2}), json!([a_latest, a_v1]));
        let token = list(&images(), &listing(json!({"maxResults": 2})))["nextToken"].clone();
        check(json!({"maxResults": 2, "nextToken": token}), json!([b, c]));
        assert!(list(&images(), &listing(json!({"maxResults": 4}))).get("nextToken").is_none());
    }

    #[test]
    fn a_description_is_complete_or_fails() {
        let check = |asked: Value, expected: Result<Value, ImageId>| {
            let listing = listing(json!({ "imageIds": asked.clone() }));
            let digests = describe(&images(), &listing).map(|answer| {
                let digests = answer["imageDetails"].as_array().unwrap().iter();
                digests.map(|image| image["imageDigest"].clone()).collect()
            });
            assert_eq!(digests, expected, "{asked}");
        };
        let a = digest_of(MANIFEST);
        check(json!([]), Ok(json!([a, "sha256:b", "sha256:c"])));
        check(json!([{"imageTag": "v1"}, {"imageTag": "latest"}]), Ok(json!([a])));
        check(json!([{"imageTag": "v2", "imageDigest": "sha256:b"}]), Ok(json!(["sha256:b"])));
        let absent = ImageId { image_digest: None, image_tag: Some("v3".into()) };
        check(json!([{"imageTag": "v1"}, {"imageTag": "v3"}]), Err(absent));
        let all = describe(&images(), &Listing::default()).unwrap();
        assert_eq!(
            all["imageDetails"][0],
            json!({"imageDigest": a, "imageTags": ["v1", "latest"], "imagePushedAt": 5})
        );
        assert_eq!(all["imageDetails"][2], json!({"imageDigest": "sha256:c"}), "no imageTags without a tag");
    }

    #[test]
    fn an_image_is_answered_as_it_was_asked() {
        let stored = |manifest: &str| Stored { manifest: manifest.into(), media_type: "type".into() };
        let a = digest_of(MANIFEST);
        let known = BTreeMap::from([(a.clone(), stored(MANIFEST)), ("sha256:b".into(), stored("forged"))]);
        let check = |asked: Value, found: Value, failed: Value| {
            let common = Map::from_iter([("repositoryName".into(), "r".into())]);
            let answer = get(&common, &ids(asked.clone()), &images(), &known);
            let column = |list: &str, name: &str| -> Value {
                answer[list].as_array().unwrap().iter().map(|item| item[name].clone()).collect()
            };
            assert_eq!(column("images", "imageId"), found, "{asked}");
            assert_eq!(column("failures", "failureCode"), failed, "{asked}");
        };
        let tagged = |tag: &str| json!({"imageDigest": a, "imageTag": tag});
        check(
            json!([{"imageTag": "v1"}, {"imageTag": "latest"}]),
            json!([tagged("v1"), tagged("latest")]),
            json!([]),
        );
        check(json!([{"imageDigest": a}]), json!([{"imageDigest": a}]), json!([]));
        check(json!([{"imageTag": "v9"}, {}]), json!([]), json!(["ImageNotFound", "MissingDigestAndTag"]));
        check(
            json!([{"imageTag": "v2", "imageDigest": a}]),
            json!([]),
            json!(["ImageTagDoesNotMatchDigest"]),
        );
        check(json!([{"imageTag": "v2"}]), json!([]), json!(["ImageNotFound"]));
    }

    #[test]
    fn an_image_goes_with_its_last_tag() {
        let a = digest_of(MANIFEST);
        let check = |asked: Value, deleted: Value, kept: &[(&str, &[&str])], gone: &[&str]| {
            let deletion = delete(&images(), &ids(asked.clone()));
            assert_eq!(deletion.answer["imageIds"], deleted, "{asked}");
            let tags = |tags: &[&str]| tags.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(
                deletion.kept,
                kept.iter().map(|(digest, left)| ((*digest).into(), tags(left))).collect()
            );
            assert_eq!(deletion.gone, gone.iter().map(ToString::to_string).collect(), "{asked}");
        };
        let (latest, v1) =
            (json!({"imageDigest": a, "imageTag": "latest"}), json!({"imageDigest": a, "imageTag": "v1"}));
        check(json!([{"imageTag": "v1"}]), json!([v1]), &[(&a, &["latest"])], &[]);
        check(json!([{"imageTag": "v1"}, {"imageTag": "latest"}]), json!([latest, v1]), &[], &[&a]);
        check(json!([{"imageDigest": a}]), json!([latest, v1]), &[], &[&a]);
        check(json!([{"imageDigest": a, "imageTag": "v1"}]), json!([v1]), &[(&a, &["latest"])], &[]);
        check(json!([{"imageDigest": "sha256:c"}]), json!([{"imageDigest": "sha256:c"}]), &[], &["sha256:c"]);
        check(json!([{"imageTag": "v9"}]), json!([]), &[], &[]);
    }
}
