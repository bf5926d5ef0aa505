//! Chrome's trace event format, as JSON, which Perfetto and `chrome://tracing` read: a row for each
//! hop, in which hop, phase and wait nest; connect attempts that raced have rows of their own.
//!
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>

pub(crate) mod program;

use crate::number::{Ms, Us, at, document};
use crate::phases::{HopView, attempts, began, hops, phase_of};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::time::Duration;
use waterclock::run::{Run, rfc3339};
use waterclock_proto::screen;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{AttemptEnd, Phase, Timeline};

/// There is one process.
const PROCESS: u32 = 1;
/// Rows of connect attempts come after those of hops.
const ATTEMPTS: u32 = 100_000;

/// The run as a trace. Times are microseconds since the start of the call, exact to the nanosecond;
/// `otherData.started_at` has the date.
///
/// The events of a row nest perfectly: a wait lies within its phase, a phase within its hop. What is
/// empty between waits was the engine's own work. It has no header fields, so nothing in it is
/// secret but what the URL may be.
#[must_use]
pub fn trace(run: &Run) -> String {
    let mut events = vec![Event::name("process_name", 0, "waterclock".to_owned())];
    events.extend(run.timeline.iter().flat_map(call_events));
    document(&Trace {
        display_time_unit: "ms",
        other_data: OtherData {
            maker: format!("{} {}", crate::NAME, crate::VERSION),
            started_at: rfc3339(began(run)),
            method: &run.request.method,
            url: &run.request.url,
            error: run.error.as_ref().map(|error| error.message.as_str()),
            verdict: run.timeline.as_ref().map(screen::verdict).unwrap_or_default(),
        },
        trace_events: events,
    })
}

fn call_events(timeline: &Timeline) -> Vec<Event> {
    let mut events = Vec::new();
    for hop in hops(timeline) {
        hop_events(hop, &mut events);
    }
    attempt_events(timeline, &mut events);
    events.extend(fired(timeline));
    events
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace<T> {
    display_time_unit: &'static str,
    other_data: T,
    trace_events: Vec<Event>,
}

#[derive(Serialize)]
struct OtherData<'a> {
    maker: String,
    started_at: String,
    method: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    verdict: Vec<String>,
}

#[derive(Serialize)]
struct Event {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    ph: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<Us>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<Us>,
    pid: u32,
    tid: u32,
    /// How far an instant is drawn: over its row.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    args: Args,
}

/// What is known about an event, by name.
#[derive(Default)]
struct Args(Vec<(&'static str, Arg)>);

#[derive(Serialize)]
#[serde(untagged)]
enum Arg {
    Text(String),
    Number(u64),
    Ms(Ms),
}

impl Serialize for Args {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, arg) in &self.0 {
            map.serialize_entry(name, arg)?;
        }
        map.end()
    }
}

impl Args {
    fn with(mut self, name: &'static str, arg: Option<Arg>) -> Self {
        self.0.extend(arg.map(|arg| (name, arg)));
        self
    }

    fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(name, Some(Arg::Text(text.into())))
    }

    fn number(self, name: &'static str, number: Option<u64>) -> Self {
        self.with(name, number.map(Arg::Number))
    }

    fn ms(self, name: &'static str, duration: Option<Duration>) -> Self {
        self.with(name, duration.map(|duration| Arg::Ms(Ms(duration))))
    }
}

impl Event {
    /// An event that names its row or its process.
    fn name(kind: &'static str, row: u32, name: String) -> Event {
        let args = Args::default().text("name", name);
        Event { ph: "M", name: kind.to_owned(), ..Event::new(row, args) }
    }

    /// One that lasts.
    fn complete(
        cat: &'static str,
        row: u32,
        name: String,
        (from, length): (Duration, Duration),
        args: Args,
    ) -> Event {
        let (ts, dur) = (Some(Us(from)), Some(Us(length)));
        Event { ph: "X", name, cat: Some(cat), ts, dur, ..Event::new(row, args) }
    }

    const fn new(row: u32, args: Args) -> Event {
        let (ts, dur, cat, s) = (None, None, None, None);
        Event { name: String::new(), cat, ph: "", ts, dur, pid: PROCESS, tid: row, s, args }
    }
}

fn row(hop: usize) -> u32 {
    u32::try_from(hop).unwrap_or(u32::MAX).saturating_add(1)
}

fn between(timeline: &Timeline, from: Tick, to: Tick) -> (Duration, Duration) {
    (at(timeline, from), to.since(from))
}

