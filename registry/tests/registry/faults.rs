//! Whatever goes wrong once is made good; whatever goes wrong for good is told as what it is.

use std::time::Duration;

use bytes::Bytes;
use ecr_registry::{
    Digest, Endpoints, ErrorKind, Image, Outcome, Patience, Registry, Settings, Tag, Trouble, Version,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    client,
    fake::{Fake, Reply, What},
    image, image_of, layer, patience, settings, told,
};

/// A push with one fault, after which everything is where it belongs.
async fn is_made_good(method: &'static str, path: &'static str, times: usize, what: What) -> (Fake, Image) {
    let fake = Fake::start().await;
    let image = image_of(vec![layer(Bytes::from(vec![3; 2_500_000]))]);
    fake.fail(method, path, times, what);
    client().push(&fake.repository("web"), &image, &()).await.unwrap();
    assert_eq!(fake.state().faults[0].times, 0, "{method} {path}");
    let content = fake.state().repositories["web"].clone();
    assert_eq!((content.blobs.len(), content.manifests.len()), (2, 1));
    (fake, image)
}

#[tokio::test]
async fn a_broken_upload_begins_again_in_a_session_of_its_own() {
    for after in [0, 1, 1_000_000, 2_400_000] {
        let (fake, _) = is_made_good("PUT", "/blobs/uploads/", 1, What::Cut(after)).await;
        assert_eq!((fake.count("POST", "/blobs/"), fake.count("PUT", "/blobs/")), (3, 3));
        assert_eq!(fake.count("HEAD", "/blobs/"), 3);
    }
}

#[tokio::test]
async fn an_upload_whose_answer_was_lost_is_not_sent_again() {
    let (fake, _) = is_made_good("PUT", "/blobs/uploads/", 1, What::DoneBut(Reply::status(502))).await;
    assert_eq!(fake.count("PUT", "/blobs/"), 2);
}

#[tokio::test]
async fn passing_trouble_passes() {
    let slow_down = Reply::error(429, "TOOMANYREQUESTS", "Rate exceeded").header("retry-after", "0");
    let lost = Reply::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    let gone = Reply::error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    is_made_good("HEAD", "/manifests/", 2, What::Answer(Reply::status(503))).await;
    is_made_good("HEAD", "/blobs/", 3, What::Answer(slow_down.clone())).await;
    is_made_good("POST", "/blobs/uploads/", 3, What::Answer(Reply::status(500))).await;
    is_made_good("POST", "/blobs/uploads/", 1, What::Cut(0)).await;
    is_made_good("PUT", "/blobs/uploads/", 2, What::Answer(slow_down)).await;
    is_made_good("PUT", "/blobs/uploads/", 1, What::Answer(lost)).await;
    is_made_good("PUT", "/manifests/", 2, What::Cut(10)).await;
    is_made_good("PUT", "/manifests/", 1, What::Answer(gone)).await;
}

#[tokio::test]
async fn trouble_that_stays_is_told() {
    let fake = Fake::start().await;
    fake.fail("HEAD", "/manifests/", 1000, What::Answer(Reply::status(429)));
    let patience = Patience { throttled: Duration::from_millis(50), ..patience() };
    let registry = Registry::new(Settings { patience, ..settings() }).unwrap();
    let error = registry.head(&fake.repository("web"), &Tag::latest().into()).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::Throttled(_)), "{error:?}");
    assert_eq!((error.outcome(), error.is_transient()), (Outcome::NoAnswer, true));
}

#[tokio::test]
async fn a_stalled_upload_is_given_up() {
    let fake = Fake::start().await;
    fake.fail("PUT", "/blobs/uploads/", 1000, What::Stall);
    let stall = Duration::from_millis(50);
    let patience = Patience { stall, store: stall, attempts: 2, ..patience() };
    let registry = Registry::new(Settings { patience, ..settings() }).unwrap();
    let image = image_of(vec![layer(Bytes::from(vec![3; 30_000_000]))]);
    let error = registry.push(&fake.repository("web"), &image, &()).await.unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "cannot push `{host}/web@{}`: no answer from `{host}`: time is up",
            image.manifest.digest,
            host = fake.host
        )
    );
}

