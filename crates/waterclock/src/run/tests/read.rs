//! Documents read back: the same call again, and words for what is none.

use super::*;

fn full() -> Run {
    let mut run = run(&[("X-Mine", "yes"), ("Cookie", "a=b")]);
    run.request.headers.append("X-Name", b"na\xefve").unwrap();
    run.started_at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_764_219_832_123_456);
    let mut timeline = timeline(60);
    timeline.note("The 503 was not retried.");
    run.timeline = Some(timeline);
    run.response = Some(ResponseRecord {
        status: 200,
        reason: "Très bien".into(),
        http_version: "HTTP/1.1".into(),
        url: "http://host.test/".into(),
        headers: run.request.headers.clone(),
        body_bytes: 1_500,
        body_received: 300,
        body_sha256: Some(std::array::from_fn(|index| u8::try_from(index * 8).unwrap())),
        connection: Some(ConnectionInfo {
            number: 1,
            remote_address: Some("[2001:db8::1]:443".parse().unwrap()),
            local_address: None,
            tls: Some(crate::tls::TlsInfo {
                version: "TLS 1.3".into(),
                cipher: "TLS_AES_128_GCM_SHA256".into(),
                alpn: Some(b"http/1.1".to_vec()),
                resumed: false,
                certificates: Vec::new(),
            }),
            proxy: None,
            proxy_tls: None,
        }),
    });
    let mut error = ErrorRecord::new("output", "cannot write \u{1b}[2J", Some(200));
    error.remarks.push("x.bin has what came before.".to_owned());
    error.late_by = Some(Duration::from_nanos(40_001));
    run.error = Some(error);
    run.remarks.push("The response redirects to http://b.test/.".to_owned());
    run
}

#[test]
fn everything_comes_back() {
    let text = full().to_json(Secrets::Shown);
    let again = Run::from_json(&text).unwrap();
    assert_eq!(again.to_json(Secrets::Shown), text);
    assert_eq!(again.timeline.unwrap().notes(), [Box::from("The 503 was not retried.")]);
    assert_eq!(again.remarks.len(), 1);
    let redacted = full().to_json(Secrets::Redacted);
    assert_eq!(Run::from_json(&redacted).unwrap().to_json(Secrets::Shown), redacted);
}

#[test]
fn a_call_that_never_began_comes_back() {
    let mut run = run(&[]);
    run.error = Some(ErrorRecord::new("invalid-url", "no host", None));
    let text = run.to_json(Secrets::Redacted);
    let again = Run::from_json(&text).unwrap();
    assert!(again.timeline.is_none());
    assert_eq!(again.to_json(Secrets::Redacted), text);
}

/// A deadline that passed during work, so before the wait that noticed it.
#[test]
fn a_limit_that_was_overdue_comes_back() {
    let mut live = Timeline::new(us(1_000_000), Limits::total(Duration::from_millis(1)));
    let total = Some((us(1_001_000), Limit::Total));
    live.record_wait(Phase::Body, What::Read, us(1_000_100), us(1_000_200), total, SpanEnd::Ready);
    live.record_wait(
        Phase::Body,
        What::Read,
        us(1_002_000),
        us(1_002_001),
        total,
        SpanEnd::Expired,
    );
    let (deadline, noticed) = (us(1_001_000), us(1_002_001));
    live.set_fired(Fired { limit: Limit::Total, phase: Phase::Body, deadline, noticed });
    live.finish(us(1_002_001));
    let mut run = run(&[]);
    run.timeline = Some(live);
    let text = run.to_json(Secrets::Redacted);
    assert!(text.contains("\"overdue\": 0.001000000"), "{text}");
    let again = Run::from_json(&text).unwrap();
    assert_eq!(again.to_json(Secrets::Redacted), text);
    assert_eq!(again.timeline.unwrap().fired().unwrap().late_by(), Duration::from_micros(1_001));
}

/// The document with one member replaced, or removed for `null`.
fn with(path: &str, value: Value) -> String {
    let mut document: Value = serde_json::from_str(&full().to_json(Secrets::Shown)).unwrap();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(members), Value::Null) => _ = members.remove(name),
        (parent, value) => parent[name] = value,
    }
    document.to_string()
}

#[test]
fn what_is_not_known_is_passed_over() {
    let plain = full().to_json(Secrets::Shown);
    for path in ["/of_later", "/hops/0/of_later", "/spans/1/of_later", "/response/tls/of_later"] {
        let again = Run::from_json(&with(path, serde_json::json!({"a": [1, null]}))).unwrap();
        assert_eq!(again.to_json(Secrets::Shown), plain, "{path}");
    }
}

/// As documents were before they had these members.
#[test]
fn what_older_documents_lack_is_worked_out() {
    let read = Some((us(120), Limit::Read));
    let mut live = Timeline::new(
        us(5),
        Limits::none().with(Limit::Read, Some(100 * Duration::from_micros(1))),
    );
    live.record_wait(Phase::Body, What::Read, us(20), us(130), read, SpanEnd::Expired);
    let (deadline, noticed) = (us(120), us(130));
    live.set_fired(Fired { limit: Limit::Read, phase: Phase::Body, deadline, noticed });
    live.set_request_sent(waterclock_proto::timeline::RequestSent::Yes);
    live.finish(us(130));
    let mut run = run(&[]);
    run.timeline = Some(live);
    run.error = Some(ErrorRecord {
        limit: Some("read"),
        phase: Some("body"),
        late_by: Some(Duration::from_micros(10)),
        ..ErrorRecord::new("timeout", "read limit", None)
    });
    let text = run.to_json(Secrets::Redacted);
    let mut old: Value = serde_json::from_str(&text).unwrap();
    for name in ["fired", "finished", "request_sent"] {
        assert!(old.as_object_mut().unwrap().remove(name).is_some(), "{name}");
    }
    let again = Run::from_json(&old.to_string()).unwrap();
    assert_eq!(again.to_json(Secrets::Redacted), text);
}

