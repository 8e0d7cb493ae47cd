//! The images that a build of a Dockerfile begins with, copies from or mounts, by the names written there.

use std::collections::BTreeMap;

use super::{Dockerfile, Instruction, error::DockerfileError, mount, reach::Inputs, stages::Base};

impl Dockerfile {
    /// Their names, each with the first line it is in. One whose name holds what only the builder knows is not among
    /// them.
    ///
    /// # Errors
    /// As `reach`.
    pub(crate) fn images(&self, inputs: Inputs<'_>) -> Result<BTreeMap<String, u32>, DockerfileError> {
        let target = self.target(inputs.target)?;
        let mut images = BTreeMap::new();
        for platform in inputs.platforms {
            let global = self.global(inputs.args, platform, inputs.target);
            for (place, stage) in self.needed(target, &global)? {
                if let Base::Image(name) = stage.base {
                    images.entry(name).or_insert(self.stages[place].lines.0);
                }
                for step in &stage.steps {
                    for name in self.taken_from(&step.instruction) {
                        images.entry(name).or_insert(step.lines.0);
                    }
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
            let found: Vec<String> = found.iter().map(|(name, line)| format!("{name} {line}")).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("FROM scratch\nCOPY a /\n", None, &[]);
        check("ARG TAG=12\nFROM debian:$TAG\n", None, &["debian:13 2"]);
        check("FROM a AS x\nFROM b AS y\nFROM c\nCOPY --from=x / /\n", None, &["a 1", "c 3"]);
        check("FROM a AS x\nFROM b AS y\n", Some("x"), &["a 1"]);
        check("FROM x\nFROM a\nCOPY --from=d:1 / /\nCOPY --from=0 / /\n", None, &["a 2", "d:1 3", "x 1"]);
        check(
            "FROM a\nRUN --mount=from=e,target=/e x\nRUN --mount=type=cache,target=/c x\n",
            None,
            &["a 1", "e 2"],
        );
        check("FROM a-$BUILDARCH\nCOPY --from=f / /\n", None, &["f 2"]);
    }
}
