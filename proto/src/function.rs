//! Functions: `provider::text::shout("hello")`.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{FromValue, Type, Value, View};

/// A function of the provider.
///
/// Pure: the same arguments give the same result, for Terraform calls it while planning and again while
/// applying and compares. It runs without the provider being configured.
#[async_trait]
pub trait Function: Send + Sync + 'static {
    /// Its name, without the provider's.
    fn name(&self) -> &str;

    /// What it takes and gives.
    fn signature(&self) -> Signature;

    /// Calls it. As many arguments as there are parameters come, and then those of the variadic
    /// one; each is of its parameter's type, and null or unknown only if that allows it.
    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError>;
}

/// What a function takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) variadic: Option<Parameter>,
    pub(crate) result: Type,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) deprecated: Option<String>,
}

/// What a function takes in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) nullable: bool,
    pub(crate) takes_unknown: bool,
    pub(crate) description: String,
}

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub struct CallRequest {
    /// In the order of the parameters, those of the variadic one last.
    pub arguments: Vec<Value>,
    /// Cancelled when the user interrupts.
    pub cancellation: CancellationToken,
}

/// Why a function has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FunctionError {
    /// Shown to the user.
    pub text: String,
    /// The argument that is to blame, counted from 0.
    pub argument: Option<usize>,
}

impl Signature {
    /// A function without parameters.
    pub fn new(result: Type) -> Self {
        Self {
            parameters: Vec::new(),
            variadic: None,
            result,
            summary: String::new(),
            description: String::new(),
            deprecated: None,
        }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Takes any number of further arguments.
    #[must_use]
    pub fn variadic(mut self, parameter: Parameter) -> Self {
        self.variadic = Some(parameter);
        self
    }

    /// Says in a line what it does.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        summary.clone_into(&mut self.summary);
        self
    }

    /// Describes it, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Marks it as going away, saying what to use instead.
    #[must_use]
    pub fn deprecated(mut self, message: &str) -> Self {
        self.deprecated = Some(message.to_owned());
        self
    }

    /// The parameter an argument belongs to.
    pub(crate) fn parameter_of(&self, argument: usize) -> Option<&Parameter> {
        self.parameters.get(argument).or(self.variadic.as_ref())
    }
}

impl Parameter {
    /// A parameter that takes neither null nor unknown values: with an unknown argument the result is
    /// unknown, without a call.
    pub fn new(name: &str, kind: Type) -> Self {
        let (name, description) = (name.to_owned(), String::new());
        Self { name, kind, nullable: false, takes_unknown: false, description }
    }

    /// Takes null, too.
    #[must_use]
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Takes values known only after apply, too. The result may be unknown then.
    #[must_use]
    pub fn takes_unknown(mut self) -> Self {
        self.takes_unknown = true;
        self
    }

    /// Describes it, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }
}

impl CallRequest {
    /// Reads an argument, counted from 0.
    ///
    /// # Errors
    /// If it has another shape. The error blames the argument.
    pub fn read<T: FromValue>(&self, argument: usize) -> Result<T, FunctionError> {
        let value = self.arguments.get(argument).unwrap_or(&Value::Null);
        View::new(value).read().map_err(|error| {
            let place =
                if error.path.steps().is_empty() { String::new() } else { format!("`{}` ", error.path) };
            FunctionError::new(format!("{place}must be {}, not {}", error.wanted, error.found)).at(argument)
        })
    }

    /// Reads all arguments from one on: those of the variadic parameter.
    ///
    /// # Errors
    /// If one has another shape. The error blames the argument.
    pub fn read_from<T: FromValue>(&self, first: usize) -> Result<Vec<T>, FunctionError> {
        (first..self.arguments.len()).map(|argument| self.read(argument)).collect()
    }
}

impl FunctionError {
    /// An error that blames no argument.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: None }
    }

    /// Blames an argument, counted from 0.
    #[must_use]
    pub fn at(mut self, argument: usize) -> Self {
        self.argument = Some(argument);
        self
    }
}
