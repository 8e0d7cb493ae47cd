//! Ctrl-C in the middle of a build and of a push: no tag, no process, and the next apply is as if nothing had been.

use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use lab::process::{SHORT, poll_until};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::gate::Gate;
use crate::stack::{REGISTRY, Stack, complains, one_line};

pub(crate) fn leaves_nothing_half_built(stack: &Stack) {
    // A time that no other process sleeps.
    let number = stack.name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let sleep = format!("sleep 300.{number}");
    stack.file("app/Dockerfile", &format!("FROM {}\nRUN {sleep}\n", stack.lab.build_base()));
    stack.image("  tags = [\"latest\"]\n  build = { context = \"./app\" }");
    let sleeping = || processes(&sleep).into_iter().next();
    interrupt(stack, &mut stack.command(&["apply", "-auto-approve"]), || sleeping().is_some());
    poll_until("the build to end", SHORT, || Ok(sleeping().is_none().then_some(()))).unwrap();
    assert_eq!(stack.tags(), []);
    stack.file("app/Dockerfile", "FROM scratch\nCOPY . /\n");
    stack.apply().unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
}

pub(crate) fn leaves_nothing_half_sent(stack: &Stack) {
    stack.files(r#"["latest"]"#);
    for request in ["/blobs/uploads/", "/manifests/"] {
        let gate = Gate::shut_before(stack.lab.front(), "PUT", request);
        let mut apply = stack.command(&["apply", "-auto-approve"]);
        let through = format!("{REGISTRY}=http://{}", gate.address());
        apply.env("EKS_DEPLOY_REGISTRY_ENDPOINTS", through);
        let output = interrupt(stack, &mut apply, || gate.holds() > 0);
        assert!(output.contains("Interrupted before the image and its tags were complete"), "{output}");
        assert_eq!(stack.tags(), [], "{request}");
    }
    let (_, number) = stack.requests(0);
    stack.apply().unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
    let (sent, _) = stack.requests(number);
    assert!(sent.iter().all(|request| request.class != "PUT upload"), "layers were there already: {sent:?}");
    stack.plans_nothing(&[]);
}

/// Runs the command, presses Ctrl-C when `under_way`, waits for it and its provider to end, and gives its output.
fn interrupt(stack: &Stack, command: &mut Command, under_way: impl Fn() -> bool) -> String {
    end_by(Signal::INT, stack, command, under_way)
}

/// The same with any signal.
pub(crate) fn end_by(
    signal: Signal,
    stack: &Stack,
    command: &mut Command,
    under_way: impl Fn() -> bool,
) -> String {
    let mut output = tempfile::tempfile().unwrap();
    let (out, err) = (output.try_clone().unwrap(), output.try_clone().unwrap());
    // A terminal tells all that it runs: the program and its providers.
    let mut running = command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).spawn().unwrap();
    poll_until("the apply to be under way", SHORT, || Ok(under_way().then_some(()))).unwrap();
    kill_process_group(Pid::from_child(&running), signal).unwrap();
    let status = poll_until("the apply to end", SHORT, || Ok(running.try_wait()?)).unwrap();
    let folder = stack.folder.path().to_string_lossy().into_owned();
    poll_until("the provider to end", SHORT, || Ok(in_folder(&folder).is_empty().then_some(()))).unwrap();
    let mut text = String::new();
    output.rewind().unwrap();
    output.read_to_string(&mut text).unwrap();
    assert!(!status.success() && !complains(&text), "{text}");
    one_line(&text)
}

/// The processes whose command line is this.
fn processes(command_line: &str) -> Vec<String> {
    of_each_process(|process| {
        let words = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        (words.trim() == command_line).then_some(words)
    })
}

/// The processes that work in this folder.
fn in_folder(folder: &str) -> Vec<String> {
    of_each_process(|process| {
        let at = std::fs::read_link(format!("/proc/{process}/cwd")).ok()?;
        (at.to_str() == Some(folder)).then(|| process.to_owned())
    })
}

fn of_each_process<T>(look: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries.filter_map(|entry| look(entry.file_name().to_str()?)).collect()
}
