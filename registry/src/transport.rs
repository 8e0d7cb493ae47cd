//! Requests to registries: addressed by endpoint, authorised, tried again where that can help, with a limit on
//! every wait.

mod answer;
mod body;
mod clients;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod http;
mod location;
mod pace;
mod retry;
mod trust;
mod zone;

use std::{pin::pin, sync::Arc};

use ::http::{HeaderMap, HeaderValue, Method, header};
use bytes::Bytes;
use futures::TryStreamExt;
use reqwest::Response;
use url::Url;

pub(crate) use answer::Refusal;
pub(crate) use body::{Pieces, checked, stream_bytes, stream_file, stream_part};
pub(crate) use clients::Pool;
pub(crate) use http::{Http, causes, read_limited};
pub(crate) use location::{Sender, Target, Way};
use pace::Pass;
pub(crate) use pace::{Came, Kind, Paces};
pub(crate) use retry::{Retry, random};
pub(crate) use zone::Zone;

use crate::{
    access::{Access, Place, Scope},
    ecr::EcrClients,
    endpoints::Endpoints,
    error::ErrorKind,
    mirrors::MirrorsInUse,
    names::{Host, Repository, Version},
    requests,
    settings::{Login, Patience, Settings},
};

/// One request, which can be made any number of times.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) repository: &'a Repository,
    pub(crate) target: Target,
    pub(crate) scope: Scope,
    pub(crate) pool: Pool,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, repository: &'a Repository, target: Target, scope: Scope) -> Self {
        let (pool, headers, body) = (Pool::Small, HeaderMap::new(), Bytes::new());
        Self { method, repository, target, scope, pool, headers, body }
    }

    pub(crate) fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    /// That the body of the request or of the answer is a blob of this size.
    pub(crate) fn blob(mut self, size: u64) -> Self {
        self.pool = Pool::of_blob(size);
        self
    }
}

/// What came back.
pub(crate) enum Reply {
    /// A status below 400; the body is not read yet.
    Taken(Response),
    /// Any other status, with what the registry said.
    Refused(Refusal),
}

/// Speaks to registries.
pub(crate) struct Transport {
    http: Http,
    access: Access,
    endpoints: Endpoints,
    ecr: Option<EcrClients>,
    paces: Paces,
    trusted: Vec<Host>,
    pub(crate) mirrors: MirrorsInUse,
    pub(crate) patience: Patience,
}

impl Transport {
    pub(crate) fn new(settings: Settings, ecr: Option<EcrClients>) -> Result<Arc<Self>, ErrorKind> {
        let http = Http::new(&settings)?;
        // The API and the registry protocol draw from the same quotas.
        let paces = ecr.as_ref().map(EcrClients::paces).unwrap_or_default();
        let access = Access::new(&settings, ecr.clone(), http.clone());
        let Settings { endpoints, trusted, mirrors, patience, .. } = settings;
        let mirrors = MirrorsInUse::new(mirrors);
        Ok(Arc::new(Self { http, access, endpoints, ecr, paces, trusted, mirrors, patience }))
    }

    /// Where `path` of the repository is, such as `manifests/latest`.
    pub(crate) fn target(&self, repository: &Repository, path: &str) -> Target {
        let mut url = self.base(repository.host());
        let root = url.path().to_owned();
        url.set_path(&format!("{root}v2/{}/{path}", repository.name()));
        Target { url, way: Way::Registry }
    }

    /// Where an answer of the repository's registry sends us, by this location or link.
    pub(crate) fn locate(
        &self,
        repository: &Repository,
        response: &Response,
        location: &str,
    ) -> Result<Target, ErrorKind> {
        let base = self.base(repository.host());
        self.sender(repository, &base, response.url(), self.http.zone(response)).locate(location)
    }

    /// Where an answer of the repository's registry sends us by its location.
    pub(crate) fn located(&self, repository: &Repository, response: &Response) -> Result<Target, ErrorKind> {
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let location = location
            .ok_or_else(|| ErrorKind::Protocol(format!("{} without a location", response.status())))?;
        self.locate(repository, response, location)
    }

