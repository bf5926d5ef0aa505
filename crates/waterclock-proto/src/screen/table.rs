//! The table laid out: columns, legend and sum.

use super::bar::{Axis, Drawn, Glyphs, Ink};
use super::bound::shared;
use super::lines::{Line, Row, lines};
use super::words::{self, cut, width, wrap};
use super::{Charset, ServerTiming, Style, failure, number};
use crate::timeline::Timeline;
use std::time::Duration;

/// Below this nothing could be laid out.
pub(super) const LEAST_WIDTH: usize = 60;
/// Nor are they made wider: nobody reads such lines, and formatting has an end.
pub(super) const MOST_WIDTH: usize = 10_000;
/// An axis with fewer cells says nothing.
const LEAST_CELLS: usize = 8;
/// The limit column is that wide even if nothing is, so that screens look alike.
const LIMIT_COLUMN: usize = 15;
const LABEL_GAP: usize = 3;

/// Column widths.
struct Columns {
    number: usize,
    label: usize,
    cells: usize,
    value: usize,
    limit: usize,
}

pub(super) fn render(timeline: &Timeline, said: Option<&ServerTiming>, style: &Style) -> String {
    let glyphs = Glyphs::of(style);
    let room = style.width.clamp(LEAST_WIDTH, MOST_WIDTH);
    let mut out = String::new();
    let mut lines = lines(timeline, said, glyphs);
    if style.charset == Charset::Ascii {
        to_ascii(&mut lines, timeline);
    }
    let any_row = lines.iter().any(|line| matches!(line, Line::Row(_)));
    let columns = Columns::fit(&lines, room);
    let axis = Axis::new(timeline.started(), timeline.ended(), columns.cells);
    if any_row {
        out += &columns.header(&axis);
    }
    for line in &lines {
        match line {
            Line::Rule(text) => push_line(&mut out, &cut(text, room, glyphs.ellipsis)),
            Line::Note(text) => wrap(&mut out, text, 4, 6, room),
            Line::Said(text) => said_line(&mut out, text, room, style.color),
            Line::Row(row) => push_line(&mut out, &columns.row(row, &axis, glyphs, style.color)),
        }
    }
    if !any_row {
        push_line(&mut out, " No wait lasted 0.05 ms or longer.");
    }
    let not_reached = failure::not_reached(timeline);
    if !not_reached.is_empty() {
        wrap(&mut out, &format!("not reached: {}", not_reached.join(", ")), 4, 6, room);
    }
    legend(&mut out, &lines, &axis, glyphs, room);
    out.push('\n');
    wrap(&mut out, &sum(timeline), 1, 3, room);
    out
}

/// Dim, line by line, so that no colour is left on.
fn said_line(out: &mut String, text: &str, room: usize, color: bool) {
    let mut lines = String::new();
    wrap(&mut lines, text, 4, 6, room);
    for line in lines.lines() {
        match color {
            true => push_line(out, &format!("\x1b[2m{line}\x1b[0m")),
            false => push_line(out, line),
        }
    }
}

/// Hosts, peers and the server's own words are the only texts here that are not ours.
fn to_ascii(lines: &mut [Line], timeline: &Timeline) {
    for line in lines {
        match line {
            Line::Row(row) => row.label = words::to_ascii(&row.label, timeline).into_owned(),
            Line::Said(text) => *text = words::to_ascii(text, timeline).into_owned(),
            Line::Rule(_) | Line::Note(_) => {}
        }
    }
}

/// `323.2 ms = 320.1 waiting + 3.1 local work + 0.0 unaccounted`; what is printed adds up.
#[must_use]
pub fn sum(timeline: &Timeline) -> String {
    let caller = timeline.caller();
    let apart = caller >= number::SHORT;
    let mut named = vec![(timeline.waiting(), "waiting")];
    let own = if apart { timeline.local().saturating_sub(caller) } else { timeline.local() };
    named.push((own, "local work"));
    if apart {
        named.push((caller, "caller"));
    }
    named.push((timeline.unaccounted(), "unaccounted"));
    let durations: Vec<Duration> = named.iter().map(|&(duration, _)| duration).collect();
    let sum = number::apportion(&durations);
    let parts = named.iter().zip(&sum.parts).map(|((_, name), part)| format!("{part} {name}"));
    let so_far = if timeline.is_finished() { "" } else { " so far" };
    let parts = parts.collect::<Vec<_>>().join(" + ");
    format!("{} {}{so_far} = {parts}", sum.total, sum.unit.name())
}

pub(super) fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}

