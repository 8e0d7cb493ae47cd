//! Makes instructions of lines, and says what is wrong with those that are none.

use super::{
    error::{DockerfileError, Problem},
    flags::Given,
    health,
    heredoc::{self, Heredoc},
    instruction::{Add, Argument, Command, Copy, Instruction, Pair, Run, Transfer, Trigger},
    lines::Logical,
    mount,
    near::nearest,
    split::{Arguments, Split},
};

/// The keywords there are.
pub(crate) const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// A line of a Dockerfile, understood.
pub(super) enum Read {
    From { base: String, name: Option<String>, platform: Option<String> },
    Instruction(Instruction),
}

pub(super) fn read(logical: &Logical, split: &Split) -> Result<Read, DockerfileError> {
    let lower = split.keyword.to_lowercase();
    let Some(keyword) = KEYWORDS.into_iter().find(|keyword| keyword.eq_ignore_ascii_case(&lower)) else {
        let start = logical.text.len() - logical.text.trim_start().len();
        let near = nearest(&split.keyword, KEYWORDS);
        return Err(logical.error(start, Problem::UnknownInstruction { word: split.keyword.clone(), near }));
    };
    let line = Line { keyword, logical, split };
    if keyword == "FROM" { line.from() } else { line.instruction().map(Read::Instruction) }
}

pub(super) struct Line<'a> {
    pub(super) keyword: &'static str,
    pub(super) logical: &'a Logical,
    pub(super) split: &'a Split,
}

impl<'a> Line<'a> {
    fn instruction(&self) -> Result<Instruction, DockerfileError> {
        Ok(match self.keyword {
            // As in BuildKit, these two pass over flags.
            "ARG" => Instruction::Arg(self.arguments()?),
            "STOPSIGNAL" => Instruction::Stopsignal(self.one()?),
            "HEALTHCHECK" => Instruction::Healthcheck(health::read(self)?),
            "ADD" => Instruction::Add(self.add()?),
            "COPY" => Instruction::Copy(self.copy()?),
            "RUN" => Instruction::Run(self.run()?),
            _ => {
                self.flags()?;
                self.without_flags()?
            }
        })
    }

    fn without_flags(&self) -> Result<Instruction, DockerfileError> {
        Ok(match self.keyword {
            "CMD" => Instruction::Cmd(self.command()),
            "ENTRYPOINT" => Instruction::Entrypoint(self.command()),
            "ENV" => Instruction::Env(self.pairs()?),
            "LABEL" => Instruction::Label(self.pairs()?),
            "MAINTAINER" => Instruction::Maintainer(self.one()?),
            "ONBUILD" => Instruction::Onbuild(self.trigger()?),
            "SHELL" => Instruction::Shell(self.shell()?),
            "USER" => Instruction::User(self.one()?),
            "WORKDIR" => Instruction::Workdir(self.one()?),
            "EXPOSE" => {
                let mut ports = self.some()?.to_vec();
                ports.sort();
                Instruction::Expose(ports)
            }
            _ => Instruction::Volume(self.volumes()?),
        })
    }

