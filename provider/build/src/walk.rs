//! Lists a folder on all processors: names and kinds after the ignore rules, no content.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use crate::{
    error::ContextError,
    ignore::{Rules, Verdict},
    parallel::in_parallel,
    selection::Names,
    terraform_files,
};

/// What is below a folder, before content is read.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// By paths relative to the root; every folder of a path is an entry of its own.
    pub(crate) found: BTreeMap<String, Found>,
    /// Terraform's state, which is no part of it.
    pub(crate) left_out: Vec<String>,
}

/// One path of a listing.
#[derive(Debug)]
pub(crate) enum Found {
    Folder,
    File(PathBuf),
    /// A symbolic link and the text it points to.
    Link(String),
    /// What no tree can hold: an error for who needs it.
    Refused(ContextError),
}

/// The listing of the folder `root`, less what `rules` ignore.
pub(crate) fn list(root: &Path, rules: &Rules) -> Result<Listing, ContextError> {
    let unreadable = |source| ContextError::Unreadable { path: root.to_owned(), source };
    fs::read_dir(root).map_err(unreadable)?;
    let mut listing = Listing::default();
    let (mut found, mut entered) = (Vec::new(), Vec::new());
    let root = Folder { location: root.to_owned(), path: String::new(), verdict: Verdict::default() };
    let mut level = vec![root];
    while !level.is_empty() {
        let Ok(read) = in_parallel(&level, |folder| Ok::<_, Infallible>(folder.read(rules)));
        level.clear();
        for children in read {
            found.extend(children.found);
            listing.left_out.extend(children.left_out);
            entered.extend(
                children.folders.iter().filter(|child| child.verdict.ignored).map(|child| child.path.clone()),
            );
            level.extend(children.folders);
        }
    }
    listing.found = found.into_iter().collect();
    // An ignored folder is there only for what was brought back in it.
    entered.retain(|folder| listing.has_below(folder));
    listing.found.extend(entered.into_iter().map(|folder| (folder, Found::Folder)));
    listing.left_out.sort();
    Ok(listing)
}

impl Listing {
    fn has_below(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        self.found.range(below.clone()..).next().is_some_and(|(path, _)| path.starts_with(&below))
    }
}

impl Names for Listing {
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.found.keys().map(String::as_str)
    }

    fn link(&self, path: &str) -> Option<&str> {
        match self.found.get(path) {
            Some(Found::Link(target)) => Some(target),
            _ => None,
        }
    }
}

/// A folder to be read.
struct Folder {
    location: PathBuf,
    path: String,
    verdict: Verdict,
}

#[derive(Default)]
struct Children {
    found: Vec<(String, Found)>,
    folders: Vec<Folder>,
    left_out: Vec<String>,
}

impl Folder {
    fn read(&self, rules: &Rules) -> Children {
        let mut children = Children::default();
        let entries = fs::read_dir(&self.location).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match entries {
            Ok(entries) => entries.iter().for_each(|entry| self.child(entry, rules, &mut children)),
            Err(source) => {
                let refused = ContextError::Unreadable { path: self.location.clone(), source };
                children.found.push((self.path.clone(), Found::Refused(refused)));
            }
        }
        children
    }

    fn child(&self, entry: &fs::DirEntry, rules: &Rules, children: &mut Children) {
        let (location, name) = (entry.path(), entry.file_name());
        let lossy = name.to_string_lossy();
        let path = if self.path.is_empty() { lossy.to_string() } else { format!("{}/{lossy}", self.path) };
        let verdict = rules.judge(&path, &self.verdict);
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(source) => {
                let refused = ContextError::Unreadable { path: location, source };
                return children.found.push((path, Found::Refused(refused)));
            }
        };
        if verdict.ignored && !(kind.is_dir() && rules.may_bring_back_below(&path)) {
            return;
        }
        if terraform_files::is_named_so(&lossy) {
            let is_state = lossy.contains(".tfstate");
            return children.left_out.extend(is_state.then_some(path));
        }
        if name.to_str().is_none() {
            return children.found.push((path, Found::Refused(ContextError::NotUtf8 { path: location })));
        }
        if !kind.is_dir() {
            return children.found.push((path, found(location, kind)));
        }
        if !verdict.ignored {
            children.found.push((path.clone(), Found::Folder));
        }
        children.folders.push(Folder { location, path, verdict });
    }
}

fn found(path: PathBuf, kind: fs::FileType) -> Found {
    if kind.is_file() {
        return Found::File(path);
    }
    if !kind.is_symlink() {
        return Found::Refused(ContextError::Special { found: name_of(kind), path });
    }
    match fs::read_link(&path).map(PathBuf::into_os_string) {
        Ok(target) => {
            target.into_string().map_or_else(|_| Found::Refused(ContextError::NotUtf8 { path }), Found::Link)
        }
        Err(source) => Found::Refused(ContextError::Unreadable { path, source }),
    }
}

fn name_of(kind: fs::FileType) -> &'static str {
    if kind.is_socket() {
        "a socket"
    } else if kind.is_fifo() {
        "a named pipe"
    } else {
        "a device"
    }
}
