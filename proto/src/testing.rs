//! Terraform's part, played in process: for a provider's own tests, in milliseconds and without a CLI.
//!
//! [`Core`] makes the calls Terraform makes, in its order and through the real encoding: validate, plan,
//! and for apply validate and plan again with the same inputs before the change is made. What Terraform would
//! call a bug in the provider comes back as an error, a second plan that contradicts the first included.
//! What it cannot show is how a CLI prints things; that takes the CLI.

pub(crate) mod proposed;
pub mod cli;
pub mod wire;

use tonic::{Request, Response, Status};

use crate::{
    Diagnostic, Diagnostics, Path, Provider, Schema, Severity, Step, Value, check,
    service::Service,
    wire::tfplugin6::{
        self as rpc, ClientCapabilities, DynamicValue, RawState, ResourceIdentityData, attribute_path,
        provider_server::Provider as Calls,
    },
};

/// Terraform, with one provider.
pub struct Core {
    service: Service,
    managed: Vec<(String, Schema)>,
    data_sources: Vec<(String, Schema)>,
    provider: Schema,
    capabilities: ClientCapabilities,
}

/// What Terraform remembers of one resource. The default is "there is none".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Its attributes; null if there is none.
    pub value: Value,
    /// Its private data, as bytes.
    pub private: Vec<u8>,
    identity: Option<ResourceIdentityData>,
}

/// A planned change, as a saved plan holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The state to be, with unknowns.
    pub value: Value,
    /// Private data of the plan, as bytes.
    pub private: Vec<u8>,
    /// Attributes whose change forces a replacement; empty for a change in place.
    pub replaces: Vec<Path>,
    /// Warnings.
    pub warnings: Diagnostics,
    prior: State,
    config: Value,
    identity: Option<ResourceIdentityData>,
}

impl Planned {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.value == self.prior.value
    }
}

