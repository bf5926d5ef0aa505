//! The waterfall before it is laid out: for those who draw it otherwise than in characters.

use super::bar::{self, Glyphs, Ink};
use super::{Style, bound, lines as text};
use crate::tick::Tick;
use crate::timeline::Timeline;

/// A line of the waterfall. Its texts are escaped, as [`escape`](super::escape) does it.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A hop begins: `hop 2  (redirect after 301)  GET https://example.com/`. Only where there are
    /// several.
    Hop(String),
    /// Something said between rows: that the connection was reused.
    Note(String),
    /// A wait, or something else that took time.
    Row(Row),
}

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A wait, or a folded run of them.
    Wait,
    /// The caller's own time.
    Caller,
    /// A connect attempt that lost the race. It overlaps waits, so it is not in the sum.
    Lost,
    /// All waits that were too short for a row.
    Short,
}

/// Something that took time.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it stands for.
    pub kind: Kind,
    /// The number of the wait, or a range: `3`, `6–412`. Empty for what is not a wait.
    pub number: String,
    /// `dns example.com`, `read body ×407`.
    pub label: String,
    /// Where it lies in time; none for the short waits.
    pub bar: Option<Bar>,
    /// How long it was, as the column `ms` has it: `80.1`, `12.3 s`, `max 21.3`, `(250.0)`.
    pub value: String,
    /// What the column `of its limit` says: `75% of 80`, `no limit`, `✗ refused`.
    pub limit: String,
    /// The part of the limit that was used, 0 to 1; none if there was no limit, or `limit` says
    /// something else.
    pub share: Option<f64>,
    /// Its place among neighbours that one limit bounds together.
    pub shared: Option<Shared>,
}

/// Where something lies in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// When it began.
    pub from: Tick,
    /// When it ended.
    pub to: Tick,
    /// When the limit in force would have expired, if that was later. None for folded runs.
    pub until: Option<Tick>,
    /// The limit expired at the end.
    pub expired: bool,
}

/// The place of a row among those that one limit bounds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// The first of them; what they share: `the whole handshake`.
    First(&'static str),
    /// One in the middle.
    Middle,
    /// The last of them.
    Last,
}

/// The lines of the waterfall, in the order in which it shows them. At most twelve rows, if they can
/// be folded; [`Timeline::spans`] has them all.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::limit::{Limit, Limits};
/// use waterclock_proto::screen::{self, Kind, Line};
/// use waterclock_proto::tick::Tick;
/// use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
///
/// let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
/// let mut timeline = Timeline::new(ms(0), Limits::per_wait(Duration::from_millis(80)));
/// let read = Some((ms(80), Limit::Read));
/// timeline.record_wait(Phase::FirstByte, What::Read, ms(0), ms(60), read, SpanEnd::Ready);
///
/// let [Line::Row(row)] = &screen::lines(&timeline)[..] else { panic!() };
/// assert_eq!((row.kind, row.label.as_str()), (Kind::Wait, "read headers"));
/// assert_eq!((row.value.as_str(), row.limit.as_str()), ("60.0", "75% of 80"));
/// ```
#[must_use]
pub fn lines(timeline: &Timeline) -> Vec<Line> {
    let glyphs = Glyphs::of(&Style::default());
    let line = |line| match line {
        text::Line::Rule(rule) => {
            Line::Hop(rule.strip_prefix(glyphs.rule).unwrap_or(&rule).trim_start().to_owned())
        }
        text::Line::Note(note) | text::Line::Said(note) => Line::Note(note),
        text::Line::Row(row) => Line::Row(shown(row, glyphs)),
    };
    text::lines(timeline, None, glyphs).into_iter().map(line).collect()
}

fn shown(row: text::Row, glyphs: &Glyphs) -> Row {
    let kind = match row.bar.map(|bar| bar.ink) {
        None => Kind::Short,
        Some(Ink::Caller) => Kind::Caller,
        Some(Ink::Waited) if row.number.is_empty() => Kind::Lost,
        Some(Ink::Waited) => Kind::Wait,
    };
    let [first, _, last] = glyphs.bracket;
    let shared = row.bracket.map(|bracket| match row.arming.and_then(|(l, _)| bound::shared(l)) {
        Some(words) if bracket == first => Shared::First(words),
        _ if bracket == last => Shared::Last,
        _ => Shared::Middle,
    });
    Row {
        kind,
        limit: match row.percent.is_empty() {
            true => row.of,
            false => format!("{} {}", row.percent, row.of),
        },
        share: (!row.percent.is_empty()).then_some(row.share),
        number: row.number,
        label: row.label,
        bar: row.bar.map(|bar::Bar { from, to, until, expired, .. }| Bar {
            from,
            to,
            until,
            expired,
        }),
        value: row.value,
        shared,
    }
}
