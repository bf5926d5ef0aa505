//! The table of `--repeat`.

use super::summary::{Part, Row, Summary};
use crate::report::wrap;
use std::fmt::Write as _;
use std::time::Duration;
use waterclock::screen::{Style, escape};
use waterclock_proto::timeline::Phase;

const HEADINGS: [&str; 4] = ["min", "median", "95th", "max"];

pub(super) fn render(summary: &Summary, style: &Style) -> String {
    let mut out = String::new();
    wrap(&mut out, &head(summary), 0, 2, style);
    let rows = summary.rows();
    if !rows.is_empty() {
        out.push('\n');
        lay_out(&mut out, &rows);
        out.push('\n');
        wrap(&mut out, &basis(summary), 1, 3, style);
    }
    out
}

/// `20 calls: GET http://h.test/   2 failed: 1 by the total limit, 1 connect`
fn head(summary: &Summary) -> String {
    let calls = summary.calls();
    let calls = match calls == summary.wanted {
        true => counted(calls, "call"),
        false => format!("interrupted, {calls} of {}", counted(summary.wanted, "call")),
    };
    let failed = summary.failed.iter().map(|(cause, count)| format!("{cause} ({count})"));
    let failed = failed.collect::<Vec<_>>().join(", ");
    let failed =
        if failed.is_empty() { "none failed".to_owned() } else { format!("failed: {failed}") };
    format!("{calls}: {}  {failed}", escape(&summary.request))
}

