//! The screen around the waterfall: the head line above it, the message below.

use std::fmt::Write as _;
use std::time::Duration;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use waterclock::run::{ErrorRecord, ResponseRecord, Run};
use waterclock::screen::{self, Charset, ServerTiming, Style, Table, escape};
use waterclock::{Error, ErrorKind, Headers, Response, Timeline};

/// The narrowest screen that the waterfall is drawn for.
const NARROWEST: usize = 60;

/// What the head line says of a response; taken before its body is gone.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    status_line: String,
    place: Vec<String>,
    body_received: u64,
    body_bytes: u64,
    said: Option<ServerTiming>,
}

impl Head {
    pub(crate) fn of(response: &Response) -> Self {
        let status_line =
            format!("{} {} {}", response.version(), response.status(), response.reason());
        let mut place = Vec::new();
        if let Some(info) = response.connection() {
            place.extend(info.remote_address.map(|address| address.to_string()));
            place.extend(info.tls.as_ref().map(|tls| tls.version.clone().into_owned()));
        }
        let status_line = status_line.trim_end().to_owned();
        let said = said(response.headers());
        Head { status_line, place, body_received: 0, body_bytes: 0, said }
    }

    /// Of a response that was saved.
    fn saved(record: &ResponseRecord) -> Self {
        let status_line = format!("{} {} {}", record.http_version, record.status, record.reason);
        let mut place = Vec::new();
        if let Some(info) = &record.connection {
            place.extend(info.remote_address.map(|address| address.to_string()));
            place.extend(info.tls.as_ref().map(|tls| tls.version.clone().into_owned()));
        }
        Head {
            status_line: status_line.trim_end().to_owned(),
            place,
            body_received: record.body_received,
            body_bytes: record.body_bytes,
            said: said(&record.headers),
        }
    }

    /// How much of the body came: on the wire, and decoded.
    pub(crate) fn count(&mut self, received: u64, bytes: u64) {
        (self.body_received, self.body_bytes) = (received, bytes);
    }

    fn line(&self, timeline: &Timeline) -> String {
        let mut parts = vec![self.status_line.clone(), size(self.body_received)];
        if self.body_bytes != self.body_received {
            parts[1] += &format!(" ({} decoded)", size(self.body_bytes));
        }
        parts.push(time(timeline.elapsed()));
        parts.extend(self.place.iter().cloned());
        let connection = timeline.hops().last().and_then(|hop| hop.connection);
        parts.extend(connection.map(|connection| match connection.idle {
            None => "new connection".to_owned(),
            Some(idle) => format!("reused connection, idle {}", time(idle)),
        }));
        parts.join("  ")
    }
}

/// What the server says about its time.
fn said(headers: &Headers) -> Option<ServerTiming> {
    let fields = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("server-timing"));
    ServerTiming::of(fields.map(|(_, value)| value))
}

/// Why the call did not succeed, for people.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble {
    /// One line, complete in itself.
    pub(crate) line: String,
    /// The same without what the screen shows anyway.
    pub(crate) message: String,
    /// What else is to be said: what to do, where a partial file is.
    pub(crate) remarks: Vec<String>,
}

impl Trouble {
    pub(crate) fn of(error: &Error) -> Self {
        let message = match error.timeline().map(screen::verdict) {
            Some(verdict) if error.is_timeout() => verdict.into_iter().next().unwrap_or_default(),
            _ => escape(error.message()).into_owned(),
        };
        let remarks = error.hint().map(|hint| escape(hint).into_owned());
        Trouble { line: error.to_string(), message, remarks: remarks.into_iter().collect() }
    }

    /// Of a failure that was saved.
    fn saved(record: &ErrorRecord, timeline: Option<&Timeline>) -> Self {
        let verdict =
            timeline.map(screen::verdict).filter(|_| record.kind == ErrorKind::Timeout.name());
        let message = verdict.and_then(|verdict| verdict.into_iter().next());
        let message = message.unwrap_or_else(|| escape(&record.message).into_owned());
        let remarks = record.remarks.iter().map(|remark| escape(remark).into_owned()).collect();
        Trouble { line: escape(&record.message).into_owned(), message, remarks }
    }

    /// Something that is not the client's failure.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Trouble { line: message.clone(), message, remarks: Vec::new() }
    }

    /// In one line, and one for each remark.
    pub(crate) fn brief(&self) -> String {
        let mut out = format!("waterclock: {}\n", self.line);
        for remark in &self.remarks {
            let _ = writeln!(out, "  {remark}");
        }
        out
    }
}

