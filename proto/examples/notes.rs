//! A provider for notes, each a text file in one folder. Small, and complete: it validates, plans,
//! creates, changes, replaces, imports, notices drift.

use std::{fs, io, path::PathBuf, process::ExitCode, sync::Arc};

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, ConfigureRequest, Configured, DataSource, Diagnostic,
    Diagnostics, ImportRequest, ImportResponse, Known, Operation, PlanRequest, PlanResponse, Provider,
    ReadDataRequest, ReadDataResponse, ReadRequest, ReadResponse, Resource, Schema, Type, ValidateRequest,
    Value, ValueError, async_trait,
};

#[tokio::main]
async fn main() -> ExitCode {
    tfplugin_rs::serve(Notes::default(), "example.com/tfplugin/notes").await
}

#[derive(Default)]
struct Notes {
    folder: Configured<PathBuf>,
}

#[async_trait]
impl Provider for Notes {
    fn schema(&self) -> Schema {
        Schema::new()
            .attribute(Attribute::required("folder", Type::String).describe("Where the notes are kept."))
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(Note { folder: self.folder.clone() })]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(Note { folder: self.folder.clone() })]
    }

    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let folder = request.config.view().get("folder").read::<Known<String>>();
        if let Some(Known::Known(folder)) = diagnostics.collect(folder) {
            self.folder.set(folder.into());
        }
        diagnostics
    }
}

/// One note. What it looks like is the same for the resource and the data source.
struct Note {
    folder: Configured<PathBuf>,
}

impl Note {
    fn file(&self, note: &Value) -> Result<PathBuf, Diagnostics> {
        let name: String = note.view().get("name").read()?;
        Ok(self.folder.get()?.join(name))
    }

    /// The note as it is, null if there is none.
    fn load(&self, note: &Value) -> Result<Value, Diagnostics> {
        let file = self.file(note)?;
        match fs::read_to_string(&file) {
            Ok(text) => Ok(written(note, text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Value::Null),
            Err(error) => Err(failed("read", &file, &error)),
        }
    }

    fn store(&self, note: &Value) -> Result<Value, Diagnostics> {
        let file = self.file(note)?;
        let text: String = note.view().get("text").read()?;
        fs::write(&file, &text).map_err(|error| failed("write", &file, &error))?;
        Ok(written(note, text))
    }
}

fn written(note: &Value, text: String) -> Value {
    let words = text.split_whitespace().count() as u64;
    note.clone().with("text", text).with("words", words)
}

fn failed(doing: &str, file: &std::path::Path, error: &io::Error) -> Diagnostics {
    Diagnostic::error(format!("Cannot {doing} `{}`", file.display()), error.to_string()).into()
}

#[async_trait]
impl Resource for Note {
    fn type_name(&self) -> &'static str {
        "notes_note"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .describe("A note.")
            .attribute(Attribute::required("name", Type::String).describe("The name of its file."))
            .attribute(Attribute::required("text", Type::String).describe("What it says."))
            .attribute(Attribute::optional("topics", Type::set(Type::String)).describe("What it is about."))
            .attribute(Attribute::optional("weight", Type::Number).describe("How much it matters."))
            .attribute(Attribute::optional("password", Type::String).write_only().describe("Never stored."))
            .attribute(Attribute::computed("words", Type::Number).describe("How many words it has."))
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let name = request.config.view().get("name");
        match name.read::<Known<String>>() {
            Ok(Known::Known(text)) if text.contains('/') => {
                let detail = "A note lies directly in the provider's folder.";
                Diagnostic::error("A name cannot contain a slash", detail).at(name.path().clone()).into()
            }
            Ok(_) => Diagnostics::new(),
            Err(error) => ValueError::into(error),
        }
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let state = self.load(&request.state)?;
        Ok(ReadResponse { state, ..request.unchanged() })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let PlanRequest { prior, proposed, config, .. } = request;
        let text_changed = prior.get("text") != proposed.get("text");
        let planned = if text_changed && !proposed.is_null() {
            Resource::schema(self).mark_computed_unknown(&prior, proposed, &config)
        } else {
            proposed
        };
        Ok(PlanResponse { planned, requires_replace: vec!["name".into()], ..PlanResponse::default() })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let state = match request.operation() {
            Operation::Create | Operation::Update => self.store(&request.planned)?,
            Operation::Destroy => {
                let file = self.file(&request.prior)?;
                fs::remove_file(&file).map_err(|error| failed("remove", &file, &error))?;
                Value::Null
            }
        };
        Ok(ApplyResponse { state, ..ApplyResponse::default() })
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportResponse, Diagnostics> {
        let state = Value::object([("name", request.id.into())]);
        Ok(ImportResponse { state, ..ImportResponse::default() })
    }
}

#[async_trait]
impl DataSource for Note {
    fn type_name(&self) -> &'static str {
        "notes_note"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .describe("A note that is there already.")
            .attribute(Attribute::required("name", Type::String).describe("The name of its file."))
            .attribute(Attribute::computed("text", Type::String).describe("What it says."))
            .attribute(Attribute::computed("words", Type::Number).describe("How many words it has."))
    }

    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        let state = self.load(&request.config)?;
        if state.is_null() {
            return Err(Diagnostic::error("There is no such note", "").at("name").into());
        }
        Ok(ReadDataResponse { state, ..ReadDataResponse::default() })
    }
}
