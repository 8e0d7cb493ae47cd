//! The fault matrix: something changes between a plan and its apply. Whatever it is, the words are ours, nothing is
//! lost, and the next plan puts it right.

use serde_json::{Value, json};

use crate::stack::{FILES, Outcome, REGISTRY, Stack, run_cli};

/// What changes between plan and apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    File,
    Tag,
    Image,
    Base,
    Credentials,
    Network,
}

/// What becomes of the apply: it goes through, or fails with these words.
type Expected = Result<(), &'static str>;

const FILE: &str = "/srv/index.html was ";
const TAG: &str = "Tag `latest` was moved to another image since the plan";
const IMAGE: &str = "vanished since the plan";
const CREDENTIALS: &str = "AWS gives no registry password";
const NETWORK: &str = "no answer from `127.0.0.1:1`";

pub(crate) fn on_create(stack: &Stack) {
    let plan = |world: &World<'_>, number: usize| {
        world.forget();
        world.write(&format!("third {number}"), r#"["third"]"#);
        let third = world.apply();
        world.forget();
        world.write(&format!("{number}"), LATEST);
        stack.plan_to_file();
        Planned { third, image: None }
    };
    // Where a create's values are known after apply, it takes the files as they are then.
    let file = if stack.stores_planned_private() { Err(FILE) } else { Ok(()) };
    check(stack, plan, [(Fault::File, file), (Fault::Tag, Ok(())), (Fault::Image, Ok(())), BASE]);
}

pub(crate) fn on_update(stack: &Stack) {
    let plan = |world: &World<'_>, number: usize| {
        let [third, planned, _] = ["third", "planned", "before"].map(|name| {
            world.write(&format!("{name} {number}"), LATEST);
            world.apply()
        });
        world.write(&format!("planned {number}"), LATEST);
        let plan = stack.plan_to_file();
        assert!(plan.contains(&format!("-> \"{planned}\"")), "{plan}");
        Planned { third, image: Some(planned) }
    };
    check(stack, plan, [(Fault::File, Err(FILE)), (Fault::Tag, Err(TAG)), (Fault::Image, Err(IMAGE)), BASE]);
}

pub(crate) fn on_a_change_of_tags(stack: &Stack) {
    let plan = |world: &World<'_>, number: usize| {
        world.write(&format!("third {number}"), r#"["third"]"#);
        let third = world.apply();
        world.write(&format!("{number}"), LATEST);
        let digest = world.apply();
        world.write(&format!("{number}"), r#"["latest", "more"]"#);
        stack.plan_to_file();
        Planned { third, image: Some(digest) }
    };
    check(stack, plan, [(Fault::File, Err(FILE)), (Fault::Tag, Err(TAG)), (Fault::Image, Err(IMAGE)), BASE]);
}

pub(crate) fn on_replace(stack: &Stack) {
    let stores = stack.stores_planned_private();
    let plan = |world: &World<'_>, number: usize| {
        let [third, planned] = ["third", "planned"].map(|name| {
            world.write(&format!("{name} {number}"), &format!("[\"{name}\"]"));
            world.apply()
        });
        world.write_in(&world.base.repository(), &format!("before {number}"), LATEST);
        world.apply();
        world.write(&format!("planned {number}"), LATEST);
        let plan = stack.plan_to_file();
        assert!(plan.contains("must be replaced") && plan.contains("# forces replacement"), "{plan}");
        assert_eq!(plan.contains(&format!("-> \"{planned}\"")), stores, "{plan}");
        Planned { third, image: Some(planned) }
    };
    let known = |words| if stores { Err(words) } else { Ok(()) };
    check(
        stack,
        plan,
        [(Fault::File, known(FILE)), (Fault::Tag, Ok(())), (Fault::Image, known(IMAGE)), BASE],
    );
}

const LATEST: &str = r#"["latest"]"#;
/// A base by a tag is what the tag names when the image is built; a plan promises none.
const BASE: (Fault, Expected) = (Fault::Base, Ok(()));

/// A saved plan, and what a fault can take hold of.
struct Planned {
    /// An image that is neither the one in state nor the one to come.
    third: String,
    /// The image to come, if it is there.
    image: Option<String>,
}

/// Plans, lets each fault happen, applies the saved plan, then applies without it: all has to be well in the end.
fn check(stack: &Stack, plan: impl Fn(&World<'_>, usize) -> Planned, own: [(Fault, Expected); 4]) {
    let world = World::new(stack);
    let faults = [(Fault::Credentials, Err(CREDENTIALS)), (Fault::Network, Err(NETWORK))];
    for (number, (fault, expected)) in own.into_iter().chain(faults).enumerate() {
        let planned = plan(&world, number);
        world.suffer(fault, &planned);
        let outcome = apply_under(stack, fault);
        match (&outcome, expected) {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(words)) if error.contains(words) => {}
            _ => panic!("{fault:?}: expected {expected:?}, got {outcome:?}"),
        }
        if fault == Fault::Base && planned.image.is_none() {
            assert!(world.is_on_base_of_now(&stack.digest()));
        }
        stack.apply().unwrap();
        assert_eq!(stack.tag("latest"), Some(stack.digest()), "{fault:?}");
        stack.plans_nothing(&[]);
    }
}

fn apply_under(stack: &Stack, fault: Fault) -> Outcome {
    let mut apply = stack.command(&["apply", "-input=false", "plan"]);
    match fault {
        Fault::Credentials => {
            apply.env("AWS_SECRET_ACCESS_KEY", "wrong").env("AWS_ACCESS_KEY_ID", "AKIAWRONG")
        }
        Fault::Network => {
            apply.env("EKS_DEPLOY_REGISTRY_ENDPOINTS", format!("{REGISTRY}=http://127.0.0.1:1"))
        }
        Fault::File | Fault::Tag | Fault::Image | Fault::Base => &mut apply,
    };
    run_cli(&mut apply)
}

/// An image on a base that can change.
struct World<'a> {
    stack: &'a Stack,
    base: Stack,
    bases: [String; 2],
}

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
        let base = format!("    base = \"{}:base\"\n    layers", self.base.repository());
        let files = FILES.replace("    layers", &base);
        self.stack.file("app/index.html", content);
        self.stack.image_in(repository, &format!("  tags = {tags}\n{files}"));
    }

    fn apply(&self) -> String {
        self.stack.apply().unwrap();
        self.stack.digest()
    }

    /// As on a machine that has no state.
    fn forget(&self) {
        let _ = std::fs::remove_file(self.stack.folder.path().join("terraform.tfstate"));
    }

    fn suffer(&self, fault: Fault, planned: &Planned) {
        match fault {
            Fault::File => self.stack.file("app/index.html", "edited"),
            Fault::Tag => self.stack.move_tag("latest", &planned.third),
            Fault::Image => self.stack.delete_image(planned.image.as_ref().unwrap_or(&planned.third)),
            Fault::Base => self.base.move_tag("base", self.another_base()),
            Fault::Credentials | Fault::Network => {}
        }
    }

    fn another_base(&self) -> &str {
        let now = self.base.tag("base");
        self.bases.iter().find(|base| Some(*base) != now.as_ref()).unwrap()
    }

    fn is_on_base_of_now(&self, digest: &str) -> bool {
        let base = layers(&self.base, &self.base.tag("base").unwrap());
        layers(self.stack, digest).starts_with(&base)
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
