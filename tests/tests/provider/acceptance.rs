//! What the provider has to do better than anything that did its work before it, from (a) to (l), each under its letter.
//! (k), that ignore rules are read as Docker reads them, is beside the other comparisons with it: `tests/tests/build/moby`.

use std::collections::BTreeSet;
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use lab::emulator::Options;
use lab::process::{LONG, SHORT, poll_until, run};
use lab::programs::checkout;
use rustix::fs::inotify;
use rustix::process::Signal;
use serde_json::json;

use crate::emulated::Emulated;
use crate::gate::Gate;
use crate::interrupt::end_by;
pub(crate) use crate::secrets::are_kept_nowhere as h_five_secrets_are_found_nowhere;
use crate::stack::{FILES, REGISTRY, Stack, run_cli};

pub(crate) fn a_a_plan_needs_no_daemon_and_shows_digests(stack: &Stack) {
    let base = stack.lab.build_base();
    stack.file(
        "app/Dockerfile",
        &format!("FROM {base} AS build\nRUN touch /built\nFROM scratch\nCOPY --from=build /built /\n"),
    );
    stack.image("  tags = [\"latest\"]\n  build = { context = \"./app\" }");
    stack.apply().unwrap();
    let digest = stack.digest();
    let without_daemon =
        |arguments: &[&str]| run_cli(stack.command(arguments).env("DOCKER_HOST", "/dev/null")).unwrap();
    assert!(without_daemon(&["plan"]).contains("No changes."));
    // Another machine, with neither state nor daemon.
    fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
    let plan = without_daemon(&["plan", "-out=plan"]);
    assert_eq!(plan.contains(&digest), stack.stores_planned_private(), "{plan}");
    without_daemon(&["apply", "plan"]);
    assert_eq!(stack.digest(), digest);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn b_a_fresh_clone_plans_nothing() {
    let stack = Stack::terraform();
    checked_out(&stack);
    stack.apply().unwrap();
    let clone = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "umask 002 && git -c core.autocrlf=false clone --quiet \"$1\" \"$2\"", "sh"]);
    run(command.arg(stack.folder.path()).arg(clone.path()), SHORT).unwrap();
    fs::copy(stack.folder.path().join("terraform.tfstate"), clone.path().join("terraform.tfstate")).unwrap();
    let of_page = |root: &Path| fs::metadata(root.join("app/index.html")).unwrap();
    let (here, there) = (of_page(stack.folder.path()), of_page(clone.path()));
    assert_eq!((here.permissions().mode() & 0o777, there.permissions().mode() & 0o777), (0o600, 0o664));
    assert_ne!(here.modified().unwrap(), there.modified().unwrap());
    let plan = run_cli(stack.command(&["plan"]).current_dir(clone.path())).unwrap();
    assert!(plan.contains("No changes."), "{plan}");
}

pub(crate) fn c_a_stashed_file_is_named(stack: &Stack) {
    checked_out(stack);
    stack.apply().unwrap();
    stack.file("app/index.html", "edited\r\n");
    stack.plan_to_file();
    git(stack, &["stash", "--quiet"]);
    let error = stack.apply_planned().unwrap_err();
    assert!(error.contains("./index.html was ") && error.contains(" when planned, is "), "{error}");
    let applied = stack.apply().unwrap();
    assert!(applied.contains("0 added, 0 changed, 0 destroyed"), "{applied}");
}

