//! What the table says line by line: rows of waits, losers of the address race, rules between hops.

use super::bar::{Bar, Glyphs, Ink};
use super::bound::shared;
use super::rows::{self, Entry};
use super::{ServerTiming, number, words};
use crate::limit::Limit;
use crate::tick::Tick;
use crate::timeline::{Attempt, AttemptEnd, Hop, HopReason, Phase, SpanEnd, Timeline};
use std::time::Duration;

/// A line of the table.
pub(super) enum Line {
    /// A rule where a hop begins.
    Rule(String),
    /// Something said between rows.
    Note(String),
    /// Something that the server said.
    Said(String),
    Row(Row),
}

pub(super) struct Row {
    pub(super) number: String,
    pub(super) label: String,
    pub(super) bar: Option<Bar>,
    pub(super) value: String,
    /// Right-aligned in front of `of`; empty where `of` is a phrase of its own.
    pub(super) percent: String,
    pub(super) of: String,
    pub(super) share: f64,
    /// The arming it may share with the rows around it.
    pub(super) arming: Option<(Limit, Tick)>,
    pub(super) bracket: Option<char>,
}

pub(super) fn lines(
    timeline: &Timeline,
    said: Option<&ServerTiming>,
    glyphs: &Glyphs,
) -> Vec<Line> {
    let mut entries = rows::entries(timeline);
    rows::fold(&mut entries.rows);
    let mut lines = Vec::new();
    let mut rest = entries.rows.as_slice();
    for (number, hop) in timeline.hops().iter().enumerate() {
        lines.extend(hop_lines(timeline, number, hop, glyphs));
        let of_hop = rest.iter().take_while(|row| usize::from(row.hop) <= number).count();
        let (mine, later) = rest.split_at(of_hop);
        rest = later;
        let first = lines.len();
        push_rows(&mut lines, timeline, number, mine, glyphs);
        if let Some(said) = said.filter(|_| number + 1 == timeline.hops().len()) {
            // Rows are the last lines, one for each entry; the head's come before the body's.
            let after = mine.iter().rev().take_while(|row| row.phase > Phase::Head).count();
            let at = lines.len().saturating_sub(after).max(first);
            lines.insert(at, Line::Said(said.text().to_owned()));
        }
    }
    push_rows(&mut lines, timeline, timeline.hops().len(), rest, glyphs);
    if entries.short.0 > 0 {
        lines.push(Line::Row(short_row(entries.short)));
    }
    brackets(&mut lines, glyphs);
    lines
}

fn hop_lines(timeline: &Timeline, number: usize, hop: &Hop, glyphs: &Glyphs) -> Vec<Line> {
    let mut lines = Vec::new();
    if timeline.hops().len() > 1 {
        let reason = reason(timeline, number, hop).map_or(String::new(), |r| format!("  ({r})"));
        let request = format!("{} {}", hop.request.method, hop.request.url);
        lines.push(Line::Rule(format!(
            "{} hop {}{reason}  {}",
            glyphs.rule,
            number + 1,
            words::escape(&request)
        )));
    }
    if let Some(idle) = hop.connection.and_then(|connection| connection.idle) {
        let layers = if hop.request.url.scheme() == "https" { "tcp, tls" } else { "tcp" };
        lines.push(Line::Note(format!("{layers}: reused, idle {}", number::rough(idle))));
    }
    lines
}

/// Why the hop was made: `redirect after 301`, `retry after read limit`.
fn reason(timeline: &Timeline, number: usize, hop: &Hop) -> Option<String> {
    let before = timeline.hops().get(number.checked_sub(1)?)?;
    let name = hop.reason.name();
    if hop.reason == HopReason::First {
        return None;
    }
    if let Some(status) = before.status {
        return Some(format!("{name} after {status}"));
    }
    let of_before = timeline.spans().iter().filter(|span| usize::from(span.hop) + 1 == number);
    // Which attempts to connect expired is said in their rows.
    let ended = of_before.rev().find(|span| span.end == SpanEnd::Expired);
    Some(match ended.and_then(|span| span.limit) {
        Some(limit) => format!("{name} after {limit} limit"),
        None => format!("{name} after a failure"),
    })
}

