//! Rows: a bar with its words, and the legend that explains what was used.

use super::frame::{
    Frame, LABEL_COLUMNS, LABEL_FROM, LIMIT_COLUMNS, LIMIT_FROM, MARGIN, PLOT_TO, ROW, VALUE_TO,
    WIDTH,
};
use crate::markup::escape;
use waterclock_proto::screen::{Bar, Kind, Line, Row, Shared, cut};

const BAR: u32 = 14;
/// Everything that has a row is seen, if only as the thinnest line.
const THINNEST: f64 = 2.0;

/// How much of the limit was used, as the colour says it; the percentage stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heat {
    /// There was no limit.
    Free,
    /// Less than half.
    Calm,
    Warm,
    /// More than nine tenths.
    Hot,
}

impl Heat {
    fn of(row: &Row) -> Heat {
        let expired = row.bar.is_some_and(|bar| bar.expired);
        match row.share {
            _ if expired => Heat::Hot,
            Some(share) if share > 0.9 => Heat::Hot,
            Some(share) if share >= 0.5 => Heat::Warm,
            Some(_) => Heat::Calm,
            None => Heat::Free,
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Heat::Free => "free",
            Heat::Calm => "calm",
            Heat::Warm => "warm",
            Heat::Hot => "hot",
        }
    }
}

pub(super) fn draw(frame: &mut Frame, row: &Row) {
    let heat = Heat::of(row);
    frame.stripe();
    frame.push(&format!("<g><title>{}</title>", escape(&tooltip(row))));
    if let Some(bar) = &row.bar {
        draw_bar(frame, row.kind, bar, heat);
    }
    let soft = if row.kind == Kind::Wait { "" } else { "soft" };
    frame.number(&row.number);
    frame.text(LABEL_FROM, 20, soft, &cut(&row.label, LABEL_COLUMNS, "…"));
    frame.text(VALUE_TO, 20, format!("{soft} right").trim_start(), &row.value);
    let class = match heat {
        Heat::Warm | Heat::Hot => heat.class(),
        Heat::Free | Heat::Calm => "soft",
    };
    frame.text(LIMIT_FROM, 20, class, &cut(&row.limit, LIMIT_COLUMNS, "…"));
    if let Some(shared) = row.shared {
        bracket(frame, shared);
    }
    frame.push("</g>");
    frame.y += ROW;
}

fn tooltip(row: &Row) -> String {
    let number = if row.number.is_empty() { String::new() } else { format!("{}  ", row.number) };
    let unit = if row.value.ends_with(" s") { "" } else { " ms" };
    let limit = if row.limit.is_empty() { String::new() } else { format!(", {}", row.limit) };
    let shared = match row.shared {
        Some(Shared::First(words)) => format!(" ({words})"),
        _ => String::new(),
    };
    format!("{number}{}: {}{unit}{limit}{shared}", row.label, row.value)
}

fn draw_bar(frame: &mut Frame, kind: Kind, bar: &Bar, heat: Heat) {
    let y = frame.y + (ROW - BAR) / 2;
    let last = f64::from(PLOT_TO);
    let from = frame.x(bar.from).min(last - THINNEST);
    let to = frame.x(bar.to).max(from + THINNEST);
    let class = heat.class();
    if let Some(until) = bar.until.filter(|_| !bar.expired) {
        let end = frame.x(until);
        let width = end - from;
        let rest = format!(
            "<rect class=\"{class}-left\" x=\"{from:.1}\" y=\"{y}\" width=\"{width:.1}\" \
             height=\"{BAR}\" rx=\"3\"/>"
        );
        if end > to {
            frame.push(&rest);
        }
        if frame.is_beyond(until) {
            // The limit goes on beyond the axis.
            let (x, y) = (last + 3.0, y + 3);
            frame.push(&format!("<path class=\"end {class}-end\" d=\"M{x} {y}l4 4l-4 4\"/>"));
        } else {
            let (x, y, long) = (end, y - 2, BAR + 4);
            frame.push(&format!("<path class=\"end {class}-end\" d=\"M{x:.1} {y}v{long}\"/>"));
        }
    }
    let (class, fill) = match kind {
        Kind::Lost => ("lost", String::new()),
        Kind::Caller => ("", format!(" {}", frame.hatch())),
        Kind::Wait | Kind::Short => (class, String::new()),
    };
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let width = to - from;
    frame.push(&format!(
        "<rect{class}{fill} x=\"{from:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"3\"/>"
    ));
    if bar.expired {
        cross(frame, to, y + BAR / 2);
    }
}

