//! The life of a copy: what is sent, what it is called, and what becomes of it.

use std::fs;

use lab::aws::Aws;
use lab::ecr::Scope;
use lab::emulator::Options;
use lab::process::{SHORT, run};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::emulated::Emulated;
use crate::gate::Gate;
use crate::interrupt::end_by;
use crate::stack::{FILES, REGISTRY, Stack, one_line, run_cli};

pub(crate) fn come_and_go(stack: &Stack) {
    let [one, two, _] = stack.images();
    let index = stack.there().put_index("all", &[(&one, "amd64"), (&two, "arm64")]);
    let copies = format!("{}/copies", stack.name);
    stack.lab.root().ecr("CreateRepository", &json!({ "repositoryName": copies })).unwrap();
    let there = stack.beside(&copies);
    let copy = |repository: &str, digest: &str, more: &str| {
        stack.configuration(&format!(
            "resource \"ecr_image_copy\" \"web\" {{\n  source = \"{}@{digest}\"\n  repository = \"{REGISTRY}/{repository}\"\n\
             {more}\n}}\noutput \"digest\" {{ value = ecr_image_copy.web.digest }}\n\
             output \"platforms\" {{ value = join(\" \", keys(ecr_image_copy.web.platform_digests)) }}\n",
            stack.repository()
        ));
    };
    let tags = |names: &str| format!("  tags = {names}\n  on_removed_tag = \"untag\"");

    copy(&copies, &one, &tags(r#"["a", "b"]"#));
    let plan = stack.plan_to_file();
    assert!(plan.contains(&format!("/copies@{one}\"")), "{plan}");
    stack.apply_planned().unwrap();
    assert_eq!((there.tag("a").as_ref(), there.tag("b").as_ref()), (Some(&one), Some(&one)));
    stack.plans_nothing(&[]);
    stack.plans_nothing(&["-refresh=false"]);

    // Tags and content change in place.
    copy(&copies, &one, &tags(r#"["a"]"#));
    stack.apply().unwrap();
    assert_eq!((there.tag("a").as_ref(), there.tag("b")), (Some(&one), None));
    copy(&copies, &two, &tags(r#"["a"]"#));
    let applied = stack.apply().unwrap();
    assert!(applied.contains("0 added, 1 changed, 0 destroyed"), "{applied}");
    assert_eq!(there.tag("a").as_ref(), Some(&two));

    // Somebody moves the tag, before the plan and after it; somebody deletes the copy.
    there.move_tag("a", &one);
    let plan = stack.plan_to_file();
    assert!(plan.contains("+ \"a\"") && !plan.contains("(known after apply)"), "{plan}");
    stack.apply_planned().unwrap();
    assert_eq!(there.tag("a").as_ref(), Some(&two));
    copy(&copies, &one, &tags(r#"["a"]"#));
    stack.plan_to_file();
    there.delete_tag("a");
    stack.apply_planned().unwrap();
    there.delete_image(&one);
    let plan = stack.plan(&[]).unwrap();
    assert!(plan.contains("1 to add"), "{plan}");
    stack.apply().unwrap();

    // One platform of an index is an image; all of it is the index.
    copy(&copies, &index, "  platforms = [\"linux/arm64\"]");
    stack.apply().unwrap();
    assert_eq!((stack.output("digest"), stack.output("platforms").as_str()), (two.clone(), "linux/amd64"));
    copy(&copies, &index, "  tags = [\"all\"]\n  on_destroy = \"delete_if_unreferenced\"");
    stack.apply().unwrap();
    assert_eq!(
        (there.tag("all"), stack.output("platforms").as_str()),
        (Some(index), "linux/amd64 linux/arm64")
    );
    stack.plans_nothing(&[]);

    // Imported, it is a copy of itself until it is applied, which sends nothing.
    run(&mut stack.command(&["state", "rm", "ecr_image_copy.web"]), SHORT).unwrap();
    let id = format!("{REGISTRY}/{copies}:all");
    run_cli(stack.command(&["import"]).args(["ecr_image_copy.web", &id])).unwrap();
    let (_, number) = there.requests(0);
    let applied = stack.apply().unwrap();
    assert!(applied.contains("0 added, 1 changed, 0 destroyed"), "{applied}");
    let (sent, _) = there.requests(number);
    assert!(sent.iter().all(|request| !request.class.contains("upload")), "{sent:?}");

    // It is deleted with what only it names, unless somebody else has a name for it.
    let all = there.tag("all").unwrap();
    there.move_tag("theirs", &all);
    let destroyed = destroy(stack);
    assert!(destroyed.contains("other tags point at it"), "{destroyed}");
    assert_eq!((there.tag("all"), there.tag("theirs")), (None, Some(all)));
    assert_eq!(there.untagged(), [two.as_str()]);
    stack.apply().unwrap();
    there.delete_tag("theirs");
    destroy(stack);
    assert_eq!((there.tags(), there.untagged()), (vec![("a".to_owned(), one.clone())], Vec::new()));

    let missing = format!("sha256:{}", "0".repeat(64));
    copy(&copies, &missing, "");
    let error = stack.apply().unwrap_err();
    assert!(error.contains("the registry has no such image") && error.contains("source ="), "{error}");
    copy("nothing/here", &one, "");
    let error = stack.apply().unwrap_err();
    assert!(error.contains("hint: create it first: an aws_ecr_repository named \"nothing/here\""), "{error}");
}

fn destroy(stack: &Stack) -> String {
    run_cli(&mut stack.command(&["destroy", "-auto-approve"])).unwrap()
}

/// From a registry in one region to the provider's own in another, broken off on the way, and with what is about the image.
pub(crate) fn come_from_another_registry(stack: &Stack) {
    let [there, home] = ["eu-central-1", "us-east-1"]
        .map(|region| Scope { account: "123456789012".to_owned(), region: region.to_owned() });
    let registries = vec![there, home.clone()];
    let world = Emulated::new(stack, Options { registries, ..Options::default() }, &["web"]);
    let own = Aws::at(world.ecr.address(), world.ecr.keys());
    own.ecr("CreateRepository", &json!({ "repositoryName": "mirror/web" })).unwrap();
    stack.image_in(&world.repository("web"), &format!("  tags = [\"v1\"]\n{FILES}"));
    world.apply().unwrap();
    let digest = stack.digest();
    let source = format!("{}@{digest}", world.repository("web"));
    fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
    let signature = sign(&world, &digest);
    let configure = |repository: &str, more: &str| {
        stack.configuration(&format!(
            "resource \"ecr_image_copy\" \"web\" {{\n  source = \"{source}\"\n  repository = \"{repository}\"\n  \
             tags = [\"v1\"]\n{more}\n}}\n\
             resource \"ecr_tag\" \"live\" {{\n  repository = \"{repository}\"\n  tag = \"live\"\n  \
             digest = ecr_image_copy.web.digest\n  on_destroy = \"untag\"\n}}\n\
             data \"ecr_images\" \"all\" {{\n  repository = \"{repository}\"\n  depends_on = [ecr_tag.live]\n}}\n\
             output \"uri\" {{ value = ecr_tag.live.uri }}\n\
             output \"names\" {{ value = join(\" \", flatten(data.ecr_images.all.images[*].tags)) }}\n"
        ));
    };
    let mirrored = || world.ecr.contents_in(&home.host(), "mirror/web");

    // The repository is that of the provider's account and region.
    configure("mirror/web", "");
    let endpoints = world.ecr.endpoints();
    let (near, far) = endpoints.split_once(',').unwrap();
    let far = far.rsplit("//").next().unwrap().parse().unwrap();
    let gate = Gate::shut_after(1, far, "PUT", "/blobs/uploads/");
    let mut apply = world.command(&["apply", "-auto-approve"]);
    let through = format!("{near},{}=http://{}", home.host(), gate.address());
    apply.env("EKS_DEPLOY_REGISTRY_ENDPOINTS", through);
    let output = end_by(Signal::INT, stack, &mut apply, || gate.holds() > 0 && mirrored().blobs.len() == 1);
    assert!(output.contains("Interrupted before the copy was complete"), "{output}");
    assert_eq!(mirrored().manifests.len(), 0);
    world.apply().unwrap();
    let is_done = |request: &&lab::ecr::ledger::Entry| {
        let at_home = request.repository.as_deref() == Some("mirror/web");
        at_home && request.class == "PUT upload" && request.status == 201
    };
    assert_eq!(
        world.ecr.requests().iter().filter(is_done).count(),
        mirrored().blobs.len(),
        "each is sent once"
    );
    assert_eq!(stack.output("uri"), format!("{}/mirror/web@{digest}", home.host()));
    assert_eq!(stack.output("names"), "live v1");
    world.plans_nothing();

    // Written with its registry it is the same repository; only its text changes.
    configure(&format!("{}/mirror/web", home.host()), "");
    let plan = world.run(&["plan"]).unwrap();
    assert!(plan.contains("0 to add, 2 to change, 0 to destroy"), "{plan}");
    assert_eq!(mirrored().manifests.len(), 1, "the signature stays behind, unless it is asked for");
    configure("mirror/web", "  include_referrers = true");
    world.apply().unwrap();
    assert!(mirrored().manifests.contains_key(&signature), "{:?}", mirrored().manifests.keys());
    world.plans_nothing();
    world.run(&["destroy", "-auto-approve"]).unwrap();
    assert_eq!(mirrored().tags.into_keys().collect::<Vec<_>>(), ["v1"]);

    configure("Mirror/web", "");
    let error = one_line(&world.run(&["plan"]).unwrap_err());
    assert!(error.contains("Repository `Mirror/web`") && !error.contains("registry.invalid"), "{error}");
}

/// Puts a manifest about an image beside it; its digest.
fn sign(world: &Emulated<'_>, digest: &str) -> String {
    let image = world.ecr.contents("web").manifests.remove(digest).unwrap();
    let mut manifest: Value = serde_json::from_slice(&image).unwrap();
    manifest["subject"] =
        json!({ "mediaType": manifest["mediaType"], "digest": digest, "size": image.len() });
    manifest["artifactType"] = "application/vnd.example.signature".into();
    let put = json!({ "repositoryName": "web", "imageManifest": manifest.to_string() });
    world.ecr.api("PutImage", &put).unwrap()["image"]["imageId"]["imageDigest"].as_str().unwrap().to_owned()
}
