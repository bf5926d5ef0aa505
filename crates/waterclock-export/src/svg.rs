//! The waterfall as a picture: the lines of the text screen, drawn.

mod frame;
mod rows;

use crate::markup::escape;
use frame::{BLEED, Frame, WIDTH};
use std::fmt::Write as _;
use waterclock::run::Run;
use waterclock_proto::screen::{self, Line};
use waterclock_proto::timeline::Timeline;

/// Colours and fonts of the picture, for light and dark.
pub(crate) const STYLE: &str = include_str!("svg/chart.css");

/// The waterfall as one SVG without scripts that needs no other file: a bar for each wait, lighter the
/// unused rest of the limit that bounded it, and the limit that fired, if one did.
///
/// It has the rows and words of [`screen::waterfall`], follows the reader's choice of light or dark,
/// and says in `<title>` and `<desc>` what it shows. Header fields are not in it.
#[must_use]
pub fn svg(run: &Run) -> String {
    let mut out = picture(run, true);
    out.push('\n');
    out
}

/// The picture; with its style unless the page that it becomes a part of has it.
pub(crate) fn picture(run: &Run, alone: bool) -> String {
    let mut frame = Frame::default();
    if let Some(timeline) = &run.timeline {
        draw(&mut frame, timeline);
    } else {
        frame.words("The call never began.");
    }
    let height = frame.height();
    // On a page there is room around it already.
    let (from, width) = if alone { (0, WIDTH) } else { (BLEED, WIDTH - 2 * BLEED) };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"wc\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"{from} 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"wc-title wc-desc\">\n"
    );
    let _ = writeln!(out, "<title id=\"wc-title\">{}</title>", escape(&title(run)));
    let _ = writeln!(out, "<desc id=\"wc-desc\">{}</desc>", escape(&description(run)));
    if alone {
        let _ = writeln!(out, "<style>\n{STYLE}</style>");
    }
    out += "<defs><pattern id=\"wc-hatch\" width=\"6\" height=\"6\" \
            patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
            <line class=\"hatch\" x1=\"1\" y1=\"0\" x2=\"1\" y2=\"6\"/></pattern></defs>\n";
    let _ = writeln!(out, "<rect class=\"bg\" width=\"{WIDTH}\" height=\"{height}\"/>");
    out += &frame.drawn();
    out += "</svg>";
    out
}

fn draw(frame: &mut Frame, timeline: &Timeline) {
    let lines = screen::lines(timeline);
    let mark = timeline.fired().map(|fired| {
        let of = timeline.limits().get(fired.limit).map(screen::configured_with_unit);
        let of = of.map_or_else(String::new, |of| format!(" of {of}"));
        (fired.deadline, format!("✗ {} limit{of} fired", fired.limit))
    });
    let any_row = lines.iter().any(|line| matches!(line, Line::Row(_)));
    if any_row {
        frame.begin(timeline.started(), timeline.ended(), mark);
    }
    for line in &lines {
        match line {
            Line::Hop(words) => frame.rule(words),
            Line::Note(words) => frame.note(words),
            Line::Row(row) => rows::draw(frame, row),
        }
    }
    if !any_row {
        frame.words("No wait lasted 0.05 ms or longer.");
    }
    let not_reached = screen::not_reached(timeline);
    if !not_reached.is_empty() {
        frame.note(&format!("not reached: {}", not_reached.join(", ")));
    }
    if any_row {
        frame.end();
    }
    rows::legend(frame, &lines);
    frame.words(&screen::sum(timeline));
}

fn title(run: &Run) -> String {
    format!("The waits of {} {}", run.request.method, run.request.url)
}

fn description(run: &Run) -> String {
    match &run.timeline {
        Some(timeline) => {
            format!("{}. {}", screen::sum(timeline), screen::verdict(timeline).join(" "))
        }
        None => "The call never began.".to_owned(),
    }
}
