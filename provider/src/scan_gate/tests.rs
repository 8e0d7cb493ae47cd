//! Judgements and plans of gates as data.

use std::{
    slice::from_ref,
    time::{Duration, SystemTime},
};

use ecr_registry::{Finding, Package, Scan, ScanStatus, Severity};
use tfplugin_rs::{Value, testing::State};

use super::*;
use crate::{
    argument::Pinned,
    offline::{ECR, digest, offline, said, texts},
};

fn finding(id: &str, severity: &str) -> Finding {
    let package = Package {
        name: "xz".to_owned(),
        version: "5.6.0".to_owned(),
        fixed_in: Some("5.6.2".to_owned()),
        path: None,
    };
    Finding {
        id: id.to_owned(),
        severity: severity.into(),
        description: String::new(),
        url: None,
        packages: vec![package],
        score: None,
        fix_available: None,
        exploit_available: None,
        status: None,
    }
}

fn scanned(ended: u64, findings: &[Finding]) -> Scan {
    let count = |severity: &Severity| findings.iter().filter(|finding| finding.severity == *severity).count();
    Scan {
        status: ScanStatus::Complete,
        description: String::new(),
        completed_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(ended)),
        severity_counts: findings
            .iter()
            .map(|finding| (finding.severity.clone(), count(&finding.severity) as u64))
            .collect(),
        findings: findings.to_vec(),
    }
}

#[test]
fn findings_are_judged() {
    let image: Pinned = format!("{ECR}@{}", digest("one")).parse().unwrap();
    let check = |findings: &[Finding], fail_on, ignore: &[(&str, Option<&str>)], expected: &str| {
        let exception = |(id, until): &(&str, Option<&str>)| Exception {
            id: (*id).to_owned(),
            until: until.map(|day| day.parse().unwrap()),
            reason: None,
        };
        let ignore: Vec<Exception> = ignore.iter().map(exception).collect();
        let today = "2026-11-23".parse().unwrap();
        let summary = Summary::of(&[scanned(7, findings)]);
        let judged = judge(&summary, fail_on, &ignore.iter().collect::<Vec<_>>(), &today);
        let said = judged.err().map(|refusal| said(&refusal.diagnostic(&image).into())).unwrap_or_default();
        assert_eq!(said.is_empty(), expected.is_empty(), "{said}");
        assert!(said.contains(expected), "{said}");
    };
    let (bad, high) = (finding("CVE-1", "CRITICAL"), finding("CVE-2", "HIGH"));
    check(&[], FailOn::Informational, &[], "");
    check(from_ref(&high), FailOn::Critical, &[], "");
    check(
        from_ref(&high),
        FailOn::High,
        &[],
        "1 finding of HIGH or worse HIGH CVE-2 in xz 5.6.0, fixed in 5.6.2",
    );
    check(&[bad.clone(), high.clone()], FailOn::High, &[], "2 findings of HIGH or worse CRITICAL CVE-1");
    check(&[bad.clone(), high.clone()], FailOn::High, &[("CVE-1", None)], "1 finding of HIGH");
    check(from_ref(&bad), FailOn::Critical, &[("CVE-1", Some("2026-11-23"))], "");
    let ended = &[("CVE-1", Some("2026-11-22"))];
    check(from_ref(&bad), FailOn::Critical, ended, "the exception for CVE-1 ended on 2026-11-22 hint:");
    check(&[finding("CVE-3", "APOCALYPTIC")], FailOn::Critical, &[], "APOCALYPTIC CVE-3");
    check(&[finding("CVE-4", "UNTRIAGED")], FailOn::Informational, &[], "");
    check(&[Finding { status: Some("SUPPRESSED".to_owned()), ..bad.clone() }], FailOn::Low, &[], "");
    check(&[Finding { status: Some("ACTIVE".to_owned()), ..bad }], FailOn::Low, &[], "CVE-1");
    let many: Vec<Finding> = (0..23).map(|number| finding(&format!("CVE-{number}"), "HIGH")).collect();
    check(&many, FailOn::High, &[], "and 3 more");
}

#[test]
fn several_scans_are_one() {
    let (one, two) = (finding("CVE-1", "LOW"), finding("CVE-2", "HIGH"));
    let summary = Summary::of(&[scanned(9, from_ref(&one)), scanned(7, &[two.clone(), one.clone()])]);
    assert_eq!(summary.findings, [two, one]);
    assert_eq!(summary.counts(), [("HIGH".to_owned(), 1), ("LOW".to_owned(), 2)].into());
    assert_eq!(summary.scanned_at.map(rfc3339).as_deref(), Some("1970-01-01T00:00:07Z"));
}

fn config() -> Value {
    Value::object([("image", format!("{ECR}@{}", digest("one")).into())])
}

#[tokio::test]
async fn what_was_let_through_stays_so() {
    let value = config()
        .with("fail_on", "CRITICAL")
        .with("start_scan", false)
        .with("passed_uri", config().get("image").clone())
        .with("severity_counts", Value::object([("LOW", 1_u64.into())]))
        .with("scanned_at", "2026-11-23T01:34:56Z");
    let state = State { value, ..State::default() };
    let check = async |config: Value, judged_again: bool| {
        let planned = offline().await.plan(TYPE_NAME, &state, config.clone()).await.unwrap();
        for name in ["passed_uri", "severity_counts", "scanned_at"] {
            assert_eq!(planned.value.get(name).is_unknown(), judged_again, "{name} {config:?}");
        }
        assert!(planned.replaces.is_empty());
    };
    let ignored = |reason: &str| Value::list([texts([("id", "CVE-1"), ("reason", reason)])]);
    check(config(), false).await;
    check(config().with("start_scan", true), false).await;
    check(config().with("timeouts", texts([("create", "5m")])), false).await;
    check(config().with("fail_on", "HIGH"), true).await;
    check(config().with("ignore", ignored("none of ours")), true).await;
    check(config().with("image", format!("{ECR}@{}", digest("two"))), true).await;
    check(config().with("image", Value::Unknown), true).await;
}

#[tokio::test]
async fn bad_input_is_named() {
    let check = async |config: Value, expected: &str| {
        let errors = offline().await.plan(TYPE_NAME, &State::default(), config).await.unwrap_err();
        assert!(said(&errors).contains(expected), "{}", said(&errors));
    };
    check(config().with("image", ECR), "image: `123456789012.dkr.").await;
    check(config().with("fail_on", "BAD"), "`fail_on` must be one of \"INFORMATIONAL\", \"LOW\"").await;
    let until = Value::list([texts([("id", "CVE-1"), ("until", "tomorrow")])]);
    check(config().with("ignore", until), "ignore: `tomorrow` is not a day hint: write it as").await;
}
