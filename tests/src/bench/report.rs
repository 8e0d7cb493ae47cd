//! A lane's result in words and as JSON. Pure.

use std::fmt::Write;

use serde::Serialize;

use super::lane::{Lane, Measured};

/// One line of JSON. Ratio is ours divided by the peer's: smaller is better.
#[derive(Serialize)]
struct Line<'a> {
    area: &'a str,
    lane: &'a str,
    unit: &'a str,
    ours: f64,
    peer: f64,
    peer_name: &'a str,
    ratio: f64,
    runs: usize,
}

/// A line for each peer, the fastest first, and one for the goal.
pub(super) fn json(lane: &Lane, measured: &Measured) -> String {
    let ours = measured.ours;
    let rows = measured.peers.iter().map(|(name, sample)| (*name, sample.median));
    let goal = lane.goal.map(|goal| ("goal", goal));
    let lines = rows.chain(goal).map(|(peer_name, peer)| Line {
        area: lane.area,
        lane: lane.name,
        unit: lane.unit,
        ours: rounded(ours.median),
        peer: rounded(peer),
        peer_name,
        ratio: rounded(ours.median / peer),
        runs: ours.runs,
    });
    lines.fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{}", serde_json::to_string(&line).unwrap_or_default());
        text
    })
}

/// A table for a reader.
pub(super) fn table(lane: &Lane, measured: &Measured) -> String {
    let ours = measured.ours;
    let mut text = format!("\n{lane}, {}, {} runs\n", lane.unit, ours.runs);
    let mut row = |name: &str, [median, spread, ratio]: [&str; 3]| {
        let cells = format!("  {name:24} {median:>10} {spread:>8} {ratio:>10}");
        let _ = writeln!(text, "{}", cells.trim_end());
    };
    let ratio = |median: f64| format!("{:.3}", ours.median / median);
    row("", ["median", "spread", "ours/it"]);
    row("ours", [&tenths(ours.median), &tenths(ours.spread), ""]);
    for (name, sample) in &measured.peers {
        row(name, [&tenths(sample.median), &tenths(sample.spread), &ratio(sample.median)]);
    }
    if let Some(goal) = lane.goal {
        row("goal", [&tenths(goal), "", &ratio(goal)]);
    }
    text
}

fn tenths(value: f64) -> String {
    format!("{value:.1}")
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::statistics::Sample;

    const LANE: Lane = Lane {
        area: "helm",
        name: "token",
        warm_up: 0,
        rounds: 0,
        ours: |_| unreachable!("only told"),
        peers: &[],
        goal: Some(20.0),
        unit: "ms",
        measure: |_| unreachable!("only told"),
    };

    fn measured() -> Measured {
        let sample = |median, spread| Sample { median, spread, runs: 21 };
        Measured {
            ours: sample(10.0, 0.5),
            peers: vec![("fast", sample(40.0, 2.0)), ("slow", sample(400.04, 9.0))],
        }
    }

    #[test]
    fn json_has_a_line_for_each_peer_and_the_goal() {
        let expected = r#"{"area":"helm","lane":"token","unit":"ms","ours":10.0,"peer":40.0,"peer_name":"fast","ratio":0.25,"runs":21}
{"area":"helm","lane":"token","unit":"ms","ours":10.0,"peer":400.04,"peer_name":"slow","ratio":0.025,"runs":21}
{"area":"helm","lane":"token","unit":"ms","ours":10.0,"peer":20.0,"peer_name":"goal","ratio":0.5,"runs":21}
"#;
        assert_eq!(json(&LANE, &measured()), expected);
    }

    #[test]
    fn a_table_tells_median_spread_and_ratio() {
        let expected = "
helm/token, ms, 21 runs
                               median   spread    ours/it
  ours                           10.0      0.5
  fast                           40.0      2.0      0.250
  slow                          400.0      9.0      0.025
  goal                           20.0               0.500
";
        assert_eq!(table(&LANE, &measured()), expected);
    }
}
