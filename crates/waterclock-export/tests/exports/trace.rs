//! The trace: rows nest perfectly, instants are exact.

use crate::{any, runs};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use waterclock::run::Run;
use waterclock_export::trace;

fn events(run: &Run) -> Vec<Value> {
    let document: Value = serde_json::from_str(&trace(run)).unwrap();
    document["traceEvents"].as_array().unwrap().clone()
}

/// Microseconds as they are written, in nanoseconds.
fn nanos(number: &Value) -> u128 {
    // Below 2^53 ns (104 days) this is exact.
    let text = number.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    whole.parse::<u128>().unwrap() * 1_000 + format!("{part:0<3}").parse::<u128>().unwrap()
}

fn interval(event: &Value) -> (u128, u128) {
    let from = nanos(&event["ts"]);
    (from, from + nanos(&event["dur"]))
}

fn complete(events: &[Value]) -> impl Iterator<Item = &Value> {
    events.iter().filter(|event| event["ph"] == "X")
}

fn is(event: &Value, category: &str) -> bool {
    event["cat"] == category
}

/// Two events of a row lie apart, or one within the other; and a wait within a phase within a hop.
fn check_nesting(events: &[Value]) {
    let mut rows: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for event in complete(events) {
        rows.entry(event["tid"].as_u64().unwrap()).or_default().push(event);
    }
    for row in rows.values() {
        for (index, a) in row.iter().enumerate() {
            let (a_from, a_to) = interval(a);
            for b in row.iter().skip(index + 1) {
                let (b_from, b_to) = interval(b);
                let apart = a_to <= b_from || b_to <= a_from;
                let within =
                    (a_from <= b_from && b_to <= a_to) || (b_from <= a_from && a_to <= b_to);
                assert!(apart || within, "{a:#}\n{b:#}");
            }
        }
        let within = |event: &Value, category: &str| {
            let (from, to) = interval(event);
            row.iter().filter(|outer| is(outer, category)).any(|outer| {
                let (outer_from, outer_to) = interval(outer);
                outer_from <= from && to <= outer_to
            })
        };
        for event in row {
            assert!(is(event, "hop") || is(event, "attempt") || within(event, "hop"), "{event:#}");
            assert!(!is(event, "wait") || within(event, "phase"), "{event:#}");
        }
    }
}

#[test]
fn rows_are_hops_and_attempts_that_raced() {
    let events = events(&runs::hops());
    let names: Vec<&str> = events
        .iter()
        .filter(|event| event["name"] == "thread_name")
        .map(|event| event["args"]["name"].as_str().unwrap())
        .collect();
    let host = "xn--3e0bx5euxnjje69i70af08bea817g.xn--3e0b707e";
    assert_eq!(
        names,
        [
            "hop 1: GET example.com",
            "hop 2: GET example.com",
            &format!("hop 3: GET {host}"),
            "hop 3: tcp [2001:db8::1]:443",
            "hop 3: tcp 192.0.2.1:443",
        ]
    );
    check_nesting(&events);
}

#[test]
fn a_wait_says_how_much_of_its_limit_it_used() {
    let events = events(&runs::seed());
    let wait = events.iter().find(|event| event["name"] == "tls read 2").unwrap();
    assert_eq!(
        (wait["ts"].to_string(), wait["dur"].to_string()),
        ("203300".into(), "18900".into())
    );
    let args = &wait["args"];
    assert_eq!((&args["limit"], &args["percent"]), (&"tls".into(), &93.into()));
    assert_eq!((args["limit_ms"].as_f64(), args["left_ms"].as_f64()), (Some(120.0), Some(9.0)));
}

#[test]
fn the_limit_that_fired_is_an_instant() {
    let events = events(&runs::deadline());
    let fired = events.iter().find(|event| event["ph"] == "i").unwrap();
    assert_eq!((&fired["name"], nanos(&fired["ts"])), (&"total limit fired".into(), 120_000_000));
    assert_eq!(fired["args"]["late_ms"].as_f64(), Some(0.04));
    assert_eq!(fired["s"], "t");
}

#[test]
fn ten_thousand_waits_are_few_events() {
    let events = events(&runs::drip(10_000));
    assert!(events.len() < 40, "{}", events.len());
    let waits =
        |event: &Value| is(event, "wait").then(|| event["args"]["waits"].as_u64().unwrap_or(1));
    assert_eq!(events.iter().filter_map(waits).sum::<u64>(), 10_001);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_run_nests(run in any::runs()) {
        check_nesting(&events(&run));
    }
}
