//! Sends files to BuildKit: those of the tree, no others, with the modes and times of the tree.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc as queue},
};

use bollard_buildkit_proto::{
    fsutil::types::{Packet, Stat, packet::PacketType},
    moby::filesync::packet::file_sync_server::FileSync,
};
use ecr_registry::{Digest, names::Digester};
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};

use super::request;
use crate::{
    context::DockerfileContext,
    error::ContextError,
    named::Named,
    selection::Selection,
    sources,
    tree::{Entry, File, Tree},
};

/// What BuildKit calls the context folder.
const CONTEXT: &str = "context";
/// What BuildKit calls the folder of the Dockerfile.
const DOCKERFILE: &str = "dockerfile";
/// What one packet carries at most, in bytes.
const PACKET: usize = 128 << 10;

/// Go's bits for folders and links beside the permission bits.
const GO_FOLDER: u32 = 1 << 31;
const GO_LINK: u32 = 1 << 27;

/// What is served in a session.
#[derive(Clone)]
pub(super) struct Shared(Arc<Inner>);

struct Inner {
    context: Arc<DockerfileContext>,
    /// The time of all files: seconds since 1970.
    mtime: u64,
    failure: Mutex<Option<ContextError>>,
}

impl Shared {
    pub(super) fn new(context: Arc<DockerfileContext>, mtime: u64) -> Self {
        Self(Arc::new(Inner { context, mtime, failure: Mutex::new(None) }))
    }

    /// Stands for all that is served.
    pub(super) fn key(&self) -> String {
        sources::of_dockerfile(&self.0.context).tree.hex()
    }

    /// Why something could not be sent.
    pub(super) fn failure(&self) -> Option<ContextError> {
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn fail(&self, error: ContextError) -> Status {
        let status = Status::aborted(error.to_string());
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        status
    }

    fn items(&self, folder: &str, selection: &Selection) -> Result<Vec<Item>, Status> {
        let context = &self.0.context;
        match folder {
            CONTEXT => {
                if let Some(path) = context.unseen(selection) {
                    return Err(self.fail(ContextError::Unseen { path }));
                }
                self.of_tree(&context.tree, selection)
            }
            DOCKERFILE => Ok(vec![self.dockerfile()]),
            other => {
                let named = context.named.iter().find(|(name, _)| request::folder(name) == other);
                let Some((_, Named::Folder(tree))) = named else {
                    return Err(Status::not_found(format!("no folder {other}")));
                };
                self.of_tree(tree, selection)
            }
        }
    }

    fn of_tree(&self, tree: &Tree, selection: &Selection) -> Result<Vec<Item>, Status> {
        let paths = selection.of(tree).map_err(|error| Status::invalid_argument(error.to_string()))?;
        Ok(paths.into_iter().map(|path| self.item(tree, path)).collect())
    }

    fn item(&self, tree: &Tree, path: &str) -> Item {
        let entry = &tree.entries[path];
        let (kind, size, link, content) = match entry {
            Entry::Folder => (GO_FOLDER, 0, "", Content::None),
            Entry::Link(target) => (GO_LINK, target.len() as u64, target.as_str(), Content::None),
            Entry::File(file) => (0, file.size, "", Content::File(file.clone())),
        };
        Item { stat: self.stat(path, kind | entry.mode(), size, link), content }
    }

    fn dockerfile(&self) -> Item {
        let dockerfile = &self.0.context.dockerfile;
        let size = dockerfile.content.len() as u64;
        let content = Content::Memory(dockerfile.content.clone());
        Item { stat: self.stat(dockerfile.file_name(), 0o644, size, ""), content }
    }

    fn stat(&self, path: &str, mode: u32, size: u64, link: &str) -> Stat {
        Stat {
            path: path.to_owned(),
            mode,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            mod_time: i64::try_from(u128::from(self.0.mtime) * 1_000_000_000).unwrap_or(i64::MAX),
            linkname: link.to_owned(),
            ..Stat::default()
        }
    }
}

/// Something to be sent.
struct Item {
    stat: Stat,
    content: Content,
}

enum Content {
    None,
    File(File),
    Memory(Vec<u8>),
}

type Packets = Sender<Result<Packet, Status>>;

#[tonic::async_trait]
impl FileSync for Shared {
    type DiffCopyStream = ReceiverStream<Result<Packet, Status>>;
    type TarStreamStream = ReceiverStream<Result<Packet, Status>>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let asked = |name| values(request.metadata(), name);
        let folder = asked("dir-name").into_iter().next().unwrap_or_default();
        let selection = Selection {
            follow: asked("followpaths"),
            include: asked("include-patterns"),
            exclude: asked("exclude-patterns"),
        };
        let items = self.items(&folder, &selection)?;
        let (packets, stream) = mpsc::channel(16);
        tokio::spawn(self.clone().answer(items, request.into_inner(), packets));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn tar_stream(
        &self,
        _: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("files are sent by DiffCopy"))
    }
}

