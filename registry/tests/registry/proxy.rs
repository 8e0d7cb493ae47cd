//! Proxies: what they get to see, and what they do not.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use ecr_registry::{
    Authorities, Endpoints, ErrorKind, Login, Proxies, Registry, Secret, Settings, Tag, Trouble,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{
    fake::{Challenge, Fake},
    image, settings,
    tls::Tls,
    told,
};

/// A proxy whose tunnels all lead to one place.
struct Tunnels {
    address: SocketAddr,
    /// Where tunnels were asked to lead, and what was said about who asks.
    asked: Arc<Mutex<Vec<(String, String)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Tunnels {
    /// With a password it is `ada`'s.
    async fn to(inside: SocketAddr, password: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<_>>>::default());
        let log = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(tunnel(BufReader::new(stream), inside, password, Arc::clone(&log)));
            }
        });
        Self { address, asked, task }
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn tunnel(
    mut stream: BufReader<TcpStream>,
    inside: SocketAddr,
    password: Option<&str>,
    log: Arc<Mutex<Vec<(String, String)>>>,
) -> Option<()> {
    let (to, who) = match stream.fill_buf().await.ok()?.first()? {
        5 => socks(&mut stream).await?,
        _ => connect(&mut stream).await?,
    };
    let known = password.is_none_or(|password| who == basic(password));
    log.lock().unwrap().push((to.clone(), who));
    let answer: &[u8] = match (to.starts_with("socks "), known) {
        (true, _) => &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        (false, true) => b"HTTP/1.1 200 OK\r\n\r\n",
        (false, false) => b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n",
    };
    stream.write_all(answer).await.ok()?;
    let mut inside = TcpStream::connect(inside).await.ok().filter(|_| known)?;
    tokio::io::copy_bidirectional(&mut stream, &mut inside).await.ok().map(|_| ())
}

/// `CONNECT host:port HTTP/1.1`, and the header about who asks.
async fn connect(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut to, mut who) = (String::new(), String::new());
    stream.read_line(&mut to).await.ok()?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("proxy-authorization") => {
                value.trim().clone_into(&mut who);
            }
            Some(_) => {}
            None => return Some((to.trim_end().to_owned(), who)),
        }
    }
}

/// A SOCKS 5 client that has no password, and asks for a name.
async fn socks(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut methods = vec![0; 2];
    stream.read_exact(&mut methods).await.ok()?;
    stream.read_exact(&mut vec![0; usize::from(methods[1])]).await.ok()?;
    stream.write_all(&[5, 0]).await.ok()?;
    let mut request = [0; 5];
    stream.read_exact(&mut request).await.ok()?;
    assert_eq!(request[..4], [5, 1, 0, 3]);
    let mut rest = vec![0; usize::from(request[4]) + 2];
    stream.read_exact(&mut rest).await.ok()?;
    let (name, port) = rest.split_at(rest.len() - 2);
    let port = u16::from_be_bytes([port[0], port[1]]);
    Some((format!("socks {}:{port}", String::from_utf8_lossy(name)), String::new()))
}

fn basic(password: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("Basic {}", STANDARD.encode(format!("ada:{password}")))
}

fn latest() -> ecr_registry::Version {
    Tag::latest().into()
}

#[tokio::test]
async fn without_tls_the_proxy_is_asked_for_the_whole_url() {
    let proxy = Fake::start().await; // answers as the registry would
    let http = format!("http://ada:hunter2@{}", proxy.host);
    let proxies = Proxies::new(&http, "", "").unwrap();
    let endpoints = Endpoints::parse_text("web.test=http://web.test").unwrap();
    let settings = Settings { proxies, endpoints, ..settings() };
    assert!(!format!("{settings:?}").contains("hunter2"));
    let registry = Registry::new(settings).unwrap();
    assert_eq!(registry.head(&"web.test/web".parse().unwrap(), &latest()).await.unwrap(), None);
    let log = proxy.state().log.clone();
    assert_eq!((log.len(), log[0].header("host")), (1, "web.test"));
    assert_eq!(log[0].header("proxy-authorization"), basic("hunter2"));
}

#[tokio::test]
async fn with_tls_the_proxy_sees_the_host_alone_and_the_registry_no_password_of_the_proxy() {
    let fake = Fake::start().await;
    fake.state().challenge = Some(Challenge::Basic("swordfish"));
    let tls = Tls::before(&fake, &["web.test"]).await;
    for scheme in ["http", "socks5h"] {
        let with_password = (scheme == "http").then_some("hunter2");
        let tunnels = Tunnels::to(tls.address, with_password).await;
        let who = if with_password.is_some() { "ada:hunter2@" } else { "" };
        let proxies = Proxies::new("", &format!("{scheme}://{who}{}", tunnels.address), "").unwrap();
        let login = Login { user: "ada".to_owned(), password: Secret::new("swordfish") };
        let registry = Registry::new(Settings {
            proxies,
            authorities: Authorities::default().with_file(tls.authority()).unwrap(),
            logins: [("web.test".parse().unwrap(), login)].into(),
            ..settings()
        });
        let (registry, repository) = (registry.unwrap(), "web.test/web".parse().unwrap());
        registry.push(&repository, &image(&[b"one"]), &()).await.unwrap();
        let asked = tunnels.asked.lock().unwrap().clone();
        let expected = match with_password {
            Some(password) => ("CONNECT web.test:443 HTTP/1.1".to_owned(), basic(password)),
            None => ("socks web.test:443".to_owned(), String::new()),
        };
        assert!(!asked.is_empty() && asked.iter().all(|asked| *asked == expected), "{asked:?}");
    }
    let state = fake.state();
    assert!(state.log.iter().all(|request| !request.headers.contains_key("proxy-authorization")));
    assert_eq!(state.repositories["web"].manifests.len(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_and_its_password_is_not() {
    let fake = Fake::start().await;
    let tunnels = Tunnels::to(fake.host.parse().unwrap(), Some("hunter2")).await;
    let proxies = Proxies::new("", &format!("http://ada:hunter1@{}", tunnels.address), "").unwrap();
    let registry = Registry::new(Settings { proxies, ..settings() }).unwrap();
    let error = registry.head(&"web.test/web".parse().unwrap(), &latest()).await.unwrap_err();
    assert!(matches!(*error.kind, ErrorKind::NoAnswer { trouble: Trouble::Proxy, .. }), "{error:?}");
    let told = told(&error);
    let expected = "cannot look up `web.test/web:latest`: no answer from `web.test`: the proxy on the way gives no connection";
    assert!(told.starts_with(expected) && !told.contains("hunter"), "{told}");
    assert!(error.hint().unwrap().contains("HTTPS_PROXY"));
    assert!(!format!("{error:?}").contains("hunter"));
    assert_eq!(fake.take_log().len(), 0);
}
