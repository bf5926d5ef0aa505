mod any;
mod read;
mod wire;

use super::*;
use serde_json::Value;
use std::sync::Arc;
use waterclock_proto::limit::{Limit, Limits};
use waterclock_proto::message::Method;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Fired, Hop, HopReason, Phase, RequestLine, SpanEnd, What};

fn us(n: u64) -> Tick {
    Tick::from_nanos(n * 1_000)
}

fn timeline(reads: u64) -> Timeline {
    let limits = Limits::per_wait(Duration::from_millis(80));
    let mut timeline = Timeline::new(us(5), limits);
    let url = url::Url::parse("http://host.test/").unwrap();
    timeline.begin_hop(Hop {
        request: Arc::new(RequestLine { method: Method::Get, url }),
        reason: HopReason::First,
        started: us(5),
        sent: None,
        head_ended: None,
        ended: None,
        status: Some(200),
        connection: None,
    });
    for read in 0..reads {
        let (start, end) = (us(10 + read * 10), us(10 + read * 10 + 7));
        let in_force = Some((start.after(Duration::from_millis(80)), Limit::Read));
        timeline.record_wait(Phase::Body, What::Read, start, end, in_force, SpanEnd::Ready);
        timeline.add_bytes(Phase::Body, 3);
    }
    timeline.finish(us(10 + reads * 10));
    timeline
}

fn document(run: &Run, secrets: Secrets) -> Value {
    serde_json::from_str(&run.to_json(secrets)).unwrap()
}

fn run(headers: &[(&str, &str)]) -> Run {
    let mut request = RequestRecord::refused("GET", "http://user:secret@host.test/x");
    for (name, value) in headers {
        request.headers.append(name, value).unwrap();
    }
    Run::new(SystemTime::UNIX_EPOCH, request)
}

#[test]
fn a_call_that_never_began_is_a_document_too() {
    let mut run = run(&[]);
    run.error = Some(ErrorRecord::new("invalid-url", "no host", None));
    let json = document(&run, Secrets::Redacted);
    assert_eq!(json["outcome"], "error");
    assert_eq!(json["request"]["url"], "http://***@host.test/x");
    assert_eq!(json["error"]["request_sent"], "no");
    assert!(json.get("limits").is_none() && json.get("response").is_none());
}

#[test]
fn credentials_are_shown_only_if_that_is_asked_for() {
    let run = run(&[("authorization", "Basic abc"), ("COOKIE", "a=b"), ("X-Other", "seen")]);
    let of = |json: &Value, index: usize| json["request"]["headers"][index][1].clone();
    let redacted = document(&run, Secrets::Redacted);
    assert_eq!(of(&redacted, 0), "[redacted]");
    assert_eq!(of(&redacted, 1), "[redacted]");
    assert_eq!(of(&redacted, 2), "seen");
    assert_eq!(of(&document(&run, Secrets::Shown), 0), "Basic abc");
}

#[test]
fn seconds_are_exact_to_the_nanosecond() {
    let mut run = run(&[]);
    run.timeline = Some(timeline(1));
    let text = run.to_json(Secrets::Redacted);
    assert!(text.contains("\"elapsed\": 0.000015000"), "{text}");
    assert!(text.contains("\"limit_value\": 0.080000000"), "{text}");
}

#[test]
fn a_folded_run_says_what_it_stands_for() {
    let mut run = run(&[]);
    run.timeline = Some(timeline(500));
    let json = document(&run, Secrets::Redacted);
    let spans = json["spans"].as_array().unwrap();
    let fold = spans.iter().find(|span| span["what"] == "folded").unwrap();
    let waits = spans.iter().filter(|span| span["phase"] == "body").count() as u64 - 1;
    assert_eq!(fold["count"].as_u64().unwrap() + waits, 500);
    assert_eq!(fold["longest"]["limit"], "read");
    assert_eq!(fold["limit"], Value::Null);
    // As they are written, so that no rounding of floats can hide a gap.
    let nanos = |value: &Value| Duration::from_secs_f64(value.as_f64().unwrap()).as_nanos();
    let parts = nanos(&fold["waited"]) + nanos(&fold["local"]) + nanos(&fold["caller"]);
    assert_eq!(parts, nanos(&fold["ended"]) - nanos(&fold["started"]));
    let sum = nanos(&json["waiting"]) + nanos(&json["local"]) + nanos(&json["unaccounted"]);
    assert_eq!(sum, nanos(&json["elapsed"]));
    assert_eq!(json["unaccounted"].as_f64(), Some(0.0));
}

#[test]
fn bytes_that_are_no_text_are_kept_as_characters() {
    let mut run = run(&[]);
    run.request.headers.append("X-Name", b"na\xefve").unwrap();
    assert_eq!(document(&run, Secrets::Redacted)["request"]["headers"][0][1], "naïve");
}
