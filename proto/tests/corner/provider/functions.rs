//! Functions that give back what they are given: one for each type, and some for the borders of types.

use std::sync::Arc;

use tfplugin_rs::{
    CallRequest, Function, FunctionError, Number, Parameter, Signature, Type, Value, async_trait,
};

type Call = fn(&CallRequest) -> Result<Value, FunctionError>;

struct Named {
    name: &'static str,
    signature: Signature,
    call: Call,
}

#[async_trait]
impl Function for Named {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> Signature {
        self.signature.clone()
    }

    async fn call(&self, request: CallRequest) -> Result<Value, FunctionError> {
        (self.call)(&request)
    }
}

/// All functions.
pub(crate) fn all() -> Vec<Arc<dyn Function>> {
    let of_types = kinds().into_iter().map(|(name, kind)| echo(name, &kind, |request| request.read(0)));
    let of_numbers: [(&str, Call); 4] =
        [("float32", float32), ("float64", float64), ("int32", int32), ("int64", int64)];
    let of_numbers = of_numbers.into_iter().map(|(name, call)| echo(name, &Type::Number, call));
    let functions = of_types.chain(of_numbers).chain(special());
    functions.map(|function| Arc::new(function) as Arc<dyn Function>).collect()
}

fn kinds() -> Vec<(&'static str, Type)> {
    vec![
        ("bool", Type::Bool),
        ("dynamic", Type::Dynamic),
        ("list", Type::list(Type::String)),
        ("map", Type::map(Type::String)),
        ("number", Type::Number),
        ("object", Type::object([("attr1", Type::String), ("attr2", Type::Number)])),
        ("object_with_dynamic", Type::object([("any1", Type::Dynamic), ("any2", Type::Dynamic)])),
        ("set", Type::set(Type::String)),
        ("string", Type::String),
        ("tuple", Type::Tuple(vec![Type::String, Type::Number])),
    ]
}

fn echo(name: &'static str, kind: &Type, call: Call) -> Named {
    let signature = Signature::new(kind.clone()).parameter(Parameter::new("value", kind.clone()));
    Named { name, signature, call }
}

fn special() -> [Named; 6] {
    let texts = || Parameter::new("texts", Type::String);
    let any = || Parameter::new("value", Type::Dynamic);
    [
        Named {
            name: "variadic",
            signature: Signature::new(Type::list(Type::String)).variadic(texts()),
            call: |request| Ok(request.read_from::<String>(0)?.into()),
        },
        Named {
            name: "dynamic_variadic",
            signature: Signature::new(Type::Dynamic).variadic(any()),
            call: |request| Ok(tuple(&request.arguments)),
        },
        Named {
            name: "nullable",
            signature: Signature::new(Type::String)
                .parameter(Parameter::new("first", Type::String))
                .variadic(texts().nullable()),
            call: |request| {
                let nulls = request.arguments.iter().filter(|argument| argument.is_null()).count();
                Ok(format!("{nulls} of {} are null", request.arguments.len()).into())
            },
        },
        Named {
            name: "nullable_dynamic",
            signature: Signature::new(Type::Dynamic).parameter(any().nullable()),
            call: |request| request.read(0),
        },
        Named {
            name: "takes_unknown",
            signature: Signature::new(Type::String).parameter(any().nullable().takes_unknown()),
            call: |_| Ok("always the same".into()),
        },
        Named {
            name: "blames",
            signature: Signature::new(Type::Bool)
                .parameter(Parameter::new("first", Type::Bool))
                .variadic(texts()),
            call: |request| {
                let empty = request.arguments.iter().position(|argument| argument.as_str() == Some(""));
                match empty {
                    Some(argument) => Err(FunctionError::new("this text is empty").at(argument)),
                    None if request.read(0)? => Ok(true.into()),
                    None => Err(FunctionError::new("nobody is to blame")),
                }
            },
        },
    ]
}

/// A tuple of what was given, each with the type it brought.
fn tuple(arguments: &[Value]) -> Value {
    let parts = arguments.iter().map(|argument| match argument {
        Value::Dynamic(kind, value) => (kind.clone(), (**value).clone()),
        other => (Type::Dynamic, other.clone()),
    });
    let (kinds, values) = parts.unzip();
    Value::Dynamic(Type::Tuple(kinds), Box::new(Value::List(values)))
}

/// A number that is one of a narrower kind, too.
fn fitting(request: &CallRequest, wanted: &str, fits: fn(&Number) -> bool) -> Result<Value, FunctionError> {
    let number: Number = request.read(0)?;
    if fits(&number) {
        return Ok(number.into());
    }
    Err(FunctionError::new(format!("{number} is not {wanted}")).at(0))
}

fn float32(request: &CallRequest) -> Result<Value, FunctionError> {
    #[expect(clippy::cast_possible_truncation, reason = "whether it fits is the question")]
    fitting(request, "a 32-bit float", |number| {
        let float = number.to_f64() as f32;
        float.is_finite() && (float != 0.0 || number.as_i64() == Some(0))
    })
}

fn float64(request: &CallRequest) -> Result<Value, FunctionError> {
    fitting(request, "a 64-bit float", |number| {
        let float = number.to_f64();
        float.is_finite() && (float != 0.0 || number.as_i64() == Some(0))
    })
}

fn int32(request: &CallRequest) -> Result<Value, FunctionError> {
    fitting(request, "a 32-bit integer", |number| {
        number.as_i64().is_some_and(|integer| i32::try_from(integer).is_ok())
    })
}

fn int64(request: &CallRequest) -> Result<Value, FunctionError> {
    fitting(request, "a 64-bit integer", |number| number.as_i64().is_some())
}
