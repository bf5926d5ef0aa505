//! The words of the screen: names of waits, and text made fit for a terminal.

use crate::timeline::{AttemptEnd, Phase, Span, Timeline, What};
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use url::{Host, Url};

/// What a span was, in a few words: `dns example.com`, `tcp 192.0.2.1:443`, `tls read 2`,
/// `read headers`. Empty if there is no such span.
///
/// Reads and writes are counted within their hop and phase. `x407` marks a folded run.
#[must_use]
pub fn label(timeline: &Timeline, span_index: usize) -> String {
    named(timeline, span_index, "x")
}

/// [`label`] with the sign that stands for "times" in the character set in use.
pub(super) fn named(timeline: &Timeline, index: usize, times: &str) -> String {
    let Some(span) = timeline.spans().get(index) else { return String::new() };
    let base = base(timeline, span);
    if let Some(fold) = timeline.fold_of(span) {
        return format!("{base} {times}{}", fold.waits);
    }
    let verb = match (span.phase, span.what) {
        (Phase::Tls | Phase::Tunnel, What::Read) => " read",
        (Phase::Tls | Phase::Tunnel, What::Write) => " write",
        _ => "",
    };
    match ordinal(timeline, index, span) {
        Some(n) => format!("{base}{verb} {n}"),
        None => format!("{base}{verb}"),
    }
}

/// The name that the waits of a run have in common.
pub(super) fn base(timeline: &Timeline, span: &Span) -> Cow<'static, str> {
    Cow::Borrowed(match span.phase {
        Phase::Pool => "wait for connection",
        Phase::Resolve => return resolve(timeline, span).into(),
        Phase::Connect => return connect(timeline, span).into(),
        Phase::Tunnel => "proxy",
        Phase::Tls => "tls",
        Phase::Send => "send request",
        Phase::Upload => "send body",
        Phase::Continue => "wait for 100 Continue",
        Phase::FirstByte | Phase::Head => "read headers",
        Phase::Body => "read body",
        Phase::Backoff => "wait before retry",
        Phase::Caller => "caller",
        Phase::Local => "local",
    })
}

fn resolve(timeline: &Timeline, span: &Span) -> String {
    let hop = timeline.hops().get(usize::from(span.hop));
    let name = hop.map(|hop| host(&hop.request.url)).unwrap_or_default();
    escape(format!("dns {name}").trim_end()).into_owned()
}

fn connect(timeline: &Timeline, span: &Span) -> String {
    let What::Connect(attempt) = span.what else { return "tcp".to_owned() };
    let newest = timeline.attempts().get(usize::from(attempt));
    // The newest attempt may have lost to an older one that answered during its wait.
    let lost = newest.is_some_and(|attempt| attempt.end == AttemptEnd::Abandoned);
    let connects = |other: &&Span| other.hop == span.hop && other.phase == Phase::Connect;
    let last = timeline.spans().iter().rev().find(connects) == Some(span);
    let won = timeline.attempts().iter().find(|attempt| {
        last && lost && attempt.hop == span.hop && attempt.end == AttemptEnd::Connected
    });
    let attempt = won.or(newest);
    attempt.map_or_else(|| "tcp".to_owned(), |attempt| format!("tcp {}", escape(&attempt.peer)))
}

/// The number of a wait among those of its kind in its hop, if it needs one.
fn ordinal(timeline: &Timeline, index: usize, span: &Span) -> Option<u64> {
    let always = match span.phase {
        Phase::Tls | Phase::Tunnel => true,
        Phase::Send | Phase::Upload | Phase::FirstByte | Phase::Head | Phase::Body => false,
        _ => return None,
    };
    let kind = |phase| if phase == Phase::Head { Phase::FirstByte } else { phase };
    let count = |spans: &[Span]| -> u64 {
        let same = |other: &&Span| other.hop == span.hop && kind(other.phase) == kind(span.phase);
        let waits = |other: &Span| timeline.fold_of(other).map_or(1, |fold| fold.waits);
        spans.iter().filter(same).map(waits).sum()
    };
    let spans = timeline.spans();
    (always || count(spans) > 1).then(|| count(&spans[..=index]))
}

/// The host of a URL as people write it.
///
/// A name in Punycode is decoded label by label where that cannot deceive: letters that pass for
/// Latin ones are narrow, so a label is decoded only if all its letters are wide (Hangul, Han, Kana).
fn host(url: &Url) -> String {
    let name = match url.host() {
        Some(Host::Domain(name)) => name,
        Some(address) => return address.to_string(),
        None => return String::new(),
    };
    let decode = |label: &str| -> String {
        let (decoded, valid) = idna::domain_to_unicode(label);
        let wide = |c: char| matches!(c, '0'..='9' | '-') || c.width() == Some(2);
        let fair = valid.is_ok() && decoded.chars().all(wide);
        if fair { decoded } else { label.to_owned() }
    };
    name.split('.').map(decode).collect::<Vec<_>>().join(".")
}

