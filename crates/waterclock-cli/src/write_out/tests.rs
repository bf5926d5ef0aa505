use super::*;
use std::time::{Duration, SystemTime};
use waterclock::run::{RequestRecord, ResponseRecord};
use waterclock::{Headers, Limit, Limits, Tick};
use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};

fn timeline() -> Timeline {
    let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
    let mut timeline =
        Timeline::new(ms(0), Limits::none().with(Limit::Total, Some(Duration::from_secs(1))));
    timeline.record_wait(Phase::Connect, What::Answer, ms(0), ms(20), None, SpanEnd::Ready);
    timeline.record_wait(Phase::FirstByte, What::Read, ms(20), ms(80), None, SpanEnd::Ready);
    timeline.finish(ms(100));
    timeline
}

fn run() -> Run {
    let mut run =
        Run::new(SystemTime::UNIX_EPOCH, RequestRecord::refused("GET", "http://한국.test/"));
    let mut headers = Headers::new();
    headers.append("Content-Type", "text/plain").unwrap();
    headers.append("X-Two", "a \"b\"").unwrap();
    headers.append("x-two", "\u{202e}z").unwrap();
    run.response = Some(ResponseRecord {
        status: 204,
        reason: String::new(),
        http_version: "HTTP/1.0".into(),
        url: "http://한국.test/?x".into(),
        headers,
        body_bytes: 9,
        body_received: 500,
        body_sha256: None,
        connection: None,
    });
    run.timeline = Some(timeline());
    run
}

fn filled(format: &str, run: &Run, exit_code: u8) -> Written {
    render(&Template::parse(format), run, exit_code)
}

fn out(format: &str) -> String {
    filled(format, &run(), 0).out
}

#[test]
fn what_is_no_variable_stands_for_itself_as_in_curl() {
    assert_eq!(out("a\\n\\t\\r|%%|\\\\|\\x|100%|%o|%"), "a\n\t\r|%|\\\\|\\x|100%|%o|%");
    assert_eq!(out("%{http_code"), "%{http_code");
    assert_eq!(out("x%header{content-type"), "x%header{content-type");
    assert_eq!(out("%%{http_code}"), "%{http_code}");
    assert_eq!(out("물%{http_code}시계\\"), "물204시계\\");
    assert_eq!(out(""), "");
}

#[test]
fn values_have_curls_forms() {
    assert_eq!(
        out("%{http_code} %{http_version} %{time_total} %{size_download} %{speed_download}"),
        "204 1 0.100000 500 5000"
    );
    assert_eq!(
        out("%{url} %{url_effective} %{method}"),
        "http://한국.test/ http://한국.test/?x GET"
    );
    assert_eq!(out("%header{X-TWO}|%header{none}|%{content_type}"), "a \"b\"||text/plain");
    assert_eq!(
        out("%{header_json}"),
        "{\"content-type\":[\"text/plain\"],\n\"x-two\":[\"a \\\"b\\\"\",\"\u{202e}z\"]\n}"
    );
    let mut failed = run();
    (failed.response, failed.timeline) = (None, None);
    failed.error = Some(ErrorRecord::new("connect", "refused", None));
    let format = "%{http_code}|%{http_version}|%{remote_ip}|%{remote_port}|%{content_type}|%{scheme}|\
                  %{time_connect}|%{errormsg}|%{exitcode}";
    assert_eq!(filled(format, &failed, 7).out, "000|0||0|||0.000000|refused|7");
}

#[test]
fn ours_say_what_was_waited_for() {
    let format = "%{waits} %{wait_max} %{wait_max_phase} %{unaccounted} [%{limit_fired}]";
    assert_eq!(out(format), "2 0.060000 first_byte 0.000000 []");
}

#[test]
fn unknown_variables_are_nothing_and_are_told() {
    let written = filled("a%{nonsense}b%{http_code}", &run(), 0);
    assert_eq!((written.out.as_str(), written.unknown), ("ab204", vec!["nonsense".to_owned()]));
}

#[test]
fn output_can_be_steered() {
    let written = filled("a%{stderr}b%header{x-two}%{stdout}c", &run(), 0);
    assert_eq!((written.out.as_str(), written.err.as_str()), ("ac", "ba \"b\""));
    assert_eq!(filled("a%{onerror}b", &run(), 0).out, "a");
    assert_eq!(filled("a%{onerror}b", &run(), 28).out, "ab");
    let mut run = run();
    run.request.url = "http://h.test/\u{1b}[2J".into();
    assert_eq!(filled("%{stderr}%{url}\\n", &run, 0).err, "http://h.test/\\u{1b}[2J\n");
}

#[test]
fn json_has_every_variable() {
    let text = out("%{json}");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let members = json.as_object().unwrap();
    assert_eq!(members.len(), 31 + 5 + 1);
    assert_eq!((&json["http_code"], &json["remote_ip"]), (&204.into(), &"".into()));
    assert!(json["limit_fired"].is_null() && text.contains("\"time_total\":0.100000,"));
}

#[test]
fn ten_thousand_waits_are_counted() {
    let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
    let mut timeline = Timeline::new(ms(0), Limits::none());
    for n in 0..10_000 {
        timeline.record_wait(Phase::Body, What::Read, ms(n), ms(n + 1), None, SpanEnd::Ready);
    }
    timeline.finish(ms(10_000));
    let mut run = run();
    run.timeline = Some(timeline);
    assert_eq!(filled("%{waits} %{time_total}", &run, 0).out, "10000 10.000000");
    run.timeline = None;
    assert_eq!(filled("%{waits} %{wait_max_phase}", &run, 0).out, "0 ");
}
