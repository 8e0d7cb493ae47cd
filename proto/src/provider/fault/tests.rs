use std::sync::Arc;

use async_trait::async_trait;

use super::*;
use crate::{
    Action, Attribute, CallRequest, ConfigureRequest, DataSource, Diagnostics, Found, FunctionError,
    InvokeRequest, ListRequest, ListResource, Progress, ReadDataRequest, ReadDataResponse, Resource,
    Signature, Value,
};
use crate::{ApplyRequest, ApplyResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse};

/// A part of any kind that is there for its name and schema alone.
#[derive(Clone, Default)]
struct Part {
    name: &'static str,
    schema: Schema,
    identity: Option<IdentitySchema>,
    signature: Option<Signature>,
}

#[derive(Default)]
struct Parts {
    schema: Schema,
    resources: Vec<Part>,
    data_sources: Vec<Part>,
    list_resources: Vec<Part>,
    actions: Vec<Part>,
    functions: Vec<Part>,
}

#[async_trait]
impl Provider for Parts {
    fn schema(&self) -> Schema {
        self.schema.clone()
    }
    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        self.resources.iter().map(|part| Arc::new(part.clone()) as Arc<dyn Resource>).collect()
    }
    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        self.data_sources.iter().map(|part| Arc::new(part.clone()) as Arc<dyn DataSource>).collect()
    }
    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        self.list_resources.iter().map(|part| Arc::new(part.clone()) as Arc<dyn ListResource>).collect()
    }
    fn actions(&self) -> Vec<Arc<dyn Action>> {
        self.actions.iter().map(|part| Arc::new(part.clone()) as Arc<dyn Action>).collect()
    }
    fn functions(&self) -> Vec<Arc<dyn Function>> {
        self.functions.iter().map(|part| Arc::new(part.clone()) as Arc<dyn Function>).collect()
    }
    async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
        Diagnostics::new()
    }
}

#[async_trait]
impl Resource for Part {
    fn type_name(&self) -> &str {
        self.name
    }
    fn schema(&self) -> Schema {
        self.schema.clone()
    }
    fn identity(&self) -> Option<IdentitySchema> {
        self.identity.clone()
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }
    async fn plan(&self, _: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        Ok(PlanResponse::default())
    }
    async fn apply(&self, _: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        Ok(ApplyResponse::default())
    }
}

#[async_trait]
impl DataSource for Part {
    fn type_name(&self) -> &str {
        self.name
    }
    fn schema(&self) -> Schema {
        self.schema.clone()
    }
    async fn read(&self, _: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        Ok(ReadDataResponse::default())
    }
}

#[async_trait]
impl ListResource for Part {
    fn type_name(&self) -> &str {
        self.name
    }
    fn schema(&self) -> Schema {
        self.schema.clone()
    }
    async fn list(&self, _: ListRequest, _: Found) -> Result<(), Diagnostics> {
        Ok(())
    }
}

#[async_trait]
impl Action for Part {
    fn type_name(&self) -> &str {
        self.name
    }
    fn schema(&self) -> Schema {
        self.schema.clone()
    }
    async fn invoke(&self, _: InvokeRequest, _: Progress) -> Result<(), Diagnostics> {
        Ok(())
    }
}

#[async_trait]
impl Function for Part {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> Signature {
        self.signature.clone().unwrap_or_else(|| Signature::new(Type::Bool))
    }
    async fn call(&self, _: CallRequest) -> Result<Value, FunctionError> {
        Ok(Value::Null)
    }
}

fn part(name: &'static str) -> Part {
    Part { name, ..Part::default() }
}

fn with(name: &'static str, attribute: Attribute) -> Part {
    Part { schema: Schema::new().attribute(attribute), ..part(name) }
}

fn function(name: &'static str, parameters: &[&str]) -> Part {
    let add = |signature: Signature, name: &&str| signature.parameter(Parameter::new(name, Type::Bool));
    Part { signature: Some(parameters.iter().fold(Signature::new(Type::Bool), add)), ..part(name) }
}

#[test]
fn faults() {
    let text = |name| Attribute::optional(name, Type::String);
    let named =
        Part { identity: Some(IdentitySchema::new().required("id", Type::String, "")), ..part("a_b") };
    let unnamed = Part {
        identity: Some(IdentitySchema::new().required("m", Type::map(Type::Bool), "")),
        ..part("a_b")
    };
    let variadic = Signature::new(Type::set(Type::Dynamic)).parameter(Parameter::new("x", Type::Bool));
    let variadic = variadic.variadic(Parameter::new("x", Type::Bool));
    let cases: Vec<(Parts, &[&str])> = vec![
        (
            Parts {
                schema: Schema::new().attribute(text("region")),
                resources: vec![named.clone(), with("a_c", text("secret").write_only())],
                data_sources: vec![part("a_b")],
                list_resources: vec![with("a_b", text("count"))],
                actions: vec![with("a_b", text("provider"))],
                functions: vec![function("do-it", &["x", "y"])],
            },
            &[],
        ),
        (
            Parts { schema: Schema::new().attribute(text("alias")), ..Parts::default() },
            &["the provider: `alias` is a word of Terraform's own"],
        ),
        (
            Parts { resources: vec![with("a_b", text("count")), part("a_b")], ..Parts::default() },
            &["resource `a_b`: is there twice", "resource `a_b`: `count` is a word of Terraform's own"],
        ),
        (
            Parts { resources: vec![part("1a"), with("b", text("B"))], ..Parts::default() },
            &[
                "resource `1a`: the name may consist of a-z, 0-9 and _ only, with a letter first",
                "resource `b`: `B` may consist of a-z, 0-9 and _ only",
            ],
        ),
        (
            Parts { resources: vec![unnamed], ..Parts::default() },
            &["identity of resource `a_b`: `m` must be a primitive or a list of primitives"],
        ),
        (
            Parts {
                resources: vec![Part { identity: Some(IdentitySchema::new()), ..part("a") }],
                ..Parts::default()
            },
            &["identity of resource `a`: it has no parts"],
        ),
        (
            Parts { data_sources: vec![with("a_b", text("secret").write_only())], ..Parts::default() },
            &["data source `a_b`: only managed resources can have write-only attributes"],
        ),
        (
            Parts {
                resources: vec![part("a_b")],
                list_resources: vec![part("a_b"), part("a_c")],
                ..Parts::default()
            },
            &[
                "list resource `a_b`: the resource has no identity",
                "list resource `a_c`: there is no resource of this name",
            ],
        ),
        (
            Parts { functions: vec![function("9", &["x", "x", ""]), function("9", &[])], ..Parts::default() },
            &[
                "function `9`: `9` is no name for Terraform",
                "function `9`: parameter `x` is there twice",
                "parameter of function `9`: `` is no name for Terraform",
                "function `9`: `9` is no name for Terraform",
                "function `9`: is there twice",
            ],
        ),
        (
            Parts { functions: vec![Part { signature: Some(variadic), ..part("f") }], ..Parts::default() },
            &[
                "function `f`: parameter `x` is there twice",
                "function `f`: the result is a set and cannot hold a dynamic type",
            ],
        ),
    ];
    for (provider, expected) in cases {
        let faults: Vec<_> = ProviderFault::all(&provider).iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected);
    }
}