fn counted(count: u32, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What the figures are of.
fn basis(summary: &Summary) -> String {
    let mut out = String::from(
        "Each row is of the calls that took time for it, and did not fail; percentiles are by nearest rank.",
    );
    let _ = match summary.reused {
        0 => write!(out, " Every connection was new."),
        reused => write!(
            out,
            " {} of {} went over a connection that was there.",
            reused,
            counted(summary.calls(), "call")
        ),
    };
    out
}

fn lay_out(out: &mut String, rows: &[Row]) {
    let cells = |row: &Row| [row.least, row.median, row.most_95, row.most].map(millis);
    let widest = rows.iter().flat_map(cells).map(|cell| cell.len()).fold(8, usize::max);
    let mut line = format!(" {:<22}{:>7}", "ms", "calls");
    for heading in HEADINGS {
        let _ = write!(line, "  {heading:>widest$}");
    }
    let _ = writeln!(out, "{line}");
    for row in rows {
        let mut line = format!(" {:<22}{:>7}", name(row.part), row.calls);
        for cell in cells(row) {
            let _ = write!(line, "  {cell:>widest$}");
        }
        let _ = writeln!(out, "{line}");
    }
}

/// One decimal, and two where that says nothing.
fn millis(duration: Duration) -> String {
    let micros = duration.as_nanos().div_ceil(1_000);
    if micros < 1_000 {
        return format!("0.{:02}", (micros + 5) / 10 % 100);
    }
    let tenths = (micros + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// As in the waterfall, where there is one word for it.
const fn name(part: Part) -> &'static str {
    match part {
        Part::Phase(Phase::Pool) => "wait for connection",
        Part::Phase(Phase::Resolve) => "dns",
        Part::Phase(Phase::Connect) => "tcp",
        Part::Phase(Phase::Tunnel) => "proxy",
        Part::Phase(Phase::Tls) => "tls",
        Part::Phase(Phase::Send) => "send request",
        Part::Phase(Phase::Upload) => "send body",
        Part::Phase(Phase::Continue) => "wait for 100 Continue",
        Part::Phase(Phase::FirstByte) => "first byte",
        Part::Phase(Phase::Head) => "rest of the headers",
        Part::Phase(Phase::Body) => "read body",
        Part::Phase(Phase::Backoff) => "wait before retry",
        Part::Phase(Phase::Caller) => "caller",
        Part::Phase(Phase::Local) | Part::Local => "local work",
        Part::Total => "total",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use std::time::SystemTime;
    use unicode_width::UnicodeWidthStr;
    use waterclock::run::{ErrorRecord, RequestRecord, Run};
    use waterclock::screen::Charset;
    use waterclock::{Limits, Tick};
    use waterclock_proto::timeline::{SpanEnd, Timeline, What};

    const URL: &str = "https://user:secret@한국.test/물시계";

    fn run(millis: u64, waits: u64) -> Run {
        let at = |n: u64| Tick::from_nanos(n * 1_000_000);
        let mut timeline = Timeline::new(at(0), Limits::none());
        let mut now = 0;
        if millis == 1 {
            timeline.record_wait(Phase::Resolve, What::Answer, at(0), at(1), None, SpanEnd::Ready);
            now = 1;
        }
        for _ in 0..waits {
            let until = now + millis;
            timeline.record_wait(Phase::Body, What::Read, at(now), at(until), None, SpanEnd::Ready);
            now = until;
        }
        timeline.finish(at(now + 1));
        let mut run = Run::new(SystemTime::UNIX_EPOCH, RequestRecord::refused("GET", URL));
        run.timeline = Some(timeline);
        run
    }

    fn failed(kind: &'static str, limit: Option<&'static str>) -> Run {
        let mut run = run(500, 1);
        let mut error = ErrorRecord::new(kind, "it failed", None);
        error.limit = limit;
        run.error = Some(error);
        run
    }

    fn summary() -> Summary {
        let mut summary = Summary::new("GET", URL, 22);
        for n in 1..=20 {
            summary.add(&run(n, 1), Exit::Done);
        }
        summary.add(&failed("timeout", Some("total")), Exit::Call(waterclock::ErrorKind::Timeout));
        summary.add(&failed("slo", None), Exit::Slo);
        summary
    }

    #[test]
    fn the_table_is_exactly_this() {
        let text = render(&summary(), &Style::default());
        assert_eq!(
            text,
            "22 calls: GET https://***@한국.test/물시계  failed: the total limit (1), slo (1)\n\n\
             \u{20}ms                      calls       min    median      95th       max\n\
             \u{20}dns                         1       1.0       1.0       1.0       1.0\n\
             \u{20}read body                  21       1.0      11.0      20.0     500.0\n\
             \u{20}local work                 21       1.0       1.0       1.0       1.0\n\
             \u{20}total                      21       3.0      12.0      21.0     501.0\n\n\
             \u{20}Each row is of the calls that took time for it, and did not fail; percentiles\n\
             \u{20}  are by nearest rank. Every connection was new.\n"
        );
        assert_eq!(summary().exit(), Exit::Call(waterclock::ErrorKind::Timeout));
    }

    #[test]
    fn no_line_is_too_wide_and_ascii_is_ascii() {
        let ascii = Style { charset: Charset::Ascii, ..Style::default() };
        let text = render(&summary(), &ascii);
        assert!(text.is_ascii() && text.contains("\\u{d55c}"), "{text}");
        for width in [60, 80, 120] {
            let text = render(&summary(), &Style { width, ..Style::default() });
            assert!(text.lines().all(|line| line.width() <= width.max(72)), "{text}");
        }
    }

    #[test]
    fn nothing_and_very_much_are_shown() {
        let none = Summary::new("GET", "http://h.test/", 5);
        assert_eq!(
            render(&none, &Style::default()),
            "interrupted, 0 of 5 calls: GET http://h.test/  none failed\n"
        );
        let mut one = Summary::new("GET", "http://h.test/", 1);
        one.add(&run(2_000, 10_000), Exit::Done);
        let text = render(&one, &Style::default());
        assert!(text.starts_with("1 call: GET http://h.test/  none failed\n"), "{text}");
        let row =
            " total                       1  20000001.0  20000001.0  20000001.0  20000001.0\n";
        assert!(text.contains(row) && text.lines().all(|line| line.width() <= 80), "{text}");
    }

    #[test]
    fn short_times_have_two_decimals() {
        let of = |nanos| millis(Duration::from_nanos(nanos));
        assert_eq!(
            [of(1), of(99_400), of(994_000), of(1_000_000)],
            ["0.00", "0.10", "0.99", "1.0"]
        );
        assert_eq!([of(1_949_000), of(10_060_000)], ["1.9", "10.1"]);
    }
}
