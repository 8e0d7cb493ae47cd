use std::time::SystemTime;

use aws_sdk_ecr::types::{
    EncryptionConfiguration, ImageScanningConfiguration, ImageTagMutability,
    ImageTagMutabilityExclusionFilter,
};
use serde_json::Value;

use super::{EcrClients, EcrRepository, error::said, time};
use crate::{
    error::{Action, Error, ErrorKind},
    names::{Repository, Tag},
};

/// How a repository is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositorySettings {
    /// Its name, without the registry.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it was made.
    pub created_at: Option<SystemTime>,
    /// Which tags can be moved.
    pub mutability: Mutability,
    /// By which key images are kept.
    pub encryption: Encryption,
    /// Whether images are scanned when they are pushed, unless the registry's rules say otherwise.
    pub scan_on_push: bool,
}

/// Which tags can be moved to another image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutability {
    /// Whether a tag stays where it is, as a rule.
    pub immutable: bool,
    /// The tags for which it is the other way round: patterns, in which `*` stands for any text.
    pub except: Vec<String>,
}

/// By which key images are kept. Blobs can be mounted between repositories with the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// ECR's own.
    Aes256,
    /// A key of KMS, by its ARN; without one AWS's own for ECR.
    Kms(Option<String>),
    /// As `Kms`, twice.
    KmsDsse(Option<String>),
    /// Something that this program does not know, in ECR's words.
    Other(String),
}

/// Who may do what with a repository, as its owner has written it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPolicy(Value);

impl EcrRepository {
    /// How the repository is set up; `None` if there is no such repository.
    pub async fn settings(&self) -> Result<Option<RepositorySettings>, Error> {
        let call = self.client().describe_repositories().registry_id(&self.host.account);
        let call = call.repository_names(self.repository.name());
        match self.call("DescribeRepositories", || call.clone().send()).await {
            Ok(answer) => Ok(answer.repositories().first().map(RepositorySettings::of)),
            Err(ErrorKind::RepositoryMissing(_)) => Ok(None),
            Err(kind) => Err(self.error(Action::Describe, "")(kind)),
        }
    }

    /// The policy of the repository, `None` if it has none.
    pub async fn policy(&self) -> Result<Option<RepositoryPolicy>, Error> {
        let call = self.client().get_repository_policy().registry_id(&self.host.account);
        let call = call.repository_name(self.repository.name());
        let policy = match self.call("GetRepositoryPolicy", || call.clone().send()).await {
            Ok(answer) => RepositoryPolicy::parse(answer.policy_text().unwrap_or_default()).map(Some),
            Err(kind) if said(&kind, "RepositoryPolicyNotFoundException") => Ok(None),
            Err(kind) => Err(kind),
        };
        policy.map_err(self.error(Action::Describe, ""))
    }
}

impl EcrClients {
    /// Whether the repository exists; `None` if that cannot be found out.
    pub(crate) async fn exists(&self, repository: &Repository) -> Option<bool> {
        let settings = EcrRepository::of(self, repository).ok()?.settings().await;
        settings.ok().map(|settings| settings.is_some())
    }
}

impl RepositorySettings {
    pub(super) fn of(repository: &aws_sdk_ecr::types::Repository) -> Self {
        let scanning = repository.image_scanning_configuration();
        Self {
            name: repository.repository_name().unwrap_or_default().to_owned(),
            arn: repository.repository_arn().unwrap_or_default().to_owned(),
            created_at: time(repository.created_at()),
            mutability: Mutability::of(
                repository.image_tag_mutability(),
                repository.image_tag_mutability_exclusion_filters(),
            ),
            encryption: Encryption::of(repository.encryption_configuration()),
            scan_on_push: scanning.is_some_and(ImageScanningConfiguration::scan_on_push),
        }
    }
}

impl Default for Mutability {
    /// As of a repository that nobody has set up.
    fn default() -> Self {
        Self { immutable: false, except: Vec::new() }
    }
}

