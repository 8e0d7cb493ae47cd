//! How registries are reached, and as whom.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use ecr_registry::{ENDPOINTS_VARIABLE, Endpoints, Host, Login, Proxies, Registry, Secret, Settings};
use tfplugin_rs::{Diagnostic, Diagnostics, Path};

use super::settings::{RegistryAuth, Written};
use crate::report::{Report, capitalized};

/// What registries are told about who asks.
const USER_AGENT: &str = concat!("terraform-provider-ecr/", env!("CARGO_PKG_VERSION"));
/// What the cache of base images and configurations may take, in bytes.
const CACHE: u64 = 4 << 30;

/// The client for all registries.
///
/// # Errors
/// Where a setting, of the configuration or of the machine, cannot be used.
pub(super) fn client(written: &Written, aws: SdkConfig) -> Result<Registry, Diagnostics> {
    let mut settings = Settings {
        aws: Some(aws),
        endpoints: mapped(written)?.or(of_environment()?),
        logins: logins(written)?,
        account_roles: written.account_roles.clone().unwrap_or_default(),
        proxies: proxies(written)?,
        user_agent: USER_AGENT.to_owned(),
        cache: ecr_registry::cache_path(|name| std::env::var_os(name))
            .map(|folder| ecr_registry::Cache::new(folder, CACHE)),
        ..Settings::default()
    };
    if let Some(file) = &written.custom_ca_bundle {
        let authorities = settings.authorities.with_file(file);
        settings.authorities = authorities.map_err(|error| refused(&error).at("custom_ca_bundle"))?;
    }
    if written.insecure == Some(true) {
        settings.authorities = settings.authorities.with_anyone();
    }
    if let Some(uploads) = written.upload_concurrency {
        settings.uploads = uploads.into();
    }
    let settings = settings.with_logins_of_user(|name| std::env::var_os(name));
    let settings = settings.with_network_of_machine(|name| std::env::var_os(name));
    settings.and_then(Registry::new).map_err(|error| error.report().into())
}

/// The mappings of the configuration.
///
/// # Errors
/// Where one is none.
pub(super) fn mapped(written: &Written) -> Result<Endpoints, Diagnostics> {
    let none = BTreeMap::new();
    let map = written.registry_endpoints.as_ref().unwrap_or(&none);
    Endpoints::parse(map).map_err(|error| error.report().at("registry_endpoints").into())
}

fn of_environment() -> Result<Endpoints, Diagnostics> {
    let variable = std::env::var(ENDPOINTS_VARIABLE).unwrap_or_default();
    Endpoints::parse_text(&variable).map_err(|error| error.report().into())
}

fn logins(written: &Written) -> Result<BTreeMap<Host, Login>, Diagnostics> {
    let login = |(host, auth): (&String, &RegistryAuth)| {
        let parsed = host.parse::<Host>();
        let host = parsed.map_err(|error| error.report().at(Path::from("registry_auth").key(host)))?;
        let password = Secret::new(auth.password.expose());
        Ok((host, Login { user: auth.username.clone(), password }))
    };
    written.registry_auth.iter().flatten().map(login).collect::<Result<_, Diagnostic>>().map_err(Into::into)
}

/// What is written, and for what is not the environment.
fn proxies(written: &Written) -> Result<Proxies, Diagnostics> {
    let given = [&written.http_proxy, &written.https_proxy, &written.no_proxy];
    if given.iter().all(|given| given.is_none()) {
        return Ok(Proxies::default());
    }
    let environment = |name: &str| {
        let found = [name.to_owned(), name.to_ascii_lowercase()].into_iter();
        found.filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty())
    };
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
    let [http, https, exceptions] =
        std::array::from_fn(|at| given[at].clone().or_else(|| environment(names[at])).unwrap_or_default());
    Proxies::new(&http, &https, &exceptions).map_err(|error| refused(&error).into())
}

fn refused(error: &ecr_registry::NetworkError) -> Diagnostic {
    Diagnostic::error(capitalized(&error.to_string()), crate::report::details(error, None))
}
