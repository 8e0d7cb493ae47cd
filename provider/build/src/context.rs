//! Everything on this machine that goes into an image, read at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io, mem,
    path::{Path, PathBuf},
};

use ecr_registry::Platform;

use crate::{
    content::read_file,
    destination::Destination,
    dockerfile::{
        Dockerfile, nearest,
        reach::{Inputs, Reach, Taking},
    },
    error::{ContextError, Role},
    hash::Format,
    ignore::Rules,
    named::Named,
    recipe::{DockerfileRecipe, LayerSource, Recipe},
    selection::{Names, Selection, below, clean, with_folders},
    stat_cache::Cache,
    terraform_files,
    tree::{Entry, Tree},
    walk::{Listing, list},
    warning::{self, Warning},
};

/// What a Dockerfile is built with.
///
/// The Dockerfile is apart from the tree, because the build reads it even when it is ignored or lies outside
/// the context. An ignore file counts by what it does; its text is content only where the build can copy it,
/// as a file of the tree like any other.
#[derive(Debug)]
pub(crate) struct DockerfileContext {
    /// What the build can see of the context folder, after the ignore rules.
    pub(crate) tree: Tree,
    pub(crate) dockerfile: DockerfileText,
    /// `None` where only the builder understands it.
    pub(crate) parsed: Option<Dockerfile>,
    pub(crate) reach: Reach,
    /// What else is on this machine, by the names the Dockerfile has for it.
    pub(crate) named: BTreeMap<String, Named>,
    pub(crate) warnings: Vec<Warning>,
    /// The ignore file that counts, by its name, if there is one.
    ignore: Option<(String, Rules)>,
}

/// A Dockerfile as it was read.
#[derive(Debug)]
pub(crate) struct DockerfileText {
    /// For people: its path in the context, or its file name when it is elsewhere.
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
}

/// The source of a layer as it was read, and where it goes.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) destination: Destination,
    pub(crate) tree: Tree,
}

impl DockerfileText {
    fn inline(text: &str) -> Self {
        Self { name: "Dockerfile".to_owned(), content: text.as_bytes().to_vec() }
    }

    /// The last part of its name.
    pub(crate) fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

impl DockerfileContext {
    pub(crate) fn read(
        whole: &Recipe,
        recipe: &DockerfileRecipe,
        cache: &Cache,
    ) -> Result<Self, ContextError> {
        let root = &recipe.context;
        match fs::metadata(root) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                let path = root.clone();
                return Err(ContextError::WrongKind { role: Role::Context, path, found: "a file" });
            }
            Err(source) => return Err(absent(Role::Context, root, source)),
        }
        let location = root.join(recipe.dockerfile.as_deref().unwrap_or(Path::new("Dockerfile")));
        let (dockerfile, ignore) = match &recipe.dockerfile_inline {
            Some(text) => (DockerfileText::inline(text), rules_of_context(root)?),
            None => (read_dockerfile(root, &location)?, rules_of_dockerfile(root, &location)?),
        };
        let (parsed, reach) = understand(&dockerfile, recipe, &whole.platforms)?;
        let no_rules = Rules::default();
        let mut listing = list(root, ignore.as_ref().map_or(&no_rules, |(_, rules)| rules))?;
        let left_out = mem::take(&mut listing.left_out);
        let purpose = format!("{}\0{}", dockerfile.name, recipe.target.as_deref().unwrap_or_default());
        let chosen = match &reach.takings {
            Some(takings) if reach.excludes() && whole.format != Some(Format::FIRST) => {
                left_by_copies(takings, &listing)
            }
            _ => reach.paths.as_ref().and_then(|paths| chosen(paths, &listing)),
        };
        let tree = listing.read(chosen.as_ref(), cache.open(root, &purpose))?;
        let mut warnings = warning::of_context(&tree, &left_out, |path| reach.names(path));
        let unused = recipe.args.keys().filter(|name| !reach.takes(name) && !is_proxy(name));
        warnings.extend(unused.map(|name| Warning::unused_argument(name, &reach)));
        let named = Named::read_all(recipe, cache)?;
        Ok(Self { tree, dockerfile, parsed, reach, named, warnings, ignore })
    }

    /// The ignore file, and the line of it, that keep a path from the build.
    pub(crate) fn ignored_by(&self, path: &str) -> Option<(&str, usize)> {
        let (file, rules) = self.ignore.as_ref()?;
        Some((file, rules.line_against(path)?))
    }

    /// The path of the context that may have been meant: one that no instruction names is in no tree.
    pub(crate) fn near(&self, root: &Path, path: &str) -> Option<String> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let place = root.join(folder);
        let beside = names_in(&place).map(|name| clean(&format!("{folder}/{name}")));
        let beside: Vec<String> = beside.filter(|path| self.ignored_by(path).is_none()).collect();
        nearest(path, beside.iter().map(String::as_str)).map(str::to_owned)
    }

    /// The first path asked for that the build was not known to see.
    pub(crate) fn unseen(&self, asked: &Selection) -> Option<String> {
        let paths = self.reach.paths.as_ref().filter(|_| !self.reach.asks_for_all)?;
        if asked.follow.is_empty() {
            return Some(".".to_owned());
        }
        // Ignore files are asked for before anything else, and only to leave out what is left out already.
        let mut wanted =
            asked.follow.iter().map(|path| clean(path)).filter(|path| !path.ends_with(".dockerignore"));
        wanted.find(|path| !paths.contains(path))
    }

    /// The arguments the build is given: those that count, and the way through proxies.
    pub(crate) fn args<'a>(
        &'a self,
        recipe: &'a DockerfileRecipe,
    ) -> impl Iterator<Item = (&'a String, &'a String)> {
        recipe.args.iter().filter(|(name, _)| self.reach.takes(name) || is_proxy(name))
    }
}

