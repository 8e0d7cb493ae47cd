use std::collections::BTreeMap;

use aws_sdk_ecr::{
    error::BuildError,
    types::{
        EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
        ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, Tag,
    },
};

use super::{EcrRepository, Encryption, Mutability, error::said};
use crate::error::{Action, Error, ErrorKind};

/// A repository to be made. By default as ECR makes one that nobody has set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRepository {
    /// Which tags can be moved.
    pub mutability: Mutability,
    /// By which key images are kept; it can never be changed.
    pub encryption: Encryption,
    /// Whether images are scanned when they are pushed.
    pub scan_on_push: bool,
    /// AWS's tags of the repository.
    pub resource_tags: BTreeMap<String, String>,
    /// The policy to give it, as JSON.
    pub policy: Option<String>,
    /// The lifecycle policy to give it, as JSON.
    pub lifecycle_policy: Option<String>,
}

impl Default for NewRepository {
    fn default() -> Self {
        Self {
            mutability: Mutability::default(),
            encryption: Encryption::Aes256,
            scan_on_push: false,
            resource_tags: BTreeMap::new(),
            policy: None,
            lifecycle_policy: None,
        }
    }
}

impl EcrRepository {
    /// Makes the repository, with its policies; tells whether it was made. One that is there already is left as it is.
    pub async fn create(&self, new: &NewRepository) -> Result<bool, Error> {
        self.made(new).await.map_err(self.error(Action::Create, ""))
    }

    async fn made(&self, new: &NewRepository) -> Result<bool, ErrorKind> {
        let call = self.client().create_repository().registry_id(&self.host.account);
        let tags = new.resource_tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<Vec<_>, _>>().map_err(|error| unbuilt(&error))?;
        let call = call
            .repository_name(self.repository.name())
            .image_tag_mutability(new.mutability.word())
            .set_image_tag_mutability_exclusion_filters(
                new.mutability.filters().map_err(|error| unbuilt(&error))?,
            )
            .encryption_configuration(new.encryption.configuration().map_err(|error| unbuilt(&error))?)
            .image_scanning_configuration(
                ImageScanningConfiguration::builder().scan_on_push(new.scan_on_push).build(),
            )
            .set_tags((!tags.is_empty()).then_some(tags));
        match self.call("CreateRepository", || call.clone().send()).await {
            Ok(_) => {}
            Err(kind) if said(&kind, "RepositoryAlreadyExistsException") => return Ok(false),
            Err(kind) => return Err(kind),
        }
        if let Some(policy) = &new.policy {
            let call = self.client().set_repository_policy().registry_id(&self.host.account);
            let call = call.repository_name(self.repository.name()).policy_text(policy);
            self.call("SetRepositoryPolicy", || call.clone().send()).await?;
        }
        if let Some(policy) = &new.lifecycle_policy {
            let call = self.client().put_lifecycle_policy().registry_id(&self.host.account);
            let call = call.repository_name(self.repository.name()).lifecycle_policy_text(policy);
            self.call("PutLifecyclePolicy", || call.clone().send()).await?;
        }
        Ok(true)
    }
}

impl Mutability {
    fn word(&self) -> ImageTagMutability {
        match (self.immutable, self.except.is_empty()) {
            (true, true) => ImageTagMutability::Immutable,
            (true, false) => ImageTagMutability::ImmutableWithExclusion,
            (false, true) => ImageTagMutability::Mutable,
            (false, false) => ImageTagMutability::MutableWithExclusion,
        }
    }

    fn filters(&self) -> Result<Option<Vec<ImageTagMutabilityExclusionFilter>>, BuildError> {
        let filter = |pattern: &String| {
            let filter = ImageTagMutabilityExclusionFilter::builder().filter(pattern);
            filter.filter_type(ImageTagMutabilityExclusionFilterType::Wildcard).build()
        };
        let filters = self.except.iter().map(filter).collect::<Result<Vec<_>, _>>()?;
        Ok((!filters.is_empty()).then_some(filters))
    }
}

impl Encryption {
    fn configuration(&self) -> Result<EncryptionConfiguration, BuildError> {
        let (word, key) = match self {
            Self::Aes256 => ("AES256", None),
            Self::Kms(key) => ("KMS", key.clone()),
            Self::KmsDsse(key) => ("KMS_DSSE", key.clone()),
            Self::Other(word) => (word.as_str(), None),
        };
        EncryptionConfiguration::builder()
            .encryption_type(EncryptionType::from(word))
            .set_kms_key(key)
            .build()
    }
}

fn unbuilt(error: &BuildError) -> ErrorKind {
    ErrorKind::Protocol(error.to_string())
}
