//! Where in an image a layer's source goes.

/// A place in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The names on the way from the root.
    names: Vec<String>,
    /// Whether it was written with a `/` at the end, so that a file goes into it.
    pub(crate) is_folder: bool,
}

/// A text that is no place in an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("destination `{0}` is not an absolute path without `..`")]
pub struct DestinationError(String);

impl Destination {
    pub(crate) fn parse(text: &str) -> Result<Self, DestinationError> {
        let names: Vec<&str> = text.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        if !text.starts_with('/') || names.contains(&"..") || text.contains('\0') {
            return Err(DestinationError(text.to_owned()));
        }
        let is_folder = names.is_empty() || text.ends_with('/') || text.ends_with("/.");
        Ok(Self { names: names.into_iter().map(str::to_owned).collect(), is_folder })
    }

    /// The folder itself and those it is in, the outermost first, as paths relative to the root.
    pub(crate) fn folders(&self) -> impl Iterator<Item = String> {
        (1..=self.names.len()).map(|length| self.names[..length].join("/"))
    }

    /// The path of something below it, relative to the root.
    pub(crate) fn join(&self, path: &str) -> String {
        let mut names = self.names.clone();
        names.extend((!path.is_empty()).then(|| path.to_owned()));
        names.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses() {
        let check = |text: &str, joined: &str, is_folder: bool| {
            let destination = Destination::parse(text).unwrap();
            assert_eq!(
                (destination.join("x").as_str(), destination.is_folder),
                (joined, is_folder),
                "{text}"
            );
        };
        check("/", "x", true);
        check("/app", "app/x", false);
        check("/app/", "app/x", true);
        check("//usr/./local/bin//", "usr/local/bin/x", true);
        check("/app/.", "app/x", true);
        for text in ["", "app", "./app", "/app/../etc", "/..", "C:\\app", "/a\0b"] {
            let message = format!("destination `{text}` is not an absolute path without `..`");
            assert_eq!(Destination::parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn names_the_folders_on_the_way() {
        let destination = Destination::parse("/usr/local/bin").unwrap();
        assert_eq!(destination.folders().collect::<Vec<_>>(), ["usr", "usr/local", "usr/local/bin"]);
    }
}
