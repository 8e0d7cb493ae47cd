//! What the provider says that it has.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use tonic::Request;

use super::parts::{Parts, lines};
use crate::{
    Attribute, ConfigureRequest, DataSource, Diagnostics, Provider, Resource, Schema, Type,
    service::{Service, tests::SOUND},
    wire::tfplugin6::{
        ServerCapabilities, get_functions, get_metadata, get_provider_schema, get_resource_identity_schemas,
        provider_server::Provider as _,
    },
};

#[tokio::test]
async fn everything_is_in_the_schema() {
    let service = Parts::default().service();
    let answer = service.get_provider_schema(Request::new(get_provider_schema::Request {})).await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    for schemas in [
        answer.resource_schemas,
        answer.data_source_schemas,
        answer.ephemeral_resource_schemas,
        answer.list_resource_schemas,
        answer.state_store_schemas,
        answer.action_schemas.into_iter().map(|(name, action)| (name, action.schema.unwrap())).collect(),
    ] {
        let schema = &schemas["thing"];
        assert_eq!((schemas.len(), schema.version, schema.block.is_some()), (1, 2, true));
    }
    assert_eq!(answer.provider_meta.unwrap().block.unwrap().attributes[0].name, "module");
    let capabilities = ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
        generate_resource_config: true,
    };
    assert_eq!(answer.server_capabilities, Some(capabilities));

    let answer = service.get_functions(Request::new(get_functions::Request {})).await.unwrap().into_inner();
    let functions = answer.functions;
    let join = &functions["join"];
    assert_eq!((functions.len(), join.parameters.len()), (3, 1));
    let variadic = join.variadic_parameter.as_ref().unwrap();
    assert_eq!(
        (variadic.name.as_str(), variadic.allow_null_value, variadic.allow_unknown_values),
        ("parts", true, false)
    );
    assert_eq!(join.r#return.as_ref().unwrap().r#type, json!("string").to_string().into_bytes());
    let echo = &functions["echo"];
    assert_eq!(
        (echo.summary.as_str(), echo.deprecation_message.as_str()),
        ("says it again", "Say it yourself.")
    );

    let request = Request::new(get_resource_identity_schemas::Request {});
    let answer = service.get_resource_identity_schemas(request).await.unwrap().into_inner();
    let identity = &answer.identity_schemas["thing"];
    assert_eq!((identity.version, identity.identity_attributes[0].required_for_import), (1, true));
}

#[tokio::test]
async fn only_what_is_there_is_claimed() {
    let service = Service::new(SOUND);
    let answer = service.get_metadata(Request::new(get_metadata::Request {})).await.unwrap().into_inner();
    let can = answer.server_capabilities.unwrap();
    assert_eq!((can.move_resource_state, can.generate_resource_config), (false, true));

    let service = Parts::default().service();
    let answer = service.get_metadata(Request::new(get_metadata::Request {})).await.unwrap().into_inner();
    assert_eq!(answer.resources, [get_metadata::ResourceMetadata { type_name: "thing".to_owned() }]);
    let functions: Vec<_> = answer.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(functions, ["echo", "join", "odd"]);
    let counts = [
        answer.data_sources.len(),
        answer.ephemeral_resources.len(),
        answer.list_resources.len(),
        answer.state_stores.len(),
        answer.actions.len(),
    ];
    assert_eq!(counts, [1; 5]);
}

/// A provider that Terraform would not load.
struct Refused;

#[async_trait]
impl Provider for Refused {
    fn schema(&self) -> Schema {
        Schema::new().attribute(Attribute::optional("Region", Type::String))
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        Vec::new()
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        Vec::new()
    }

    async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
        Diagnostics::new()
    }
}

#[tokio::test]
async fn a_provider_terraform_would_refuse_says_why() {
    let service = Service::new(Refused);
    let answer = service.get_provider_schema(Request::new(get_provider_schema::Request {})).await;
    let expected = "error: Terraform would refuse this provider: This is a bug in the provider, please report it: \
        the provider: `Region` may consist of a-z, 0-9 and _ only.";
    assert_eq!(lines(&answer.unwrap().into_inner().diagnostics), [expected]);
}
