use std::fmt;

use super::Random;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What goes wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Both ends are told that the connection is over.
    Cut,
    /// Both ends are told that there never was such a connection.
    Reset,
    /// Nothing passes any more, in either direction, and nobody is told.
    Stall,
    /// What goes in this direction gets lost, and nobody is told.
    Swallow,
    /// What goes in this direction comes in drops.
    Slow,
    /// The next bytes in this direction come one by one.
    Split,
    /// The receiver is told that nothing more comes; the other direction stays open.
    HalfClose,
    /// The process at the client's end is to be killed: whoever has it in hand hears of it from
    /// [`Proxy::kill_is_due`](super::Proxy::kill_is_due).
    Kill,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::Cut,
        Self::Reset,
        Self::Stall,
        Self::Swallow,
        Self::Slow,
        Self::Split,
        Self::HalfClose,
        Self::Kill,
    ];

    /// Whether it is noticed only by waiting.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Stall | Self::Swallow)
    }
}

/// Where it happens: before this byte passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which way the byte goes.
    pub direction: Direction,
    /// The connection, counted from 0 in the order of arrival, in which bytes are counted. Without one they are
    /// counted over all connections, and it happens to the one that carries the byte.
    pub connection: Option<usize>,
    /// How many bytes pass before.
    pub byte: u64,
}

/// One thing that goes wrong, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// Where.
    pub place: Place,
}

/// All that goes wrong in one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// What it was drawn from.
    pub seed: u64,
    /// In no particular order.
    pub faults: Vec<Fault>,
}

/// What went through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes towards the server.
    pub up: u64,
    /// Bytes towards the client.
    pub down: u64,
    /// Connections.
    pub connections: usize,
}

impl Traffic {
    /// The bytes in one direction.
    pub fn bytes(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Up => self.up,
            Direction::Down => self.down,
        }
    }
}

/// In a hundred runs so many have a second fault.
const DOUBLE: u64 = 40;
/// In a hundred faults so many are at a byte that goes the way of most bytes.
const WITH_MOST: u64 = 70;
/// In a hundred faults so many are near the start of a connection. Most bytes are those of bodies; this is where
/// lines of requests and answers are.
const NEAR_START: u64 = 25;
/// How far that goes, in bytes.
const START: u64 = 2048;

impl Schedule {
    /// Nothing goes wrong.
    pub fn clean() -> Self {
        Self::default()
    }

    /// One fault or two, of these kinds, where a run without any had bytes.
    ///
    /// Seeds in a row have the kinds in turn, so that each is had equally often; all else is as random as the seed.
    ///
    /// # Panics
    /// If there are no kinds, or the run had no bytes in one of the directions.
    pub fn draw(seed: u64, kinds: &[Kind], clean: Traffic) -> Self {
        let mut random = Random::seeded(seed);
        let kind = |number: u64| kinds[usize::try_from(number % kinds.len() as u64).unwrap_or_default()];
        let mut faults = vec![Fault { kind: kind(seed), place: Place::draw(&mut random, clean) }];
        if random.percent(DOUBLE) {
            faults.push(Fault { kind: kind(random.number()), place: Place::draw(&mut random, clean) });
        }
        Self { seed, faults }
    }

    /// Whether it has a fault of such a kind.
    pub fn has(&self, is_meant: impl Fn(Kind) -> bool) -> bool {
        self.faults.iter().any(|fault| is_meant(fault.kind))
    }
}

impl Place {
    fn draw(random: &mut Random, clean: Traffic) -> Self {
        let goes_up = random.percent(WITH_MOST) == (clean.up > clean.down);
        let direction = if goes_up { Direction::Up } else { Direction::Down };
        let all = clean.bytes(direction);
        if random.percent(NEAR_START) {
            let connection = usize::try_from(random.below(clean.connections as u64)).unwrap_or_default();
            return Self { direction, connection: Some(connection), byte: random.below(START.min(all)) };
        }
        Self { direction, connection: None, byte: random.below(all) }
    }
}

/// How to have it again: `FAULT_SEED=7`, and what it stands for.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FAULT_SEED={}", self.seed)?;
        for Fault { kind, place: Place { direction, connection, byte } } in &self.faults {
            write!(f, ", {kind:?} at {direction:?} {byte}")?;
            connection.map_or(Ok(()), |connection| write!(f, " of connection {connection}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: Traffic = Traffic { up: 8_000_000, down: 5_000, connections: 4 };

    #[test]
    fn a_seed_always_means_the_same() {
        let schedule = Schedule::draw(5, &Kind::ALL, CLEAN);
        assert_eq!(schedule, Schedule::draw(5, &Kind::ALL, CLEAN));
        assert_eq!(
            schedule.to_string(),
            "FAULT_SEED=5, Split at Up 2613063, Split at Up 488 of connection 3"
        );
    }

    #[test]
    fn kinds_and_bytes_are_spread_evenly() {
        let schedules = (0..1000).map(|seed| Schedule::draw(seed, &Kind::ALL, CLEAN));
        let faults: Vec<Fault> = schedules.flat_map(|schedule| schedule.faults).collect();
        for kind in Kind::ALL {
            let count = faults.iter().filter(|fault| fault.kind == kind).count();
            assert!((125..250).contains(&count), "{kind:?}: {count}");
        }
        let doubles = faults.len() - 1000;
        assert!((350..450).contains(&doubles), "{doubles}");
        for direction in [Direction::Up, Direction::Down] {
            let anywhere = faults.iter().map(|fault| fault.place);
            let anywhere = anywhere.filter(|it| it.direction == direction && it.connection.is_none());
            let mut tenths = [0; 10];
            anywhere.for_each(|it| {
                tenths[usize::try_from(it.byte * 10 / CLEAN.bytes(direction)).unwrap()] += 1;
            });
            let (least, most) = (tenths.iter().min().unwrap(), tenths.iter().max().unwrap());
            assert!(*least > 0 && least * 3 > *most, "{direction:?}: {tenths:?}");
        }
    }
}
