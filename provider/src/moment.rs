//! Moments and days as users read and write them, in UTC.

use std::{fmt, str::FromStr, time::SystemTime};

use aws_smithy_types::{DateTime, date_time::Format};

use crate::report::Report;

/// A moment as `2026-11-23T02:14:56Z`.
pub(crate) fn rfc3339(moment: SystemTime) -> String {
    let moment = DateTime::from_secs(DateTime::from(moment).secs());
    moment.fmt(Format::DateTime).unwrap_or_default()
}

/// A day as `2026-11-23`. Days are in the order of their texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(String);

/// A text that is no day.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a day")]
pub(crate) struct NoDay(String);

impl Day {
    /// The day of a moment.
    pub(crate) fn of(moment: SystemTime) -> Self {
        Self(rfc3339(moment).chars().take(10).collect())
    }
}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let moment = DateTime::from_str(&format!("{text}T00:00:00Z"), Format::DateTime);
        let day = moment.ok().and_then(|moment| moment.fmt(Format::DateTime).ok());
        // What is not written back as it was is a day like the 31st of February.
        let is_day = day.is_some_and(|day| day.strip_suffix("T00:00:00Z") == Some(text));
        if is_day { Ok(Self(text.to_owned())) } else { Err(NoDay(text.to_owned())) }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Report for NoDay {
    fn advice(&self) -> Option<String> {
        Some("write it as year-month-day: 2027-01-31".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn days_are_written_in_one_way() {
        for text in ["2026-11-23", "2028-02-29"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in ["", "2026-02-30", "2026-13-01", "23.11.2026", "2026-1-2", "2026-11-23T00:00:00Z"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        let moment = SystemTime::UNIX_EPOCH + Duration::new(1_795_397_696, 5);
        assert_eq!(rfc3339(moment), "2026-11-23T01:34:56Z");
        assert!(Day::of(moment) < "2026-11-24".parse().unwrap());
    }
}
