//! The calls of a program on one page: a table of them, then the waterfall of each.

use super::{head, sentence_of, summary, tables};
use crate::markup::escape;
use crate::program::Program;
use crate::svg::{self, Place};
use std::fmt::Write as _;
use std::time::Duration;
use waterclock::run::{Run, rfc3339};
use waterclock_proto::screen;
use waterclock_proto::timeline::Timeline;

const PROGRAM_STYLE: &str = include_str!("program.css");

pub(crate) fn page(program: &Program<'_>) -> String {
    let style = format!("\n{}{}{PROGRAM_STYLE}", svg::STYLE, super::PAGE_STYLE);
    let mut out = head(&format!("{} · waterclock", program.name), &style);
    out += "<body>\n<main>\n";
    top(&mut out, program);
    if !program.runs.is_empty() {
        table(&mut out, program);
    }
    for (run, number) in program.runs.iter().zip(1..) {
        call(&mut out, run, number);
    }
    let _ = writeln!(
        out,
        "<footer>Made by {} {} from the records of these calls. This page loads nothing and runs \
         nothing.</footer>",
        crate::NAME,
        crate::VERSION
    );
    out += "</main>\n</body>\n</html>\n";
    out
}

fn elapsed(run: &Run) -> Duration {
    run.timeline.as_ref().map(Timeline::elapsed).unwrap_or_default()
}

fn is_bad(run: &Run) -> bool {
    // A body that was streamed ends after the response was recorded.
    let has_fired = run.timeline.as_ref().is_some_and(|timeline| timeline.fired().is_some());
    run.error.is_some() || has_fired || summary::status(run).is_none_or(|status| status >= 400)
}

/// From the beginning of the first call to the end of the last one.
fn whole(program: &Program<'_>) -> Duration {
    let ended = |run| program.offset(run).saturating_add(elapsed(run));
    program.runs.iter().map(ended).max().unwrap_or_default()
}

fn calls(count: u64) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} call{s}", screen::grouped(count.into()))
}

fn top(out: &mut String, program: &Program<'_>) {
    let date = rfc3339(program.began()).replace('T', " ");
    let date = match (program.runs.is_empty(), date.split_once('.')) {
        (false, Some((date, _))) => format!(" · {date} UTC"),
        _ => String::new(),
    };
    let count = calls(program.runs.len() as u64);
    let _ = writeln!(
        out,
        "<header>\n<p class=\"brand\"><b>waterclock</b>{date}</p>\n<h1>{count} of {}</h1>",
        escape(program.name)
    );
    let bad = program.runs.iter().filter(|run| is_bad(run)).count() as u64;
    let (class, words) = match (program.runs.is_empty(), bad) {
        (true, _) => ("bad", "no call was made".to_owned()),
        (_, 0) => ("good", "✓ all of them succeeded".to_owned()),
        _ => ("bad", format!("✗ {} of them failed", screen::grouped(bad.into()))),
    };
    let _ = writeln!(out, "<p class=\"result {class}\">{words}</p>\n</header>");
    if !program.runs.is_empty() {
        facts(out, program);
    }
    if program.left_out > 0 {
        let count = screen::grouped(program.left_out.into());
        let s = if program.left_out == 1 { "" } else { "s" };
        let _ = writeln!(
            out,
            "<p class=\"left-out\">{count} more call{s} came after these. To keep the memory of a long \
             program bounded, they were counted and not kept.</p>"
        );
    }
}

fn facts(out: &mut String, program: &Program<'_>) {
    let sum = |of: fn(&Timeline) -> Duration| -> Duration {
        program.runs.iter().filter_map(|run| run.timeline.as_ref()).map(of).sum()
    };
    let fired = |run: &&Run| run.timeline.as_ref().is_some_and(|t| t.fired().is_some());
    out.push_str("<dl class=\"facts\">\n");
    let mut fact = |name: &str, value: &str, remark: &str| {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}<small>{remark}</small></dd></div>");
    };
    fact("From first to last", &screen::with_unit(whole(program)), "of all calls");
    let local =
        format!("all calls together; {} local work", screen::with_unit(sum(Timeline::local)));
    fact("Waiting", &screen::with_unit(sum(Timeline::waiting)), &local);
    let longest = program.runs.iter().zip(1_u64..).max_by_key(|(run, _)| elapsed(run));
    if let Some((run, number)) = longest {
        fact("Longest", &screen::with_unit(elapsed(run)), &format!("call {number}"));
    }
    let count = program.runs.iter().filter(fired).count() as u64;
    fact(
        "Limits that fired",
        &screen::grouped(count.into()),
        &format!("in {}", calls(program.runs.len() as u64)),
    );
    out.push_str("</dl>\n");
}

