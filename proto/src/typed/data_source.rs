//! Data sources as Rust structs.

use async_trait::async_trait;

use super::{Call, Typed, overlaid};
use crate::{DataSource, Diagnostics, Object, ReadDataRequest, ReadDataResponse, Schema, ValidateRequest};

/// A data source whose arguments and results are a struct.
///
/// ```
/// use tfplugin_rs::{Call, Diagnostics, Field, Object, TypedDataSource, async_trait};
///
/// /// Says something louder.
/// #[derive(Object)]
/// struct Shout {
///     /// What to shout.
///     text: String,
///     /// The same, louder.
///     result: Field<String>,
/// }
///
/// struct Shouting;
///
/// #[async_trait]
/// impl TypedDataSource for Shouting {
///     type Model = Shout;
///
///     fn type_name(&self) -> &'static str {
///         "text_shout"
///     }
///
///     async fn read(&self, shout: Shout, _: &mut Call) -> Result<Shout, Diagnostics> {
///         let result = shout.text.to_uppercase().into();
///         Ok(Shout { result, ..shout })
///     }
/// }
/// ```
///
/// A provider offers it as `Arc::new(Typed(Shouting))`.
#[async_trait]
pub trait TypedDataSource: Send + Sync + 'static {
    /// Its arguments and results. What is computed is null before it is read.
    type Model: Object + Send;

    /// Its full name, such as `text_shout`.
    fn type_name(&self) -> &str;

    /// Its schema.
    fn schema(&self) -> Schema {
        Schema::of::<Self::Model>()
    }

    /// Checks what the schema cannot, see [`DataSource::validate`].
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Reads: fills in what is computed, and leaves what was configured as it is.
    async fn read(&self, config: Self::Model, call: &mut Call) -> Result<Self::Model, Diagnostics>;
}

#[async_trait]
impl<T: TypedDataSource> DataSource for Typed<T> {
    fn type_name(&self) -> &str {
        self.0.type_name()
    }

    fn schema(&self) -> Schema {
        self.0.schema()
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        self.0.validate(request).await
    }

    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        let ReadDataRequest { config, provider_meta, client, cancellation, .. } = request;
        let model = config.view().read()?;
        let mut call =
            Call { config: config.clone(), provider_meta, client, cancellation, ..Call::default() };
        let read = self.0.read(model, &mut call).await?;
        Ok(ReadDataResponse {
            state: overlaid(&config, read),
            diagnostics: call.warnings,
            ..ReadDataResponse::default()
        })
    }
}
