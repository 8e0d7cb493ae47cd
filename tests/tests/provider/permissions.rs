//! The policies of the guide on permissions: each suffices, and what is taken out of one is named if it is missed.

use std::collections::BTreeMap;
use std::fs;

use lab::aws::Keys;
use serde_json::{Value, json};

use crate::stack::{Outcome, REGISTRY, Stack, run_cli};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../provider/docs/guides/permissions.md");

/// What is done without here, for layers are mounted within one registry, and configurations are cached on this machine.
const SPARED: [&str; 4] = [
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchCheckLayerAvailability",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
];

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn suffice_and_are_all_needed() {
    let stack = Stack::terraform();
    let policies = policies();
    let [one, ..] = stack.images();
    let repository = stack.repository();
    let tag = |more: &str| {
        format!(
            "resource \"ecr_tag\" \"it\" {{\n  repository = \"{repository}\"\n  tag = \"live\"\n  digest = \"{one}\"\n{more}\n}}\n"
        )
    };
    // What one attempt has sent, the next would find.
    let copy = || {
        let copies = stack.lab.unique(&stack.name);
        stack.lab.root().ecr("CreateRepository", &json!({ "repositoryName": copies })).unwrap();
        format!(
            "resource \"ecr_image_copy\" \"it\" {{\n  source = \"{repository}@{one}\"\n  \
             repository = \"{REGISTRY}/{copies}\"\n  tags = [\"copied\"]\n}}\n"
        )
    };
    let image = format!("data \"ecr_image\" \"it\" {{ reference = \"{repository}:one\" }}\n");
    let images = format!("data \"ecr_images\" \"it\" {{ repository = \"{repository}\" }}\n");
    let check = |feature: &str, configuration: &dyn Fn() -> String, command: &str| {
        let actions = &policies[feature];
        for without in actions.iter().filter(|action| !SPARED.contains(&action.as_str())) {
            let rest: Vec<&String> = actions.iter().filter(|action| *action != without).collect();
            stack.configuration(&configuration());
            let error = stack.as_one_who_may(&rest, command).expect_err(without);
            assert!(error.contains(without), "{feature} without {without}: {error}");
        }
        stack.configuration(&configuration());
        stack.as_one_who_may(&actions.iter().collect::<Vec<_>>(), command).expect(feature);
    };
    check("data ecr_image", &|| image.clone(), "apply");
    check("data ecr_images", &|| images.clone(), "apply");
    check("ecr_tag", &|| tag(""), "apply");
    stack.configuration(&tag("  on_destroy = \"untag\""));
    stack.apply().unwrap();
    check("ecr_tag, taken away", &|| tag("  on_destroy = \"untag\""), "destroy");
    check("ecr_image_copy", &copy, "apply");
}

impl Stack {
    /// Runs a command as a new user with these permissions.
    fn as_one_who_may(&self, actions: &[&String], verb: &str) -> Outcome {
        // MiniStack binds nobody by a policy that allows nothing.
        let own = "sts:GetCallerIdentity".to_owned();
        let actions: Vec<&String> = actions.iter().copied().chain([&own]).collect();
        let policy = json!([{ "Effect": "Allow", "Action": actions, "Resource": "*" }]);
        let user = self.lab.root().create_user(&self.lab.unique("may"), &policy).unwrap();
        let Keys { id, secret } = user.keys;
        let mut command = self.command(&[verb, "-auto-approve"]);
        run_cli(command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret))
    }
}

/// The actions that the guide lists for each feature.
fn policies() -> BTreeMap<String, Vec<String>> {
    let guide = fs::read_to_string(GUIDE).unwrap();
    let sections = guide.split("\n## ").skip(1).filter_map(|section| {
        let (feature, rest) = section.split_once('\n')?;
        let (_, json) = rest.split_once("```json\n")?;
        let policy: Value = serde_json::from_str(json.split_once("```")?.0).unwrap();
        let statements = policy["Statement"].as_array().unwrap().iter();
        let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
        let actions = actions.map(|action| action.as_str().unwrap().to_owned()).collect();
        Some((feature.replace('`', ""), actions))
    });
    sections.collect()
}
