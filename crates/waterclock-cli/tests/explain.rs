//! A saved run shows what the live one showed, and what other limits would have done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, run, scratch, waterclock};
use std::io::Write;
use std::process::Stdio;
use waterclock_lab::{
    Script, Server, Step, drip_body, head_then_stall, redirect, respond, respond_with,
};

const STYLES: [&[&str]; 4] =
    [&[], &["--charset", "ascii"], &["--color", "always"], &["--ambiguous-width", "2", "--blame"]];

/// Makes a call with `--save`, and compares what it shows with what the saved run does.
#[track_caller]
fn same(name: &str, code: i32, arguments: &[&str]) {
    let saved = scratch(&format!("explain-{name}.json"));
    let saved = saved.to_str().unwrap();
    for style in STYLES {
        let live = run(&[&["--save", saved], arguments, style].concat()).expect(code);
        let again = run(&[&["explain", saved], style].concat()).expect(0);
        assert_eq!(again.out, live.err, "{name} {style:?}");
        assert_eq!(again.err, "");
    }
    let live = run(&[&["--oneline", "--save", saved], arguments].concat());
    let again = run(&["explain", saved, "--oneline"]).expect(0);
    if live.err.starts_with("limit=") {
        assert_eq!((again.out.as_str(), live.err.lines().count()), (live.err.as_str(), 1));
    }
    let json = run(&["explain", saved, "--json"]).expect(0);
    assert_eq!(json.out, std::fs::read_to_string(saved).unwrap());
}

#[test]
fn the_screen_is_that_of_the_live_call() {
    let plain = Server::start(Script::every_request(respond(200, "tea\n"))).unwrap();
    same("plain", 0, &["-t", "5", &plain.url("/")]);
    same(
        "failed",
        22,
        &["--fail", &Server::start(Script::every_request(respond(503, ""))).unwrap().url("/")],
    );
    let timed = respond_with(200, &[("Server-Timing", "db;dur=53, app;desc=\"x y\"")], "tea");
    let timed = Server::start(Script::every_request(timed)).unwrap();
    same("server-timing", 0, &[&timed.url("/")]);
    run(&[&timed.url("/")]).expect(0).says("server says: db 53.0, app (x y)");
    let away = Server::start(Script::every_request(redirect(302, "/there"))).unwrap();
    same("redirect", 0, &[&away.url("/")]);
    same("too-many", 47, &["--max-redirects", "2", &away.url("/")]);
    let dripping = drip_body(200, vec![b'x'; 120], 1, std::time::Duration::from_millis(1));
    same("drip", 0, &[&Server::start(Script::every_request(dripping)).unwrap().url("/")]);
    let closing = Server::start(vec![Step::ReadHead, Step::Close]).unwrap();
    same("closed", 52, &[&closing.url("/")]);
    same("refused", 7, &["http://127.0.0.1:1/"]);
    same("no-url", 3, &["http://user:secret@h.test:99999/"]);
    let stalled = || [vec![Step::ReadHead], head_then_stall(200, 10)].concat();
    same("limit", 28, &["--total", "0.05", &Server::start(stalled()).unwrap().url("/")]);
    let file = scratch("explain-partial.bin");
    let part = [vec![Step::ReadHead], head_then_stall(200, 10), vec![]].concat();
    let server = Server::start(part).unwrap();
    same(
        "partial",
        28,
        &["-o", file.to_str().unwrap(), "--read-timeout", "0.05", &server.url("/")],
    );
}

fn saved(name: &str) -> String {
    let slow = [vec![Step::sleep_ms(80)], respond(200, "tea\n")].concat();
    let server = Server::start(Script::every_request(slow)).unwrap();
    let path = scratch(&format!("explain-{name}.json"));
    let path = path.to_str().unwrap().to_owned();
    run(&["-q", "--save", &path, &server.url("/")]).expect(0);
    path
}

