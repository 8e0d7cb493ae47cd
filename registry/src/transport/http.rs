use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::{RequestBuilder, Response};
use url::Url;

use super::{
    Pieces, Target,
    clients::{Clients, Pool},
    location::Way,
    zone::Zone,
};
use crate::{
    error::{ErrorKind, Trouble},
    settings::{Patience, Proxies, Settings},
};

/// HTTP requests. Redirects are never followed on their own.
#[derive(Clone)]
pub(crate) struct Http {
    clients: Arc<Clients>,
    proxies: Proxies,
    patience: Patience,
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Result<Self, ErrorKind> {
        let clients = Arc::new(Clients::new(settings)?);
        Ok(Self { clients, proxies: settings.proxies.clone(), patience: settings.patience.clone() })
    }

    pub(crate) fn request(
        &self,
        method: Method,
        target: &Target,
        headers: HeaderMap,
        pool: Pool,
    ) -> Result<RequestBuilder, ErrorKind> {
        let reach = match target.way {
            // Where a proxy goes is for the proxy to decide; it looks the name up.
            Way::Sent(reach) if self.proxies.of(&target.url).is_none() => Some(reach),
            Way::Sent(_) | Way::Registry | Way::Trusted => None,
        };
        Ok(self.clients.get(pool, reach, &target.url)?.request(method, target.url.clone()).headers(headers))
    }

    /// Where in the world the sender of an answer is.
    pub(super) fn zone(&self, response: &Response) -> Zone {
        let url = response.url();
        match Zone::said_by(url) {
            Some(zone) => zone,
            None if self.proxies.of(url).is_some() => Zone::Public, // behind the proxy: nobody knows
            None => response.remote_addr().map_or(Zone::Public, |address| Zone::of(address.ip())),
        }
    }

    /// Sends a request; `limit` is for the time until the answer's headers are here.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        target: &Target,
        limit: Option<Duration>,
    ) -> Result<Response, ErrorKind> {
        let answer = request.send();
        let answer = match limit {
            Some(limit) => tokio::time::timeout(limit, answer).await.map_err(|_| timeout(target.host()))?,
            None => answer.await,
        };
        answer.map_err(|error| match no_answer(error, target.host()) {
            ErrorKind::NoAnswer { host, trouble: Trouble::Connect | Trouble::Dns, cause }
                if self.proxies.of(&target.url).is_some() =>
            {
                ErrorKind::NoAnswer { host, trouble: Trouble::Proxy, cause }
            }
            error => error,
        })
    }

    /// Fetches a small document that no registry protects, such as a token.
    pub(crate) async fn fetch_small(
        &self,
        target: &Target,
        authorization: Option<HeaderValue>,
    ) -> Result<(StatusCode, Bytes), ErrorKind> {
        let headers = authorization.map(|value| (AUTHORIZATION, value)).into_iter().collect();
        self.small(self.request(Method::GET, target, headers, Pool::Small)?, target).await
    }

    /// Sends a form, and takes a small document for it.
    pub(crate) async fn post_form(
        &self,
        target: &Target,
        form: String,
    ) -> Result<(StatusCode, Bytes), ErrorKind> {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = [(CONTENT_TYPE, kind)].into_iter().collect();
        self.small(self.request(Method::POST, target, headers, Pool::Small)?.body(form), target).await
    }

    async fn small(
        &self,
        request: RequestBuilder,
        target: &Target,
    ) -> Result<(StatusCode, Bytes), ErrorKind> {
        const MAX_SIZE: u64 = 1024 * 1024;
        let response = self.send(request, target, Some(self.patience.answer)).await?;
        let status = response.status();
        Ok((status, read_limited(response, MAX_SIZE, &self.patience).await?))
    }
}

/// Reads a body into memory, up to `limit` bytes.
pub(crate) async fn read_limited(
    mut response: Response,
    limit: u64,
    patience: &Patience,
) -> Result<Bytes, ErrorKind> {
    let host = host_of(response.url());
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(ErrorKind::TooLarge { limit });
    }
    let read = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(error, host.clone()))? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > limit {
                return Err(ErrorKind::TooLarge { limit });
            }
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(patience.answer, read).await.map_err(|_| timeout(host.clone()))?
}

/// The pieces of a body as they come.
pub(super) fn pieces(response: Response, stall: Duration) -> Pieces {
    let host = host_of(response.url());
    Box::pin(stream::unfold(Some(response), move |response| {
        let host = host.clone();
        async move {
            let mut response = response?;
            match tokio::time::timeout(stall, response.chunk()).await {
                Ok(Ok(Some(piece))) => Some((Ok(piece), Some(response))),
                Ok(Ok(None)) => None,
                Ok(Err(error)) => Some((Err(no_answer(error, host)), None)),
                Err(_) => Some((Err(timeout(host)), None)),
            }
        }
    }))
}

pub(super) fn timeout(host: String) -> ErrorKind {
    ErrorKind::NoAnswer { host, trouble: Trouble::Timeout, cause: None }
}

pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The URL is left out of the cause: it may carry a signature.
pub(super) fn no_answer(error: reqwest::Error, host: String) -> ErrorKind {
    if let Some(kind) = body_error(&error) {
        return kind;
    }
    let trouble = if error.is_timeout() {
        Trouble::Timeout
    } else if error.is_dns() {
        Trouble::Dns
    } else if causes(&error).any(<dyn std::error::Error>::is::<rustls::Error>) {
        Trouble::Tls
    } else if error.is_connect() {
        Trouble::Connect
    } else {
        Trouble::Cut
    };
    ErrorKind::NoAnswer { host, trouble, cause: Some(Arc::new(error.without_url())) }
}

/// The error that the body itself gave, or who looked the name up, and not the connection.
fn body_error(error: &(dyn std::error::Error + 'static)) -> Option<ErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<ErrorKind>().cloned())
}

/// The error and all below it; an I/O error hides what it wraps from `source`.
pub(crate) fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source())
    })
}