impl Mutability {
    pub(super) fn of(
        mutability: Option<&ImageTagMutability>,
        except: &[ImageTagMutabilityExclusionFilter],
    ) -> Self {
        let word = mutability.map_or("MUTABLE", ImageTagMutability::as_str);
        let except = except.iter().map(|filter| filter.filter().to_owned()).collect();
        Self { immutable: word.starts_with("IMMUTABLE"), except }
    }

    /// Whether this tag stays where it is once it is there.
    pub fn fixes(&self, tag: &Tag) -> bool {
        let is_exception = self.except.iter().any(|pattern| matches(pattern, tag.as_str()));
        self.immutable != is_exception
    }
}

/// Whether a text is as a pattern says, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(end)
}

impl Encryption {
    fn of(encryption: Option<&EncryptionConfiguration>) -> Self {
        encryption.map_or(Self::Aes256, |encryption| {
            Self::named(encryption.encryption_type().as_str(), encryption.kms_key())
        })
    }

    pub(super) fn named(word: &str, key: Option<&str>) -> Self {
        let key = key.map(str::to_owned);
        match word {
            "AES256" => Self::Aes256,
            "KMS" => Self::Kms(key),
            "KMS_DSSE" => Self::KmsDsse(key),
            other => Self::Other(other.to_owned()),
        }
    }
}

impl RepositoryPolicy {
    fn parse(text: &str) -> Result<Self, ErrorKind> {
        let policy = serde_json::from_str(text);
        policy
            .map(Self)
            .map_err(|error| ErrorKind::Protocol(format!("the repository's policy is no JSON: {error}")))
    }

    /// The policy as JSON.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Whether a statement lets a service of AWS, such as `lambda.amazonaws.com`, do this: `ecr:BatchGetImage`.
    /// Conditions are not judged, nor what other statements refuse.
    pub fn lets_service(&self, service: &str, action: &str) -> bool {
        let statements = &self.0["Statement"];
        one_or_many(statements).any(|statement| {
            let principals = &statement["Principal"];
            let is_meant = principals == "*"
                || principals["AWS"] == "*"
                || one_or_many(&principals["Service"]).any(|named| named == service);
            let mut actions = one_or_many(&statement["Action"]).filter_map(Value::as_str);
            let is_allowed =
                actions.any(|pattern| matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()));
            statement["Effect"] == "Allow" && is_meant && is_allowed
        })
    }
}

/// Policies leave out the brackets around a single thing.
fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_stay() {
        let check = |immutable: bool, except: &[&str], tag: &str, expected: bool| {
            let except = except.iter().map(|&pattern| pattern.to_owned()).collect();
            let mutability = Mutability { immutable, except };
            assert_eq!(mutability.fixes(&tag.parse().unwrap()), expected, "{mutability:?} {tag}");
        };
        check(false, &[], "latest", false);
        check(true, &[], "latest", true);
        check(true, &["latest", "dev-*"], "latest", false);
        check(true, &["latest", "dev-*"], "dev-7", false);
        check(true, &["latest", "dev-*"], "latest-7", true);
        check(false, &["v*.*"], "v1.2", true);
        check(false, &["v*.*"], "v1", false);
        check(false, &["*-rc"], "1-rc-rc", true);
        check(false, &["a*a"], "a", false);
        check(false, &["*"], "anything", true);
        check(false, &["*x*x*"], "axbxc", true);
        check(false, &["*x*x*"], "axb", false);
    }

    #[test]
    fn what_a_policy_lets_a_service_do() {
        let check = |policy: &str, expected: bool| {
            let policy = RepositoryPolicy::parse(policy).unwrap();
            assert_eq!(
                policy.lets_service("lambda.amazonaws.com", "ecr:BatchGetImage"),
                expected,
                "{policy:?}"
            );
        };
        check(
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},
                "Action":["ecr:GetDownloadUrlForLayer","ecr:BatchGetImage"]}]}"#,
            true,
        );
        check(r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:batch*"}}"#, true);
        check(r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"ecr:*"}}"#, true);
        check(r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"ecr:*"}}"#, false);
        check(
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"ecr:*"}}"#,
            false,
        );
        check(r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:PutImage"}}"#, false);
        check("{}", false);
        check("7", false);
        assert!(RepositoryPolicy::parse("{").is_err());
    }
}
