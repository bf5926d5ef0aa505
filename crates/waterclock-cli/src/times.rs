//! Limits on the command line: `0.12`, `120ms`, `2m`, `none`.

use std::fmt;
use std::time::Duration;
use waterclock::limit::{InvalidSeconds, duration_from_seconds};
use waterclock::{Limit, Limits};

/// A text that is no limit, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InvalidTime(String);

impl fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidTime {}

/// What `--timeout` takes: one value for connecting and reading, or one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) connect: Option<Duration>,
    pub(crate) read: Option<Duration>,
}

/// Reads a duration; `None` is no limit. The bare unit is the second, as in curl and requests.
pub(crate) fn parse(text: &str) -> Result<Option<Duration>, InvalidTime> {
    if text == "none" {
        return Ok(None);
    }
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let unit = units.iter().find_map(|&(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (digits, factor) = unit.unwrap_or((text, 1.0));
    let is_decimal = |c: char| c.is_ascii_digit() || c == '.';
    let number = digits.strip_prefix('-').unwrap_or(digits);
    let number = Some(number).filter(|number| !number.is_empty() && number.chars().all(is_decimal));
    let seconds = number.and(digits.parse::<f64>().ok()).ok_or_else(|| {
        InvalidTime("write seconds (0.12), or 120ms, 3s, 2m, or none for no limit".to_owned())
    })?;
    duration_from_seconds(seconds * factor).map_err(|error| {
        InvalidTime(match error {
            InvalidSeconds::Negative(_) => "a limit cannot be negative".to_owned(),
            InvalidSeconds::Zero => {
                "0 would mean at once to some and never to others; write none for no limit"
                    .to_owned()
            }
            error => error.to_string(),
        })
    })
}

/// Reads a pause, which may be 0.
pub(crate) fn parse_pause(text: &str) -> Result<Duration, InvalidTime> {
    if text.parse() == Ok(0.0) {
        return Ok(Duration::ZERO);
    }
    parse(text).and_then(|pause| {
        pause.ok_or_else(|| InvalidTime("write seconds (0.5), or 500ms, 3s, 2m".to_owned()))
    })
}

/// Reads `T` or `CONNECT,READ`.
pub(crate) fn parse_pair(text: &str) -> Result<Pair, InvalidTime> {
    match text.split_once(',') {
        None => parse(text).map(|both| Pair { connect: both, read: both }),
        Some((connect, read)) => Ok(Pair { connect: parse(connect)?, read: parse(read)? }),
    }
}

/// The flags about limits.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) timeout: Option<Pair>,
    pub(crate) strict: Option<Option<Duration>>,
    pub(crate) named: Vec<(Limit, Option<Duration>)>,
}

impl Wanted {
    /// `-t` alone is what requests means by it; `--strict` fills what is not set; a flag with a
    /// limit's own name overrides both.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = match (&self.timeout, self.strict) {
            (Some(pair), _) => Limits::requests(pair.connect, pair.read),
            (None, Some(_)) => Limits::none(),
            (None, None) => Limits::default(),
        };
        if let Some(strict) = self.strict {
            for limit in Limit::ALL {
                // `continue` is set in every case, and its expiry is no failure.
                let unset = limits.get(limit).is_none() || limit == Limit::Continue;
                if unset {
                    limits = limits.with(limit, strict);
                }
            }
        }
        self.named.iter().fold(limits, |limits, &(limit, value)| limits.with(limit, value))
    }
}

/// The option of a limit, without its dashes: `first-byte-timeout`, but `total`.
pub(crate) const fn option(limit: Limit) -> &'static str {
    match limit {
        Limit::Total => "total",
        Limit::Attempt => "attempt-timeout",
        Limit::Pool => "pool-timeout",
        Limit::Resolve => "resolve-timeout",
        Limit::Connect => "connect-timeout",
        Limit::Address => "address-timeout",
        Limit::Tunnel => "tunnel-timeout",
        Limit::Tls => "tls-timeout",
        Limit::Write => "write-timeout",
        Limit::Upload => "upload-timeout",
        Limit::Continue => "continue-timeout",
        Limit::FirstByte => "first-byte-timeout",
        Limit::Head => "head-timeout",
        Limit::Read => "read-timeout",
        Limit::Body => "body-timeout",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Option<Duration> {
        Some(Duration::from_millis(n))
    }

    #[test]
    fn seconds_are_the_bare_unit() {
        for (text, value) in [
            ("0.12", ms(120)),
            ("3", ms(3_000)),
            (".5", ms(500)),
            ("120ms", ms(120)),
            ("1.5s", ms(1_500)),
            ("2m", ms(120_000)),
            ("none", None),
        ] {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_limit_is_refused_with_the_way_out() {
        for text in ["0", "0ms", "-1", "-0.5s", "", "s", "1,5", "1e3", "inf", "nan", "1h", "1 s"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("0").unwrap_err().0.contains("none"));
        assert!(parse("-2").unwrap_err().0.contains("negative"));
    }

    #[test]
    fn timeout_alone_is_what_requests_means_by_it() {
        let pair = parse_pair("0.12").unwrap();
        let wanted = Wanted { timeout: Some(pair), ..Wanted::default() };
        assert_eq!(wanted.limits(), Limits::per_wait(Duration::from_millis(120)));
        let pair = parse_pair("1,none").unwrap();
        let wanted = Wanted { timeout: Some(pair), ..Wanted::default() };
        assert_eq!(wanted.limits(), Limits::requests(ms(1_000), None));
    }

    #[test]
    fn strict_fills_what_is_not_set_and_names_override() {
        let strict = Wanted { strict: Some(ms(500)), ..Wanted::default() }.limits();
        assert!(Limit::ALL.iter().all(|&limit| strict.get(limit) == ms(500)));
        let both = Wanted {
            timeout: Some(parse_pair("2").unwrap()),
            strict: Some(ms(500)),
            named: vec![(Limit::Head, ms(70)), (Limit::Body, None)],
        };
        let limits = both.limits();
        assert_eq!(limits.get(Limit::Read), ms(2_000));
        assert_eq!(limits.get(Limit::Total), ms(500));
        assert_eq!(limits.get(Limit::Head), ms(70));
        assert_eq!(limits.get(Limit::Body), None);
    }

    #[test]
    fn without_a_flag_the_documented_defaults_hold() {
        assert_eq!(Wanted::default().limits(), Limits::default());
    }

    #[test]
    fn options_are_spelled_like_the_limits() {
        for limit in Limit::ALL.into_iter().filter(|&limit| limit != Limit::Total) {
            assert_eq!(option(limit), format!("{}-timeout", limit.name().replace('_', "-")));
        }
    }
}
