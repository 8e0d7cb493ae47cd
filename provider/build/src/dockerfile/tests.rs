use std::{collections::BTreeMap, fs, path::Path};

use ecr_registry::Platform;

use super::{flags::FLAGS, reach::Inputs, read::KEYWORDS, *};

/// The Dockerfiles in `corpus`, by name. What is expected of each stands in it, after `# sees:`, `# args:` or
/// `# error:`.
fn corpus() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let read = |entry: Result<fs::DirEntry, _>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(read).collect()
}

fn expected<'a>(text: &'a str, what: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.trim_start_matches('\u{feff}').strip_prefix(what)).map(str::trim)
}

#[test]
fn reads_the_corpus() {
    let corpus = corpus();
    assert!(corpus.len() > 80, "{}", corpus.len());
    let wrong = corpus.iter().filter_map(|(name, text)| {
        let found = match Dockerfile::parse(text) {
            Ok(dockerfile) => shown(&dockerfile),
            Err(error) => {
                [Some(error.to_string()), error.hint()].into_iter().flatten().collect::<Vec<_>>().join("; ")
            }
        };
        let wanted = match expected(text, "# error:") {
            Some(message) => message.to_owned(),
            None => format!("{}, {}", expected(text, "# sees:")?, expected(text, "# args:")?),
        };
        (found != wanted).then(|| format!("{name}: {found}\n  and not: {wanted}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shown(dockerfile: &Dockerfile) -> String {
    let inputs = Inputs { target: None, args: &BTreeMap::new(), platforms: &[Platform::linux_amd64()] };
    let reach = dockerfile.reach(inputs).unwrap();
    let list = |set: std::collections::BTreeSet<String>, separator: &str| {
        set.into_iter().collect::<Vec<_>>().join(separator)
    };
    let paths = match reach.paths {
        None => "everything".to_owned(),
        Some(paths) if paths.is_empty() => "nothing".to_owned(),
        // Where names have spaces.
        Some(paths) => {
            let separator = if paths.iter().any(|path| path.contains(' ')) { "|" } else { " " };
            list(paths, separator)
        }
    };
    let args = match reach.args {
        None => "*".to_owned(),
        Some(args) if args.is_empty() => "none".to_owned(),
        Some(args) => list(args, " "),
    };
    format!("{paths}, {args}")
}

#[test]
fn the_corpus_has_every_instruction_and_flag() {
    let corpus = corpus();
    let good: Vec<_> = corpus.values().filter(|text| expected(text, "# error:").is_none()).collect();
    let mut seen = Vec::new();
    for text in &good {
        for (_, split) in lines::read(text).unwrap().1 {
            let keyword = split.keyword.to_uppercase();
            let flags = split.flags.iter().map(|(_, flag)| flag[2..].split('=').next().unwrap_or_default());
            seen.extend(flags.map(|flag| format!("{keyword} --{flag}")));
            seen.push(keyword);
        }
    }
    let flags =
        FLAGS.iter().flat_map(|(name, flags)| flags.iter().map(move |(flag, _)| format!("{name} --{flag}")));
    for wanted in KEYWORDS.iter().map(|keyword| (*keyword).to_owned()).chain(flags) {
        assert!(seen.contains(&wanted), "no Dockerfile in the corpus has {wanted}");
    }
    let mounts = ["bind", "cache", "secret", "ssh", "tmpfs"].map(|kind| format!("type={kind}"));
    let forms = ["<<-", "# escape=`", "# syntax=", "--from=0", "ONBUILD"].map(str::to_owned);
    for wanted in mounts.into_iter().chain(forms) {
        assert!(good.iter().any(|text| text.contains(&wanted)), "no Dockerfile in the corpus has {wanted}");
    }
}

#[test]
fn makes_types_of_instructions() {
    let step = |text: &str| {
        let dockerfile = Dockerfile::parse(&format!("FROM scratch\n{text}\n")).unwrap();
        dockerfile.stages[0].steps[0].instruction.clone()
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(step("cmd [\"a\", \"b c\"]"), Instruction::Cmd(Command::Exec(texts(&["a", "b c"]))));
    assert_eq!(step("CMD a  b"), Instruction::Cmd(Command::Shell("a  b".into())));
    assert_eq!(step("CMD [a]"), Instruction::Cmd(Command::Shell("[a]".into())));
    assert_eq!(step("EXPOSE 90 80/udp"), Instruction::Expose(texts(&["80/udp", "90"])));
    let pair = |name: &str, value: &str, equals| Pair { name: name.into(), value: value.into(), equals };
    assert_eq!(
        step("ENV A=1 B=\"2 3\""),
        Instruction::Env(vec![pair("A", "1", true), pair("B", "\"2 3\"", true)])
    );
    assert_eq!(step("LABEL A 2  3"), Instruction::Label(vec![pair("A", "2  3", false)]));
    let Instruction::Copy(copy) =
        step("COPY --from=a --chmod=644 --exclude=x --exclude=y --parents b <<E c\nd\nE")
    else {
        panic!("no COPY");
    };
    assert_eq!(
        (copy.from.as_deref(), copy.parents, copy.transfer.chmod.as_deref()),
        (Some("a"), true, Some("644"))
    );
    assert_eq!((copy.transfer.sources, copy.transfer.exclude), (texts(&["b"]), texts(&["x", "y"])));
    let inline = Heredoc { name: "E".into(), expand: true, chomp: false, content: "d\n".into() };
    assert_eq!((copy.transfer.inline, copy.transfer.destination), (vec![inline], "c".to_owned()));
    let Instruction::Onbuild(trigger) = step("ONBUILD RUN <<E\na\nE") else { panic!("no ONBUILD") };
    assert_eq!(trigger.expression, "RUN <<E\na\nE");
}

#[test]
fn knows_the_lines() {
    let dockerfile =
        Dockerfile::parse("# c\nFROM scratch AS a\n\nRUN one \\\n # c\n two\nCOPY <<E /x\n1\nE\n").unwrap();
    let lines: Vec<_> = dockerfile.stages[0].steps.iter().map(|step| step.lines).collect();
    assert_eq!((dockerfile.stages[0].lines, lines), ((2, 2), vec![(4, 6), (7, 9)]));
}

#[test]
fn finds_the_syntax() {
    for (text, expected) in [
        ("# syntax=docker/dockerfile:1\nFROM x", Some("docker/dockerfile:1")),
        ("#syntax = a/b  and more \n", Some("a/b")),
        ("#!/bin/x\n# check=skip=all\n# SYNTAX=a\n", Some("a")),
        ("// syntax=a\n", Some("a")),
        ("{\"syntax\": \"a\"}", Some("a")),
        ("# a comment\n# syntax=a\n", None),
        ("FROM x\n# syntax=a\n", None),
        ("", None),
    ] {
        assert_eq!(Dockerfile::syntax(text).as_deref(), expected, "{text:?}");
    }
}
