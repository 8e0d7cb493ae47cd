use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const SENT: usize = 1000;
const BEFORE: usize = 400;

fn schedule(kind: Kind, direction: Direction, connection: Option<usize>, byte: usize) -> Schedule {
    let place = Place { direction, connection, byte: byte as u64 };
    Schedule { seed: 0, faults: vec![Fault { kind, place }] }
}

/// A proxy with one connection through it: the client's end and the server's.
async fn connected(schedule: &Schedule) -> (Proxy, TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap(), schedule).await.unwrap();
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (proxy, client, server)
}

/// With one fault after 400 of 1,000 bytes: the proxy, and the ends of sender and receiver.
async fn sent(kind: Kind, direction: Direction) -> (Proxy, TcpStream, TcpStream) {
    let (proxy, client, server) = connected(&schedule(kind, direction, None, BEFORE)).await;
    let (mut sender, receiver) = if direction == Direction::Up { (client, server) } else { (server, client) };
    sender.write_all(&[7; SENT]).await.unwrap();
    (proxy, sender, receiver)
}

/// How many bytes come, and whether the end is an orderly one.
async fn rest(stream: &mut TcpStream) -> (usize, bool) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await;
    (bytes.len(), end.is_ok())
}

const BOTH: [Direction; 2] = [Direction::Up, Direction::Down];

#[tokio::test]
async fn a_cut_is_told_to_both() {
    for direction in BOTH {
        let (_proxy, mut sender, mut receiver) = sent(Kind::Cut, direction).await;
        assert_eq!(rest(&mut receiver).await, (BEFORE, true));
        assert_eq!(rest(&mut sender).await, (0, true));
    }
}

#[tokio::test]
async fn a_reset_is_an_error_to_both() {
    for direction in BOTH {
        let (_proxy, mut sender, mut receiver) = sent(Kind::Reset, direction).await;
        let (came, orderly) = rest(&mut receiver).await;
        assert!(came <= BEFORE && !orderly);
        assert_eq!(rest(&mut sender).await, (0, false));
    }
}

#[tokio::test]
async fn a_stall_ends_with_the_proxy_only() {
    for direction in BOTH {
        let (proxy, mut sender, mut receiver) = sent(Kind::Stall, direction).await;
        receiver.read_exact(&mut [0; BEFORE]).await.unwrap();
        receiver.write_all(b"heard").await.unwrap();
        drop(proxy);
        assert_eq!(rest(&mut receiver).await.0, 0);
        assert_eq!(rest(&mut sender).await.0, 0);
    }
}

#[tokio::test]
async fn what_is_swallowed_goes_one_way() {
    for direction in BOTH {
        let (proxy, mut sender, mut receiver) = sent(Kind::Swallow, direction).await;
        receiver.read_exact(&mut [0; BEFORE]).await.unwrap();
        receiver.write_all(b"heard").await.unwrap();
        sender.read_exact(&mut [0; 5]).await.unwrap();
        drop(proxy);
        assert_eq!(rest(&mut receiver).await.0, 0);
    }
}

#[tokio::test]
async fn a_half_closed_connection_goes_on_the_other_way() {
    for direction in BOTH {
        let (_proxy, mut sender, mut receiver) = sent(Kind::HalfClose, direction).await;
        assert_eq!(rest(&mut receiver).await, (BEFORE, true));
        receiver.write_all(b"heard").await.unwrap();
        sender.read_exact(&mut [0; 5]).await.unwrap();
    }
}

#[tokio::test]
async fn slow_and_split_bytes_all_come() {
    for (kind, direction) in [(Kind::Slow, BOTH[0]), (Kind::Slow, BOTH[1]), (Kind::Split, BOTH[0])] {
        let (proxy, mut sender, mut receiver) = sent(kind, direction).await;
        sender.write_all(&vec![7; 100 * SENT]).await.unwrap();
        sender.shutdown().await.unwrap();
        assert_eq!(rest(&mut receiver).await, (101 * SENT, true));
        assert_eq!(proxy.traffic().bytes(direction), 101 * SENT as u64);
    }
}

#[tokio::test]
async fn a_kill_waits_for_the_client_to_be_gone() {
    let (proxy, client, mut server) = sent(Kind::Kill, Direction::Up).await;
    proxy.kill_is_due().await;
    server.read_exact(&mut [0; BEFORE]).await.unwrap();
    drop(client);
    assert_eq!(rest(&mut server).await.0, 0);
}

#[tokio::test]
async fn connections_are_counted_in_their_order() {
    let schedule = schedule(Kind::Cut, Direction::Up, Some(1), 2);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap(), &schedule).await.unwrap();
    for expected in [5, 2] {
        assert_eq!(proxy.struck(), []);
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"12345").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(rest(&mut server).await, (expected, true));
    }
    assert_eq!(proxy.struck(), schedule.faults);
    assert_eq!(proxy.traffic(), Traffic { up: 7, down: 0, connections: 2 });
}
