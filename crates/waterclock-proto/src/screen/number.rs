//! Durations and counts as people read them: milliseconds with one decimal below 10 s, seconds above.

use std::time::Duration;

/// Waits shorter than this round to 0.0 ms and get no row of their own.
pub(super) const SHORT: Duration = Duration::from_micros(50);
/// From here on seconds are easier to read than milliseconds.
const LONG: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Ms,
    S,
}

impl Unit {
    pub(super) fn of(duration: Duration) -> Unit {
        if duration < LONG { Unit::Ms } else { Unit::S }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Unit::Ms => "ms",
            Unit::S => "s",
        }
    }

    pub(super) const fn nanos(self) -> u128 {
        match self {
            Unit::Ms => 1_000_000,
            Unit::S => 1_000_000_000,
        }
    }

    const fn tenth(self) -> u128 {
        self.nanos() / 10
    }

    /// In a table of milliseconds only seconds need to be marked.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Unit::Ms => "",
            Unit::S => " s",
        }
    }
}

/// `80.1`, or `12.3 s`: for places where milliseconds are understood.
pub(super) fn brief(duration: Duration) -> String {
    let unit = Unit::of(duration);
    tenths(round(duration.as_nanos(), unit.tenth())) + unit.mark()
}

/// `80.1 ms`, or `12.3 s` from ten seconds on.
#[must_use]
pub fn with_unit(duration: Duration) -> String {
    let unit = Unit::of(duration);
    format!("{} {}", tenths(round(duration.as_nanos(), unit.tenth())), unit.name())
}

/// For long stretches that nobody compares with a limit: seconds from one second on.
pub(super) fn rough(duration: Duration) -> String {
    let unit = if duration < Duration::from_secs(1) { Unit::Ms } else { Unit::S };
    format!("{} {}", tenths(round(duration.as_nanos(), unit.tenth())), unit.name())
}

/// A configured duration without superfluous digits: `120`, `0.5`, `60 s`.
pub(super) fn configured(duration: Duration) -> String {
    let unit = Unit::of(duration);
    let nanos = duration.as_nanos();
    // What was worked out and not typed (`total` less what is gone) has more digits than help.
    let typed = nanos.is_multiple_of(1_000) || nanos < Unit::Ms.nanos();
    if !typed {
        return brief(duration);
    }
    decimal(nanos, unit.nanos(), 0) + unit.mark()
}

/// A duration as somebody has set it, without superfluous digits: `120 ms`, `0.5 ms`, `60 s`.
#[must_use]
pub fn configured_with_unit(duration: Duration) -> String {
    match Unit::of(duration) {
        Unit::Ms => configured(duration) + " ms",
        Unit::S => configured(duration),
    }
}

/// A duration in front of `of 120 ms`: with its unit only if that is another one.
pub(super) fn as_part_of(part: Duration, whole: Duration) -> String {
    if Unit::of(part) == Unit::of(whole) { brief(part) } else { with_unit(part) }
}

/// Seconds as they are typed: `0.12`; with at least `decimals` of them.
pub(super) fn seconds(duration: Duration, decimals: usize) -> String {
    decimal(duration.as_nanos(), Unit::S.nanos(), decimals).replace(',', "")
}

/// Milliseconds with two decimals, without grouping: `120.04`.
pub(super) fn hundredths(duration: Duration) -> String {
    let n = round(duration.as_nanos(), Unit::Ms.nanos() / 100);
    format!("{}.{:02}", n / 100, n % 100)
}

/// Milliseconds with one decimal, without grouping: for programs.
pub(super) fn plain_tenths(duration: Duration) -> String {
    tenths(round(duration.as_nanos(), Unit::Ms.tenth())).replace(',', "")
}

/// `used / of` in whole percent; 100 only if all of it was used.
pub(super) fn percent(used: Duration, of: Duration) -> u128 {
    if used >= of {
        return 100;
    }
    round(used.as_nanos() * 100, of.as_nanos()).min(99)
}

/// Digits in groups of three: `14,213`.
#[must_use]
pub fn grouped(n: u128) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `nanos` in units of `unit` nanoseconds, exactly, without trailing zeros.
pub(super) fn decimal(nanos: u128, unit: u128, decimals: usize) -> String {
    let places = unit.ilog10() as usize;
    let fraction = format!("{:0places$}", nanos % unit);
    let keep = fraction.trim_end_matches('0').len().max(decimals);
    let whole = grouped(nanos / unit);
    if keep == 0 || places == 0 {
        return whole;
    }
    let fraction: String = fraction.chars().take(keep).collect();
    format!("{whole}.{fraction}")
}

/// A sum whose printed parts add up to the printed total.
pub(super) struct Sum {
    pub(super) unit: Unit,
    pub(super) total: String,
    pub(super) parts: Vec<String>,
}

/// Rounds `parts` by largest remainder, so that they add up to their total as printed.
pub(super) fn apportion(parts: &[Duration]) -> Sum {
    let total: u128 = parts.iter().map(Duration::as_nanos).sum();
    let unit = if total < LONG.as_nanos() { Unit::Ms } else { Unit::S };
    let tenth = unit.tenth();
    let rounded_total = round(total, tenth);
    let mut rounded: Vec<u128> = parts.iter().map(|part| part.as_nanos() / tenth).collect();
    let missing = rounded_total.saturating_sub(rounded.iter().sum());
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|&part| std::cmp::Reverse(parts[part].as_nanos() % tenth));
    for (_, part) in (0..missing).zip(by_remainder) {
        rounded[part] += 1;
    }
    Sum { unit, total: tenths(rounded_total), parts: rounded.into_iter().map(tenths).collect() }
}

fn tenths(n: u128) -> String {
    format!("{}.{}", grouped(n / 10), n % 10)
}

fn round(n: u128, unit: u128) -> u128 {
    (n + unit / 2) / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(n: u64) -> Duration {
        Duration::from_micros(n)
    }

    #[test]
    fn durations_read_well_at_every_size() {
        assert_eq!(brief(us(80_140)), "80.1");
        assert_eq!(brief(us(9_999_000)), "9,999.0");
        assert_eq!(with_unit(us(10_000_000)), "10.0 s");
        assert_eq!(with_unit(Duration::from_secs(10_800)), "10,800.0 s");
        assert_eq!(configured(us(120_000)), "120");
        assert_eq!(configured(us(500)), "0.5");
        assert_eq!(configured(Duration::from_nanos(1)), "0.000001");
        assert_eq!(configured(Duration::from_nanos(123_456_789)), "123.5");
        assert_eq!(configured_with_unit(Duration::from_secs(60)), "60 s");
        assert_eq!(seconds(us(120_000), 0), "0.12");
        assert_eq!(seconds(us(120_000), 3), "0.120");
        assert_eq!(seconds(Duration::from_secs(3), 0), "3");
        assert_eq!(rough(us(4_100_000)), "4.1 s");
        assert_eq!(hundredths(us(120_040)), "120.04");
    }

    #[test]
    fn only_all_of_it_is_a_hundred_percent() {
        assert_eq!(percent(us(111_000), us(120_000)), 93);
        assert_eq!(percent(us(119_999), us(120_000)), 99);
        assert_eq!(percent(us(120_000), us(120_000)), 100);
        assert_eq!(percent(us(0), us(0)), 100);
    }

    #[test]
    fn rounded_parts_add_up() {
        let sum = apportion(&[us(1_040), us(1_040), us(1_040), us(0)]);
        assert_eq!((sum.total.as_str(), sum.parts.join(" ")), ("3.1", "1.1 1.0 1.0 0.0".into()));
    }
}
