//! The dates of cookies: the lenient `cookie-date` (RFC 6265bis §5.1.1) and, for files, RFC 3339.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// Parses what stands in `Expires`, however odd; `None` if it is no date.
pub(crate) fn parse_cookie_date(text: &[u8]) -> Option<SystemTime> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|&byte| is_delimiter(byte)).filter(|token| !token.is_empty()) {
        // A token fills the first gap that it fits, in this order (step 2).
        if fill(&mut time, || hms(token))
            || fill(&mut day, || leading_number(token, 1, 2))
            || fill(&mut month, || month_number(token))
        {
            continue;
        }
        fill(&mut year, || leading_number(token, 2, 4));
    }
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    if year < 1601 {
        return None;
    }
    to_system_time(Civil { year: i64::from(year), month: month?, day: day?, time: time? }, 0)
}

fn fill<T>(gap: &mut Option<T>, value: impl FnOnce() -> Option<T>) -> bool {
    if gap.is_some() {
        return false;
    }
    *gap = value();
    gap.is_some()
}

const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// `at_least*at_most DIGIT [ non-digit *OCTET ]`
fn leading_number(token: &[u8], at_least: usize, at_most: usize) -> Option<u32> {
    let digits = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(at_least..=at_most).contains(&digits) {
        return None;
    }
    Some(token.iter().take(digits).fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

/// `hms-time [ non-digit *OCTET ]`
fn hms(token: &[u8]) -> Option<(u32, u32, u32)> {
    let mut fields = token.splitn(3, |&byte| byte == b':');
    let (hour, minute, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let whole = |field: &[u8]| {
        field.iter().all(u8::is_ascii_digit).then(|| leading_number(field, 1, 2)).flatten()
    };
    Some((whole(hour)?, whole(minute)?, leading_number(rest, 1, 2)?))
}

fn month_number(token: &[u8]) -> Option<u32> {
    let start = token.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, name)| name[..] == start).map(|(number, _)| number)
}

/// A date of the proleptic Gregorian calendar, in UTC.
#[derive(Clone, Copy)]
struct Civil {
    year: i64,
    month: u32,
    day: u32,
    time: (u32, u32, u32),
}

/// `None` if there is no such date, or this system cannot represent it.
fn to_system_time(civil: Civil, nanos: u32) -> Option<SystemTime> {
    let Civil { year, month, day, time: (hour, minute, second) } = civil;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_before(year, month) + i64::from(day) - 1;
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    from_unix(seconds)?.checked_add(Duration::from_nanos(u64::from(nanos)))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1 January 1970 to the first of the month.
fn days_before(year: i64, month: u32) -> i64 {
    let years = year - 1;
    let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    // 719,162 days lie between 1 January of the year 1 and of 1970.
    let to_year = years * 365 + leaps - 719_162;
    to_year + (1..month).map(|month| i64::from(days_in(year, month))).sum::<i64>()
}

/// A count of seconds since 1970, as in a Netscape file.
pub(super) fn from_unix(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

/// Whole seconds since 1970, rounded down, and the nanoseconds on top.
pub(super) fn to_unix(time: SystemTime) -> (i64, u32) {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (seconds(after), after.subsec_nanos()),
        Err(before) => match (seconds(before.duration()), before.duration().subsec_nanos()) {
            (whole, 0) => (-whole, 0),
            (whole, nanos) => (-whole - 1, 1_000_000_000 - nanos),
        },
    }
}

/// RFC 3339 in UTC with as many digits as it takes; years outside 1 to 9999 become the nearest.
#[cfg(feature = "json")]
pub(super) fn to_rfc3339(time: SystemTime) -> String {
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    let (seconds, nanos) = to_unix(time);
    let seconds = seconds.clamp(FIRST, LAST);
    let (days, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // 1970 plus days over the mean year is one too many at most.
    let mut year = (1969 + (days * 400).div_euclid(146_097)).max(1);
    while days_before(year + 1, 1) <= days {
        year += 1;
    }
    let month = (1..=12).rev().find(|&month| days_before(year, month) <= days).unwrap_or(1);
    let day = days - days_before(year, month) + 1;
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if nanos > 0 {
        text.push_str(format!(".{nanos:09}").trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// Reads what [`to_rfc3339`] writes: UTC only, at most nine digits after the point.
#[cfg(feature = "json")]
pub(super) fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut date = date.split('-').zip([4, 2, 2]).map(|(field, digits)| fixed(field, digits));
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.split(':').map(|field| fixed(field, 2));
    let time = (clock.next()??, clock.next()??, clock.next()??);
    let all_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if clock.next().is_some() || !all_digits || !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    to_system_time(Civil { year: i64::from(year), month, day, time }, nanos)
}

#[cfg(feature = "json")]
fn fixed(field: &str, digits: usize) -> Option<u32> {
    let exact = field.len() == digits && field.bytes().all(|byte| byte.is_ascii_digit());
    exact.then(|| field.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Option<SystemTime> {
        from_unix(seconds)
    }

    /// RFC 6265bis §5.1.1, step by step.
    #[test]
    fn cookie_dates() {
        let moment = at(784_111_777);
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", moment),
            ("Sunday, 06-Nov-94 08:49:37 GMT", moment),
            ("Sun Nov  6 08:49:37 1994", moment),
            // Delimiters, order, zone and rubbish are of no account.
            ("6 nov 1994 8:49:37", moment),
            ("1994 06 NOVember 08:49:37", moment),
            ("06 1994 NOVember 08:49:37", moment),
            ("\t;06/Nov/1994@08:49:37 +0100 (CET)", moment),
            ("06-Nov-1994 08:49:37junk", moment),
            ("06th-Nov-1994 08:49:37", moment),
            // A colon joins, so what a delimiter would part is one token.
            ("06 Nov 1994:08:49:37", None),
            // Two- and three-digit years (steps 3 and 4).
            ("06 Nov 70 00:00:00", at(26_697_600)),
            ("01 Jan 69 00:00:00", at(3_124_224_000)),
            ("01 Jan 99 00:00:00", at(915_148_800)),
            ("01 Jan 070 00:00:00", at(0)),
            ("01 Jan 1601 00:00:00", at(-11_644_473_600)),
            ("01 Jan 1600 00:00:00", None),
            ("31 Dec 9999 23:59:59", at(253_402_300_799)),
            ("01 Jan 10000 00:00:00", None),
            // No such date or time (steps 5 and 6).
            ("29 Feb 2024 00:00:00", at(1_709_164_800)),
            ("29 Feb 2023 00:00:00", None),
            ("29 Feb 2100 00:00:00", None),
            ("29 Feb 2000 00:00:00", at(951_782_400)),
            ("31 Apr 2024 00:00:00", None),
            ("00 Jan 2024 00:00:00", None),
            ("32 Jan 2024 00:00:00", None),
            ("01 Jan 2024 24:00:00", None),
            ("01 Jan 2024 00:60:00", None),
            ("01 Jan 2024 00:00:60", None),
            ("01 Jan 2024 000:00:00", None),
            ("01 Jan 2024 00:00:000", None),
            // Something is missing.
            ("", None),
            ("Jan 2024 00:00:00", None),
            ("01 2024 00:00:00", None),
            ("01 Jan 00:00:00", None),
            ("01 Jan 2024", None),
            ("0", None),
        ] {
            assert_eq!(parse_cookie_date(text.as_bytes()), expected, "{text:?}");
        }
        // 06 with anything behind it is a day, so the next 06 is a year.
        let two_days = b"06\xffNov 06 Nov 1994 08:49:37";
        assert_eq!(parse_cookie_date(two_days), at(1_162_802_977));
    }

    #[test]
    fn unix_times_are_read_on_both_sides_of_1970() {
        assert_eq!(from_unix(2), Some(UNIX_EPOCH + Duration::from_secs(2)));
        assert_eq!(from_unix(-2), Some(UNIX_EPOCH - Duration::from_secs(2)));
    }

    #[test]
    fn unix_times_before_1970_round_down() {
        for (nanos_before, expected) in [(0, (0, 0)), (1, (-1, 999_999_999))] {
            assert_eq!(to_unix(UNIX_EPOCH - Duration::from_nanos(nanos_before)), expected);
        }
        assert_eq!(to_unix(UNIX_EPOCH - Duration::from_secs(2)), (-2, 0));
    }

    #[cfg(feature = "json")]
    #[test]
    fn rfc3339_times() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1994-11-06T08:49:37Z", 784_111_777),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("1969-12-31T23:59:59Z", -1),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(to_rfc3339(at(seconds).unwrap()), text);
            assert_eq!(parse_rfc3339(text), at(seconds), "{text}");
        }
        assert_eq!(to_rfc3339(at(253_402_300_800).unwrap()), "9999-12-31T23:59:59Z");
        // The first and the last second of each year.
        let mut begins = -62_135_596_800;
        for year in 1..=9999 {
            let ends = begins + 86_400 * if days_in(year, 2) == 29 { 366 } else { 365 };
            let [first, last] = [begins, ends - 1].map(|second| to_rfc3339(at(second).unwrap()));
            assert_eq!(first, format!("{year:04}-01-01T00:00:00Z"));
            assert_eq!(last, format!("{year:04}-12-31T23:59:59Z"));
            begins = ends;
        }
        for text in [
            "",
            "Z",
            "1994-11-06",
            "1994-11-06T08:49Z",
            "1994-11-06T08:49:37",
            "1994-11-06T08:49:37:1Z",
            "1994-11-06T08:49:37.Z",
            "1994-11-06T08:49:37.1234567890Z",
            "1994-11-06T08:49:37+01:00",
            "1994-11-31T08:49:37Z",
            "1994-1-06T08:49:37Z",
            "+994-11-06T08:49:37Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            parse_cookie_date(&bytes);
        }

        /// Against another's calendar.
        #[test]
        fn http_dates_are_read(seconds in 0i64..253_402_300_799) {
            let time = at(seconds).unwrap();
            let text = httpdate::fmt_http_date(time);
            prop_assert_eq!(parse_cookie_date(text.as_bytes()), Some(time), "{}", text);
        }

        #[cfg(feature = "json")]
        #[test]
        fn rfc3339_round_trip(
            seconds in -62_135_596_800i64..=253_402_300_799,
            nanos in prop_oneof![Just(0u64), 0..1_000_000_000u64],
        ) {
            // Windows counts in 100 ns.
            let time = at(seconds).unwrap() + Duration::from_nanos(nanos / 100 * 100);
            let text = to_rfc3339(time);
            prop_assert_eq!(parse_rfc3339(&text), Some(time), "{}", text);
        }

        #[cfg(feature = "json")]
        #[test]
        fn any_text_is_safe(text in "\\PC{0,40}") {
            parse_rfc3339(&text);
        }
    }
}
