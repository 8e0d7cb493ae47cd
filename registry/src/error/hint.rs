use super::{ErrorKind, Trouble};
use crate::names::Repository;

impl ErrorKind {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::RepositoryMissing(repository) => return Some(create_repository(repository)),
            Self::Denied(denied) => return Some(denied.hint()),
            Self::Local(error) => return error.hint().map(str::to_owned),
            Self::NoCredentials { host, .. } if host.ecr().is_some() => {
                "give AWS credentials: a profile, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role"
            }
            Self::NoCredentials { .. } => {
                "log in to the registry, so that docker's configuration has its password"
            }
            Self::CredentialsRefused { .. } => {
                "renew the credentials; those at hand are wrong or have expired"
            }
            Self::AwsCredentials { .. } => {
                "check the AWS credentials: whether they are still valid, and allow ecr:GetAuthorizationToken"
            }
            Self::TagImmutable { .. } => {
                "use a new tag, or leave the tag out and refer to the image by digest"
            }
            Self::NoAnswer { trouble, .. } => trouble.hint(),
            Self::Throttled(_) => "try again later, with less parallelism, or ask AWS for a higher quota",
            Self::Unavailable { .. } => "try again later",
            Self::CredentialHelper { program, .. } => {
                return Some(format!(
                    "run `{program} get` yourself and type the registry's host, to see what it misses"
                ));
            }
            Self::File { .. } => "keep the file as it is until the image is sent",
            Self::ImageMissing => {
                "check the digest; somebody, or a lifecycle rule, may have deleted the image"
            }
            Self::TagMissing(_) => {
                "check the tag; somebody may have taken it away, or a lifecycle rule its image"
            }
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } => {
                "try again; if it stays so, what is stored, or a proxy on the way, is damaged"
            }
            Self::ContentMissing(_) => {
                "push again: ECR removes blobs that no manifest has named for a while, and an index needs its images"
            }
            Self::Refused { status, message } => return refused(status, message).map(str::to_owned),
            Self::OtherAccount { account, .. } => {
                return Some(format!("give a role in account {account} for it: account_roles"));
            }
            Self::QuotaExceeded(_) => "wait, delete what is no longer needed, or ask AWS for a higher quota",
            Self::NotOver { .. } => "wait longer, or look at ECR's console why it takes so long",
            Self::Manifest(_) => "refer to an image or index of media type OCI v1 or Docker v2",
            Self::Protocol(_) => {
                "check that a registry is what answers there, and not a proxy; see registry_endpoints"
            }
            Self::NotEcr(_) => "name a repository of a private ECR registry, and give AWS credentials",
            Self::Network(_) => {
                "correct HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, AWS_CA_BUNDLE, SSL_CERT_FILE or the host's folder in certs.d"
            }
            Self::TooLarge { .. } | Self::AuthFile { .. } | Self::Client(_) => return None,
        };
        Some(hint.to_owned())
    }
}

impl Trouble {
    fn hint(self) -> &'static str {
        match self {
            Self::Dns => "check the host's name, the network, and registry_endpoints",
            Self::Tls => "check the host's certificate and the machine's trusted certificates",
            Self::Proxy => {
                "check HTTPS_PROXY and NO_PROXY, and whether the proxy knows this user and the host"
            }
            Self::Connect | Self::Timeout | Self::Cut => "check the network, proxies, and registry_endpoints",
        }
    }
}

/// By the code of the refusal: of a registry, at the start of its message; of the API, in place of the status.
///
/// Source: distribution, `docs/content/spec/api.md`, error codes; ECR's API reference, errors of each action.
const REMEDIES: [(&str, &str); 24] = [
    ("UNSUPPORTED", UNTAKEN_MANIFEST),
    ("MANIFEST_INVALID", UNTAKEN_MANIFEST),
    ("TAG_INVALID", "use another tag: up to 128 letters, digits, `.`, `_` and `-`"),
    ("NAME_INVALID", "use another repository: lower-case letters, digits and separators"),
    ("DIGEST_INVALID", DAMAGED),
    ("SIZE_INVALID", DAMAGED),
    ("BLOB_UPLOAD_INVALID", DAMAGED),
    ("BLOB_UPLOAD_UNKNOWN", "try again: the upload took too long, or another one took its place"),
    ("BLOB_UNKNOWN", "push the image again: a blob of it is gone"),
    ("ImageAlreadyExistsException", "nothing: the image is there already"),
    (
        "ImageTagAlreadyExistsException",
        "use a new tag, or leave the tag out and refer to the image by digest",
    ),
    ("ImageDigestDoesNotMatchException", DAMAGED),
    ("ImageTagDoesNotMatchDigest", "look again: the tag was moved meanwhile"),
    ("ImageReferencedByManifestList", "delete the index that names the image first"),
    ("ImageInaccessible", ARCHIVED),
    ("ImageArchivedException", ARCHIVED),
    ("UnsupportedImageTypeException", "scan the images of an index one by one; artifacts are not scanned"),
    ("KmsException", KEY),
    ("KmsError", KEY),
    ("RepositoryAlreadyExistsException", "use the repository that is there, or another name"),
    ("RepositoryNotEmptyException", "delete its images first, or allow that with force_delete"),
    ("InvalidParameterException", "change what ECR names there"),
    ("ValidationException", "change what ECR names there"),
    (
        "UnableToListUpstreamImageReferrersException",
        "try again later: the registry behind the pull-through cache fails",
    ),
];
const UNTAKEN_MANIFEST: &str = "push a manifest or index of OCI v1 or Docker v2 that names its own media type; ECR does not \
                                take every artifact type together with a subject";
const DAMAGED: &str =
    "try again; if it stays so, the content was changed while it was sent, or a proxy damages it";
const ARCHIVED: &str = "bring the image back out of the archive first";
const KEY: &str =
    "check the repository's KMS key: that it is enabled, and that this identity and ECR may use it";

fn refused(status: &str, message: &str) -> Option<&'static str> {
    let code = message.split([':', ';']).next().unwrap_or_default();
    REMEDIES.iter().find(|(known, _)| *known == code || *known == status).map(|(_, remedy)| *remedy)
}

fn create_repository(repository: &Repository) -> String {
    let name = repository.name();
    match repository.host().ecr() {
        Some(ecr) => format!(
            "create it first: an aws_ecr_repository named \"{name}\" in account {}, region {}",
            ecr.account, ecr.region
        ),
        None => format!("create repository \"{name}\" in registry {} first", repository.host()),
    }
}
