//! AWS's own configuration chain, with what the provider's settings say put before it. Nothing is asked yet.

use std::fmt;

use aws_config::{
    BehaviorVersion, ConfigLoader, Region,
    ecs::EcsCredentialsProvider,
    environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
    meta::{credentials::CredentialsProviderChain, region::RegionProviderChain},
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    retry::{RetryConfig, RetryMode},
    web_identity_token::WebIdentityTokenCredentialsProvider,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::{
    SdkConfig,
    service_config::{LoadServiceConfig, ServiceConfigKey},
};
use tfplugin_rs::Diagnostics;

use super::{
    network,
    role::Role,
    settings::{ServiceUrls, Written},
};

/// The configuration by which AWS is asked.
///
/// # Errors
/// Where a proxy or a file of authorities cannot be used.
pub(super) async fn configuration(written: &mut Written) -> Result<SdkConfig, Diagnostics> {
    let http = network::http_client(written)?;
    let mut aws = loader(written, http).load().await;
    let endpoints = std::mem::take(&mut written.endpoints);
    if !endpoints.is_empty() {
        let urls = ServiceEndpoints { written: endpoints, others: aws.clone() };
        aws = aws.into_builder().service_config(urls).build();
    }
    if let Some(role) = written.assume_role_with_web_identity.take() {
        aws = with_role(&aws, Role::web_identity(role, &aws));
    }
    for role in std::mem::take(&mut written.assume_role) {
        aws = with_role(&aws, Role::assume(role, &aws));
    }
    Ok(aws)
}

fn with_role(aws: &SdkConfig, role: Role) -> SdkConfig {
    aws.to_builder().credentials_provider(SharedCredentialsProvider::new(role)).build()
}

fn loader(written: &Written, http: Option<SharedHttpClient>) -> ConfigLoader {
    let files = files(written);
    let mut of_profile = ProfileFileRegionProvider::builder().profile_files(files.clone());
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).profile_files(files);
    if let Some(profile) = &written.profile {
        of_profile = of_profile.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    // Not the instance's metadata: each ECR registry names its region, and off EC2 the question takes seconds.
    let region = RegionProviderChain::first_try(written.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(of_profile.build());
    loader = loader.region(region);
    if let Some(on) = written.use_fips_endpoint {
        loader = loader.use_fips(on);
    }
    if let Some(on) = written.use_dualstack_endpoint {
        loader = loader.use_dual_stack(on);
    }
    if let Some(retries) = retries(written) {
        loader = loader.retry_config(retries);
    }
    if let (Some(key), Some(secret)) = (&written.access_key, &written.secret_key) {
        let token = written.token.as_ref().map(|token| token.expose().clone());
        let keys = Credentials::new(key, secret.expose(), token, None, "provider settings");
        loader = loader.credentials_provider(keys);
    } else if written.skip_metadata_api_check == Some(true) {
        loader = loader.credentials_provider(without_metadata(written, http.clone()));
    }
    match http {
        Some(http) => loader.http_client(http),
        None => loader,
    }
}

/// As written, each kind of file for itself, else AWS's own.
fn files(written: &Written) -> EnvConfigFiles {
    let (config, credentials) = (&written.shared_config_files, &written.shared_credentials_files);
    let mut files = EnvConfigFiles::builder()
        .include_default_config_file(config.is_none())
        .include_default_credentials_file(credentials.is_none());
    for file in config.iter().flatten() {
        files = files.with_file(EnvConfigFileKind::Config, file);
    }
    for file in credentials.iter().flatten() {
        files = files.with_file(EnvConfigFileKind::Credentials, file);
    }
    files.build()
}

fn retries(written: &Written) -> Option<RetryConfig> {
    if written.max_retries.is_none() && written.retry_mode.is_none() {
        return None;
    }
    let mode = match written.retry_mode.as_deref() {
        Some("adaptive") => RetryMode::Adaptive,
        _ => RetryMode::Standard,
    };
    let retries = RetryConfig::standard().with_retry_mode(mode);
    Some(match written.max_retries {
        Some(count) => retries.with_max_attempts(count + 1),
        None => retries,
    })
}

/// AWS's chain less the metadata of an instance.
fn without_metadata(written: &Written, http: Option<SharedHttpClient>) -> CredentialsProviderChain {
    let region = written.region.clone().or_else(|| std::env::var("AWS_REGION").ok());
    let mut config = ProviderConfig::without_region().with_region(region.map(Region::new));
    if let Some(http) = http {
        config = config.with_http_client(http);
    }
    let mut profile =
        ProfileFileCredentialsProvider::builder().configure(&config).profile_files(files(written));
    if let Some(name) = &written.profile {
        profile = profile.profile_name(name);
    }
    CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("Profile", profile.build())
        .or_else(
            "WebIdentityToken",
            WebIdentityTokenCredentialsProvider::builder().configure(&config).build(),
        )
        .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&config).build())
}

/// URLs that are written go before all others, each for its service alone.
struct ServiceEndpoints {
    written: Vec<ServiceUrls>,
    others: SdkConfig,
}

impl ServiceEndpoints {
    fn url(&self, service: &str) -> Option<&String> {
        self.written.iter().rev().find_map(|urls| match service {
            "ECR" => urls.ecr.as_ref(),
            "ECR PUBLIC" => urls.ecr_public.as_ref(),
            "STS" => urls.sts.as_ref(),
            _ => None,
        })
    }
}

impl LoadServiceConfig for ServiceEndpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let written = self.url(key.service_id()).filter(|_| key.profile() == "endpoint_url");
        written.cloned().or_else(|| self.others.service_config()?.load_config(key))
    }
}

impl fmt::Debug for ServiceEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceEndpoints").finish_non_exhaustive()
    }
}