    pub(super) fn flags(&self) -> Result<Given<'a>, DockerfileError> {
        Given::read(self.keyword, self.split, self.logical)
    }

    /// A mistake at the beginning of the arguments.
    pub(super) fn wrong(&self, what: &'static str) -> DockerfileError {
        self.logical.error(self.split.offset, Problem::Instruction { instruction: self.keyword, what })
    }

    fn words(&self) -> &'a [String] {
        match &self.split.arguments {
            Arguments::Plain(words) | Arguments::Json(words) => words,
            _ => &[],
        }
    }

    fn some(&self) -> Result<&'a [String], DockerfileError> {
        match self.words() {
            [] => Err(self.wrong("needs an argument")),
            words => Ok(words),
        }
    }

    fn one(&self) -> Result<String, DockerfileError> {
        Ok(self.some()?.join(" "))
    }

    pub(super) fn command(&self) -> Command {
        command(&self.split.arguments)
    }

    fn from(&self) -> Result<Read, DockerfileError> {
        let (base, name) = match self.words() {
            [base] => (base, None),
            [base, word, name] if word.eq_ignore_ascii_case("as") => (base, Some(name)),
            _ => return Err(self.wrong("is followed by an image, or by an image, AS and a name")),
        };
        let lower = name.map(|name| name.to_lowercase());
        if let Some(name) = lower.as_ref().filter(|name| !is_stage_name(name)) {
            let what = "name of a stage: a letter, then letters, digits, `-`, `_` and `.`";
            let offset =
                self.logical.text.rfind(char::is_whitespace).map_or(self.split.offset, |space| space + 1);
            return Err(self.logical.error(offset, Problem::Value { value: name.clone(), what }));
        }
        let platform = self.flags()?.filled("platform");
        Ok(Read::From { base: base.clone(), name: lower, platform })
    }

    fn arguments(&self) -> Result<Vec<Argument>, DockerfileError> {
        let argument = |word: &String| match word.split_once('=') {
            Some(("", _)) => Err(self.wrong("needs a name before `=`")),
            Some((name, value)) => Ok(Argument { name: name.to_owned(), default: Some(value.to_owned()) }),
            None => Ok(Argument { name: word.clone(), default: None }),
        };
        self.some()?.iter().map(argument).collect()
    }

    fn pairs(&self) -> Result<Vec<Pair>, DockerfileError> {
        let Arguments::Pairs(pairs) = &self.split.arguments else {
            return Err(self.wrong("needs a name and a value"));
        };
        if pairs.iter().any(|(name, ..)| name.is_empty()) {
            return Err(self.wrong("needs a name before `=`"));
        }
        let pair = |(name, value, equals): &(String, String, bool)| Pair {
            name: name.clone(),
            value: value.clone(),
            equals: *equals,
        };
        Ok(pairs.iter().map(pair).collect())
    }

    fn volumes(&self) -> Result<Vec<String>, DockerfileError> {
        let volumes: Vec<String> = self.some()?.iter().map(|word| word.trim().to_owned()).collect();
        if volumes.iter().any(String::is_empty) {
            return Err(self.wrong("names no folder"));
        }
        Ok(volumes)
    }

    fn shell(&self) -> Result<Vec<String>, DockerfileError> {
        match &self.split.arguments {
            Arguments::Json(words) if !words.is_empty() => Ok(words.clone()),
            _ => Err(self.wrong("needs a list: [\"/bin/sh\", \"-c\"]")),
        }
    }

    fn trigger(&self) -> Result<Trigger, DockerfileError> {
        let Arguments::Nested(nested) = &self.split.arguments else {
            return Err(self.wrong("needs an instruction"));
        };
        if ["ONBUILD", "MAINTAINER", "FROM"].contains(&nested.keyword.trim().to_uppercase().as_str()) {
            return Err(self.wrong("takes any instruction but ONBUILD, MAINTAINER and FROM"));
        }
        let text = self.logical.text.trim_start();
        let mut expression = text["ONBUILD".len()..].trim_start().to_owned();
        for doc in &self.logical.heredocs {
            expression.extend(["\n", &doc.content, &doc.name]);
        }
        Ok(Trigger { expression })
    }

    fn add(&self) -> Result<Add, DockerfileError> {
        let flags = self.flags_of_transfer()?;
        Ok(Add {
            transfer: self.transfer(&flags)?,
            checksum: flags.filled("checksum"),
            keep_git_dir: flags.switch("keep-git-dir"),
            unpack: flags.switch("unpack"),
        })
    }

    fn copy(&self) -> Result<Copy, DockerfileError> {
        let flags = self.flags_of_transfer()?;
        let parents = flags.switch("parents").unwrap_or_default();
        Ok(Copy { transfer: self.transfer(&flags)?, from: flags.filled("from"), parents })
    }

    fn flags_of_transfer(&self) -> Result<Given<'a>, DockerfileError> {
        if self.words().len() < 2 {
            return Err(self.wrong("needs a source and a destination"));
        }
        self.flags()
    }

    fn transfer(&self, flags: &Given<'_>) -> Result<Transfer, DockerfileError> {
        let (destination, all) =
            self.some()?.split_last().ok_or_else(|| self.wrong("needs a destination"))?;
        let document = |word: &str| heredoc::of_word(word).ok().flatten();
        if document(destination).is_some() {
            return Err(self.wrong("cannot have a here-document as its destination"));
        }
        let (mut sources, mut inline) = (Vec::new(), Vec::new());
        for source in all {
            match document(source) {
                None => sources.push(source.clone()),
                Some(found) => {
                    let read = self.logical.heredocs.iter().rfind(|doc| doc.name == found.name);
                    let content = read.map(|doc| doc.content.clone()).unwrap_or_default();
                    inline.push(Heredoc { content, ..found });
                }
            }
        }
        Ok(Transfer {
            sources,
            inline,
            destination: destination.clone(),
            chown: flags.filled("chown"),
            chmod: flags.filled("chmod"),
            link: flags.switch("link").unwrap_or_default(),
            exclude: flags.texts("exclude"),
        })
    }

    fn run(&self) -> Result<Run, DockerfileError> {
        let flags = self.flags()?;
        let at = |name: &str, problem| self.logical.error(flags.offset(name), problem);
        let (network, security) = (flags.text("network"), flags.text("security"));
        for (name, value, allowed, what) in [
            ("network", network, &["default", "none", "host"][..], "network: default, none or host"),
            ("security", security, &["insecure", "sandbox"], "security: insecure or sandbox"),
        ] {
            if let Some(value) = value.filter(|value| !allowed.contains(value)) {
                return Err(at(name, Problem::Value { value: value.to_owned(), what }));
            }
        }
        let (mounts, devices) = (flags.texts("mount"), flags.texts("device"));
        mounts.iter().try_for_each(|text| mount::check(text)).map_err(|problem| at("mount", problem))?;
        devices
            .iter()
            .try_for_each(|text| mount::check_device(text))
            .map_err(|problem| at("device", problem))?;
        Ok(Run {
            command: self.command(),
            files: self.logical.heredocs.clone(),
            mounts,
            network: network.map(str::to_owned),
            security: security.map(str::to_owned),
            devices,
        })
    }
}

pub(super) fn command(arguments: &Arguments) -> Command {
    match arguments {
        Arguments::Json(words) => Command::Exec(words.clone()),
        Arguments::Plain(words) => Command::Shell(words.join(" ")),
        _ => Command::Shell(String::new()),
    }
}

fn is_stage_name(name: &str) -> bool {
    let rest = name.strip_prefix(|c: char| c.is_ascii_lowercase());
    rest.is_some_and(|rest| {
        rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
    })
}
