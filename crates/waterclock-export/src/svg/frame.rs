//! What is around the bars: columns, the axis, rules between hops, and the places of things.

use crate::markup::escape;
use std::time::Duration;
use waterclock_proto::screen::{cut, ticks};
use waterclock_proto::tick::Tick;

/// The picture's columns, in its own units.
pub(super) const WIDTH: u32 = 1000;
pub(super) const MARGIN: u32 = 20;
/// Nothing is drawn that near to the edges.
pub(super) const BLEED: u32 = 12;
pub(super) const NUMBER_TO: u32 = 72;
pub(super) const LABEL_FROM: u32 = 84;
pub(super) const PLOT_FROM: u32 = 292;
pub(super) const PLOT_TO: u32 = 722;
pub(super) const VALUE_TO: u32 = 794;
pub(super) const LIMIT_FROM: u32 = 810;
/// How many columns of text fit into a place.
pub(super) const LABEL_COLUMNS: usize = 29;
pub(super) const LIMIT_COLUMNS: usize = 24;
/// Of digits, in front of a row.
const NUMBER_COLUMNS: usize = 6;
const RULE_COLUMNS: usize = 128;
/// Labels of the axis, at most.
const TICKS: usize = 6;
/// A label so near to a mark could not be read.
const NEAR: f64 = 16.0;

/// Where the first line of the table begins.
const TOP: u32 = 40;
/// More, if a mark has words above the axis.
const MARKED: u32 = 24;
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
    top: u32,
    mark: Option<(Tick, String)>,
    rows: u32,
    hatch: String,
}

impl Frame {
    /// A picture whose identifiers begin with `id`.
    pub(super) fn of(id: &str) -> Self {
        let (start, length) = (Tick::ZERO, Duration::ZERO);
        let hatch = format!("fill=\"url(#{id}-hatch)\"");
        Frame {
            body: String::new(),
            y: MARGIN,
            start,
            length,
            top: TOP,
            mark: None,
            rows: 0,
            hatch,
        }
    }

    /// The attribute that fills with stripes.
    pub(super) fn hatch(&self) -> &str {
        &self.hatch
    }

    /// Begins the table of a call that lasted from `start` to `end`; with an instant to be marked.
    pub(super) fn begin(&mut self, start: Tick, end: Tick, mark: Option<(Tick, String)>) {
        self.start = start;
        self.length = end.since(start).max(Duration::from_nanos(1));
        self.top = TOP + mark.as_ref().map_or(0, |_| MARKED);
        self.mark = mark;
        self.y = self.top;
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

    /// The number of a wait, or a range of them, however long.
    pub(super) fn number(&mut self, number: &str) {
        let y = self.y + 20;
        let squeeze = match number.chars().count() > NUMBER_COLUMNS {
            true => " textLength=\"56\" lengthAdjust=\"spacingAndGlyphs\"",
            false => "",
        };
        let number = escape(number);
        self.push(&format!(
            "<text x=\"{NUMBER_TO}\" y=\"{y}\" class=\"soft right\"{squeeze}>{number}</text>"
        ));
    }

    /// A stripe behind every second row.
    pub(super) fn stripe(&mut self) {
        if self.rows % 2 == 1 {
            let (x, y, width) = (BLEED, self.y, WIDTH - 2 * BLEED);
            self.push(&format!(
                "<rect class=\"band\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\" rx=\"4\"/>"
            ));
        }
        self.rows += 1;
    }

    /// A hop begins.
    pub(super) fn rule(&mut self, words: &str) {
        if self.y > self.top {
            let (y, to) = (self.y + 9, WIDTH - MARGIN);
            self.push(&format!("<path class=\"line\" d=\"M{MARGIN} {y}.5H{to}\"/>"));
        }
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

    /// Ends the table: what lies behind and above it is known now.
    pub(super) fn end(&mut self) {
        let bottom = self.y;
        let (stripes, rest): (Vec<&str>, Vec<&str>) =
            self.body.lines().partition(|line| line.starts_with("<rect class=\"band\""));
        let (stripes, rest) = (stripes.join("\n"), rest.join("\n"));
        self.body =
            [stripes, self.header(), self.grid(bottom), self.marked(bottom), rest].join("\n");
        self.body.push('\n');
        self.y += 12;
    }

    fn header(&self) -> String {
        let (y, line, to) = (self.top - 14, self.top - 6, WIDTH - MARGIN);
        let head = |x: u32, class: &str, words: &str| {
            format!("<text x=\"{x}\" y=\"{y}\" class=\"soft small{class}\">{words}</text>\n")
        };
        let mut out = head(NUMBER_TO, " right", "#");
        out += &head(LABEL_FROM, "", "wait");
        out += &head(VALUE_TO, " right", "ms");
        out += &head(LIMIT_FROM, "", "of its limit");
        out += &format!("<path class=\"line\" d=\"M{MARGIN} {line}.5H{to}\"/>");
        out
    }

    fn grid(&self, bottom: u32) -> String {
        let (y, from) = (self.top - 14, self.top - 6);
        let line = |(tick, label): (Duration, String)| {
            let x = self.at(tick);
            let mark = self.mark.as_ref().map(|(tick, _)| self.x(*tick));
            let covered = mark.is_some_and(|mark| (mark - x).abs() < NEAR);
            let label = if covered { String::new() } else { escape(&label) };
            format!(
                "<path class=\"grid\" d=\"M{x:.1} {from}V{bottom}\"/>\n\
                 <text x=\"{x:.1}\" y=\"{y}\" class=\"soft small middle\">{label}</text>"
            )
        };
        ticks(self.length, TICKS).into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn marked(&self, bottom: u32) -> String {
        let Some((tick, words)) = &self.mark else { return String::new() };
        let (x, y, from) = (self.x(*tick), self.top - 34, self.top - 30);
        let beyond_middle = x > f64::from(PLOT_FROM + PLOT_TO) / 2.0;
        let (anchor, at) = if beyond_middle { (" right", x + 8.0) } else { ("", x - 8.0) };
        let words = escape(words);
        format!(
            "<path class=\"fired\" d=\"M{x:.1} {from}V{bottom}\"/>\n\
             <text x=\"{at:.1}\" y=\"{y}\" class=\"hot small{anchor}\">{words}</text>"
        )
    }

    pub(super) fn height(&self) -> u32 {
        self.y + MARGIN / 2
    }

    pub(super) fn drawn(self) -> String {
        self.body
    }
}
