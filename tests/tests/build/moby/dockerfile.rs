use std::fs;

use image_build::dockerfile::{
    Command, Dockerfile, Healthcheck, Heredoc, Instruction, Stage, Step, Transfer,
};
use lab::programs::checkout;
use serde_json::{Value, json};

use super::{Chance, answers};

/// The Dockerfiles of the corpus, in the order of their names.
fn corpus() -> Vec<String> {
    let entries = fs::read_dir(checkout().join("provider/build/corpus")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

const PIECES: [&str; 60] = [
    "\n",
    "\n",
    " ",
    "\t",
    "\\\n",
    "\\",
    "\"",
    "'",
    "`",
    "$",
    "${",
    "}",
    "$A",
    "${A:-b}",
    "${A#*}",
    "${A/b/c}",
    "<<EOF",
    "<<-EOF",
    "\nEOF\n",
    "<",
    "#",
    "# ",
    "\n# c\n",
    "\n\n",
    "[",
    "]",
    "[\"a\", \"b\"]",
    ",",
    "=",
    "a=b",
    "--",
    "--x",
    "--from=a ",
    "--chown=1 ",
    "--link ",
    "--mount=type=bind,source=a ",
    "--exclude=x ",
    "FROM ",
    "\nFROM a AS b\n",
    "AS ",
    "\nRUN ",
    "\nCOPY ",
    "\nADD ",
    "\nENV ",
    "\nARG ",
    "\nLABEL ",
    "\nONBUILD ",
    "\nHEALTHCHECK ",
    "CMD ",
    "NONE",
    "\nUSER ",
    "\nSHELL ",
    "\nEXPOSE ",
    "\nVOLUME ",
    "\nWORKDIR ",
    "\nSTOPSIGNAL ",
    "\nMAINTAINER ",
    "\r\n",
    "\u{feff}",
    "ä",
];

/// The text with a few changes by chance.
fn changed(text: &str, chance: &mut Chance) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=chance.below(3) {
        let at = chance.below(chars.len() + 1);
        let until = (at + chance.below(6)).min(chars.len());
        match chance.below(3) {
            0 => drop(chars.drain(at..until)),
            1 => drop(chars.splice(at..at, chance.pick(&PIECES).chars())),
            _ => drop(chars.splice(at..until, chance.pick(&PIECES).chars())),
        }
    }
    chars.into_iter().collect()
}

#[test]
#[ignore = "needs Go: it compiles BuildKit's parser"]
fn reads_the_corpus_as_buildkit_does() {
    compare(&corpus());
}

#[test]
#[ignore = "needs Go: it compiles BuildKit's parser"]
fn reads_anything_as_buildkit_does() {
    let (corpus, mut chance) = (corpus(), Chance(0x2545_f491_4f6c_dd1d));
    let texts: Vec<String> =
        (0..20_000).map(|index| changed(&corpus[index % corpus.len()], &mut chance)).collect();
    compare(&texts);
}

fn compare(texts: &[String]) {
    let theirs: Vec<Value> = answers("dockerfile", texts);
    let mut differences = Vec::new();
    for (text, theirs) in texts.iter().zip(&theirs) {
        match (Dockerfile::parse(text), theirs["error"].as_str().unwrap()) {
            (Ok(ours), "") => {
                let ours = shown(&ours, text);
                let theirs = without_empty(theirs.clone());
                if ours != theirs {
                    differences.push(format!("{text:?}\n  ours   {ours}\n  theirs {theirs}"));
                }
            }
            (Ok(_), error) => differences.push(format!("{text:?}\n  ours is fine, theirs: {error}")),
            (Err(error), "") => differences.push(format!("{text:?}\n  theirs is fine, ours: {error}")),
            (Err(_), _) => {}
        }
    }
    let understood = theirs.iter().filter(|read| read["error"] == "").count();
    assert!(understood * 4 > texts.len(), "{understood} of {} understood", texts.len());
    let first = differences[..differences.len().min(10)].join("\n");
    assert!(differences.is_empty(), "{} of {} differ:\n{first}", differences.len(), texts.len());
}

/// Takes out what is empty, so that it does not matter how it is left out.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().map(|(key, value)| (key, without_empty(value)));
            Value::Object(kept.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_empty).collect()),
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn shown(dockerfile: &Dockerfile, text: &str) -> Value {
    let arguments: Vec<_> = dockerfile
        .arguments
        .iter()
        .map(|argument| json!({ "name": argument.name, "value": argument.default }))
        .collect();
    without_empty(json!({
        "error": "",
        "syntax": Dockerfile::syntax(text).unwrap_or_default(),
        "escape": dockerfile.directives.escape,
        "arguments": arguments,
        "stages": dockerfile.stages.iter().map(stage).collect::<Vec<_>>(),
    }))
}