/// Adds the rows of one hop, and after its connects the attempts that
/// lost.
fn push_rows(
    lines: &mut Vec<Line>,
    timeline: &Timeline,
    hop: usize,
    entries: &[Entry],
    glyphs: &Glyphs,
) {
    let last = |phase| entries.iter().rposition(|row| row.phase == phase);
    let losers = losers(timeline, hop, entries, glyphs);
    // Without a row of their own they come after the name that they are for.
    let at = last(Phase::Connect).or_else(|| last(Phase::Resolve)).map_or(0, |last| last + 1);
    let rows = |entries: &[Entry]| {
        entries.iter().map(|row| Line::Row(row_of(timeline, row, glyphs))).collect::<Vec<_>>()
    };
    lines.extend(rows(&entries[..at]));
    lines.extend(losers.into_iter().map(Line::Row));
    lines.extend(rows(&entries[at..]));
}

pub(super) fn row_of(timeline: &Timeline, entry: &Entry, glyphs: &Glyphs) -> Row {
    let span = timeline.spans().get(entry.span);
    let folded = entry.waits > 1;
    let label = match span {
        Some(span) if folded => {
            let base = words::base(timeline, span);
            format!("{base} {}{}", glyphs.times, entry.waits)
        }
        Some(span) if entry.numbers.is_none() => words::caller(span.what).to_owned(),
        _ => words::named(timeline, entry.span, glyphs.times),
    };
    let number = match entry.numbers {
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first}{}{last}", glyphs.range),
        None => String::new(),
    };
    let longest = number::brief(entry.longest);
    let (percent, of) = limit_column(timeline, entry, glyphs);
    let until = entry.bound.as_ref().map(|bound| bound.deadline).filter(|_| !folded);
    Row {
        number,
        label,
        bar: Some(Bar {
            from: entry.started,
            to: entry.ended,
            until: until.filter(|&until| until > entry.ended),
            expired: entry.end == SpanEnd::Expired,
            ink: if entry.numbers.is_some() { Ink::Waited } else { Ink::Caller },
        }),
        value: if folded { format!("max {longest}") } else { longest },
        percent,
        of,
        share: entry.bound.as_ref().map_or(0.0, |bound| bound.share),
        arming: entry.bound.as_ref().map(|bound| (bound.limit, bound.deadline)),
        bracket: None,
    }
}

/// Percent and the rest of the limit column.
fn limit_column(timeline: &Timeline, entry: &Entry, glyphs: &Glyphs) -> (String, String) {
    let phrase = |text: String| (String::new(), text);
    if entry.numbers.is_none() {
        return phrase(String::new());
    }
    if let Some(attempt) = attempt_told_by(timeline, entry) {
        return phrase(outcome(attempt, glyphs));
    }
    match (entry.end, &entry.bound) {
        (SpanEnd::Failed, _) => phrase(format!("{} failed", glyphs.cross)),
        (SpanEnd::Cancelled, _) => phrase(format!("{} cancelled", glyphs.cross)),
        (_, Some(bound)) => (bound.percent.clone(), bound.of.clone()),
        (_, None) => phrase("no limit".to_owned()),
    }
}

/// The attempt that failed while exactly this row waited for it.
fn attempt_told_by<'a>(timeline: &'a Timeline, entry: &Entry) -> Option<&'a Attempt> {
    let index = rows::attempt_of(timeline, entry)?;
    let attempt = timeline.attempts().get(usize::from(index))?;
    let failed = matches!(attempt.end, AttemptEnd::Failed(_));
    (failed && covers(timeline, entry, attempt)).then_some(attempt)
}