impl Shared {
    /// Lists the items while it takes requests for content, and sends that beside both.
    async fn answer(self, items: Vec<Item>, mut requests: Streaming<Packet>, packets: Packets) {
        let stats: Vec<Stat> = items.iter().map(|item| item.stat.clone()).collect();
        tokio::spawn(list(stats, packets.clone()));
        let (wanted, queue) = queue::channel();
        let contents = items.into_iter().map(|item| item.content).collect();
        let (sender, to) = (self, packets.clone());
        tokio::task::spawn_blocking(move || sender.send_contents(contents, &queue, &to));
        while let Ok(Some(packet)) = requests.message().await {
            match packet.r#type() {
                PacketType::PacketReq => drop(wanted.send(packet.id)),
                PacketType::PacketFin => {
                    packets.send(Ok(packet_of(PacketType::PacketFin, 0, Vec::new()))).await.ok();
                    return;
                }
                _ => return,
            }
        }
    }

    fn send_contents(self, contents: Vec<Content>, wanted: &queue::Receiver<u32>, packets: &Packets) {
        let mut contents: HashMap<u32, Content> = (0..).zip(contents).collect();
        for id in wanted {
            let sent = match contents.remove(&id) {
                Some(Content::File(file)) => send_file(&file, id, packets),
                Some(Content::Memory(bytes)) => send_bytes(&bytes[..], id, packets).map_err(|_| None),
                Some(Content::None) | None => continue,
            };
            match sent {
                Ok(_) => {}
                // Nobody listens any more.
                Err(None) => return,
                Err(Some(error)) => {
                    packets.blocking_send(Err(self.fail(error))).ok();
                    return;
                }
            }
        }
    }
}

async fn list(stats: Vec<Stat>, packets: Packets) {
    let all = stats.into_iter().map(Some).chain([None]);
    for stat in all {
        let packet = Packet { stat, ..packet_of(PacketType::PacketStat, 0, Vec::new()) };
        if packets.send(Ok(packet)).await.is_err() {
            return;
        }
    }
}

/// An error without a cause means that nobody listens any more.
fn send_file(file: &File, id: u32, packets: &Packets) -> Result<Digest, Option<ContextError>> {
    let unreadable = |path: &PathBuf, source| Some(ContextError::Unreadable { path: path.clone(), source });
    let open = fs::File::open(&file.path).map_err(|source| unreadable(&file.path, source))?;
    let digest = send_bytes(open, id, packets).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => None,
        _ => unreadable(&file.path, error),
    })?;
    if digest == file.digest {
        Ok(digest)
    } else {
        Err(Some(ContextError::Changed { path: file.path.clone() }))
    }
}

/// Sends all of it, and an empty packet to end it; gives the digest of what was sent.
fn send_bytes(mut from: impl Read, id: u32, packets: &Packets) -> io::Result<Digest> {
    let mut digester = Digester::new();
    let mut buffer = vec![0; PACKET];
    loop {
        let read = from.read(&mut buffer)?;
        digester.update(&buffer[..read]);
        let packet = packet_of(PacketType::PacketData, id, buffer[..read].to_vec());
        packets.blocking_send(Ok(packet)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        if read == 0 {
            return Ok(digester.finish());
        }
    }
}

fn packet_of(kind: PacketType, id: u32, data: Vec<u8>) -> Packet {
    Packet { r#type: kind.into(), stat: None, id, data }
}

/// The values of a header; BuildKit escapes those that are not plain ASCII, and says so.
fn values(metadata: &MetadataMap, name: &str) -> Vec<String> {
    let escaped = metadata.get(format!("{name}-encoded")).is_some();
    let texts = metadata.get_all(name).iter().filter_map(|value| value.to_str().ok());
    texts.map(|text| if escaped { unescape(text) } else { text.to_owned() }).collect()
}

/// Undoes Go's `url.QueryEscape`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|digits| hex::decode(digits).ok());
        rest = match (first, code) {
            (b'%', Some(code)) => {
                bytes.extend(code);
                &tail[2..]
            }
            (b'+', _) => {
                bytes.push(b' ');
                tail
            }
            (byte, _) => {
                bytes.push(*byte);
                tail
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescapes() {
        for (text, expected) in
            [("a+b%2Fc", "a b/c"), ("gr%C3%BCn", "grün"), ("100%", "100%"), ("%zz", "%zz")]
        {
            assert_eq!(unescape(text), expected);
        }
    }

    #[test]
    fn reads_headers() {
        let mut metadata = MetadataMap::new();
        metadata.append("followpaths", "a%20b".parse().unwrap());
        metadata.append("followpaths", "c".parse().unwrap());
        assert_eq!(values(&metadata, "followpaths"), ["a%20b", "c"]);
        metadata.append("followpaths-encoded", "1".parse().unwrap());
        assert_eq!(values(&metadata, "followpaths"), ["a b", "c"]);
        assert!(values(&metadata, "dir-name").is_empty());
    }
}
