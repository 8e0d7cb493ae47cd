//! The calls that these tests make.

use tfplugin_rs::{
    Type, Value,
    wire::{
        go_plugin::{self, grpc_controller_client::GrpcControllerClient},
        tfplugin6::{
            self, DynamicValue, configure_provider, provider_client::ProviderClient, read_data_source,
            validate_data_resource_config,
        },
    },
};
use tonic::{Status, transport::Channel};

const MAX_MESSAGE: usize = 300 << 20;

fn client(channel: &Channel) -> ProviderClient<Channel> {
    ProviderClient::new(channel.clone())
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE)
}

pub(crate) async fn schema(channel: &Channel) -> Result<tfplugin6::get_provider_schema::Response, Status> {
    let request = tfplugin6::get_provider_schema::Request {};
    client(channel).get_provider_schema(request).await.map(tonic::Response::into_inner)
}

/// Asks for trouble of this kind: what came of it, or the summary of what went wrong.
pub(crate) async fn trouble(channel: &Channel, kind: &str) -> Result<String, String> {
    let object = Type::object(["kind", "result"].map(|name| (name, Type::String)));
    let config = Value::object([("kind", kind.into()), ("result", Value::Null)]);
    let config = DynamicValue { msgpack: config.to_msgpack(&object).unwrap(), json: Vec::new() };
    let request = read_data_source::Request {
        type_name: "process_trouble".to_owned(),
        config: Some(config),
        ..Default::default()
    };
    let answer = client(channel).read_data_source(request).await.map_err(|status| status.to_string())?;
    let answer = answer.into_inner();
    if let Some(failed) = answer.diagnostics.first() {
        return Err(failed.summary.clone() + ": " + &failed.detail);
    }
    let state = Value::from_msgpack(&answer.state.unwrap().msgpack, &object).unwrap();
    Ok(state.view().get("result").read().unwrap())
}

/// Sends so many bytes in a call that is answered whatever they are.
pub(crate) async fn send(channel: &Channel, bytes: usize) -> Result<(), Status> {
    let request = validate_data_resource_config::Request {
        type_name: "process_unknown".to_owned(),
        config: Some(DynamicValue { msgpack: vec![b'x'; bytes], json: Vec::new() }),
    };
    let answer = client(channel).validate_data_resource_config(request).await?.into_inner();
    assert_eq!(answer.diagnostics.len(), 1, "{answer:?}");
    Ok(())
}

pub(crate) async fn configure(channel: &Channel, greeting: &str) {
    let object = Type::object([("greeting", Type::String)]);
    let config = Value::object([("greeting", greeting.into())]).to_msgpack(&object).unwrap();
    let request = configure_provider::Request {
        config: Some(DynamicValue { msgpack: config, json: Vec::new() }),
        ..Default::default()
    };
    let answer = client(channel).configure_provider(request).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
}

pub(crate) async fn stop(channel: &Channel) {
    let answer = client(channel).stop_provider(tfplugin6::stop_provider::Request {}).await.unwrap();
    assert_eq!(answer.into_inner().error, "");
}

pub(crate) async fn shut_down(channel: &Channel) {
    GrpcControllerClient::new(channel.clone()).shutdown(go_plugin::Empty {}).await.unwrap();
}
