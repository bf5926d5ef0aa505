//! What was said: the error, and the heads of request and response.

use super::section;
use crate::markup::escape;
use std::fmt::Write as _;
use waterclock::run::{Run, Secrets};
use waterclock_proto::screen;

pub(super) fn error(out: &mut String, run: &Run) {
    let Some(record) = &run.error else { return };
    section(out, "error", "Error");
    out.push_str("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"error\">\n<table class=\"head\">\n");
    let mut row = |name: &str, value: &str| {
        let value = escape(value);
        let _ = writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
    };
    row("kind", &record.kind);
    row("message", &record.message);
    for (name, value) in [("limit", record.limit), ("phase", record.phase)] {
        if let Some(value) = value {
            row(name, value);
        }
    }
    if let Some(of) = record.configured {
        row("set to", &screen::configured_with_unit(of));
    }
    if let Some(late) = record.late_by {
        row("noticed late by", &format!("{} ms", crate::number::decimal(late, 1_000_000)));
    }
    if let Some(timeline) = &run.timeline {
        row("request sent", timeline.request_sent().name());
    }
    row("retry safe", if record.retry_safe { "yes" } else { "not known to be" });
    out.push_str("</table>\n</div>\n</section>\n");
}

pub(super) fn write(out: &mut String, run: &Run, secrets: Secrets) {
    out.push_str("<div class=\"pair\">\n");
    section(out, "request", "Request");
    let line = format!("{} {}", run.request.method, run.request.url);
    fields(out, &line, &secrets.fields(&run.request.headers));
    out.push_str(
        "<p class=\"note\">The caller’s own fields; what the client added is not recorded.</p>\n\
         </section>\n",
    );
    if let Some(record) = &run.response {
        section(out, "response", "Response");
        let line = format!("{} {} {}", record.http_version, record.status, record.reason);
        fields(out, line.trim_end(), &secrets.fields(&record.headers));
        if let Some(tls) = record.connection.as_ref().and_then(|info| info.tls.as_ref()) {
            let resumed = if tls.resumed { ", resumed" } else { "" };
            let (version, cipher) = (escape(&tls.version), escape(&tls.cipher));
            let _ = writeln!(out, "<p class=\"note\">{version}, {cipher}{resumed}</p>");
        }
        if let Some(sum) = record.body_sha256 {
            let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(out, "<p class=\"note sum\">Body: SHA-256 {sum}</p>");
        }
        out.push_str("</section>\n");
    }
    out.push_str("</div>\n");
}

fn fields(out: &mut String, line: &str, fields: &[(String, String)]) {
    let _ = writeln!(out, "<p class=\"start\">{}</p>", escape(line));
    if fields.is_empty() {
        return;
    }
    out.push_str("<table class=\"head\">\n");
    for (name, value) in fields {
        let (name, value) = (escape(name), escape(value));
        let _ = writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
    }
    out.push_str("</table>\n");
}
