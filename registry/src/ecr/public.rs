use std::time::{Duration, SystemTime};

use aws_sdk_ecrpublic::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::{ImageDetail, Registry as PublicRegistry, RegistryAliasStatus},
};
use futures::TryStreamExt;

use super::{EcrClients, pages::pages, time};
use crate::{
    error::{Action, Error, ErrorKind},
    names::{Digest, Host, Repository, Tag},
    registry::Registry,
    settings::Login,
    transport::Kind,
};

/// ECR Public's API, for what this account keeps there. It lives in `us-east-1`, wherever that is from here.
#[derive(Debug, Clone)]
pub struct EcrPublic {
    clients: EcrClients,
    host: Host,
}

/// A repository that everybody can pull from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicRepository {
    /// Where it is pulled from: `public.ecr.aws/ALIAS/NAME`.
    pub repository: Repository,
    /// Its name in the account, without the alias.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it was made.
    pub created_at: Option<SystemTime>,
}

/// An image that everybody can pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicImage {
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// Its tags, sorted.
    pub tags: Vec<Tag>,
    /// The media type of its manifest or index.
    pub media_type: Option<String>,
    /// What its layers take, compressed, in bytes.
    pub size: Option<u64>,
    /// When it was pushed.
    pub pushed_at: Option<SystemTime>,
}

impl Registry {
    /// ECR Public's API.
    pub fn ecr_public(&self) -> Result<EcrPublic, Error> {
        let host = Host::public_ecr();
        match self.aws() {
            Some(clients) => Ok(EcrPublic { clients: clients.clone(), host }),
            None => Err(Error::new(Action::Describe, &host, ErrorKind::NotEcr(host.clone()))),
        }
    }
}

impl EcrPublic {
    /// The names that stand for this account in the names of its repositories, the one that it prefers first.
    pub async fn aliases(&self) -> Result<Vec<String>, Error> {
        let call = self.clients.public().describe_registries();
        let ask = |mark| {
            let call = call.clone().set_next_token(mark);
            async move {
                let answer = self.call("DescribeRegistries", || call.clone().send()).await?;
                let aliases = answer.registries().iter().flat_map(PublicRegistry::aliases).cloned();
                Ok((aliases.collect(), answer.next_token))
            }
        };
        let aliases: Result<Vec<_>, ErrorKind> = pages(ask).try_collect().await;
        let mut aliases = aliases.map_err(|kind| self.error(kind))?;
        aliases.retain(|alias| *alias.status() == RegistryAliasStatus::Active);
        aliases.sort_by_key(|alias| !alias.primary_registry_alias());
        Ok(aliases.into_iter().map(|alias| alias.name).collect())
    }

    /// The repositories of this account.
    pub async fn repositories(&self) -> Result<Vec<PublicRepository>, Error> {
        let call = self.clients.public().describe_repositories().max_results(1000);
        let ask = |mark| {
            let call = call.clone().set_next_token(mark);
            async move {
                let answer = self.call("DescribeRepositories", || call.clone().send()).await?;
                let found =
                    answer.repositories().iter().map(PublicRepository::of).collect::<Result<_, _>>()?;
                Ok((found, answer.next_token))
            }
        };
        pages(ask).try_collect().await.map_err(|kind| self.error(kind))
    }

    /// The images of a repository of this account, by its name without the alias.
    pub async fn images(&self, name: &str) -> Result<Vec<PublicImage>, Error> {
        let call = self.clients.public().describe_images().repository_name(name).max_results(1000);
        let ask = |mark| {
            let call = call.clone().set_next_token(mark);
            async move {
                let answer = self.call("DescribeImages", || call.clone().send()).await?;
                let images = answer.image_details().iter().map(PublicImage::of).collect::<Result<_, _>>()?;
                Ok((images, answer.next_token))
            }
        };
        pages(ask)
            .try_collect()
            .await
            .map_err(|kind| Error::new(Action::Describe, format!("{}/{name}", self.host), kind))
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
    /// A user and a password for ECR Public, and for how long they are good.
    pub(crate) async fn public_login(&self) -> Result<(Login, Duration), ErrorKind> {
        let host = Host::public_ecr();
        let send = || self.public().get_authorization_token().send();
        let answer = self.call(&host, Kind::Api("GetAuthorizationToken"), None, send).await?;
        let data = answer.authorization_data();
        let token = data.and_then(|data| data.authorization_token()).and_then(Login::from_token);
        let login = token.ok_or_else(no_login)?;
        let ends = time(data.and_then(|data| data.expires_at()));
        let life = ends.and_then(|ends| ends.duration_since(SystemTime::now()).ok());
        Ok((login, life.unwrap_or_default()))
    }
}

fn no_login() -> ErrorKind {
    ErrorKind::Protocol("GetAuthorizationToken gives no user and password".to_owned())
}

impl PublicRepository {
    fn of(repository: &aws_sdk_ecrpublic::types::Repository) -> Result<Self, ErrorKind> {
        let uri = repository.repository_uri().unwrap_or_default();
        Ok(Self {
            repository: uri
                .parse()
                .map_err(|error| ErrorKind::Protocol(format!("a bad repository: {error}")))?,
            name: repository.repository_name().unwrap_or_default().to_owned(),
            arn: repository.repository_arn().unwrap_or_default().to_owned(),
            created_at: time(repository.created_at()),
        })
    }
}

impl PublicImage {
    fn of(detail: &ImageDetail) -> Result<Self, ErrorKind> {
        let mut tags: Vec<Tag> = detail.image_tags().iter().filter_map(|tag| tag.parse().ok()).collect();
        tags.sort();
        Ok(Self {
            digest: super::digest(detail.image_digest())?,
            tags,
            media_type: detail.image_manifest_media_type().map(str::to_owned),
            size: detail.image_size_in_bytes().and_then(|size| size.try_into().ok()),
            pushed_at: time(detail.image_pushed_at()),
        })
    }
}