#[tokio::test]
async fn a_stalled_download_is_given_up() {
    let fake = Fake::start().await;
    let image = image(&[b"one"]);
    client().push(&fake.repository("web"), &image, &()).await.unwrap();
    fake.fail("GET", "/blobs/", 1000, What::StallAnswer(1));
    let patience = Patience { stall: Duration::from_millis(50), attempts: 2, ..patience() };
    let registry = Registry::new(Settings { patience, ..settings() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("layer");
    let layer = &image.layers[0].descriptor;
    let error = registry.download(&fake.repository("web"), layer, &to).await.unwrap_err();
    assert!(told(&error).ends_with("time is up"), "{}", told(&error));
    assert_eq!((fake.count("GET", "/blobs/"), to.exists()), (2, false));
}

#[tokio::test]
async fn nobody_home() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap(); // held, so that nobody else listens there
    let host = socket.local_addr().unwrap().to_string();
    let repository = format!("{host}/web").parse().unwrap();
    let error = client().head(&repository, &Tag::latest().into()).await.unwrap_err();
    let ErrorKind::NoAnswer { trouble, .. } = *error.kind else { panic!("{error:?}") };
    assert_eq!((trouble, error.outcome()), (Trouble::Connect, Outcome::NoAnswer));
    assert!(
        told(&error).starts_with(&format!(
            "cannot look up `{host}/web:latest`: no answer from `{host}`: no connection"
        ))
    );
}

#[tokio::test]
async fn plain_text_where_tls_is_spoken_is_a_tls_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mapping = format!("tls.example=https://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        _ = stream.read(&mut [0; 1024]).await;
    });
    let endpoints = Endpoints::parse_text(&mapping).unwrap();
    let registry = Registry::new(Settings { endpoints, ..settings() }).unwrap();
    let error = registry.head(&"tls.example/web".parse().unwrap(), &Tag::latest().into()).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::NoAnswer { trouble: Trouble::Tls, .. }), "{error:?}");
    assert!(!error.is_transient());
    server.await.unwrap();
}

#[tokio::test]
async fn other_content_than_asked_for_is_refused() {
    let fake = Fake::start().await;
    let (registry, repository, image) = (client(), fake.repository("web"), image(&[b"one"]));
    registry.push(&repository, &image, &()).await.unwrap();
    let layer = &image.layers[0].descriptor;
    let (good, bad) = (layer.digest, Digest::of(b"bad"));
    {
        let mut state = fake.state();
        let content = state.repositories.get_mut("web").unwrap();
        content.blobs.insert(good, b"bad".to_vec());
        content.manifests.insert(bad, content.manifests[&image.manifest.digest].clone());
    }
    let error = registry.small_blob(&repository, layer).await.unwrap_err();
    assert_eq!(
        told(&error),
        format!("cannot read `{repository}@{good}`: the content has digest {bad}, not {good}")
    );
    let folder = tempfile::tempdir().unwrap();
    registry.download(&repository, layer, &folder.path().join("layer")).await.unwrap_err();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let error = registry.manifest(&repository, &Version::Digest(bad)).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::DigestMismatch { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_without_end_is_not_taken() {
    let fake = Fake::start().await;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let endless = Reply::status(200).header("content-type", media_type).body(vec![b' '; 4 * 1024 * 1024 + 1]);
    fake.fail("GET", "/manifests/", 1, What::Answer(endless));
    let error = client().manifest(&fake.repository("web"), &Tag::latest().into()).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_registry_cannot_send_us_into_the_network_behind_it() {
    let is_refused = |error: &ecr_registry::Error| matches!(*error.kind, ErrorKind::Protocol(_));
    for there in ["http://169.254.169.254/latest/meta-data", "http://[fd00:ec2::254]/", "ftp://127.0.0.1/"] {
        let (fake, image) = (Fake::start().await, image(&[b"one"]));
        let repository = fake.repository("web");
        let upload = Reply::status(202).header("location", there);
        fake.fail("POST", "/blobs/uploads/", 9, What::Answer(upload));
        let error = client().push(&repository, &image, &()).await.unwrap_err();
        assert!(is_refused(&error), "{there} {error:?}");
        let redirect = Reply::status(307).header("location", there);
        fake.fail("GET", "/blobs/", 9, What::Answer(redirect));
        let error = client().small_blob(&repository, &image.config.descriptor).await.unwrap_err();
        assert!(is_refused(&error), "{there} {error:?}");
        if there.starts_with("http") {
            let realm = format!("Bearer realm=\"{there}\"");
            let asks = Reply::status(401).header("www-authenticate", realm);
            fake.fail("HEAD", "/manifests/", 9, What::Answer(asks));
            let error = client().head(&repository, &Tag::latest().into()).await.unwrap_err();
            assert!(is_refused(&error), "{there} {error:?}");
        }
    }
}
