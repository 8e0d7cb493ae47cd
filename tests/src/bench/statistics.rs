//! What many runs come down to.

/// The middle of some measurements and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub(super) median: f64,
    /// Between the first and the third quartile.
    pub(super) spread: f64,
    pub(super) runs: usize,
}

impl Sample {
    pub(super) fn of(measured: &[f64]) -> Self {
        let mut sorted = measured.to_vec();
        sorted.sort_by(f64::total_cmp);
        let spread = quantile(&sorted, 3, 4) - quantile(&sorted, 1, 4);
        Self { median: quantile(&sorted, 1, 2), spread, runs: sorted.len() }
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
        let check = |measured: &[f64], median: f64, spread: f64| {
            let sample = Sample::of(measured);
            let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
            assert!(near(sample.median, median) && near(sample.spread, spread), "{measured:?}: {sample:?}");
            assert_eq!(sample.runs, measured.len());
        };
        check(&[7.0], 7.0, 0.0);
        check(&[4.0, 2.0], 3.0, 0.0);
        check(&[5.0, 1.0, 3.0, 2.0, 4.0], 3.0, 2.0);
        check(&[5.0, 1.0, 3.0, 2.0, 4000.0], 3.0, 3.0);
    }
}
