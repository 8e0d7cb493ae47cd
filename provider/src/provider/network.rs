//! The way to AWS's APIs: proxies and certificate authorities, as far as it is not AWS's own.

use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnectorSettings, SharedHttpClient},
    runtime_components::RuntimeComponents,
};
use tfplugin_rs::{Diagnostic, Diagnostics};

use super::settings::Written;

/// Reached without a proxy whatever is written: this machine, and where instances and containers get credentials.
const DIRECT: &str = "localhost,127.0.0.1,::1,169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::/32";

/// The client by which AWS's APIs are called; `None` where the usual one will do.
///
/// # Errors
/// Where a proxy or a file of authorities cannot be used.
pub(super) fn http_client(written: &Written) -> Result<Option<SharedHttpClient>, Diagnostics> {
    let of_environment = |name: &str| variable(name).or_else(|| variable(&name.to_ascii_lowercase()));
    let proxy = written.https_proxy.clone().or_else(|| of_environment("HTTPS_PROXY"));
    let exceptions = written.no_proxy.clone().or_else(|| of_environment("NO_PROXY"));
    let authorities = written.custom_ca_bundle.clone().or_else(|| variable("AWS_CA_BUNDLE"));
    if proxy.is_none() && authorities.is_none() {
        return Ok(None);
    }
    let proxy = proxy.map(|proxy| through(&proxy, exceptions.as_deref())).transpose()?;
    let trust = authorities.map(|file| trust(&file)).transpose()?;
    let connector = move |settings: Option<&HttpConnectorSettings>, parts: Option<&RuntimeComponents>| {
        let mut builder = Connector::builder();
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(parts.and_then(RuntimeComponents::sleep_impl));
        builder.set_proxy_config(proxy.clone());
        let builder = builder.tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        match &trust {
            Some(trust) => builder.tls_context(trust.clone()).build(),
            None => builder.build(),
        }
    };
    Ok(Some(Builder::new().build_with_connector_fn(connector)))
}

/// AWS's APIs are reached by https, so that proxy is the one that counts.
fn through(proxy: &str, exceptions: Option<&str>) -> Result<ProxyConfig, Diagnostics> {
    let whole = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    let config = ProxyConfig::https(whole.as_str()).map_err(|_| {
        // Not the text: it may hold a password.
        let detail = "Write it as http://[user:password@]host[:port], in the provider or in HTTPS_PROXY.";
        Diagnostics::from(Diagnostic::error("The proxy for https is not one", detail))
    })?;
    let exceptions = exceptions.unwrap_or_default();
    Ok(config.no_proxy(format!("{DIRECT},{exceptions}")))
}

fn trust(file: &str) -> Result<TlsContext, Diagnostics> {
    let blame = |detail: String| {
        let summary = format!("`{file}` cannot be used as certificate authorities");
        Diagnostics::from(Diagnostic::error(summary, detail).at("custom_ca_bundle"))
    };
    let pem = std::fs::read(file).map_err(|error| blame(format!("caused by: {error}")))?;
    let store = TrustStore::empty().with_native_roots(true).with_pem_certificate(pem);
    let context = TlsContext::builder().with_trust_store(store).build();
    context.map_err(|error| blame(format!("caused by: {error}")))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
