//! Managed resources: things with a life of their own that Terraform creates, changes and destroys.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    ClientCapabilities, Deferral, Diagnostic, Diagnostics, IdentitySchema, Path, Private, Schema,
    ValidateRequest, Value,
};

/// A managed resource.
///
/// In every answer this library fills in absent attributes as null and absent repeated blocks as
/// empty, sorts sets, makes write-only attributes null and checks the result against the schema; an
/// answer Terraform would call "a bug in the provider" becomes a diagnostic that says where.
/// An `Err` stands for "failed, and nothing changed".
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// Its full name, such as `ecr_image`.
    fn type_name(&self) -> &str;

    /// Its schema.
    fn schema(&self) -> Schema;

    /// The schema of its identity, if it has one.
    fn identity(&self) -> Option<IdentitySchema> {
        None
    }

    /// Checks a configuration as far as it is known, without network. The provider may not be configured.
    /// Runs again before each plan, with more of it known.
    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let _ = request;
        Diagnostics::new()
    }

    /// Brings state that may have been written by an older version into the present form. As it stands:
    /// attributes the schema no longer has are dropped, new ones are null; enough as long as no
    /// attribute changes its type or meaning.
    async fn upgrade(&self, request: UpgradeRequest) -> Result<Value, Diagnostics> {
        Ok(self.schema().decode_state(&request.state)?)
    }

    /// Looks how the thing is now. Writes nothing. There is no configuration here.
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics>;

    /// Says what apply will do. Runs again during apply, with more known, and must not contradict itself:
    /// what was known stays as it was. Writes nothing.
    ///
    /// `planned` starts from `proposed`: what is configured stays as configured, or as it was in `prior`
    /// if that means the same; computed attributes become their value, or unknown. Also called for
    /// destroying, for its diagnostics and private data alone: `planned` is null then, whatever the
    /// answer says.
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics>;

    /// Creates, updates or destroys, and is the only one to write. Keeps running if Terraform goes away.
    ///
    /// A failure half-way is `Ok` with the state as it is now and the error among the diagnostics: a
    /// resource being created is then kept as tainted.
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics>;

    /// Takes over a thing that exists already.
    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let _ = request;
        let summary = format!("`{}` cannot be imported", self.type_name());
        Err(Diagnostic::error(summary, "Write it into the configuration and apply.").into())
    }

    /// Whether [`Resource::moved`] takes over anything.
    fn moves_from(&self) -> bool {
        false
    }

    /// Takes over the state of a resource of another type, perhaps of another provider, when the user
    /// writes a `moved` block. No network: reading comes next.
    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        Err(request.refused(self.type_name()).into())
    }

    /// Brings an identity that may have been written by an older version into the present form. As it
    /// stands: parts the schema no longer has are dropped, new ones are null.
    async fn upgrade_identity(&self, request: UpgradeIdentityRequest) -> Result<Value, Diagnostics> {
        let schema = self.identity().unwrap_or_default();
        Ok(Value::from_json(&request.identity, &schema.implied_type())?)
    }

    /// Writes the configuration that would have led to a state, for a resource that was imported or
    /// found. As it stands: what the user can set, as it is in the state.
    async fn generate_config(&self, request: GenerateRequest) -> Result<Value, Diagnostics> {
        Ok(self.schema().configurable(request.state))
    }
}

/// State to bring up to date.
#[derive(Clone, Debug, Default)]
pub struct UpgradeRequest {
    /// The version of the schema it was written with.
    pub version: i64,
    /// The state as the schema of that version had it.
    pub state: serde_json::Value,
}