#[track_caller]
fn refused(text: &str) -> String {
    Run::from_json(text).unwrap_err().to_string()
}

#[test]
fn what_is_no_document_is_refused_with_the_way_out() {
    assert_eq!(
        refused(""),
        "line 1, column 0: the document ends too early; it was cut short, so save the run again"
    );
    assert!(refused("HTTP/1.1 200 OK").contains("what --json prints or --save writes"));
    assert!(refused("[1]").contains("not a run document"));
    assert!(refused("{}").contains("there is no schema_version"));
    assert_eq!(
        refused(r#"{"schema_version": 2, "spans": 7}"#),
        "schema_version: the document has version 2 of the form, and this program knows those up to \
         1; use a newer waterclock"
    );
    assert!(refused(r#"{"schema_version": 1}"#).contains("missing field"));
    let deep = format!("{{\"a\": {}", "[".repeat(100_000));
    assert!(refused(&deep).contains("ends too early"), "{}", refused(&deep));
}

#[test]
fn what_cannot_have_happened_is_refused_where_it_stands() {
    use serde_json::json;
    for (path, value, words) in [
        ("/started_at", json!("yesterday"), "started_at: \"yesterday\" is not a date and time"),
        ("/elapsed", json!(9), "elapsed: the spans do not end where the call does"),
        ("/elapsed", json!(-1), "-1 seconds are less than none"),
        ("/elapsed", json!("1"), "expected a number of seconds, not \"1\""),
        ("/limits", json!(null), "limits: they are missing, but the call has begun"),
        ("/limits/later", json!(1), "limits: there is no limit \"later\"; if a newer waterclock"),
        ("/limits/read", json!(1e40), "seconds are more than a clock can show"),
        ("/spans/0/started", json!(0.000_001), "spans[0]: there is a gap between the call's start"),
        ("/spans/1/started", json!(0), "spans[1]: it begins before the one before it has ended"),
        ("/spans/2/started", json!(1), "spans[2]: there is a gap between the one before it and it"),
        ("/spans/2/ended", json!(0), "spans[2]: it ends before it begins"),
        ("/spans/2/ended", json!(4e9), "spans[2].ended: no call takes longer than a hundred years"),
        ("/spans/2/hop", json!(1), "spans[2]: there is no such hop"),
        ("/spans/2/hop", json!(-1), "invalid value: integer `-1`"),
        ("/spans/2/phase", json!("lunch"), "spans[2].phase: there is no phase \"lunch\""),
        ("/spans/2/what", json!("connect"), "spans[2].attempt: a connect has one"),
        ("/spans/2/what", json!("folded"), "spans[2].count: a folded span has it"),
        ("/spans/2/limit", json!("timeout"), "spans[2].limit: there is no limit \"timeout\""),
        ("/spans/2/end", json!("\u{1b}[2J"), "spans[2].end: there is no end \"\\u{1b}[2J\""),
        ("/spans/2/bytes", json!(u64::MAX), "spans: bytes or waits are more than can be counted"),
        ("/spans/12/waited", json!(1), "spans[12]: waited, local and caller do not add up"),
        ("/spans/12/count", json!(u64::MAX), "spans: bytes or waits are more than can be counted"),
        ("/spans/12/count", json!(0), "spans[12]: waited, local and caller do not add up"),
        ("/hops", json!({}), "invalid type: map, expected a sequence"),
        ("/hops/0/method", json!("GET /"), "hops[0].method: \"GET /\" is no method"),
        ("/hops/0/url", json!("host"), "hops[0].url: \"host\" is no URL"),
        ("/hops/0/reason", json!("why"), "hops[0].reason: there is no reason \"why\""),
        ("/response/status", json!(20), "response.status: a status has three digits"),
        ("/response/remote_address", json!("x"), "response.remote_address: \"x\" is no address"),
        ("/response/body_sha256", json!("zz"), "response.body_sha256: it is not 64 hexadecimal"),
        ("/response/headers", json!([["a b", ""]]), "response.headers[0]: "),
        ("/request/headers", json!([["a", "\r\n"]]), "request.headers[0]: "),
        ("/request_sent", json!("maybe"), "request_sent: there is no answer \"maybe\""),
    ] {
        let said = refused(&with(path, value));
        assert!(said.contains(words), "{path}: {said}");
    }
}

#[test]
fn an_error_says_where_it_is() {
    let error = Run::from_json("{\n\"schema_version\": x").unwrap_err();
    assert_eq!((error.line(), error.path()), (Some((2, 19)), None));
    let error = Run::from_json(&with("/spans/2/hop", serde_json::json!(1))).unwrap_err();
    assert_eq!((error.line(), error.path()), (None, Some("spans[2]")));
}

#[test]
fn what_is_cut_off_anywhere_is_refused() {
    let text = full().to_json(Secrets::Shown);
    let whole = text.trim_end().len();
    for end in (0..whole).filter(|&end| text.is_char_boundary(end)) {
        assert!(Run::from_json(&text[..end]).is_err(), "{end}");
    }
}
