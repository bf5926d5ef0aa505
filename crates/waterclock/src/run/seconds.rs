//! Seconds with nine decimals. A binary float would not add up.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;
use std::time::Duration;

const NANOS: u128 = 1_000_000_000;

/// A duration in seconds, written out to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:09}", self.0.as_secs(), self.0.subsec_nanos());
        RawValue::from_string(text).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        parse(raw).map(Seconds).map_err(de::Error::custom)
    }
}

/// Reads a JSON number (RFC 8259, section 6) that a call's clock can have shown. What another program
/// has written from a float is rounded to the nanosecond.
fn parse(text: &str) -> Result<Duration, String> {
    let shown: String = text.chars().take(40).collect();
    let first = text.chars().next();
    if !first.is_some_and(|c| c.is_ascii_digit() || c == '-') {
        return Err(format!("expected a number of seconds, not {shown}"));
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let zero = mantissa.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0');
    if zero {
        return Ok(Duration::ZERO);
    }
    if first == Some('-') {
        return Err(format!("{shown} seconds are less than none"));
    }
    let too_many = || format!("{shown} seconds are more than a clock can show");
    let digits = whole.bytes().chain(fraction.bytes()).map(|byte| u128::from(byte - b'0'));
    let exponent: i64 = exponent.parse().map_err(|_| too_many())?;
    // Where the point is among the digits, and where nanoseconds end.
    let point = i64::try_from(whole.len()).map_err(|_| too_many())?.saturating_add(exponent);
    let end = point.saturating_add(9);
    let mut nanos: u128 = 0;
    let mut read = 0_i64;
    for digit in digits {
        match read.cmp(&end) {
            std::cmp::Ordering::Less => nanos = nanos * 10 + digit,
            std::cmp::Ordering::Equal => nanos += u128::from(digit >= 5),
            std::cmp::Ordering::Greater => break,
        }
        if nanos > u128::from(u64::MAX) {
            return Err(too_many());
        }
        read += 1;
    }
    for _ in read..end {
        nanos *= 10;
        if nanos > u128::from(u64::MAX) {
            return Err(too_many());
        }
    }
    let seconds = u64::try_from(nanos / NANOS).map_err(|_| too_many())?;
    let rest = u32::try_from(nanos % NANOS).map_err(|_| too_many())?;
    Ok(Duration::new(seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_the_nanosecond() {
        for (text, nanos) in [
            ("0.000000001", 1),
            ("0", 0),
            ("-0.0", 0),
            ("12", 12_000_000_000),
            ("1.5e-9", 2),
            ("1E2", 100_000_000_000),
            ("0.012345678000000001", 12_345_678),
            ("0.0123456785", 12_345_679),
            ("1e-300", 0),
            ("0e999999999999", 0),
            ("18446744073.709551615", u64::MAX),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn what_no_clock_shows_is_refused_in_words() {
        let no = |text: &str| parse(text).unwrap_err();
        assert_eq!(no("-1"), "-1 seconds are less than none");
        assert_eq!(
            no("18446744073.709551616"),
            "18446744073.709551616 seconds are more than a clock can show"
        );
        assert_eq!(
            no("1e99999999999999999999"),
            "1e99999999999999999999 seconds are more than a clock can show"
        );
        assert_eq!(no("1e300"), "1e300 seconds are more than a clock can show");
        assert_eq!(no("\"1\""), "expected a number of seconds, not \"1\"");
        assert_eq!(no("null"), "expected a number of seconds, not null");
    }

    #[test]
    fn every_duration_comes_back() {
        for nanos in [0, 1, 999_999_999, 1_000_000_000, 323_150_001, u64::MAX - 1, u64::MAX] {
            let written = serde_json::to_string(&Seconds(Duration::from_nanos(nanos))).unwrap();
            let read: Seconds = serde_json::from_str(&written).unwrap();
            assert_eq!(read.0.as_nanos(), u128::from(nanos), "{written}");
        }
    }
}