fn stage(stage: &Stage) -> Value {
    json!({
        "base": stage.base,
        "name": stage.name.clone().unwrap_or_default(),
        "platform": stage.platform.clone().unwrap_or_default(),
        "lines": [stage.lines.0, stage.lines.1],
        "steps": stage.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    let instruction = &step.instruction;
    let (files, mounts) = match instruction {
        Instruction::Copy(copy) => (of_transfer(&copy.transfer), Vec::new()),
        Instruction::Add(add) => (of_transfer(&add.transfer), Vec::new()),
        Instruction::Run(run) => {
            let file =
                |doc: &Heredoc| json!({ "name": doc.name, "content": doc.content, "chomp": doc.chomp });
            (run.files.iter().map(file).collect(), run.mounts.clone())
        }
        _ => (Vec::new(), Vec::new()),
    };
    json!({
        "keyword": instruction.keyword(),
        "lines": [step.lines.0, step.lines.1],
        "words": words(instruction),
        "files": files,
        "flags": flags(instruction),
        "mounts": mounts,
    })
}

fn of_transfer(transfer: &Transfer) -> Vec<Value> {
    let file = |doc: &Heredoc| json!({ "name": doc.name, "content": doc.text(), "expand": doc.expand });
    transfer.inline.iter().map(file).collect()
}

fn plain<'a>(words: impl IntoIterator<Item = &'a String>) -> Vec<Value> {
    words.into_iter().map(|word| json!({ "name": word })).collect()
}

fn command(command: &Command) -> Vec<Value> {
    match command {
        Command::Exec(words) => plain([&"exec".to_owned()].into_iter().chain(words)),
        Command::Shell(text) => plain([text]),
    }
}

fn words(instruction: &Instruction) -> Vec<Value> {
    let transfer = |transfer: &Transfer| plain(transfer.sources.iter().chain([&transfer.destination]));
    match instruction {
        Instruction::Add(add) => transfer(&add.transfer),
        Instruction::Copy(copy) => transfer(&copy.transfer),
        Instruction::Arg(arguments) => arguments
            .iter()
            .map(|argument| json!({ "name": argument.name, "value": argument.default }))
            .collect(),
        Instruction::Env(pairs) | Instruction::Label(pairs) => {
            pairs.iter().map(|pair| json!({ "name": pair.name, "value": pair.value })).collect()
        }
        Instruction::Cmd(given) | Instruction::Entrypoint(given) => command(given),
        Instruction::Run(run) => command(&run.command),
        Instruction::Healthcheck(Healthcheck::None) => plain([&"NONE".to_owned()]),
        Instruction::Healthcheck(Healthcheck::Check(check)) => match &check.command {
            Command::Exec(words) => plain([&"CMD".to_owned()].into_iter().chain(words)),
            Command::Shell(text) => plain([&"CMD-SHELL".to_owned(), text]),
        },
        Instruction::Onbuild(trigger) => plain([&trigger.expression]),
        Instruction::Expose(words) | Instruction::Shell(words) | Instruction::Volume(words) => plain(words),
        Instruction::Maintainer(word)
        | Instruction::Stopsignal(word)
        | Instruction::User(word)
        | Instruction::Workdir(word) => plain([word]),
    }
}

fn flags(instruction: &Instruction) -> Vec<Value> {
    let flag = |name: &str, value: Option<String>| value.map(|value| json!({ "name": name, "value": value }));
    let toggle = |name: &str, on: bool| flag(name, on.then(|| "true".to_owned()));
    let excludes =
        |transfer: &Transfer| Some(transfer.exclude.join("\n")).filter(|patterns| !patterns.is_empty());
    let flags = match instruction {
        Instruction::Add(add) => {
            let transfer = &add.transfer;
            vec![
                flag("chown", transfer.chown.clone()),
                flag("chmod", transfer.chmod.clone()),
                flag("checksum", add.checksum.clone()),
                toggle("link", transfer.link),
                toggle("keep-git-dir", add.keep_git_dir == Some(true)),
                toggle("unpack", add.unpack == Some(true)),
                flag("exclude", excludes(transfer)),
            ]
        }
        Instruction::Copy(copy) => {
            let transfer = &copy.transfer;
            vec![
                flag("chown", transfer.chown.clone()),
                flag("chmod", transfer.chmod.clone()),
                flag("from", copy.from.clone()),
                toggle("link", transfer.link),
                toggle("parents", copy.parents),
                flag("exclude", excludes(transfer)),
            ]
        }
        Instruction::Healthcheck(Healthcheck::Check(check)) => {
            let times = [
                ("interval", check.interval),
                ("timeout", check.timeout),
                ("start-period", check.start_period),
                ("start-interval", check.start_interval),
            ];
            let time =
                times.map(|(name, time)| flag(name, (!time.is_zero()).then(|| time.as_nanos().to_string())));
            let retries = flag("retries", (check.retries > 0).then(|| check.retries.to_string()));
            time.into_iter().chain([retries]).collect()
        }
        _ => Vec::new(),
    };
    flags.into_iter().flatten().collect()
}
