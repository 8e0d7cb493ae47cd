//! A data source that is never the same twice.

use std::time::{SystemTime, UNIX_EPOCH};

use tfplugin_rs::{
    Attribute, DataSource, Diagnostics, ReadDataRequest, ReadDataResponse, Schema, Type, async_trait,
};

/// `corner_time`: the time, in whole seconds since 1970.
pub(crate) struct Time;

#[async_trait]
impl DataSource for Time {
    fn type_name(&self) -> &'static str {
        "corner_time"
    }

    fn schema(&self) -> Schema {
        Schema::new().attribute(Attribute::computed("current", Type::String))
    }

    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
        let state = request.config.with("current", seconds.to_string());
        Ok(ReadDataResponse { state, ..ReadDataResponse::default() })
    }
}