impl Core {
    /// As Terraform 1.11 to 1.15 and OpenTofu behave.
    pub fn new(provider: impl Provider) -> Self {
        let named = |name: &str, schema| (name.to_owned(), schema);
        Self {
            managed: provider.resources().iter().map(|one| named(one.type_name(), one.schema())).collect(),
            data_sources: provider
                .data_sources()
                .iter()
                .map(|one| named(one.type_name(), one.schema()))
                .collect(),
            provider: provider.schema(),
            service: Service::new(provider),
            capabilities: ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() },
        }
    }

    /// As Terraform behaves from 1.16 on: the plan's private data comes back in the plan made again
    /// during apply.
    #[must_use]
    pub fn storing_planned_private(mut self) -> Self {
        self.capabilities.store_planned_private = true;
        self
    }

    /// All faults Terraform would find in the schemas when it loads the provider.
    pub fn schema_faults(&self) -> Vec<String> {
        let schemas = self.managed.iter().chain(&self.data_sources);
        let faults = schemas.flat_map(|(name, schema)| {
            schema.check().into_iter().map(move |fault| format!("{name}: {fault}"))
        });
        faults.chain(self.provider.check().iter().map(|fault| format!("provider: {fault}"))).collect()
    }

    /// Configures the provider, as every process is before it plans or applies. Gives warnings.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn configure(&self, config: Value) -> Result<Diagnostics, Diagnostics> {
        let config = encode(&self.provider, config);
        let request = rpc::validate_provider_config::Request { config: Some(config.clone()) };
        outcome(answer(self.service.validate_provider_config(Request::new(request)).await).diagnostics)?;
        let request = rpc::configure_provider::Request {
            terraform_version: "1.11.4".to_owned(),
            config: Some(config),
            client_capabilities: Some(self.capabilities),
        };
        outcome(answer(self.service.configure_provider(Request::new(request)).await).diagnostics)
    }

    /// Reads the state, as a plan does first; an older version's form (JSON) is brought up to date by
    /// [`Core::upgrade`].
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn refresh(&self, type_name: &str, state: &State) -> Result<State, Diagnostics> {
        let schema = self.managed(type_name);
        let request = rpc::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: Some(encode(schema, state.value.clone())),
            private: state.private.clone(),
            client_capabilities: Some(self.capabilities),
            current_identity: state.identity.clone(),
            provider_meta: None,
        };
        let answer = answer(self.service.read_resource(Request::new(request)).await);
        outcome(answer.diagnostics)?;
        let value = decode(schema, answer.new_state);
        Ok(State { value, private: answer.private, identity: answer.new_identity })
    }

    /// Validates and plans. A null `config` destroys. If that forces a replacement, the answer is its
    /// second half, the plan for the new resource.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn plan(&self, type_name: &str, state: &State, config: Value) -> Result<Planned, Diagnostics> {
        let config = self.managed(type_name).complete_config(config);
        self.validate(type_name, &config).await?;
        let first = self.plan_once(type_name, state, &config, &[]).await?;
        if first.replaces.is_empty() {
            return Ok(first);
        }
        let gone = State { private: first.private, ..State::default() };
        let second = self.plan_once(type_name, &gone, &config, &[]).await?;
        Ok(Planned { replaces: first.replaces, prior: State::default(), ..second })
    }

    /// Validates and plans again, with the configuration as known by now, and then makes the change.
    ///
    /// # Errors
    /// With the state that Terraform would keep.
    pub async fn apply(
        &self,
        type_name: &str,
        planned: Planned,
        config: Value,
    ) -> Result<State, (State, Diagnostics)> {
        let before = planned.prior.clone();
        let config = self.managed(type_name).complete_config(config);
        match self.plan_again(type_name, &planned, &config).await {
            Ok(second) => self.change(type_name, second).await,
            Err(diagnostics) => Err((before, diagnostics)),
        }
    }

    /// The plan made again during apply.
    pub(crate) async fn plan_again(
        &self,
        type_name: &str,
        first: &Planned,
        config: &Value,
    ) -> Result<Planned, Diagnostics> {
        self.validate(type_name, config).await?;
        let kept: &[u8] = if self.capabilities.store_planned_private { &first.private } else { &[] };
        let second = self.plan_once(type_name, &first.prior, config, kept).await?;
        let faults = check::replan(self.managed(type_name), &first.value, &second.value);
        let faults = faults.iter().map(|fault| {
            let detail = format!("This is a bug in the provider: {fault}.");
            Diagnostic::error("Provider produced inconsistent final plan", detail).at(fault.path.clone())
        });
        let faults: Diagnostics = faults.collect();
        if faults.is_empty() { Ok(second) } else { Err(faults) }
    }

    async fn validate(&self, type_name: &str, config: &Value) -> Result<(), Diagnostics> {
        if config.is_null() {
            return Ok(());
        }
        let request = rpc::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: Some(encode_config(self.managed(type_name), config)),
            client_capabilities: Some(self.capabilities),
        };
        outcome(answer(self.service.validate_resource_config(Request::new(request)).await).diagnostics)
            .map(drop)
    }

    async fn plan_once(
        &self,
        type_name: &str,
        prior: &State,
        config: &Value,
        planned_private: &[u8],
    ) -> Result<Planned, Diagnostics> {
        let schema = self.managed(type_name);
        let proposed = proposed::proposed(schema, &prior.value, config);
        let request = rpc::plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(encode(schema, prior.value.clone())),
            proposed_new_state: Some(encode(schema, proposed)),
            config: Some(encode_config(schema, config)),
            prior_private: prior.private.clone(),
            client_capabilities: Some(self.capabilities),
            prior_identity: prior.identity.clone(),
            planned_private: planned_private.to_vec(),
            provider_meta: None,
        };
        let answer = answer(self.service.plan_resource_change(Request::new(request)).await);
        let warnings = outcome(answer.diagnostics)?;
        let value = decode(schema, answer.planned_state);
        let changes = |path: &Path| !prior.value.is_null() && prior.value.at(path) != value.at(path);
        let replaces = answer.requires_replace.iter().map(path).filter(changes).collect();
        Ok(Planned {
            replaces: if value.is_null() { Vec::new() } else { replaces },
            value,
            private: answer.planned_private,
            warnings,
            prior: prior.clone(),
            config: config.clone(),
            identity: answer.planned_identity,
        })
    }

    async fn change(&self, type_name: &str, planned: Planned) -> Result<State, (State, Diagnostics)> {
        let schema = self.managed(type_name);
        if planned.is_empty() {
            return Ok(planned.prior);
        }
        let request = rpc::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(encode(schema, planned.prior.value.clone())),
            planned_state: Some(encode(schema, planned.value)),
            config: Some(encode_config(schema, &planned.config)),
            planned_private: planned.private,
            planned_identity: planned.identity,
            provider_meta: None,
        };
        let answer = answer(self.service.apply_resource_change(Request::new(request)).await);
        let value = decode(schema, answer.new_state);
        let state = State { value, private: answer.private, identity: answer.new_identity };
        match outcome(answer.diagnostics) {
            Ok(_) => Ok(state),
            Err(diagnostics) if state.value.is_null() => Err((planned.prior, diagnostics)),
            Err(diagnostics) => Err((state, diagnostics)),
        }
    }

    /// Takes over what exists already, and reads it.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn import(&self, type_name: &str, id: &str) -> Result<State, Diagnostics> {
        let request = rpc::import_resource_state::Request {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            client_capabilities: Some(self.capabilities),
            identity: None,
        };
        let answer = answer(self.service.import_resource_state(Request::new(request)).await);
        outcome(answer.diagnostics)?;
        let imported = answer.imported_resources.into_iter().next().unwrap_or_default();
        let value = decode(self.managed(type_name), imported.state);
        let state = State { value, private: imported.private, identity: imported.identity };
        self.refresh(type_name, &state).await
    }

    /// Brings the JSON of a state file, written with a schema of `version`, up to date.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn upgrade(&self, type_name: &str, version: i64, json: &str) -> Result<Value, Diagnostics> {
        let request = rpc::upgrade_resource_state::Request {
            type_name: type_name.to_owned(),
            version,
            raw_state: Some(RawState { json: json.as_bytes().to_vec(), ..Default::default() }),
        };
        let answer = answer(self.service.upgrade_resource_state(Request::new(request)).await);
        outcome(answer.diagnostics)?;
        Ok(decode(self.managed(type_name), answer.upgraded_state))
    }

    /// Validates and reads a data source.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn data(&self, type_name: &str, config: Value) -> Result<Value, Diagnostics> {
        let schema = find(&self.data_sources, type_name);
        let config = Some(encode(schema, config));
        let type_name = type_name.to_owned();
        let request = rpc::validate_data_resource_config::Request { type_name, config: config.clone() };
        let type_name = request.type_name.clone();
        outcome(answer(self.service.validate_data_resource_config(Request::new(request)).await).diagnostics)?;
        let client_capabilities = Some(self.capabilities);
        let request =
            rpc::read_data_source::Request { type_name, config, client_capabilities, provider_meta: None };
        let answer = answer(self.service.read_data_source(Request::new(request)).await);
        outcome(answer.diagnostics)?;
        Ok(decode(schema, answer.state))
    }

    /// Interrupts what is under way, as the first Ctrl-C does.
    pub async fn stop(&self) {
        answer(self.service.stop_provider(Request::new(rpc::stop_provider::Request {})).await);
    }

    fn managed(&self, type_name: &str) -> &Schema {
        find(&self.managed, type_name)
    }
}