/// A resource to look at.
#[derive(Clone, Debug, Default)]
pub struct ReadRequest {
    /// What Terraform remembers.
    pub state: Value,
    /// Private data of the state.
    pub private: Private,
    /// Identity of the state.
    pub identity: Option<Value>,
    /// What the module says in `provider_meta`; null without.
    pub provider_meta: Value,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// How it is.
#[derive(Clone, Debug, Default)]
pub struct ReadResponse {
    /// Null if it is gone. Wholly known.
    pub state: Value,
    /// Replaces the private data of the state.
    pub private: Private,
    /// Replaces the identity of the state.
    pub identity: Option<Value>,
    /// If it has to wait, why. The state stays as it was then.
    pub deferred: Option<Deferral>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl ReadRequest {
    /// The answer "as remembered".
    pub fn unchanged(self) -> ReadResponse {
        let Self { state, private, identity, .. } = self;
        ReadResponse { state, private, identity, ..ReadResponse::default() }
    }
}

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// There was nothing before.
    Create,
    /// It goes on, perhaps without any change.
    Update,
    /// There will be nothing after.
    Destroy,
}

impl Operation {
    pub(crate) fn from(before: &Value, after: &Value) -> Self {
        match (before.is_null(), after.is_null()) {
            (_, true) => Self::Destroy,
            (true, false) => Self::Create,
            (false, false) => Self::Update,
        }
    }
}

/// A change to plan.
#[derive(Clone, Debug, Default)]
pub struct PlanRequest {
    /// The state; null if there is none, or if it is to be replaced.
    pub prior: Value,
    /// `prior` merged with `config` by Terraform; null for destroying.
    pub proposed: Value,
    /// As written, write-only values included; may hold unknowns. Null for destroying.
    pub config: Value,
    /// Private data of the state, as read or applied last. In the second half of a replacement: what the
    /// first half planned.
    pub prior_private: Private,
    /// Private data the plan gave when this is the plan made again during apply and the client keeps it
    /// ([`ClientCapabilities::stores_planned_private`]). Empty private data comes back as `None`.
    pub planned_private: Option<Private>,
    /// Identity of the state.
    pub prior_identity: Option<Value>,
    /// What the module says in `provider_meta`; null without.
    pub provider_meta: Value,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

impl PlanRequest {
    /// What is asked for.
    pub fn operation(&self) -> Operation {
        Operation::from(&self.prior, &self.proposed)
    }
}

/// A planned change.
#[derive(Clone, Debug, Default)]
pub struct PlanResponse {
    /// The state after apply, unknown where that decides.
    pub planned: Value,
    /// Attributes whose change cannot be made in place. Those that did not change are left out by Terraform.
    pub requires_replace: Vec<Path>,
    /// Goes to apply (and to a plan made again, see [`PlanRequest::planned_private`]).
    pub private: Private,
    /// The identity after apply. Sent only if wholly known, for clients differ about the rest.
    pub identity: Option<Value>,
    /// If it has to wait, why. `planned` is what is known about it already.
    pub deferred: Option<Deferral>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// A change to make.
#[derive(Clone, Debug, Default)]
pub struct ApplyRequest {
    /// The state; null for creating.
    pub prior: Value,
    /// What was planned; null for destroying.
    pub planned: Value,
    /// As written, wholly known, write-only values included. Null for destroying.
    pub config: Value,
    /// Private data of the plan.
    pub private: Private,
    /// Identity of the plan.
    pub identity: Option<Value>,
    /// What the module says in `provider_meta`; null without.
    pub provider_meta: Value,
    /// Cancelled when the user interrupts: stop soon, and answer with what was reached.
    pub cancellation: CancellationToken,
}

impl ApplyRequest {
    /// What is asked for.
    pub fn operation(&self) -> Operation {
        Operation::from(&self.prior, &self.planned)
    }
}

/// What was reached.
#[derive(Clone, Debug, Default)]
pub struct ApplyResponse {
    /// The state now: wholly known, and as planned wherever the plan was known. Null if nothing is
    /// (left) there. With an error among the diagnostics, what is still unknown becomes null.
    pub state: Value,
    /// Private data of the new state.
    pub private: Private,
    /// Identity of the new state.
    pub identity: Option<Value>,
    /// Warnings, and errors if it stopped half-way.
    pub diagnostics: Diagnostics,
}

/// Something to take over. Exactly one of `id` and `identity` is given.
#[derive(Clone, Debug, Default)]
pub struct ImportRequest {
    /// What the user wrote.
    pub id: Option<String>,
    /// What the user wrote, in attributes; missing ones are null.
    pub identity: Option<Value>,
    /// What the client understands.
    pub client: ClientCapabilities,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// What was taken over; [`Resource::read`] is called next with it.
#[derive(Clone, Debug, Default)]
pub struct ImportResponse {
    /// Enough of the state for reading it.
    pub state: Value,
    /// Private data of the state.
    pub private: Private,
    /// Identity of the state; needed when it was imported by identity.
    pub identity: Option<Value>,
    /// If it has to wait, why.
    pub deferred: Option<Deferral>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// A resource of another type whose state is to be taken over.
#[derive(Clone, Debug, Default)]
pub struct MoveRequest {
    /// The address of the provider it belongs to, such as `registry.terraform.io/hashicorp/null`.
    pub source_provider: String,
    /// Its type, such as `null_resource`.
    pub source_type: String,
    /// The version of the schema its state was written with.
    pub source_version: i64,
    /// Its state, as that schema had it.
    pub state: serde_json::Value,
    /// Its private data; empty if another provider wrote it in a form of its own.
    pub private: Private,
    /// Its identity, if it has one.
    pub identity: Option<serde_json::Value>,
    /// The version of the schema its identity was written with.
    pub identity_version: i64,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

impl MoveRequest {
    /// The error that this is not a resource to take over from.
    pub fn refused(&self, target_type: &str) -> Diagnostic {
        let Self { source_type, source_provider, source_version, .. } = self;
        Diagnostic::error(
            format!("`{source_type}` cannot become `{target_type}`"),
            format!(
                "The state of a `{source_type}` of {source_provider}, version {source_version}, is none that \
                 this resource takes over. Import it instead, and remove the old one from the state."
            ),
        )
    }
}

/// What was taken over; [`Resource::read`] is called next with it.
#[derive(Clone, Debug, Default)]
pub struct MoveResponse {
    /// The state in the new form, wholly known.
    pub state: Value,
    /// Private data of the state.
    pub private: Private,
    /// Identity of the state.
    pub identity: Option<Value>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// An identity to bring up to date.
#[derive(Clone, Debug, Default)]
pub struct UpgradeIdentityRequest {
    /// The version of the identity's schema it was written with.
    pub version: i64,
    /// The identity as the schema of that version had it.
    pub identity: serde_json::Value,
}

/// A state to write a configuration for.
#[derive(Clone, Debug, Default)]
pub struct GenerateRequest {
    /// The state.
    pub state: Value,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}
