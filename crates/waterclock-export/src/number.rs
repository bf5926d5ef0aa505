//! Numbers as they stand in JSON: decimal fractions, exact to the nanosecond. A binary float would not
//! add up.

use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;
use std::time::Duration;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::Timeline;

/// A duration in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ms(pub(crate) Duration);

/// A duration in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Us(pub(crate) Duration);

impl Serialize for Ms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raw(decimal(self.0, 1_000_000), serializer)
    }
}

impl Serialize for Us {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raw(decimal(self.0, 1_000), serializer)
    }
}

fn raw<S: Serializer>(text: String, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(text).map_err(S::Error::custom)?.serialize(serializer)
}

/// In units of `unit` nanoseconds (a power of ten), without trailing zeros: `80.14`.
pub(crate) fn decimal(duration: Duration, unit: u128) -> String {
    let places = unit.ilog10() as usize;
    let text = format!("{}.{:0places$}", duration.as_nanos() / unit, duration.as_nanos() % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Since the start of the call.
pub(crate) fn at(timeline: &Timeline, tick: Tick) -> Duration {
    tick.since(timeline.started())
}

/// As a document, indented, with a line break at its end.
pub(crate) fn document(value: &impl Serialize) -> String {
    // Nothing in it can fail to be written: keys are strings, numbers are finite.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let ns = Duration::from_nanos;
        assert_eq!(decimal(ns(80_140_000), 1_000_000), "80.14");
        assert_eq!(decimal(ns(100_000_000), 1_000_000), "100");
        assert_eq!(decimal(ns(0), 1_000), "0");
        assert_eq!(decimal(ns(1), 1_000_000), "0.000001");
        assert_eq!(decimal(Duration::MAX, 1_000), "18446744073709551615999999.999");
    }
}
