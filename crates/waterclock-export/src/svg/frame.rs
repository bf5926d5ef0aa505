//! What is around the bars: columns, the axis, rules between hops, and the places of things.

use crate::markup::escape;
use std::fmt::Write as _;
use std::time::Duration;
use waterclock_proto::screen::{cut, ticks};
use waterclock_proto::tick::Tick;

/// The picture's columns, in its own units.
pub(super) const WIDTH: u32 = 980;
pub(super) const MARGIN: u32 = 20;
pub(super) const NUMBER_TO: u32 = 56;
pub(super) const LABEL_FROM: u32 = 68;
pub(super) const PLOT_FROM: u32 = 280;
pub(super) const PLOT_TO: u32 = 732;
pub(super) const VALUE_TO: u32 = 806;
pub(super) const LIMIT_FROM: u32 = 822;
/// How many columns of text fit into a place.
pub(super) const LABEL_COLUMNS: usize = 30;
pub(super) const LIMIT_COLUMNS: usize = 20;
const RULE_COLUMNS: usize = 128;

const TOP: u32 = 58;
const RULE: u32 = 36;
const NOTE: u32 = 24;
pub(super) const ROW: u32 = 30;

/// A picture that grows downwards.
pub(super) struct Frame {
    body: String,
    /// Where the next line begins.
    pub(super) y: u32,
    start: Tick,
    length: Duration,
    marks: Vec<(Tick, String)>,
    rows: u32,
}

impl Default for Frame {
    fn default() -> Self {
        let (start, length) = (Tick::ZERO, Duration::ZERO);
        Frame { body: String::new(), y: MARGIN, start, length, marks: Vec::new(), rows: 0 }
    }
}

impl Frame {
    /// Begins the table of a call that lasted from `start` to `end`.
    pub(super) fn begin(&mut self, start: Tick, end: Tick) {
        self.start = start;
        self.length = end.since(start).max(Duration::from_nanos(1));
        self.y = TOP;
    }

    /// Where an instant lies.
    pub(super) fn x(&self, tick: Tick) -> f64 {
        self.at(tick.since(self.start))
    }

    fn at(&self, since: Duration) -> f64 {
        let part = since.as_secs_f64() / self.length.as_secs_f64();
        f64::from(PLOT_FROM) + part.clamp(0.0, 1.0) * f64::from(PLOT_TO - PLOT_FROM)
    }

    /// Whether an instant is beyond the axis.
    pub(super) fn is_beyond(&self, tick: Tick) -> bool {
        tick.since(self.start) > self.length
    }

    pub(super) fn push(&mut self, markup: &str) {
        self.body.push_str(markup);
        self.body.push('\n');
    }

    /// Text whose base line is `down` below the beginning of the line.
    pub(super) fn text(&mut self, x: u32, down: u32, class: &str, text: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let y = self.y + down;
        self.push(&format!("<text x=\"{x}\" y=\"{y}\"{class}>{}</text>", escape(text)));
    }

    /// A stripe behind every second row.
    pub(super) fn stripe(&mut self) {
        if self.rows % 2 == 1 {
            let (y, width) = (self.y, WIDTH - 2 * MARGIN + 16);
            let x = MARGIN - 8;
            self.push(&format!(
                "<rect class=\"band\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\" rx=\"4\"/>"
            ));
        }
        self.rows += 1;
    }

    /// A hop begins.
    pub(super) fn rule(&mut self, words: &str) {
        let (y, to) = (self.y + 9, WIDTH - MARGIN);
        self.push(&format!("<path class=\"line\" d=\"M{MARGIN} {y}.5H{to}\"/>"));
        let shown = cut(words, RULE_COLUMNS, "…").into_owned();
        self.push(&format!("<g><title>{}</title>", escape(words)));
        self.text(MARGIN, 27, "strong small", &shown);
        self.push("</g>");
        self.y += RULE;
        self.rows = 0;
    }

    pub(super) fn note(&mut self, words: &str) {
        let shown = cut(words, RULE_COLUMNS, "…").into_owned();
        self.text(LABEL_FROM, 16, "soft small", &shown);
        self.y += NOTE;
    }

    /// A line of words below the table.
    pub(super) fn words(&mut self, words: &str) {
        self.text(MARGIN, 18, "", words);
        self.y += NOTE;
    }

    /// Marks the instant for which the limit was set that ended the call.
    pub(super) fn fired(&mut self, deadline: Tick, words: &str) {
        self.marks.push((deadline, words.to_owned()));
    }

    /// Ends the table: header, grid and marks are known now.
    pub(super) fn end(&mut self) {
        let bottom = self.y;
        let mut back = String::new();
        let head = |back: &mut String, x: u32, class: &str, words: &str| {
            let y = TOP - 14;
            let _ = writeln!(
                back,
                "<text x=\"{x}\" y=\"{y}\" class=\"soft small {class}\">{words}</text>"
            );
        };
        head(&mut back, NUMBER_TO, "right", "#");
        head(&mut back, LABEL_FROM, "", "wait");
        head(&mut back, VALUE_TO, "right", "ms");
        head(&mut back, LIMIT_FROM, "", "of its limit");
        for (tick, label) in ticks(self.length, 6) {
            let x = self.at(tick);
            let _ = writeln!(back, "<path class=\"grid\" d=\"M{x:.1} {}V{bottom}\"/>", TOP - 6);
            let _ = writeln!(
                back,
                "<text x=\"{x:.1}\" y=\"{}\" class=\"soft small middle\">{}</text>",
                TOP - 14,
                escape(&label)
            );
        }
        let _ = writeln!(
            back,
            "<path class=\"line\" d=\"M{MARGIN} {0}.5H{1}\"/>",
            TOP - 6,
            WIDTH - MARGIN
        );
        // Stripes lie below the grid, bars above it.
        let (stripes, rest): (Vec<&str>, Vec<&str>) =
            self.body.lines().partition(|line| line.starts_with("<rect class=\"band\""));
        let mut body = stripes.join("\n");
        body.push('\n');
        body += &back;
        body += &rest.join("\n");
        body.push('\n');
        for (tick, words) in std::mem::take(&mut self.marks) {
            let x = self.x(tick);
            let _ = writeln!(body, "<path class=\"fired\" d=\"M{x:.1} {}V{bottom}\"/>", TOP - 32);
            let words = escape(&words);
            let (anchor, x) = if x > f64::from(PLOT_FROM + PLOT_TO) / 2.0 {
                (" right", x - 6.0)
            } else {
                ("", x + 6.0)
            };
            let _ = writeln!(
                body,
                "<text x=\"{x:.1}\" y=\"{}\" class=\"hot small{anchor}\">{words} fired</text>",
                TOP - 32
            );
        }
        self.body = body;
        self.y += 12;
    }

    pub(super) fn height(&self) -> u32 {
        self.y + MARGIN / 2
    }

    pub(super) fn drawn(self) -> String {
        self.body
    }
}
