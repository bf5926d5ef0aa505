//! The calendar, for documents: RFC 3339 in UTC, from days by arithmetic alone.

use std::time::{Duration, SystemTime};

const DAY: u64 = 86_400;

/// An instant in UTC with microseconds, as in RFC 3339: `2026-11-22T09:30:00.250000Z`.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use waterclock::run::rfc3339;
///
/// let instant = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_250);
/// assert_eq!(rfc3339(instant), "2001-09-09T01:46:40.250000Z");
/// ```
#[must_use]
pub fn rfc3339(instant: SystemTime) -> String {
    let (days, of_day) = split(instant);
    let (year, month, day) = civil(days);
    let seconds = of_day.as_secs();
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        of_day.subsec_micros(),
    )
}

/// Reads what [`rfc3339`] writes, with any number of decimals.
pub(super) fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let (whole, decimals) =
        text.strip_suffix('Z')?.split_once('.').unwrap_or((text.strip_suffix('Z')?, ""));
    if whole.chars().map(shape).collect::<String>() != "0000-00-00T00:00:00" {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to)?.parse::<u32>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let days = days_of(year, month, day)?;
    // RFC 3339 allows a leap second.
    if hour > 23
        || minute > 59
        || second > 60
        || !decimals.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let nanos = format!("{decimals:0<9}").get(..9)?.parse::<u32>().ok()?;
    let of_day = Duration::new(u64::from(hour * 3_600 + minute * 60 + second), nanos);
    let midnight = Duration::from_secs(days.unsigned_abs() * DAY);
    let midnight = match days {
        0.. => SystemTime::UNIX_EPOCH.checked_add(midnight),
        _ => SystemTime::UNIX_EPOCH.checked_sub(midnight),
    };
    midnight?.checked_add(of_day)
}

/// The inverse of [`civil`]; `None` for a day that there is not.
fn days_of(year: u32, month: u32, day: u32) -> Option<i64> {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let (shifted_year, from_march) =
        if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let (era, of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

/// Days since 1970-01-01, and the time of that day.
fn split(instant: SystemTime) -> (i64, Duration) {
    let day = |seconds: u64| i64::try_from(seconds / DAY).unwrap_or(i64::MAX);
    match instant.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => {
            (day(since.as_secs()), Duration::new(since.as_secs() % DAY, since.subsec_nanos()))
        }
        Err(before) => {
            let before = before.duration();
            let days = day(before.as_secs()) + 1;
            let rest = Duration::from_secs(days.unsigned_abs() * DAY).saturating_sub(before);
            match rest.as_secs() {
                DAY.. => (1 - days, Duration::ZERO),
                _ => (-days, rest),
            }
        }
    }
}

/// Year, month and day of the proleptic Gregorian calendar. Years begin in March here, so that the
/// leap day comes last; 400 of them, an era, have 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153; // 0 is March
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        let at = |seconds| rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000000Z");
        assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59.000000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000000Z");
    }

    #[test]
    fn instants_are_read_back() {
        for text in [
            "1970-01-01T00:00:00.000000Z",
            "1969-12-31T23:59:59.750000Z",
            "2000-02-29T12:34:56.000001Z",
            "0000-03-01T00:00:00.000000Z",
            "9999-12-31T23:59:59.999999Z",
        ] {
            assert_eq!(parse_rfc3339(text).map(rfc3339).as_deref(), Some(text));
        }
        assert_eq!(parse_rfc3339("2001-09-09T01:46:40Z"), parse_rfc3339("2001-09-09T01:46:40.0Z"));
        for text in [
            "",
            "Z",
            "2001-02-29T00:00:00Z",
            "2001-13-01T00:00:00Z",
            "2001-00-01T00:00:00Z",
            "2001-01-01T24:00:00Z",
            "2001-01-01T00:00:00",
            "2001-01-01T00:00:00.-1Z",
            "2001-01-01 00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn before_the_epoch() {
        let before = |ms| rfc3339(SystemTime::UNIX_EPOCH - Duration::from_millis(ms));
        assert_eq!(before(250), "1969-12-31T23:59:59.750000Z");
        assert_eq!(before(86_400_000), "1969-12-31T00:00:00.000000Z");
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut last = civil(-800_000);
        for days in -799_999..800_000 {
            let (year, month, day) = civil(days);
            let next_day = (year, month, day - 1) == last;
            let next_month = day == 1 && (year, month - 1) == (last.0, last.1) && last.2 >= 28;
            let next_year = (month, day) == (1, 1) && last == (year - 1, 12, 31);
            assert!(next_day || next_month || next_year, "{last:?} then {:?}", (year, month, day));
            last = (year, month, day);
        }
        assert_eq!(civil(19_723), (2024, 1, 1));
    }
}
