//! One cluster's API server, asked with tokens of our own. Every question ends: in time, after a few attempts, within
//! so many bytes.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Certificate, ClientBuilder, Response, header, redirect};
use serde_json::Value;
use tokio::{net::lookup_host, sync::Mutex, time::sleep};

use super::{
    error::{KubeError, Reason},
    path::{Collection, encoded},
};
use crate::eks::{cluster::Cluster, signer::Signer, token::Token};

const CONNECT: Duration = Duration::from_secs(5);
/// For one attempt, to the end of its answer.
const ANSWER: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 3;
/// Before the second attempt; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(300);
/// What the API server may ask for before the next attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A token that ends sooner is not used any more.
const MARGIN: Duration = Duration::from_mins(1);
/// One page of a list, in objects.
const PAGE: usize = 250;
/// The pages that are read of one list.
const PAGES: usize = 20;
/// The largest answer, in bytes: a page of objects of the size that Kubernetes stores at most would be more, and is
/// nothing that people have.
const LARGEST: usize = 64 << 20;

/// Fields that are given replace those that are there; the same twice is the same.
const MERGE: &str = "application/merge-patch+json";

/// Whom to act as in the cluster, as `--kube-as-user` and `--kube-as-group` say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ActAs {
    /// The user.
    pub(crate) user: Option<String>,
    /// The groups.
    pub(crate) groups: Vec<String>,
}

/// The API server of one cluster.
pub(crate) struct Client {
    http: reqwest::Client,
    cluster: String,
    base: String,
    tokens: Mutex<Tokens>,
    act_as: ActAs,
}

/// One question, which may be asked more than once.
#[derive(Clone, Copy)]
struct Call<'a> {
    path: &'a str,
    /// Fields to merge; without them the object is read.
    merge: Option<&'a Value>,
    /// The longest answer, in bytes.
    limit: usize,
}

struct Tokens {
    signer: Signer,
    current: Option<Token>,
}

impl Client {
    /// Trusts the cluster's own authority and no other. Nothing is asked yet.
    pub(crate) async fn new(cluster: &Cluster, signer: Signer, act_as: ActAs) -> Result<Self, KubeError> {
        let http = connector(cluster).await.map_err(|reason| KubeError {
            cluster: cluster.name.clone(),
            what: "the API".to_owned(),
            reason,
        })?;
        let host = cluster.server_name.as_deref().unwrap_or(cluster.endpoint.host());
        let base = format!("https://{host}:{}", cluster.endpoint.port());
        let tokens = Mutex::new(Tokens { signer, current: None });
        Ok(Self { http, cluster: cluster.name.clone(), base, tokens, act_as })
    }

    /// One object; `None` if it is not there.
    pub(crate) async fn get(
        &self,
        collection: Collection<'_>,
        name: &str,
    ) -> Result<Option<Value>, KubeError> {
        match self.json(&collection.one(name)).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.reason.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The objects that the query chooses: `labelSelector` or `fieldSelector`, and its value. Of very long lists the
    /// first few thousand.
    pub(crate) async fn list(
        &self,
        collection: Collection<'_>,
        (kind, selector): (&str, &str),
    ) -> Result<Vec<Value>, KubeError> {
        let question = format!("{}?limit={PAGE}&{kind}={}", collection.path(), encoded(selector));
        let mut found = Vec::new();
        let mut from = String::new();
        for _ in 0..PAGES {
            let mut page = self.json(&format!("{question}{from}")).await?;
            if let Value::Array(items) = page["items"].take() {
                found.extend(items);
            }
            match page["metadata"]["continue"].as_str() {
                Some(next) if !next.is_empty() => from = format!("&continue={}", encoded(next)),
                _ => break,
            }
        }
        Ok(found)
    }

    /// The last lines of a container's log; of the one before it, if `previous`.
    pub(crate) async fn log(
        &self,
        pod: (&str, &str),
        container: &str,
        previous: bool,
        (lines, bytes): (usize, usize),
    ) -> Result<String, KubeError> {
        let (namespace, name) = pod;
        let pods = Collection { group: "api/v1", kind: "pods", namespace };
        let path = format!(
            "{}/log?container={}&previous={previous}&tailLines={lines}&limitBytes={bytes}",
            pods.one(name),
            encoded(container)
        );
        let text = self.ask(Call { path: &path, merge: None, limit: 2 * bytes }).await;
        let text = text.map_err(|reason| self.error(&path, reason))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Merges these fields into an object that is there.
    pub(crate) async fn merge(
        &self,
        collection: Collection<'_>,
        name: &str,
        fields: &Value,
    ) -> Result<(), KubeError> {
        let path = collection.one(name);
        let answer = self.ask(Call { path: &path, merge: Some(fields), limit: LARGEST }).await;
        answer.map(drop).map_err(|reason| self.error(&path, reason))
    }

    async fn json(&self, path: &str) -> Result<Value, KubeError> {
        let answer = self.ask(Call { path, merge: None, limit: LARGEST }).await;
        let parsed = answer.and_then(|bytes| serde_json::from_slice(&bytes).map_err(Reason::NotJson));
        parsed.map_err(|reason| self.error(path, reason))
    }

    fn error(&self, path: &str, reason: Reason) -> KubeError {
        let what = path.split('?').next().unwrap_or(path).to_owned();
        KubeError { cluster: self.cluster.clone(), what, reason }
    }

    async fn ask(&self, call: Call<'_>) -> Result<Vec<u8>, Reason> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let reason = match self.attempt(call).await {
                Ok(bytes) => return Ok(bytes),
                Err(reason) => reason,
            };
            // The token, or its credentials, may have ended in the meantime.
            let renew = attempt == 1 && reason.status() == Some(401);
            if renew {
                self.tokens.lock().await.current = None;
            } else if attempt == ATTEMPTS || !reason.is_transient() {
                return Err(reason);
            } else {
                let asked = if let Reason::Refused { after, .. } = reason { after } else { None };
                sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                pause *= 2;
            }
        }
        unreachable!("the last attempt returns")
    }