/// Arguments that every build step has without declaring them, and that leave no trace in an image.
fn is_proxy(argument: &str) -> bool {
    let names = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];
    names.iter().any(|name| argument.eq_ignore_ascii_case(name))
}

/// What the Dockerfile says, and what of the context it takes: everything where another frontend than BuildKit's own
/// reads it, or a version of that which may know more than this.
fn understand(
    text: &DockerfileText,
    recipe: &DockerfileRecipe,
    platforms: &[Platform],
) -> Result<(Option<Dockerfile>, Reach), ContextError> {
    let content = String::from_utf8_lossy(&text.content);
    let syntax = recipe.args.get("BUILDKIT_SYNTAX").cloned().or_else(|| Dockerfile::syntax(&content));
    if syntax.as_ref().is_some_and(|syntax| !is_dockerfile_frontend(syntax)) {
        return Ok((None, Reach::all()));
    }
    let failed = |source| ContextError::Dockerfile { name: text.name.clone(), source };
    let target = recipe.target.as_deref();
    let inputs = Inputs { target, args: &recipe.args, platforms };
    let understood = Dockerfile::parse(&content).map_err(failed).and_then(|parsed| {
        let no_stage = |_| ContextError::NoStage {
            target: target.unwrap_or_default().to_owned(),
            stages: parsed.stage_names().map(str::to_owned).collect(),
        };
        parsed.target(target).map_err(no_stage)?;
        let reach = parsed.reach(inputs).map_err(failed)?;
        Ok((Some(parsed), reach))
    });
    if syntax.is_some() { Ok(understood.unwrap_or_else(|_| (None, Reach::all()))) } else { understood }
}

fn is_dockerfile_frontend(syntax: &str) -> bool {
    let name = syntax.split(['@', ':']).next().unwrap_or_default();
    ["docker/dockerfile", "docker.io/docker/dockerfile"].contains(&name)
}

/// What there is of these paths, links followed; `None`, for everything, where a pattern cannot be understood.
fn chosen(paths: &BTreeSet<String>, listing: &Listing) -> Option<BTreeSet<String>> {
    if paths.is_empty() {
        return Some(BTreeSet::new());
    }
    let selection = Selection { follow: paths.iter().cloned().collect(), ..Selection::default() };
    Some(selection.of(listing).ok()?.into_iter().map(str::to_owned).collect())
}

/// What at least one of these takes; `None`, for everything, as for [`chosen`].
fn left_by_copies(takings: &BTreeSet<Taking>, listing: &Listing) -> Option<BTreeSet<String>> {
    // Patterns are relative to a folder: one that is reached by a link or a pattern of its own is taken as a whole.
    let is_plain = |taking: &&Taking| {
        let folders = taking.path.match_indices('/').map(|(at, _)| &taking.path[..at]);
        let is_link = folders.chain([taking.path.as_str()]).any(|folder| listing.link(folder).is_some());
        !taking.exclude.is_empty() && !is_link && !taking.path.contains(['*', '?', '[', '\\'])
    };
    let (narrowed, whole): (Vec<_>, Vec<_>) = takings.iter().partition(is_plain);
    if whole.iter().any(|taking| taking.path == ".") {
        return None;
    }
    let mut left = chosen(&whole.into_iter().map(|taking| taking.path.clone()).collect(), listing)?;
    for Taking { path, exclude } in narrowed {
        let taken = below(listing, path, &Rules::new(exclude).ok()?);
        left.extend(taken.iter().flat_map(|path| with_folders(path)).map(str::to_owned));
    }
    Some(left)
}

impl Part {
    pub(crate) fn read_all(layers: &[LayerSource], cache: &Cache) -> Result<Vec<Self>, ContextError> {
        layers.iter().map(|layer| Self::read(layer, cache)).collect()
    }

