//! What is not as the plan has it.

use std::path::PathBuf;

use super::{KEY_VARIABLE, Plan};
use crate::{exit::Exit, failure::Explain};

/// What would be deployed is not what was planned.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("what would be deployed is not what `{}` says:{}", path.display(), lines(.differences))]
pub(crate) struct Differs {
    path: PathBuf,
    differences: Vec<Difference>,
}

#[derive(Debug, PartialEq, Eq)]
struct Difference {
    exit: Exit,
    text: String,
}

fn lines(differences: &[Difference]) -> String {
    differences.iter().flat_map(|difference| ["\n", &difference.text]).collect()
}

impl Explain for Differs {
    /// The gravest: another cluster, then other images.
    fn exit(&self) -> Exit {
        let has = |exit: Exit| self.differences.iter().any(|difference| difference.exit == exit);
        [Exit::Access, Exit::ImagePolicy].into_iter().find(|exit| has(*exit)).unwrap_or(Exit::Failure)
    }

    fn hint(&self) -> Option<String> {
        Some("nothing was changed; plan again: eks-deploy plan RELEASE CHART --out FILE".to_owned())
    }
}

impl Plan {
    /// That what was found is what was planned.
    pub(crate) fn check(&self, found: &Self, path: PathBuf) -> Result<(), Differs> {
        let differences = self.differences(found);
        if differences.is_empty() { Ok(()) } else { Err(Differs { path, differences }) }
    }

    fn differences(&self, found: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut add = |exit, text: String| differences.push(Difference { exit, text });
        let mut compare = |exit, what: &str, planned: &str, found: &str| {
            if planned != found {
                add(exit, format!("{what}: planned {planned}, found {found}"));
            }
        };
        compare(Exit::Access, "cluster", &self.cluster, &found.cluster);
        compare(Exit::Failure, "release", &self.release, &found.release);
        compare(Exit::Failure, "namespace", &self.namespace, &found.namespace);
        compare(Exit::Failure, "next revision", &self.revision.to_string(), &found.revision.to_string());
        let chart = |plan: &Self| format!("{} {}", plan.chart.name, plan.chart.version);
        compare(Exit::Failure, "chart", &chart(self), &chart(found));
        let digest = |plan: &Self| plan.chart.digest.clone().unwrap_or_else(|| "unknown".to_owned());
        compare(Exit::Failure, "chart digest", &digest(self), &digest(found));
        for image in self.images.difference(&found.images) {
            add(Exit::ImagePolicy, format!("image planned and not found: {image}"));
        }
        for image in found.images.difference(&self.images) {
            add(Exit::ImagePolicy, format!("image found and not planned: {image}"));
        }
        match (&self.values, &found.values) {
            (Some(_), None) => {
                add(Exit::Failure, format!("values: planned with {KEY_VARIABLE}, which is not set"));
            }
            (Some(planned), Some(found)) if planned != found => {
                add(Exit::Failure, "values: they are not those that were planned".to_owned());
            }
            _ => {}
        }
        differences
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::{Key, tests::plan};

    #[test]
    fn rule_15_what_is_not_as_planned() {
        let check = |change: &dyn Fn(&mut Plan), exit: Exit, expected: &[&str]| {
            let mut found = plan();
            change(&mut found);
            let error = plan().check(&found, "plan.json".into()).unwrap_err();
            let message =
                format!("what would be deployed is not what `plan.json` says:\n{}", expected.join("\n"));
            assert_eq!((error.to_string(), error.exit()), (message, exit));
        };
        assert_eq!(plan().check(&plan(), "plan.json".into()), Ok(()));
        check(&|plan| plan.revision = 4, Exit::Failure, &["next revision: planned 3, found 4"]);
        check(&|plan| plan.release = "api".to_owned(), Exit::Failure, &["release: planned web, found api"]);
        check(&|plan| plan.namespace = "x".to_owned(), Exit::Failure, &["namespace: planned shop, found x"]);
        check(
            &|plan| plan.chart.version = "0.2.0".to_owned(),
            Exit::Failure,
            &["chart: planned web 0.1.0, found web 0.2.0"],
        );
        check(
            &|plan| plan.chart.digest = Some("d".to_owned()),
            Exit::Failure,
            &["chart digest: planned unknown, found d"],
        );
        let values = "values: they are not those that were planned";
        check(&|plan| plan.values = Key::new(Some("k")).code(b"x"), Exit::Failure, &[values]);
        let values = "values: planned with EKS_DEPLOY_PLAN_KEY, which is not set";
        check(&|plan| plan.values = None, Exit::Failure, &[values]);
        let other = "r.example/a:1@sha256:01";
        let images = [
            "image planned and not found: r.example/a:1@sha256:00".to_owned(),
            format!("image found and not planned: {other}"),
        ];
        let images = images.each_ref().map(String::as_str);
        check(&|plan| plan.images = BTreeSet::from([other.to_owned()]), Exit::ImagePolicy, &images);
        let cluster = format!("cluster: planned {}, found b", plan().cluster);
        let everything = |plan: &mut Plan| {
            plan.cluster = "b".to_owned();
            plan.images = BTreeSet::from([other.to_owned()]);
        };
        check(&everything, Exit::Access, &[&cluster, images[0], images[1]]);
    }
}
