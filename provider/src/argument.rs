//! Arguments that name something: text of a configuration, parsed where it comes in, and kept as it was written.

use std::{cmp::Ordering, fmt, ops::Deref, str::FromStr};

use ecr_registry::{Digest, EcrHost, Host, NameError, Reference, Repository, Version, names::Problem};
use tfplugin_rs::{Diagnostic, Diagnostics, Field, FromValue, Shape, Shaped, Type, Value, ValueError, View};

use crate::{
    access::is_bare,
    report::{Report, at},
};

/// A text together with what it names. State says the same as the configuration: `debian:12` stays that.
#[derive(Clone, Debug)]
pub(crate) struct Text<T> {
    written: String,
    named: T,
}

impl<T> Text<T> {
    pub(crate) fn into_inner(self) -> T {
        self.named
    }
}

impl<T: fmt::Display> From<T> for Text<T> {
    fn from(named: T) -> Self {
        Self { written: named.to_string(), named }
    }
}

impl<T: FromStr> FromStr for Text<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        Ok(Self { written: text.to_owned(), named: text.parse()? })
    }
}

impl<T> Deref for Text<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.named
    }
}

impl<T: PartialEq> PartialEq for Text<T> {
    fn eq(&self, other: &Self) -> bool {
        self.named == other.named
    }
}

impl<T: Eq> Eq for Text<T> {}

impl<T: Ord> PartialOrd for Text<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> Ord for Text<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.named.cmp(&other.named)
    }
}

impl<T> Shaped for Text<T> {
    fn shape() -> Shape {
        Type::String.into()
    }
}

impl<T: FromStr<Err: fmt::Display>> FromValue for Text<T> {
    fn from_value(view: &View<'_>) -> Result<Self, ValueError> {
        let text: String = view.read()?;
        text.parse().map_err(|error: T::Err| view.is_not(format!("a name ({error})")))
    }
}

impl<T> From<Text<T>> for Value {
    fn from(text: Text<T>) -> Self {
        text.written.into()
    }
}

/// What is wrong with an argument that names something of this kind, or with its elements, as far as they are known.
pub(crate) fn faults<T: FromStr<Err: Report>>(view: &View<'_>) -> Diagnostics {
    let wrong = |text: &str| {
        let fault = text.parse::<T>().err()?;
        Some(at(fault.report(), view.path().clone()))
    };
    match view.value() {
        // Elements of sets have no address: the set is to blame.
        Value::List(elements) => elements.iter().filter_map(Value::as_str).filter_map(wrong).collect(),
        value => value.as_str().and_then(wrong).into_iter().collect(),
    }
}

/// A repository of a private ECR registry: only ECR's API can do what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateRepository {
    pub(crate) repository: Repository,
    pub(crate) host: EcrHost,
}

/// A private repository as it is written: with its registry, or by its name in the provider's own account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    There(PrivateRepository),
    Home(String),
}

/// An image by its digest, wherever it is. A tag would be another image tomorrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pinned {
    pub(crate) repository: Repository,
    pub(crate) digest: Digest,
}

/// An image by its digest, in a private ECR registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateImage(pub(crate) Pinned);

/// A name of something else than is needed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("`{0}` is not in a private ECR registry")]
    Elsewhere(String),
    #[error("`{0}` does not name the image by its digest")]
    NoDigest(Reference),
}

/// The repository of this name in a registry; where none is known, in one that nobody has. An error is about the name.
pub(crate) fn in_registry(registry: Option<&Host>, name: &str) -> Result<Repository, NameError> {
    let nobodys = || "registry.invalid".parse().expect("the name of a host");
    let registry = registry.cloned().unwrap_or_else(nobodys);
    let before = registry.as_str().len() + 1;
    Repository::new(registry, name).map_err(|error| NameError {
        text: name.to_owned(),
        near_miss: error.near_miss.and_then(|text| text.get(before..).map(str::to_owned)),
        problem: match error.problem {
            Problem::Character { character, position, allowed } => {
                Problem::Character { character, position: position.saturating_sub(before), allowed }
            }
            other => other,
        },
        ..error
    })
}

impl Report for Unfit {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Name(error) => error.hint(),
            Self::Elsewhere(_) => Some(
                "begin the name with the registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web"
                    .to_owned(),
            ),
            Self::NoDigest(reference) => Some(format!(
                "write {}@sha256:…; data \"ecr_image\" gives it as uri, for any tag",
                reference.repository
            )),
        }
    }
}

impl FromStr for PrivateRepository {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let elsewhere = || Unfit::Elsewhere(text.to_owned());
        let repository: Repository = match text.parse() {
            // The nearest registry that such a name could be of would be Docker Hub.
            Err(NameError { problem: Problem::NoHost, .. }) => return Err(elsewhere()),
            parsed => parsed?,
        };
        let host = repository.host().ecr().ok_or_else(elsewhere)?;
        Ok(Self { repository, host })
    }
}

impl FromStr for Place {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        if !is_bare(text) {
            return text.parse().map(Self::There);
        }
        in_registry(None, text)?;
        Ok(Self::Home(text.to_owned()))
    }
}

impl From<PrivateRepository> for Place {
    fn from(repository: PrivateRepository) -> Self {
        Self::There(repository)
    }
}

impl FromStr for Pinned {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let reference: Reference = text.parse()?;
        match reference.version() {
            Version::Digest(digest) => Ok(Self { repository: reference.repository, digest }),
            Version::Tag(_) => Err(Unfit::NoDigest(reference)),
        }
    }
}

