//! Many runs at the same time, each with a schedule of its own, and what became of them.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use lab::fault::{Fault, Kind, Proxy, Schedule};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::table::{End, Table};

/// Runs at the same time that keep the machine busy, and those that wait for something that went silent besides.
const BUSY: usize = 6;
const WAITING: usize = 58;
/// No run takes so long, however busy the machine is.
const HANGS: Duration = Duration::from_mins(5);

/// The faults that struck a run and how it ended, or what should not have been.
pub(crate) type Judged = Result<(Vec<Fault>, End), String>;

/// One of those that keep the machine busy.
pub(crate) struct Busy {
    _permit: OwnedSemaphorePermit,
}

impl Busy {
    /// Works as one of them, but for the time after something went silent.
    pub(crate) async fn work<T>(self, proxy: &Proxy, work: impl Future<Output = T>) -> T {
        let idle = async {
            proxy.silence_falls().await;
            drop(self);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            done = work => done,
            () = idle => unreachable!("it never ends"),
        }
    }
}

/// The seeds to run, or the one that `FAULT_SEED` says.
pub(crate) fn seeds(count: u64) -> std::ops::Range<u64> {
    match std::env::var("FAULT_SEED") {
        Ok(seed) => seed.parse().unwrap()..seed.parse::<u64>().unwrap() + 1,
        Err(_) => 0..count,
    }
}

/// Runs all and prints what became of them.
///
/// # Panics
/// If one of them did not end as it should; or, of more than one, if a kind struck in fewer than `each`.
#[expect(clippy::print_stdout, reason = "the table is for the reader of the log")]
pub(crate) async fn all<R>(
    schedules: Vec<Schedule>,
    kinds: &[Kind],
    each: usize,
    run: impl Fn(Schedule, Busy) -> R,
) where
    R: Future<Output = Judged> + Send + 'static,
{
    let (start, count, busy) = (Instant::now(), schedules.len(), Arc::new(Semaphore::new(BUSY)));
    let judge = |schedule: Schedule| judged(schedule, Arc::clone(&busy), &run);
    let mut runs = stream::iter(schedules).map(judge).buffer_unordered(BUSY + WAITING);
    let (mut table, mut doubtful, mut failures) = (Table::default(), Vec::new(), Vec::new());
    while let Some((schedule, judged)) = runs.next().await {
        match judged {
            Ok((struck, end)) => table.add(&struck, end),
            Err(_) if schedule.has(Kind::is_silent) => doubtful.push(schedule),
            Err(failure) => failures.push(format!("{schedule}: {failure}")),
        }
    }
    drop(runs);
    println!("{:.0} s for {count} runs\n{table}\n", start.elapsed().as_secs_f64());
    // A machine that is too busy is silent as well: who waits for less than a minute may take it for a fault. What fails
    // again without company is a failure.
    for schedule in doubtful {
        if let (schedule, Err(failure)) = judge(schedule).await {
            failures.push(format!("{schedule}: {failure}"));
        }
    }
    assert!(failures.is_empty(), "{} runs failed:\n{}", failures.len(), failures.join("\n"));
    let rare = kinds.iter().filter(|kind| count > 1 && table.count(**kind) < each);
    assert_eq!(rare.collect::<Vec<_>>(), Vec::<&Kind>::new(), "each has to strike {each} times");
}

async fn judged<R>(
    schedule: Schedule,
    busy: Arc<Semaphore>,
    run: impl Fn(Schedule, Busy) -> R,
) -> (Schedule, Judged)
where
    R: Future<Output = Judged> + Send + 'static,
{
    let busy = Busy { _permit: busy.acquire_owned().await.unwrap() };
    let ended = tokio::spawn(tokio::time::timeout(HANGS, run(schedule.clone(), busy))).await;
    let ended = ended.unwrap_or_else(|panic| Ok(Err(panic.to_string())));
    (schedule, ended.unwrap_or_else(|_| Err("it hangs".to_owned())))
}
