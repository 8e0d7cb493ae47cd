use std::collections::BTreeMap;

use aws_sdk_ecr::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        RegistryScanningConfiguration, ReplicationConfiguration, ReplicationRule, RepositoryCreationTemplate,
        SigningConfiguration,
    },
};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};

use super::{
    EcrClients, Encryption, Mutability, NewRepository, RepositorySettings, api_error, error::said,
    pages::pages, words::words,
};
use crate::{
    error::{Action, Error, ErrorKind},
    names::{EcrHost, Host, Repository},
    transport::Kind,
};

/// ECR's API for a whole private registry.
///
/// What is not about repositories ECR tells to the registry's own account alone, and other accounts get the answer of
/// theirs without a word: so it is checked first who asks.
#[derive(Debug, Clone)]
pub struct EcrRegistry {
    clients: EcrClients,
    host: Host,
    ecr: EcrHost,
}

/// A switch of a whole registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountSetting {
    /// Whether blobs can be mounted from another repository.
    BlobMounting,
    /// By what basic scans are made.
    BasicScanTypeVersion,
    /// How far the registry's policy reaches.
    RegistryPolicyScope,
}

/// How the images of a registry are scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanning {
    /// By whom.
    pub scan_type: ScanType,
    /// When, by repository.
    pub rules: Vec<ScanRule>,
}

words! {
    /// By whom images are scanned.
    ScanType {
        /// By ECR, for vulnerabilities of the operating system.
        Basic = "BASIC",
        /// By Inspector, again and again.
        Enhanced = "ENHANCED",
    }
}

words! {
    /// When images are scanned.
    Frequency {
        /// When they are pushed.
        OnPush = "SCAN_ON_PUSH",
        /// When they are pushed, and whenever something becomes known.
        Continuous = "CONTINUOUS_SCAN",
        /// When somebody starts a scan.
        Manual = "MANUAL",
    }
}

/// When the images of some repositories are scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRule {
    /// When.
    pub frequency: Frequency,
    /// The repositories: patterns, in which `*` stands for any text.
    pub repositories: Vec<String>,
}

/// How repositories are set up that ECR makes on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreationTemplate {
    /// The start of the names it is for; `ROOT` is for all that no other template is for.
    pub prefix: String,
    /// On what occasions.
    pub applied_for: Vec<Occasion>,
    /// How they are set up.
    pub repository: NewRepository,
}

words! {
    /// When ECR makes a repository on its own.
    Occasion {
        /// Somebody pushes to it.
        CreateOnPush = "CREATE_ON_PUSH",
        /// Somebody pulls through it from another registry.
        PullThroughCache = "PULL_THROUGH_CACHE",
        /// An image is replicated to it.
        Replication = "REPLICATION",
    }
}

impl EcrRegistry {
    pub(super) fn new(clients: &EcrClients, host: &Host, ecr: EcrHost) -> Self {
        Self { clients: clients.clone(), host: host.clone(), ecr }
    }

