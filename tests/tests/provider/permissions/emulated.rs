//! What the lab's ECR does not do: scans, replication and signing. The emulator does, and refuses what is denied.

use std::fs;
use std::time::Duration;

use lab::emulator::Options;
use serde_json::json;

use super::Policies;
use crate::emulated::Emulated;
use crate::stack::{FILES, Outcome, Stack};

const TAGGED: &str = "  tags = [\"v1\"]\n";

impl Policies {
    /// Applies a configuration beside an image that is there, where no other action of the guide is allowed.
    fn attempt(
        &self,
        stack: &Stack,
        actions: &[&str],
        configuration: &dyn Fn(&str, &str) -> String,
    ) -> Outcome {
        let world = Emulated::new(stack, Options::default(), &["web"]);
        let destination = json!({ "region": "eu-west-1", "registryId": "123456789012" });
        let replication = json!({ "rules": [{ "destinations": [destination] }] });
        let profile = "arn:aws:signer:eu-central-1:123456789012:/signing-profiles/ci";
        let signing = json!({ "rules": [{ "signingProfileArn": profile }] });
        world
            .ecr
            .api("PutReplicationConfiguration", &json!({ "replicationConfiguration": replication }))
            .unwrap();
        world.ecr.api("PutSigningConfiguration", &json!({ "signingConfiguration": signing })).unwrap();
        let repository = world.repository("web");
        stack.image_in(&repository, &format!("{TAGGED}{FILES}"));
        world.apply().unwrap();
        let uri = format!("{repository}@{}", stack.digest());
        fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
        world.ecr.pass(Duration::from_mins(1));
        let others = self.0.values().flatten().filter(|action| !actions.contains(&action.as_str()));
        others.for_each(|action| world.ecr.deny(action));
        stack.configuration(&configuration(&repository, &uri));
        let outcome = world.apply();
        _ = fs::remove_file(stack.folder.path().join("terraform.tfstate")); // a failure may have left none
        outcome
    }
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn suffice_for_scans_and_what_follows_a_push() {
    let (stack, policies) = (Stack::terraform(), Policies::listed());
    let check = |feature: &str, beside: &[&str], configuration: &dyn Fn(&str, &str) -> String| {
        let attempt = |actions: &[&str]| policies.attempt(&stack, &[beside, actions].concat(), configuration);
        policies.check(feature, &[&attempt]);
    };
    check("ecr_scan_gate", &[], &|_, uri| {
        format!("resource \"ecr_scan_gate\" \"it\" {{\n  image = \"{uri}\"\n  start_scan = true\n}}\n")
    });
    check("data ecr_scan", &[], &|_, uri| format!("data \"ecr_scan\" \"it\" {{ image = \"{uri}\" }}\n"));
    let waits = "  wait_for = [\"replication\", \"signature\"]";
    check("ecr_image, waiting", &policies.of("ecr_image"), &|repository, _| {
        format!(
            "resource \"ecr_image\" \"it\" {{\n  repository = \"{repository}\"\n{TAGGED}{FILES}\n{waits}\n}}\n"
        )
    });
}
