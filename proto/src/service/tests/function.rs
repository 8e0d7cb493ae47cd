//! Calls of functions.

use tonic::Request;

use super::parts::Parts;
use crate::{
    Type, Value,
    service::codec,
    wire::tfplugin6::{DynamicValue, call_function, provider_server::Provider as _},
};

async fn call(name: &str, arguments: Vec<DynamicValue>) -> call_function::Response {
    let request = call_function::Request { name: name.to_owned(), arguments };
    Parts::default().service().call_function(Request::new(request)).await.unwrap().into_inner()
}

/// An argument as `OpenTofu` sends null: with neither encoding.
const NOTHING: DynamicValue = DynamicValue { msgpack: Vec::new(), json: Vec::new() };

fn text(text: &str) -> DynamicValue {
    codec::encode(&text.into())
}

#[tokio::test]
async fn results() {
    let unknown = || codec::encode(&Value::Unknown);
    let typed =
        || codec::encode(&Value::Dynamic(Type::list(Type::Bool), Box::new(Value::list([true.into()]))));
    let dynamic = || Value::Dynamic(Type::list(Type::Bool), Box::new(Value::list([true.into()])));
    let cases: Vec<(&str, Vec<DynamicValue>, Type, Value)> = vec![
        ("join", vec![text("-")], Type::String, "".into()),
        ("join", vec![text("-"), text("a"), NOTHING, text("b")], Type::String, "a-b".into()),
        ("join", vec![unknown(), text("a")], Type::String, Value::Unknown),
        ("join", vec![text("-"), text("a"), unknown()], Type::String, Value::Unknown),
        ("echo", vec![typed()], Type::Dynamic, dynamic()),
        ("echo", vec![NOTHING], Type::Dynamic, Value::Null),
        ("echo", vec![unknown()], Type::Dynamic, Value::Unknown),
    ];
    for (name, arguments, kind, expected) in cases {
        let answer = call(name, arguments).await;
        assert_eq!(answer.error, None);
        let result = codec::decode(answer.result, &kind).unwrap();
        assert_eq!(
            (result.is_unknown(), result.plain()),
            (expected.is_unknown(), expected.plain()),
            "{name}"
        );
    }
}

#[tokio::test]
async fn errors() {
    let bug = "this is a bug in the provider, please report it: `odd`";
    let cases: Vec<(&str, Vec<DynamicValue>, String, Option<i64>)> = vec![
        ("gone", vec![], "This version of the provider has no function `gone`".to_owned(), None),
        ("join", vec![], "0 arguments are too few, there must be 1".to_owned(), None),
        ("join", vec![NOTHING], "`by` must not be null".to_owned(), Some(0)),
        ("echo", vec![text("a"), text("a")], "A value from Terraform cannot be read".to_owned(), Some(0)),
        ("odd", vec![text("x"), text("y")], "there is no parameter for this argument".to_owned(), Some(1)),
        ("odd", vec![text("x")], "`x` is not odd".to_owned(), Some(0)),
        ("odd", vec![text("text")], format!("{bug}: `` must be bool, not this string"), None),
        ("odd", vec![text("unknown")], format!("{bug}: all arguments are known and the result is not"), None),
        (
            "odd",
            vec![text("panic")],
            "The provider crashed: This is a bug in the provider: `CallFunction` panicked: out of cheese. \
             Please report it."
                .to_owned(),
            None,
        ),
    ];
    for (name, arguments, expected, blamed) in cases {
        let error = call(name, arguments).await.error.unwrap();
        assert!(error.text.starts_with(&expected), "{}", error.text);
        assert_eq!(error.function_argument, blamed, "{expected}");
    }
}
