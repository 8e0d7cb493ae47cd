//! State stores. No client uses them yet, outside of experiments.

use tfplugin_rs::{
    Type, Value,
    testing::wire::Client,
    wire::tfplugin6::{
        DynamicValue, RequestChunkMeta, StateRange, StateStoreClientCapabilities, configure_state_store,
        delete_state, get_states, lock_state, read_state_bytes, unlock_state, validate_state_store,
        write_state_bytes::RequestChunk,
    },
};
use tokio_stream::StreamExt as _;

const CHUNK: usize = 1 << 20;

fn store() -> String {
    "corner_memory".to_owned()
}

fn config(region: &str) -> DynamicValue {
    let value = Value::object([("region", region.into())]);
    let msgpack = value.to_msgpack(&Type::object([("region", Type::String)])).unwrap();
    DynamicValue { msgpack, json: Vec::new() }
}

async fn configure(client: &Client) {
    let capabilities = Some(StateStoreClientCapabilities { chunk_size: i64::try_from(CHUNK).unwrap() });
    let request =
        configure_state_store::Request { type_name: store(), config: Some(config("east")), capabilities };
    let answer = client.calls().configure_state_store(request).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    assert_eq!(answer.capabilities.unwrap().chunk_size, i64::try_from(CHUNK).unwrap());
}

async fn write(client: &Client, name: &str, state: &[u8]) {
    let total_length = i64::try_from(state.len()).unwrap();
    let meta = RequestChunkMeta { type_name: store(), state_id: name.to_owned() };
    let chunk = |(number, bytes): (usize, &[u8])| {
        let start = i64::try_from(number * CHUNK).unwrap();
        let end = start + i64::try_from(bytes.len()).unwrap() - 1;
        RequestChunk {
            meta: (number == 0).then(|| meta.clone()),
            bytes: bytes.to_vec(),
            total_length,
            range: Some(StateRange { start, end }),
        }
    };
    let chunks: Vec<_> = state.chunks(CHUNK).enumerate().map(chunk).collect();
    let answer = client.calls().write_state_bytes(tokio_stream::iter(chunks)).await.unwrap();
    assert_eq!(answer.into_inner().diagnostics, []);
}

async fn read(client: &Client, name: &str) -> Vec<u8> {
    let request = read_state_bytes::Request { type_name: store(), state_id: name.to_owned() };
    let mut chunks = client.calls().read_state_bytes(request).await.unwrap().into_inner();
    let mut state = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.unwrap();
        assert_eq!(chunk.diagnostics, []);
        assert!(chunk.bytes.len() <= CHUNK);
        state.extend(chunk.bytes);
    }
    state
}

async fn states(client: &Client) -> Vec<String> {
    let request = get_states::Request { type_name: store() };
    client.calls().get_states(request).await.unwrap().into_inner().state_id
}

pub(super) async fn keeps_states(client: &Client) {
    configure(client).await;
    assert_eq!(read(client, "default").await, b"");
    for name in ["default", "other"] {
        write(client, name, name.as_bytes()).await;
    }
    write(client, "default", b"newer").await;
    assert_eq!(
        (read(client, "default").await, read(client, "other").await),
        (b"newer".into(), b"other".into())
    );
    assert_eq!(states(client).await, ["default", "other"]);
    let request = delete_state::Request { type_name: store(), state_id: "other".to_owned() };
    assert_eq!(client.calls().delete_state(request).await.unwrap().into_inner().diagnostics, []);
    assert_eq!(states(client).await, ["default"]);
}

pub(super) async fn locks(client: &Client) {
    configure(client).await;
    let state_id = "default".to_owned();
    let lock =
        lock_state::Request { type_name: store(), state_id: state_id.clone(), operation: "apply".to_owned() };
    let first = client.calls().lock_state(lock.clone()).await.unwrap().into_inner();
    let second = client.calls().lock_state(lock.clone()).await.unwrap().into_inner();
    assert_eq!((first.diagnostics.len(), second.diagnostics.len()), (0, 1));
    assert_eq!(second.diagnostics[0].summary, "`default` is locked for apply");
    for (lock_id, problems) in [("wrong".to_owned(), 1), (first.lock_id, 0)] {
        let request = unlock_state::Request { type_name: store(), state_id: state_id.clone(), lock_id };
        let answer = client.calls().unlock_state(request).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics.len(), problems);
    }
    assert_eq!(client.calls().lock_state(lock).await.unwrap().into_inner().diagnostics, []);
}

pub(super) async fn refuses_its_configuration(client: &Client) {
    for (region, problems) in [("nowhere", 1), ("west", 0)] {
        let request = validate_state_store::Request { type_name: store(), config: Some(config(region)) };
        let answer = client.calls().validate_state_store_config(request).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics.len(), problems, "{region}");
    }
}

pub(super) async fn takes_large_states(client: &Client) {
    configure(client).await;
    let state: Vec<u8> = (0..=250).cycle().take(64 * CHUNK + 17).collect();
    write(client, "default", &state).await;
    assert!(read(client, "default").await == state, "what was read is not what was written");
}
