//! What was probably meant.

/// The candidate that a person would most likely have meant by `word`, if any is alike.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = word.chars().count().div_ceil(3).min(3);
    let distance = |candidate: &&str| edits(&word, &candidate.to_lowercase());
    let near = candidates.into_iter().map(|candidate| (distance(&candidate), candidate));
    near.filter(|(edits, _)| *edits <= limit).min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// How many letters have to be added, removed, replaced, or swapped with the next, to make one of the other.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().take(40).collect(), to.chars().take(40).collect());
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let mut best =
                (last[column] + usize::from(a != b)).min(last[column + 1] + 1).min(next[column] + 1);
            let swapped = row > 0 && column > 0 && *a == to[column - 1] && from[row - 1] == *b;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(
                nearest(word, ["COPY", "RUN", "ENTRYPOINT", "ENV", "HEALTHCHECK"]),
                expected,
                "{word}"
            );
        };
        check("copy", Some("COPY"));
        check("CPOY", Some("COPY"));
        check("RNU", Some("RUN"));
        check("ENTRYPONT", Some("ENTRYPOINT"));
        check("HEALTH-CHECK", Some("HEALTHCHECK"));
        check("", None);
        check("INSTALL", None);
        check(&"x".repeat(100_000), None);
    }
}
