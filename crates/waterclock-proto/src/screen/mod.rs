//! What people see of a call: the waterfall of its waits, and why no limit fired or which one did.
//!
//! Everything here is a pure function of a recorded [`Timeline`], so a saved call reads the same as a
//! live one. No line is wider than [`Style::width`], whatever a server sent.
//!
//! ```
//! use std::time::Duration;
//! use waterclock_proto::limit::{Limit, Limits};
//! use waterclock_proto::screen::{self, Charset, Style};
//! use waterclock_proto::tick::Tick;
//! use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
//!
//! let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
//! let mut timeline = Timeline::new(ms(0), Limits::per_wait(Duration::from_millis(80)));
//! let read = Some((ms(80), Limit::Read));
//! timeline.record_wait(Phase::FirstByte, What::Read, ms(0), ms(60), read, SpanEnd::Ready);
//! timeline.finish(ms(60));
//!
//! let style = Style { charset: Charset::Ascii, ..Style::default() };
//! let text = screen::waterfall(&timeline, &style);
//! assert!(text.contains("  75% of 80"));
//! assert!(text.contains(" 60.0 ms = 60.0 waiting + 0.0 local work + 0.0 unaccounted"));
//! ```

mod as_client;
mod bar;
mod blame;
mod bound;
mod failure;
mod lines;
mod notes;
mod number;
mod picture;
mod rows;
mod server_timing;
mod table;
mod verdict;
mod what_if;
mod words;

pub use as_client::as_client;
pub use bar::ticks;
pub use bound::{Used, used};
pub use failure::{not_reached, one_line};
pub use notes::{WaitNote, wait_notes};
pub use number::{configured_with_unit, grouped, with_unit};
pub use picture::{Bar, Kind, Line, Row, Shared, lines};
pub use server_timing::ServerTiming;
pub use table::sum;
pub use verdict::verdict;
pub use what_if::what_if;
pub use words::{cut, escape, label};

use crate::timeline::Timeline;
use std::borrow::Cow;

/// The characters that bars are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// Blocks and box drawing.
    #[default]
    Unicode,
    /// `#`, `.` and `x`, in the same columns.
    Ascii,
}

/// How a screen is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal. Under 60 counts as 60.
    pub width: usize,
    /// The characters in use.
    pub charset: Charset,
    /// Whether waits that used much of their limit are coloured (ANSI SGR). The percentage is
    /// printed in any case.
    pub color: bool,
    /// Whether the terminal gives two columns to characters whose width is ambiguous in East Asia,
    /// which blocks and box drawing are: then only characters that are narrow there are used.
    pub ambiguous_wide: bool,
}

impl Default for Style {
    /// 80 columns, Unicode, no colour.
    fn default() -> Self {
        Style { width: 80, charset: Charset::Unicode, color: false, ambiguous_wide: false }
    }
}

/// The table of waits with its legend, and the sum that proves that nothing is missing.
#[must_use]
pub fn waterfall(timeline: &Timeline, style: &Style) -> String {
    table::render(timeline, None, style)
}

/// The waits sorted by length, each with its share of the whole call, and the sum. A folded run counts
/// as one wait, with the sum of its waits.
///
/// ```
/// use waterclock_proto::limit::Limits;
/// use waterclock_proto::screen::{self, Style};
/// use waterclock_proto::tick::Tick;
/// use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
///
/// let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
/// let mut timeline = Timeline::new(ms(0), Limits::none());
/// timeline.record_wait(Phase::Connect, What::Answer, ms(0), ms(20), None, SpanEnd::Ready);
/// timeline.record_wait(Phase::FirstByte, What::Read, ms(20), ms(80), None, SpanEnd::Ready);
/// timeline.finish(ms(80));
///
/// let text = screen::blame(&timeline, &Style::default());
/// assert!(text.contains(" 2   60.0    75%  read headers   no limit"));
/// ```
#[must_use]
pub fn blame(timeline: &Timeline, style: &Style) -> String {
    blame::render(timeline, style)
}

/// Which table of waits a screen has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    /// [`waterfall`]
    #[default]
    Waterfall,
    /// [`blame`]
    Blame,
}

impl Table {
    /// The table itself.
    #[must_use]
    pub fn render(self, timeline: &Timeline, style: &Style) -> String {
        match self {
            Table::Waterfall => waterfall(timeline, style),
            Table::Blame => blame(timeline, style),
        }
    }

    /// The table with what the server says about its time; the waterfall has a place for it, below the
    /// last hop's wait for the response's head.
    #[must_use]
    pub fn render_with(
        self,
        timeline: &Timeline,
        said: Option<&ServerTiming>,
        style: &Style,
    ) -> String {
        match self {
            Table::Waterfall => table::render(timeline, said, style),
            Table::Blame => blame(timeline, style),
        }
    }
}

/// The whole screen: the caller's `head` lines (plain text; escaped here), the waterfall and the
/// verdict.
#[must_use]
pub fn screen(head: &[String], timeline: &Timeline, style: &Style) -> String {
    screen_of(head, Table::Waterfall, timeline, style)
}

/// [`screen`] with another table in the waterfall's place.
#[must_use]
pub fn screen_of(head: &[String], which: Table, timeline: &Timeline, style: &Style) -> String {
    screen_with(head, which, timeline, None, style)
}

/// [`screen_of`] with what the server says about its time.
#[must_use]
pub fn screen_with(
    head: &[String],
    which: Table,
    timeline: &Timeline,
    said: Option<&ServerTiming>,
    style: &Style,
) -> String {
    let room = style.width.clamp(table::LEAST_WIDTH, table::MOST_WIDTH);
    let mut out = String::new();
    for line in head {
        words::wrap(&mut out, &fit(&escape(line), timeline, style), 0, 2, room);
    }
    if !head.is_empty() {
        out.push('\n');
    }
    out += &which.render_with(timeline, said, style);
    out.push('\n');
    for (position, sentence) in verdict(timeline).iter().enumerate() {
        let indent = if position == 0 { 1 } else { 3 };
        words::wrap(&mut out, &fit(sentence, timeline, style), indent, 3, room);
    }
    out
}

/// Seconds as they are typed: `0.12`.
pub(crate) fn seconds(duration: std::time::Duration) -> String {
    number::seconds(duration, 0)
}

fn fit<'a>(text: &'a str, timeline: &Timeline, style: &Style) -> Cow<'a, str> {
    match style.charset {
        Charset::Unicode => Cow::Borrowed(text),
        Charset::Ascii => words::to_ascii(text, timeline),
    }
}

#[cfg(test)]
mod tests;
