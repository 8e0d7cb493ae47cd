//! Whether what is kept is what would be generated, and what the registry's own checks accept.

use std::path::Path;

use serde_json::Value;
use tfplugin_rs::{
    testing::{Documentation, document, wire::Host},
    wire::tfplugin6::{get_provider_schema, get_resource_identity_schemas},
};

const ADDRESS: &str = "registry.terraform.io/eks-deploy/ecr";

#[tokio::test]
#[ignore = "needs tfplugindocs"]
async fn is_up_to_date_and_valid() {
    let tool = std::env::var_os("TFPLUGIN_TEST_TFPLUGINDOCS").expect("TFPLUGIN_TEST_TFPLUGINDOCS names it");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (examples, pages) = (root.join("../examples"), root.join("docs"));
    let documentation =
        Documentation { tool: tool.as_ref(), provider: "ecr", examples: &examples, pages: &pages };
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let outdated = documentation.outdated(&schema().await, update).unwrap();
    assert!(outdated.is_empty(), "run again with UPDATE_GOLDEN=1: {outdated:?}");
}

/// What the provider says of itself.
async fn schema() -> Value {
    let program = env!("CARGO_BIN_EXE_terraform-provider-ecr");
    let client = Host::new(program).start().await.unwrap().client().await.unwrap();
    let mut calls = client.calls();
    let schema = calls.get_provider_schema(get_provider_schema::Request {}).await.unwrap();
    let identities =
        calls.get_resource_identity_schemas(get_resource_identity_schemas::Request {}).await.unwrap();
    client.shutdown().await.unwrap();
    document(ADDRESS, schema.get_ref(), identities.into_inner().identity_schemas)
}