fn find<'a>(schemas: &'a [(String, Schema)], type_name: &str) -> &'a Schema {
    let schema = schemas.iter().find_map(|(name, schema)| (name == type_name).then_some(schema));
    schema.expect("the provider has no such type")
}

fn answer<T>(response: Result<Response<T>, Status>) -> T {
    response.expect("errors are diagnostics").into_inner()
}

impl Schema {
    /// A configuration in the form it travels in; write-only values stay.
    fn complete_config(&self, config: Value) -> Value {
        if config.is_null() {
            return config;
        }
        let complete = self.complete(config.clone()).expect("the configuration does not fit the schema");
        complete.map(&mut |path, value| match self.attribute_at(path) {
            Some(attribute) if attribute.is_write_only() && value.is_null() => config.at(path).clone(),
            _ => value,
        })
    }
}

fn encode(schema: &Schema, value: Value) -> DynamicValue {
    let value = schema.complete(value).expect("the value does not fit the schema");
    encode_config(schema, &value)
}

fn encode_config(schema: &Schema, config: &Value) -> DynamicValue {
    let msgpack = config.to_msgpack(&schema.implied_type()).expect("the value does not fit the schema");
    DynamicValue { msgpack, json: Vec::new() }
}

fn decode(schema: &Schema, sent: Option<DynamicValue>) -> Value {
    let Some(DynamicValue { msgpack, .. }) = sent else { return Value::Null };
    Value::from_msgpack(&msgpack, &schema.implied_type()).expect("the provider's own encoding")
}

/// Errors, or else the warnings.
fn outcome(sent: Vec<rpc::Diagnostic>) -> Result<Diagnostics, Diagnostics> {
    let diagnostics: Diagnostics = sent.into_iter().map(diagnostic).collect();
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(diagnostics) }
}

fn diagnostic(sent: rpc::Diagnostic) -> Diagnostic {
    let severity = match sent.severity() {
        rpc::diagnostic::Severity::Warning => Severity::Warning,
        rpc::diagnostic::Severity::Error | rpc::diagnostic::Severity::Invalid => Severity::Error,
    };
    let attribute = sent.attribute.as_ref().map(path);
    Diagnostic { severity, summary: sent.summary, detail: sent.detail, attribute }
}

fn path(sent: &rpc::AttributePath) -> Path {
    use attribute_path::step::Selector;
    let steps = sent.steps.iter().filter_map(|step| step.selector.clone());
    steps.fold(Path::root(), |path, step| {
        path.then(match step {
            Selector::AttributeName(name) => Step::Attribute(name),
            Selector::ElementKeyString(key) => Step::Key(key),
            Selector::ElementKeyInt(index) => Step::Index(usize::try_from(index).unwrap_or(usize::MAX)),
        })
    })
}
