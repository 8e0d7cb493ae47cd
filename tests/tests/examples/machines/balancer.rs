//! In the load balancer's place: a proxy that hands each request to a registered target that is healthy at that moment, and
//! a client that never stops asking.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use lab::aws::{Aws, element};
use lab::http::exchange;

/// Between two requests, so that the machines get their share of the processor.
const PACE: Duration = Duration::from_millis(100);

/// A target group as a balancer sees it.
#[derive(Debug, Clone)]
pub(crate) struct Balancer {
    pub(crate) aws: Aws,
    pub(crate) target_group: String,
    pub(crate) port: u16,
}

impl Balancer {
    /// Passes a GET on, and gives the body that a healthy target answers.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        let target = self.healthy()?.into_iter().next().context("no healthy target")?;
        let address = SocketAddr::new(self.address(&target)?, self.port);
        let host = [("host".to_owned(), "shop".to_owned())];
        let answer = exchange(address, "GET", path, &host, b"")?;
        anyhow::ensure!(answer.is_success(), "{target} answered {}", answer.status);
        Ok(answer.body)
    }

    /// The instances that pass the target group's health check now.
    pub(crate) fn healthy(&self) -> Result<Vec<String>> {
        let parameters = [("TargetGroupArn", self.target_group.as_str())];
        let health = self.aws.query("elasticloadbalancing", "DescribeTargetHealth", &parameters)?;
        let targets = health.split("<Target>").skip(1);
        let healthy = targets.filter(|target| target.contains("<State>healthy</State>"));
        healthy.map(|target| Ok(element(target, "Id")?.to_owned())).collect()
    }

    fn address(&self, instance: &str) -> Result<IpAddr> {
        let described = self.aws.query("ec2", "DescribeInstances", &[("InstanceId.1", instance)])?;
        Ok(element(&described, "privateIpAddress")?.parse()?)
    }

    /// A client that asks one request after another until it is told to stop.
    pub(crate) fn load(&self) -> Load {
        let (balancer, stop) = (self.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let client = std::thread::spawn(move || {
            let mut answers = Vec::new();
            let mut is_last = false;
            while !is_last {
                is_last = stopped.load(Ordering::Acquire);
                answers.push(balancer.get("/").map_err(|error| format!("{error:#}")));
                std::thread::sleep(PACE);
            }
            answers
        });
        Load { stop, client }
    }
}

/// Requests under way.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    client: JoinHandle<Vec<Result<String, String>>>,
}

impl Load {
    /// Asks once more, and gives every answer in turn, without those that are alike their predecessor.
    pub(crate) fn stop(self) -> Vec<Result<String, String>> {
        self.stop.store(true, Ordering::Release);
        let mut answers = self.client.join().unwrap();
        assert!(answers.len() > 1, "no load");
        answers.dedup();
        answers
    }
}
