//! A machine that booted: what is inside, beside what its launch template says.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lab::aws::element;
use lab::process::{poll_until, run};
use lab::tool::Tool;
use serde_json::Value;

use super::PATIENCE;
use super::cloud::CLOUD;

pub(crate) struct Machine<'a> {
    pub(crate) instance: &'a str,
    pub(crate) service: &'a str,
}

impl Machine<'_> {
    /// cloud-init was given the template's user data, and systemd runs the image as that says.
    pub(crate) fn runs_what_the_template_says(&self, image: &Value) {
        let service = self.service;
        let parameters = [("LaunchTemplateName", service), ("LaunchTemplateVersion.1", "$Latest")];
        let versions = CLOUD.root().query("ec2", "DescribeLaunchTemplateVersions", &parameters).unwrap();
        let user_data = BASE64_STANDARD.decode(element(&versions, "userData").unwrap()).unwrap();
        let given = self.inside("cat /var/lib/cloud/seed/nocloud/user-data");
        assert_eq!(given, String::from_utf8(user_data).unwrap());
        assert!(!given.to_lowercase().contains("secret"), "{given}");
        assert_eq!(self.inside("cloud-init status").trim(), "status: done");

        let units = format!("systemctl is-active {service}.service {service}-health.timer");
        assert_eq!(self.inside(&units), "active\nactive\n");
        let running = self.inside(&format!("docker inspect --format '{{{{.Config.Image}}}}' {service}"));
        assert_eq!(running.trim(), image.as_str().unwrap());
        // The login came from the helper and went nowhere.
        let config = self.inside(&format!("cat /etc/{service}/docker/config.json"));
        assert_eq!(config, r#"{"credHelpers":{"000000000000.dkr.ecr.us-east-1.amazonaws.com":"ecr-login"}}"#);
        self.logs("response:200");
    }

    /// The service's output is in the journal, and in CloudWatch soon after.
    fn logs(&self, line: &str) {
        let service = self.service;
        let journal = self.inside(&format!("journalctl --unit {service}.service --output cat"));
        assert!(journal.contains(line), "{journal}");
        poll_until("the log is in CloudWatch", PATIENCE, || {
            let group = format!("--log-group-name=/vm-service/{service}");
            let mut aws = CLOUD.command(Tool::Aws);
            let events = run(aws.args(["logs", "filter-log-events", "--output=text"]).arg(group), PATIENCE)?;
            Ok(events.contains(line).then_some(()))
        })
        .unwrap();
    }

    fn inside(&self, script: &str) -> String {
        CLOUD.inside(self.instance, script)
    }
}
