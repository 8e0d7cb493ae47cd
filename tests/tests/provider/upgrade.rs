//! States of released versions: this version plans nothing for them. `states` has one of each, as that version wrote it.

use std::fs;

use lab::programs::checkout;

use crate::stack::{REGISTRY, Stack};

/// What every one of those states is of.
const IMAGES: &str = r#"
resource "ecr_image" "files" {
  repository = "REPOSITORY"
  tags       = ["latest"]
  labels     = { team = "shop" }
  files = {
    layers = [
      { source = "./app/run", destination = "/app/run", mode = "0755" },
      { source = "./app/index.html", destination = "/srv/" },
    ]
    entrypoint = ["/app/run"]
  }
}

resource "ecr_image" "build" {
  repository = "REPOSITORY"
  tags       = ["build"]
  triggers   = { version = "1" }
  build      = { context = "./ctx", args = { PAGE = "page" } }
}
"#;

pub(crate) fn plans_nothing_for_states_of_released_versions(stack: &Stack) {
    stack.file("ctx/Dockerfile", "FROM scratch\nARG PAGE\nCOPY ${PAGE} /\n");
    stack.file("ctx/page", "two");
    stack.configuration(&IMAGES.replace("REPOSITORY", &stack.repository()));
    stack.apply().unwrap();
    for state in fs::read_dir(checkout().join("tests/tests/provider/states")).unwrap() {
        let text = fs::read_to_string(state.unwrap().path()).unwrap();
        let text = text.replace(&format!("{REGISTRY}/REPOSITORY"), &stack.repository());
        stack.file("terraform.tfstate", &text);
        stack.plans_nothing(&["-refresh=false"]);
        // What needs no daemon has the same bytes to this day: the image is there.
        stack.plans_nothing(&["-target=ecr_image.files"]);
    }
}

/// A format of the hash that is older than the one of new images: an image keeps its own.
pub(crate) fn keeps_the_format_that_an_image_was_hashed_in(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let (digest, hash) = (stack.digest(), stack.output("hash"));
    // Nobody knows the hash of that format but the provider, so a wrong one is put right first.
    let path = stack.folder.path().join("terraform.tfstate");
    let older = format!("0:{}", "0".repeat(64));
    fs::write(&path, fs::read_to_string(&path).unwrap().replace(&hash, &older)).unwrap();
    stack.apply().unwrap();
    let hash = stack.output("hash");
    assert!(hash.starts_with("0:") && hash != older, "{hash}");
    assert_eq!(stack.digest(), digest);
    assert_eq!(stack.tag(&format!("src-{}", hash.replace(':', "-"))), Some(digest));
    stack.plans_nothing(&[]);
    stack.plans_nothing(&["-refresh=false"]);
    stack.file("app/index.html", "two");
    stack.apply().unwrap();
    assert!(stack.output("hash").starts_with("0:"), "{}", stack.output("hash"));
    stack.plans_nothing(&[]);
    fs::remove_file(path).unwrap();
    stack.apply().unwrap();
    assert!(stack.output("hash").starts_with("1:"), "{}", stack.output("hash"));
}
