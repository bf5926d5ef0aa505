//! The top of the page: what was asked for, how it ended, and the numbers that matter.

use crate::markup::escape;
use crate::phases::began;
use std::fmt::Write as _;
use waterclock::run::{Run, rfc3339};
use waterclock_proto::screen::{self, Used};
use waterclock_proto::timeline::Timeline;

pub(super) fn write(out: &mut String, run: &Run) {
    let _ = writeln!(
        out,
        "<header>\n<p class=\"brand\"><b>waterclock</b> · {} UTC</p>\n\
         <h1><span class=\"method\">{}</span> {}</h1>",
        date(run),
        escape(&run.request.method),
        escape(&run.request.url)
    );
    let (class, words) = outcome(run);
    let _ = writeln!(out, "<p class=\"result {class}\">{}</p>\n</header>", escape(&words));
    let facts = facts(run);
    if facts.is_empty() {
        return;
    }
    out.push_str("<dl class=\"facts\">\n");
    for (name, value, remark) in facts {
        let (value, remark) = (escape(&value), escape(&remark));
        let small =
            if remark.is_empty() { String::new() } else { format!("<small>{remark}</small>") };
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}{small}</dd></div>");
    }
    out.push_str("</dl>\n");
}

/// `2026-11-22 09:30:00`
pub(super) fn date(run: &Run) -> String {
    rfc3339(began(run)).replace('T', " ").split('.').next().unwrap_or_default().to_owned()
}

pub(super) fn outcome(run: &Run) -> (&'static str, String) {
    let of_record = run
        .response
        .as_ref()
        .map(|record| format!("{} {}", record.status, record.reason).trim_end().to_owned());
    match (&run.error, of_record) {
        (Some(error), status) => {
            let limit = error.limit.map(|limit| format!(": {limit} limit")).unwrap_or_default();
            let status = status.map(|status| format!(" after {status}")).unwrap_or_default();
            ("bad", format!("✗ {}{limit}{status}", error.kind))
        }
        (None, Some(text)) => {
            let failed = run.response.as_ref().is_some_and(|record| record.status >= 400);
            if failed { ("bad", format!("✗ {text}")) } else { ("good", format!("✓ {text}")) }
        }
        (None, None) => match status(run) {
            Some(status) if status < 400 => ("good", format!("✓ {status}")),
            Some(status) => ("bad", format!("✗ {status}")),
            None => ("bad", "no response".to_owned()),
        },
    }
}

/// The status that the caller got; of a call that another client made, the timeline alone has it.
pub(super) fn status(run: &Run) -> Option<u16> {
    let last = run.timeline.as_ref().and_then(|timeline| timeline.hops().last());
    let record = run.response.as_ref().map(|record| record.status);
    record.or_else(|| last.and_then(|hop| hop.status))
}

/// Name, value, and a remark in small letters.
fn facts(run: &Run) -> Vec<(&'static str, String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name, value: String, remark: String| facts.push((name, value, remark));
    if let Some(timeline) = &run.timeline {
        let local = screen::with_unit(timeline.local());
        fact("Elapsed", screen::with_unit(timeline.elapsed()), String::new());
        fact("Waiting", screen::with_unit(timeline.waiting()), format!("{local} local work"));
        if let Some((used, label)) = closest(timeline) {
            let (percent, limit) = (used.percent(), used.limit);
            fact("Closest to its limit", format!("{percent}%"), format!("{label}, limit {limit}"));
        }
    }
    if let Some(record) = &run.response {
        let decoded = record.body_bytes != record.body_received;
        let remark = match decoded {
            true => format!("{} decoded", screen::grouped(record.body_bytes.into())),
            false => String::new(),
        };
        fact("Body", format!("{} bytes", screen::grouped(record.body_received.into())), remark);
    }
    let info = run.response.as_ref().and_then(|record| record.connection.as_ref());
    if let Some(address) = info.and_then(|info| info.remote_address) {
        let tls = info.and_then(|info| info.tls.as_ref());
        let tls = tls.map(|tls| tls.version.to_string());
        fact("Peer", address.to_string(), tls.unwrap_or_else(|| "without TLS".to_owned()));
    }
    facts
}

/// The wait that used the largest part of its limit, as the rows have it.
pub(super) fn closest(timeline: &Timeline) -> Option<(Used, String)> {
    let used = (0..timeline.spans().len()).filter_map(|i| Some((i, screen::used(timeline, i)?)));
    let (index, used) = used.max_by_key(|(_, used)| used.percent())?;
    Some((used, screen::label(timeline, index)))
}
