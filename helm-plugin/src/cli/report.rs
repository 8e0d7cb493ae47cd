//! Where a change of a release is told of, beside the terminal.

use std::path::PathBuf;

use clap::Args;

use super::Output;
use crate::ci::CiChoice;

/// The keys of the report.
pub(super) const FORM: &str = r#"The report of --report and -o json; there may be more keys some day:
  {"version": 1, "verb": "up", "release": …, "namespace": …, "cluster": …, "chart": {"name": …, "version": …, "digest": …},
   "revision": 4, "outcome": …, "exitCode": 0, "error": null or {"message": …, "causes": […], "hint": …},
   "started": "2026-01-02T03:04:05Z", "seconds": 41.3, "images": [{"place": …, "before": …, "after": …}],
   "warnings": […], "timeline": [{"seconds": 3.1, "text": …}], "obstacles": [{"object": …, "namespace": …,
   "wanted": 2, "ready": 0, "causes": […], "events": […], "logs": […]}]}
  outcome: deployed, rolled-back, removed (a first installation that failed), failed, unchanged, pending, unknown,
  or not-started: helm was not asked to change anything.
In GitHub Actions `outcome`, `revision` and `images` are outputs of the step; in GitLab they are EKS_DEPLOY_OUTCOME, … in
the dotenv file that EKS_DEPLOY_DOTENV names. What Secrets of the release hold is hidden in logs and events."#;

/// Who is told.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Write what became of the release into this file, as JSON, also when it fails: images old and new, the course of
    /// the rollout, what stood in its way.
    #[arg(long, value_name = "FILE", env = "EKS_DEPLOY_REPORT", hide_env = true)]
    pub(crate) report: Option<PathBuf>,
    /// The form of the answer: what helm says, or the report, with what helm says on stderr.
    #[arg(long, short, default_value = "text")]
    pub(crate) output: Output,
    /// Speak to the pipeline that runs this.
    #[arg(long, value_name = "WHOSE", default_value = "auto", env = "EKS_DEPLOY_CI", hide_env = true)]
    pub(crate) ci: CiChoice,
}
