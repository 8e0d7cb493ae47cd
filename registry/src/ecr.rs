//! ECR's own API: passwords, many tags at once, tags of an image, tags taken away.

mod api;
mod availability;
mod error;
mod resolve;
mod role;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_ecr::config::{Region, timeout::TimeoutConfig};
use aws_types::SdkConfig;

pub(crate) use availability::Availability;
pub(crate) use error::api_error;
pub(crate) use resolve::Found;
use role::Role;

use crate::names::EcrHost;

/// Clients of the API, one for each region, with one configuration.
#[derive(Clone)]
pub(crate) struct EcrClients(Arc<Clients>);

struct Clients {
    config: SdkConfig,
    /// By account.
    roles: BTreeMap<String, String>,
    /// By host, of which the account matters only where it has a role.
    made: Mutex<HashMap<EcrHost, aws_sdk_ecr::Client>>,
}

impl EcrClients {
    pub(crate) fn new(config: SdkConfig, roles: BTreeMap<String, String>) -> Self {
        Self(Arc::new(Clients { config, roles, made: Mutex::default() }))
    }

    /// The host, without its account where that makes no difference to who asks.
    pub(crate) fn identity(&self, host: &EcrHost) -> EcrHost {
        let has_role = self.0.roles.contains_key(&host.account);
        let account = if has_role { host.account.clone() } else { String::new() };
        EcrHost { account, ..host.clone() }
    }

    /// The client for the account and region of a registry.
    pub(crate) fn of(&self, host: &EcrHost) -> aws_sdk_ecr::Client {
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(self.identity(host)).or_insert_with(|| self.client(host)).clone()
    }

    fn client(&self, host: &EcrHost) -> aws_sdk_ecr::Client {
        let mut config =
            aws_sdk_ecr::config::Builder::from(&self.0.config).region(Region::new(host.region.clone()));
        if let Some(role) = self.0.roles.get(&host.account) {
            config = config.credentials_provider(Role::new(role, &host.region, &self.0.config));
        }
        if host.fips {
            config = config.use_fips(true);
        }
        if host.dual_stack {
            config = config.use_dual_stack(true);
        }
        let limited = self.0.config.timeout_config().is_some_and(TimeoutConfig::has_timeouts);
        if !limited {
            config = config.timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(10))
                    .operation_attempt_timeout(Duration::from_secs(30))
                    .operation_timeout(Duration::from_secs(90))
                    .build(),
            );
        }
        aws_sdk_ecr::Client::from_conf(config.build())
    }
}