impl Columns {
    fn fit(lines: &[Line], room: usize) -> Columns {
        let rows = || lines.iter().filter_map(Line::row);
        let widest = |of: fn(&Row) -> usize, least: usize| rows().map(of).fold(least, usize::max);
        let number = widest(|row| width(&row.number), 2);
        let value = widest(|row| width(&row.value), 5);
        // A third of the line, at most, for what a hop's host or a limit's digits could fill alone.
        let limit = widest(|row| width(&row.limit_text()), LIMIT_COLUMN).min(room / 3);
        let label = widest(|row| width(&row.label), 8);
        let fixed = number + 2 + LABEL_GAP + 2 + value + 2 + limit;
        let cells = room.saturating_sub(fixed + label.min(room / 3));
        if cells >= LEAST_CELLS {
            return Columns { number, label: label.min(room / 3), cells, value, limit };
        }
        Columns { number, label: room.saturating_sub(fixed), cells: 0, value, limit }
    }

    fn header(&self, axis: &Axis) -> String {
        let mut line = format!(
            "{:>number$}  {:label$}{}  {:>value$}  of its limit",
            "#",
            "wait",
            axis.ticks(),
            "ms",
            number = self.number,
            label = self.label + LABEL_GAP,
            value = self.value,
        );
        line.push('\n');
        line
    }

    fn row(&self, row: &Row, axis: &Axis, glyphs: &Glyphs, color: bool) -> String {
        let label = cut(&row.label, self.label, glyphs.ellipsis);
        let gap = " ".repeat(self.label + LABEL_GAP - width(&label));
        let (start, stop) = if color { sgr(row) } else { ("", "") };
        let bar = match row.bar.as_ref().map(|bar| axis.draw(bar, glyphs)) {
            Some(Drawn { lead, inked, rest, pad }) => {
                format!("{:lead$}{start}{inked}{stop}{rest}{:pad$}", "", "")
            }
            None => " ".repeat(self.cells),
        };
        let text = row.limit_text();
        let text = cut(&text, self.limit, glyphs.ellipsis);
        let line = format!(
            "{:>number$}  {label}{gap}{bar}  {:>value$}  {start}{text}{stop}",
            row.number,
            row.value,
            number = self.number,
            value = self.value,
        );
        line
    }
}

impl Row {
    /// ` 75% of 120 ┐`; the bracket follows one column after the longest text.
    pub(super) fn limit_text(&self) -> String {
        let text = if self.percent.is_empty() {
            self.of.clone()
        } else {
            format!("{:>4} {}", self.percent, self.of)
        };
        match self.bracket {
            Some(bracket) => format!("{text} {bracket}"),
            None => text,
        }
    }
}

/// The colour of a wait: yellow from half of its limit, red from nine tenths.
pub(super) fn sgr(row: &Row) -> (&'static str, &'static str) {
    let limited = !row.percent.is_empty();
    match row.share {
        share if limited && share > 0.9 => ("\x1b[31m", "\x1b[0m"),
        share if limited && share >= 0.5 => ("\x1b[33m", "\x1b[0m"),
        _ => ("", ""),
    }
}

/// Explains the signs that the table has used, and no others.
fn legend(out: &mut String, lines: &[Line], axis: &Axis, glyphs: &Glyphs, room: usize) {
    let rows = || lines.iter().filter_map(Line::row);
    let drawn = || {
        let bars = rows().filter_map(|row| row.bar.as_ref());
        bars.map(|bar| (bar, axis.draw(bar, glyphs)))
    };
    let inked = |ink| drawn().any(|(bar, drawn)| bar.ink == ink && !drawn.inked.is_empty());
    let mut signs = Vec::new();
    if inked(Ink::Waited) {
        signs.push(format!("{} waited", glyphs.sample(Ink::Waited)));
    }
    if drawn().any(|(_, drawn)| !drawn.rest.is_empty()) {
        signs.push(format!("{} limit left", glyphs.rest()));
    }
    if drawn().any(|(_, drawn)| drawn.inked.contains(glyphs.cross)) {
        signs.push(format!("{} limit expired", glyphs.cross));
    }
    if inked(Ink::Caller) {
        signs.push(format!("{} the caller's own time", glyphs.sample(Ink::Caller)));
    }
    if rows().any(|row| row.value.starts_with('(')) {
        signs.push("( ) overlapping, not in the sum".to_owned());
    }
    let [first, _, last] = glyphs.bracket;
    let mut shares: Vec<&str> = rows()
        .filter(|row| row.bracket.is_some())
        .filter_map(|row| shared(row.arming?.0))
        .collect();
    shares.dedup();
    let shared_by = |what: &str| format!("    {first}{last} one shared limit ({what})");
    let all = shared_by(&shares.join("; "));
    match shares.len() {
        0 => {}
        // A line each, where one has no room for them all.
        2.. if width(&all) > room => signs.extend(shares.into_iter().map(shared_by)),
        _ => signs.push(all),
    }
    let mut line = String::new();
    for sign in signs {
        if line.is_empty() {
            line = format!("    {}", sign.trim_start());
        } else if width(&line) + 2 + width(&sign) <= room {
            line = format!("{line}  {sign}");
        } else {
            push_line(out, &line);
            line = format!("    {}", sign.trim_start());
        }
    }
    if !line.is_empty() {
        push_line(out, &line);
    }
}
