//! The policies of the guide on permissions: each suffices, and what is taken out of one is named where it is missed.

mod emulated;
mod newer;

use std::collections::BTreeMap;
use std::fs;

use lab::aws::Keys;
use lab::emulator::Options;
use serde_json::{Value, json};

use crate::emulated::Emulated;
use crate::stack::{FILES, Outcome, REGISTRY, Stack, run_cli};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../provider/docs/guides/permissions.md");

/// Tries something as one who may do no more than this.
type Attempt<'a> = &'a dyn Fn(&[&str]) -> Outcome;

/// The policies of the guide, by the objects that they are for.
struct Policies(BTreeMap<String, Vec<String>>);

impl Policies {
    /// With all actions every attempt succeeds; without any of them one fails at least, and says which is missing.
    fn check(&self, feature: &str, attempts: &[Attempt<'_>]) {
        let actions: Vec<&str> = self.of(feature);
        for without in &actions {
            let rest: Vec<&str> = actions.iter().copied().filter(|action| action != without).collect();
            let outcomes: Vec<Outcome> = attempts.iter().map(|attempt| attempt(&rest)).collect();
            let says = |outcome: &Outcome| outcome.as_ref().is_err_and(|error| error.contains(without));
            assert!(outcomes.iter().any(says), "{feature} without {without}: {outcomes:?}");
        }
        for attempt in attempts {
            attempt(&actions).expect(feature);
        }
    }

    fn of(&self, feature: &str) -> Vec<&str> {
        self.0[feature].iter().map(String::as_str).collect()
    }

    /// Those that the guide lists.
    fn listed() -> Self {
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
        Self(sections.collect())
    }
}

impl Stack {
    /// Keys of a new user with these permissions.
    fn who_may(&self, actions: &[&str]) -> Keys {
        // MiniStack binds nobody by a policy that allows nothing.
        let actions: Vec<&str> = actions.iter().copied().chain(["sts:GetCallerIdentity"]).collect();
        let policy = json!([{ "Effect": "Allow", "Action": actions, "Resource": "*" }]);
        self.lab.root().create_user(&self.lab.unique("may"), &policy).unwrap().keys
    }

    /// Runs a command with these keys, on a machine that has cached nothing.
    fn as_one_with(&self, keys: &Keys, verb: &str) -> Outcome {
        let caches = tempfile::tempdir().unwrap();
        let mut command = self.command(&[verb, "-auto-approve"]);
        command.env("AWS_ACCESS_KEY_ID", &keys.id).env("AWS_SECRET_ACCESS_KEY", &keys.secret);
        run_cli(command.env("XDG_CACHE_HOME", caches.path()))
    }

    /// Another repository of the registry, in which nothing is yet.
    fn new_repository(&self) -> String {
        let name = self.lab.unique(&self.name);
        self.lab.root().ecr("CreateRepository", &json!({ "repositoryName": name })).unwrap();
        format!("{REGISTRY}/{name}")
    }
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn suffice_and_are_all_needed() {
    let (stack, policies) = (Stack::terraform(), Policies::listed());
    let repository = stack.repository();
    let [one, ..] = stack.images();
    let applied = |configuration: &str, verb: &str, actions: &[&str]| {
        stack.configuration(configuration);
        stack.as_one_with(&stack.who_may(actions), verb)
    };
    let check = |feature: &str, configuration: &str, verb: &str| {
        policies.check(feature, &[&|actions| applied(configuration, verb, actions)]);
    };
    check(
        "data ecr_image",
        &format!("data \"ecr_image\" \"it\" {{ reference = \"{repository}:one\" }}\n"),
        "apply",
    );
    check(
        "data ecr_images",
        &format!("data \"ecr_images\" \"it\" {{ repository = \"{repository}\" }}\n"),
        "apply",
    );

    let tag = |more: &str| {
        format!(
            "resource \"ecr_tag\" \"it\" {{\n  repository = \"{repository}\"\n  tag = \"live\"\n  digest = \"{one}\"\n{more}\n}}\n"
        )
    };
    check("ecr_tag", &tag(""), "apply");
    stack.configuration(&tag("  on_destroy = \"untag\""));
    stack.apply().unwrap();
    check("ecr_tag, taken away", &tag("  on_destroy = \"untag\""), "destroy");

    // What one attempt has sent, the next would find.
    let image = |repository: &str, tag: &str, more: &str| {
        format!(
            "resource \"ecr_image\" \"it\" {{\n  repository = \"{repository}\"\n  tags = [\"{tag}\"]\n{FILES}\n{more}\n}}\n"
        )
    };
    let labelled = "  labels = { name = \"one\" }";
    policies.check(
        "ecr_image",
        &[&|actions| applied(&image(&stack.new_repository(), "new", ""), "apply", actions), &|actions| {
            applied(&image(&repository, "found", labelled), "apply", actions)
        }],
    );
    let deleted = image(&repository, "one", "  on_destroy = \"delete_if_unreferenced\"");
    stack.configuration(&deleted);
    stack.apply().unwrap();
    check("ecr_image, taken away", &deleted, "destroy");

    // Within a registry nothing is sent; from another one everything is.
    let world = Emulated::new(&stack, Options { open: true, strict: false, ..Options::default() }, &[]);
    let elsewhere = format!("{}/web", world.ecr.address());
    stack.image_in(&elsewhere, FILES);
    stack.apply().unwrap();
    let sources = [format!("{repository}@{one}"), format!("{elsewhere}@{}", stack.digest())];
    let [within, across] = sources.each_ref().map(|source| {
        let (stack, applied) = (&stack, &applied);
        move |actions: &[&str]| {
            let to = stack.new_repository();
            let copy = format!(
                "resource \"ecr_image_copy\" \"it\" {{\n  source = \"{source}\"\n  repository = \"{to}\"\n  tags = [\"copied\"]\n}}\n"
            );
            applied(&copy, "apply", actions)
        }
    });
    policies.check("ecr_image_copy", &[&within, &across]);
}
