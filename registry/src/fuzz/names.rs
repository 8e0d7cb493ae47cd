use std::{fmt, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    endpoints::Endpoints,
    names::{Digest, Host, NameError, Noun, Platform, Reference, Repository, Tag, Version},
};

/// A text that somebody typed as a name, or as a map of endpoints.
pub fn names(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    name::<Host>(text);
    name::<Repository>(text);
    name::<Tag>(text);
    name::<Digest>(text);
    name::<Platform>(text);
    name::<Reference>(text);
    name::<Version>(text);
    if let Err(error) = Endpoints::parse_text(text) {
        assert!(!error.to_string().is_empty());
    }
}

/// A name means the same after it was written and read; what is suggested instead of one can be used.
fn name<T>(text: &str)
where
    T: FromStr<Err = NameError> + fmt::Display + fmt::Debug + PartialEq + Serialize + DeserializeOwned,
{
    match text.parse::<T>() {
        Ok(name) => {
            assert_eq!(name.to_string().parse().as_ref(), Ok(&name));
            let json = serde_json::to_string(&name).unwrap();
            assert_eq!(serde_json::from_str::<T>(&json).unwrap(), name);
        }
        Err(error) => {
            assert!(error.to_string().contains(&error.text));
            assert!(error.near_miss.as_ref().is_none_or(|near_miss| is_a(error.noun, near_miss)));
        }
    }
}

fn is_a(noun: Noun, text: &str) -> bool {
    match noun {
        Noun::Host => text.parse::<Host>().is_ok(),
        Noun::Repository => text.parse::<Repository>().is_ok(),
        Noun::Tag => text.parse::<Tag>().is_ok(),
        Noun::Digest => text.parse::<Digest>().is_ok(),
        Noun::Reference => text.parse::<Reference>().is_ok(),
        Noun::Platform => text.parse::<Platform>().is_ok(),
    }
}
