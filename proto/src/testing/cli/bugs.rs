//! What Terraform and OpenTofu say when a provider breaks the protocol's rules.
//!
//! Source: their `internal/terraform` and `internal/plugin6`, releases 1.11 to 1.16 and 1.12.

/// Each a phrase, or parts of one in their order.
const SIGNS: &[&[&str]] = &[
    &["bug in the provider"],
    &["bug in the relevant provider"],
    &["issue in the provider SDK"],
    &["Provider produced invalid plan"],
    &["Provider deferred changes when Terraform did not allow deferrals"],
    &["Provider produced inconsistent result after apply"],
    &["Provider produced inconsistent final plan"],
    &["Provider returned invalid result object after apply"],
    &["Resource deferred during apply, but not during plan"],
    &["Provider produced invalid object"],
    &["Provider produced null object"],
    &["Provider produced invalid identity"],
    &["Provider produced an identity that doesn't match the schema"],
    &["Invalid resource state upgrade"],
    &["Invalid resource identity upgrade"],
    &["Provider returned invalid value"],
    &["Import returned a non-null value for a write-only attribute"],
    &["Import returned no resources"],
    &["Import returned null resource"],
    &["Multiple import states not supported"],
    &["Cannot import deferred remote object"],
    &["Provider produced invalid ephemeral resource instance"],
    &["function returned an inconsistent result"],
    &["Invalid deferral"],
    &["Invalid deferred reason"],
    &["Provider return invalid response"],
    &["Invalid provider response"],
    &["Plugin did not respond"],
    &["Plugin error"],
    &["Request cancelled"],
    &["Unsupported plugin method"],
    &["Failed to load plugin schemas"],
    &["Unrecognized remote plugin message"],
    &["plugin crashed"],
    &["an object with ", " attributes is required ("],
    &["unsupported attribute \""],
];

/// Every phrase in a command's output by which Terraform or OpenTofu calls the provider faulty.
/// Frames and line breaks in the output do not hide one.
pub fn provider_bugs(output: &str) -> Vec<String> {
    let words: Vec<_> = output.split(|one: char| one.is_whitespace() || one == '│').collect();
    let flat = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    SIGNS.iter().filter(|sign| holds(&flat, sign)).map(|sign| sign.join("…")).collect()
}

fn holds(text: &str, parts: &[&str]) -> bool {
    let rest = parts.iter().try_fold(text, |rest, part| rest.split_once(part).map(|(_, rest)| rest));
    rest.is_some()
}

/// Panics if a command's output says anywhere that the provider is faulty.
///
/// # Panics
/// With what it says, and the output.
pub fn assert_no_provider_bug(output: &str) {
    let found = provider_bugs(output);
    assert!(found.is_empty(), "the provider is called faulty: {}\n{output}", found.join("; "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_complaints_through_frames_and_line_breaks() {
        for (output, expected) in [
            ("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.", vec![]),
            ("Error: reading a file: permission denied", vec![]),
            (
                "│ Error: Provider produced inconsistent\n│ final plan\n",
                vec!["Provider produced inconsistent final plan"],
            ),
            ("this is a bug\nin the provider, which", vec!["bug in the provider"]),
            (
                "an object with 3 attributes is required (2 given)",
                vec!["an object with … attributes is required ("],
            ),
        ] {
            assert_eq!(provider_bugs(output), expected, "{output}");
        }
    }

    #[test]
    #[should_panic(expected = "Plugin did not respond")]
    fn asserts() {
        assert_no_provider_bug("Error: Plugin did not respond");
    }
}
