//! Tables: waits, limits, hops and connect attempts.

use super::section;
use crate::markup::escape;
use crate::number::at;
use crate::phases::hops as views;
use std::fmt::Write as _;
use std::time::Duration;
use waterclock_proto::limit::Limit;
use waterclock_proto::screen::{self, Kind, Line, Row, Used};
use waterclock_proto::timeline::{AttemptEnd, Timeline};

/// A table in its section: columns that begin with `>` hold numbers.
pub(super) fn begin(out: &mut String, id: &str, heading: &str, caption: &str, columns: &[&str]) {
    section(out, id, heading);
    let _ = writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"{id}\">\n<table>\n\
         <caption><span>{caption}</span></caption>"
    );
    out.push_str("<thead><tr>");
    for column in columns {
        let (class, name) = match column.strip_prefix('>') {
            Some(name) => (" class=\"n\"", name),
            None => ("", *column),
        };
        let _ = write!(out, "<th scope=\"col\"{class}>{name}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

pub(super) fn end(out: &mut String) {
    out.push_str("</tbody>\n</table>\n</div>\n");
}

/// The rows of the picture, for those who do not see it.
pub(super) fn waits(out: &mut String, timeline: &Timeline) {
    let lines = screen::lines(timeline);
    if !lines.iter().any(|line| matches!(line, Line::Row(_))) {
        return;
    }
    let caption = "Each wait in order, with the limit that bounded it. Times in milliseconds from the \
                   start of the call, unless marked otherwise.";
    let columns = [">#", "Wait", ">Started", ">Took", "Of its limit"];
    begin(out, "waits", "Waits", caption, &columns);
    for line in lines {
        match line {
            Line::Hop(words) => {
                let _ = writeln!(
                    out,
                    "</tbody>\n<tbody>\n<tr class=\"group\"><th scope=\"rowgroup\" \
                     colspan=\"5\"><span>{}</span></th></tr>",
                    escape(&words)
                );
            }
            Line::Note(words) => {
                let words = escape(&words);
                let _ = writeln!(
                    out,
                    "<tr class=\"soft\"><td></td><td colspan=\"4\">{words}</td></tr>"
                );
            }
            Line::Row(row) => wait(out, timeline, &row),
        }
    }
    end(out);
    let sum = escape(&screen::sum(timeline));
    let _ = writeln!(out, "<p class=\"note\">{sum}</p>\n</section>");
}

fn wait(out: &mut String, timeline: &Timeline, row: &Row) {
    let started = row.bar.map(|bar| milliseconds(at(timeline, bar.from)));
    let heat = match row.share {
        _ if row.bar.is_some_and(|bar| bar.expired) => " class=\"limit hot\"",
        Some(share) if share > 0.9 => " class=\"limit hot\"",
        Some(share) if share >= 0.5 => " class=\"limit warm\"",
        _ => " class=\"limit\"",
    };
    let expired = if row.bar.is_some_and(|bar| bar.expired) { " ✗ expired" } else { "" };
    let soft = if row.kind == Kind::Wait { "" } else { " class=\"soft\"" };
    let _ = writeln!(
        out,
        "<tr{soft}><td class=\"n\">{}</td><th scope=\"row\" class=\"value\">{}</th>\
         <td class=\"n\">{}</td><td class=\"n\">{}</td><td{heat}>{}{expired}</td></tr>",
        escape(&row.number),
        escape(&row.label),
        started.unwrap_or_default(),
        escape(&row.value),
        escape(&row.limit)
    );
}

/// With one decimal, as the column has it.
pub(super) fn milliseconds(duration: Duration) -> String {
    screen::with_unit(duration).trim_end_matches(" ms").to_owned()
}

/// The limits that bounded a wait, and the wait that came closest to each; and the others.
pub(super) fn limits(out: &mut String, timeline: &Timeline) {
    let mut rows = String::new();
    let mut idle = Vec::new();
    for (limit, of) in timeline.limits().iter() {
        match closest(timeline, limit) {
            Some(closest) => limit_row(&mut rows, timeline, (limit, of), closest),
            None => idle.push(format!("{limit} {}", screen::configured_with_unit(of))),
        }
    }
    if rows.is_empty() {
        section(out, "limits", "Limits");
    } else {
        let caption = "The limits that were the next to expire in some wait, and the wait that used \
                       the most of each.";
        begin(out, "limits", "Limits", caption, &["Limit", ">Set to", ">Most used", "In"]);
        out.push_str(&rows);
        end(out);
    }
    let unset = Limit::ALL.into_iter().filter(|&limit| timeline.limits().get(limit).is_none());
    let unset: Vec<String> = unset.map(|limit| limit.name().to_owned()).collect();
    for (words, names) in [("Set, but never the next to expire", idle), ("Not set", unset)] {
        if !names.is_empty() {
            let _ = writeln!(out, "<p class=\"note\">{words}: {}.</p>", names.join(", "));
        }
    }
    out.push_str("</section>\n");
}

/// The span in which the most of a limit was used, and how much.
fn closest(timeline: &Timeline, limit: Limit) -> Option<(usize, Used)> {
    (0..timeline.spans().len())
        .filter_map(|index| Some((index, screen::used(timeline, index)?)))
        .filter(|(_, used)| used.limit == limit)
        .max_by_key(|(_, used)| used.percent())
}

fn limit_row(
    out: &mut String,
    timeline: &Timeline,
    (limit, of): (Limit, Duration),
    (index, used): (usize, Used),
) {
    let fired = timeline.fired().is_some_and(|fired| fired.limit == limit);
    let (class, mark) = if fired { (" class=\"hot\"", " ✗ fired") } else { ("", "") };
    let _ = writeln!(
        out,
        "<tr><th scope=\"row\" class=\"k\">{limit}</th><td class=\"n\">{}</td>\
         <td class=\"n\">{}%</td><td{class}>{}{mark}</td></tr>",
        screen::configured_with_unit(of),
        used.percent(),
        escape(&screen::label(timeline, index))
    );
}

/// The requests that were made.
pub(super) fn hops(out: &mut String, timeline: &Timeline) {
    if timeline.hops().is_empty() {
        return;
    }
    let caption = "The requests that the call was made of, in order.";
    let columns = [">#", "Request", "Reason", ">Status", ">Started", ">Took", "Connection"];
    begin(out, "hops", "Hops", caption, &columns);
    for view in views(timeline) {
        let hop = view.hop;
        let connection = match hop.connection {
            None => "none".to_owned(),
            Some(connection) => {
                let state = match connection.idle {
                    Some(idle) => format!("reused, idle {}", screen::with_unit(idle)),
                    None => "new".to_owned(),
                };
                let peer = connection.peer.map(|peer| format!(" to {peer}")).unwrap_or_default();
                format!("{} ({state}){peer}", connection.number)
            }
        };
        let status = hop.status.map_or_else(|| "–".to_owned(), |status| status.to_string());
        let request = format!("{} {}", hop.request.method, hop.request.url);
        let _ = writeln!(
            out,
            "<tr><td class=\"n\">{}</td><th scope=\"row\" class=\"url\">{}</th><td>{}</td>\
             <td class=\"n\">{status}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            view.index + 1,
            escape(&request),
            hop.reason.name(),
            milliseconds(at(timeline, view.started())),
            milliseconds(view.exchange_ended().since(view.started())),
            escape(&connection)
        );
    }
    end(out);
    out.push_str("</section>\n");
}

/// Connect attempts, if there was more than the one that everybody expects.
pub(super) fn attempts(out: &mut String, timeline: &Timeline) {
    let expected = |end: &AttemptEnd| *end == AttemptEnd::Connected;
    if timeline.attempts().iter().all(|attempt| expected(&attempt.end)) {
        return;
    }
    let caption = "Attempts to connect may race (RFC 8305), so they overlap and add up to nothing.";
    let columns = ["Address", ">Hop", ">Started", ">Took", "Outcome"];
    begin(out, "attempts", "Connect attempts", caption, &columns);
    for attempt in timeline.attempts() {
        let ended = attempt.ended.unwrap_or(timeline.ended());
        let (class, outcome) = match &attempt.end {
            AttemptEnd::Pending => ("", "no answer".to_owned()),
            AttemptEnd::Connected => ("", "✓ connected".to_owned()),
            AttemptEnd::Failed(words) => (" class=\"hot\"", format!("✗ {words}")),
            AttemptEnd::Expired => (" class=\"hot\"", "✗ expired".to_owned()),
            AttemptEnd::Abandoned => {
                (" class=\"soft\"", "abandoned: another was faster".to_owned())
            }
        };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td{class}>{}</td></tr>",
            escape(&attempt.peer),
            u32::from(attempt.hop) + 1,
            milliseconds(at(timeline, attempt.started)),
            milliseconds(ended.since(attempt.started)),
            escape(&outcome)
        );
    }
    end(out);
    out.push_str("</section>\n");
}
