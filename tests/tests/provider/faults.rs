//! The fault matrix: something changes between a plan and its apply. Whatever it is, the words are ours, nothing is
//! lost, and the next plan puts it right.
//!
//! One configuration has an image for each fault that concerns one image alone, so one plan and one apply show them
//! all. What concerns every image, credentials and network, strikes copies of the folder: there nothing may come of it.

use std::collections::BTreeMap;
use std::process::Command;

use lab::process::{SHORT, run};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stack::{Outcome, REGISTRY, Stack, run_cli};

/// What changes between plan and apply, of one image.
const FAULTS: [&str; 4] = ["file", "tag", "image", "base"];

/// What becomes of each of them: the apply goes through, or fails with these words.
type Expected = [Result<(), &'static str>; 4];

const FILE: &str = "/srv/index.html was ";
const TAG: &str = "Tag `tag` was moved to another image since the plan";
const IMAGE: &str = "vanished since the plan";
const CREDENTIALS: &str = "AWS gives no registry password";
const NETWORK: &str = "no answer from `127.0.0.1:1`";

/// A base by a tag is what the tag names when the image is built; a plan promises none.
const BASE: Result<(), &str> = Ok(());
/// Of an image that is called as its fault is.
const OWN: &str = "[each.key]";

pub(crate) fn on_create(stack: &Stack) {
    let world = World::new(stack);
    world.write("third", r#"["third-${each.key}"]"#);
    let third = world.apply();
    world.forget();
    world.write("new", OWN);
    stack.plan_to_file();
    // Where a create's values are known after apply, it takes the files as they are then.
    let file = if stack.stores_planned_private() { Err(FILE) } else { Ok(()) };
    world.check(&third, &third, [file, Ok(()), Ok(()), BASE]);
    assert!(world.is_on_base_of_now(&world.digests()["base"]));
}

pub(crate) fn on_update(stack: &Stack) {
    let world = World::new(stack);
    let [third, planned, _] = ["third", "planned", "before"].map(|content| {
        world.write(content, OWN);
        world.apply()
    });
    world.write("planned", OWN);
    let plan = stack.plan_to_file();
    assert!(planned.values().all(|digest| plan.contains(&format!("-> \"{digest}\""))), "{plan}");
    world.check(&third, &planned, [Err(FILE), Err(TAG), Err(IMAGE), BASE]);
}

pub(crate) fn on_a_change_of_tags(stack: &Stack) {
    let world = World::new(stack);
    world.write("third", r#"["third-${each.key}"]"#);
    let third = world.apply();
    world.write("now", OWN);
    let now = world.apply();
    world.write("now", r#"[each.key, "more-${each.key}"]"#);
    stack.plan_to_file();
    world.check(&third, &now, [Err(FILE), Err(TAG), Err(IMAGE), BASE]);
}

pub(crate) fn on_replace(stack: &Stack) {
    let stores = stack.stores_planned_private();
    let world = World::new(stack);
    let [third, planned] = ["third", "planned"].map(|content| {
        world.write(content, &format!("[\"{content}-${{each.key}}\"]"));
        world.apply()
    });
    world.write_in(&world.base.repository(), "before", OWN);
    world.apply();
    world.write("planned", OWN);
    let plan = stack.plan_to_file();
    assert!(plan.contains("must be replaced") && plan.contains("# forces replacement"), "{plan}");
    assert!(planned.values().all(|digest| plan.contains(&format!("-> \"{digest}\"")) == stores), "{plan}");
    let known = |words| if stores { Err(words) } else { Ok(()) };
    world.check(&third, &planned, [known(FILE), Ok(()), known(IMAGE), BASE]);
}

/// Images that can suffer, one of them on a base that can change. Each is called as its fault.
struct World<'a> {
    stack: &'a Stack,
    base: Stack,
    bases: [String; 2],
}

type Digests = BTreeMap<String, String>;

impl<'a> World<'a> {
    fn new(stack: &'a Stack) -> Self {
        let base = Stack::new(stack.cli, stack.program.clone());
        base.files(r#"["base"]"#);
        let bases = ["one", "two"].map(|content| {
            base.file("app/index.html", content);
            base.apply().unwrap();
            base.digest()
        });
        Self { stack, base, bases }
    }

    fn write(&self, content: &str, tags: &str) {
        self.write_in(&self.stack.repository(), content, tags);
    }

    fn write_in(&self, repository: &str, content: &str, tags: &str) {
        for fault in FAULTS {
            self.stack.file(&format!("app/{fault}/index.html"), content);
        }
        self.stack.configuration(&format!(
            r#"resource "ecr_image" "web" {{
  for_each   = toset({FAULTS:?})
  repository = "{repository}"
  tags       = {tags}
  labels     = {{ fault = each.key }}
  files = {{
    base   = each.key == "base" ? "{}:base" : "scratch"
    layers = [{{ source = "./app/${{each.key}}/index.html", destination = "/srv/" }}]
  }}
}}
output "digests" {{ value = {{ for fault, image in ecr_image.web : fault => image.digest }} }}
"#,
            self.base.repository()
        ));
    }

    fn apply(&self) -> Digests {
        self.stack.apply().unwrap();
        self.digests()
    }

    fn digests(&self) -> Digests {
        let digests = run(&mut self.stack.command(&["output", "-json", "digests"]), SHORT).unwrap();
        serde_json::from_str(&digests).unwrap()
    }

    /// As on a machine that has no state.
    fn forget(&self) {
        std::fs::remove_file(self.stack.folder.path().join("terraform.tfstate")).unwrap();
    }

    /// Lets everything happen to a saved plan, then plans and applies anew: all has to be well in the end. `third` are
    /// images that are neither in state nor to come, `planned` those to come, if they are there.
    fn check(&self, third: &Digests, planned: &Digests, expected: Expected) {
        let before = self.stack.tags();
        for (fault, words) in [(credentials(), CREDENTIALS), (network(), NETWORK)] {
            let there = self.elsewhere();
            let run = |arguments: &[&str]| {
                let mut command = self.stack.command(arguments);
                run_cli(command.current_dir(there.path()).envs(fault.clone()))
            };
            let plan = run(&["plan"]).unwrap();
            assert!(plan.matches("so images are taken to be as state has them").count() <= 1, "{plan}");
            let outcome = run(&["apply", "-input=false", "plan"]);
            for image in FAULTS {
                told(&outcome, image, Err(words));
            }
        }
        assert_eq!(self.stack.tags(), before);
        self.suffer(third, planned);
        let outcome = self.stack.apply_planned();
        for (fault, expected) in FAULTS.into_iter().zip(expected) {
            told(&outcome, fault, expected);
        }
        for (fault, digest) in self.apply() {
            assert_eq!(self.stack.tag(&fault), Some(digest), "{fault}");
        }
        self.stack.plans_nothing(&[]);
    }

    /// A copy of the folder.
    fn elsewhere(&self) -> TempDir {
        let there = tempfile::tempdir().unwrap();
        let mut copy = Command::new("cp");
        run(copy.arg("-r").arg(self.stack.folder.path().join(".")).arg(there.path()), SHORT).unwrap();
        there
    }

    fn suffer(&self, third: &Digests, planned: &Digests) {
        self.stack.file("app/file/index.html", "edited");
        self.stack.move_tag("tag", &third["tag"]);
        self.stack.delete_image(&planned["image"]);
        let now = self.base.tag("base");
        let another = self.bases.iter().find(|base| Some(*base) != now.as_ref());
        self.base.move_tag("base", another.unwrap());
    }

    fn is_on_base_of_now(&self, digest: &str) -> bool {
        let base = layers(&self.base, &self.base.tag("base").unwrap());
        layers(self.stack, digest).starts_with(&base)
    }
}

fn credentials() -> Vec<(&'static str, String)> {
    vec![("AWS_SECRET_ACCESS_KEY", "wrong".to_owned()), ("AWS_ACCESS_KEY_ID", "AKIAWRONG".to_owned())]
}

fn network() -> Vec<(&'static str, String)> {
    vec![("EKS_DEPLOY_REGISTRY_ENDPOINTS", format!("{REGISTRY}=http://127.0.0.1:1"))]
}

/// Whether the outcome says of the image what is expected of it.
fn told(outcome: &Outcome, image: &str, expected: Result<(), &'static str>) {
    let errors = outcome.as_ref().err().map_or("", String::as_str);
    let of_image = format!("with ecr_image.web[\"{image}\"]");
    let said = errors.split("Error: ").find(|error| error.contains(&of_image));
    match (said, expected) {
        (None, Ok(())) => {}
        (Some(error), Err(words)) if error.contains(words) => {}
        _ => panic!("{image}: expected {expected:?}, got {outcome:?}"),
    }
}

/// The digests of an image's layers, lowest first.
fn layers(stack: &Stack, digest: &str) -> Vec<Value> {
    let image = stack.ecr("BatchGetImage", json!({ "imageIds": [{ "imageDigest": digest }] }));
    let manifest: Value =
        serde_json::from_str(image["images"][0]["imageManifest"].as_str().unwrap()).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    layers.iter().map(|layer| layer["digest"].clone()).collect()
}
