//! The resource `ecr_image`: an image built from source, pushed, and named by tags.
//!
//! Look, decide, act: [`read`] and [`plan`] look, [`decision`] decides, [`apply`] alone writes.

mod after;
mod apply;
mod arguments;
mod decision;
mod import;
mod lookup;
mod memory;
mod moved;
mod plan;
mod read;
mod remove;
mod schema;
mod seen;
mod state;
mod tags;
mod warnings;

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Configured, Diagnostics, ImportRequest, ImportResponse, MoveRequest,
    MoveResponse, Operation, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource, Schema,
    ValidateRequest, async_trait,
};

use crate::access::Access;

pub(crate) use decision::Client;
pub(crate) use lookup::{Found, find};
pub(crate) use memory::Content;
pub(crate) use read::observe;

/// The resource `ecr_image`.
pub(crate) struct ImageResource(pub(crate) Configured<Access>);

#[async_trait]
impl Resource for ImageResource {
    fn type_name(&self) -> &'static str {
        "ecr_image"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        arguments::check(&request.config)
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        read::read(&*self.0.get()?, request).await
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        match request.operation() {
            Operation::Destroy => remove::plan(&*self.0.get()?, request).await,
            Operation::Create | Operation::Update => plan::plan(&*self.0.get()?, request).await,
        }
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        apply::apply(&*self.0.get()?, request).await
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        import::import(&*self.0.get()?, request).await
    }

    fn moves_from(&self) -> bool {
        true
    }

    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        moved::moved(&request)
    }
}
