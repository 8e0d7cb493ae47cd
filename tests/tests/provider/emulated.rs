//! An ECR in memory for what the lab's cannot show: scans, storms, mounts, tags that cannot be moved.

use std::net::SocketAddr;
use std::process::Command;

use lab::emulator::{Emulator, Options};
use tokio::runtime::Runtime;

use crate::stack::{Outcome, Stack, run_cli};

pub(crate) struct Emulated<'a> {
    stack: &'a Stack,
    pub(crate) ecr: Emulator,
    /// Serves the emulator while a program runs.
    _runtime: Runtime,
}

impl<'a> Emulated<'a> {
    /// For a stack, with these repositories.
    pub(crate) fn new(stack: &'a Stack, options: Options, repositories: &[&str]) -> Self {
        let runtime = Runtime::new().unwrap();
        let ecr = runtime.block_on(Emulator::start(options)).unwrap();
        for name in repositories {
            ecr.create(name);
        }
        Self { stack, ecr, _runtime: runtime }
    }

    /// A repository with its registry.
    pub(crate) fn repository(&self, name: &str) -> String {
        format!("{}/{name}", self.ecr.host())
    }

    /// The stack's program, led here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(self.stack, arguments)
    }

    /// That of another stack.
    pub(crate) fn command_of(&self, stack: &Stack, arguments: &[&str]) -> Command {
        let (mut command, keys) = (stack.command(arguments), self.ecr.keys());
        command
            .env("AWS_ENDPOINT_URL", self.ecr.url())
            .env("AWS_ACCESS_KEY_ID", keys.id)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret)
            .env("EKS_DEPLOY_REGISTRY_ENDPOINTS", self.ecr.endpoints());
        command
    }

    /// What `EKS_DEPLOY_REGISTRY_ENDPOINTS` has to be for a way that goes through this address.
    pub(crate) fn through(&self, address: SocketAddr) -> String {
        format!("{}=http://{address}", self.ecr.host())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        run_cli(&mut self.command(arguments))
    }

    pub(crate) fn apply(&self) -> Outcome {
        self.run(&["apply", "-auto-approve", "-input=false"])
    }

    pub(crate) fn plans_nothing(&self) {
        let plan = self.run(&["plan"]).unwrap();
        assert!(plan.contains("No changes."), "{plan}");
    }
}
