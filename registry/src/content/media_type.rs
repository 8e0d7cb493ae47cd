//! The media types of manifests, configurations and layers: OCI's and Docker's.

/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// An uncompressed OCI layer.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// An OCI layer compressed with gzip.
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// An OCI layer compressed with zstd.
pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// A Docker image manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// A Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// An uncompressed Docker layer.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// A Docker layer compressed with zstd.
pub const DOCKER_LAYER_ZSTD: &str = "application/vnd.docker.image.rootfs.diff.tar.zstd";
/// A Docker layer compressed with gzip.
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The two bytes `{}`: the configuration of an artifact that has none.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Every kind of manifest this library reads, the ones it prefers first.
pub const MANIFESTS: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST];

/// Whether this is the media type of an index, which holds one manifest for each platform.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_INDEX)
}

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By zstd.
    Zstd,
}

impl Compression {
    /// How content that begins so is compressed.
    pub fn of_content(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// The OCI media type of a layer that is compressed so.
pub fn layer(compression: Compression) -> &'static str {
    match compression {
        Compression::None => OCI_LAYER,
        Compression::Gzip => OCI_LAYER_GZIP,
        Compression::Zstd => OCI_LAYER_ZSTD,
    }
}

/// How a layer of this media type is compressed; `None` for what is no layer of an image.
pub fn compression(media_type: &str) -> Option<Compression> {
    let docker = "application/vnd.docker.image.rootfs.";
    let oci = "application/vnd.oci.image.layer.";
    let rest = media_type.strip_prefix(oci).or_else(|| media_type.strip_prefix(docker))?;
    let rest =
        rest.strip_prefix("nondistributable.").or_else(|| rest.strip_prefix("foreign.")).unwrap_or(rest);
    match rest {
        "v1.tar" | "diff.tar" => Some(Compression::None),
        "v1.tar+gzip" | "diff.tar.gzip" => Some(Compression::Gzip),
        "v1.tar+zstd" | "diff.tar.zstd" => Some(Compression::Zstd),
        _ => None,
    }
}

/// Whether blobs of this media type stay where they are: layers of Windows that only Microsoft may hand out.
pub fn is_foreign(media_type: &str) -> bool {
    media_type.contains(".nondistributable.") || media_type.contains(".foreign.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers() {
        let check = |media_type: &str, expected: Option<Compression>, foreign: bool| {
            assert_eq!(
                (compression(media_type), is_foreign(media_type)),
                (expected, foreign),
                "{media_type}"
            );
        };
        for kind in [Compression::None, Compression::Gzip, Compression::Zstd] {
            check(layer(kind), Some(kind), false);
        }
        check(DOCKER_LAYER, Some(Compression::None), false);
        check(DOCKER_LAYER_GZIP, Some(Compression::Gzip), false);
        check(DOCKER_LAYER_ZSTD, Some(Compression::Zstd), false);
        check("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Some(Compression::Zstd), true);
        check("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Some(Compression::Gzip), true);
        check("application/vnd.in-toto+json", None, false);
        check("", None, false);
        assert_eq!(Compression::of_content(&[0x1f]), Compression::None);
        assert_eq!(Compression::of_content(&[0x1f, 0x8b, 8]), Compression::Gzip);
        assert_eq!(Compression::of_content(&[0x28, 0xb5, 0x2f, 0xfd]), Compression::Zstd);
    }
}
