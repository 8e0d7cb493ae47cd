//! A lane as a picture: a bar for each program. Pure.

use std::fmt::Write;

use super::report::{Outcome, tenths};

const ROW: f64 = 26.0;
const NAMES: f64 = 170.0;
const BARS: f64 = 400.0;
const WIDTH: f64 = 660.0;

/// An SVG that reads on light and dark pages alike.
pub(super) fn bars(outcome: &Outcome) -> String {
    let rows: Vec<_> = std::iter::once(&outcome.ours).chain(&outcome.peers).collect();
    let longest = rows.iter().map(|row| row.sample.median).chain(outcome.goal).fold(0.0, f64::max);
    let scale = if longest > 0.0 { BARS / longest } else { 0.0 };
    let height = ROW.mul_add(f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX)), 30.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#888\">\n"
    );
    let _ =
        writeln!(svg, "<text x=\"0\" y=\"14\">{}/{}, {}</text>", outcome.area, outcome.lane, outcome.unit);
    let mut top = 22.0;
    for row in rows {
        let (median, middle) = (row.sample.median, top + 17.0);
        let length = median * scale;
        let colour = if row.name == outcome.ours.name { "#1a7f37" } else { "#9aa7b5" };
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>",
            NAMES - 8.0,
            row.name
        );
        let _ = writeln!(
            svg,
            "<rect x=\"{NAMES}\" y=\"{}\" width=\"{length:.1}\" height=\"18\" fill=\"{colour}\"/>",
            top + 4.0
        );
        let _ =
            writeln!(svg, "<text x=\"{:.1}\" y=\"{middle}\">{}</text>", NAMES + length + 6.0, tenths(median));
        top += ROW;
    }
    if let Some(goal) = outcome.goal {
        let x = goal.mul_add(scale, NAMES);
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} 24V{:.1}\" stroke=\"#cf222e\" stroke-dasharray=\"4 3\"><title>goal</title></path>",
            top + 2.0
        );
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::outcome;

    #[test]
    fn the_slowest_has_the_longest_bar() {
        let svg = bars(&outcome());
        assert!(svg.contains("width=\"400.0\" height=\"18\" fill=\"#9aa7b5\""), "{svg}");
        assert!(svg.contains("width=\"10.0\" height=\"18\" fill=\"#1a7f37\""), "{svg}");
        assert_eq!(svg.matches("<rect ").count(), 3);
        assert!(svg.contains("<title>goal</title>") && svg.ends_with("</svg>\n"));
    }
}
