//! Many images at once: what they ask of ECR is counted.

use std::fs;

use lab::emulator::Options;

use crate::emulated::Emulated;
use crate::stack::Stack;

const IMAGES: usize = 200;

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn two_hundred_images_ask_little() {
    let stack = Stack::terraform();
    let names: Vec<String> = (0..IMAGES).map(|number| format!("shop/web-{number}")).collect();
    let repositories: Vec<&str> = names.iter().map(String::as_str).chain(["shop/web"]).collect();
    let world = Emulated::new(&stack, Options::default(), &repositories);
    let configure = |repository: &str| {
        stack.configuration(&format!(
            "resource \"ecr_image\" \"web\" {{\n  count = {IMAGES}\n  repository = \"{}\"\n  \
             tags = [\"v1-${{count.index}}\"]\n  labels = {{ number = count.index }}\n  files = {{\n    \
             layers = [{{ source = \"./app/run\", destination = \"/app/\" }}]\n    entrypoint = [\"/app/run\"]\n  }}\n}}\n",
            world.repository(repository)
        ));
        world.run(&["apply", "-auto-approve", "-parallelism=50"]).unwrap();
        world.ecr.take_log();
        world.plans_nothing();
        let asked = world.ecr.take_log();
        fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
        asked
    };
    // One page has all the tags of the first.
    let asked = configure("shop/web");
    assert!(asked.len() <= 2, "{asked:?}");
    let asked = configure("shop/web-${count.index}");
    assert!(asked.len() <= IMAGES, "{}: {asked:?}", asked.len());
    assert_eq!(world.ecr.faults(), [""; 0]);
}
