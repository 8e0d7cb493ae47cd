//! Which namespace a release goes to.
//!
//! Helm tells its plugins a namespace always, also when nobody named one: then it is that of the current context of
//! the user's own kubeconfig, which may belong to another cluster. Only what was named counts; anything else is
//! shown to a person, and refused where no person looks.

use std::fs;

use rustix::process::getppid;

use crate::{exit::Exit, failure::Explain};

/// Where a namespace can be named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// `-n` of our own command line.
    pub(crate) flag: Option<String>,
    /// `-n` of the helm that started us, which takes it away from our command line.
    pub(crate) outer_flag: Option<String>,
    /// `EKS_DEPLOY_NAMESPACE`.
    pub(crate) environment: Option<String>,
    /// `release.namespace` of the file.
    pub(crate) file: Option<String>,
    /// What Helm assumes.
    pub(crate) assumed: Option<String>,
}

/// A namespace, and whether someone named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// Its name.
    pub(crate) name: String,
    /// Nobody named it.
    pub(crate) assumed: bool,
}

/// Nobody named a namespace, and nobody looks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no namespace was named")]
pub(crate) struct NamespaceError {
    assumed: String,
}

impl Explain for NamespaceError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(format!(
            "pass -n NAMESPACE, or set EKS_DEPLOY_NAMESPACE or release.namespace in the file; `{}` is only what the \
             current context of your kubeconfig says",
            self.assumed
        ))
    }
}

impl Sources {
    /// The namespace to use. `attended` says that a person looks at the output.
    pub(crate) fn choose(self, attended: bool) -> Result<Namespace, NamespaceError> {
        let named = self.flag.or(self.outer_flag).or(self.environment).or(self.file);
        if let Some(name) = named.filter(|name| !name.is_empty()) {
            return Ok(Namespace { name, assumed: false });
        }
        let assumed = self.assumed.unwrap_or_else(|| "default".to_owned());
        if attended {
            Ok(Namespace { name: assumed, assumed: true })
        } else {
            Err(NamespaceError { assumed })
        }
    }
}

/// The command line of the helm that started us, empty where that cannot be known.
pub(crate) fn outer_arguments() -> Vec<String> {
    let path = getppid().map(|parent| format!("/proc/{}/cmdline", parent.as_raw_nonzero()));
    let text = path.and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let arguments = text.split(|byte| *byte == 0).skip(1);
    arguments.map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
}

/// The value of a flag as Helm reads it: `--flag VALUE`, `--flag=VALUE`, `-f VALUE`, `-f=VALUE`, anywhere; the last
/// one counts.
pub(crate) fn flag_value(arguments: &[String], long: &str, short: Option<&str>) -> Option<String> {
    let names = [Some(long), short];
    let names = names.iter().flatten();
    let mut found = None;
    for (position, argument) in arguments.iter().enumerate() {
        for name in names.clone() {
            if argument == name {
                found = arguments.get(position + 1).cloned();
            } else if let Some(value) = argument.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                found = Some(value.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_11_only_what_was_named() {
        let text = |text: &str| Some(text.to_owned());
        let named = |name: &str| Ok(Namespace { name: name.to_owned(), assumed: false });
        let all = Sources {
            flag: text("a"),
            outer_flag: text("b"),
            environment: text("c"),
            file: text("d"),
            assumed: text("e"),
        };
        assert_eq!(all.clone().choose(false), named("a"));
        assert_eq!(Sources { flag: None, ..all.clone() }.choose(false), named("b"));
        assert_eq!(Sources { file: text("d"), ..Sources::default() }.choose(false), named("d"));
        let nobody = Sources { assumed: text("e"), ..Sources::default() };
        assert_eq!(nobody.clone().choose(true), Ok(Namespace { name: "e".to_owned(), assumed: true }));
        assert_eq!(nobody.choose(false), Err(NamespaceError { assumed: "e".to_owned() }));
        assert_eq!(
            Sources::default().choose(true),
            Ok(Namespace { name: "default".to_owned(), assumed: true })
        );
    }

    #[test]
    fn reads_the_outer_command_line() {
        let check = |line: &str, expected: Option<&str>| {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(flag_value(&arguments, "--namespace", Some("-n")).as_deref(), expected, "{line}");
        };
        check("eks-deploy up web ./web -n shop", Some("shop"));
        check("-n=shop eks-deploy up", Some("shop"));
        check("eks-deploy up --namespace shop -- --debug", Some("shop"));
        check("eks-deploy up --namespace=a --namespace=b", Some("b"));
        check("eks-deploy up web ./web", None);
        check("eks-deploy up --namespace", None);
        check("eks-deploy up --namespaces=x", None);
    }
}
