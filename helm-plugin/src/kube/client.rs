//! One cluster's API server, asked with tokens of our own. Every question ends: in time, after a few attempts, within
//! so many bytes.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Certificate, ClientBuilder, Response, StatusCode, header, redirect};
use serde_json::{Value, json};
use tokio::{net::lookup_host, sync::Mutex, time::sleep};

use super::{
    error::{Conflict, KubeError, Reason},
    path::{Collection, encoded},
};
use crate::eks::{cluster::Cluster, signer::Signer, token::Token};

#[cfg(test)]
mod tests;

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
const JSON: &str = "application/json";
/// Server-side apply. JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";
/// The name by which Helm owns fields.
const MANAGER: &str = "helm";

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
    method: Method,
    /// What is sent, and as what; nothing to read.
    body: Option<(&'static str, &'a Value)>,
    /// The longest answer, in bytes.
    limit: usize,
}

impl<'a> Call<'a> {
    fn get(path: &'a str) -> Self {
        Self { path, method: Method::Get, body: None, limit: LARGEST }
    }

    fn send(method: Method, path: &'a str, content_type: &'static str, body: &'a Value) -> Self {
        Self { path, method, body: Some((content_type, body)), limit: LARGEST }
    }
}

/// What is done twice is done once: so that all of it can be asked again.
#[derive(Clone, Copy)]
enum Method {
    Get,
    Patch,
    /// Of reviews only, which are asked and not kept.
    Post,
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
        self.look(&collection.one(name)).await
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
        let text = self.ask(Call { limit: 2 * bytes, ..Call::get(&path) }).await;
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
        self.answer(Call::send(Method::Patch, &path, MERGE, fields)).await.map(drop)
    }

    /// What is at a path; `None` if nothing is.
    pub(crate) async fn look(&self, path: &str) -> Result<Option<Value>, KubeError> {
        match self.json(path).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.reason.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What an object would be if Helm applied it by server-side apply; nothing is changed. With `force`, fields that
    /// others own become Helm's.
    pub(crate) async fn would_be(&self, path: &str, object: &Value, force: bool) -> Result<Value, KubeError> {
        let path = format!("{path}?dryRun=All&fieldManager={MANAGER}&force={force}");
        self.answer(Call::send(Method::Patch, &path, APPLY, object)).await
    }

    /// Whether the identity may do this: `verb`, `group`, `resource` and `namespace` as RBAC names them.
    pub(crate) async fn may(&self, attributes: &Value) -> Result<bool, KubeError> {
        const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        });
        let answer = self.answer(Call::send(Method::Post, REVIEWS, JSON, &review)).await?;
        Ok(answer["status"]["allowed"] == true)
    }

    async fn json(&self, path: &str) -> Result<Value, KubeError> {
        self.answer(Call::get(path)).await
    }

    async fn answer(&self, call: Call<'_>) -> Result<Value, KubeError> {
        let answer = self.ask(call).await;
        let parsed = answer.and_then(|bytes| serde_json::from_slice(&bytes).map_err(Reason::NotJson));
        parsed.map_err(|reason| self.error(call.path, reason))
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

    async fn attempt(&self, Call { path, method, body, limit }: Call<'_>) -> Result<Vec<u8>, Reason> {
        let token = self.token().await?;
        let url = format!("{}{path}", self.base);
        let mut request = match method {
            Method::Get => self.http.get(url),
            Method::Patch => self.http.patch(url),
            Method::Post => self.http.post(url),
        };
        if let Some((content_type, body)) = body {
            request = request.header(header::CONTENT_TYPE, content_type).body(body.to_string());
        }
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
        let conflicts = if status == StatusCode::CONFLICT { conflicts(&body) } else { Vec::new() };
        if !conflicts.is_empty() {
            return Err(Reason::Conflicts(conflicts));
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

/// The fields that somebody else owns, if that is why an apply was refused.
fn conflicts(body: &[u8]) -> Vec<Conflict> {
    let status: Value = serde_json::from_slice(body).unwrap_or_default();
    let causes = status["details"]["causes"].as_array().into_iter().flatten();
    let conflict = |cause: &Value| {
        let manager = cause["message"].as_str()?.strip_prefix("conflict with \"")?.split('"').next()?;
        let field = cause["field"].as_str()?.trim_start_matches('.');
        Some(Conflict { manager: manager.to_owned(), field: field.to_owned() })
    };
    causes.filter(|cause| cause["reason"] == "FieldManagerConflict").filter_map(conflict).collect()
}
