//! A registry that keeps nothing but what it was asked: bodies are taken from the socket and thrown away unseen, so
//! that what is measured is the client. What it gives are the files of a layout.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rustix::net::{RecvFlags, recv};
use sha2::{Digest, Sha256};

/// A sink that runs as long as this process.
pub(super) struct Sink {
    pub(super) address: SocketAddr,
    content: Arc<Mutex<Content>>,
}

#[derive(Default)]
struct Content {
    /// Blobs that were sent, with their repository.
    blobs: BTreeSet<String>,
    manifests: BTreeMap<String, Manifest>,
    sessions: u64,
    /// A layout of which it has all blobs, in every repository.
    layout: Option<PathBuf>,
}

#[derive(Clone)]
struct Manifest {
    kind: String,
    digest: String,
    body: Vec<u8>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    kind: String,
    /// Nothing for a body in chunks.
    length: Option<u64>,
    /// Whether the client waits for leave to send the body.
    expects: bool,
    /// Whether the answer ends with the connection, as in HTTP/1.0.
    closes: bool,
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// What the body is instead.
    file: Option<File>,
}

impl Sink {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let content = Arc::<Mutex<Content>>::default();
        let shared = Arc::clone(&content);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let content = Arc::clone(&shared);
                // A client that goes away ends its thread.
                std::thread::spawn(move || serve(&stream, &content, address));
            }
        });
        Ok(Self { address, content })
    }

    /// Has the blobs of a layout from now on, in every repository.
    pub(super) fn serve(&self, layout: &Path) {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).layout = Some(layout.to_owned());
    }

    /// Forgets everything.
    pub(super) fn empty(&self) {
        *self.content.lock().unwrap_or_else(PoisonError::into_inner) = Content::default();
    }
}

/// What a client of TLS sends first.
const TLS: u8 = 0x16;

fn serve(stream: &TcpStream, content: &Mutex<Content>, address: SocketAddr) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(16 * 1024, stream);
    // Who tries TLS first wants to hear that there is none.
    if reader.fill_buf()?.first() == Some(&TLS) {
        return Ok((&mut &*stream).write_all(b"HTTP/1.0 400 X\r\n\r\n")?);
    }
    let mut trash = vec![0; 4 * 1024 * 1024];
    while let Some(mut request) = head(&mut reader)? {
        if request.expects {
            (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let mut body = Vec::new();
        match request.length {
            Some(length) if request.path.contains("/manifests/") => {
                reader.by_ref().take(length).read_to_end(&mut body)?;
            }
            Some(length) => throw_away(&mut reader, stream, length, &mut trash)?,
            None => request.length = Some(throw_chunks_away(&mut reader, stream, &mut trash)?),
        }
        let reply = content.lock().unwrap_or_else(PoisonError::into_inner).answer(&request, body, address);
        answer(stream, &request, &reply)?;
        if request.closes {
            break;
        }
    }
    Ok(())
}

/// The next request without its body; `None` at the end.
fn head(reader: &mut impl BufRead) -> Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().context("no request line")?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let [method, path, query] = [method, path, query].map(str::to_owned);
    let closes = line.trim_end().ends_with("HTTP/1.0");
    let mut request =
        Request { method, path, query, kind: String::new(), length: Some(0), expects: false, closes };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { return Ok(Some(request)) };
        match name.to_ascii_lowercase().as_str() {
            // Of a body in chunks it says nothing.
            "content-length" => request.length = request.length.and(Some(value.trim().parse()?)),
            "content-type" => value.trim().clone_into(&mut request.kind),
            "expect" => request.expects = true,
            "transfer-encoding" => request.length = None,
            _ => {}
        }
    }
}

/// What is buffered is skipped, and the rest dropped by the kernel, which copies nothing.
fn throw_away(
    reader: &mut BufReader<&TcpStream>,
    stream: &TcpStream,
    length: u64,
    trash: &mut [u8],
) -> Result<()> {
    let buffered = (reader.buffer().len() as u64).min(length);
    reader.consume(usize::try_from(buffered)?);
    let mut left = length - buffered;
    while left > 0 {
        let most = usize::try_from(left.min(trash.len() as u64))?;
        let (_, taken) = recv(stream, &mut trash[..most], RecvFlags::TRUNC)?;
        anyhow::ensure!(taken > 0, "the body ended early");
        left -= taken as u64;
    }
    Ok(())
}

/// Tells how long the body was.
fn throw_chunks_away(
    reader: &mut BufReader<&TcpStream>,
    stream: &TcpStream,
    trash: &mut [u8],
) -> Result<u64> {
    let mut all = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim_end(), 16)?;
        throw_away(reader, stream, length, trash)?;
        reader.read_line(&mut line)?; // what ends a chunk, and after the last one all
        all += length;
        if length == 0 {
            return Ok(all);
        }
    }
}

