//! The run document of real calls: its form, its sums, and what it keeps to itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{checked, nanos, run, schema, scratch};
use sha2::{Digest, Sha256};
use std::time::Duration;
use waterclock::{Limit, Phase};
use waterclock_lab::{
    Identity, Script, Server, Step, Tls, drip_body, head, head_then_stall, respond, respond_with,
};

const TEXT: &str = "물시계는 흐른다\n";

#[test]
fn a_success_says_everything() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let ca = scratch("document-ca.pem");
    std::fs::write(&ca, identity.ca_pem()).unwrap();
    let script = Script::every_request(respond_with(200, &[("X-One", "1"), ("x-ONE", "2")], TEXT));
    let server = Server::builder().tls(Tls::new(identity)).script(script).start().unwrap();
    let ran = run(&["--json", "--cacert", ca.to_str().unwrap(), &server.url("/a"), "X-Mine:yes"]);
    let document = ran.expect(0).document();
    assert_eq!(document["outcome"], "response");
    assert_eq!(document["request"]["headers"], serde_json::json!([["X-Mine", "yes"]]));
    let response = &document["response"];
    assert_eq!(response["status"], 200);
    assert_eq!(response["headers"][0], serde_json::json!(["X-One", "1"]));
    assert_eq!(response["headers"][1], serde_json::json!(["x-ONE", "2"]));
    assert_eq!(response["body_bytes"], TEXT.len());
    let sum: String = Sha256::digest(TEXT).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(response["body_sha256"], sum);
    assert_eq!(response["remote_address"], server.address().to_string());
    assert_eq!(response["tls"]["version"], "TLS 1.3");
    assert_eq!(document["hops"][0]["connection"], 1);
    assert_eq!(document["attempts"][0]["end"], "connected");
    assert!(document.get("error").is_none());
}

#[test]
fn spans_have_no_gaps() {
    let server = Server::start(Script::every_request(respond(200, TEXT))).unwrap();
    let document = run(&["--json", &server.url("/")]).expect(0).document();
    let mut at = 0;
    for span in document["spans"].as_array().unwrap() {
        assert_eq!(nanos(&span["started"]), at);
        at = nanos(&span["ended"]);
    }
    assert_eq!(at, nanos(&document["elapsed"]));
}

#[test]
fn a_failure_has_what_came_before_it() {
    let server = Server::start([vec![Step::ReadHead], head_then_stall(200, 10)].concat()).unwrap();
    let ran = run(&["--json", "--body-timeout", "0.1", &server.url("/")]).expect(28);
    let document = ran.document();
    assert_eq!(document["outcome"], "error");
    assert_eq!(document["response"]["status"], 200);
    assert!(document["response"].get("body_sha256").is_none(), "the body is not complete");
    assert_eq!(document["error"]["phase"], "body");
    assert_eq!(document["limits"]["body"], 0.1);
    let last = document["spans"].as_array().unwrap().iter().rfind(|span| span["end"] == "expired");
    assert_eq!(last.unwrap()["limit"], "body");
    assert!(nanos(&document["error"]["elapsed"]) >= 100_000_000, "never early");
}

#[test]
fn what_never_began_is_a_document_too() {
    let ran = run(&["--json", "http://user:secret@h.test:99999/"]).expect(3);
    let document = ran.document();
    assert_eq!(document["error"]["kind"], "invalid-url");
    assert_eq!(document["spans"], serde_json::json!([]));
    assert!(!ran.out.contains("secret") && !ran.err.contains("secret"));
}

#[test]
fn an_endless_body_is_folded() {
    let slow = drip_body(200, vec![b'x'; 300], 1, Duration::from_millis(1));
    let server = Server::start(Script::every_request(slow)).unwrap();
    let document = run(&["--json", &server.url("/")]).expect(0).document();
    let spans = document["spans"].as_array().unwrap();
    let fold = spans.iter().find(|span| span["what"] == "folded").unwrap();
    assert!(fold["count"].as_u64().unwrap() > 50);
    assert_eq!(fold["longest"]["limit"], "read");
    let parts = ["waited", "local", "caller"].map(|name| nanos(&fold[name])).iter().sum::<u64>();
    assert_eq!(parts, nanos(&fold["ended"]) - nanos(&fold["started"]));
}

#[test]
fn secrets_stay_out_unless_they_are_asked_for() {
    let answer = respond_with(200, &[("Set-Cookie", "id=hush")], "");
    let server = Server::start(Script::every_request(answer)).unwrap();
    let url = server.url("/").replace("http://", "http://user:hush@");
    let arguments = ["--json", &url, "Cookie:a=hush", "Proxy-Authorization:hush"];
    let ran = run(&arguments).expect(0);
    ran.document();
    assert!(!ran.out.contains("hush") && !ran.out.contains("dXNlcjpodXNo"), "{}", ran.out);
    assert_eq!(ran.out.matches("[redacted]").count(), 3);
    let ran = run(&[&arguments[..], &["--with-secrets"]].concat()).expect(0);
    assert!(ran.out.contains("id=hush") && ran.out.contains("a=hush"));
}

#[test]
fn it_can_be_saved_beside_the_body() {
    let server = Server::start(Script::every_request(respond(200, TEXT))).unwrap();
    let (saved, body) = (scratch("saved.json"), scratch("body"));
    let (saved, body) = (saved.to_str().unwrap(), body.to_str().unwrap());
    let ran = run(&["--save", saved, &server.url("/")]).expect(0);
    assert_eq!(ran.out, TEXT);
    assert_eq!(checked(&std::fs::read_to_string(saved).unwrap())["outcome"], "response");
    let ran = run(&["--json", "-o", body, &server.url("/")]).expect(0);
    assert_eq!(ran.document()["response"]["body_bytes"], TEXT.len());
    assert_eq!(std::fs::read_to_string(body).unwrap(), TEXT);
}

#[test]
fn decoded_and_received_bytes_are_told_apart() {
    // `hello`, stored without compression (RFC 1951, section 3.2.4).
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 5, 0, 0xfa, 0xff];
    gzip.extend_from_slice(b"hello");
    gzip.extend_from_slice(&[0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0]);
    let length = gzip.len().to_string();
    let fields = [("Content-Encoding", "gzip"), ("Content-Length", &*length)];
    let steps = vec![Step::send(head(200, &fields)), Step::Send(gzip.clone())];
    let server = Server::start(Script::every_request(steps)).unwrap();
    let ran = run(&["--json", &server.url("/")]).expect(0).says("28 B (5 B decoded)");
    let response = ran.document()["response"].clone();
    assert_eq!((&response["body_bytes"], &response["body_received"]), (&5.into(), &28.into()));
    assert_eq!(gzip.len(), 28);
}

#[test]
fn the_schema_has_the_names_of_the_program() {
    let schema = schema::schema();
    let names = |of: &str| -> Vec<String> {
        let names = schema["$defs"][of]["enum"].as_array().unwrap();
        names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let limits: Vec<String> = Limit::ALL.iter().map(|limit| limit.name().to_owned()).collect();
    assert_eq!(names("limit"), limits);
    assert_eq!(names("limit_or_null"), limits);
    let listed: Vec<String> = schema["properties"]["limits"]["required"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, limits);
    for phase in [Phase::Resolve, Phase::FirstByte, Phase::Caller, Phase::Local, Phase::Backoff] {
        assert!(names("phase").contains(&phase.name().to_owned()), "{phase}");
    }
}