    fn sender<'a>(
        &'a self,
        repository: &'a Repository,
        base: &'a Url,
        asked: &'a Url,
        zone: Zone,
    ) -> Sender<'a> {
        Sender { host: repository.host(), base, asked, zone, trusted: &self.trusted }
    }

    pub(crate) fn base(&self, host: &Host) -> Url {
        self.endpoints.base(host)
    }

    /// Makes a request, again and again as long as that can help.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Reply, ErrorKind> {
        let mut retry = Retry::new(&self.patience);
        loop {
            let reply = self.send_once(call).await;
            let wait = match &reply {
                Ok(Reply::Refused(refusal)) if refusal.is_transient() => {
                    retry.next(&refusal.kind(call.repository), refusal.retry_after())
                }
                Err(error) if error.is_transient() => retry.next(error, None),
                Ok(_) | Err(_) => None,
            };
            match wait {
                Some(wait) => {
                    tracing::debug!(method = %call.method, host = call.target.host(), ?wait, "trying again");
                    requests::again();
                    tokio::time::sleep(wait).await;
                }
                None => return reply,
            }
        }
    }

    /// Makes a request once, and once more with fresh credentials if the first ones are refused.
    pub(crate) async fn send_once(&self, call: &Call<'_>) -> Result<Reply, ErrorKind> {
        let mut reply = self.attempt(call, None).await?;
        if matches!(&reply, Reply::Refused(refusal) if refusal.renewed) {
            reply = self.attempt(call, None).await?;
        }
        match reply {
            Reply::Refused(refusal) if call.method == Method::HEAD && refusal.is_about_access() => {
                self.send_head_again(call).await
            }
            reply => Ok(reply),
        }
    }

    /// A refused HEAD has no body to say why; that of the same GET has, and it may be an expired password.
    async fn send_head_again(&self, call: &Call<'_>) -> Result<Reply, ErrorKind> {
        match self.attempt(&Call { method: Method::GET, ..call.clone() }, None).await? {
            Reply::Refused(refusal) if !refusal.renewed => Ok(Reply::Refused(refusal)),
            Reply::Refused(_) | Reply::Taken(_) => self.attempt(call, None).await,
        }
    }

    /// Makes a request that carries a blob of `size` bytes, once. `taken` hears of the bytes that went out.
    pub(crate) async fn send_blob(
        &self,
        call: &Call<'_>,
        pieces: Pieces,
        size: u64,
        mut taken: impl FnMut(u64),
    ) -> Result<Reply, ErrorKind> {
        let (sender, mut lengths) = tokio::sync::mpsc::unbounded_channel();
        let body = reqwest::Body::wrap_stream(pieces.inspect_ok(move |piece| {
            _ = sender.send(piece.len() as u64); // nobody listens once the answer is here
        }));
        let mut attempt = pin!(self.attempt(call, Some(body)));
        let mut left = size;
        loop {
            let limit = if left == 0 { self.patience.store } else { self.patience.stall };
            tokio::select! {
                biased;
                Some(length) = lengths.recv() => {
                    left = left.saturating_sub(length);
                    taken(length);
                }
                reply = &mut attempt => return reply,
                () = tokio::time::sleep(limit) => return Err(http::timeout(call.target.host())),
            }
        }
    }

    /// The body of an answer, as it comes.
    pub(crate) fn pieces(&self, response: Response) -> Pieces {
        http::pieces(response, self.patience.stall)
    }

    /// What was listed under this name may be so no longer.
    pub(crate) fn wrote(&self, repository: &Repository, version: &Version) {
        if let Some(ecr) = &self.ecr {
            ecr.wrote(repository, Some(version));
        }
    }

    /// User and password, if there are any.
    pub(crate) async fn login(&self, place: Place<'_>) -> Result<Option<Login>, ErrorKind> {
        self.access.login(place).await
    }

    /// The error of a refusal.
    pub(crate) async fn error(&self, repository: &Repository, refusal: &Refusal) -> ErrorKind {
        if refusal.wants_credentials() {
            return self.access.refusal(repository, refusal.message()).await;
        }
        refusal.kind(repository)
    }

    /// Waits for the pace of such requests. Storage that a registry sends us to has none that is known.
    async fn pass(&self, call: &Call<'_>) -> Pass {
        let path = call.target.url.path();
        let kind = if call.target.is_ours() { Kind::of(&call.method, path) } else { Kind::ReadBlob };
        requests::one(kind);
        self.paces.enter(call.repository.host(), kind).await
    }

    /// Makes a request once. After it was refused for its credentials, others may be at hand.
    async fn attempt(&self, call: &Call<'_>, blob: Option<reqwest::Body>) -> Result<Reply, ErrorKind> {
        let repository = call.repository;
        let authorization =
            if call.target.is_ours() { self.access.header(repository, &call.scope).await? } else { None };
        let mut headers = call.headers.clone();
        headers.extend(authorization.clone().map(|value| (header::AUTHORIZATION, value)));
        let request = self.http.request(call.method.clone(), &call.target, headers, call.pool)?;
        let (request, limit) = match blob {
            Some(blob) => (request.body(blob), None),
            None if call.body.is_empty() => (request, Some(self.patience.answer)),
            None => (request.body(call.body.clone()), Some(self.patience.answer)),
        };
        let mut pass = self.pass(call).await;
        let response = self.http.send(request, &call.target, limit).await?;
        if response.status().as_u16() < 400 {
            pass.came(Came::Through);
            return Ok(Reply::Taken(response));
        }
        let (asked, zone) = (response.url().clone(), self.http.zone(&response));
        let mut refusal = Refusal::read(response, &self.patience).await;
        if refusal.is_throttled() {
            pass.came(Came::TooFast(refusal.retry_after()));
        } else if !refusal.is_transient() {
            pass.came(Came::Through);
        }
        drop(pass);
        if call.target.is_ours() && refusal.wants_credentials() {
            let base = self.base(repository.host());
            let sender = self.sender(repository, &base, &asked, zone);
            let (scope, sent) = (&call.scope, authorization.as_ref());
            refusal.renewed = self.access.refused(repository, scope, sent, &refusal.headers, sender).await?;
        }
        Ok(Reply::Refused(refusal))
    }
}
