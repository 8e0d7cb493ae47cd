//! Arbitrary messages for every call there is, answered by a small provider in process.

use std::sync::LazyLock;

use prost::{
    Message,
    bytes::{Buf as _, BufMut as _},
};
use tokio::runtime::Runtime;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};

use super::provider::{self, Thing};
use crate::{
    Type, Value,
    service::Service,
    wire::tfplugin6::{self as wire, DynamicValue, provider_server::ProviderServer},
};

/// How many calls one input makes at most.
const CALLS: usize = 16;

/// The first byte says that more messages of the same stream follow.
const MORE: u8 = 0x80;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("threads can be had")
});

/// All calls, as the definition of the protocol lists them.
static RPCS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("../../proto/tfplugin6.proto").lines();
    lines.filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next()).collect()
});

/// Makes calls one after the other: a byte for which, two for the length of the message, the message.
///
/// # Panics
/// If a message that can be read is not answered, or an answer cannot be read.
pub fn requests(data: &[u8]) {
    RUNTIME.block_on(async {
        let mut client = Grpc::new(ProviderServer::new(Service::new(Thing)));
        let mut rest = data;
        for _ in 0..CALLS {
            let Some((rpc, messages)) = next_call(&mut rest) else { break };
            if let Err(status) = call(&mut client, rpc, messages).await {
                // Only what cannot be read is answered by a status; everything else by messages.
                assert!(status.message().contains("decode"), "{rpc}: {status}");
            }
        }
    });
}

async fn call(
    client: &mut Grpc<ProviderServer<Service>>,
    rpc: &str,
    messages: Vec<Vec<u8>>,
) -> Result<(), Status> {
    client.ready().await.unwrap_or_else(|never| match never {});
    let path = PathAndQuery::try_from(format!("/tfplugin6.Provider/{rpc}")).expect("a sound name");
    let stream = Request::new(tokio_stream::iter(messages));
    let mut answers = client.streaming(stream, path, Bytes).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        decodes(rpc, &answer);
    }
    Ok(())
}

/// The name of a call, and its messages.
fn next_call(rest: &mut &[u8]) -> Option<(&'static str, Vec<Vec<u8>>)> {
    let mut messages = Vec::new();
    loop {
        let (head, behind) = rest.split_first_chunk::<3>()?;
        let length = usize::from(u16::from_le_bytes([head[1], head[2]])).min(behind.len());
        let (message, behind) = behind.split_at(length);
        *rest = behind;
        messages.push(message.to_vec());
        if head[0] & MORE == 0 {
            return Some((RPCS[usize::from(head[0]) % RPCS.len()], messages));
        }
    }
}

type Values = Vec<(Option<DynamicValue>, Type)>;

/// That an answer and the values in it can be read.
fn decodes(rpc: &str, answer: &[u8]) {
    for (value, kind) in values(rpc, answer).expect("an answer that can be read") {
        if let Some(value) = value {
            Value::from_msgpack(&value.msgpack, &kind).unwrap_or_else(|error| panic!("{rpc}: {error}"));
        }
    }
}

/// The values in an answer.
fn values(rpc: &str, answer: &[u8]) -> Result<Values, prost::DecodeError> {
    let (state, config) = (provider::schema().implied_type(), provider::config_schema().implied_type());
    let identity = |data: Option<wire::ResourceIdentityData>| {
        (data.and_then(|data| data.identity_data), provider::identity().implied_type())
    };
    Ok(match rpc {
        "UpgradeResourceState" => {
            vec![(wire::upgrade_resource_state::Response::decode(answer)?.upgraded_state, state)]
        }
        "UpgradeResourceIdentity" => {
            vec![identity(wire::upgrade_resource_identity::Response::decode(answer)?.upgraded_identity)]
        }
        "ReadResource" => {
            let answer = wire::read_resource::Response::decode(answer)?;
            vec![(answer.new_state, state), identity(answer.new_identity)]
        }
        "PlanResourceChange" => {
            let answer = wire::plan_resource_change::Response::decode(answer)?;
            vec![(answer.planned_state, state), identity(answer.planned_identity)]
        }
        "ApplyResourceChange" => {
            let answer = wire::apply_resource_change::Response::decode(answer)?;
            vec![(answer.new_state, state), identity(answer.new_identity)]
        }
        "ImportResourceState" => {
            let imported = wire::import_resource_state::Response::decode(answer)?.imported_resources;
            let both = imported.into_iter().map(|one| [(one.state, state.clone()), identity(one.identity)]);
            both.flatten().collect()
        }
        "MoveResourceState" => {
            let answer = wire::move_resource_state::Response::decode(answer)?;
            vec![(answer.target_state, state), identity(answer.target_identity)]
        }
        "GenerateResourceConfig" => {
            vec![(wire::generate_resource_config::Response::decode(answer)?.config, state)]
        }
        "ReadDataSource" => vec![(wire::read_data_source::Response::decode(answer)?.state, config)],
        "OpenEphemeralResource" => {
            vec![(wire::open_ephemeral_resource::Response::decode(answer)?.result, config)]
        }
        "ListResource" => {
            let event = wire::list_resource::Event::decode(answer)?;
            vec![(event.resource_object, state), identity(event.identity)]
        }
        "CallFunction" => vec![(wire::call_function::Response::decode(answer)?.result, Type::Dynamic)],
        _ => Vec::new(),
    })
}

/// Messages as they are.
#[derive(Clone, Copy, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining()).into()))
    }
}
