//! Redirects, retries and challenges: which are made, and what is said of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, run};
use std::sync::atomic::{AtomicUsize, Ordering};
use waterclock_lab::{Script, Server, Step, redirect, respond, respond_with};

#[track_caller]
fn get(server: &Server, path: &str, more: &[&str]) -> Ran {
    run(&[more, &[&server.url(path)]].concat())
}

/// `/3` redirects to `/2`, and so on to `/0`.
fn countdown(status: u16) -> Server {
    let script = Script::by_request(move |request| match request.path() {
        "/0" => respond(200, "there"),
        path => {
            let n: u32 = path.trim_start_matches('/').parse().unwrap();
            redirect(status, &format!("/{}", n - 1))
        }
    });
    Server::start(script).unwrap()
}

#[test]
fn a_redirect_is_followed_only_if_that_is_asked_for() {
    let server = countdown(302);
    let ran = get(&server, "/2", &[]).expect(0).says("HTTP/1.1 302 Found");
    ran.says("redirects to http://127.0.0.1").says_not("hop 2");
    let ran = get(&server, "/2", &["-L"]).expect(0);
    assert_eq!(ran.out, "there");
    let ran = ran.says("── hop 1 GET").says("── hop 2 (redirect after 302) GET");
    ran.says("── hop 3 (redirect after 302)").says_not("goes there");
    let document = get(&server, "/2", &["--follow", "--json"]).expect(0).document();
    let reasons: Vec<_> =
        document["hops"].as_array().unwrap().iter().map(|h| &h["reason"]).collect();
    assert_eq!(reasons, ["first", "redirect", "redirect"]);
    assert!(document["response"]["url"].as_str().unwrap().ends_with("/0"));
}

#[test]
fn too_many_redirects_are_an_error() {
    let server = countdown(307);
    get(&server, "/2", &["--max-redirects", "2"]).expect(0);
    let ran = get(&server, "/3", &["--max-redirs", "2", "--json"]).expect(47);
    assert_eq!(ran.document()["error"]["kind"], "too-many-redirects");
    get(&server, "/1", &["--max-redirects", "0"]).expect(47);
    get(&countdown(301), "/31", &["-L"]).expect(47).says("after 30 redirects");
    run(&["--max-redirects", "many", "http://h.test/"]).expect(2).says("--max-redirects");
}

#[test]
fn a_redirect_that_leads_nowhere_is_an_error() {
    let server = Server::start(Script::every_request(redirect(302, "ftp://h.test/"))).unwrap();
    let ran = get(&server, "/", &["-L", "--json"]).expect(47);
    assert_eq!(ran.document()["error"]["kind"], "redirect");
}

#[test]
fn a_post_becomes_a_get_unless_its_method_is_kept() {
    for (more, method) in [(&["-L"][..], "GET"), (&["-L", "--keep-method"], "POST")] {
        let server = countdown(301);
        get(&server, "/1", &[more, &["-d", "x"]].concat()).expect(0);
        assert_eq!(server.requests()[1].method, method);
    }
}

#[test]
fn credentials_stay_with_their_origin() {
    let other = Server::start(Script::default()).unwrap();
    let server = Server::start(Script::every_request(redirect(302, &other.url("/")))).unwrap();
    let more = ["-L", "-u", "me:hush", "-b", "a=hush", "-H", "Cookie2: fine"];
    get(&server, "/", &more).expect(0);
    assert!(server.requests()[0].header("authorization").is_some());
    assert_eq!(server.requests()[0].header("cookie"), Some("a=hush"));
    assert_eq!(other.requests()[0].header("authorization"), None);
    assert_eq!(other.requests()[0].header("cookie"), None);
}

/// Answers 503 so many times, then 200.
fn moody(times: usize, fields: &'static [(&'static str, &'static str)]) -> Server {
    let count = AtomicUsize::new(0);
    let script = Script::by_request(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        n if n < times => respond_with(503, fields, "later"),
        _ => respond(200, "now"),
    });
    Server::start(script).unwrap()
}

#[test]
fn what_fails_is_tried_again_if_that_is_asked_for() {
    let server = moody(1, &[]);
    get(&server, "/", &[]).expect(0).says("503");
    let server = moody(2, &[]);
    let ran = get(&server, "/", &["--retry", "2", "--retry-backoff", "20ms"]).expect(0);
    assert_eq!(ran.out, "now");
    ran.says("── hop 2 (retry after 503)").says("wait before retry").says("── hop 3");
    let server = moody(9, &[]);
    let ran = get(&server, "/", &["--retry", "1", "--retry-backoff", "0"]).expect(0);
    assert_eq!((ran.out.as_str(), server.requests().len()), ("later", 2));
    get(&server, "/", &["--retry", "1", "--retry-backoff", "0", "-f"]).expect(22).says("503");
}

#[test]
fn statuses_and_methods_are_chosen() {
    let tried = |more: &[&str]| {
        let server = moody(9, &[]);
        get(&server, "/", &[&["--retry", "2", "--retry-backoff", "0"], more].concat()).expect(0);
        server.requests().len()
    };
    assert_eq!(tried(&["--retry-status", "502"]), 1);
    assert_eq!(tried(&["--retry-status", "none"]), 1);
    assert_eq!(tried(&["--retry-status", "502,503"]), 3);
    assert_eq!(tried(&["-d", "x"]), 1, "a POST is not sent twice unasked");
    assert_eq!(tried(&["-d", "x", "--retry-all-methods"]), 3);
    run(&["--retry", "1", "--retry-status", "5xx", "http://h.test/"])
        .expect(2)
        .says("no status code");
    run(&["--retry-status", "503", "http://h.test/"]).expect(2).says("--retry");
    run(&["--retry", "1", "--retry-backoff", "-1", "http://h.test/"]).expect(2).says("negative");
}

#[test]
fn retry_after_is_heeded_capped_or_ignored() {
    let slow: &[_] = &[("Retry-After", "3600")];
    let at_once = |more: &[&str]| {
        let server = moody(1, slow);
        let ran = get(&server, "/", &[&["--retry", "1", "-m", "20"], more].concat()).expect(0);
        (ran, server.requests().len())
    };
    let (ran, tries) = at_once(&[]);
    assert_eq!(tries, 1);
    ran.says("The 503 was not retried: the next try is due in 3600 s, but only");
    assert_eq!(at_once(&["--retry-max-delay", "10ms"]).1, 2);
    assert_eq!(at_once(&["--no-retry-after", "--retry-backoff", "0"]).1, 2);
}

#[test]
fn a_failure_is_the_reason_of_a_retry() {
    let server = Server::start(Script::by_connection(|number| match number {
        0 => Script::steps([Step::ReadHead, Step::Stall]),
        1 => Script::steps([Step::ReadHead, Step::Reset]),
        _ => Script::default(),
    }));
    let server = server.unwrap();
    let more = ["--retry", "2", "--retry-backoff", "0", "--read-timeout", "0.1"];
    let ran = get(&server, "/", &more).expect(0);
    ran.says("hop 2 (retry after read limit)").says("hop 3 (retry after a failure)");
}
