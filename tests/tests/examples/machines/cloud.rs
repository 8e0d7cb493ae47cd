//! An AWS with virtual machines, for this test alone: MiniStack with what `machines.py` adds, behind an ECR front.

use std::fs::File;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use lab::aws::{Aws, Keys, element};
use lab::base::BUSYBOX;
use lab::front::{Front, Settings};
use lab::http::answers;
use lab::lab::Lab;
use lab::ministack::{Ports, environment};
use lab::process::{SHORT, poll_until, run};
use lab::tool::{MINISTACK, Tool};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{PATIENCE, guest};

/// The lab's own ports end before these.
const FIRST_PORT: u16 = 60;

/// All tests share one.
pub(crate) static CLOUD: LazyLock<Cloud> = LazyLock::new(Cloud::start);

pub(crate) struct Cloud {
    pub(crate) lab: Lab,
    /// Where AWS answers, ECR mended.
    pub(crate) front: SocketAddr,
    /// MiniStack itself.
    pub(crate) ministack: SocketAddr,
    /// The AMI of the guest image.
    pub(crate) ami: String,
    _serving: (Runtime, Front),
    /// It ends when its standard input does: with this process, however that ends.
    _ministack: Child,
}

impl Cloud {
    fn start() -> Self {
        let lab = Lab::running().unwrap();
        let first = lab.front().port() + FIRST_PORT;
        let gateway = lab.ministack().ip();
        let (ministack, front) = (SocketAddr::new(gateway, first), SocketAddr::new(gateway, first + 3));
        sweep(&lab, first);
        let runtime = Runtime::new().unwrap();
        let settings = Settings { listen: front, ..Settings::before(ministack) };
        let serving = runtime.block_on(Front::start(settings)).unwrap();
        let child = start_ministack(&lab, ministack, front);
        let image = guest::image(&lab).unwrap();
        let aws = Aws::at(ministack, Keys::root());
        let parameters = [
            ("Name", "lab-guest"),
            ("ImageLocation", image.as_str()),
            ("Architecture", "x86_64"),
            ("RootDeviceName", "/dev/xvda"),
        ];
        let registered = aws.query("ec2", "RegisterImage", &parameters).unwrap();
        let ami = element(&registered, "imageId").unwrap().to_owned();
        let cloud = Self { lab, front, ministack, ami, _serving: (runtime, serving), _ministack: child };
        cloud.push_busybox();
        cloud
    }

    /// This AWS as its root reaches it.
    pub(crate) fn root(&self) -> Aws {
        Aws::at(self.ministack, Keys::root())
    }

    /// The program in the lab's world, led here.
    pub(crate) fn command(&self, tool: Tool) -> Command {
        let front = format!("http://{}", self.front);
        let mut command = self.lab.command(self.lab.tool(tool).unwrap(), &Keys::root());
        command.env("AWS_ENDPOINT_URL", &front);
        command.env("EKS_DEPLOY_REGISTRY_ENDPOINTS", format!("{}={front}", lab::base::registry()));
        command
    }

    /// Runs a program inside the machine that booted as this instance, beside its systemd.
    pub(crate) fn inside(&self, instance: &str, script: &str) -> String {
        let container = format!("ministack-ec2-000000000000-us-east-1-{instance}");
        let enter =
            "exec nsenter --target \"$(pgrep --oldest --full ^/sbin/init)\" --pid --mount sh -c \"$0\"";
        let mut docker = self.lab.engine().docker();
        run(docker.args(["exec", &container, "sh", "-c", enter, script]), PATIENCE).unwrap()
    }

    /// The instances that have the role of this service.
    pub(crate) fn instances(&self, service: &str) -> Vec<String> {
        let described = self.root().query("ec2", "DescribeInstances", &[]).unwrap();
        let profile = format!(":instance-profile/{service}-vm<");
        let instances =
            described.split("<instanceId>").skip(1).filter(|instance| instance.contains(&profile));
        instances.filter_map(|instance| Some(instance.split_once('<')?.0.to_owned())).collect()
    }

    /// Waits until the machines of these instances are gone.
    pub(crate) fn expect_gone(&self, instances: &[String]) {
        let runs = |instance: &String| {
            let label = format!("label=instance_id={instance}");
            Ok(!self.lab.engine().ask(&["ps", "--all", "--quiet", "--filter", &label])?.is_empty())
        };
        for instance in instances {
            poll_until(instance, PATIENCE, || runs(instance).map(|runs| (!runs).then_some(()))).unwrap();
        }
    }

    /// Puts the lab's busybox into this registry, as the base of images.
    fn push_busybox(&self) {
        self.root().ecr("CreateRepository", &json!({"repositoryName": BUSYBOX})).unwrap();
        let [from, to] = [self.lab.ministack(), self.ministack].map(|at| format!("{at}/{BUSYBOX}:1"));
        run(self.command(Tool::Crane).args(["copy", "--insecure", &from, &to]), SHORT).unwrap();
    }
}

/// What it keeps goes with the lab.
fn start_ministack(lab: &Lab, address: SocketAddr, front: SocketAddr) -> Child {
    let folder = lab.cache().run().join("machines");
    lab::cache::remove(&folder).unwrap();
    let mut command = Command::new(MINISTACK.install(lab.cache(), "python3").unwrap());
    let ports = Ports { gateway: address.port(), iot: address.port() + 1, eks: address.port() + 10 };
    environment(&mut command, &folder, ports).unwrap();
    let flags = format!("--privileged -e AWS_PORT={} -e ECR_PORT={}", address.port(), front.port());
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/ministack/machines.py"))
        .env("DOCKER_HOST", &lab.engine().host)
        .env("BIND_HOST", address.ip().to_string())
        .env("FRONT", format!("http://{front}"))
        .env("EC2_DOCKER_FLAGS", flags);
    let log = folder.join("ministack.log");
    let file = File::create(&log).unwrap();
    let mut child =
        command.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
    poll_until("MiniStack with machines answers", PATIENCE, || {
        assert!(child.try_wait()?.is_none(), "it ended: {}", std::fs::read_to_string(&log)?);
        Ok(answers(address, "/_ministack/health").then_some(()))
    })
    .unwrap();
    child
}

/// Removes what a run that was killed left behind.
fn sweep(lab: &Lab, port: u16) {
    let label = format!("label=ministack.instance=eks-deploy-lab:{port}");
    let containers = lab.engine().ask(&["ps", "--all", "--quiet", "--filter", &label]).unwrap();
    for container in containers.lines() {
        lab.engine().ask(&["rm", "--force", "--volumes", container]).unwrap();
    }
}
