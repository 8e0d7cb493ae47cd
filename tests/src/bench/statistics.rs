//! What many runs come down to.

use std::time::Duration;

/// The middle of some measurements and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// In milliseconds.
    pub(super) median: f64,
    /// Between the first and the third quartile, in milliseconds.
    pub(super) spread: f64,
    pub(super) runs: usize,
}

impl Sample {
    pub(super) fn of(times: &[Duration]) -> Self {
        let mut millis: Vec<_> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
        millis.sort_by(f64::total_cmp);
        let spread = quantile(&millis, 3, 4) - quantile(&millis, 1, 4);
        Self { median: quantile(&millis, 1, 2), spread, runs: times.len() }
    }
}

/// The value below which `part` of `parts` of the sorted values lie: between two neighbours their middle.
fn quantile(sorted: &[f64], part: usize, parts: usize) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let (below, above) = (last * part / parts, (last * part).div_ceil(parts));
    f64::midpoint(sorted[below], sorted[above])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_moves_neither_median_nor_spread() {
        let check = |millis: &[u64], median: f64, spread: f64| {
            let times: Vec<_> = millis.iter().copied().map(Duration::from_millis).collect();
            let sample = Sample::of(&times);
            let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
            assert!(near(sample.median, median) && near(sample.spread, spread), "{millis:?}: {sample:?}");
            assert_eq!(sample.runs, millis.len());
        };
        check(&[7], 7.0, 0.0);
        check(&[4, 2], 3.0, 0.0);
        check(&[5, 1, 3, 2, 4], 3.0, 2.0);
        check(&[5, 1, 3, 2, 4000], 3.0, 3.0);
    }
}
