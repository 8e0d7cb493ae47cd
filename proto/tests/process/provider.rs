//! A provider that behaves as badly as it is told to, and has one small resource that behaves well.

use std::{process::Command, process::ExitCode, sync::Arc, thread};

use tfplugin_rs::{
    ApplyRequest, ApplyResponse, Attribute, ConfigureRequest, Configured, DataSource, Diagnostics,
    PlanRequest, PlanResponse, Provider, ReadDataRequest, ReadDataResponse, ReadRequest, ReadResponse,
    Resource, Schema, Type, async_trait,
};
use tokio::sync::Barrier;

/// How many calls of `meet` wait for each other.
const PARTY: usize = 12;

#[tokio::main]
async fn main() -> ExitCode {
    tfplugin_rs::serve(Process::default(), "example.com/tfplugin/process").await
}

#[derive(Default)]
struct Process {
    greeting: Configured<String>,
}

#[async_trait]
impl Provider for Process {
    fn schema(&self) -> Schema {
        Schema::new().attribute(Attribute::optional("greeting", Type::String).describe("What `greet` says."))
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(Note)]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(Trouble { greeting: self.greeting.clone(), party: Barrier::new(PARTY) })]
    }

    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let greeting = request.config.view().get("greeting").read::<Option<String>>();
        self.greeting.set(diagnostics.collect(greeting).flatten().unwrap_or_default());
        diagnostics
    }
}

/// Does what it is told, and says on standard error that it has begun.
struct Trouble {
    greeting: Configured<String>,
    party: Barrier,
}

#[async_trait]
impl DataSource for Trouble {
    fn type_name(&self) -> &'static str {
        "process_trouble"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .describe("Trouble, of any kind.")
            .attribute(Attribute::required("kind", Type::String).describe("Which trouble."))
            .attribute(Attribute::computed("result", Type::String).describe("What came of it."))
    }

    async fn read(&self, request: ReadDataRequest) -> Result<ReadDataResponse, Diagnostics> {
        let kind: String = request.config.view().get("kind").read()?;
        say(&format!("begun: {kind}"));
        let result = match kind.as_str() {
            "greet" => self.greeting.get()?.as_ref().clone(),
            "meet" => self.meet().await,
            "wait" => {
                request.cancellation.cancelled().await;
                "cancelled".to_owned()
            }
            "hang" => std::future::pending().await,
            "block" => block(),
            "print" => print(),
            "child" => child(),
            "size" => "x".repeat(200 << 20),
            other => panic!("there is no `{other}`"),
        };
        Ok(ReadDataResponse { state: request.config.with("result", result), ..Default::default() })
    }
}

#[expect(clippy::print_stderr, reason = "to be forwarded")]
fn say(text: &str) {
    eprintln!("{text}");
}

impl Trouble {
    /// Comes back when so many calls are under way at the same time.
    async fn meet(&self) -> String {
        self.party.wait().await;
        "met".to_owned()
    }
}

/// Blocks a thread of the runtime for good.
fn block() -> ! {
    loop {
        thread::park();
    }
}

#[expect(clippy::print_stdout, reason = "it is about what such a thing breaks")]
fn print() -> String {
    println!("1|6|tcp|127.0.0.1:1|grpc|");
    "printed".to_owned()
}

/// A child that has all of our streams, and outlives us.
#[expect(clippy::zombie_processes, reason = "as careless as a provider can be")]
fn child() -> String {
    let child = Command::new("sleep").arg("600").spawn().expect("every Unix has `sleep`");
    child.id().to_string()
}

/// A note that is nowhere but in the state.
struct Note;

#[async_trait]
impl Resource for Note {
    fn type_name(&self) -> &'static str {
        "process_note"
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .describe("A note.")
            .attribute(Attribute::required("name", Type::String).describe("What it is called."))
            .attribute(Attribute::required("text", Type::String).describe("What it says."))
            .attribute(Attribute::optional("topics", Type::set(Type::String)).describe("What it is about."))
            .attribute(Attribute::optional("weight", Type::Number).describe("How much it matters."))
            .attribute(Attribute::computed("words", Type::Number).describe("How many words it has."))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(request.unchanged())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let PlanRequest { prior, proposed, config, .. } = request;
        let planned = if proposed.is_null() || prior.get("text") == proposed.get("text") {
            proposed
        } else {
            self.schema().mark_computed_unknown(&prior, proposed, &config)
        };
        Ok(PlanResponse { planned, ..PlanResponse::default() })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let planned = request.planned;
        if planned.is_null() {
            return Ok(ApplyResponse::default());
        }
        let text: String = planned.view().get("text").read()?;
        let state = planned.with("words", text.split_whitespace().count() as u64);
        Ok(ApplyResponse { state, ..ApplyResponse::default() })
    }
}
