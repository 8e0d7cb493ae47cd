//! `PATH=REF` and `PATH=terraform:OUTPUT`: which image belongs where in a chart's values.

use std::str::FromStr;

use ecr_registry::{NameError, Reference};

use crate::images::values_path::{ValuesPath, ValuesPathError};

const OUTPUT: &str = "terraform:";

/// An image for a place in values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageArgument {
    /// The place.
    pub(crate) path: ValuesPath,
    /// The image.
    pub(crate) source: ImageSource,
}

/// Where an image is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ImageSource {
    /// Here.
    Reference(Reference),
    /// In an output of Terraform.
    Output(String),
}

/// What was typed is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImageArgumentError {
    /// There is no `=`.
    #[error("`{0}` is not of the form PATH=REF or PATH=terraform:OUTPUT")]
    Form(String),
    /// The place is none.
    #[error(transparent)]
    Path(#[from] ValuesPathError),
    /// The reference is none.
    #[error(transparent)]
    Reference(#[from] NameError),
}

impl FromStr for ImageArgument {
    type Err = ImageArgumentError;

    fn from_str(text: &str) -> Result<Self, ImageArgumentError> {
        let (path, source) = text.split_once('=').ok_or_else(|| ImageArgumentError::Form(text.to_owned()))?;
        Ok(Self { path: path.parse()?, source: source.parse()? })
    }
}

impl FromStr for ImageSource {
    type Err = ImageArgumentError;

    fn from_str(text: &str) -> Result<Self, ImageArgumentError> {
        match text.strip_prefix(OUTPUT) {
            Some("") => Err(ImageArgumentError::Form(text.to_owned())),
            Some(output) => Ok(Self::Output(output.to_owned())),
            None => Ok(Self::Reference(text.parse()?)),
        }
    }
}

/// The images of the file, with those of the command line in their place.
pub(crate) fn merge(flags: Vec<ImageArgument>, file: Vec<ImageArgument>) -> Vec<ImageArgument> {
    let kept = file.into_iter().filter(|entry| flags.iter().all(|flag| flag.path != entry.path));
    let mut images: Vec<ImageArgument> = kept.collect();
    images.extend(flags);
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let check = |text: &str, expected: Result<(&str, ImageSource), &str>| {
            let got = text.parse::<ImageArgument>().map_err(|error| error.to_string());
            let expected = expected.map_err(str::to_owned);
            assert_eq!(
                got.map(|image| (image.path.to_string(), image.source)),
                expected.map(|(path, source)| (path.to_owned(), source))
            );
        };
        let reference = |text: &str| ImageSource::Reference(text.parse().unwrap());
        check("image=r.example/a:1", Ok(("image", reference("r.example/a:1"))));
        check("api.image=terraform:api", Ok(("api.image", ImageSource::Output("api".to_owned()))));
        check("image", Err("`image` is not of the form PATH=REF or PATH=terraform:OUTPUT"));
        check("image=terraform:", Err("`terraform:` is not of the form PATH=REF or PATH=terraform:OUTPUT"));
        check("=a", Err("values path `` is not of the form `key.key[0].key`"));
    }

    #[test]
    fn flags_replace_the_file() {
        let image = |text: &str| text.parse::<ImageArgument>().unwrap();
        let merged =
            merge(vec![image("a=r.example/x:2")], vec![image("a=r.example/x:1"), image("b=r.example/y:1")]);
        assert_eq!(merged, [image("b=r.example/y:1"), image("a=r.example/x:2")]);
    }
}
