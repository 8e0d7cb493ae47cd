//! Just enough HTTP/1.1, so that a test decides about every byte.

use std::collections::BTreeMap;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn length(&self) -> usize {
        self.header("content-length").parse().unwrap_or(0)
    }
}

/// An answer to be sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A registry's error.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
        Self::status(status).body(body.to_string())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// One connection.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    /// The next request without its body; `None` at the end.
    pub(crate) async fn head(&mut self) -> Option<Request> {
        let line = self.line().await?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        // A proxy is asked for a whole URL.
        let target = if target.starts_with('/') { format!("http://x{target}") } else { target.to_owned() };
        let url = url::Url::parse(&target).unwrap();
        let query = url.query_pairs().into_owned().collect();
        let mut request = Request { method, path: url.path().to_owned(), query, ..Request::default() };
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { return Some(request) };
            request.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).await.ok()?;
        (length > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads the body, or its first bytes.
    pub(crate) async fn body(&mut self, request: &mut Request, most: usize) -> Option<()> {
        request.body = vec![0; request.length().min(most)];
        self.0.read_exact(&mut request.body).await.ok().map(|_| ())
    }

    pub(crate) async fn answer(&mut self, to: &Request, reply: &Reply) -> Option<()> {
        self.answer_up_to(usize::MAX, to, reply).await
    }

    /// Answers, and ends the connection if there is more of the body than this.
    pub(crate) async fn answer_up_to(&mut self, most: usize, to: &Request, reply: &Reply) -> Option<()> {
        let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let headers: Vec<String> = headers.collect();
        let (status, length) = (reply.status, reply.body.len());
        let head = format!("HTTP/1.1 {status} X\r\n{}content-length: {length}\r\n\r\n", headers.concat());
        let body = if to.method == "HEAD" { &[][..] } else { &reply.body[..length.min(most)] };
        let stream = self.0.get_mut();
        stream.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
        stream.flush().await.ok().filter(|()| length <= most)
    }
}
