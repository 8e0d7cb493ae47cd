//! A provider's pages for the registries: generated anew, checked by the registry's own rules, compared with what is kept.
//!
//! Knows of no provider: what there is to document is in the schema and the examples it is given.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

/// Where the parts of a provider's documentation are.
#[derive(Debug, Clone, Copy)]
pub struct Documentation<'a> {
    /// The program `tfplugindocs` by `HashiCorp`, which generates and validates.
    pub tool: &'a Path,
    /// The provider's name without its registry and namespace, such as `ecr`.
    pub provider: &'a str,
    /// The examples: a folder for each kind of object, as the tool wants them.
    pub examples: &'a Path,
    /// The pages that are kept. Those in `guides` are written by hand and left alone.
    pub pages: &'a Path,
}

/// The folders of examples that are about one object each. What else there is are whole stories.
const EXAMPLES: &[&str] = &[
    "provider",
    "resources",
    "data-sources",
    "functions",
    "ephemeral-resources",
    "actions",
    "list-resources",
    "state-stores",
];
const BY_HAND: &str = "guides/";

impl Documentation<'_> {
    /// The pages that are not what would be generated from the [`document`](super::document) of the provider; with
    /// `update`, they are written anew before.
    ///
    /// # Errors
    /// Also when the tool fails or warns, with all it said.
    pub fn outdated(&self, document: &Value, update: bool) -> io::Result<Vec<String>> {
        let generated = self.generate(document)?;
        if update {
            let mut outdated = self.kept()?.into_keys().filter(|name| !generated.contains_key(name));
            outdated.try_for_each(|name| fs::remove_file(self.pages.join(name)))?;
            write(self.pages, &generated)?;
        }
        let kept = self.kept()?;
        let names = generated.keys().chain(kept.keys().filter(|name| !generated.contains_key(*name)));
        Ok(names.filter(|name| generated.get(*name) != kept.get(*name)).cloned().collect())
    }

    /// The pages below a folder of their own, each valid.
    fn generate(&self, document: &Value) -> io::Result<BTreeMap<String, String>> {
        let folder = tempfile::tempdir()?;
        for part in EXAMPLES {
            write(&folder.path().join("examples").join(part), &texts(&self.examples.join(part))?)?;
        }
        let schema = folder.path().join("schema.json");
        fs::write(&schema, self.of_this_name(document).to_string())?;
        for verb in ["generate", "validate"] {
            self.run(verb, folder.path(), &schema)?;
        }
        texts(&folder.path().join("docs"))
    }

    /// The tool wants the schema of a provider of its own registry.
    fn of_this_name(&self, document: &Value) -> Value {
        let schema = document["provider_schemas"].as_object().and_then(|schemas| schemas.values().next());
        json!({ "format_version": "1.0", "provider_schemas": { self.provider: schema } })
    }

    fn run(&self, verb: &str, folder: &Path, schema: &Path) -> io::Result<()> {
        let mut command = Command::new(self.tool);
        command.arg(verb).args(["--provider-name", self.provider, "--provider-dir"]).arg(folder);
        let output = command.arg("--providers-schema").arg(schema).output()?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() && !said.contains("WARN") {
            return Ok(());
        }
        Err(io::Error::other(format!("tfplugindocs {verb}: {said}")))
    }

    fn kept(&self) -> io::Result<BTreeMap<String, String>> {
        let mut kept = texts(self.pages)?;
        kept.retain(|name, _| !name.starts_with(BY_HAND));
        Ok(kept)
    }
}

/// The texts below a folder, by path; none if there is no folder.
fn texts(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![PathBuf::new()]);
    while let Some(inner) = folders.pop() {
        let entries = match fs::read_dir(folder.join(&inner)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = inner.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.to_string_lossy().into_owned(), fs::read_to_string(entry.path())?);
            }
        }
    }
    Ok(found)
}

fn write(folder: &Path, texts: &BTreeMap<String, String>) -> io::Result<()> {
    for (name, text) in texts {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap_or(folder))?;
        fs::write(file, text)?;
    }
    Ok(())
}
