use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ecr::{
    config::{Region, http::HttpResponse, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
};
use aws_types::SdkConfig;

use super::{api_error, look::Looks, role::Role};
use crate::{
    error::ErrorKind,
    flights::Lived,
    names::{EcrHost, Host, Repository},
    requests,
    settings::{Patience, Settings},
    transport::{Came, Kind, Paces, Retry},
};

/// Clients of AWS's APIs, one set for each region and role, with one configuration.
#[derive(Clone)]
pub(crate) struct EcrClients(Arc<Parts>);

struct Parts {
    config: SdkConfig,
    /// By account.
    roles: BTreeMap<String, String>,
    /// By host, of which the account matters only where it has a role.
    made: Mutex<HashMap<EcrHost, Clients>>,
    public: aws_sdk_ecrpublic::Client,
    paces: Paces,
    patience: Patience,
    looks: Looks,
    /// The account that each identity is of.
    callers: Lived<EcrHost, String>,
}

#[derive(Clone)]
struct Clients {
    ecr: aws_sdk_ecr::Client,
    sts: aws_sdk_sts::Client,
}

/// The only region where ECR Public answers every call.
const PUBLIC_REGION: &str = "us-east-1";

impl EcrClients {
    pub(crate) fn new(config: SdkConfig, settings: &Settings) -> Self {
        let limited = config.timeout_config().is_some_and(TimeoutConfig::has_timeouts);
        let config = if limited { config } else { config.to_builder().timeout_config(limits()).build() };
        let public = config.to_builder().region(Region::new(PUBLIC_REGION)).build();
        Self(Arc::new(Parts {
            public: aws_sdk_ecrpublic::Client::new(&public),
            config,
            roles: settings.account_roles.clone(),
            made: Mutex::default(),
            paces: Paces::default(),
            patience: settings.patience.clone(),
            looks: Looks::default(),
            callers: Lived::new(1024),
        }))
    }

    /// The host, without its account where that makes no difference to who asks.
    pub(crate) fn identity(&self, host: &EcrHost) -> EcrHost {
        let has_role = self.0.roles.contains_key(&host.account);
        let account = if has_role { host.account.clone() } else { String::new() };
        EcrHost { account, ..host.clone() }
    }

    /// The client for the account and region of a registry.
    pub(crate) fn of(&self, host: &EcrHost) -> aws_sdk_ecr::Client {
        self.clients(host).ecr
    }

    /// The client that tells who this identity is.
    pub(super) fn sts(&self, host: &EcrHost) -> aws_sdk_sts::Client {
        self.clients(host).sts
    }

    /// The client for ECR Public.
    pub(crate) fn public(&self) -> &aws_sdk_ecrpublic::Client {
        &self.0.public
    }

    /// How fast requests go out, those of the registry protocol too.
    pub(crate) fn paces(&self) -> Paces {
        self.0.paces.clone()
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.0.patience
    }

    pub(super) fn looks(&self) -> &Looks {
        &self.0.looks
    }

    pub(super) fn callers(&self) -> &Lived<EcrHost, String> {
        &self.0.callers
    }

    /// Makes a call at its pace, again and again while ECR asks to slow down; the SDK tries again what else can help.
    /// Without a repository it is about the whole registry.
    pub(super) async fn call<T, E, F>(
        &self,
        host: &Host,
        kind: Kind,
        repository: Option<&Repository>,
        send: impl Fn() -> F,
    ) -> Result<T, ErrorKind>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut retry = Retry::new(&self.0.patience);
        loop {
            let mut pass = self.0.paces.enter(host, kind).await;
            requests::one(kind);
            let error = match Box::pin(send()).await {
                Ok(answer) => {
                    pass.came(Came::Through);
                    return Ok(answer);
                }
                Err(error) => api_error(error, repository),
            };
            if !matches!(error, ErrorKind::Throttled(_)) {
                return Err(error);
            }
            pass.came(Came::TooFast(None));
            drop(pass);
            match retry.next(&error, None) {
                Some(wait) => {
                    requests::again();
                    tokio::time::sleep(wait).await;
                }
                None => return Err(error),
            }
        }
    }

    fn clients(&self, host: &EcrHost) -> Clients {
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(self.identity(host)).or_insert_with(|| self.make(host)).clone()
    }

    fn make(&self, host: &EcrHost) -> Clients {
        let mut config = self.0.config.to_builder().region(Region::new(host.region.clone()));
        if let Some(role) = self.0.roles.get(&host.account) {
            let role = Role::new(role, &host.region, &self.0.config);
            config = config.credentials_provider(SharedCredentialsProvider::new(role));
        }
        if host.fips {
            config = config.use_fips(true);
        }
        if host.dual_stack {
            config = config.use_dual_stack(true);
        }
        let config = config.build();
        Clients { ecr: aws_sdk_ecr::Client::new(&config), sts: aws_sdk_sts::Client::new(&config) }
    }
}

fn limits() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_secs(30))
        .operation_timeout(Duration::from_secs(90))
        .build()
}

impl fmt::Debug for EcrClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EcrClients").finish_non_exhaustive()
    }
}
