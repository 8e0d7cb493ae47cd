//! A provider that plans by its schema keeps all of Terraform's rules, whatever the schema.

use std::sync::{Arc, LazyLock};

use proptest::{collection::vec, prelude::*, test_runner::TestCaseResult};
use tfplugin_rs::{
    ApplyRequest, ApplyResponse, ConfigureRequest, DataSource, Diagnostics, PlanRequest, PlanResponse,
    Provider, ReadRequest, ReadResponse, Resource, Schema, Step, Value, async_trait,
    testing::{Core, State},
};
use tokio::runtime::Runtime;

use crate::schemas;

const NAME: &str = "any_thing";

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn plans_by_the_schema_are_accepted((schema, story) in schema_and_story()) {
        RUNTIME.block_on(live(schema, story))?;
    }
}

/// A configuration, and which parts of it are not known while planning.
#[derive(Clone, Debug)]
struct Written {
    config: Value,
    unknown: Vec<bool>,
}

fn schema_and_story() -> impl Strategy<Value = (Schema, Vec<Written>)> {
    schemas::schema().prop_flat_map(|schema| {
        let written = (schemas::config(&schema), vec(prop::bool::weighted(0.2), 40))
            .prop_map(|(config, unknown)| Written { config, unknown });
        (Just(schema), vec(written, 1..4))
    })
}

/// Creates, changes what it then is in every plan that follows, and finds nothing to do after each.
async fn live(schema: Schema, story: Vec<Written>) -> TestCaseResult {
    let core = Core::new(ByTheSchema(schema.clone()));
    let faults = core.schema_faults().await;
    prop_assert_eq!(faults.map_err(failed("load"))?, Vec::<String>::new());
    let mut state = State::default();
    for written in story {
        let planning = masked(&schema, &written);
        let planned = core.plan(NAME, &state, planning).await.map_err(failed("plan"))?;
        let applied = core.apply(NAME, planned, written.config.clone()).await;
        state = applied.map_err(|(_, errors)| failed("apply")(errors))?;
        let again = core.plan(NAME, &state, written.config).await.map_err(failed("second plan"))?;
        prop_assert!(again.is_empty(), "{:?}\ninstead of\n{:?}", again.value, state.value);
    }
    Ok(())
}

fn failed(when: &'static str) -> impl Fn(Diagnostics) -> TestCaseError {
    move |errors| TestCaseError::fail(format!("{when}: {errors:?}"))
}

/// The configuration with attributes unknown that are not known yet.
fn masked(schema: &Schema, written: &Written) -> Value {
    let mut unknown = written.unknown.iter().copied();
    written.config.clone().map(&mut |path, value| {
        let is_attribute = schema.attribute_at(path).is_some_and(|attribute| {
            path.steps().last() == Some(&Step::Attribute(attribute.name().to_owned()))
        });
        if is_attribute && !value.is_null() && unknown.next() == Some(true) { Value::Unknown } else { value }
    })
}

struct ByTheSchema(Schema);

#[async_trait]
impl Provider for ByTheSchema {
    fn schema(&self) -> Schema {
        Schema::new()
    }
    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(Self(self.0.clone()))]
    }
    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![]
    }
    async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
        Diagnostics::new()
    }
}

#[async_trait]
impl Resource for ByTheSchema {
    fn type_name(&self) -> &'static str {
        NAME
    }
    fn schema(&self) -> Schema {
        self.0.clone()
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let plan = self.0.plan(&request.prior, &request.proposed, &request.config);
        Ok(PlanResponse {
            planned: plan.planned,
            requires_replace: plan.requires_replace,
            diagnostics: plan.diagnostics,
            ..PlanResponse::default()
        })
    }
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let state = request.planned.map(&mut |path, value| {
            if value.is_known() { value } else { schemas::found(self.0.attribute_at(path)) }
        });
        Ok(ApplyResponse { state, ..ApplyResponse::default() })
    }
}
