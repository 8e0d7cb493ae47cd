//! The `provider "ecr"` block: settings, and the access made of them once.

mod aws;
mod network;
mod registries;
mod role;
mod settings;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, num::NonZero, sync::Arc};

use image_build::{Builder, BuilderSettings, Cache, Sockets};
use tfplugin_rs::{
    Action, ConfigureRequest, Configured, DataSource, Diagnostic, Diagnostics, Function, ListResource,
    Provider, Resource, Schema, Typed, ValidateRequest, Value, async_trait,
};

use self::settings::{BuilderEndpoint, SourceTagSettings, Written};
use crate::{
    access::{Access, SourceTag, Ways},
    context_data::ContextData,
    functions::{DigestUri, ParseReference},
    home::Home,
    image::ImageResource,
    image_copy::CopyResource,
    image_data::ImageData,
    images_data::ImagesData,
    prune::Prune,
    report::Report,
    scan_data::ScanData,
    scan_gate::GateResource,
    tag::TagResource,
    tag_list::TagList,
};

/// The provider `ecr`.
#[derive(Default)]
pub(crate) struct EcrProvider(Configured<Access>);

#[async_trait]
impl Provider for EcrProvider {
    fn schema(&self) -> Schema {
        Schema::of::<Written>()
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![
            Arc::new(ImageResource(self.0.clone())),
            Arc::new(Typed(CopyResource(self.0.clone()))),
            Arc::new(Typed(GateResource(self.0.clone()))),
            Arc::new(Typed(TagResource(self.0.clone()))),
        ]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![
            Arc::new(ImageData(self.0.clone())),
            Arc::new(Typed(ImagesData(self.0.clone()))),
            Arc::new(Typed(ContextData(self.0.clone()))),
            Arc::new(Typed(ScanData(self.0.clone()))),
        ]
    }

    fn functions(&self) -> Vec<Arc<dyn Function>> {
        vec![Arc::new(ParseReference), Arc::new(DigestUri)]
    }

    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        vec![Arc::new(TagList(self.0.clone()))]
    }

    fn actions(&self) -> Vec<Arc<dyn Action>> {
        vec![Arc::new(Prune(self.0.clone()))]
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let known = Written::known(&request.config);
        known.and_then(|(written, _)| registries::mapped(&written)).err().unwrap_or_default()
    }

    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if let Some(access) = diagnostics.collect(access(&request).await) {
            self.0.set(access);
        }
        diagnostics
    }
}

async fn access(request: &ConfigureRequest) -> Result<Access, Diagnostics> {
    let config = &request.config;
    let (mut written, reachable) = Written::known(config)?;
    let mut ways = Ways {
        builder: builder(&written, config),
        cache: Cache::from_environment(|name| std::env::var(name).ok()),
        source_tag: source_tag(config, written.source_tag.take()),
        default_labels: settled(config, "default_labels")
            .then(|| written.default_labels.take().unwrap_or_default()),
        ..Ways::default()
    };
    if reachable {
        let aws = aws::configuration(&mut written).await?;
        let home = Home::new(&aws, written.skip_requesting_account_id != Some(true));
        check_account(&written, &home).await?;
        ways.registry = Some(registries::client(&written, aws)?);
        ways.home = Some(home);
    }
    Ok(Access::new(ways, &request.terraform_version))
}

fn settled(config: &Value, name: &str) -> bool {
    config.get(name).is_wholly_known()
}

/// No tag while it is unknown what it would be: then images are looked for when the plan is applied.
fn source_tag(config: &Value, written: Option<SourceTagSettings>) -> Option<SourceTag> {
    let enabled = written.as_ref().is_none_or(|written| written.enabled != Some(false));
    let prefix = written.and_then(|written| written.prefix);
    (enabled && settled(config, "source_tag")).then(|| prefix.map_or_else(SourceTag::default, SourceTag))
}

fn builder(written: &Written, config: &Value) -> Builder {
    let written = written.builder.as_ref();
    let sockets = if settled(config, "builder") {
        Sockets::from_environment(|name| std::env::var(name).ok())
    } else {
        Sockets::default()
    };
    Builder::new(BuilderSettings {
        engine: written.and_then(|builder| builder.engine.as_ref()?.parse().ok()).unwrap_or_default(),
        max_builds: written.and_then(|builder| NonZero::new(builder.max_builds?.into())),
        endpoints: written
            .into_iter()
            .flat_map(|builder| builder.endpoints.iter().flatten())
            .filter_map(BuilderEndpoint::endpoint)
            .collect(),
        docker: sockets,
        ..BuilderSettings::default()
    })
}

/// Whether the credentials are of an account that is meant.
async fn check_account(written: &Written, home: &Home) -> Result<(), Diagnostics> {
    let none = BTreeSet::new();
    let (allowed, forbidden) = (&written.allowed_account_ids, &written.forbidden_account_ids);
    if (allowed.is_none() && forbidden.is_none()) || written.skip_requesting_account_id == Some(true) {
        return Ok(());
    }
    let account = home.account().await.map_err(|error| error.report())?;
    let refused = |name, verb: &str| {
        let summary = format!("The credentials are of account {account}, which {verb}");
        let detail = "Use the credentials of another account, or another profile or role.";
        Err(Diagnostic::error(summary, detail).at(name).into())
    };
    if allowed.as_ref().is_some_and(|allowed| !allowed.contains(account)) {
        return refused("allowed_account_ids", "is not one of allowed_account_ids");
    }
    if forbidden.as_ref().unwrap_or(&none).contains(account) {
        return refused("forbidden_account_ids", "is one of forbidden_account_ids");
    }
    Ok(())
}