/// Whether an attempt lasted no longer than a row, with the work around its wait.
fn covers(timeline: &Timeline, entry: &Entry, attempt: &Attempt) -> bool {
    let work = |index: Option<usize>| {
        let span = timeline.spans().get(index?)?;
        (span.phase == Phase::Local).then_some(span)
    };
    let from = work(entry.span.checked_sub(1)).map_or(entry.started, |work| work.started);
    let to = work(entry.span.checked_add(1)).map_or(entry.ended, |work| work.ended);
    let ended = attempt.ended.unwrap_or(timeline.ended());
    entry.waits == 1 && attempt.started >= from && ended <= to
}

/// `✗ refused`
fn outcome(attempt: &Attempt, glyphs: &Glyphs) -> String {
    let cross = glyphs.cross;
    match &attempt.end {
        AttemptEnd::Connected => "connected".to_owned(),
        AttemptEnd::Pending => "no answer".to_owned(),
        AttemptEnd::Abandoned => "abandoned".to_owned(),
        AttemptEnd::Expired => format!("{cross} expired"),
        AttemptEnd::Failed(words) => {
            let known = ["refused", "unreachable", "reset", "timed out", "denied"];
            let lower = words.to_lowercase();
            let word = known.into_iter().find(|word| lower.contains(word)).unwrap_or("failed");
            format!("{cross} {word}")
        }
    }
}

/// The attempts of a hop that lost the race. They overlap the waits, so they are not in the sum.
fn losers(timeline: &Timeline, hop: usize, entries: &[Entry], glyphs: &Glyphs) -> Vec<Row> {
    let lost = timeline.attempts().iter().enumerate().filter(|(index, attempt)| {
        let told = entries.iter().any(|entry| {
            let mine = rows::attempt_of(timeline, entry).map(usize::from) == Some(*index);
            mine && attempt.end != AttemptEnd::Abandoned && covers(timeline, entry, attempt)
        });
        usize::from(attempt.hop) == hop && attempt.end != AttemptEnd::Connected && !told
    });
    let row = |(_, attempt): (usize, &Attempt)| {
        let ended = attempt.ended.unwrap_or(timeline.ended());
        Row {
            number: String::new(),
            label: format!("tcp {}", words::escape(&attempt.peer)),
            bar: Some(Bar {
                from: attempt.started,
                to: ended,
                until: None,
                expired: false,
                ink: Ink::Waited,
            }),
            value: format!("({})", number::brief(ended.since(attempt.started))),
            percent: String::new(),
            of: outcome(attempt, glyphs),
            share: 0.0,
            arming: None,
            bracket: None,
        }
    };
    lost.map(row).collect()
}

/// `3 short waits`, so that the rows add up.
fn short_row((count, sum): (u64, Duration)) -> Row {
    let waits = if count == 1 { "wait" } else { "waits" };
    Row { value: number::brief(sum), ..Row::plain(format!("{count} short {waits}")) }
}

impl Row {
    /// A row with nothing but a label.
    pub(super) fn plain(label: String) -> Row {
        Row {
            number: String::new(),
            label,
            bar: None,
            value: String::new(),
            percent: String::new(),
            of: String::new(),
            share: 0.0,
            arming: None,
            bracket: None,
        }
    }
}

impl Line {
    pub(super) const fn row(&self) -> Option<&Row> {
        match self {
            Line::Row(row) => Some(row),
            Line::Rule(_) | Line::Note(_) | Line::Said(_) => None,
        }
    }
}

/// Brackets the rows that one limit bounded together.
fn brackets(lines: &mut [Line], glyphs: &Glyphs) {
    let mut waits: Vec<&mut Row> = lines
        .iter_mut()
        .filter_map(|line| match line {
            Line::Row(row) if !row.number.is_empty() => Some(row),
            _ => None,
        })
        .collect();
    for group in waits.chunk_by_mut(|a, b| a.arming.is_some() && a.arming == b.arming) {
        let shares = group[0].arming.is_some_and(|(limit, _)| shared(limit).is_some());
        let last = group.len() - 1;
        if !shares || last == 0 {
            continue;
        }
        let [first, middle, end] = glyphs.bracket;
        for (position, row) in group.iter_mut().enumerate() {
            row.bracket = Some(match position {
                0 => first,
                position if position == last => end,
                _ => middle,
            });
        }
    }
}