pub(crate) fn d_what_others_did_is_told_from_what_cannot_be_known(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    stack.apply().unwrap();
    let first = stack.digest();
    stack.file("app/index.html", "two");
    stack.apply().unwrap();
    let changes = |words: &str| {
        let plan = stack.plan(&[]).unwrap();
        assert!(plan.contains("0 to add, 1 to change") && plan.contains(words), "{plan}");
    };
    stack.there().delete_tag("latest");
    changes("Tag `latest` is gone from its repository");
    stack.move_tag("latest", &first);
    changes("Tag `latest` was moved to another image");
    stack.apply().unwrap();

    let nowhere = "http://nowhere.invalid";
    let elsewhere = format!("{REGISTRY}={nowhere}");
    let may_not = [("AWS_ACCESS_KEY_ID", "AKIAWRONG"), ("AWS_SECRET_ACCESS_KEY", "wrong")];
    let no_name = [("EKS_DEPLOY_REGISTRY_ENDPOINTS", &*elsewhere), ("AWS_ENDPOINT_URL", nowhere)];
    for (world, words) in [
        (may_not, "The registry may not be asked, so images are taken to be as state has them"),
        (no_name, "The registry gives no answer, so images are taken to be as state has them"),
    ] {
        let plan = run_cli(stack.command(&["plan"]).envs(world)).unwrap();
        assert!(plan.contains("No changes.") && plan.matches(words).count() == 1, "{plan}");
    }
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn e_two_machines_apply_to_immutable_tags() {
    let stacks = [Stack::terraform(), Stack::terraform()];
    let world = Emulated::new(&stacks[0], Options::default(), &[]);
    let input = json!({ "repositoryName": "web", "imageTagMutability": "IMMUTABLE" });
    world.ecr.api("CreateRepository", &input).unwrap();
    let apply = |stack: &Stack| {
        let mut command = world.command_of(stack, &["apply", "-auto-approve"]);
        run_cli(command.env("XDG_CACHE_HOME", stack.folder.path().join("caches"))).unwrap()
    };
    for stack in &stacks {
        stack.image_in(&world.repository("web"), &format!("  tags = [\"v1\"]\n{FILES}"));
    }
    std::thread::scope(|scope| {
        for stack in &stacks {
            scope.spawn(|| apply(stack));
        }
    });
    assert_eq!(stacks[0].digest(), stacks[1].digest());
    fs::remove_file(stacks[0].folder.path().join("terraform.tfstate")).unwrap();
    apply(&stacks[0]);
    assert_eq!(world.ecr.contents("web").tags["v1"], stacks[0].digest());
    assert_eq!(world.ecr.faults(), [""; 0]);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn f_of_a_killed_push_only_what_was_in_flight_is_sent_again() {
    const LAYERS: usize = 20;
    const SENT: usize = 17;
    let stack = Stack::terraform();
    for number in 0..LAYERS {
        stack.file(&format!("app/{number}"), &format!("layer {number} of {}", stack.name));
    }
    stack.image(&format!(
        "  files = {{\n    layers = [for number in range({LAYERS}) : {{ source = \"./app/${{number}}\", destination = \"/srv/\" }}]\n  }}"
    ));
    let gate = Gate::shut_after(SENT, stack.lab.front(), "PUT", "/blobs/uploads/");
    let uploads = |since: u64| {
        let (requests, last) = stack.requests(since);
        let is_done =
            |request: &&lab::ecr::ledger::Entry| request.class == "PUT upload" && request.status == 201;
        (requests.iter().filter(is_done).count(), last)
    };
    let mut apply = stack.command(&["apply", "-auto-approve"]);
    apply.env("EKS_DEPLOY_REGISTRY_ENDPOINTS", format!("{REGISTRY}=http://{}", gate.address()));
    // All of it is on its way, the configuration too.
    let in_flight = LAYERS + 1 - SENT;
    end_by(Signal::KILL, &stack, &mut apply, || gate.holds() == in_flight && uploads(0).0 == SENT);
    let (_, last) = uploads(0);
    stack.apply().unwrap();
    assert_eq!(uploads(last).0, in_flight);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn g_a_storm_of_refusals_fails_nothing() {
    let stack = Stack::terraform();
    let world = Emulated::new(&stack, Options::default(), &["web"]);
    stack.configuration(&format!(
        "resource \"ecr_image\" \"web\" {{\n  count = 3\n  repository = \"{}\"\n  tags = [\"v${{count.index}}\"]\n  \
         labels = {{ number = count.index }}\n{FILES}\n}}\n",
        world.repository("web")
    ));
    let gate = Gate::shut_before(world.ecr.address(), "PUT", "/blobs/uploads/");
    let mut apply = world.command(&["apply", "-auto-approve"]);
    apply.env("EKS_DEPLOY_REGISTRY_ENDPOINTS", world.through(gate.address()));
    std::thread::scope(|scope| {
        let applied = scope.spawn(|| run_cli(&mut apply).unwrap());
        let until = |what: &str, is_so: &dyn Fn() -> bool| {
            poll_until(what, SHORT, || Ok(is_so().then_some(()))).unwrap();
        };
        until("blobs to be on their way", &|| gate.holds() > 0);
        world.ecr.storm(LONG);
        gate.open();
        let refused = || world.ecr.requests().iter().filter(|request| request.status == 429).count();
        until("the storm to be felt", &|| refused() >= 3);
        world.ecr.storm(Duration::ZERO);
        applied.join().unwrap();
    });
    assert_eq!((world.ecr.contents("web").tags.len(), world.ecr.faults()), (6, vec![]));
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn i_thirty_images_on_one_base_send_each_blob_once() {
    let stack = Stack::terraform();
    let names: Vec<String> = (0..30).map(|number| format!("shop/web-{number}")).collect();
    let repositories: Vec<&str> = names.iter().map(String::as_str).chain(["base"]).collect();
    let world = Emulated::new(&stack, Options::default(), &repositories);
    world.ecr.api("PutAccountSetting", &json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" })).unwrap();
    stack.image_in(&world.repository("base"), &format!("  tags = [\"1\"]\n{FILES}"));
    world.apply().unwrap();
    fs::remove_file(stack.folder.path().join("terraform.tfstate")).unwrap();
    for number in 0..30 {
        stack.file(&format!("services/{number}"), &format!("service {number}"));
    }
    stack.configuration(&format!(
        "resource \"ecr_image\" \"web\" {{\n  count = 30\n  repository = \"{}-${{count.index}}\"\n  files = {{\n    \
         base = \"{}:1\"\n    layers = [{{ source = \"./services/${{count.index}}\", destination = \"/srv/\" }}]\n  }}\n}}\n",
        world.repository("shop/web"),
        world.repository("base"),
    ));
    world.run(&["apply", "-auto-approve", "-parallelism=50"]).unwrap();
    let blobs: BTreeSet<String> =
        repositories.iter().flat_map(|name| world.ecr.contents(name).blobs.into_keys()).collect();
    assert_eq!((world.ecr.count("PUT upload"), world.ecr.count("PATCH upload")), (blobs.len(), 0));
    assert_eq!(world.ecr.faults(), [""; 0]);
    world.plans_nothing();
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn j_one_file_that_changed_is_all_that_is_read_again() {
    const TOO_YOUNG_TO_BE_REMEMBERED: Duration = Duration::from_secs(3);
    let stack = Stack::terraform();
    stack.file("app/Dockerfile", "FROM scratch\nCOPY . /\n");
    let model = stack.folder.path().join("app/model");
    // The time that two gigabytes take is measured by `cargo xtask bench build/plan-2GB-warm`.
    fs::File::create_new(&model).unwrap().set_len(64 << 20).unwrap();
    stack.image("  build = { context = \"./app\" }");
    poll_until("the file to have some age", SHORT, || {
        let age = SystemTime::now().duration_since(fs::metadata(&model)?.modified()?);
        Ok((age? > TOO_YOUNG_TO_BE_REMEMBERED).then_some(()))
    })
    .unwrap();
    let page = stack.folder.path().join("app/index.html");
    let read_by_a_plan_after = |content: &str| {
        stack.file("app/index.html", content);
        let opened = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        let watch = |file: &Path| inotify::add_watch(&opened, file, inotify::WatchFlags::OPEN).unwrap();
        let watched = [watch(&model), watch(&page)];
        let plan = stack.plan(&[]).unwrap();
        assert!(plan.contains("1 to add"), "{plan}");
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(opened, &mut buffer);
        let seen: BTreeSet<i32> = std::iter::from_fn(|| Some(events.next().ok()?.wd())).collect();
        watched.map(|file| seen.contains(&file))
    };
    assert_eq!(read_by_a_plan_after("two"), [true, true]);
    assert_eq!(read_by_a_plan_after("three"), [false, true]);
}

#[test]
fn l_every_peer_is_measured_or_said_to_be_missing() {
    let page = fs::read_to_string(checkout().join("docs/benchmarks.md")).unwrap();
    let (introduction, _) = page.split_once("\n## ").unwrap();
    for peer in [
        "`docker build && docker push`",
        "kreuzwerker/docker",
        "pulumi-docker-build",
        "cdk-assets",
        "skopeo",
        "crane",
    ] {
        assert!(introduction.contains(peer), "{peer}");
    }
}

/// Makes the folder a git repository: the configuration of an image, and what that is built from.
fn checked_out(stack: &Stack) {
    stack.file("app/Dockerfile", "FROM scratch\nCOPY . /\n");
    stack.file("app/index.html", "one\r\n");
    let mode = |path: &str, mode: u32| {
        fs::set_permissions(stack.folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("app/index.html", 0o600);
    mode("app/run", 0o700);
    stack.image("  tags = [\"latest\"]\n  build = { context = \"./app\" }");
    git(stack, &["init", "--quiet"]);
    git(stack, &["add", "app", "main.tf"]);
    git(stack, &["commit", "--quiet", "--message=one"]);
}

fn git(stack: &Stack, arguments: &[&str]) {
    let mut git = Command::new("git");
    let identity = [("GIT_AUTHOR_NAME", "Ada"), ("GIT_COMMITTER_NAME", "Ada")];
    let addresses = [("GIT_AUTHOR_EMAIL", "ada@example.com"), ("GIT_COMMITTER_EMAIL", "ada@example.com")];
    git.envs(identity).envs(addresses).env("GIT_CONFIG_GLOBAL", "/dev/null");
    run(git.arg("-C").arg(stack.folder.path()).args(arguments), SHORT).unwrap();
}