    fn read(layer: &LayerSource, cache: &Cache) -> Result<Self, ContextError> {
        let destination = Destination::parse(&layer.destination)?;
        let source = &layer.source;
        let metadata = fs::metadata(source).map_err(|error| absent(Role::Source, source, error))?;
        let tree = if metadata.is_dir() {
            read_folder(source, cache)?
        } else if metadata.is_file() {
            single_file(source, &destination)?
        } else {
            let found = "neither a file nor a folder";
            return Err(ContextError::WrongKind { role: Role::Source, path: source.clone(), found });
        };
        Ok(Self { destination, tree })
    }

    /// The path in the image of a path of the tree, relative to the root.
    pub(crate) fn place(&self, path: &str) -> String {
        self.destination.join(if path == WHOLE { "" } else { path })
    }
}

/// All of a folder but what its own `.dockerignore` names.
pub(crate) fn read_folder(path: &Path, cache: &Cache) -> Result<Tree, ContextError> {
    let rules = rules_at(&path.join(".dockerignore"))?.unwrap_or_default();
    list(path, &rules)?.read(None, cache.open(path, ""))
}

/// The path, in the tree of a layer, of a file that becomes the destination itself.
const WHOLE: &str = ".";

fn single_file(path: &Path, destination: &Destination) -> Result<Tree, ContextError> {
    let not_utf8 = || ContextError::NotUtf8 { path: path.to_owned() };
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(not_utf8)?;
    let file = read_file(path)?.filter(|_| !terraform_files::is_named_so(name));
    let file = file.ok_or_else(|| ContextError::TerraformFile { path: path.to_owned() })?;
    let name = if destination.is_folder { name } else { WHOLE };
    Ok(Tree { entries: [(name.to_owned(), Entry::File(file))].into() })
}

fn read_dockerfile(root: &Path, location: &Path) -> Result<DockerfileText, ContextError> {
    let content = fs::read(location).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => {
            let near = dockerfiles_near(root);
            ContextError::Missing { role: Role::Dockerfile, path: location.to_owned(), near }
        }
        io::ErrorKind::IsADirectory => {
            let path = location.to_owned();
            ContextError::WrongKind { role: Role::Dockerfile, path, found: "a folder" }
        }
        _ => ContextError::Unreadable { path: location.to_owned(), source },
    })?;
    let inside = location.strip_prefix(root).ok().filter(|path| !path.starts_with(".."));
    let name = inside.or_else(|| location.file_name().map(Path::new)).unwrap_or(location);
    Ok(DockerfileText { name: name.to_string_lossy().into_owned(), content })
}

/// Rules beside the Dockerfile, made for it alone, win over those of the context.
fn rules_of_dockerfile(root: &Path, dockerfile: &Path) -> Result<Option<(String, Rules)>, ContextError> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(".dockerignore");
    let own = PathBuf::from(own);
    match rules_at(&own)? {
        Some(rules) => {
            let name = own.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Some((name, rules)))
        }
        None => rules_of_context(root),
    }
}

fn rules_of_context(root: &Path) -> Result<Option<(String, Rules)>, ContextError> {
    const NAME: &str = ".dockerignore";
    Ok(rules_at(&root.join(NAME))?.map(|rules| (NAME.to_owned(), rules)))
}

fn rules_at(path: &Path) -> Result<Option<Rules>, ContextError> {
    match fs::read(path) {
        Ok(text) => Rules::parse(&String::from_utf8_lossy(&text))
            .map(Some)
            .map_err(|source| ContextError::Ignore { path: path.to_owned(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ContextError::Unreadable { path: path.to_owned(), source }),
    }
}

fn absent(role: Role, path: &Path, source: io::Error) -> ContextError {
    if source.kind() != io::ErrorKind::NotFound {
        return ContextError::Unreadable { path: path.to_owned(), source };
    }
    ContextError::Missing { role, path: path.to_owned(), near: siblings_near(path) }
}

/// Entries of the same folder whose name differs in case, or begins or ends like the one wanted.
fn siblings_near(path: &Path) -> Vec<String> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let alike = |name: &str| {
        let name = name.to_lowercase();
        !wanted.is_empty() && (name.contains(&wanted) || wanted.contains(&name))
    };
    names_in(parent).filter(|name| alike(name)).map(|name| shown(&parent.join(name))).take(5).collect()
}

/// Files that look like Dockerfiles, in the context and in its folders.
fn dockerfiles_near(root: &Path) -> Vec<String> {
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        (name.contains("dockerfile") || name.contains("containerfile")) && path.is_file()
    };
    let here: Vec<PathBuf> = names_in(root).map(|name| root.join(name)).collect();
    let below = here.iter().flat_map(|folder| names_in(folder).map(|name| folder.join(name)));
    let mut near: Vec<String> =
        here.iter().cloned().chain(below).filter(is_one).map(|path| shown(&path)).take(5).collect();
    near.sort();
    near
}

fn names_in(folder: &Path) -> impl Iterator<Item = String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names.into_iter()
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}
