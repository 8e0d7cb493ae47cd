//! The managed resource `files_file`.

use std::time::Duration;

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, Configured, Diagnostics, IdentitySchema, ImportRequest,
    ImportResponse, MoveRequest, MoveResponse, Operation, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, Resource, Rule, Schema, Shape, Type, Validator, Value, async_trait,
};

use crate::folder::{Folder, Found, fault, sha256};

pub(crate) const TYPE_NAME: &str = "files_file";
const CONTENTS: [&str; 2] = ["content", "content_wo"];

pub(crate) struct File(pub(crate) Configured<Folder>);

#[async_trait]
impl Resource for File {
    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> Schema {
        let path = Validator::text("a path below the provider's `root`", |path| fault(path).is_none());
        let mode = Validator::text("four octal digits", |mode| {
            mode.len() == 4 && u32::from_str_radix(mode, 8).is_ok()
        });
        let attributes = [
            Attribute::required("path", Type::String).describe("Where it is, below the provider's `root`.")
                .validate(path).requires_replace(),
            Attribute::optional("content", Type::String).describe("What it says."),
            Attribute::optional("content_wo", Type::String).describe("What it says, kept out of plan and state.")
                .write_only().sensitive(),
            Attribute::optional("content_wo_version", Type::Number).describe("Change it to write `content_wo` again."),
            Attribute::optional("mode", Type::String).describe("Its permissions in octal.").default("0644").validate(mode),
            Attribute::computed("sha256", Type::String).depends_on(["content"])
                .describe("The SHA-256 of `content`, in hex. Null for `content_wo`: it would be a hint at it."),
            Attribute::computed("size", Type::Number).depends_on(["content"])
                .describe("How long `content` is, in bytes. Null for `content_wo`."),
            Attribute::optional("timeouts", Shape::single(["create", "update", "delete"].map(timeout)))
                .describe("How long to wait while somebody holds the file's lock, a file with `.lock` behind its name."),
        ];
        let schema = attributes.into_iter().fold(Schema::new(), Schema::attribute);
        schema
            .describe("A text file.")
            .rule(Rule::exactly_one_of(CONTENTS))
            .rule(Rule::required_with(["content_wo", "content_wo_version"]))
    }

    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new().required(
            "path",
            Type::String,
            "Where it is, below the provider's `root`.",
        ))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        // With a folder that is not known yet nothing can have happened to the file.
        let Ok(folder) = self.0.get() else { return Ok(request.unchanged()) };
        let path: String = request.state.view().get("path").read()?;
        let identity = Some(identity(&path));
        let state = folder.find(&path)?.map_or(Value::Null, |found| seen(request.state.clone(), found));
        Ok(ReadResponse { state, identity, ..request.unchanged() })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let plan = self.schema().plan(&request.prior, &request.proposed, &request.config);
        let planned = if plan.planned.is_null() { plan.planned } else { with_results(plan.planned) };
        let identity = planned.get("path").as_str().map(identity);
        let (requires_replace, diagnostics) = (plan.requires_replace, plan.diagnostics);
        Ok(PlanResponse { planned, requires_replace, identity, diagnostics, ..Default::default() })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let folder = self.0.get()?;
        let (named, timeout) = match request.operation() {
            Operation::Create => (&request.planned, "create"),
            Operation::Update => (&request.planned, "update"),
            Operation::Destroy => (&request.prior, "delete"),
        };
        let path: String = named.view().get("path").read()?;
        folder.wait(&path, limit(named.get("timeouts").get(timeout)), &request.cancellation).await?;
        if request.operation() == Operation::Destroy {
            folder.remove(&path)?;
            return Ok(ApplyResponse::default());
        }
        let content = CONTENTS.into_iter().find_map(|name| request.config.get(name).as_str());
        let mode: String = named.view().get("mode").read()?;
        folder.write(&path, content.unwrap_or_default(), &mode)?;
        let state = with_results(request.planned);
        Ok(ApplyResponse { state, identity: Some(identity(&path)), ..Default::default() })
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let named = request.identity.unwrap_or_default();
        let path = request.id.as_deref().or(named.get("path").as_str()).unwrap_or_default();
        self.0.get()?.path(path)?;
        Ok(ImportResponse { state: identity(path), identity: Some(identity(path)), ..Default::default() })
    }

    fn moves_from(&self) -> bool {
        true
    }

    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        let (old, path) = match request.source_type.as_str() {
            "terraform_data" => (&request.state["input"]["value"], "path"),
            "local_file" => (&request.state, "filename"),
            _ => return Err(request.refused(TYPE_NAME).into()),
        };
        let text = |name: &str| Value::from(old[name].as_str().map(str::to_owned));
        let state = Value::object([
            ("path", text(path)),
            ("content", text("content")),
            ("mode", text("file_permission")),
        ]);
        let identity = state.get("path").as_str().map(identity);
        Ok(MoveResponse { state, identity, ..Default::default() })
    }
}

fn timeout(name: &str) -> Attribute {
    let form = Validator::text("a duration such as `30s` or `5m`", |text| duration(text).is_some());
    Attribute::optional(name, Type::String)
        .describe("A duration such as `30s` or `5m`; 20 seconds if not set.")
        .validate(form)
}

fn limit(timeout: &Value) -> Duration {
    timeout.as_str().and_then(duration).unwrap_or(Duration::from_secs(20))
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.trim_start_matches(|one: char| one.is_ascii_digit());
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(count)),
        "s" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_mins(count)),
        _ => None,
    }
}

/// The state of a file that is there, as after an import.
pub(crate) fn state(path: &str, found: Found) -> Value {
    seen(identity(path), found)
}

/// A state brought up to date. A content that is not stored is not looked at.
fn seen(state: Value, found: Found) -> Value {
    let state = state.with("mode", found.mode);
    let stored = state.get("content_wo_version").is_null();
    with_results(if stored { state.with("content", found.content) } else { state })
}

fn with_results(state: Value) -> Value {
    let content = state.get("content");
    let (sha256, size) = match content.as_str() {
        Some(text) => (sha256(text).into(), (text.len() as u64).into()),
        None => (content.clone(), content.clone()),
    };
    state.with("sha256", sha256).with("size", size)
}

fn identity(path: &str) -> Value {
    Value::object([("path", path.into())])
}
