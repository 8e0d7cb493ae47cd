//! The images that a build of a Dockerfile begins with, copies from or mounts, by the names written there.

use std::collections::BTreeSet;

use super::{Dockerfile, Instruction, error::DockerfileError, mount, reach::Inputs, stages::Base};

impl Dockerfile {
    /// Their names, sorted. One whose name holds what only the builder knows is not among them.
    ///
    /// # Errors
    /// As `reach`.
    pub(crate) fn images(&self, inputs: Inputs<'_>) -> Result<BTreeSet<String>, DockerfileError> {
        let target = self.target(inputs.target)?;
        let mut images = BTreeSet::new();
        for platform in inputs.platforms {
            let global = self.global(inputs.args, platform, inputs.target);
            for stage in self.needed(target, &global)?.into_values() {
                if let Base::Image(name) = stage.base {
                    images.insert(name);
                }
                for step in &stage.steps {
                    images.extend(self.taken_from(&step.instruction));
                }
            }
        }
        Ok(images)
    }

    /// What a step takes files from, unless that is a stage.
    fn taken_from(&self, instruction: &Instruction) -> Vec<String> {
        let names: Vec<String> = match instruction {
            Instruction::Copy(copy) => copy.from.iter().cloned().collect(),
            Instruction::Run(run) => {
                let mounts = run.mounts.iter().map(|mount| mount::read(mount, |value| Ok(value.to_owned())));
                mounts.filter_map(|mount| mount.ok()?.from).collect()
            }
            _ => Vec::new(),
        };
        names.into_iter().filter(|name| name != "scratch" && self.stage_of(name).is_none()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ecr_registry::Platform;

    use super::*;

    #[test]
    fn finds_images() {
        let check = |text: &str, target: Option<&str>, expected: &[&str]| {
            let args = BTreeMap::from([("TAG".to_owned(), "13".to_owned())]);
            let inputs = Inputs { target, args: &args, platforms: &[Platform::linux_amd64()] };
            let found = Dockerfile::parse(text).unwrap().images(inputs).unwrap();
            assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{text}");
        };
        check("FROM scratch\nCOPY a /\n", None, &[]);
        check("ARG TAG=12\nFROM debian:$TAG\n", None, &["debian:13"]);
        check("FROM a AS x\nFROM b AS y\nFROM c\nCOPY --from=x / /\n", None, &["a", "c"]);
        check("FROM a AS x\nFROM b AS y\n", Some("x"), &["a"]);
        check("FROM x\nFROM a\nCOPY --from=d:1 / /\nCOPY --from=0 / /\n", None, &["a", "d:1", "x"]);
        check(
            "FROM a\nRUN --mount=from=e,target=/e x\nRUN --mount=type=cache,target=/c x\n",
            None,
            &["a", "e"],
        );
        check("FROM a-$BUILDARCH\nCOPY --from=f / /\n", None, &["f"]);
    }
}
