//! Ctrl-C in the middle of a build: no tag, no process, and the next apply is as if nothing had been.

use std::process::Stdio;

use lab::process::{SHORT, poll_until};
use rustix::process::{Pid, Signal, kill_process};

use crate::stack::Stack;

pub(crate) fn leaves_nothing_half_done(stack: &Stack) {
    // A time that no other process sleeps.
    let number = stack.name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let sleep = format!("sleep 300.{number}");
    stack.file("app/Dockerfile", &format!("FROM {}\nRUN {sleep}\n", stack.lab.build_base()));
    stack.image("  tags = [\"latest\"]\n  build = { context = \"./app\" }");
    let mut command = stack.command(&["apply", "-auto-approve"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut apply = command.spawn().unwrap();
    let sleeping = || processes(&sleep).into_iter().next();
    poll_until("the build to be under way", SHORT, || Ok(sleeping())).unwrap();
    kill_process(Pid::from_child(&apply), Signal::INT).unwrap();
    poll_until("the apply to end", SHORT, || Ok(apply.try_wait()?)).unwrap();
    poll_until("the build to end", SHORT, || Ok(sleeping().is_none().then_some(()))).unwrap();
    let provider = stack.folder.path().to_string_lossy().into_owned();
    poll_until("the provider to end", SHORT, || Ok(in_folder(&provider).is_empty().then_some(()))).unwrap();
    assert_eq!(stack.tags(), []);
    stack.file("app/Dockerfile", "FROM scratch\nCOPY . /\n");
    stack.apply().unwrap();
    assert_eq!(stack.tag("latest"), Some(stack.digest()));
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
