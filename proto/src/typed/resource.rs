//! Managed resources as Rust structs.

use async_trait::async_trait;

use super::{Call, Change, Failed, Typed, overlaid};
use crate::{
    ApplyRequest, ApplyResponse, Diagnostic, Diagnostics, GenerateRequest, IdentitySchema, ImportRequest,
    ImportResponse, MoveRequest, MoveResponse, Object, Operation, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, Resource, Schema, Timed, Timeouts, UpgradeIdentityRequest, UpgradeRequest, ValidateRequest,
    Value,
};

/// A managed resource whose state is a struct.
///
/// Its plan follows from the schema ([`Schema::plan`]), so that it says the same when it is made again.
/// What a struct reads and writes is what its fields name: other attributes of the schema, such as
/// write-only ones, stay as planned, and need no field.
///
/// ```
/// use std::{collections::BTreeMap, sync::Mutex};
/// use tfplugin_rs::{
///     Call, Diagnostic, Diagnostics, Failed, Field, ImportRequest, Object, TypedResource, async_trait,
/// };
///
/// /// A note.
/// #[derive(Object)]
/// struct Note {
///     /// Its name.
///     #[object(requires_replace)]
///     name: String,
///     /// What it says.
///     text: String,
///     /// Where it is kept.
///     #[object(default = "top")]
///     shelf: String,
///     /// How many words it has.
///     #[object(depends_on(["text"]))]
///     words: Field<u64>,
/// }
///
/// #[derive(Default)]
/// struct Notes(Mutex<BTreeMap<String, String>>);
///
/// impl Notes {
///     fn write(&self, note: Note) -> Note {
///         self.0.lock().unwrap().insert(note.name.clone(), note.text.clone());
///         let words = note.text.split_whitespace().count() as u64;
///         Note { words: words.into(), ..note }
///     }
/// }
///
/// #[async_trait]
/// impl TypedResource for Notes {
///     type Model = Note;
///
///     fn type_name(&self) -> &'static str {
///         "notes_note"
///     }
///
///     async fn create(&self, note: Note, _: &mut Call) -> Result<Note, Failed<Note>> {
///         if self.0.lock().unwrap().contains_key(&note.name) {
///             return Err(Diagnostic::error("There is such a note already", "").at("name").into());
///         }
///         Ok(self.write(note))
///     }
///
///     async fn read(&self, note: Note, _: &mut Call) -> Result<Option<Note>, Diagnostics> {
///         let text = self.0.lock().unwrap().get(&note.name).cloned();
///         Ok(text.map(|text| Note { text, ..note }))
///     }
///
///     async fn update(&self, _: Note, note: Note, _: &mut Call) -> Result<Note, Failed<Note>> {
///         Ok(self.write(note))
///     }
///
///     async fn delete(&self, note: Note, _: &mut Call) -> Result<(), Diagnostics> {
///         self.0.lock().unwrap().remove(&note.name);
///         Ok(())
///     }
/// }
/// ```
///
/// A provider offers it as `Arc::new(Typed(notes))`.
#[async_trait]
pub trait TypedResource: Send + Sync + 'static {
    /// Its state. What is computed is unknown in what [`TypedResource::create`] gets.
    type Model: Object + Send;

    /// Its full name, such as `notes_note`.
    fn type_name(&self) -> &str;

    /// Its schema, without timeouts.
    fn schema(&self) -> Schema {
        Schema::of::<Self::Model>()
    }

    /// The operations whose duration the user can limit. They are part of the schema without being part
    /// of the struct; the limit of each is [`Call::timeout`], and its own to obey.
    fn timeouts(&self) -> Option<Timeouts> {
        None
    }

    /// The schema of its identity, if it has one.
    fn identity(&self) -> Option<IdentitySchema> {
        None
    }

    /// The identity of a state, if it has one.
    fn identity_of(&self, state: &Self::Model) -> Option<Value> {
        let _ = state;
        None
    }

    /// Checks what the schema cannot, see [`Resource::validate`].
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Refines what the schema planned, for destroying too; under the rules of [`Resource::plan`].
    async fn plan(&self, change: &mut Change) -> Result<(), Diagnostics> {
        let _ = change;
        Ok(())
    }

    /// Creates what was planned, and answers with nothing unknown.
    async fn create(&self, planned: Self::Model, call: &mut Call)
    -> Result<Self::Model, Failed<Self::Model>>;

    /// Looks how it is now; `None` if it is gone.
    async fn read(&self, state: Self::Model, call: &mut Call) -> Result<Option<Self::Model>, Diagnostics>;

    /// Changes what is there into what was planned, and answers with nothing unknown.
    async fn update(
        &self,
        state: Self::Model,
        planned: Self::Model,
        call: &mut Call,
    ) -> Result<Self::Model, Failed<Self::Model>>;

    /// Removes it. What is gone already is removed.
    async fn delete(&self, state: Self::Model, call: &mut Call) -> Result<(), Diagnostics>;

    /// Looks up a thing that exists already.
    async fn import(&self, request: ImportRequest, call: &mut Call) -> Result<Self::Model, Diagnostics> {
        let _ = (request, call);
        let summary = format!("`{}` cannot be imported", self.type_name());
        Err(Diagnostic::error(summary, "Write it into the configuration and apply.").into())
    }

    /// Brings state that may have been written by an older version into the present form, see
    /// [`Resource::upgrade`].
    async fn upgrade(&self, request: UpgradeRequest) -> Result<Value, Diagnostics> {
        Ok(schema(self).decode_state(&request.state)?)
    }

    /// Brings an identity into the present form, see [`Resource::upgrade_identity`].
    async fn upgrade_identity(&self, request: UpgradeIdentityRequest) -> Result<Value, Diagnostics> {
        let schema = self.identity().unwrap_or_default();
        Ok(Value::from_json(&request.identity, &schema.implied_type())?)
    }

    /// Whether [`TypedResource::moved`] takes over anything.
    fn moves_from(&self) -> bool {
        false
    }

    /// Takes over the state of a resource of another type, see [`Resource::moved`].
    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        Err(request.refused(self.type_name()).into())
    }
}

