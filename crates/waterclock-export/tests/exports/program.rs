//! All calls of a program in one file.

use crate::markup::{check_still, read};
use crate::runs::{self, ms};
use crate::schema;
use serde_json::Value;
use std::collections::BTreeSet;
use waterclock::run::{Run, Secrets};
use waterclock_export::{Program, har, otlp, trace};

/// All runs there are, one after the other, 250 ms apart.
fn several() -> Vec<Run> {
    let runs = runs::all().into_iter().zip(0_u32..);
    runs.map(|((_, run), at)| Run { started_at: run.started_at + ms(250) * at, ..run }).collect()
}

fn program(runs: &[Run]) -> Program<'_> {
    Program { name: "report <1>.py", runs, left_out: 0 }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_page_is_well_formed_and_still() {
    let runs = several();
    let page = program(&runs).html();
    let found = read(&page);
    check_still(&found);
    let ids = found.elements.iter().filter_map(|(_, attributes)| attributes.get("id"));
    let count = ids.clone().count();
    let ids: BTreeSet<&String> = ids.collect();
    assert_eq!(ids.len(), count, "an identifier is there twice");
    for (name, attributes) in &found.elements {
        for attribute in ["href", "aria-labelledby"] {
            for id in attributes.get(attribute).into_iter().flat_map(|value| value.split(' ')) {
                let id = id.trim_start_matches('#').to_owned();
                assert!(ids.contains(&id), "<{name}> leads to {id}");
            }
        }
    }
}

#[test]
fn the_page_has_a_row_and_a_picture_for_each_call() {
    let runs = several();
    let page = program(&runs).html();
    assert!(page.contains("<h1>7 calls of report &lt;1&gt;.py</h1>"));
    assert_eq!(page.matches("<svg class=\"wc when\"").count(), runs.len());
    // One of them never began.
    assert_eq!(page.matches("role=\"img\"").count(), runs.len() - 1);
    let rows: Vec<&str> = page.lines().filter(|line| line.contains("href=\"#call-")).collect();
    assert_eq!(rows.len(), runs.len());
    let text = read(&format!("<table>{}</table>", rows[0])).text;
    for words in ["1GET https://google.co.kr/", "200", "0.0", "323.2", "93% of 120 ms tls", "none"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(rows[1].contains("<td class=\"hot limit\">✗ total 120 ms</td>"), "{}", rows[1]);
    assert!(page.contains("<p class=\"result bad\">✗ 4 of them failed</p>"));
}

#[test]
fn header_fields_are_not_on_the_page() {
    let runs = several();
    let page = program(&runs).html();
    for secret in ["c2VjcmV0", "id=hush", "Set-Cookie", "Authorization"] {
        let at = page.find(secret);
        assert!(at.is_none(), "{:?}", at.map(|at| page.get(at - 80..at + 40)));
    }
}

#[test]
fn calls_that_were_not_kept_are_counted() {
    let runs = several();
    let some = Program { left_out: 12_345, ..program(&runs) };
    assert!(some.html().contains("12,345 more calls came after these"));
    assert_eq!(json(&some.har(Secrets::Redacted))["log"]["_leftOut"], 12_345);
    assert_eq!(json(&some.trace())["otherData"]["left_out"], 12_345);
}

#[test]
fn a_program_without_calls_is_a_page() {
    let none = program(&[]);
    let found = read(&none.html());
    check_still(&found);
    assert!(found.text.contains("0 calls of report <1>.py"));
    assert!(found.text.contains("no call was made"));
    assert_eq!(json(&none.trace())["traceEvents"], Value::Array(Vec::new()));
}

#[test]
fn a_trace_has_a_process_for_each_call_on_one_axis() {
    let runs = several();
    let document = json(&program(&runs).trace());
    let events = document["traceEvents"].as_array().unwrap();
    for (run, number) in runs.iter().zip(1_u32..) {
        let mine: Vec<&Value> = events.iter().filter(|event| event["pid"] == number).collect();
        let alone = json(&trace(run));
        // The order of the processes is said besides.
        assert_eq!(mine.len(), alone["traceEvents"].as_array().unwrap().len() + 1);
        let first = |events: &[&Value]| {
            events.iter().filter_map(|event| event["ts"].as_f64()).reduce(f64::min)
        };
        let alone: Vec<&Value> = alone["traceEvents"].as_array().unwrap().iter().collect();
        let (Some(here), Some(there)) = (first(&mine), first(&alone)) else { continue };
        assert!((here - there - f64::from(number - 1) * 250_000.0).abs() < 0.5, "{here} {there}");
    }
    assert_eq!(document["otherData"]["calls"], runs.len());
}

#[test]
fn an_archive_has_a_page_for_each_call() {
    let runs = several();
    let document = json(&program(&runs).har(Secrets::Redacted));
    schema::check(&document);
    let log = &document["log"];
    let pages = log["pages"].as_array().unwrap();
    assert_eq!(pages.len(), runs.len());
    for (run, page) in runs.iter().zip(pages) {
        let entries = log["entries"].as_array().unwrap().iter();
        let mine: Vec<&Value> = entries.filter(|entry| entry["pageref"] == page["id"]).collect();
        let alone = json(&har(run, Secrets::Redacted));
        assert_eq!(mine.len(), alone["log"]["entries"].as_array().unwrap().len());
        assert_eq!(page["_verdict"], alone["log"]["_verdict"]);
    }
}

#[test]
fn each_call_is_a_trace_of_its_own() {
    let runs = several();
    let spans = |text: &str| {
        let document = json(text);
        document["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    };
    let all = spans(&program(&runs).otlp(Secrets::Redacted));
    let alone: Vec<Value> =
        runs.iter().flat_map(|run| spans(&otlp(run, Secrets::Redacted))).collect();
    assert_eq!(all, alone);
    let traces: BTreeSet<&str> = all.iter().filter_map(|span| span["traceId"].as_str()).collect();
    assert_eq!(traces.len(), runs.len());
}
