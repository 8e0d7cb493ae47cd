//! What a provider has beside managed resources.

use std::time::{Duration, SystemTime};

use tokio_stream::StreamExt as _;

use super::{Core, config_of, find};
use crate::{
    Deferral, Diagnostics, FunctionError, Parameter, Schema, Signature, Type, Value, check,
    testing::form::{
        answer, bug, complete_config, decode, decode_identity, deferral, encode_as, judge, outcome,
    },
    wire::tfplugin6::{
        self as wire, ClientCapabilities, DynamicValue, invoke_action::event::Type as Event, list_resource,
    },
};

/// An ephemeral resource that is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// What was opened.
    pub result: Value,
    /// When it has to be renewed; `None` for never.
    pub renew_at: Option<SystemTime>,
    type_name: String,
    /// What opening gave; closing gets it.
    private: Option<Vec<u8>>,
    /// What opening or the last renewal gave; the next renewal gets it.
    renewal: Option<Vec<u8>>,
}

/// A managed resource that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What people call it.
    pub display_name: String,
    /// Its identity; `None` with warnings alone.
    pub identity: Option<Value>,
    /// Its state, if asked for.
    pub resource: Option<Value>,
    /// Warnings.
    pub warnings: Diagnostics,
}

impl Core {
    /// Validates and reads a data source.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn data(&self, type_name: &str, config: Value) -> Result<Value, Diagnostics> {
        let schema = find(&self.published().await?.data_sources, type_name);
        let config = Some(config_of(schema, config));
        let type_name = type_name.to_owned();
        let request = wire::validate_data_resource_config::Request {
            type_name: type_name.clone(),
            config: config.clone(),
        };
        outcome(answer(self.calls().validate_data_resource_config(request)).await?.diagnostics)?;
        let client_capabilities = Some(self.capabilities);
        let provider_meta = self.meta().await?;
        let request =
            wire::read_data_source::Request { type_name, config, client_capabilities, provider_meta };
        let answer = answer(self.calls().read_data_source(request)).await?;
        outcome(answer.diagnostics)?;
        if let Some(deferral) = deferral(answer.deferred) {
            return self.may_defer(deferral).map(|()| Value::Unknown);
        }
        let state = decode(&schema.implied_type(), answer.state)?;
        if state.is_null() {
            return Err(bug("Provider produced null object", "A data source cannot be nothing."));
        }
        judge("Provider produced invalid object", &check::state(schema, &state)).map(|()| state)
    }

    /// Calls a function, as Terraform does: not at all with an unknown argument that it does not take, and
    /// otherwise twice, for the results have to be the same.
    ///
    /// # Errors
    /// What the function reports, and what Terraform would report about it.
    pub async fn call(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = Value>,
    ) -> Result<Value, FunctionError> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let signature = find(&self.published().await.map_err(|errors| broken(&errors))?.functions, name);
        let mut encoded = Vec::new();
        for (index, argument) in arguments.iter().enumerate() {
            let parameter = parameter(signature, index);
            if !argument.is_wholly_known() && !parameter.takes_unknown {
                return Ok(Value::Unknown);
            }
            if argument.is_null() && !parameter.nullable {
                let text = "argument must not be null".to_owned();
                return Err(FunctionError { text, argument: Some(index) });
            }
            encoded.push(encode_argument(&parameter.kind, argument));
        }
        let request = wire::call_function::Request { name: name.to_owned(), arguments: encoded };
        let first = self.call_once(request.clone(), &signature.result).await?;
        let second = self.call_once(request, &signature.result).await?;
        if first == second { Ok(first) } else { Err(impure()) }
    }

    async fn call_once(
        &self,
        request: wire::call_function::Request,
        result: &Type,
    ) -> Result<Value, FunctionError> {
        let answer = answer(self.calls().call_function(request)).await.map_err(|errors| broken(&errors))?;
        if let Some(error) = answer.error {
            let argument = error.function_argument.and_then(|index| usize::try_from(index).ok());
            return Err(FunctionError { text: error.text, argument });
        }
        decode(result, answer.result).map_err(|errors| broken(&errors))
    }

    /// Validates and opens an ephemeral resource.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn open(&self, type_name: &str, config: Value) -> Result<Opened, Diagnostics> {
        let schema = find(&self.published().await?.ephemeral_resources, type_name);
        let sent = Some(config_of(schema, config.clone()));
        let request = wire::validate_ephemeral_resource_config::Request {
            type_name: type_name.to_owned(),
            config: sent.clone(),
        };
        outcome(answer(self.calls().validate_ephemeral_resource_config(request)).await?.diagnostics)?;
        let request = wire::open_ephemeral_resource::Request {
            type_name: type_name.to_owned(),
            config: sent,
            // Terraform says nothing here, except whether it takes "not now".
            client_capabilities: self.deferring(),
        };
        let answer = answer(self.calls().open_ephemeral_resource(request)).await?;
        outcome(answer.diagnostics)?;
        let mut opened = Opened {
            result: Value::Unknown,
            renew_at: answer.renew_at.map(time),
            type_name: type_name.to_owned(),
            renewal: answer.private.clone(),
            private: answer.private,
        };
        if let Some(deferral) = deferral(answer.deferred) {
            return self.may_defer(deferral).map(|()| opened);
        }
        opened.result = decode(&schema.implied_type(), answer.result)?;
        let config = complete_config(schema, config);
        judge(
            "Provider produced invalid ephemeral resource instance",
            &check::ephemeral(schema, &config, &opened.result),
        )
        .map(|()| opened)
    }

    /// Renews an ephemeral resource. Its result stays.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn renew(&self, opened: &mut Opened) -> Result<(), Diagnostics> {
        let request = wire::renew_ephemeral_resource::Request {
            type_name: opened.type_name.clone(),
            private: opened.renewal.clone(),
        };
        let answer = answer(self.calls().renew_ephemeral_resource(request)).await?;
        outcome(answer.diagnostics)?;
        opened.renew_at = answer.renew_at.map(time);
        opened.renewal = answer.private;
        Ok(())
    }

    /// Closes an ephemeral resource, with the private data that opening gave, as Terraform does.
    ///
    /// # Errors
    /// What the provider reports.
    pub async fn close(&self, opened: Opened) -> Result<(), Diagnostics> {
        let Opened { type_name, private, .. } = opened;
        let request = wire::close_ephemeral_resource::Request { type_name, private };
        outcome(answer(self.calls().close_ephemeral_resource(request)).await?.diagnostics).map(drop)
    }

    /// Validates a search and takes what is found, up to `limit` if there is one.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn list(
        &self,
        type_name: &str,
        config: Value,
        include_resource: bool,
        limit: Option<u32>,
    ) -> Result<Vec<Listed>, Diagnostics> {
        let schema = find(&self.published().await?.list_resources, type_name);
        let config = config_of(schema, config);
        self.validate_list(type_name, config.clone(), include_resource, limit).await?;
        let request = list_resource::Request {
            type_name: type_name.to_owned(),
            config: Some(config),
            include_resource_object: include_resource,
            limit: limit.map_or(0, i64::from),
        };
        let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let events = answer(self.calls().list_resource(request)).await?;
        let events: Vec<_> = events.collect().await;
        let mut listed = Vec::new();
        for event in events {
            let event = event.map_err(|status| bug("Plugin error", status.to_string()))?;
            listed.push(self.listed(type_name, event, include_resource).await?);
        }
        let too_many =
            || bug("Provider return invalid response", format!("{} found, {most} wanted", listed.len()));
        if listed.iter().filter(|one| one.identity.is_some()).count() > most {
            Err(too_many())
        } else {
            Ok(listed)
        }
    }

    async fn validate_list(
        &self,
        type_name: &str,
        config: DynamicValue,
        include_resource: bool,
        limit: Option<u32>,
    ) -> Result<(), Diagnostics> {
        let limit = Value::from(limit.map(|limit| Value::from(i64::from(limit))));
        let request = wire::validate_list_resource_config::Request {
            type_name: type_name.to_owned(),
            config: Some(config),
            include_resource_object: Some(encode_as(&Type::Bool, &include_resource.into())),
            limit: Some(encode_as(&Type::Number, &limit)),
        };
        outcome(answer(self.calls().validate_list_resource_config(request)).await?.diagnostics).map(drop)
    }

    async fn listed(
        &self,
        type_name: &str,
        event: list_resource::Event,
        include_resource: bool,
    ) -> Result<Listed, Diagnostics> {
        let (schema, identities) = self.managed(type_name).await?;
        let warnings = outcome(event.diagnostic)?;
        let identity = decode_identity(identities, event.identity)?;
        if let (Some(schema), Some(identity)) = (identities, &identity) {
            judge("Provider produced invalid identity", &check::identity(schema, identity))?;
        } else if warnings.is_empty() {
            return Err(bug("Provider return invalid response", "What was found has no identity."));
        }
        let resource =
            event.resource_object.map(|sent| decode(&schema.implied_type(), Some(sent))).transpose()?;
        if let Some(resource) = &resource {
            judge("Provider produced invalid object", &check::state(schema, resource))?;
        }
        if resource.is_some() && !include_resource {
            return Err(bug("Provider return invalid response", "Nobody asked for the whole resource."));
        }
        Ok(Listed { display_name: event.display_name, identity, resource, warnings })
    }

    /// Validates, plans and invokes an action. Gives what it said on its way.
    ///
    /// # Errors
    /// What the provider reports, and what Terraform would report about it.
    pub async fn invoke(&self, type_name: &str, config: Value) -> Result<Vec<String>, Diagnostics> {
        let schema = find(&self.published().await?.actions, type_name);
        if let Some(deferral) = self.plan_action(type_name, schema, config.clone()).await? {
            return self.may_defer(deferral).map(|()| Vec::new());
        }
        let request = wire::invoke_action::Request {
            action_type: type_name.to_owned(),
            config: Some(config_of(schema, config)),
            client_capabilities: Some(self.capabilities),
        };
        let events = answer(self.calls().invoke_action(request)).await?;
        let events: Vec<_> = events.collect().await;
        let mut said = Vec::new();
        let mut completed = None;
        for event in events {
            let event = event.map_err(|status| bug("Plugin error", status.to_string()))?;
            match event.r#type {
                _ if completed.is_some() => return Err(silent("It goes on after its end.")),
                Some(Event::Progress(progress)) => said.push(progress.message),
                Some(Event::Completed(end)) => completed = Some(end),
                None => return Err(silent("It sent an empty event.")),
            }
        }
        outcome(completed.ok_or_else(|| silent("It never said that it is done."))?.diagnostics).map(|_| said)
    }

    async fn plan_action(
        &self,
        action_type: &str,
        schema: &Schema,
        config: Value,
    ) -> Result<Option<Deferral>, Diagnostics> {
        let config = Some(config_of(schema, config));
        let request = wire::validate_action_config::Request {
            type_name: action_type.to_owned(),
            config: config.clone(),
        };
        outcome(answer(self.calls().validate_action_config(request)).await?.diagnostics)?;
        let request = wire::plan_action::Request {
            action_type: action_type.to_owned(),
            config,
            client_capabilities: Some(self.capabilities),
        };
        let answer = answer(self.calls().plan_action(request)).await?;
        outcome(answer.diagnostics)?;
        match deferral(answer.deferred) {
            Some(other) if other != Deferral::ProviderConfigUnknown => {
                Err(bug("Invalid deferred reason", format!("{other:?}")))
            }
            deferral => Ok(deferral),
        }
    }

    fn deferring(&self) -> Option<ClientCapabilities> {
        let deferral_allowed = self.capabilities.deferral_allowed;
        deferral_allowed.then(|| ClientCapabilities { deferral_allowed, ..Default::default() })
    }
}

fn parameter(signature: &Signature, argument: usize) -> &Parameter {
    signature.parameter_of(argument).expect("the function takes fewer arguments")
}

fn encode_argument(kind: &Type, argument: &Value) -> DynamicValue {
    encode_as(kind, &argument.clone().conform(kind).expect("the argument is not of its type"))
}

fn silent(detail: &str) -> Diagnostics {
    bug("Provider return invalid response", detail)
}

fn impure() -> FunctionError {
    FunctionError { text: "function returned an inconsistent result".to_owned(), argument: None }
}

fn broken(errors: &Diagnostics) -> FunctionError {
    let said = errors.iter().map(|one| format!("{}: {}", one.summary, one.detail));
    FunctionError { text: said.collect::<Vec<_>>().join("; "), argument: None }
}

/// The time a provider gave; one before 1970 is that.
fn time(sent: prost_types::Timestamp) -> SystemTime {
    let seconds = Duration::from_secs(u64::try_from(sent.seconds).unwrap_or_default());
    SystemTime::UNIX_EPOCH + seconds + Duration::from_nanos(u64::try_from(sent.nanos).unwrap_or_default())
}
