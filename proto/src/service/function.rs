//! Calls of functions. Their errors are a text and an argument, not diagnostics.

use std::{collections::HashMap, sync::Arc};

use super::{Inner, codec, task::Answer};
use crate::{
    CallRequest, Diagnostics, Function, FunctionError, Parameter, Signature, Value,
    wire::tfplugin6::{self as wire, DynamicValue, StringKind, call_function},
};

/// A function with what is asked of it again and again.
pub(super) struct Called {
    function: Arc<dyn Function>,
    signature: Signature,
}

impl Called {
    pub(super) fn new(function: Arc<dyn Function>) -> Self {
        Self { signature: function.signature(), function }
    }

    async fn call(
        &self,
        sent: Vec<DynamicValue>,
        request: CallRequest,
    ) -> Result<DynamicValue, FunctionError> {
        let arguments = self.arguments(sent)?;
        let unknown = !arguments.iter().all(Value::is_wholly_known);
        let result = if self.undecidable(&arguments) {
            Value::Unknown
        } else {
            self.function.call(CallRequest { arguments, ..request }).await?
        };
        let kind = &self.signature.result;
        let result = result.conform(kind).map_err(|error| self.bug(&error.to_string()))?;
        match result.first_unknown() {
            Some(_) if !unknown => Err(self.bug("all arguments are known and the result is not")),
            _ => Ok(codec::encode(&result)),
        }
    }

    fn arguments(&self, sent: Vec<DynamicValue>) -> Result<Vec<Value>, FunctionError> {
        let wanted = self.signature.parameters.len();
        if sent.len() < wanted {
            let text = format!("{} arguments are too few, there must be {wanted}", sent.len());
            return Err(FunctionError::new(text));
        }
        sent.into_iter().enumerate().map(|(position, sent)| self.argument(position, sent)).collect()
    }

    fn argument(&self, position: usize, sent: DynamicValue) -> Result<Value, FunctionError> {
        let surplus = || FunctionError::new("there is no parameter for this argument").at(position);
        let parameter = self.signature.parameter_of(position).ok_or_else(surplus)?;
        let value = codec::decode(Some(sent), &parameter.kind).map_err(|diagnostics| FunctionError {
            argument: Some(position),
            ..FunctionError::from(&diagnostics)
        })?;
        if value.is_null() && !parameter.nullable {
            return Err(FunctionError::new(format!("`{}` must not be null", parameter.name)).at(position));
        }
        Ok(value)
    }

    /// Whether some argument is unknown where the function has to know it.
    fn undecidable(&self, arguments: &[Value]) -> bool {
        let takes_unknown =
            |position| self.signature.parameter_of(position).is_some_and(|one| one.takes_unknown);
        arguments
            .iter()
            .enumerate()
            .any(|(position, value)| !value.is_wholly_known() && !takes_unknown(position))
    }

    fn bug(&self, fault: &str) -> FunctionError {
        let name = self.function.name();
        FunctionError::new(format!("this is a bug in the provider, please report it: `{name}`: {fault}"))
    }
}

pub(super) async fn call(
    inner: Arc<Inner>,
    request: call_function::Request,
) -> Result<call_function::Response, Diagnostics> {
    let called = super::find(&inner.functions, "function", &request.name)?;
    let context = CallRequest { cancellation: inner.cancellation(), ..CallRequest::default() };
    Ok(match called.call(request.arguments, context).await {
        Ok(result) => call_function::Response { result: Some(result), error: None },
        Err(error) => call_function::Response { result: None, error: Some(error.to_wire()) },
    })
}

impl Answer for call_function::Response {
    fn failed(diagnostics: &Diagnostics) -> Self {
        Self { result: None, error: Some(FunctionError::from(diagnostics).to_wire()) }
    }
}

impl From<&Diagnostics> for FunctionError {
    fn from(diagnostics: &Diagnostics) -> Self {
        let line = |one: &crate::Diagnostic| match one.detail.as_str() {
            "" => one.summary.clone(),
            detail => format!("{}: {detail}", one.summary),
        };
        Self::new(diagnostics.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

impl FunctionError {
    fn to_wire(&self) -> wire::FunctionError {
        let argument = self.argument.and_then(|position| i64::try_from(position).ok());
        wire::FunctionError { text: self.text.clone(), function_argument: argument }
    }
}

impl Inner {
    /// All functions as Terraform is told of them.
    pub(super) fn functions(&self) -> HashMap<String, wire::Function> {
        self.functions.iter().map(|(name, called)| (name.clone(), called.signature.to_wire())).collect()
    }
}

impl Signature {
    fn to_wire(&self) -> wire::Function {
        wire::Function {
            parameters: self.parameters.iter().map(Parameter::to_wire).collect(),
            variadic_parameter: self.variadic.as_ref().map(Parameter::to_wire),
            r#return: Some(wire::function::Return { r#type: self.result.to_json().to_string().into_bytes() }),
            summary: self.summary.clone(),
            description: self.description.clone(),
            description_kind: StringKind::Markdown.into(),
            deprecation_message: self.deprecated.clone().unwrap_or_default(),
        }
    }
}

impl Parameter {
    fn to_wire(&self) -> wire::function::Parameter {
        wire::function::Parameter {
            name: self.name.clone(),
            r#type: self.kind.to_json().to_string().into_bytes(),
            allow_null_value: self.nullable,
            allow_unknown_values: self.takes_unknown,
            description: self.description.clone(),
            description_kind: StringKind::Markdown.into(),
        }
    }
}