/// The sign that a limit expired: not by colour alone.
fn cross(frame: &mut Frame, x: f64, y: u32) {
    frame.push(&format!(
        "<circle class=\"cross\" cx=\"{x:.1}\" cy=\"{y}\" r=\"7\"/>\
         <path class=\"cross\" d=\"M{0:.1} {1}l6 6m0 -6l-6 6\"/>",
        x - 3.0,
        y - 3
    ));
}

/// Joins rows that one limit bounds together, at their right.
fn bracket(frame: &mut Frame, shared: Shared) {
    let (x, y) = (WIDTH - MARGIN - 4, frame.y);
    let middle = y + ROW / 2;
    let path = match shared {
        Shared::First(_) => format!("M{} {middle}h4V{}", x - 4, y + ROW),
        Shared::Middle => format!("M{x} {y}V{}", y + ROW),
        Shared::Last => format!("M{x} {y}V{middle}h-4"),
    };
    frame.push(&format!("<path class=\"bracket\" d=\"{path}\"/>"));
}

/// Explains the signs that the picture has used, and no others.
pub(super) fn legend(frame: &mut Frame, lines: &[Line]) {
    let rows = || {
        lines.iter().filter_map(|line| match line {
            Line::Row(row) => Some(row),
            Line::Hop(_) | Line::Note(_) => None,
        })
    };
    let waits = |heat| rows().any(|row| row.kind == Kind::Wait && Heat::of(row) == heat);
    let mut signs: Vec<(&str, &str)> = Vec::new();
    for (heat, words) in [
        (Heat::Calm, "waited, under 50% of the limit"),
        (Heat::Warm, "50–90%"),
        (Heat::Hot, "over 90%"),
        (Heat::Free, "no limit"),
    ] {
        if waits(heat) {
            signs.push((heat.class(), words));
        }
    }
    if rows().any(|row| row.bar.is_some_and(|bar| bar.until.is_some() && !bar.expired)) {
        signs.push(("calm-left", "limit left"));
    }
    if rows().any(|row| row.kind == Kind::Lost) {
        signs.push(("lost", "lost the race (not in the sum)"));
    }
    if rows().any(|row| row.kind == Kind::Caller) {
        signs.push(("hatch", "the caller’s own time"));
    }
    let mut x = MARGIN;
    for (class, words) in signs {
        let y = frame.y + 8;
        let swatch = match class {
            "hatch" => frame.hatch().to_owned(),
            class => format!("class=\"{class}\""),
        };
        frame.push(&format!(
            "<rect {swatch} x=\"{x}\" y=\"{y}\" width=\"18\" height=\"10\" rx=\"2\"/>"
        ));
        frame.text(x + 25, 17, "soft small", words);
        x += 25 + 24 + 65 * u32::try_from(words.chars().count()).unwrap_or(0) / 10;
    }
    let mut shares: Vec<&str> = rows()
        .filter_map(|row| match row.shared {
            Some(Shared::First(words)) => Some(words),
            _ => None,
        })
        .collect();
    shares.dedup();
    if x > MARGIN {
        frame.y += 26;
    }
    if !shares.is_empty() {
        let words = format!("⎤⎦ one shared limit ({})", shares.join("; "));
        frame.text(MARGIN, 16, "soft small", &words);
        frame.y += 24;
    }
}
