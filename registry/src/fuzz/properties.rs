//! What holds for whatever anybody types or sends, tried with values that look the part.

use std::{collections::BTreeMap, io::Write};

use proptest::{collection::vec, option, prelude::*};
use serde_json::json;

use super::{answers, archives, layouts, logins, manifests, names};
use crate::{
    content::{
        Blob, Descriptor, DockerArchive, Image, ImageConfig, ImageManifest, Manifest, RootFs, media_type,
        write_docker_archive,
    },
    names::{Digest, Reference, Repository},
};

const NAME: &str = "[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,2}(/[a-z0-9]{1,8}){0,3}";
const HOST: &str = "([a-z][a-z0-9]{0,8}\\.)?(localhost|ghcr\\.io|example\\.com)(:[1-9][0-9]{0,3})?";
const TAG: &str = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
/// Text without control characters, quotes and backslashes among it.
const TEXT: &str = "[ -~]{0,40}";

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 8]>().prop_map(|bytes| Digest::of(&bytes))
}

fn descriptor() -> impl Strategy<Value = Descriptor> {
    let annotations = proptest::collection::btree_map(TEXT, TEXT, 0..3);
    ("[a-z]{1,9}/[a-z.+]{1,20}", digest(), any::<u32>(), annotations).prop_map(
        |(media_type, digest, size, annotations)| Descriptor {
            annotations,
            ..Descriptor::new(&media_type, digest, size.into())
        },
    )
}

/// An image whose layers are in memory.
fn image() -> impl Strategy<Value = Image> {
    vec(vec(any::<u8>(), 0..2000), 0..4).prop_map(|layers| {
        let layers: Vec<Blob> =
            layers.into_iter().map(|bytes| Blob::of_bytes(media_type::OCI_LAYER, bytes.into())).collect();
        let rootfs = RootFs {
            diff_ids: layers.iter().map(|layer| layer.descriptor.digest).collect(),
            ..RootFs::default()
        };
        let config = serde_json::to_vec(&ImageConfig { rootfs, ..ImageConfig::default() }).unwrap();
        let config = Blob::of_bytes(media_type::OCI_CONFIG, config.into());
        let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
        let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new());
        Image { manifest: Manifest::of_image(manifest), config, layers }
    })
}