fn table(out: &mut String, program: &Program<'_>) {
    let caption = "In the order in which they began. Times in milliseconds, from the start of the first \
                   call, unless marked otherwise.";
    let columns =
        [">#", "Call", "Status", ">Started", ">Took", "When", "Closest to its limit", "Fired"];
    tables::begin(out, "calls", "Calls", caption, &columns);
    let whole = whole(program).max(Duration::from_nanos(1));
    for (run, number) in program.runs.iter().zip(1_u64..) {
        row(out, program, (run, number), whole);
    }
    tables::end(out);
    out.push_str("</section>\n");
}

fn row(out: &mut String, program: &Program<'_>, (run, number): (&Run, u64), whole: Duration) {
    let offset = program.offset(run);
    let status = match (summary::status(run), &run.error) {
        (_, Some(error)) => format!("✗ {}", error.kind),
        (Some(status), None) if status >= 400 => format!("✗ {status}"),
        (Some(status), None) => status.to_string(),
        (None, None) => "✗ no response".to_owned(),
    };
    let class = if is_bad(run) { "hot" } else { "ok" };
    let closest = run.timeline.as_ref().and_then(summary::closest);
    let closest = closest.map_or_else(
        || "<td class=\"soft\">no limit</td>".to_owned(),
        |(used, label)| {
            let percent = used.percent();
            let heat = match percent {
                91.. => "hot",
                50..=90 => "warm",
                _ => "calm",
            };
            let of = screen::configured_with_unit(used.of);
            format!(
                "<td class=\"closest\"><span class=\"{heat}\">{percent}% of {of} {}</span>\
                 <small>{}</small></td>",
                used.limit,
                escape(&label)
            )
        },
    );
    let fired = run.timeline.as_ref().and_then(|timeline| {
        let fired = timeline.fired()?;
        let of = timeline.limits().get(fired.limit).map(screen::configured_with_unit);
        Some(format!("✗ {} {}", fired.limit, of.unwrap_or_default()))
    });
    let fired = fired.map_or_else(
        || "<td class=\"soft\">none</td>".to_owned(),
        |words| format!("<td class=\"hot limit\">{}</td>", escape(words.trim_end())),
    );
    let _ = writeln!(
        out,
        "<tr><td class=\"n\">{number}</td><th scope=\"row\" class=\"url\"><a href=\"#call-{number}\">\
         {} {}</a></th><td class=\"{class} limit\">{}</td><td class=\"n\">{}</td>\
         <td class=\"n\">{}</td><td>{}</td>{closest}{fired}</tr>",
        escape(&run.request.method),
        escape(&run.request.url),
        escape(&status),
        tables::milliseconds(offset),
        tables::milliseconds(elapsed(run)),
        bar(offset, elapsed(run), whole, is_bad(run)),
    );
}

/// Where a call lies among all of them.
fn bar(from: Duration, length: Duration, whole: Duration, bad: bool) -> String {
    const WIDTH: f64 = 120.0;
    let x = |at: Duration| at.as_secs_f64() / whole.as_secs_f64() * WIDTH;
    let wide = x(length).clamp(1.5, WIDTH);
    let from = x(from).min(WIDTH - wide);
    let class = if bad { "hot" } else { "calm" };
    format!(
        "<svg class=\"wc when\" width=\"120\" height=\"14\" viewBox=\"0 0 120 14\" aria-hidden=\"true\">\
         <rect class=\"band\" width=\"120\" height=\"14\" rx=\"3\"/>\
         <rect class=\"{class}\" x=\"{from:.1}\" y=\"2\" width=\"{wide:.1}\" height=\"10\" rx=\"2\"/></svg>"
    )
}

fn call(out: &mut String, run: &Run, number: u64) {
    let id = format!("call-{number}");
    let (class, words) = summary::outcome(run);
    let _ = writeln!(
        out,
        "<section class=\"call\" aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">\
         <span class=\"soft\">{number}</span> <span class=\"method\">{}</span> {}</h2>\n\
         <p class=\"result {class}\">{}</p>",
        escape(&run.request.method),
        escape(&run.request.url),
        escape(&words)
    );
    let sentences = match &run.timeline {
        Some(timeline) => screen::verdict(timeline),
        None => run.error.iter().map(|error| error.message.clone()).collect(),
    };
    for sentence in &sentences {
        let _ = writeln!(out, "<p class=\"sentence\">{}</p>", sentence_of(sentence));
    }
    if run.timeline.is_some() {
        let place = Place { style: &[], edged: false, id: &format!("wc-{number}") };
        let _ = writeln!(
            out,
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"{id}\">\n{}\n</div>",
            svg::picture(run, &place)
        );
    }
    out.push_str("<p class=\"note\"><a href=\"#calls\">All calls</a></p>\n</section>\n");
}
