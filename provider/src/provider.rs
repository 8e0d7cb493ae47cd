//! The `provider "ecr"` block: settings, and the access made of them once.

use std::{collections::BTreeMap, sync::Arc};

use aws_config::{
    BehaviorVersion, Region,
    environment::EnvironmentVariableRegionProvider,
    meta::region::RegionProviderChain,
    profile::{ProfileFileRegionProvider, region::Builder as ProfileBuilder},
};
use aws_credential_types::Credentials;
use aws_types::{SdkConfig, origin::Origin};
use ecr_registry::{ENDPOINTS_VARIABLE, Endpoints, Registry, Settings};
use image_build::{Builder, Cache};
use tfplugin_rs::{
    Attribute, ConfigureRequest, Configured, DataSource, Diagnostic, Diagnostics, Path, Provider, Resource,
    Schema, Shape, Type, ValidateRequest, Value, async_trait,
};

use crate::{access::Access, image::ImageResource, image_data::ImageData, report::Report};

/// What registries are told about who asks.
const USER_AGENT: &str = concat!("terraform-provider-ecr/", env!("CARGO_PKG_VERSION"));

/// The provider `ecr`.
#[derive(Default)]
pub(crate) struct EcrProvider(Configured<Access>);

#[async_trait]
impl Provider for EcrProvider {
    fn schema(&self) -> Schema {
        schema()
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(ImageResource(self.0.clone()))]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(ImageData(self.0.clone()))]
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        check(&request.config)
    }

    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if let Some(access) = diagnostics.collect(access(&request).await) {
            self.0.set(access);
        }
        diagnostics
    }
}

fn schema() -> Schema {
    let text = |name, description| Attribute::optional(name, Type::String).describe(description);
    let attributes = [
        text("region", "The AWS region. Each ECR registry names its own; this is for everything else."),
        text("profile", "The profile of AWS's configuration files to use."),
        text("access_key", "An AWS access key; better left to the environment, a profile or a role."),
        text("secret_key", "Its secret.").sensitive(),
        text("token", "The session token of temporary keys.").sensitive(),
        Attribute::optional(
            "endpoints",
            Shape::single([text("ecr", "The URL of ECR's API, such as that of a private link.")]),
        )
        .describe("Where AWS's services are reached, if not at their usual place."),
        Attribute::optional("registry_endpoints", Type::map(Type::String)).describe(
            "Where registries are reached, if not where their name says: host to `http(s)://host[:port][/prefix]`. \
             Also taken from the variable `EKS_DEPLOY_REGISTRY_ENDPOINTS`, as `host=url,host=url`.",
        ),
        builder(),
    ];
    let schema = Schema::new().describe(
        "Builds service images and pushes them to Amazon ECR. Without settings, AWS's usual ones apply: \
         environment, profiles, roles.",
    );
    attributes.into_iter().fold(schema, Schema::attribute)
}

fn builder() -> Attribute {
    let endpoint = Attribute::required("address", Type::String)
        .describe("The socket of Docker's daemon, `unix:///var/run/docker.sock`.");
    let endpoints = Attribute::optional("endpoints", Shape::list([endpoint])).describe(
        "Where the builder is: one socket. Default: `DOCKER_HOST`, else the usual places of Docker's socket.",
    );
    Attribute::optional("builder", Shape::single([endpoints]))
        .describe("What builds Dockerfiles. Images made of `files` need no builder, and a plan never does.")
}

fn check(config: &Value) -> Diagnostics {
    let mut problems = registry_endpoints(config).err().unwrap_or_default();
    problems.extend(builder_of(config).err().into_iter().flatten());
    for (given, missing) in
        [("access_key", "secret_key"), ("secret_key", "access_key"), ("token", "access_key")]
    {
        if !config.get(given).is_null() && config.get(missing).is_null() {
            let detail = "Keys are written together, or all left to the environment, a profile or a role.";
            problems
                .push(Diagnostic::error(format!("`{given}` is given without `{missing}`"), detail).at(given));
        }
    }
    problems
}

/// The mappings of the configuration, as far as they are known.
fn registry_endpoints(config: &Value) -> Result<Endpoints, Diagnostics> {
    let map = config.get("registry_endpoints");
    let known = map.view().settled::<Option<BTreeMap<String, String>>>()?;
    let known = known.flatten().unwrap_or_default();
    Endpoints::parse(&known).map_err(|error| error.report().at("registry_endpoints").into())
}

async fn access(request: &ConfigureRequest) -> Result<Access, Diagnostics> {
    let known = request.config.is_wholly_known();
    let registry = if known { Some(registry(&request.config).await?) } else { None };
    let cache = Cache::from_environment(|name| std::env::var(name).ok());
    Ok(Access::new(registry, builder_of(&request.config)?, cache, &request.terraform_version))
}

fn builder_of(config: &Value) -> Result<Builder, Diagnostics> {
    let endpoints = config.get("builder").get("endpoints").as_list().unwrap_or_default();
    let path = Path::from("builder").attribute("endpoints");
    match endpoints {
        [] => Ok(Builder::from_environment(|name| std::env::var(name).ok())),
        [endpoint] => {
            let address = endpoint.get("address");
            let socket = address.as_str().and_then(|text| text.strip_prefix("unix://"));
            match socket {
                Some(socket) => Ok(Builder::docker(socket)),
                None if address.is_unknown() => Ok(Builder::default()),
                None => {
                    let summary = "The address of the builder is not that of a socket";
                    let detail = "Write it as unix:///path/of/docker.sock.";
                    Err(Diagnostic::error(summary, detail).at(path.index(0).attribute("address")).into())
                }
            }
        }
        several => {
            let summary = format!("{} builders are given, and one is used", several.len());
            Err(Diagnostic::error(summary, "Remove the others.").at(path).into())
        }
    }
}

async fn registry(config: &Value) -> Result<Registry, Diagnostics> {
    let variable = std::env::var(ENDPOINTS_VARIABLE).unwrap_or_default();
    let of_environment = Endpoints::parse_text(&variable).map_err(|error| error.report())?;
    let settings = Settings {
        aws: Some(aws(config).await),
        endpoints: registry_endpoints(config)?.or(of_environment),
        user_agent: USER_AGENT.to_owned(),
        ..Settings::default()
    };
    let settings = settings.with_logins_of_user(|name| std::env::var_os(name));
    let settings = settings.with_network_of_machine(|name| std::env::var_os(name));
    settings.and_then(Registry::new).map_err(|error| error.report().into())
}

/// AWS's own chain with what the configuration says put before it. Nothing is asked yet.
async fn aws(config: &Value) -> SdkConfig {
    let text = |name: &str| config.get(name).as_str().map(str::to_owned);
    let profile = text("profile");
    let of_profile = profile.iter().fold(ProfileFileRegionProvider::builder(), ProfileBuilder::profile_name);
    // Not the instance's metadata: each ECR registry names its region, and off EC2 the question takes seconds.
    let region = RegionProviderChain::first_try(text("region").map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(of_profile.build());
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let (Some(key), Some(secret)) = (text("access_key"), text("secret_key")) {
        loader = loader.credentials_provider(Credentials::new(
            key,
            secret,
            text("token"),
            None,
            "provider settings",
        ));
    }
    let aws = loader.load().await;
    let Some(endpoint) = config.get("endpoints").get("ecr").as_str() else { return aws };
    let mut builder = aws.into_builder().endpoint_url(endpoint);
    // What is written goes before AWS_ENDPOINT_URL_ECR.
    builder.insert_origin("endpoint_url", Origin::shared_config());
    builder.build()
}