fn answer(mut stream: &TcpStream, request: &Request, reply: &Reply) -> Result<()> {
    let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers = headers.collect::<Vec<_>>().concat();
    let status = reply.status;
    let length = match &reply.file {
        Some(file) => file.metadata()?.len(),
        None => reply.body.len() as u64,
    };
    let mut bytes = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n").into_bytes();
    if request.method == "HEAD" {
        return Ok(stream.write_all(&bytes)?);
    }
    bytes.extend(&reply.body);
    stream.write_all(&bytes)?;
    // The kernel sends a file without our copying it.
    if let Some(mut file) = reply.file.as_ref() {
        std::io::copy(&mut file, &mut stream)?;
    }
    Ok(())
}

impl Content {
    fn answer(&mut self, request: &Request, body: Vec<u8>, address: SocketAddr) -> Reply {
        let path = request.path.as_str();
        if let Some((repository, version)) = path.split_once("/manifests/") {
            return self.manifest(request, repository, version, body);
        }
        let Some((repository, blob)) = path.split_once("/blobs/") else { return Reply::of(200) };
        let session = |content: &mut Self| {
            content.sessions += 1;
            let number = content.sessions;
            // Absolute, as most registries have it.
            format!("http://{address}{repository}/blobs/uploads/{number}?_state=x")
        };
        match request.method.as_str() {
            "HEAD" | "GET" if self.blobs.contains(&format!("{repository}@{blob}")) => Reply::of(200),
            "HEAD" | "GET" => self.file(blob).map_or(Reply::of(404), Reply::of_file),
            "POST" => Reply::of(202).with("Location", session(self)).with("Range", "0-0".to_owned()),
            "PATCH" => {
                let last = request.length.unwrap_or_default().saturating_sub(1);
                Reply::of(202).with("Location", session(self)).with("Range", format!("0-{last}"))
            }
            "PUT" => {
                let digest = request.query.split('&').find_map(|pair| pair.strip_prefix("digest="));
                let digest = digest.unwrap_or_default().replace("%3A", ":");
                self.blobs.insert(format!("{repository}@{digest}"));
                Reply::of(201).with("Docker-Content-Digest", digest)
            }
            _ => Reply::of(405),
        }
    }

    fn file(&self, digest: &str) -> Option<File> {
        let layout = self.layout.as_ref()?;
        File::open(layout.join("blobs").join(digest.replace(':', "/"))).ok()
    }

    fn manifest(&mut self, request: &Request, repository: &str, version: &str, body: Vec<u8>) -> Reply {
        if request.method == "PUT" {
            let digest = format!("sha256:{}", hex::encode(Sha256::digest(&body)));
            let manifest = Manifest { kind: request.kind.clone(), digest: digest.clone(), body };
            self.manifests.insert(format!("{repository}@{digest}"), manifest.clone());
            self.manifests.insert(format!("{repository}@{version}"), manifest);
            return Reply::of(201).with("Docker-Content-Digest", digest);
        }
        match self.manifests.get(&format!("{repository}@{version}")).cloned() {
            None => Reply::of(404),
            Some(Manifest { kind, digest, body }) => {
                let reply = Reply::of(200).with("Content-Type", kind).with("Docker-Content-Digest", digest);
                Reply { body, ..reply }
            }
        }
    }
}

impl Reply {
    fn of(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), file: None }
    }

    fn of_file(file: File) -> Self {
        Self { file: Some(file), ..Self::of(200) }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_taken_and_forgotten() {
        let sink = Sink::start().unwrap();
        let mut stream = TcpStream::connect(sink.address).unwrap();
        let mut check = |head: &str, body: &[u8], expected: &str| {
            let head = format!("{head} HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
            let mut reader = BufReader::new(&stream);
            let (mut status, mut length) = (String::new(), 0);
            reader.read_line(&mut status).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                match line.trim_end().split_once(": ") {
                    Some(("Content-Length", value)) => length = value.parse().unwrap(),
                    Some(_) => {}
                    None => break,
                }
            }
            if head.starts_with("GET") {
                reader.take(length).read_to_end(&mut Vec::new()).unwrap();
            }
            assert_eq!(status.trim_end(), expected, "{head}");
        };
        check("HEAD /v2/web/blobs/sha256:1", b"", "HTTP/1.1 404 X");
        check("POST /v2/web/blobs/uploads/", b"", "HTTP/1.1 202 X");
        check(
            "PUT /v2/web/blobs/uploads/1?_state=x&digest=sha256%3A1",
            &vec![7; 9_000_000],
            "HTTP/1.1 201 X",
        );
        check("HEAD /v2/web/blobs/sha256:1", b"", "HTTP/1.1 200 X");
        check(
            "PATCH /v2/web/blobs/uploads/2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX:",
            b"3\r\nabc\r\n0\r\n\r\n",
            "HTTP/1.1 202 X",
        );
        check("PUT /v2/web/manifests/v1", b"{}", "HTTP/1.1 201 X");
        check("GET /v2/web/manifests/v1", b"", "HTTP/1.1 200 X");
        sink.empty();
        check("GET /v2/web/manifests/v1", b"", "HTTP/1.1 404 X");
    }
}
