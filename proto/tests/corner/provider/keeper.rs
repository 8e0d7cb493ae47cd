//! A resource that keeps what it is told, told apart from others by a schema and a few functions.

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Diagnostics, ImportRequest, ImportResponse, Operation, PlanRequest,
    PlanResponse, ReadRequest, ReadResponse, Resource, Schema, Value, async_trait,
};

/// A resource without a world behind it. It plans as its schema says.
pub(crate) struct Keeper {
    name: &'static str,
    schema: Schema,
    judge: fn(&PlanRequest) -> Diagnostics,
    decide: fn(&ApplyRequest, &str) -> Result<Value, Diagnostics>,
    id: &'static str,
}

impl Keeper {
    /// One that accepts everything and computes nothing.
    pub(crate) fn new(name: &'static str, schema: Schema) -> Self {
        let judge: fn(&PlanRequest) -> Diagnostics = |_| Diagnostics::new();
        Self { name, schema, judge, decide: |_, _| Ok(Value::Null), id: "id" }
    }

    /// Judges plans.
    pub(crate) fn judging(self, judge: fn(&PlanRequest) -> Diagnostics) -> Self {
        Self { judge, ..self }
    }

    /// Decides at apply, by its path, what the plan left unknown.
    pub(crate) fn deciding(self, decide: fn(&ApplyRequest, &str) -> Result<Value, Diagnostics>) -> Self {
        Self { decide, ..self }
    }

    /// Is imported into this attribute.
    pub(crate) fn imported_as(self, id: &'static str) -> Self {
        Self { id, ..self }
    }
}

#[async_trait]
impl Resource for Keeper {
    fn type_name(&self) -> &str {
        self.name
    }

    fn schema(&self) -> Schema {
        self.schema.clone()
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let diagnostics = (self.judge)(&request);
        Ok(PlanResponse { diagnostics, ..by_schema(&self.schema, &request) })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        if request.operation() == Operation::Destroy {
            return Ok(ApplyResponse::default());
        }
        let mut diagnostics = Diagnostics::new();
        let state = request.planned.clone().map(&mut |path, value| {
            if value.is_known() {
                return value;
            }
            diagnostics.collect((self.decide)(&request, &path.to_string())).unwrap_or_default()
        });
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        Ok(ApplyResponse { state, ..ApplyResponse::default() })
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let state = Value::object([(self.id, request.id.into())]);
        Ok(ImportResponse { state, ..ImportResponse::default() })
    }
}

/// The plan that a schema makes.
pub(crate) fn by_schema(schema: &Schema, request: &PlanRequest) -> PlanResponse {
    let plan = schema.plan(&request.prior, &request.proposed, &request.config);
    PlanResponse {
        planned: plan.planned,
        requires_replace: plan.requires_replace,
        diagnostics: plan.diagnostics,
        ..PlanResponse::default()
    }
}