    async fn attempt(&self, Call { path, merge, limit }: Call<'_>) -> Result<Vec<u8>, Reason> {
        let token = self.token().await?;
        let url = format!("{}{path}", self.base);
        let mut request = match merge {
            None => self.http.get(url),
            Some(fields) => self.http.patch(url).header(header::CONTENT_TYPE, MERGE).body(fields.to_string()),
        };
        request = request.bearer_auth(token.expose());
        if let Some(user) = &self.act_as.user {
            request = request.header("Impersonate-User", user);
        }
        for group in &self.act_as.groups {
            request = request.header("Impersonate-Group", group);
        }
        let response = request.send().await?;
        let (status, after) = (response.status(), after(&response));
        let body = bounded(response, limit).await?;
        if status.is_success() {
            return Ok(body);
        }
        Err(Reason::Refused { status: status.as_u16(), message: message(&body), after })
    }

    async fn token(&self) -> Result<Token, Reason> {
        let mut tokens = self.tokens.lock().await;
        let now = SystemTime::now();
        if let Some(token) = tokens.current.as_ref().filter(|token| token.expires_at > now + MARGIN) {
            return Ok(token.clone());
        }
        let token = tokens.signer.token(now).await.map_err(|failure| Reason::Token(failure.to_string()))?;
        tokens.current = Some(token.clone());
        Ok(token)
    }
}

/// Connections as the cluster wants them. An endpoint that has another name in its certificate is a tunnel's, and is
/// reached without a proxy.
async fn connector(cluster: &Cluster) -> Result<reqwest::Client, Reason> {
    let setup = |error: Box<dyn std::error::Error + Send + Sync>| Reason::Setup(error);
    let pem = STANDARD.decode(&cluster.certificate_authority).map_err(|error| setup(error.into()))?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(|error| setup(error.into()))?;
    let mut builder = builder().tls_certs_only(roots).https_only(true);
    let host = cluster.endpoint.host().trim_matches(['[', ']']);
    if let Some(name) = &cluster.server_name {
        let addresses: Vec<_> = lookup_host((host, cluster.endpoint.port())).await?.collect();
        builder = builder.resolve_to_addrs(name, &addresses).no_proxy();
    }
    if matches!(host, "localhost" | "127.0.0.1" | "::1") {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| setup(error.into()))
}

fn builder() -> ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("eks-deploy/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
}

async fn bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, Reason> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > limit {
            return Err(Reason::TooLong(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    text.parse().ok().map(Duration::from_secs)
}

/// The words of a `Status` object, or the start of whatever a proxy on the way said.
fn message(body: &[u8]) -> String {
    let status: Option<BTreeMap<String, Value>> = serde_json::from_slice(body).ok();
    let said = status.as_ref().and_then(|status| status.get("message")?.as_str().map(str::to_owned));
    said.unwrap_or_else(|| {
        String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(200).collect()
    })
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use serde_json::json;
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
        let act_as =
            ActAs { user: Some("anna".to_owned()), groups: vec!["dev".to_owned(), "ops".to_owned()] };
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
        for header in
            ["authorization: Bearer k8s-aws-v1.", "impersonate-user: anna", "impersonate-group: ops"]
        {
            assert!(asked[0].contains(header), "{header}: {}", asked[0]);
        }
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
}