impl FromStr for PrivateImage {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let pinned: Pinned = text.parse()?;
        match pinned.repository.host().ecr() {
            Some(_) => Ok(Self(pinned)),
            None => Err(Unfit::Elsewhere(text.to_owned())),
        }
    }
}

impl fmt::Display for PrivateRepository {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(out)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::There(repository) => repository.fmt(out),
            Self::Home(name) => name.fmt(out),
        }
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.repository, self.digest)
    }
}

impl fmt::Display for PrivateImage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Where something is whose `uri` state has. Not where `repository` leads, for the provider may have another account by
/// now.
pub(crate) fn place_of(uri: &Value) -> Option<PrivateRepository> {
    let image: PrivateImage = uri.as_str()?.parse().ok()?;
    image.0.repository.to_string().parse().ok()
}

/// The same for what has to be there.
pub(crate) fn known_place(uri: &Field<String>) -> Result<PrivateRepository, Diagnostics> {
    place_of(&uri.clone().into()).ok_or_else(|| {
        let detail = "Remove it from the state and import it again: the image itself is not touched.";
        Diagnostic::error("State does not say where this is", detail).into()
    })
}

/// A word of a fixed few, as an argument: the type of an enum, and what users write for each of it.
macro_rules! choice {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $($(#[$meaning])* $variant,)*
        }

        impl tfplugin_rs::Shaped for $name {
            fn shape() -> tfplugin_rs::Shape {
                tfplugin_rs::Type::String.into()
            }

            fn attribute(name: &str) -> tfplugin_rs::Attribute {
                tfplugin_rs::Attribute::required(name, Self::shape())
                    .validate(tfplugin_rs::Validator::one_of([$($word),*]))
            }
        }

        impl tfplugin_rs::FromValue for $name {
            fn from_value(view: &tfplugin_rs::View<'_>) -> Result<Self, tfplugin_rs::ValueError> {
                match view.read::<String>()?.as_str() {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(view.is_not(concat!("one of", $(" \"", $word, "\""),*))),
                }
            }
        }

        impl From<$name> for tfplugin_rs::Value {
            fn from(choice: $name) -> Self {
                match choice {
                    $($name::$variant => $word.into(),)*
                }
            }
        }
    };
}

pub(crate) use choice;

choice! {
    /// What to do about a tag that somebody pointed at another image.
    OnMovedTag {
        /// Point it back.
        Restore = "restore",
        /// Leave it.
        Ignore = "ignore",
    }
}

/// An error of the registry, at the argument that is to blame for it, as far as one of these is.
pub(crate) fn blamed(error: &ecr_registry::Error, image: &str, tag: &str) -> Diagnostic {
    use ecr_registry::ErrorKind::{
        ContentMissing, ImageMissing, Manifest, RepositoryMissing, TagImmutable, TagMissing,
    };
    let argument = match *error.kind {
        RepositoryMissing(_) => "repository",
        TagImmutable { .. } => tag,
        ImageMissing | TagMissing(_) | Manifest(_) | ContentMissing(_) => image,
        _ => return error.report(),
    };
    error.report().at(argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web";

    fn check<T: FromStr<Err: Report>>(value: impl Into<Value>, expected: &[&str]) {
        let config = Value::object([("it", value.into())]);
        let faults = faults::<T>(&config.view().get("it"));
        let shown: Vec<_> =
            faults.iter().map(|fault| format!("{}\n{}", fault.summary, fault.detail)).collect();
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        for (shown, expected) in shown.iter().zip(expected) {
            assert!(shown.contains(expected), "{shown}");
        }
        assert!(faults.iter().all(|fault| fault.attribute == Some("it".into())));
    }

    #[test]
    fn names_are_judged_at_their_argument() {
        let pinned = format!("{ECR}@{}", Digest::of(b""));
        check::<PrivateRepository>(ECR, &[]);
        check::<PrivateRepository>(Value::Unknown, &[]);
        check::<PrivateRepository>(Value::Null, &[]);
        check::<PrivateRepository>("shop/web", &["hint: begin the name with the registry"]);
        check::<PrivateRepository>(
            "ghcr.io/shop/web",
            &["`ghcr.io/shop/web` is not in a private ECR registry"],
        );
        check::<Place>("shop/web", &[]);
        check::<Place>(ECR, &[]);
        check::<Place>("shop/Web", &["Repository `shop/Web` has 'W' at position 6"]);
        check::<Place>("Shop/web", &["hint: did you mean `shop/web`?"]);
        check::<Place>("ghcr.io/shop/web", &["`ghcr.io/shop/web` is not in a private ECR registry"]);
        check::<Pinned>(pinned.as_str(), &[]);
        check::<Pinned>(
            "debian:12",
            &["does not name the image by its digest\nhint: write docker.io/library/debian@"],
        );
        check::<PrivateImage>(pinned.as_str(), &[]);
        check::<PrivateImage>(format!("debian@{}", Digest::of(b"")), &["is not in a private ECR registry"]);
        check::<PrivateImage>(ECR, &["does not name the image by its digest"]);
        check::<ecr_registry::Tag>(Value::list(["a".into(), Value::Unknown, "b c".into()]), &["Tag `b c`"]);
    }

    #[test]
    fn state_says_what_the_configuration_does() {
        let written = Value::from("debian:12");
        let text: Text<Reference> = written.view().read().unwrap();
        assert_eq!(text.to_string(), "docker.io/library/debian:12");
        assert_eq!(Value::from(text), written);
        let error = Value::from("a b").view().read::<Text<Reference>>().unwrap_err();
        assert!(error.to_string().contains("a name (image reference `a b`"), "{error}");
    }
}