fn hop_events(hop: HopView<'_>, events: &mut Vec<Event>) {
    let (timeline, row) = (hop.timeline, row(hop.index));
    let line = &hop.hop.request;
    let host = line.url.host_str().unwrap_or_default();
    let name = format!("hop {}: {} {host}", hop.index + 1, line.method);
    events.push(Event::name("thread_name", row, name));
    let index = Args::default().number("sort_index", Some(row.into()));
    events.push(Event { ph: "M", name: "thread_sort_index".to_owned(), ..Event::new(row, index) });

    let connection = hop.hop.connection;
    let args = Args::default()
        .text("url", line.url.to_string())
        .text("reason", hop.hop.reason.name())
        .number("status", hop.hop.status.map(u64::from))
        .number("connection", connection.map(|connection| connection.number))
        .ms("idle_ms", connection.and_then(|connection| connection.idle));
    let whole = between(timeline, hop.started(), hop.ended());
    events.push(Event::complete("hop", row, format!("{} {}", line.method, line.url), whole, args));

    let stretches = hop.stretches();
    for stretch in &stretches {
        let name = stretch.phase.name().to_owned();
        let whole = between(timeline, stretch.from, stretch.to);
        events.push(Event::complete("phase", row, name, whole, Args::default()));
        let (first, last) = stretch.spans;
        events.extend((first..=last).filter_map(|index| wait(timeline, index, row)));
    }
    let within = |index: usize| stretches.iter().any(|s| (s.spans.0..=s.spans.1).contains(&index));
    let outside = hop.spans().map(|(index, _)| index).filter(|&index| !within(index));
    events.extend(outside.filter_map(|index| wait(timeline, index, row)));
}

/// A wait, or the caller's own time.
fn wait(timeline: &Timeline, index: usize, row: u32) -> Option<Event> {
    let span = timeline.spans().get(index)?;
    let phase = phase_of(timeline, span);
    let cat = match phase {
        Phase::Local => return None,
        Phase::Caller => "caller",
        _ => "wait",
    };
    let used = screen::used(timeline, index);
    let fold = timeline.fold_of(span);
    let args = Args::default()
        .with("limit", used.map(|used| Arg::Text(used.limit.name().to_owned())))
        .ms("limit_ms", used.map(|used| used.of))
        .ms("left_ms", used.map(|used| used.of.saturating_sub(used.used)))
        .number("percent", used.map(|used| used.percent().into()))
        .number("bytes", Some(span.bytes))
        .text("end", span.end.name())
        .number("waits", fold.map(|fold| fold.waits))
        .ms("waited_ms", fold.map(|fold| fold.waited))
        .ms("longest_ms", fold.and_then(|fold| fold.longest).map(|longest| longest.duration()));
    let whole = between(timeline, span.started, span.ended);
    Some(Event::complete(cat, row, screen::label(timeline, index), whole, args))
}

/// Attempts of hops that made several: they overlap, so each has a row.
fn attempt_events(timeline: &Timeline, events: &mut Vec<Event>) {
    let raced = attempts(timeline).into_values().filter(|of_hop| of_hop.len() > 1).flatten();
    for (attempt, row) in raced.zip(ATTEMPTS..) {
        let hop = usize::from(attempt.hop) + 1;
        events.push(Event::name("thread_name", row, format!("hop {hop}: tcp {}", attempt.peer)));
        let (end, message) = match &attempt.end {
            AttemptEnd::Pending => ("pending", None),
            AttemptEnd::Connected => ("connected", None),
            AttemptEnd::Failed(words) => ("failed", Some(Arg::Text(words.to_string()))),
            AttemptEnd::Expired => ("expired", None),
            AttemptEnd::Abandoned => ("abandoned", None),
        };
        let args = Args::default().text("end", end).with("message", message);
        let ended = attempt.ended.unwrap_or(timeline.ended());
        let whole = between(timeline, attempt.started, ended);
        let name = format!("tcp {}", attempt.peer);
        events.push(Event::complete("attempt", row, name, whole, args));
    }
}

/// The instant for which the limit that ended the call had been set.
fn fired(timeline: &Timeline) -> Option<Event> {
    let fired = timeline.fired()?;
    let args = Args::default()
        .text("limit", fired.limit.name())
        .text("phase", fired.phase.name())
        .ms("configured_ms", timeline.limits().get(fired.limit))
        .ms("late_ms", Some(fired.late_by()));
    let row = row(timeline.hops().len().saturating_sub(1));
    let name = format!("{} limit fired", fired.limit);
    let ts = Some(Us(at(timeline, fired.deadline)));
    Some(Event { ph: "i", name, cat: Some("limit"), ts, s: Some("t"), ..Event::new(row, args) })
}
