//! The chart that was named: on this machine, where it can change under us, or remote.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ecr_registry::Digest;

use crate::{exit::Exit, failure::Explain};

/// More than Helm itself loads; a folder above this is not a chart but the place where someone works.
const LARGEST: u64 = 256 << 20;

/// The copy of a local chart cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChartError {
    /// The file system refused.
    #[error("cannot copy chart `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// It is not a chart's size.
    #[error("chart `{}` has more than {} MiB", .0.display(), LARGEST >> 20)]
    TooLarge(PathBuf),
}

impl Explain for ChartError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::TooLarge(_) => Some("move the chart into a folder of its own".to_owned()),
        }
    }
}

/// Whether the chart is on this machine: Helm looks there first, unless a repository was named for it.
pub(crate) fn is_local(chart: &str, repository: Option<&str>) -> bool {
    repository.is_none() && Path::new(chart).exists()
}

/// How later runs name a remote chart, so that they get what the first one got: by the digest that Helm told, whatever
/// becomes of the tag, else by its version. An archive at a URL has neither.
pub(crate) fn pinned<'a>(chart: &str, digest: Option<Digest>, version: &'a str) -> (String, Option<&'a str>) {
    let reference =
        chart.strip_prefix("oci://").map(|rest| rest.split_once('@').map_or(rest, |(name, _)| name));
    match (reference, digest) {
        (Some(name), Some(digest)) => (format!("oci://{}@{digest}", without_tag(name)), None),
        _ => (chart.to_owned(), Some(version)),
    }
}

/// Helm refuses a tag beside a digest if the tag has moved.
fn without_tag(name: &str) -> &str {
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    name[last..].find(':').map_or(name, |colon| &name[..last + colon])
}

/// Copies a local chart, a folder or an archive, into `folder`, so that every run of Helm sees the same one.
/// Links are followed, as Helm does; version control's folder stays behind.
pub(crate) fn snapshot(chart: &Path, folder: &Path) -> Result<PathBuf, ChartError> {
    let source = fs::canonicalize(chart).map_err(at(chart))?;
    let name = source.file_name().map_or_else(|| "chart".into(), ToOwned::to_owned);
    let target = folder.join("chart").join(name);
    let mut left = LARGEST;
    if source.is_dir() {
        copy_folder(&source, &target, &mut left, &mut Vec::new())?;
    } else {
        fs::create_dir_all(folder.join("chart")).map_err(at(folder))?;
        copy_file(&source, &target, &mut left)?;
    }
    Ok(target)
}

/// The digest of a chart on this machine: of its files with their names, or of the archive.
pub(crate) fn digest(chart: &Path) -> Result<Digest, ChartError> {
    let mut files = Vec::new();
    let mut left = vec![chart.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path).map_err(at(&path))? {
                left.push(entry.map_err(at(&path))?.path());
            }
        } else {
            files.push(path);
        }
    }
    files.sort();
    let mut list = Vec::new();
    for path in files {
        let content = Digest::of(&fs::read(&path).map_err(at(&path))?);
        let name = path.strip_prefix(chart).unwrap_or(&path).as_os_str().as_encoded_bytes();
        list.extend_from_slice(content.to_string().as_bytes());
        list.extend_from_slice(name);
        list.push(0);
    }
    Ok(Digest::of(&list))
}

/// `above` are the folders on the way here: a link to one of them would never end.
fn copy_folder(
    source: &Path,
    target: &Path,
    left: &mut u64,
    above: &mut Vec<PathBuf>,
) -> Result<(), ChartError> {
    let real = fs::canonicalize(source).map_err(at(source))?;
    if above.contains(&real) {
        return Err(at(source)(io::Error::other("the link leads back to a folder above it")));
    }
    above.push(real);
    fs::create_dir_all(target).map_err(at(target))?;
    for entry in fs::read_dir(source).map_err(at(source))? {
        let entry = entry.map_err(at(source))?;
        let (path, name) = (entry.path(), entry.file_name());
        if name == ".git" {
            continue;
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => copy_folder(&path, &target.join(name), left, above)?,
            Ok(metadata) if metadata.is_file() => copy_file(&path, &target.join(name), left)?,
            // A link to nowhere, a socket: Helm decides whether that matters.
            _ => {}
        }
    }
    above.pop();
    Ok(())
}

fn copy_file(source: &Path, target: &Path, left: &mut u64) -> Result<(), ChartError> {
    let copied = fs::copy(source, target).map_err(at(source))?;
    *left = left.checked_sub(copied).ok_or_else(|| ChartError::TooLarge(source.to_owned()))?;
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ChartError {
    move |source| ChartError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn remote_charts_are_pinned() {
        let check = |chart: &str, digest: Option<&str>, expected: (&str, Option<&str>)| {
            let digest = digest.map(|text| text.parse().unwrap());
            let (chart, version) = pinned(chart, digest, "1.4.2");
            assert_eq!((chart.as_str(), version), expected);
        };
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let by_digest = format!("oci://r.example:5000/charts/web@{digest}");
        check("oci://r.example:5000/charts/web", Some(digest), (&by_digest, None));
        check("oci://r.example:5000/charts/web:^1", Some(digest), (&by_digest, None));
        check(&by_digest, Some(digest), (&by_digest, None));
        check("oci://r.example/web", None, ("oci://r.example/web", Some("1.4.2")));
        check("stable/web", Some(digest), ("stable/web", Some("1.4.2")));
    }

    #[test]
    fn rule_14_copies_folders_and_archives() {
        let home = tempfile::tempdir().unwrap();
        let chart = home.path().join("web");
        fs::create_dir_all(chart.join("templates")).unwrap();
        fs::create_dir(chart.join(".git")).unwrap();
        fs::write(chart.join(".git/config"), "x").unwrap();
        fs::write(chart.join("templates/a.yaml"), "a: 1").unwrap();
        symlink(chart.join("templates/a.yaml"), chart.join("linked.yaml")).unwrap();
        symlink("/nonexistent", chart.join("dangling")).unwrap();

        let run = tempfile::tempdir().unwrap();
        let copy = snapshot(&chart, run.path()).unwrap();
        assert_eq!(copy, run.path().join("chart/web"));
        fs::write(chart.join("templates/a.yaml"), "a: 2").unwrap();
        assert_eq!(fs::read_to_string(copy.join("templates/a.yaml")).unwrap(), "a: 1");
        assert_eq!(fs::read_to_string(copy.join("linked.yaml")).unwrap(), "a: 1");
        assert!(!copy.join(".git").exists() && !copy.join("dangling").exists());

        let before = digest(&copy).unwrap();
        assert_eq!(digest(&copy).unwrap(), before);
        fs::rename(copy.join("linked.yaml"), copy.join("other.yaml")).unwrap();
        assert_ne!(digest(&copy).unwrap(), before);

        let archive = home.path().join("web-1.tgz");
        fs::write(&archive, "tgz").unwrap();
        let run = tempfile::tempdir().unwrap();
        assert_eq!(fs::read_to_string(snapshot(&archive, run.path()).unwrap()).unwrap(), "tgz");
    }

    #[test]
    fn a_link_in_a_circle_is_an_error() {
        let chart = tempfile::tempdir().unwrap();
        symlink(chart.path(), chart.path().join("again")).unwrap();
        let run = tempfile::tempdir().unwrap();
        let error = snapshot(chart.path(), run.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot copy chart `{}/again`", fs::canonicalize(chart.path()).unwrap().display())
        );
    }
}
