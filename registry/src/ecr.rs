//! ECR's own API: passwords, many tags at once, tags of an image, tags taken away.

mod api;
mod error;
mod resolve;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_ecr::config::{Region, timeout::TimeoutConfig};
use aws_types::SdkConfig;

pub(crate) use error::api_error;
pub(crate) use resolve::Found;

use crate::names::EcrHost;

/// Clients of the API, one for each region, with one configuration.
#[derive(Clone)]
pub(crate) struct EcrClients(Arc<Clients>);

struct Clients {
    config: SdkConfig,
    /// By region, FIPS, dual-stack.
    clients: Mutex<HashMap<(String, bool, bool), aws_sdk_ecr::Client>>,
}

impl EcrClients {
    pub(crate) fn new(config: SdkConfig) -> Self {
        Self(Arc::new(Clients { config, clients: Mutex::default() }))
    }

    /// The client for the region of a registry.
    pub(crate) fn of(&self, host: &EcrHost) -> aws_sdk_ecr::Client {
        let key = (host.region.clone(), host.fips, host.dual_stack);
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(key).or_insert_with(|| self.client(host)).clone()
    }

    fn client(&self, host: &EcrHost) -> aws_sdk_ecr::Client {
        let mut config =
            aws_sdk_ecr::config::Builder::from(&self.0.config).region(Region::new(host.region.clone()));
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