#[test]
fn a_limit_says_what_it_would_have_done() {
    let saved = saved("what-if");
    let ran = run(&["explain", &saved, "--total", "0.05"]).expect(0);
    for words in [
        "What if: --total 0.05\ntotal would have fired at 50.0 ms in wait ",
        "total limit of 50 ms fired in read headers (fired at 50.00 ms, 0.00 late)",
        "ms, 0 bytes.\n",
        "✗ limit expired",
    ] {
        assert!(ran.out.contains(words), "{}", ran.out);
    }
    let ran = run(&["explain", &saved, "--head", "5", "--body-timeout", "5"]).expect(0);
    let words = "--head-timeout 5 --body-timeout 5 would not have fired in this call.";
    assert!(ran.out.contains(words), "{}", ran.out);
    let line = run(&["explain", &saved, "--total", "0.05", "--oneline"]).expect(0).out;
    assert!(line.starts_with("limit=total value=0.050 phase=first_byte wait="), "{line}");
}

#[test]
fn another_client_says_what_it_would_have_done() {
    let saved = saved("as");
    let says = |arguments: &[&str], words: &str| {
        let ran = run(&[&["explain", &saved], arguments].concat()).expect(0);
        let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(words), "no \"{words}\" in:\n{}", ran.out);
    };
    says(
        &["--as", "requests", "timeout=0.05"],
        "requests.exceptions.ReadTimeout, by its read timeout",
    );
    says(&["--as", "requests", "timeout=5"], "It would not have fired: the call took ");
    says(&["--as", "curl", "--max-time", "0.05"], "It would have fired at 50.0 ms in wait ");
    says(&["--total", "0.05", "--as", "urllib3"], "What if this had been urllib3 total=0.05?");
    run(&["explain", &saved, "--as", "curl"])
        .expect(2)
        .says("say which: --as curl --max-time 0.12");
    run(&["explain", &saved, "--as", "telnet"])
        .expect(2)
        .says("there are for requests, urllib3, httpx");
    run(&["explain", &saved, "--as", "curl", "--charset", "ascii"])
        .expect(2)
        .says("curl has no timeout \"--charset\"; it has --max-time, --connect-timeout");
}

#[test]
fn standard_input_is_read_only_if_it_is_asked_for() {
    let text = std::fs::read_to_string(saved("stdin")).unwrap();
    let mut child = waterclock()
        .args(["explain", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).expect(0).out, text);
    run(&["explain"]).expect(2).says("there is no RUN.json; make one with --save");
}

#[test]
fn secrets_of_a_document_stay_out_unless_they_are_asked_for() {
    let server = Server::start(Script::default()).unwrap();
    let path = scratch("explain-secrets.json");
    let path = path.to_str().unwrap();
    run(&["-q", "--save", path, "--with-secrets", &server.url("/"), "Cookie:a=hush"]).expect(0);
    assert!(!run(&["explain", path, "--json"]).expect(0).out.contains("hush"));
    assert!(run(&["explain", path, "--json", "--with-secrets"]).expect(0).out.contains("hush"));
}

#[test]
fn what_cannot_be_explained_is_refused_in_words() {
    run(&["explain", "/nowhere/run.json"]).expect(2).says("cannot read /nowhere/run.json: No such");
    let path = scratch("explain-bad.json");
    let name = path.to_str().unwrap();
    for (text, words) in [
        ("HTTP/1.1 200 OK", "line 1, column 1: this is not JSON"),
        ("{\"schema_version\": 1,", "the document ends too early; it was cut short"),
        ("{\"schema_version\": 9}", "use a newer waterclock"),
        ("{}", "there is no schema_version, so this is not a run document"),
    ] {
        std::fs::write(&path, text).unwrap();
        run(&["explain", name]).expect(2).says("cannot use").says(words);
    }
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    run(&["explain", name]).expect(2).says("cannot read");
    let ran = run(&["-q", "--save", name, "http://h.test:99999/"]).expect(3);
    drop(ran);
    run(&["explain", name, "--total", "1"]).expect(2).says("the call had not begun");
}

#[test]
fn a_host_of_that_name_is_still_reached() {
    run(&["-q", "--resolve", "explain:1:127.0.0.1", "http://explain:1/"]).expect(7);
}

#[test]
fn its_help_is_80_columns_wide() {
    let help = run(&["explain", "--help"]).expect(0).out;
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    assert!(
        help.contains("--blame") && help.contains("--head-timeout") && !help.contains("--version")
    );
}