/// What a saved call showed.
pub(crate) fn saved(run: &Run, table: Table, style: &Style) -> String {
    let timeline = run.timeline.as_ref();
    let head = run.response.as_ref().map(Head::saved);
    let trouble = run.error.as_ref().map(|error| Trouble::saved(error, timeline));
    let mut out = match (timeline, &trouble) {
        (Some(timeline), trouble) => {
            screen(head.as_ref(), table, timeline, trouble.as_ref(), style)
        }
        (None, Some(trouble)) => trouble.brief(),
        (None, None) => "The call had not begun.\n".to_owned(),
    };
    tips(&mut out, &run.remarks, style);
    out
}

/// What else is to be said, below everything.
pub(crate) fn tips(out: &mut String, tips: &[String], style: &Style) {
    for tip in tips {
        out.push('\n');
        wrap(out, &escape(tip), 1, 3, style);
    }
}

/// The whole screen of one call.
pub(crate) fn screen(
    head: Option<&Head>,
    table: Table,
    timeline: &Timeline,
    trouble: Option<&Trouble>,
    style: &Style,
) -> String {
    let lines: Vec<String> = head.map(|head| head.line(timeline)).into_iter().collect();
    let said = head.and_then(|head| head.said.as_ref());
    let Some(trouble) = trouble else {
        return screen::screen_with(&lines, table, timeline, said, style);
    };
    let mut out = String::new();
    for line in &lines {
        wrap(&mut out, &escape(line), 0, 2, style);
        out.push('\n');
    }
    if !timeline.spans().is_empty() {
        out += &table.render_with(timeline, said, style);
        out.push('\n');
    }
    wrap(&mut out, &format!("waterclock: {}", trouble.message), 0, 2, style);
    let verdict = screen::verdict(timeline);
    // A fired limit's headline is the message already.
    let known = usize::from(timeline.fired().is_some());
    for sentence in verdict.iter().skip(known).chain(&trouble.remarks) {
        wrap(&mut out, sentence, 2, 2, style);
    }
    out
}

/// Fills `text` into lines, in the characters that the terminal has.
pub(crate) fn wrap(out: &mut String, text: &str, first: usize, rest: usize, style: &Style) {
    let text = match style.charset {
        Charset::Unicode => text.to_owned(),
        Charset::Ascii => text.chars().fold(String::new(), |mut ascii, c| {
            if c.is_ascii() {
                ascii.push(c);
            } else {
                ascii.extend(c.escape_unicode());
            }
            ascii
        }),
    };
    let columns =
        |text: &str| text.width().max(text.chars().filter_map(UnicodeWidthChar::width).sum());
    let room = style.width.max(NARROWEST);
    let mut line = " ".repeat(first);
    let mut used = first;
    for (index, word) in text.split(' ').enumerate() {
        let gap = usize::from(index > 0);
        if gap == 1 && used + gap + columns(word) > room {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(rest);
            used = rest;
        } else if gap == 1 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += columns(word);
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

/// `323.2 ms`, or `12.3 s` from ten seconds on, rounded as in the waterfall.
pub(crate) fn time(duration: Duration) -> String {
    let (tenth, unit) =
        if duration < Duration::from_secs(10) { (100_000, "ms") } else { (100_000_000, "s") };
    let tenths = (duration.as_nanos() + tenth / 2) / tenth;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `512 B`, `14.2 kB`, `1.0 GB`.
pub(crate) fn size(bytes: u64) -> String {
    let mut unit = "B";
    let mut divisor = 1_u64;
    for larger in ["kB", "MB", "GB", "TB"] {
        if bytes / divisor < 1_000 {
            break;
        }
        (unit, divisor) = (larger, divisor * 1_000);
    }
    if divisor == 1 {
        return format!("{bytes} B");
    }
    let tenths = bytes / (divisor / 10);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_well() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(14_249), "14.2 kB");
        assert_eq!(size(1_000_000), "1.0 MB");
        assert_eq!(size(u64::MAX), "18446744.0 TB");
        assert_eq!(time(Duration::from_micros(323_150)), "323.2 ms");
        assert_eq!(time(Duration::from_millis(12_340)), "12.3 s");
    }

    #[test]
    fn lines_are_filled_by_columns() {
        let mut out = String::new();
        let style = Style { width: 60, ..Style::default() };
        wrap(&mut out, &"한국 ".repeat(14), 0, 2, &style);
        assert_eq!(out.lines().count(), 2);
        assert!(out.lines().all(|line| line.width() <= 60));
        let mut out = String::new();
        wrap(&mut out, "é", 1, 1, &Style { charset: Charset::Ascii, ..style });
        assert_eq!(out, " \\u{e9}\n");
    }
}