    /// The repositories, as they come, by a call for each thousand.
    pub fn repositories(&self) -> BoxStream<'static, Result<RepositorySettings, Error>> {
        let this = self.clone();
        let call = self.client().describe_repositories().registry_id(&self.ecr.account).max_results(1000);
        let host = self.host.clone();
        let ask = move |mark| {
            let (this, call) = (this.clone(), call.clone().set_next_token(mark));
            async move {
                let answer = this.call("DescribeRepositories", || call.clone().send()).await?;
                let found = answer.repositories().iter().map(RepositorySettings::of).collect();
                Ok((found, answer.next_token))
            }
        };
        pages(ask).map_err(move |kind| Error::new(Action::Describe, &host, kind)).boxed()
    }

    /// What a switch stands at, in ECR's words; `None` if nobody has set it.
    pub async fn setting(&self, setting: AccountSetting) -> Result<Option<String>, Error> {
        self.set_to(setting).await.map_err(|kind| self.error(kind))
    }

    /// Whether blobs can be mounted from another repository of the registry, one with the same encryption.
    pub async fn mounts_blobs(&self) -> Result<bool, Error> {
        Ok(self.setting(AccountSetting::BlobMounting).await?.as_deref() == Some("ENABLED"))
    }

    /// How images are scanned.
    pub async fn scanning(&self) -> Result<Scanning, Error> {
        self.scanned().await.map_err(|kind| self.error(kind))
    }

    /// The ARNs of the profiles by which ECR signs what is pushed.
    pub async fn signing_profiles(&self) -> Result<Vec<String>, Error> {
        self.signed().await.map_err(|kind| self.error(kind))
    }

    /// The regions and accounts that images are copied to, by rule and without its filters: `(account, region)`.
    pub async fn replicates_to(&self) -> Result<Vec<(String, String)>, Error> {
        self.replicated().await.map_err(|kind| self.error(kind))
    }

    /// The templates for repositories that ECR makes on its own.
    pub async fn creation_templates(&self) -> Result<Vec<CreationTemplate>, Error> {
        self.templates().await.map_err(|kind| self.error(kind))
    }

    async fn set_to(&self, setting: AccountSetting) -> Result<Option<String>, ErrorKind> {
        self.own().await?;
        let call = self.client().get_account_setting().name(setting.name());
        let answer = self.call("GetAccountSetting", || call.clone().send()).await?;
        Ok(answer.value)
    }

    async fn scanned(&self) -> Result<Scanning, ErrorKind> {
        self.own().await?;
        let call = self.client().get_registry_scanning_configuration();
        let answer = self.call("GetRegistryScanningConfiguration", || call.clone().send()).await?;
        let set = answer.scanning_configuration();
        let rules =
            set.map(RegistryScanningConfiguration::rules).unwrap_or_default().iter().map(|rule| ScanRule {
                frequency: rule.scan_frequency().as_str().into(),
                repositories: rule
                    .repository_filters()
                    .iter()
                    .map(|filter| filter.filter().to_owned())
                    .collect(),
            });
        let scan_type = set.and_then(|set| set.scan_type());
        Ok(Scanning {
            scan_type: scan_type.map_or(ScanType::Basic, |scan_type| scan_type.as_str().into()),
            rules: rules.collect(),
        })
    }

    async fn signed(&self) -> Result<Vec<String>, ErrorKind> {
        self.own().await?;
        let call = self.client().get_signing_configuration();
        match self.call("GetSigningConfiguration", || call.clone().send()).await {
            Ok(answer) => {
                let rules =
                    answer.signing_configuration().map(SigningConfiguration::rules).unwrap_or_default();
                Ok(rules.iter().map(|rule| rule.signing_profile_arn().to_owned()).collect())
            }
            Err(kind) if said(&kind, "SigningConfigurationNotFoundException") => Ok(Vec::new()),
            Err(kind) => Err(kind),
        }
    }

    async fn replicated(&self) -> Result<Vec<(String, String)>, ErrorKind> {
        self.own().await?;
        let call = self.client().describe_registry();
        let answer = self.call("DescribeRegistry", || call.clone().send()).await?;
        let rules =
            answer.replication_configuration().map(ReplicationConfiguration::rules).unwrap_or_default();
        let to = rules.iter().flat_map(ReplicationRule::destinations);
        Ok(to.map(|to| (to.registry_id().to_owned(), to.region().to_owned())).collect())
    }

    async fn templates(&self) -> Result<Vec<CreationTemplate>, ErrorKind> {
        self.own().await?;
        let call = self.client().describe_repository_creation_templates().max_results(1000);
        let ask = |mark| {
            let call = call.clone().set_next_token(mark);
            async move {
                let answer = self.call("DescribeRepositoryCreationTemplates", || call.clone().send()).await?;
                let templates =
                    answer.repository_creation_templates().iter().map(CreationTemplate::of).collect();
                Ok((templates, answer.next_token))
            }
        };
        pages(ask).try_collect().await
    }

    /// Whether it is the registry's own account that asks.
    async fn own(&self) -> Result<(), ErrorKind> {
        let caller = self.clients.caller(&self.ecr).await?;
        if caller == self.ecr.account {
            return Ok(());
        }
        Err(ErrorKind::OtherAccount { account: self.ecr.account.clone(), caller })
    }

    fn client(&self) -> aws_sdk_ecr::Client {
        self.clients.of(&self.ecr)
    }

    async fn call<T, E, F>(&self, action: &'static str, send: impl Fn() -> F) -> Result<T, ErrorKind>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        self.clients.call(&self.host, Kind::Api(action), None, send).await
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error::new(Action::Describe, &self.host, kind)
    }
}