/// The short name of a phase in sums: `dns 80.1, tcp 30.4`.
pub(super) const fn short(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolve => "dns",
        Phase::Connect => "tcp",
        Phase::Tunnel => "proxy",
        Phase::FirstByte | Phase::Head => "headers",
        phase => phase.name(),
    }
}

/// What the caller did in its own time.
pub(super) const fn caller(what: What) -> &'static str {
    match what {
        What::Source => "caller (making the body)",
        What::Reader => "caller (reading response)",
        What::Hook => "caller (hook)",
        _ => "caller",
    }
}

/// Makes visible what a terminal would obey instead of show: control characters, and the invisible
/// ones that reorder or hide text.
///
/// ```
/// use waterclock_proto::screen::escape;
///
/// assert_eq!(escape("OK"), "OK");
/// assert_eq!(escape("\x1b[2Jgone"), "\\u{1b}[2Jgone");
/// assert_eq!(escape("exe.\u{202e}fdp"), "exe.\\u{202e}fdp");
/// ```
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// `text` for a terminal that knows ASCII only: hosts in Punycode, the rest by number.
pub(super) fn to_ascii<'a>(text: &'a str, timeline: &Timeline) -> Cow<'a, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut text = text.to_owned();
    for url in timeline.hops().iter().map(|hop| &hop.request.url) {
        let shown = host(url);
        if !shown.is_ascii() {
            text = text.replace(&shown, url.host_str().unwrap_or_default());
        }
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    Cow::Owned(out)
}

/// C0, DEL and C1; marks, embeddings, overrides and isolates of the bidirectional algorithm; line
/// separators; what has no width and no meaning on its own.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Columns that `text` takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    // The sum over characters is never less than the width of the whole.
    text.width().max(text.chars().map(columns).sum())
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// `text` in at most `room` columns, with `ellipsis` where something is missing. A character of
/// Hangul, Han or Kana takes two columns.
#[must_use]
pub fn cut<'a>(text: &'a str, room: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    if width(ellipsis) > room {
        return Cow::Borrowed("");
    }
    let (head, _) = split(text, room - width(ellipsis));
    Cow::Owned(format!("{head}{ellipsis}"))
}

/// The longest beginning of `text` that fits into `room` columns, and the rest.
fn split(text: &str, room: usize) -> (&str, &str) {
    let mut used = 0;
    let end = text.char_indices().find(|&(_, c)| {
        used += columns(c);
        used > room
    });
    text.split_at(end.map_or(text.len(), |(at, _)| at))
}

/// Fills `text` into lines of at most `room` columns and adds them to `out`.
pub(super) fn wrap(out: &mut String, text: &str, first: usize, rest: usize, room: usize) {
    let mut line = " ".repeat(first);
    let mut empty = true;
    for mut word in text.split(' ') {
        let gap = usize::from(!empty);
        if !empty && width(&line) + gap + width(word) > room {
            end_line(out, &mut line, rest);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        // A word longer than a line (a host name can be) is broken where the line ends.
        while width(&line) + width(word) > room {
            let (head, tail) = split(word, room.saturating_sub(width(&line)).max(2));
            line.push_str(head);
            end_line(out, &mut line, rest);
            word = tail;
        }
        line.push_str(word);
        empty = false;
    }
    end_line(out, &mut line, rest);
}

fn end_line(out: &mut String, line: &mut String, indent: usize) {
    out.push_str(line.trim_end());
    out.push('\n');
    *line = " ".repeat(indent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_made_visible() {
        assert_eq!(escape("a\x1b]0;title\x07b"), "a\\u{1b}]0;title\\u{7}b");
        assert_eq!(escape("\u{9b}31m \x7f"), "\\u{9b}31m \\u{7f}");
        assert_eq!(escape("a\r\nb\tc"), "a\\r\\nb\\tc");
        assert_eq!(escape("\u{2066}x\u{2069}\u{200f}"), "\\u{2066}x\\u{2069}\\u{200f}");
        assert!(matches!(escape("안녕, naïve ünïcode"), Cow::Borrowed(_)));
    }

    #[test]
    fn hosts_are_decoded_only_where_that_cannot_deceive() {
        let host = |url: &str| host(&Url::parse(url).unwrap());
        assert_eq!(host("https://한국인터넷.한국/"), "한국인터넷.한국");
        assert_eq!(host("https://www.도메인.kr/"), "www.도메인.kr");
        // Cyrillic that looks like "apple".
        assert!(host("https://аррӏе.com/").starts_with("xn--"));
        assert_eq!(host("http://[::1]:80/"), "[::1]");
    }

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(cut("한국인터넷", 7, "…"), "한국인…");
        assert_eq!(cut("한국인터넷", 6, "…"), "한국…");
        assert_eq!(cut("short", 5, "..."), "short");
        assert_eq!(cut("longer", 2, "..."), "");
    }

    #[test]
    fn lines_are_filled_and_long_words_broken() {
        let mut out = String::new();
        wrap(&mut out, "a bb ccc dddd eeeeeeeeeeeeeeeee", 1, 3, 10);
        assert_eq!(out, " a bb ccc\n   dddd\n   eeeeeee\n   eeeeeee\n   eee\n");
    }
}
