//! Things that are not for now, in every place where that may be said.

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Configured, DataSource, Deferral, Diagnostic, Diagnostics,
    ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadDataRequest, ReadDataResponse, ReadRequest,
    ReadResponse, Resource, Schema, Type, Value, async_trait,
};

/// `corner_deferred`, resource and data source: waits for whatever is unknown, and in the call that its
/// argument names.
pub(crate) struct Deferred {
    /// Whether the provider itself waits for its configuration.
    pub(crate) provider: Configured<bool>,
}

impl Deferred {
    fn reason(&self, value: &Value, call: &str) -> Option<Deferral> {
        if self.provider.get().is_ok_and(|waits| *waits) {
            return Some(Deferral::ProviderConfigUnknown);
        }
        if value.get("name").is_unknown() {
            return Some(Deferral::ResourceConfigUnknown);
        }
        let named = value.get("waits_in").as_str() == Some(call);
        named.then_some(Deferral::AbsentPrerequisite)
    }
}

#[async_trait]
impl Resource for Deferred {
    fn type_name(&self) -> &'static str {
        "corner_deferred"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::required("name", Type::String).describe("Not `invalid`."))
            .attribute(Attribute::optional("waits_in", Type::String).describe("`plan`, `read` or `import`."))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let deferred = self.reason(&request.state, "read");
        Ok(ReadResponse { deferred, ..request.unchanged() })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        if request.proposed.get("name").as_str() == Some("invalid") {
            return Err(Diagnostic::error("This name is invalid", "").at("name").into());
        }
        let deferred = self.reason(&request.proposed, "plan");
        Ok(PlanResponse { planned: request.proposed, deferred, ..PlanResponse::default() })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        Ok(ApplyResponse { state: request.planned, ..ApplyResponse::default() })
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let deferred = (request.id.as_deref() == Some("later")).then_some(Deferral::AbsentPrerequisite);
        let state = Value::object([("name", request.id.into())]);
        Ok(ImportResponse { state, deferred, ..ImportResponse::default() })
    }
}

#[async_trait]
impl DataSource for Deferred {
    fn type_name(&self) -> &'static str {
        "corner_deferred"
    }

    fn schema(&self) -> Schema {
        Schema::new().attribute(Attribute::optional("waits_in", Type::String))
    }

    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        let deferred = self.reason(&request.config, "read");
        Ok(ReadDataResponse { state: request.config, deferred, ..ReadDataResponse::default() })
    }
}