impl EcrClients {
    /// The account of the identity that asks this registry.
    async fn caller(&self, host: &EcrHost) -> Result<String, ErrorKind> {
        let ask = async || {
            let answer = self.sts(host).get_caller_identity().send().await;
            let answer = answer.map_err(|error| api_error(error, None))?;
            let account =
                answer.account.ok_or_else(|| ErrorKind::Protocol("STS names no account".to_owned()))?;
            Ok((account, std::time::Duration::from_hours(1)))
        };
        self.callers().get(self.identity(host), ask).await
    }
}

impl AccountSetting {
    fn name(self) -> &'static str {
        match self {
            Self::BlobMounting => "BLOB_MOUNTING",
            Self::BasicScanTypeVersion => "BASIC_SCAN_TYPE_VERSION",
            Self::RegistryPolicyScope => "REGISTRY_POLICY_SCOPE",
        }
    }
}

impl CreationTemplate {
    /// The template by which ECR would make this repository on this occasion: the one with the longest prefix.
    pub fn choose<'a>(templates: &'a [Self], repository: &Repository, why: &Occasion) -> Option<&'a Self> {
        let length = |template: &Self| match template.prefix.as_str() {
            "ROOT" => Some(0),
            prefix => repository.name().strip_prefix(prefix)?.starts_with('/').then_some(prefix.len()),
        };
        let fitting = templates.iter().filter(|template| template.applied_for.contains(why));
        fitting
            .filter_map(|template| Some((length(template)?, template)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, template)| template)
    }

    fn of(template: &RepositoryCreationTemplate) -> Self {
        let encryption = template.encryption_configuration();
        let resource_tags: BTreeMap<String, String> = template
            .resource_tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect();
        Self {
            prefix: template.prefix().unwrap_or_default().to_owned(),
            applied_for: template.applied_for().iter().map(|why| why.as_str().into()).collect(),
            repository: NewRepository {
                mutability: Mutability::of(
                    template.image_tag_mutability(),
                    template.image_tag_mutability_exclusion_filters(),
                ),
                encryption: encryption.map_or(Encryption::Aes256, |encryption| {
                    Encryption::named(encryption.encryption_type().as_str(), encryption.kms_key())
                }),
                scan_on_push: false,
                resource_tags,
                policy: template.repository_policy().map(str::to_owned),
                lifecycle_policy: template.lifecycle_policy().map(str::to_owned),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_counts() {
        let template = |prefix: &str, why: Occasion| CreationTemplate {
            prefix: prefix.to_owned(),
            applied_for: vec![why],
            repository: NewRepository::default(),
        };
        let templates = [
            template("ROOT", Occasion::CreateOnPush),
            template("shop", Occasion::CreateOnPush),
            template("shop/web", Occasion::Replication),
        ];
        let check = |repository: &str, why: &Occasion, expected: Option<&str>| {
            let repository = format!("x.io/{repository}").parse().unwrap();
            let chosen = CreationTemplate::choose(&templates, &repository, why);
            assert_eq!(chosen.map(|template| template.prefix.as_str()), expected, "{repository}");
        };
        check("shop/web", &Occasion::CreateOnPush, Some("shop"));
        check("shop/web/a", &Occasion::Replication, Some("shop/web"));
        check("shopping", &Occasion::CreateOnPush, Some("ROOT"));
        check("shopping", &Occasion::Replication, None);
    }
}
