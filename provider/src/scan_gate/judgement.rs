//! Whether findings let an image through, as a pure function of them, the criteria and the day.

use ecr_registry::{Finding, Severity};
use tfplugin_rs::{Diagnostic, Object};

use super::FailOn;
use crate::{
    argument::{Pinned, Text},
    form::given,
    moment::Day,
    scan::Summary,
};

/// How many findings an error names.
const NAMED: usize = 20;

/// A finding that does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Object)]
pub(crate) struct Exception {
    /// What the finding is known by: `CVE-2024-3094`.
    #[object(validate = given())]
    pub(crate) id: String,
    /// The last day on which it does not count, as `2027-01-31`, in UTC. Without it, it never does. The end of a day shuts
    /// no gate that has let an image through.
    pub(crate) until: Option<Text<Day>>,
    /// Why, for those who read this later.
    #[object(validate = given())]
    pub(crate) reason: Option<String>,
}

/// What keeps an image back.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    fail_on: Severity,
    findings: Vec<Finding>,
    /// Exceptions that would have helped, and the days on which they ended.
    ended: Vec<(String, String)>,
}

/// Judges what scans found.
pub(crate) fn judge(
    summary: &Summary,
    fail_on: FailOn,
    ignore: &[&Exception],
    today: &Day,
) -> Result<(), Refusal> {
    let fail_on = Severity::from(fail_on);
    let is_over = |exception: &Exception| exception.until.as_ref().is_some_and(|until| **until < *today);
    let excused =
        |finding: &Finding| ignore.iter().any(|exception| exception.id == finding.id && !is_over(exception));
    let bad = summary.findings.iter().filter(|finding| finding.severity >= fail_on && counts(finding));
    let findings: Vec<Finding> = bad.filter(|finding| !excused(finding)).cloned().collect();
    if findings.is_empty() {
        return Ok(());
    }
    let ended = ignore
        .iter()
        .filter(|exception| is_over(exception) && findings.iter().any(|finding| finding.id == exception.id));
    let ended =
        ended.filter_map(|exception| Some((exception.id.clone(), exception.until.as_ref()?.to_string())));
    Err(Refusal { fail_on, ended: ended.collect(), findings })
}

/// Whether a finding is neither suppressed nor closed where it was found.
fn counts(finding: &Finding) -> bool {
    finding.status.as_deref().is_none_or(|status| status == "ACTIVE")
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Informational => Self::Informational,
            FailOn::Low => Self::Low,
            FailOn::Medium => Self::Medium,
            FailOn::High => Self::High,
            FailOn::Critical => Self::Critical,
        }
    }
}

impl Refusal {
    /// The error, naming the findings, the worst first.
    pub(super) fn diagnostic(&self, image: &Pinned) -> Diagnostic {
        let count = self.findings.len();
        let finding = if count == 1 { "finding" } else { "findings" };
        let summary = format!("{image} is kept back: {count} {finding} of {} or worse", self.fail_on);
        let mut lines: Vec<String> = self.findings.iter().take(NAMED).map(line).collect();
        if count > NAMED {
            lines.push(format!("and {} more; see them all with the data source ecr_scan", count - NAMED));
        }
        lines.extend(self.ended.iter().map(|(id, day)| format!("the exception for {id} ended on {day}")));
        lines.push(
            "hint: update what was found, or write { id, until, reason } into `ignore` for what does not apply"
                .to_owned(),
        );
        Diagnostic::error(summary, lines.join("\n")).at("image")
    }
}

/// `CRITICAL CVE-2024-3094 in xz 5.6.0, fixed in 5.6.2`.
fn line(finding: &Finding) -> String {
    let packages = finding.packages.iter().map(|package| {
        let fixed =
            package.fixed_in.as_ref().map(|version| format!(", fixed in {version}")).unwrap_or_default();
        format!("{} {}{fixed}", package.name, package.version)
    });
    let packages: Vec<String> = packages.collect();
    let place = if packages.is_empty() { String::new() } else { format!(" in {}", packages.join("; ")) };
    format!("{} {}{place}", finding.severity, finding.id)
}
