//! Work on all processors whose outcome does not depend on how many there are.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Does `work` on every item and gives the results in the order of the items.
///
/// # Errors
/// That of the first item, in their order, whose work fails; work on later ones is not begun then.
pub(crate) fn in_parallel<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    // Small work is handed out by the handful.
    let handful = (items.len() / (threads * 16)).clamp(1, 256);
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let worker = || {
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(handful, Ordering::Relaxed);
            let Some(rest) = items.get(first..).filter(|rest| !rest.is_empty()) else { return (done, None) };
            for (index, item) in (first..).zip(rest.iter().take(handful)) {
                if index >= failed.load(Ordering::Relaxed) {
                    return (done, None);
                }
                match work(item) {
                    Ok(result) => done.push((index, result)),
                    Err(error) => {
                        failed.fetch_min(index, Ordering::Relaxed);
                        return (done, Some((index, error)));
                    }
                }
            }
        }
    };
    let ended: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let (results, errors): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
    // Items are handed out in order, so all before a failed one were begun, and the first to fail is among these.
    if let Some((_, error)) = errors.into_iter().flatten().min_by_key(|(index, _)| *index) {
        return Err(error);
    }
    let mut results: Vec<(usize, R)> = results.into_iter().flatten().collect();
    results.sort_unstable_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order() {
        for count in [0, 1, 2, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = in_parallel(&items, |item| Ok::<_, ()>(item * 2)).unwrap();
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn gives_the_first_error_however_threads_run() {
        let items: Vec<usize> = (0..1000).collect();
        for _ in 0..50 {
            let result = in_parallel(&items, |item| if item % 300 == 299 { Err(*item) } else { Ok(()) });
            assert_eq!(result, Err(299));
        }
    }
}
