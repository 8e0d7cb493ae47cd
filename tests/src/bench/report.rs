//! What a lane came to, in words, as JSON and as a part of a document. Pure.

use std::fmt::Write;

use serde::Serialize;

use super::statistics::Sample;
use super::usage::Usage;

/// What a lane came to.
pub(super) struct Outcome {
    pub(super) area: &'static str,
    pub(super) lane: &'static str,
    /// What is compared, where the name does not say it.
    pub(super) about: String,
    /// What is measured in: less of it is better.
    pub(super) unit: &'static str,
    /// What ours is to reach.
    pub(super) goal: Option<f64>,
    pub(super) ours: Row,
    /// The fastest first.
    pub(super) peers: Vec<Row>,
}

/// What one program took.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// Nothing where the name says enough.
    pub(super) version: String,
    pub(super) sample: Sample,
    pub(super) usage: Option<Usage>,
}

impl Row {
    pub(super) fn new(name: &'static str, sample: Sample) -> Self {
        Self { name, version: String::new(), sample, usage: None }
    }
}

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

impl Outcome {
    /// A line of JSON for each peer, the fastest first, and one for the goal.
    pub(super) fn json(&self) -> String {
        let ours = self.ours.sample;
        let rows = self.peers.iter().map(|row| (row.name, row.sample.median));
        let goal = self.goal.map(|goal| ("goal", goal));
        let lines = rows.chain(goal).map(|(peer_name, peer)| Line {
            area: self.area,
            lane: self.lane,
            unit: self.unit,
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

    /// A table for a terminal.
    pub(super) fn table(&self) -> String {
        let Self { area, lane, unit, ours, .. } = self;
        let mut text = format!("\n{area}/{lane}, {unit}, {}\n", self.runs());
        if !self.about.is_empty() {
            let _ = writeln!(text, "  {}", self.about);
        }
        let mut row = |name: &str, cells: [&str; 5]| {
            let [median, spread, ratio, cpu, memory] = cells;
            let line = format!("  {name:24} {median:>10} {spread:>8} {ratio:>10} {cpu:>9} {memory:>8}");
            let _ = writeln!(text, "{}", line.trim_end());
        };
        let used = ours.usage.is_some();
        let [cpu, memory] = if used { ["CPU ms", "MB"] } else { [""; 2] };
        row("", ["median", "spread", "ours/it", cpu, memory]);
        for it in std::iter::once(ours).chain(&self.peers) {
            let ratio = if std::ptr::eq(it, ours) { String::new() } else { self.ratio(it.sample.median) };
            let usage = |of: fn(&Usage) -> f64| it.usage.as_ref().map(|usage| format!("{:.0}", of(usage)));
            let [cpu, memory] = [usage(|usage| usage.cpu_ms), usage(|usage| usage.memory_mb)];
            let (cpu, memory) = (cpu.unwrap_or_default(), memory.unwrap_or_default());
            row(it.name, [&tenths(it.sample.median), &tenths(it.sample.spread), &ratio, &cpu, &memory]);
        }
        if let Some(goal) = self.goal {
            row("goal", [&tenths(goal), "", &self.ratio(goal), "", ""]);
        }
        text
    }

    /// A part of a document, with a picture of this name.
    pub(super) fn section(&self, machine: &str, picture: &str) -> String {
        let Self { area, lane, unit, ours, .. } = self;
        let mut text = format!("### {area}/{lane}\n\n");
        if !self.about.is_empty() {
            let _ = writeln!(text, "{}.\n", capitalised(&self.about));
        }
        let _ = writeln!(text, "![{lane}]({picture})\n");
        let _ = writeln!(text, "| | version | median, {unit} | spread | ours/it | CPU ms | max MB |");
        let _ = writeln!(text, "|---|---|--:|--:|--:|--:|--:|");
        for it in std::iter::once(ours).chain(&self.peers) {
            let ratio = if std::ptr::eq(it, ours) { String::new() } else { self.ratio(it.sample.median) };
            let usage = |of: fn(&Usage) -> f64| it.usage.as_ref().map(|usage| format!("{:.0}", of(usage)));
            let [cpu, memory] = [usage(|usage| usage.cpu_ms), usage(|usage| usage.memory_mb)];
            let (cpu, memory) = (cpu.unwrap_or_default(), memory.unwrap_or_default());
            let (median, spread) = (tenths(it.sample.median), tenths(it.sample.spread));
            let cells = [it.name, &it.version, &median, &spread, &ratio, &cpu, &memory];
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        if let Some(goal) = self.goal {
            let _ = writeln!(text, "| goal | | {} | | {} | | |", tenths(goal), self.ratio(goal));
        }
        let _ = writeln!(text, "\n{}; {machine}", self.runs());
        text
    }

    /// How many of ours, and of those that had fewer.
    fn runs(&self) -> String {
        let ours = self.ours.sample.runs;
        let fewer = self.peers.iter().filter(|peer| peer.sample.runs != ours);
        fewer.fold(format!("{ours} runs"), |text, peer| {
            format!("{text}, of {} {}", peer.name, peer.sample.runs)
        })
    }

    fn ratio(&self, of: f64) -> String {
        format!("{:.3}", self.ours.sample.median / of)
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub(super) fn tenths(value: f64) -> String {
    format!("{value:.1}")
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::bench) fn outcome() -> Outcome {
        let sample = |median, spread| Sample { median, spread, runs: 21 };
        Outcome {
            area: "helm",
            lane: "token",
            about: String::new(),
            unit: "ms",
            goal: Some(20.0),
            ours: Row::new("ours", sample(10.0, 0.5)),
            peers: vec![Row::new("fast", sample(40.0, 2.0)), Row::new("slow", sample(400.04, 9.0))],
        }
    }

    #[test]
    fn json_has_a_line_for_each_peer_and_the_goal() {
        let expected = r#"{"area":"helm","lane":"token","unit":"ms","ours":10.0,"peer":40.0,"peer_name":"fast","ratio":0.25,"runs":21}
{"area":"helm","lane":"token","unit":"ms","ours":10.0,"peer":400.04,"peer_name":"slow","ratio":0.025,"runs":21}
{"area":"helm","lane":"token","unit":"ms","ours":10.0,"peer":20.0,"peer_name":"goal","ratio":0.5,"runs":21}
"#;
        assert_eq!(outcome().json(), expected);
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
        assert_eq!(outcome().table(), expected);
    }

    #[test]
    fn a_section_tells_versions_and_usage_as_well() {
        let mut outcome = outcome();
        outcome.about = "a token each".to_owned();
        outcome.peers.truncate(1);
        outcome.peers[0].version = "1.2".to_owned();
        outcome.peers[0].usage = Some(Usage { cpu_ms: 7.6, memory_mb: 33.0, took_ms: 400.0 });
        let expected = "### helm/token

A token each.

![token](p.svg)

| | version | median, ms | spread | ours/it | CPU ms | max MB |
|---|---|--:|--:|--:|--:|--:|
| ours |  | 10.0 | 0.5 |  |  |  |
| fast | 1.2 | 40.0 | 2.0 | 0.250 | 8 | 33 |
| goal | | 20.0 | | 0.500 | | |

21 runs; a machine
";
        assert_eq!(outcome.section("a machine", "p.svg"), expected);
    }
}
