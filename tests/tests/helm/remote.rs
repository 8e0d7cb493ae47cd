//! Charts that are not on this machine: from a repository over HTTP, and from a registry. Every run of Helm gets the one
//! that the first run got.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;

use lab::process::{SHORT, poll_until};
use lab::tool::Tool;

use crate::stage::{Stage, end};

/// Packs the chart, as a folder for a repository.
fn package(stage: &Stage, helm: Tool) -> PathBuf {
    let folder = stage.chart().with_file_name("charts");
    end(stage.helm(helm).args(["package", "web", "--destination", "charts"])).expect(0, &[]);
    end(stage.helm(helm).args(["repo", "index", "charts"])).expect(0, &[]);
    folder
}

/// Serves the files of a folder until the test ends.
fn serve(folder: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|connection| answer(connection.unwrap(), &folder)));
    address
}

fn answer(mut connection: TcpStream, folder: &Path) {
    let request = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
    let head: Vec<String> = request.take_while(|line| !line.is_empty()).collect();
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("/");
    let (status, body) = match fs::read(folder.join(path.trim_start_matches('/'))) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&body)).unwrap();
}

/// A registry in memory, without a password.
struct ChartRegistry {
    process: Child,
    log: PathBuf,
    address: String,
}

impl ChartRegistry {
    fn start(stage: &Stage) -> Self {
        let log = stage.chart().with_file_name("registry.log");
        let mut command = stage.command(&stage.lab.tool(Tool::Crane).unwrap());
        command.args(["registry", "serve", "--address=127.0.0.1:0"]).stderr(File::create(&log).unwrap());
        let mut registry = Self { process: command.spawn().unwrap(), log, address: String::new() };
        let port = || {
            Ok(registry
                .log()
                .split_once("serving on port ")
                .and_then(|(_, rest)| rest.lines().next().map(str::to_owned)))
        };
        let port = poll_until("the registry serves", SHORT, port).unwrap();
        registry.address = format!("127.0.0.1:{port}");
        registry
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for ChartRegistry {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).ok();
    }
}

/// A folder of the chart's name stands in the way; Helm 4 does not take it, Helm 3 would.
fn a_repository_over_http(helm: Tool) {
    let stage = Stage::set();
    let digest = stage.push("v1");
    let address = serve(package(&stage, helm));
    if helm == Tool::Helm4 {
        fs::write(stage.chart().join("Chart.yaml"), "no chart").unwrap();
    } else {
        fs::remove_dir_all(stage.chart()).unwrap();
    }
    let mut up = stage.plugin();
    up.env("HELM_BIN", stage.lab.tool(helm).unwrap()).args(["up", &stage.name, "web", "--timeout", "60s"]);
    up.args(["--cluster", &stage.cluster.name, "--namespace", &stage.name, "--version", "^0"]);
    up.args(["--repo", &format!("http://{address}"), "--image", &format!("image={}:v1", stage.repository)]);
    end(&mut up).expect(0, &["deployed as revision 1"]);
    assert_eq!(stage.running(), [digest]);
}

/// The tag is asked for by the first run only.
fn a_registry(helm: Tool) {
    let stage = Stage::set();
    let digest = stage.push("v1");
    package(&stage, helm);
    let registry = ChartRegistry::start(&stage);
    let charts = format!("oci://{}/charts", registry.address);
    end(stage.helm(helm).args(["push", "charts/web-0.1.0.tgz", &charts, "--plain-http"])).expect(0, &[]);
    let mut up = stage.plugin();
    up.env("HELM_BIN", stage.lab.tool(helm).unwrap()).args(["up", &stage.name, &format!("{charts}/web")]);
    up.args([
        "--cluster",
        &stage.cluster.name,
        "--namespace",
        &stage.name,
        "--timeout",
        "60s",
        "--plain-http",
    ]);
    end(up.args(["--image", &format!("image={}:v1", stage.repository)]))
        .expect(0, &["deployed as revision 1"]);
    assert_eq!(stage.running(), [digest]);
    let log = registry.log();
    let asked = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert_eq!(asked("GET /v2/charts/web/tags/"), 1, "{log}");
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn helm_4_deploys_a_chart_of_a_repository() {
    a_repository_over_http(Tool::Helm4);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn helm_3_deploys_a_chart_of_a_repository() {
    a_repository_over_http(Tool::Helm3);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn helm_4_deploys_a_chart_of_a_registry() {
    a_registry(Tool::Helm4);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn helm_3_deploys_a_chart_of_a_registry() {
    a_registry(Tool::Helm3);
}
