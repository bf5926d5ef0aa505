//! OTLP/JSON: the form that collectors take, and the semantic conventions.

use crate::{any, runs};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use waterclock::run::{ErrorRecord, Run, Secrets};
use waterclock_export::otlp;

fn spans(run: &Run) -> Vec<Value> {
    let document: Value = serde_json::from_str(&otlp(run, Secrets::Redacted)).unwrap();
    let resource = &document["resourceSpans"][0];
    assert_eq!(attributes(&resource["resource"])["service.name"], "waterclock");
    resource["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

/// Names and values; integers are strings, as protobuf's JSON has them.
fn attributes(of: &Value) -> BTreeMap<String, Value> {
    let attribute = |attribute: &Value| {
        let (kind, value) = attribute["value"].as_object().unwrap().iter().next().unwrap();
        let form = match kind.as_str() {
            "stringValue" => value.is_string(),
            "intValue" => value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
            "boolValue" => value.is_boolean(),
            unknown => panic!("{unknown}"),
        };
        assert!(form, "{attribute:#}");
        (attribute["key"].as_str().unwrap().to_owned(), value.clone())
    };
    of["attributes"].as_array().unwrap().iter().map(attribute).collect()
}

fn time(span: &Value, name: &str) -> u128 {
    span[name].as_str().unwrap().parse().unwrap()
}

fn is_id(value: &Value, digits: usize) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    value.as_str().is_some_and(|text| text.len() == digits && text.chars().all(hex))
}

/// One trace and one root; every other span has a parent there; none ends before it begins.
fn check(spans: &[Value]) {
    let mut known = BTreeMap::new();
    for span in spans {
        assert!(is_id(&span["spanId"], 16) && is_id(&span["traceId"], 32), "{span:#}");
        assert_eq!(span["traceId"], spans[0]["traceId"]);
        assert!(time(span, "startTimeUnixNano") <= time(span, "endTimeUnixNano"), "{span:#}");
        let parent = span.get("parentSpanId").map(|id| id.as_str().unwrap());
        assert_eq!(parent.is_none(), known.is_empty(), "one root, and it comes first");
        assert!(parent.is_none_or(|id| known.contains_key(id)), "{span:#}");
        attributes(span);
        assert!(known.insert(span["spanId"].as_str().unwrap(), span).is_none());
    }
}

fn named<'s>(spans: &'s [Value], name: &str) -> &'s Value {
    spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no span {name}"))
}

#[test]
fn one_hop_is_one_client_span_with_what_set_its_connection_up() {
    let spans = spans(&runs::seed());
    check(&spans);
    let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "GET",
            "DNS lookup google.co.kr",
            "TLS client handshake google.co.kr",
            "socket connect 142.250.0.94:443",
        ]
    );
    assert_eq!((&spans[0]["kind"], &spans[1]["kind"]), (&3.into(), &1.into()));
    let of = attributes(&spans[0]);
    for (name, value) in [
        ("http.request.method", "GET"),
        ("server.address", "google.co.kr"),
        ("server.port", "443"),
        ("url.full", "https://google.co.kr/search?q=%EB%AC%BC%EC%8B%9C%EA%B3%84"),
        ("http.response.status_code", "200"),
        ("network.peer.address", "142.250.0.94"),
        ("network.peer.port", "443"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(of[name], value, "{name}");
    }
    assert!(!of.contains_key("error.type") && !of.contains_key("http.request.resend_count"));
    assert_eq!(spans[0]["startTimeUnixNano"], "1795339800250000000");
    assert_eq!(
        time(&spans[0], "endTimeUnixNano") - time(&spans[0], "startTimeUnixNano"),
        323_200_000
    );
    let tls = attributes(&spans[2]);
    assert_eq!(
        (&tls["waterclock.limit"], &tls["waterclock.limit.percent"]),
        (&"tls".into(), &"93".into())
    );
}

#[test]
fn hops_are_siblings_under_the_call() {
    let spans = spans(&runs::hops());
    check(&spans);
    assert_eq!((&spans[0]["name"], &spans[0]["kind"]), (&"waterclock call".into(), &1.into()));
    let clients: Vec<_> = spans.iter().filter(|span| span["kind"] == 3).collect();
    let of = |index: usize| attributes(clients[index]);
    assert!(clients.iter().all(|span| span["parentSpanId"] == spans[0]["spanId"]));
    assert_eq!(
        (&of(0)["error.type"], &of(0)["waterclock.limit"]),
        (&"timeout".into(), &"read".into())
    );
    assert_eq!((&of(1)["http.request.resend_count"], of(1).get("error.type")), (&"1".into(), None));
    // To a client, 503 is an error.
    assert_eq!((&of(2)["error.type"], &clients[2]["status"]["code"]), (&"503".into(), &2.into()));
    let url = of(2)["url.full"].clone();
    assert!(url.as_str().unwrap().ends_with("?lang=ko&sig=REDACTED"), "{url}");
    let pause = named(&spans, "wait before retry");
    assert_eq!(pause["parentSpanId"], spans[0]["spanId"]);
    assert_eq!(
        attributes(named(&spans, "socket connect [2001:db8::1]:443"))["waterclock.abandoned"],
        true
    );
    assert!(otlp(&runs::hops(), Secrets::Shown).contains("sig=hush"));
}

#[test]
fn a_timeout_is_an_error_and_a_cancelled_call_is_none() {
    let mut run = runs::deadline();
    let timeout = spans(&run);
    let of = attributes(&timeout[0]);
    assert_eq!((&of["error.type"], &of["waterclock.limit"]), (&"timeout".into(), &"total".into()));
    assert_eq!(timeout[0]["status"]["code"], 2);
    let event = &timeout[0]["events"][0];
    assert_eq!(
        (&event["name"], &event["timeUnixNano"]),
        (&"waterclock.limit_fired".into(), &"1795339800370000000".into())
    );

    run.error = Some(ErrorRecord::new("cancelled", "the call was cancelled", None));
    let cancelled = spans(&run);
    assert!(!attributes(&cancelled[0]).contains_key("error.type"));
    assert!(cancelled[0]["status"].get("code").is_none());
}

#[test]
fn a_call_that_never_began_is_a_span() {
    let spans = spans(&runs::never_begun());
    check(&spans);
    assert_eq!(attributes(&spans[0])["error.type"], "invalid-url");
}

#[test]
fn the_same_run_has_the_same_identifiers() {
    let id = |run: &Run| spans(run)[0]["traceId"].clone();
    assert_eq!(id(&runs::seed()), id(&runs::seed()));
    assert_ne!(id(&runs::seed()), id(&runs::deadline()));
    // Its document has microseconds.
    let mut live = runs::seed();
    live.started_at += std::time::Duration::from_nanos(999);
    assert_eq!(otlp(&live, Secrets::Redacted), otlp(&runs::seed(), Secrets::Redacted));
}

#[test]
fn what_is_no_known_method_is_other() {
    let spans = spans(&runs::hostile());
    let of = attributes(named(&spans, "HTTP"));
    assert_eq!(of["http.request.method"], "_OTHER");
    assert_eq!(of["http.request.method_original"], "PURGE'&");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_run_is_one_trace(run in any::runs()) {
        check(&spans(&run));
    }
}
