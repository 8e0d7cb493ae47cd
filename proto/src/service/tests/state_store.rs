//! State stores.

use tokio_stream::StreamExt as _;
use tonic::{Request, Status};

use super::parts::{Parts, lines, sent};
use crate::{
    service::{Service, state_store},
    wire::tfplugin6::{
        RequestChunkMeta, StateRange, StateStoreClientCapabilities, configure_state_store, delete_state,
        get_states, lock_state, provider_server::Provider as _, read_state_bytes as read, unlock_state,
        validate_state_store, write_state_bytes as write,
    },
};

fn thing() -> String {
    "thing".to_owned()
}

async fn configure(service: &Service, chunk_size: i64) -> i64 {
    let capabilities = Some(StateStoreClientCapabilities { chunk_size });
    let request = configure_state_store::Request { type_name: thing(), config: sent(""), capabilities };
    let answer = service.configure_state_store(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    answer.capabilities.unwrap().chunk_size
}

async fn read(service: &Service, name: &str) -> Vec<read::Response> {
    let request = read::Request { type_name: thing(), state_id: name.to_owned() };
    let chunks = service.read_state_bytes(Request::new(request)).await.unwrap().into_inner();
    chunks.map(Result::unwrap).collect().await
}

/// A chunk as Terraform cuts it: the bytes from `start` on, of `total`.
fn chunk(start: usize, bytes: &str, total: i64) -> Result<write::RequestChunk, Status> {
    let meta = RequestChunkMeta { type_name: thing(), state_id: "prod".to_owned() };
    let start_at = i64::try_from(start).unwrap();
    let end = start_at + i64::try_from(bytes.len()).unwrap() - 1;
    Ok(write::RequestChunk {
        meta: (start == 0).then_some(meta),
        bytes: bytes.as_bytes().to_vec(),
        total_length: total,
        range: Some(StateRange { start: start_at, end }),
    })
}

async fn write(service: &Service, chunks: Vec<Result<write::RequestChunk, Status>>) -> Vec<String> {
    let chunks = state_store::Chunks(tokio_stream::iter(chunks));
    let answer: write::Response = service.run(state_store::write, chunks).await;
    lines(&answer.diagnostics)
}

#[tokio::test]
async fn a_state_is_written_and_read_in_chunks() {
    let service = Parts::default().service();
    assert_eq!(configure(&service, 4).await, 4);
    assert_eq!(read(&service, "prod").await, []);
    let chunks = vec![chunk(0, "0123", 6), chunk(4, "45", 6)];
    assert_eq!(write(&service, chunks).await, [""; 0]);
    let chunks = read(&service, "prod").await;
    let parts: Vec<_> =
        chunks.iter().map(|chunk| (&*chunk.bytes, chunk.total_length, chunk.range.unwrap())).collect();
    let range = |start, end| StateRange { start, end };
    assert_eq!(parts, [(&b"0123"[..], 6, range(0, 3)), (&b"45"[..], 6, range(4, 5))]);

    let request = get_states::Request { type_name: thing() };
    let answer = service.get_states(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.state_id, ["prod"]);
    let request = delete_state::Request { type_name: thing(), state_id: "prod".to_owned() };
    assert_eq!(service.delete_state(Request::new(request)).await.unwrap().into_inner().diagnostics, []);
    assert_eq!(read(&service, "prod").await, []);
}

#[tokio::test]
async fn half_a_state_is_not_written() {
    let service = Parts::default().service();
    let order =
        "error: The state did not arrive completely: Nothing was written: its parts are not in order.";
    for (chunks, expected) in [
        (
            vec![],
            "error: The client's message is incomplete: It sent no state. Terraform and OpenTofu always do.",
        ),
        (
            vec![chunk(4, "45", 6)],
            "error: The client's message is incomplete: It sent no name of the state. Terraform and OpenTofu always do.",
        ),
        (vec![chunk(0, "0123", 6), chunk(5, "5", 6)], order),
        (
            vec![chunk(0, "0123", 6)],
            "error: The state did not arrive completely: Nothing was written: its end is missing.",
        ),
        (
            vec![chunk(0, "0123", 6), Err(Status::cancelled("gone"))],
            "error: The state did not arrive completely: Nothing was written: gone.",
        ),
    ] {
        assert_eq!(write(&service, chunks).await, [expected]);
    }
    assert_eq!(read(&service, "prod").await, []);
}

#[tokio::test]
async fn failures_come_with_a_range() {
    for name in ["fail", "panic"] {
        let chunks = read(&Parts::default().service(), name).await;
        assert_eq!((chunks.len(), chunks[0].diagnostics.len()), (1, 1));
        assert_eq!(chunks[0].range, Some(StateRange::default()));
    }
}

#[tokio::test]
async fn sizes_are_agreed_on() {
    for (proposed, agreed) in [(0, 8 << 20), (-1, 8 << 20), (1 << 20, 1 << 20), (i64::MAX, 128 << 20)] {
        assert_eq!(configure(&Parts::default().service(), proposed).await, agreed);
    }
}

#[tokio::test]
async fn locks() {
    let parts = Parts::default();
    let service = parts.service();
    let (state_id, operation) = ("prod".to_owned(), "apply".to_owned());
    let request = lock_state::Request { type_name: thing(), state_id: state_id.clone(), operation };
    let lock_id = service.lock_state(Request::new(request)).await.unwrap().into_inner().lock_id;
    assert_eq!(lock_id, "apply prod");
    let request = unlock_state::Request { type_name: thing(), state_id, lock_id };
    assert_eq!(service.unlock_state(Request::new(request)).await.unwrap().into_inner().diagnostics, []);
    assert_eq!(parts.said(), ["unlock prod with apply prod"]);
}

#[tokio::test]
async fn configurations_are_checked() {
    let config = sent("far too long to be any good");
    let request = validate_state_store::Request { type_name: thing(), config };
    let answer = Parts::default().service().validate_state_store_config(Request::new(request)).await;
    assert_eq!(answer.unwrap().into_inner().diagnostics.len(), 1);
}