/// The whole schema.
fn schema<T: TypedResource + ?Sized>(resource: &T) -> Schema {
    match resource.timeouts() {
        Some(timeouts) => timeouts.add_to(resource.schema()),
        None => resource.schema(),
    }
}

impl<T: TypedResource> Typed<T> {
    fn timeout(&self, value: &Value, operation: Timed) -> Result<Option<std::time::Duration>, Diagnostics> {
        Ok(self.0.timeouts().map(|timeouts| timeouts.of(value, operation)).transpose()?.flatten())
    }

    async fn change(&self, request: &ApplyRequest, call: &mut Call) -> Result<T::Model, Failed<T::Model>> {
        let planned = request.planned.view().read()?;
        if request.prior.is_null() {
            self.0.create(planned, call).await
        } else {
            self.0.update(request.prior.view().read()?, planned, call).await
        }
    }
}

#[async_trait]
impl<T: TypedResource> Resource for Typed<T> {
    fn type_name(&self) -> &str {
        self.0.type_name()
    }

    fn schema(&self) -> Schema {
        schema(&self.0)
    }

    fn identity(&self) -> Option<IdentitySchema> {
        self.0.identity()
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        self.0.validate(request).await
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Result<Value, Diagnostics> {
        self.0.upgrade(request).await
    }

    async fn upgrade_identity(&self, request: UpgradeIdentityRequest) -> Result<Value, Diagnostics> {
        self.0.upgrade_identity(request).await
    }

    fn moves_from(&self) -> bool {
        self.0.moves_from()
    }

    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        self.0.moved(request).await
    }

    async fn generate_config(&self, request: GenerateRequest) -> Result<Value, Diagnostics> {
        Ok(schema(&self.0).configurable(request.state))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let mut call = Call {
            private: request.private,
            timeout: self.timeout(&request.state, Timed::Read)?,
            provider_meta: request.provider_meta,
            client: request.client,
            cancellation: request.cancellation,
            ..Call::default()
        };
        let Some(state) = self.0.read(request.state.view().read()?, &mut call).await? else {
            return Ok(ReadResponse { diagnostics: call.warnings, ..ReadResponse::default() });
        };
        Ok(ReadResponse {
            identity: self.0.identity_of(&state).or(request.identity),
            state: overlaid(&request.state, state),
            private: call.private,
            diagnostics: call.warnings,
            ..ReadResponse::default()
        })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let PlanRequest { prior, proposed, config, .. } = request;
        let schema = schema(&self.0).plan(&prior, &proposed, &config);
        let mut change = Change {
            prior,
            config,
            planned: schema.planned,
            requires_replace: schema.requires_replace,
            private: request.prior_private,
            planned_private: request.planned_private,
            identity: request.prior_identity,
            warnings: schema.diagnostics,
            client: request.client,
            cancellation: request.cancellation,
            ..Change::default()
        };
        self.0.plan(&mut change).await?;
        Ok(PlanResponse {
            planned: change.planned,
            requires_replace: change.requires_replace,
            private: change.private,
            identity: change.identity,
            deferred: change.deferred,
            diagnostics: change.warnings,
        })
    }

    async fn apply(&self, mut request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let (limited, operation) = match request.operation() {
            Operation::Create => (&request.config, Timed::Create),
            Operation::Update => (&request.config, Timed::Update),
            Operation::Destroy => (&request.prior, Timed::Delete),
        };
        let mut call = Call {
            timeout: self.timeout(limited, operation)?,
            config: std::mem::take(&mut request.config),
            private: std::mem::take(&mut request.private),
            provider_meta: std::mem::take(&mut request.provider_meta),
            cancellation: request.cancellation.clone(),
            ..Call::default()
        };
        if operation == Timed::Delete {
            self.0.delete(request.prior.view().read()?, &mut call).await?;
            return Ok(ApplyResponse { diagnostics: call.warnings, ..ApplyResponse::default() });
        }
        let reached = match self.change(&request, &mut call).await {
            Ok(reached) => reached,
            Err(Failed { left: Some(left), diagnostics }) => {
                call.warnings.extend(diagnostics);
                *left
            }
            Err(Failed { left: None, diagnostics }) => return Err(diagnostics),
        };
        Ok(ApplyResponse {
            identity: self.0.identity_of(&reached).or(request.identity),
            state: overlaid(&request.planned, reached),
            private: call.private,
            diagnostics: call.warnings,
        })
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let cancellation = request.cancellation.clone();
        let mut call = Call { client: request.client, cancellation, ..Call::default() };
        let given = request.identity.clone();
        let state = self.0.import(request, &mut call).await?;
        Ok(ImportResponse {
            identity: self.0.identity_of(&state).or(given),
            state: state.into(),
            private: call.private,
            diagnostics: call.warnings,
            ..ImportResponse::default()
        })
    }
}
