//! Which tags may be set again.

use serde_json::Value;

/// Whether a repository with these settings lets this tag be set again.
///
/// Source: `ImageTagMutability` of ECR's API model; filters are `WILDCARD` alone, where `*` stands for anything.
pub(super) fn may_move(settings: &Value, tag: &str) -> bool {
    let filters = settings["imageTagMutabilityExclusionFilters"].as_array();
    let mut patterns = filters.into_iter().flatten().filter_map(|filter| filter["filter"].as_str());
    let excluded = patterns.any(|pattern| matches(pattern, tag));
    match settings["imageTagMutability"].as_str() {
        Some("IMMUTABLE") => false,
        Some("IMMUTABLE_WITH_EXCLUSION") => excluded,
        Some("MUTABLE_WITH_EXCLUSION") => !excluded,
        _ => true,
    }
}

/// Whether text is what the pattern says, `*` being anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_and_mutabilities() {
        let check = |mutability: &str, filter: &str, tag: &str, expected: bool| {
            let filters = json!([{ "filterType": "WILDCARD", "filter": filter }]);
            let settings =
                json!({ "imageTagMutability": mutability, "imageTagMutabilityExclusionFilters": filters });
            assert_eq!(may_move(&settings, tag), expected, "{mutability} {filter} {tag}");
        };
        check("MUTABLE", "v*", "v1", true);
        check("IMMUTABLE", "v*", "v1", false);
        check("IMMUTABLE_WITH_EXCLUSION", "cache-*", "cache-1", true);
        check("IMMUTABLE_WITH_EXCLUSION", "cache-*", "v1", false);
        check("IMMUTABLE_WITH_EXCLUSION", "*-dev", "v1-dev", true);
        check("MUTABLE_WITH_EXCLUSION", "v*.*", "v1.2", false);
        check("MUTABLE_WITH_EXCLUSION", "v*.*", "v1", true);
    }
}
