//! HAR: the form that the specification asks for, and sums.

use crate::schema::check;
use crate::{any, runs};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use waterclock::run::{Run, Secrets};
use waterclock_export::har;
use waterclock_proto::timeline::{Phase, Timeline};

fn log(run: &Run, secrets: Secrets) -> Value {
    let document: Value = serde_json::from_str(&har(run, secrets)).unwrap();
    check(&document);
    document["log"].clone()
}

/// Milliseconds as they are written, in nanoseconds.
fn nanos(number: &Value) -> u128 {
    let text = number.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    whole.parse::<u128>().unwrap() * 1_000_000 + format!("{part:0<6}").parse::<u128>().unwrap()
}

/// `time` is the sum of the timings, -1 and `ssl` left out; the entries and the pauses between them
/// are the call.
fn check_sums(run: &Run, log: &Value) {
    let mut all = 0;
    for entry in log["entries"].as_array().unwrap() {
        let timings = entry["timings"].as_object().unwrap();
        let counted = timings.iter().filter(|(name, value)| *name != "ssl" && **value != -1);
        let sum: u128 = counted.map(|(_, value)| nanos(value)).sum();
        assert_eq!(sum, nanos(&entry["time"]), "{entry:#}");
        let (connect, ssl) = (&timings["connect"], &timings["ssl"]);
        assert!(*ssl == -1 || nanos(ssl) <= nanos(connect));
        all += sum;
    }
    let elapsed = run.timeline.as_ref().map_or(Duration::ZERO, Timeline::elapsed);
    let paused = run.timeline.iter().flat_map(Timeline::spans).any(|s| s.phase == Phase::Backoff);
    assert!(all <= elapsed.as_nanos() && (paused || all == elapsed.as_nanos()), "{log:#}");
}

#[test]
fn every_run_has_the_form_and_adds_up() {
    for (name, run) in runs::all() {
        for secrets in [Secrets::Redacted, Secrets::Shown] {
            println!("{name}");
            check_sums(&run, &log(&run, secrets));
        }
    }
}

#[test]
fn phases_are_where_har_has_them() {
    let entry = log(&runs::seed(), Secrets::Redacted)["entries"][0].clone();
    // Work goes to the wait before it, so the parts tile the hop.
    let timings = json!({
        "blocked": 0.3, "dns": 80.5, "connect": 141.6, "send": 0, "wait": 100.8, "receive": 0,
        "ssl": 110.8,
    });
    assert_eq!(entry["timings"].to_string().len(), timings.to_string().len());
    for (name, value) in timings.as_object().unwrap() {
        assert_eq!(entry["timings"][name].as_f64(), value.as_f64(), "{name}: {}", entry["timings"]);
    }
    assert_eq!(entry["serverIPAddress"], "142.250.0.94");
    assert_eq!(entry["connection"], "1");
    assert_eq!(entry["startedDateTime"], "2026-11-22T09:30:00.250000Z");
    assert_eq!(entry["request"]["queryString"], json!([{"name": "q", "value": "물시계"}]));
    let content =
        json!({"size": 52_411, "compression": 38_198, "mimeType": "text/html; charset=UTF-8"});
    assert_eq!(entry["response"]["content"], content);
    assert_eq!(entry["response"]["bodySize"], 14_213);
}

#[test]
fn hops_that_failed_have_an_entry() {
    let log = log(&runs::hops(), Secrets::Redacted);
    let of = |index: usize| &log["entries"][index];
    assert_eq!(
        (&of(0)["response"]["status"], &of(0)["_error"]["limit"]),
        (&0.into(), &"read".into())
    );
    assert_eq!(of(1)["response"]["status"], 301);
    let next = of(2)["request"]["url"].as_str().unwrap();
    assert!(next.starts_with("https://xn--"));
    assert_eq!(of(1)["response"]["redirectURL"], next);
    assert_eq!((&of(1)["_reason"], &of(2)["_reason"]), (&"retry".into(), &"redirect".into()));
    assert_eq!(of(2)["startedDateTime"], "2026-11-22T09:30:00.670200Z");
    assert_eq!(log["_limits"]["total"], 2_000);
    assert_eq!(log["_limits"]["body"], Value::Null);
    assert_eq!(of(0)["request"]["headers"].as_array().unwrap().len(), 2);
    assert_eq!(of(2)["request"]["headers"], json!([]));
}

#[test]
fn a_limit_that_fired_is_an_error_of_the_entry() {
    let log = log(&runs::deadline(), Secrets::Redacted);
    let entry = &log["entries"][0];
    assert_eq!(entry["response"]["status"], 0);
    assert_eq!(
        (&entry["_error"]["kind"], &entry["_error"]["limit"]),
        (&"timeout".into(), &"total".into())
    );
    assert_eq!(
        (entry["_error"]["configured"].as_f64(), entry["_error"]["late_by"].as_f64()),
        (Some(120.0), Some(0.04))
    );
    assert_eq!(entry["_waits"][2]["percent"], 100);
    assert!(log["_verdict"][0].as_str().unwrap().starts_with("total limit of 120 ms fired"));
}

#[test]
fn a_call_that_never_began_has_an_entry() {
    let log = log(&runs::never_begun(), Secrets::Shown);
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["response"]["status"], &entry["_error"]["kind"]),
        (&0.into(), &"invalid-url".into())
    );
    assert_eq!(entry["request"]["url"], "http://***@example.com:99999/");
}

#[test]
fn secrets_are_shown_only_if_that_is_asked_for() {
    let text = har(&runs::seed(), Secrets::Redacted);
    assert!(!text.contains("hush") && !text.contains("c2VjcmV0") && text.contains("[redacted]"));
    let entry = log(&runs::seed(), Secrets::Shown)["entries"][0].clone();
    assert_eq!(entry["response"]["cookies"], json!([{"name": "id", "value": "hush"}]));
    assert_eq!(entry["request"]["headers"][1]["value"], "Basic c2VjcmV0");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_run_has_the_form_and_adds_up(run in any::runs()) {
        check_sums(&run, &log(&run, Secrets::Redacted));
    }
}
