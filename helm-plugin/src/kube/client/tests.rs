//! The client against a server that gives prepared answers.

use aws_credential_types::Credentials;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

use super::*;

const PODS: Collection<'_> = Collection { group: "api/v1", kind: "pods", namespace: "shop" };

/// A server that gives these answers, one per connection, and then tells what it was asked.
async fn server(answers: Vec<String>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = Vec::new();
            while !question.ends_with(b"\r\n\r\n") {
                question.push(stream.read_u8().await.unwrap());
            }
            asked.push(String::from_utf8(question).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    let keys = Credentials::new("A", "B", None, None, "test");
    let tokens = Mutex::new(Tokens { signer: Signer::with(keys, "prod", "eu-west-1"), current: None });
    let act_as = ActAs { user: Some("anna".to_owned()), groups: vec!["dev".to_owned(), "ops".to_owned()] };
    let http = builder().no_proxy().build().unwrap();
    (Client { http, cluster: "prod".to_owned(), base, tokens, act_as }, asked)
}

fn answer(status: u16, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status} x\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn asks_again_where_that_can_help() {
    let pod = json!({"metadata": {"name": "a"}});
    let check = async |statuses: &[u16], expected: Result<Option<&Value>, &str>| {
        let answers = statuses.iter().map(|status| {
            let body = if *status == 200 { pod.clone() } else { json!({"message": "busy"}) };
            answer(*status, &body)
        });
        let (client, asked) = server(answers.collect()).await;
        let got = client.get(PODS, "a").await.map_err(|error| error.reason.to_string());
        assert_eq!(got.as_ref().map(Option::as_ref).map_err(String::as_str), expected, "{statuses:?}");
        assert_eq!(asked.await.unwrap().len(), statuses.len());
    };
    check(&[200], Ok(Some(&pod))).await;
    check(&[503, 429, 200], Ok(Some(&pod))).await;
    check(&[401, 200], Ok(Some(&pod))).await;
    check(&[404], Ok(None)).await;
    check(&[401, 401], Err("401: busy")).await;
    check(&[403], Err("403: busy")).await;
    check(&[500, 500, 500], Err("500: busy")).await;
}

#[tokio::test]
async fn reads_lists_to_their_end_as_whom_it_was_told() {
    let page = |name: &str, next: &str| {
        answer(200, &json!({"metadata": {"continue": next}, "items": [{"metadata": {"name": name}}]}))
    };
    let (client, asked) = server(vec![page("a", "n=/"), page("b", "")]).await;
    let pods = client.list(PODS, ("labelSelector", "app in (a,b)")).await.unwrap();
    assert_eq!(pods, [json!({"metadata": {"name": "a"}}), json!({"metadata": {"name": "b"}})]);
    let asked = asked.await.unwrap();
    let first = "GET /api/v1/namespaces/shop/pods?limit=250&labelSelector=app%20in%20%28a%2Cb%29";
    assert!(asked[0].starts_with(&format!("{first} HTTP/1.1\r\n")), "{}", asked[0]);
    assert!(asked[1].starts_with(&format!("{first}&continue=n%3D%2F HTTP/1.1\r\n")), "{}", asked[1]);
    for header in ["authorization: Bearer k8s-aws-v1.", "impersonate-user: anna", "impersonate-group: ops"] {
        assert!(asked[0].contains(header), "{header}: {}", asked[0]);
    }
}

#[tokio::test]
async fn an_apply_that_others_stand_against_names_them() {
    let cause = |message: &str, field: &str| json!({"reason": "FieldManagerConflict", "message": message, "field": field});
    let causes =
        [cause("conflict with \"kubectl-set\" using apps/v1", ".spec.replicas"), json!({"reason": "Other"})];
    let body = json!({"message": "Apply failed", "details": {"causes": causes}});
    let (client, asked) = server(vec![answer(409, &body), answer(409, &json!({"message": "gone"}))]).await;
    let path = "/apis/apps/v1/namespaces/shop/deployments/web";
    let error = client.would_be(path, &json!({}), false).await.unwrap_err();
    let Reason::Conflicts(conflicts) = error.reason else { panic!("{error}") };
    let field = "spec.replicas".to_owned();
    assert_eq!(conflicts, [Conflict { manager: "kubectl-set".to_owned(), field }]);
    let error = client.would_be(path, &json!({}), true).await.unwrap_err();
    assert_eq!(error.reason.to_string(), "409: gone");
    let asked = asked.await.unwrap();
    let expected = format!("PATCH {path}?dryRun=All&fieldManager=helm&force=false HTTP/1.1\r\n");
    assert!(asked[0].starts_with(&expected), "{}", asked[0]);
}

#[tokio::test]
async fn answers_have_a_size() {
    let long = json!("x".repeat(100));
    let (client, asked) = server(vec![answer(200, &long)]).await;
    let error = client.log(("shop", "a"), "web", true, (5, 20)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read /api/v1/namespaces/shop/pods/a/log of cluster `prod`");
    assert_eq!(error.reason.to_string(), "the answer has more than 40 bytes");
    let expected =
        "GET /api/v1/namespaces/shop/pods/a/log?container=web&previous=true&tailLines=5&limitBytes=20 ";
    assert!(asked.await.unwrap()[0].starts_with(expected));
}

#[tokio::test]
async fn an_authority_that_is_none_is_an_error() {
    let cluster = Cluster {
        name: "prod".to_owned(),
        arn: None,
        region: "eu-west-1".to_owned(),
        endpoint: "https://127.0.0.1:1".parse().unwrap(),
        server_name: None,
        certificate_authority: "%".to_owned(),
        outpost_id: None,
        authentication_mode: None,
    };
    let signer = Signer::with(Credentials::new("A", "B", None, None, "test"), "prod", "eu-west-1");
    let error = Client::new(&cluster, signer, ActAs::default()).await.err().unwrap();
    assert_eq!(error.to_string(), "cannot read the API of cluster `prod`");
    assert_eq!(error.reason.to_string(), "no connection can be made");
}
