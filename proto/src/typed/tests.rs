//! The life of a resource written as a struct, under Terraform's part played in process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;

use super::*;
use crate::{
    Attribute, ConfigureRequest, DataSource, Diagnostic, Failed, Field, IdentitySchema, ImportRequest,
    Object, Provider, Resource, Schema, Sensitive, Timed, Timeouts, Type,
    testing::{Core, State},
};

/// A letter.
#[derive(Clone, Object)]
struct Letter {
    /// To whom.
    #[object(requires_replace)]
    to: String,
    /// What it says. "lost" gets lost half-way, "refused" is not taken at all.
    text: String,
    /// How it goes.
    #[object(default = "slow")]
    speed: String,
    /// Who signs it.
    #[object(block)]
    signer: Vec<Signer>,
    /// What it weighs.
    #[object(depends_on(["text", "signer"]))]
    weight: Field<u64>,
    /// Where it is.
    place: Field<String>,
}

#[derive(Clone, Object)]
struct Signer {
    name: String,
    #[object(depends_on(["name"]))]
    initial: Field<String>,
}

#[derive(Clone, Default)]
struct Post(Arc<Mutex<BTreeMap<String, Letter>>>);

impl Post {
    fn send(&self, mut letter: Letter, call: &mut Call) -> Result<Letter, Failed<Letter>> {
        if letter.text == "refused" {
            return Err(Diagnostic::error("Nobody takes it", "").into());
        }
        letter.weight = u64::try_from(letter.text.len()).unwrap().into();
        for signer in &mut letter.signer {
            signer.initial = signer.name.chars().take(1).collect::<String>().into();
        }
        self.0.lock().unwrap().insert(letter.to.clone(), letter.clone());
        if letter.text == "lost" {
            return Err(Failed::leaving(letter, Diagnostic::error("It got lost", "")));
        }
        let stamp = call.config.view().get("stamp").read::<Option<Sensitive<String>>>()?;
        letter.place = stamp.map_or("box", |_| "office").to_owned().into();
        call.private.set("sent", &call.timeout.map(|limit| limit.as_secs())).unwrap();
        call.warnings.push(Diagnostic::warning("It rains", ""));
        self.0.lock().unwrap().insert(letter.to.clone(), letter.clone());
        Ok(letter)
    }
}

#[async_trait]
impl TypedResource for Post {
    type Model = Letter;

    fn type_name(&self) -> &'static str {
        "post_letter"
    }

    fn schema(&self) -> Schema {
        let stamp = Attribute::optional("stamp", Type::String).write_only();
        Schema::of::<Letter>().attribute(stamp)
    }

    fn timeouts(&self) -> Option<Timeouts> {
        Some(Timeouts::block().limit(Timed::Create, Duration::from_mins(1)))
    }

    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new().required("to", Type::String, ""))
    }

    fn identity_of(&self, letter: &Letter) -> Option<Value> {
        Some(Value::object([("to", letter.to.as_str().into())]))
    }

    async fn plan(&self, change: &mut Change) -> Result<(), Diagnostics> {
        if change.operation() == Operation::Destroy {
            change.warnings.push(Diagnostic::warning("It will be burnt", ""));
        }
        Ok(())
    }

    async fn create(&self, letter: Letter, call: &mut Call) -> Result<Letter, Failed<Letter>> {
        self.send(letter, call)
    }

    async fn read(&self, letter: Letter, _: &mut Call) -> Result<Option<Letter>, Diagnostics> {
        Ok(self.0.lock().unwrap().get(&letter.to).cloned())
    }

    async fn update(&self, _: Letter, letter: Letter, call: &mut Call) -> Result<Letter, Failed<Letter>> {
        self.send(letter, call)
    }

    async fn delete(&self, letter: Letter, _: &mut Call) -> Result<(), Diagnostics> {
        let gone = self.0.lock().unwrap().remove(&letter.to);
        gone.map(drop).ok_or_else(|| Diagnostic::error("It is not there", "").into())
    }

    async fn import(&self, request: ImportRequest, _: &mut Call) -> Result<Letter, Diagnostics> {
        let found = self.0.lock().unwrap().get(&request.id.unwrap_or_default()).cloned();
        found.ok_or_else(|| Diagnostic::error("There is no such letter", "").into())
    }
}

#[async_trait]
impl TypedDataSource for Post {
    type Model = Letter;

    fn type_name(&self) -> &'static str {
        "post_letter"
    }

    async fn read(&self, letter: Letter, _: &mut Call) -> Result<Letter, Diagnostics> {
        Ok(Letter { weight: 1.into(), place: "here".to_owned().into(), ..letter })
    }
}

