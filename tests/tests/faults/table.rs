//! What became of all the runs, for the reader of the log.

use std::collections::BTreeMap;
use std::fmt;

use lab::fault::{Fault, Kind};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// As if nothing had been.
    Done,
    /// With one clear error; done again without faults, everything was right.
    Told,
    /// By a kill; done again, everything was right.
    Killed,
}

/// Kinds of faults by how the runs ended that they struck.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<Kind, BTreeMap<End, usize>>,
    /// Runs by how many faults struck.
    pub(crate) runs: [usize; 3],
}

impl Table {
    pub(crate) fn add(&mut self, struck: &[Fault], end: End) {
        for fault in struck {
            *self.rows.entry(fault.kind).or_default().entry(end).or_default() += 1;
        }
        self.runs[struck.len()] += 1;
    }

    /// How often a kind struck.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.rows.get(&kind).map_or(0, |row| row.values().sum())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:10} {:>6} {:>6} {:>6} {:>6}", "fault", "struck", "done", "told", "killed")?;
        for (kind, row) in &self.rows {
            let [done, told, killed] =
                [End::Done, End::Told, End::Killed].map(|end| row.get(&end).copied().unwrap_or_default());
            let name = format!("{kind:?}");
            writeln!(f, "{name:10} {:6} {done:6} {told:6} {killed:6}", self.count(*kind))?;
        }
        let [none, one, two] = self.runs;
        write!(f, "runs struck by no fault: {none}, by one: {one}, by two: {two}")
    }
}
