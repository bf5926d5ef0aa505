//! The waterfall as a picture: the lines of the text screen, drawn.

mod frame;
mod rows;

use crate::markup::escape;
use crate::phases::began;
use frame::{BLEED, Frame, WIDTH};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use waterclock::run::{Run, rfc3339};
use waterclock_proto::screen::{self, Line};
use waterclock_proto::timeline::Timeline;

/// Colours and fonts of the picture, for light and dark.
pub(crate) const STYLE: &str = include_str!("svg/chart.css");
/// Where there is less room than it would take, it gets smaller.
const FLUID: &str = ".wc{max-width:100%;height:auto}\n";

/// The waterfall as one SVG without scripts that needs no other file: a bar for each wait, lighter the
/// unused rest of the limit that bounded it, and the limit that fired, if one did.
///
/// It has the rows and words of [`screen::waterfall`], follows the reader's choice of light or dark,
/// and says in `<title>` and `<desc>` what it shows. Header fields are not in it.
#[must_use]
pub fn svg(run: &Run) -> String {
    let mut out = picture(run, &Place { style: &[STYLE], edged: true, id: "wc" });
    out.push('\n');
    out
}

/// The same as a part of a page that has other pictures, and no style for it: in a notebook. Its identifiers
/// come from what it shows, so that none of another picture is the same.
///
/// ```
/// use std::time::SystemTime;
/// use waterclock::run::{RequestRecord, Run};
///
/// let request = RequestRecord::refused("GET", "http://example.com/");
/// let run = Run::new(SystemTime::UNIX_EPOCH, request);
/// let picture = waterclock_export::inline_svg(&run);
/// assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"));
/// assert!(!picture.contains("id=\"wc-title\""));
/// ```
#[must_use]
pub fn inline_svg(run: &Run) -> String {
    let shown = format!("{} {} {}", rfc3339(began(run)), title(run), description(run));
    let sum: String =
        Sha256::digest(shown).iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    picture(run, &Place { style: &[STYLE, FLUID], edged: true, id: &format!("wc-{sum}") })
}

/// Where a picture stands.
pub(crate) struct Place<'a> {
    /// Its own style; nothing on a page that has it.
    pub(crate) style: &'a [&'a str],
    /// Whether there is room around it; a page has that already.
    pub(crate) edged: bool,
    /// How its identifiers begin.
    pub(crate) id: &'a str,
}

pub(crate) fn picture(run: &Run, place: &Place<'_>) -> String {
    let id = place.id;
    let mut frame = Frame::of(id);
    if let Some(timeline) = &run.timeline {
        draw(&mut frame, timeline);
    } else {
        frame.words("The call never began.");
    }
    let height = frame.height();
    let (from, width) = if place.edged { (0, WIDTH) } else { (BLEED, WIDTH - 2 * BLEED) };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"wc\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"{from} 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\">\n"
    );
    let _ = writeln!(out, "<title id=\"{id}-title\">{}</title>", escape(&title(run)));
    let _ = writeln!(out, "<desc id=\"{id}-desc\">{}</desc>", escape(&description(run)));
    if !place.style.is_empty() {
        let _ = writeln!(out, "<style>\n{}</style>", place.style.concat());
    }
    let _ = writeln!(
        out,
        "<defs><pattern id=\"{id}-hatch\" width=\"6\" height=\"6\" \
         patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <line class=\"hatch\" x1=\"1\" y1=\"0\" x2=\"1\" y2=\"6\"/></pattern></defs>"
    );
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
