//! The steps of a stage, one by one.

use std::collections::BTreeMap;

use ecr_registry::{Platform, content::History};

use super::{
    balance,
    config::rfc3339,
    copy::{Copying, is_pattern},
    file_system::{Content, FileSystem, Node},
    mode::Mode,
    owner::{self, LONGEST_LIST, Owner},
    settings,
    stages::{Inputs, Stage},
    want::{Named, Stop, Want},
};
use crate::{
    dockerfile::{
        Add, Argument, Copy, Dockerfile, Heredoc, Instruction, Lex, Pair, Step, Transfer, Variable,
        stages::Variables,
    },
    ignore::Rules,
    selection::clean,
    tree::File,
};

/// One step of a stage.
pub(super) struct Work<'a> {
    pub(super) parsed: &'a Dockerfile,
    pub(super) inputs: Inputs<'a>,
    pub(super) global: &'a Variables,
    pub(super) context: &'a FileSystem,
    pub(super) stages: &'a BTreeMap<usize, Stage>,
    pub(super) step: &'a Step,
}

/// What `COPY` and `ADD` do with the sources that their flags are not about.
#[derive(Clone, Copy, Default)]
struct Habits<'a> {
    parents: bool,
    /// Whether archives are unpacked.
    unpack: bool,
    /// `ADD`'s, which is about what is fetched.
    checksum: Option<&'a str>,
    is_add: bool,
}

