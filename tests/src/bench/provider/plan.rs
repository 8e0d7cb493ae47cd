//! 200 images that nobody changed, planned again.

use std::fs;

use anyhow::Result;

use super::stack::{CLI, Ecr, Stack};
use crate::bench::build::shrink;
use crate::bench::contest::{self, Entrant, Finished, OURS, Taken, megabytes};
use crate::bench::lane::Stage;
use crate::tool::OPENTOFU;

/// The figures of a plan: requests, megabytes in memory, megabytes on disk.
pub(super) const REQUESTS: &str = "requests";
pub(super) const MEMORY: &str = "memory";
pub(super) const SIZE: &str = "size";
const IMAGES: u64 = 200;

const ALONE: &str = r#"
resource "terraform_data" "service" {
  count            = COUNT
  input            = { tags = ["v1"], number = count.index }
  triggers_replace = { repository = "shop/${count.index}" }
}
"#;

/// Ours, and the command line alone.
pub(super) fn compete(stage: &Stage, one_repository: bool, rounds: usize) -> Result<Vec<Finished>> {
    let (ecr, images) = (Ecr::start()?, (IMAGES / shrink()).max(2));
    let program = stage.programs()?.provider;
    let ours = Stack::new(stage, &ecr, Some(("eks-deploy/ecr", &program)))?;
    for number in 0..images {
        let app = ours.path().join(format!("app/{number}"));
        fs::create_dir_all(&app)?;
        fs::write(app.join("index.html"), format!("service {number}"))?;
        ecr.emulator.create(&repository(one_repository, &number.to_string()));
    }
    let host = ecr.emulator.host();
    ours.configuration(&format!(
        "terraform {{\n  required_providers {{\n    ecr = {{ source = \"registry.terraform.io/eks-deploy/ecr\" }}\n  }}\n}}\n\
         resource \"ecr_image\" \"service\" {{\n  count      = {images}\n  repository = \"{host}/{}\"\n  \
         tags       = [\"v1-${{count.index}}\"]\n  files = {{\n    \
         layers = [{{ source = \"./app/${{count.index}}\", destination = \"/srv/\" }}]\n  }}\n}}\n",
        repository(one_repository, "${count.index}")
    ))?;
    let alone = Stack::new(stage, &ecr, None)?;
    alone.configuration(&ALONE.replace("COUNT", &images.to_string()))?;
    ours.run(&["apply", "-auto-approve"], "Apply complete!")?;
    alone.run(&["apply", "-auto-approve"], "Apply complete!")?;
    let size = megabytes(fs::metadata(&program)?.len());
    let plan = |stack: &Stack| {
        let before = ecr.emulator.requests().len();
        let ran = stack.run(&["plan"], "No changes.")?;
        let requests = f64::from(u32::try_from(ecr.emulator.requests().len() - before)?);
        let figures = [(REQUESTS, requests), (MEMORY, ran.provider.memory_mb), (SIZE, size)];
        Ok(Taken { usage: ran.usage, figures: figures.into() })
    };
    let entrant = |name, version: &str, stack| {
        let plan = &plan;
        Entrant { name, version: version.to_owned(), run: Box::new(move |_| plan(stack)) }
    };
    let entrants =
        vec![entrant(OURS, env!("CARGO_PKG_VERSION"), &ours), entrant(CLI, OPENTOFU.version, &alone)];
    contest::compete(entrants, rounds)
}

fn repository(one: bool, number: &str) -> String {
    if one { "shop/web".to_owned() } else { format!("shop/web-{number}") }
}