#[async_trait]
impl Provider for Post {
    fn schema(&self) -> Schema {
        Schema::new()
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        vec![Arc::new(Typed(self.clone()))]
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        vec![Arc::new(Typed(self.clone()))]
    }

    async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
        Diagnostics::new()
    }
}

const LETTER: &str = "post_letter";

fn letter(text: &str) -> Value {
    let signers = vec![Value::object([("name", "Ada".into())])];
    Value::object([("to", "Bob".into()), ("text", text.into())]).with("signer", signers)
}

async fn apply(core: &Core, state: &State, config: Value) -> Result<State, (State, Diagnostics)> {
    let planned = core.plan(LETTER, state, config.clone()).await.unwrap();
    core.apply(LETTER, planned, config).await
}

#[tokio::test]
async fn a_letter_lives_and_dies() {
    let (post, none) = (Post::default(), State::default());
    let core = Core::new(post.clone());
    assert_eq!(core.schema_faults().await.unwrap(), [""; 0]);
    let config = letter("Hello").with("stamp", "s3cret");
    let planned = core.plan(LETTER, &none, config.clone()).await.unwrap();
    assert!(planned.value.get("weight").is_unknown());
    assert_eq!(*planned.value.get("speed"), "slow".into());

    let state = apply(&core, &none, config.clone()).await.unwrap();
    assert_eq!(*state.value.get("weight"), 5_u64.into());
    assert_eq!(*state.value.get("place"), "office".into());
    assert!(state.value.get("stamp").is_null());
    assert_eq!(state.value.view().get("signer").elements().unwrap()[0].get("initial").value(), &"A".into());
    assert!(String::from_utf8_lossy(&state.private).contains("NjA="), "60 seconds: {:?}", state.private);
    assert!(core.plan(LETTER, &state, config.clone()).await.unwrap().is_empty());

    let timeouts = Value::object([("create", "1h".into())]);
    let changed = letter("Hello").with("speed", "fast").with("timeouts", timeouts);
    let planned = core.plan(LETTER, &state, changed.clone()).await.unwrap();
    assert_eq!(*planned.value.get("weight"), 5_u64.into());
    assert!(planned.value.get("place").is_unknown() && planned.replaces.is_empty());
    let state = apply(&core, &state, changed.clone()).await.unwrap();
    assert_eq!(*state.value.view().get("timeouts").get("create").value(), "1h".into());

    let moved = core.plan(LETTER, &state, changed.clone().with("to", "Eve")).await.unwrap();
    assert_eq!(moved.replaces, ["to".into()]);
    let imported = core.import(LETTER, "Bob").await.unwrap();
    assert_eq!(imported.value, state.value.clone().with("timeouts", Value::Null));

    let gone = core.plan(LETTER, &state, Value::Null).await.unwrap();
    assert_eq!(gone.warnings.iter().next().unwrap().summary, "It will be burnt");
    assert_eq!(core.apply(LETTER, gone, Value::Null).await.unwrap(), none);
    assert_eq!(core.refresh(LETTER, &state).await.unwrap().value, Value::Null);
    let missing = core.import(LETTER, "Bob").await.unwrap_err();
    assert_eq!(missing.iter().next().unwrap().summary, "There is no such letter");
}

#[tokio::test]
async fn what_exists_is_kept() {
    let core = Core::new(Post::default());
    let none = State::default();
    let (state, failed) = apply(&core, &none, letter("refused")).await.unwrap_err();
    assert_eq!((state, failed.iter().count()), (none.clone(), 1));

    let (lost, failed) = apply(&core, &none, letter("lost")).await.unwrap_err();
    assert_eq!(failed.iter().next().unwrap().summary, "It got lost");
    assert_eq!(*lost.value.get("weight"), 4_u64.into());
    assert!(lost.value.get("place").is_null(), "what is not reached is absent");

    let sent = apply(&core, &none, letter("Hello")).await.unwrap();
    let (kept, _) = apply(&core, &sent, letter("refused")).await.unwrap_err();
    assert_eq!(kept, sent);
    apply(&core, &sent, Value::Null).await.unwrap();
    let (kept, _) = apply(&core, &sent, Value::Null).await.unwrap_err();
    assert_eq!(kept, sent);
}

#[tokio::test]
async fn a_data_source_fills_in() {
    let core = Core::new(Post::default());
    let read = core.data(LETTER, letter("Hello").with("speed", "fast")).await.unwrap();
    assert_eq!(*read.get("place"), "here".into());
    assert_eq!(*read.get("text"), "Hello".into());
}