impl Work<'_> {
    pub(super) fn apply(&self, stage: &mut Stage) -> Result<(), Stop> {
        match &self.step.instruction {
            Instruction::Run(_) => return Stop::unclear("it runs a program"),
            Instruction::Arg(arguments) => self.arguments(arguments, stage),
            Instruction::Env(pairs) => self.environment(pairs, stage)?,
            Instruction::Copy(copy) => self.copy(copy, stage)?,
            Instruction::Add(add) => self.add(add, stage)?,
            Instruction::Workdir(path) => self.workdir(path, stage)?,
            other => {
                let expand = |text: &str| self.parsed.expand(text, &stage.variables);
                let words = |text: &str| {
                    let lookup = |name: &str| stage.variables.get(name);
                    Lex::new(self.parsed.directives.escape, &lookup).words(text)
                };
                settings::apply(other, &mut stage.config, &mut stage.has_cmd, &expand, &words)
                    .or_else(Stop::unclear)?;
            }
        }
        let layers = balance::layers(stage.files.take_written());
        let history = History {
            created: Some(rfc3339(self.inputs.recipe.source_date_epoch)),
            created_by: Some(self.step.text.clone()),
            empty_layer: layers.is_empty(),
            ..History::default()
        };
        stage.config.history.extend(vec![history; layers.len().max(1)]);
        stage.layers.extend(layers);
        Ok(())
    }

    fn expand(&self, text: &str, variables: &Variables) -> Result<String, Stop> {
        self.parsed.expand(text, variables).or_else(|error| Stop::unclear(error.to_string()))
    }

    fn arguments(&self, arguments: &[Argument], stage: &mut Stage) {
        for argument in arguments {
            let value = match (self.inputs.how.args.get(&argument.name), &argument.default) {
                (Some(value), _) => Variable::Set(value.clone()),
                (None, Some(default)) => self.parsed.value(default, &stage.variables),
                (None, None) => self.global.get(&argument.name),
            };
            stage.variables.set(&argument.name, value);
        }
    }

    fn environment(&self, pairs: &[Pair], stage: &mut Stage) -> Result<(), Stop> {
        let before = stage.variables.clone();
        for pair in pairs {
            let (name, value) = (self.expand(&pair.name, &before)?, self.expand(&pair.value, &before)?);
            let line = format!("{name}={value}");
            let env = &mut stage.config.config.env;
            match env.iter_mut().find(|line| line.split('=').next() == Some(&name)) {
                Some(old) => *old = line,
                None => env.push(line),
            }
            stage.variables.set(&name, Variable::Set(value));
        }
        Ok(())
    }

    fn workdir(&self, path: &str, stage: &mut Stage) -> Result<(), Stop> {
        let path = self.expand(path, &stage.variables)?;
        let cleaned = below_workdir(&path, stage);
        let user = stage.config.config.user.clone();
        let owner =
            if user.is_empty() || cleaned.is_empty() { Owner::default() } else { self.owner(&user, stage)? };
        if !cleaned.is_empty() {
            stage.files.make_folder(&cleaned, 0o755, owner)?;
        }
        stage.config.config.working_dir = format!("/{cleaned}");
        Ok(())
    }

    fn copy(&self, copy: &Copy, stage: &mut Stage) -> Result<(), Stop> {
        let habits = Habits { parents: copy.parents, ..Habits::default() };
        let Some(from) = copy.from.as_deref() else {
            return self.transfer(&copy.transfer, self.context, habits, stage);
        };
        if let Some(source) = self.parsed.stage_of(from).and_then(|place| self.stages.get(&place)) {
            return self.transfer(&copy.transfer, &source.files, habits, stage);
        }
        let named = Named { name: from.to_owned(), platform: self.platform() };
        if self.inputs.materials.image(&named).is_none() {
            return Err(Stop::Wants(Want::Image(named)));
        }
        let files = self.inputs.materials.files(&named);
        let files = files.ok_or(Stop::Wants(Want::Files(named)))?;
        self.transfer(&copy.transfer, files, habits, stage)
    }

    fn platform(&self) -> Platform {
        self.inputs.platform.clone()
    }

    fn add(&self, add: &Add, stage: &mut Stage) -> Result<(), Stop> {
        let unpack = add.unpack.unwrap_or(true);
        let habits = Habits { unpack, checksum: add.checksum.as_deref(), is_add: true, parents: false };
        let remote = add.transfer.sources.iter().any(|source| source.contains("://"));
        if remote && add.unpack == Some(true) {
            return Stop::unclear("ADD unpacks what it fetches");
        }
        self.transfer(&add.transfer, self.context, habits, stage)
    }

    fn transfer(
        &self,
        transfer: &Transfer,
        from: &FileSystem,
        habits: Habits<'_>,
        stage: &mut Stage,
    ) -> Result<(), Stop> {
        let expanded =
            |text: &Option<String>| text.as_ref().map(|text| self.expand(text, &stage.variables)).transpose();
        let (chown, chmod) = (expanded(&transfer.chown)?, expanded(&transfer.chmod)?);
        if transfer.link && chown.as_deref().is_some_and(owner::is_by_name) {
            return Stop::wrong("--link knows no names of users: write their numbers");
        }
        let exclude = transfer.exclude.iter().map(|pattern| self.expand(pattern, &stage.variables));
        let exclude = exclude.collect::<Result<Vec<_>, _>>()?;
        let copying = Copying {
            owner: chown.map(|chown| self.owner(&chown, stage)).transpose()?,
            mode: chmod.map(|chmod| Mode::parse(&chmod)).transpose()?,
            include: None,
            exclude: Rules::new(&exclude).or_else(|error| Stop::unclear(error.to_string()))?,
        };
        let to = self.destination(&transfer.destination, stage)?;
        let mut apart = (transfer.link && copying.mode.is_none()).then(FileSystem::default);
        let variables = stage.variables.clone();
        let onto = apart.as_mut().unwrap_or(&mut stage.files);
        for source in &transfer.sources {
            let source = self.expand(source, &variables)?;
            self.source(&source, from, &to, habits, &copying, onto)?;
        }
        for document in &transfer.inline {
            let text = text(document, &variables)?;
            let node = Node::new(Content::Text(text.into()), 0o644, Owner::default());
            let file = FileSystem::of_file(&document.name, node);
            onto.copy(&file, &document.name, &to, &Copying { exclude: Rules::default(), ..plain(&copying) })?;
        }
        if let Some(mut apart) = apart {
            stage.files.link(apart.take_written());
        }
        Ok(())
    }

    /// One source of a `COPY` or `ADD`.
    fn source(
        &self,
        source: &str,
        from: &FileSystem,
        to: &str,
        habits: Habits<'_>,
        copying: &Copying,
        onto: &mut FileSystem,
    ) -> Result<(), Stop> {
        if source.starts_with("http://") || source.starts_with("https://") {
            return self.address(source, to, habits, copying, onto);
        }
        if source.contains("://") || source.starts_with("git@") || habits.checksum.is_some() {
            return Stop::unclear("it fetches a repository");
        }
        if habits.parents {
            return self.with_parents(source, from, to, copying, onto);
        }
        for path in from.named_by(source)? {
            self.is_there(&path, from)?;
            if habits.unpack && self.unpack(&path, from, to, copying, onto)? {
                continue;
            }
            onto.copy(from, &path, to, copying)?;
        }
        Ok(())
    }

    /// Says of a path that is missing why that may be.
    fn is_there(&self, path: &str, from: &FileSystem) -> Result<(), Stop> {
        let found = from.resolve(path)?;
        if found.is_empty() || from.node(&found)?.is_some() {
            return Ok(());
        }
        if !std::ptr::eq(from, self.context) {
            return Stop::wrong(format!("`{path}` is not there"));
        }
        let (context, wanted) = (self.inputs.context, found);
        if let Some(Content::Link(target)) = from.node(&clean(path))?.map(|node| &node.content) {
            return Err(Stop::Wrong {
                message: format!("`{path}` leads to `{target}`, which is not in the context"),
                hint: Some("copy what it leads to into the context folder".to_owned()),
            });
        }
        if let Some((file, line)) = context.ignored_by(&wanted) {
            return Err(Stop::Wrong {
                message: format!("`{path}` is ignored by line {line} of {file}"),
                hint: Some(format!("write `!{wanted}` below it, or copy something else")),
            });
        }
        let near = context.near(&self.inputs.how.context, &wanted);
        Err(Stop::Wrong {
            message: format!("`{path}` is not in the context"),
            hint: near.map(|near| format!("did you mean `{near}`?")),
        })
    }

    fn with_parents(
        &self,
        source: &str,
        from: &FileSystem,
        to: &str,
        copying: &Copying,
        onto: &mut FileSystem,
    ) -> Result<(), Stop> {
        let (folder, pattern) = source.split_once("/./").unwrap_or(("/", source));
        let pattern = clean(pattern);
        if !is_pattern(folder) && !is_pattern(&pattern) {
            self.is_there(&format!("{folder}/{pattern}"), from)?;
        }
        let include = Some(Rules::new([&pattern]).or_else(|error| Stop::unclear(error.to_string()))?);
        let copying = Copying { include, ..plain(copying) };
        from.named_by(folder)?.iter().try_for_each(|folder| onto.copy(from, folder, to, &copying))
    }

    fn unpack(
        &self,
        path: &str,
        from: &FileSystem,
        to: &str,
        copying: &Copying,
        onto: &mut FileSystem,
    ) -> Result<bool, Stop> {
        let found = from.resolve(path)?;
        let Some(Node { content: Content::File(file), .. }) = from.node(&found)? else { return Ok(false) };
        let listed = self.inputs.materials.archive(file);
        let listed = listed.ok_or_else(|| Stop::Wants(Want::Archive(file.clone())))?;
        if listed.is_empty() {
            return Ok(false);
        }
        let folder = onto.resolve(to)?;
        onto.make_folder(&folder, 0o755, copying.owner.unwrap_or_default())?;
        onto.unpack(file.digest, listed, &folder, copying.owner)?;
        Ok(true)
    }

    fn address(
        &self,
        url: &str,
        to: &str,
        habits: Habits<'_>,
        copying: &Copying,
        onto: &mut FileSystem,
    ) -> Result<(), Stop> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if !habits.is_add || path.rsplit('.').next() == Some("git") || url.contains(".git#") {
            return Stop::unclear("it fetches a repository");
        }
        let Some(checksum) = habits.checksum else { return Stop::unclear("ADD fetches without a checksum") };
        let checksum: ecr_registry::Digest =
            checksum.parse().or_else(|_| Stop::unclear(format!("`{checksum}` is an odd checksum")))?;
        let wants = || Stop::Wants(Want::Address { url: url.to_owned(), checksum });
        let file: &File = self.inputs.materials.address(url, &checksum).ok_or_else(wants)?;
        let rest = path.splitn(4, '/').nth(3).unwrap_or_default();
        let name = rest.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty());
        let name = name.unwrap_or("__unnamed__");
        let node = Node::new(Content::File(file.clone()), 0o600, Owner::default());
        onto.copy(&FileSystem::of_file(name, node), name, to, copying)
    }

    /// An absolute path, which ends with `/` if a folder is meant.
    fn destination(&self, text: &str, stage: &Stage) -> Result<String, Stop> {
        let text = self.expand(text, &stage.variables)?;
        let is_folder = text.is_empty() || text == "." || text.ends_with('/') || text.ends_with("/.");
        let end = if is_folder { "/" } else { "" };
        Ok(match below_workdir(&text, stage).as_str() {
            "" => "/".to_owned(),
            path => format!("/{path}{end}"),
        })
    }

    /// Names are looked up in the lists that the image has by now.
    fn owner(&self, text: &str, stage: &Stage) -> Result<Owner, Stop> {
        // BuildKit refuses it too, as an invalid index. Where there are files, a name that is in none of them is root.
        if stage.is_empty() && owner::is_by_name(text) {
            return Err(Stop::Wrong {
                message: format!("the image has no files yet, so `{text}` can be looked up nowhere"),
                hint: Some("write the numbers of user and group, such as 1000:1000".to_owned()),
            });
        }
        owner::of(text, |list| {
            let found = stage.files.resolve(list)?;
            match stage.files.node(&found)?.map(|node| &node.content) {
                Some(Content::Text(text)) => Ok(Some(text.to_vec())),
                Some(Content::File(file)) if file.size <= LONGEST_LIST => match std::fs::read(&file.path) {
                    Ok(list) => Ok(Some(list)),
                    Err(error) => Stop::wrong(format!("`{}` cannot be read: {error}", file.path.display())),
                },
                Some(Content::Packed(packed)) if packed.size <= LONGEST_LIST => {
                    let content = self.inputs.materials.content(packed).map(|content| content.to_vec());
                    content.map(Some).ok_or_else(|| Stop::Wants(Want::Content(packed.clone())))
                }
                Some(Content::File(_) | Content::Packed(_)) => {
                    Stop::unclear(format!("`/{list}` is too long"))
                }
                _ => Ok(None),
            }
        })
    }
}

/// What a here-document says.
fn text(document: &Heredoc, variables: &Variables) -> Result<String, Stop> {
    let (text, lookup) = (document.text(), |name: &str| variables.get(name));
    let text = if document.expand { Lex::of_content(&lookup).word(&text) } else { Ok(text) };
    text.or_else(|error| Stop::unclear(error.to_string()))
}

/// The same without patterns.
fn plain(copying: &Copying) -> Copying {
    Copying {
        owner: copying.owner,
        mode: copying.mode.clone(),
        include: None,
        exclude: copying.exclude.clone(),
    }
}

/// A path relative to the root, from the folder that the stage works in.
fn below_workdir(path: &str, stage: &Stage) -> String {
    let folder = if path.starts_with('/') { "" } else { stage.config.config.working_dir.as_str() };
    let cleaned = clean(&format!("{folder}/{path}"));
    if cleaned == "." { String::new() } else { cleaned }
}
