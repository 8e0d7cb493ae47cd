use std::time::Duration;

use tokio::time::Instant;

use crate::error::ErrorKind;

/// How long to wait for something that ECR does on its own.
#[derive(Debug, Clone)]
pub struct Wait {
    /// The time between two looks.
    pub every: Duration,
    /// For it to begin at all. What has not begun by then is taken for something that ECR is not set up to do.
    pub begins: Duration,
    /// For its end.
    pub within: Duration,
}

impl Default for Wait {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(5),
            begins: Duration::from_mins(1),
            within: Duration::from_mins(10),
        }
    }
}

/// What a look shows.
pub(super) enum Seen<T> {
    /// It is over.
    Over(T),
    /// It has not begun; this is the answer if it never does.
    NotBegun(T),
    /// It goes on; in words.
    Goes(String),
}

/// Looks until it is over. Trouble that may pass is waited out like the rest.
pub(super) async fn until<T, F>(wait: &Wait, what: &'static str, look: impl Fn() -> F) -> Result<T, ErrorKind>
where
    F: Future<Output = Result<Seen<T>, ErrorKind>>,
{
    let start = Instant::now();
    loop {
        let seen = look().await;
        let elapsed = start.elapsed();
        match seen {
            Ok(Seen::Over(result)) => return Ok(result),
            Ok(Seen::NotBegun(result)) if elapsed >= wait.begins.min(wait.within) => return Ok(result),
            Ok(Seen::Goes(state)) if elapsed >= wait.within => {
                return Err(ErrorKind::NotOver { what, state, waited: elapsed });
            }
            Err(error) if !error.is_transient() || elapsed >= wait.within => return Err(error),
            Ok(Seen::NotBegun(_) | Seen::Goes(_)) | Err(_) => tokio::time::sleep(wait.every).await,
        }
    }
}