proptest! {
    #[test]
    fn a_reference_is_read_as_it_is_written(
        host in HOST, name in NAME, tag in option::of(TAG), digest in option::of(digest()),
    ) {
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = digest.map(|digest| format!("@{digest}")).unwrap_or_default();
        let text = format!("{host}/{name}{tag}{digest}");
        prop_assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
    }

    #[test]
    fn no_text_surprises_the_names(
        start in HOST, name in NAME, at in any::<prop::sample::Index>(), wrong in any::<char>(), any in ".{0,60}",
    ) {
        let mut text: Vec<char> = format!("{start}/{name}:1").chars().collect();
        text.insert(at.index(text.len()), wrong);
        names(String::from_iter(text).as_bytes());
        names(any.as_bytes());
    }

    #[test]
    fn challenges_are_read_as_they_are_written(
        challenges in vec(("[A-Za-z]{1,9}", vec(("[a-z_-]{1,9}", TEXT), 0..4)), 0..4), any in ".{0,80}",
    ) {
        let quoted = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
        let written = challenges.iter().map(|(scheme, parameters)| {
            let parameters = parameters.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value)));
            format!("{scheme} {}", parameters.collect::<Vec<_>>().join(", "))
        });
        let written = written.collect::<Vec<_>>().join(", ");
        let expected: Vec<_> = challenges.into_iter().map(|(scheme, parameters)| {
            (scheme.to_lowercase(), parameters.into_iter().collect::<BTreeMap<_, _>>())
        }).collect();
        prop_assert_eq!(crate::access::fuzz::parsed(&written), expected);
        answers(format!("\0\0{any}").as_bytes());
    }

    #[test]
    fn refusals_keep_the_words_of_the_registry(
        status in any::<u8>(), errors in vec(("[A-Z_]{1,20}", "[ -~]{1,60}"), 1..4), any in vec(any::<u8>(), 0..200),
    ) {
        let errors: Vec<_> =
            errors.iter().map(|(code, message)| json!({ "code": code, "message": message })).collect();
        let body = json!({ "errors": errors }).to_string();
        answers(&[&[1, status], body.as_bytes()].concat());
        answers(&[&[1, status], any.as_slice()].concat());
        let told = crate::transport::fuzz::told(body.as_bytes());
        prop_assert!(told.starts_with(errors[0]["code"].as_str().unwrap()));
    }

    #[test]
    fn locations_lead_to_no_place_they_should_not(
        base in any::<u8>(), scheme in "(https?://|//|/|ftp://|)", host in "[a-z0-9.:\\[\\]-]{0,30}", path in "[/ -~]{0,40}",
    ) {
        answers(&[&[2, base], format!("{scheme}{host}/{path}").as_bytes()].concat());
    }

    #[test]
    fn manifests_are_read_as_they_are_written(
        config in descriptor(), layers in vec(descriptor(), 0..5), subject in option::of(descriptor()),
        cut in any::<prop::sample::Index>(), any in vec(any::<u8>(), 0..100),
    ) {
        let image = ImageManifest { subject, ..ImageManifest::oci(config, layers.clone(), BTreeMap::new()) };
        for manifest in [Manifest::of_image(image), Manifest::of_index(layers, BTreeMap::new())] {
            prop_assert_eq!(&Manifest::parse("", manifest.raw.clone()).unwrap(), &manifest);
            manifests(&manifest.raw);
            manifests(&manifest.raw[..cut.index(manifest.raw.len())]);
        }
        manifests(&any);
    }

    #[test]
    fn logins_are_found_and_never_printed(
        host in HOST, user in "[a-z]{1,8}", password in "[0-9]{12}", any in vec(any::<u8>(), 0..100),
    ) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let auth = STANDARD.encode(format!("{user}:{password}"));
        let file = json!({ "auths": { &host: { "auth": auth } } }).to_string();
        let repository: Repository = format!("{host}/shop/web").parse().unwrap();
        let (found, printed) = crate::access::fuzz::login(file.as_bytes(), &repository);
        prop_assert_eq!(found, Some((user, password.clone())));
        prop_assert!(!printed.contains(&password));
        logins(&any);
    }

    #[test]
    fn an_archive_is_read_as_it_is_written_and_a_wrong_byte_is_no_surprise(
        image in image(), at in any::<prop::sample::Index>(), wrong in any::<u8>(), end in any::<prop::sample::Index>(),
    ) {
        let mut archive = Vec::new();
        write_docker_archive(&[(image.clone(), vec!["web:1".parse().unwrap()])], &mut archive).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&archive).unwrap();
        let read = DockerArchive::open(file.path()).unwrap().image(Some("web:1")).unwrap();
        prop_assert_eq!(read.config.descriptor.digest, image.config.descriptor.digest);
        let digests = |image: &Image| -> Vec<Digest> {
            image.layers.iter().map(|layer| layer.descriptor.digest).collect()
        };
        prop_assert_eq!(digests(&read), digests(&image));
        archives(&[&[0], &archive[..end.index(archive.len())]].concat());
        let at = at.index(archive.len());
        archive[at] = wrong;
        archives(&[&[1], archive.as_slice()].concat());
    }

    #[test]
    fn layouts_are_no_surprise(
        media_type in prop::sample::select(media_type::MANIFESTS.to_vec()), size in any::<u16>(),
        parts in vec(vec(any::<u8>(), 0..60), 0..4),
    ) {
        let entry = json!({ "mediaType": media_type, "digest": "@1", "size": size });
        let index = json!({ "schemaVersion": 2, "manifests": [entry] }).to_string();
        let child = json!({ "schemaVersion": 2, "config": { "mediaType": "c", "digest": "@1", "size": size },
            "layers": [entry], "manifests": [entry] }).to_string();
        let parts = [vec![index.clone().into_bytes(), child.into_bytes(), index.into_bytes()], parts].concat();
        layouts(&parts.join(&255));
    }
}
