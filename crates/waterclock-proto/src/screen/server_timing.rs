//! What a server says about its own time: the field `Server-Timing`
//! (<https://www.w3.org/TR/server-timing/>), as a line below the wait for the response's head.

use super::words::{cut, escape};
use std::fmt::Write as _;

/// A server may send as many metrics as it likes; more than this are counted.
const MOST: usize = 12;
/// Columns of one name or description.
const WIDEST: usize = 24;
/// Longer durations (in milliseconds) are a mistake.
const LONGEST: f64 = 1e9;

/// The metrics of a response, for people.
///
/// ```
/// use waterclock_proto::screen::ServerTiming;
///
/// let said = ServerTiming::of([&b"db;dur=53, app;dur=41.2;desc=\"the app\", hit"[..]]);
/// assert_eq!(said.unwrap().text(), "server says: db 53.0, app (the app) 41.2, hit");
/// assert_eq!(ServerTiming::of([&b", ;dur=3"[..]]), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTiming(String);

impl ServerTiming {
    /// Reads the field's values; `None` if they have no metric. What cannot be read is passed over, and
    /// what is shown is escaped and bounded.
    #[must_use]
    pub fn of<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Option<Self> {
        let mut shown = Vec::new();
        let mut more = 0_usize;
        for value in values {
            let value = String::from_utf8_lossy(value);
            for metric in split(&value, ',').filter_map(metric) {
                if shown.len() < MOST {
                    shown.push(metric);
                } else {
                    more += 1;
                }
            }
        }
        if shown.is_empty() {
            return None;
        }
        let mut text = format!("server says: {}", shown.join(", "));
        if more > 0 {
            let _ = write!(text, ", and {more} more");
        }
        Some(ServerTiming(text))
    }

    /// `server says: db 53.0, app 41.2`: milliseconds, as everywhere in the table.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Splits outside of quoted strings.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            c if c == at && !quoted => return true,
            _ => {}
        }
        false
    })
}

/// `app (the app) 41.2`
fn metric(text: &str) -> Option<String> {
    let mut parts = split(text, ';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let mut shown = short(name);
    let (mut duration, mut description) = (None, None);
    for part in parts {
        let Some((key, value)) = part.split_once('=') else { continue };
        let value = unquoted(value.trim());
        // The first of a name counts.
        match key.trim() {
            key if key.eq_ignore_ascii_case("dur") => duration = duration.or(number(&value)),
            key if key.eq_ignore_ascii_case("desc") => {
                description = description.or(Some(value).filter(|value| !value.is_empty()));
            }
            _ => {}
        }
    }
    if let Some(description) = description {
        let _ = write!(shown, " ({})", short(&description));
    }
    if let Some(duration) = duration {
        let _ = write!(shown, " {duration:.1}");
    }
    Some(shown)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| (0.0..=LONGEST).contains(number))
}

fn short(text: &str) -> String {
    cut(&escape(text), WIDEST, "...").into_owned()
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::new();
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> String {
        ServerTiming::of([value.as_bytes()]).map_or(String::new(), |said| said.text().to_owned())
    }

    #[test]
    fn quoted_strings_may_hold_separators() {
        assert_eq!(of("a;desc=\"x, y; \\\"z\\\"\";dur=1"), "server says: a (x, y; \"z\") 1.0");
        assert_eq!(of("a ; DUR = 2 ,\tb"), "server says: a 2.0, b");
        assert_eq!(of("물;dur=\"3\""), "server says: 물 3.0");
    }

    #[test]
    fn nonsense_is_passed_over() {
        for value in ["", ",,", ";", "=;dur=", "a;dur=x", "a;dur=-1", "a;dur=NaN", "a;dur=1e300"] {
            let text = of(value);
            assert!(!text.contains(|c: char| c.is_ascii_digit()), "{value}: {text}");
        }
        assert_eq!(of("a;dur=inf;desc"), "server says: a");
        assert_eq!(of("a;dur=1;dur=2"), "server says: a 1.0");
    }

    #[test]
    fn it_is_harmless_and_bounded() {
        assert_eq!(of("a\x1b[2J;desc=\"\u{202e}\""), "server says: a\\u{1b}[2J (\\u{202e})");
        let many = (0..100).map(|n| format!("m{n};dur={n}")).collect::<Vec<_>>().join(",");
        assert!(of(&many).ends_with("m11 11.0, and 88 more"), "{}", of(&many));
        assert!(of(&"x".repeat(9_999)).len() < 50);
        let invalid = ServerTiming::of([&b"\xff;dur=1"[..]]).unwrap();
        assert_eq!(invalid.text(), "server says: \u{fffd} 1.0");
    }
}
