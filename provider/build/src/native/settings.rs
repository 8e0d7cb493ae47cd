//! What instructions that write no file set in an image's configuration.

use std::fmt::Display;

use ecr_registry::ImageConfig;
use serde_json::{Map, Value, json};

use crate::dockerfile::{Check, Command, ExpansionError, Healthcheck, Instruction};

type Expand<'a, T> = &'a dyn Fn(&str) -> Result<T, ExpansionError>;

/// Applies an instruction; `has_cmd` says whether the stage has a `CMD` of its own.
pub(super) fn apply(
    instruction: &Instruction,
    image: &mut ImageConfig,
    has_cmd: &mut bool,
    expand: Expand<'_, String>,
    words: Expand<'_, Vec<String>>,
) -> Result<(), String> {
    let said = |error: ExpansionError| error.to_string();
    let shell = shell(image);
    let run = &mut image.config;
    match instruction {
        Instruction::Cmd(command) => {
            run.cmd = Some(program(command, &shell)).filter(|words| !words.is_empty());
            *has_cmd = true;
        }
        Instruction::Entrypoint(command) => {
            run.entrypoint = Some(program(command, &shell)).filter(|words| !words.is_empty());
            if !*has_cmd {
                run.cmd = None;
            }
        }
        Instruction::Expose(ports) => {
            for port in ports {
                for port in words(port).map_err(said)? {
                    run.exposed_ports.extend(port_range(&port)?.into_iter().map(|port| (port, Map::new())));
                }
            }
        }
        Instruction::Healthcheck(check) => {
            drop(run.other.insert("Healthcheck".to_owned(), healthcheck(check)));
        }
        Instruction::Label(pairs) => {
            for pair in pairs {
                run.labels.insert(expand(&pair.name).map_err(said)?, expand(&pair.value).map_err(said)?);
            }
        }
        Instruction::Maintainer(name) => drop(image.other.insert("author".to_owned(), json!(name))),
        Instruction::Onbuild(trigger) => {
            push(run.other.entry("OnBuild".to_owned()).or_default(), &trigger.expression);
        }
        Instruction::Shell(words) => drop(run.other.insert("Shell".to_owned(), json!(words))),
        Instruction::Stopsignal(signal) => {
            let signal = expand(signal).map_err(said)?;
            run.other.insert("StopSignal".to_owned(), json!(signal));
        }
        Instruction::User(user) => run.user = expand(user).map_err(said)?,
        Instruction::Volume(paths) => {
            let volumes = run.other.entry("Volumes".to_owned()).or_insert_with(|| json!({}));
            for path in paths {
                volumes[expand(path).map_err(said)?] = json!({});
            }
        }
        other => return Err(format!("{} is no setting", other.keyword())),
    }
    Ok(())
}

fn push(list: &mut Value, item: impl Display) {
    match list {
        Value::Array(items) => items.push(item.to_string().into()),
        other => *other = json!([item.to_string()]),
    }
}

fn shell(image: &ImageConfig) -> Vec<String> {
    let given = image.config.other.get("Shell").and_then(|shell| serde_json::from_value(shell.clone()).ok());
    given.unwrap_or_else(|| vec!["/bin/sh".to_owned(), "-c".to_owned()])
}

fn program(command: &Command, shell: &[String]) -> Vec<String> {
    match command {
        Command::Exec(words) => words.clone(),
        Command::Shell(text) => shell.iter().cloned().chain([text.clone()]).collect(),
    }
}

/// `80`, `80/udp` or `8000-8010/tcp`, as the ports in it with their protocol.
fn port_range(text: &str) -> Result<Vec<String>, String> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let protocol = protocol.to_lowercase();
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) if first <= last && ["tcp", "udp", "sctp"].contains(&protocol.as_str()) => {
            Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
        }
        _ => Err(format!("`{text}` is no port")),
    }
}

fn healthcheck(check: &Healthcheck) -> Value {
    let Healthcheck::Check(check) = check else { return json!({ "Test": ["NONE"] }) };
    let Check { command, interval, timeout, start_period, start_interval, retries } = check;
    let test: Vec<&str> = match command {
        Command::Exec(words) => ["CMD"].into_iter().chain(words.iter().map(String::as_str)).collect(),
        Command::Shell(text) => vec!["CMD-SHELL", text],
    };
    let mut json = json!({ "Test": test });
    let times = [
        ("Interval", interval),
        ("Timeout", timeout),
        ("StartPeriod", start_period),
        ("StartInterval", start_interval),
    ];
    for (name, time) in times.into_iter().filter(|(_, time)| !time.is_zero()) {
        json[name] = json!(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }
    if *retries > 0 {
        json["Retries"] = json!(retries);
    }
    json
}
