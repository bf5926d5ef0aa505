//! Cookie files and sessions: what is read, sent and kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, run, scratch};
use std::os::unix::fs::PermissionsExt;
use waterclock_lab::{ReceivedRequest, Script, Server, redirect, respond_with};

/// Sets a cookie with every answer.
fn server() -> Server {
    let fields = [("Set-Cookie", "id=7; Path=/; Max-Age=600"), ("Set-Cookie", "tmp=1")];
    Server::start(Script::every_request(respond_with(200, &fields, "ok"))).unwrap()
}

#[track_caller]
fn get(server: &Server, more: &[&str]) -> Ran {
    run(&[&["-q"], more, &[&server.url("/x")]].concat())
}

fn last(server: &Server) -> ReceivedRequest {
    server.requests().pop().unwrap()
}

fn text(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_cookie_jar_is_read_and_written() {
    let (server, jar) = (server(), scratch("jar"));
    let name = jar.to_str().unwrap();
    get(&server, &["-c", name]).expect(0);
    assert_eq!(last(&server).header("cookie"), None);
    assert!(text(&jar).starts_with("# Netscape HTTP Cookie File\n"), "{}", text(&jar));
    assert_eq!(mode(&jar), 0o600);
    get(&server, &["--cookie-jar", name]).expect(0);
    assert_eq!(last(&server).header("cookie"), Some("id=7; tmp=1"));
    // `-b FILE` only reads.
    std::fs::write(&jar, text(&jar).replace("\t7\n", "\t8\n")).unwrap();
    let before = text(&jar);
    get(&server, &["-b", name]).expect(0);
    assert!(last(&server).header("cookie").unwrap().contains("id=8"));
    assert_eq!(text(&jar), before);
}

#[test]
fn cookies_of_earlier_hops_are_kept_even_if_the_call_fails() {
    let script = Script::by_request(|request| match request.path() {
        "/x" => {
            let mut steps = redirect(302, "/x");
            let waterclock_lab::Step::Send(bytes) = &mut steps[0] else { unreachable!() };
            let text = String::from_utf8(bytes.clone()).unwrap();
            *bytes = text.replacen("\r\n", "\r\nSet-Cookie: seen=1\r\n", 1).into_bytes();
            steps
        }
        _ => Vec::new(),
    });
    let (server, jar) = (Server::start(script).unwrap(), scratch("failed-jar"));
    get(&server, &["-L", "--max-redirects", "2", "-c", jar.to_str().unwrap()]).expect(47);
    assert!(text(&jar).contains("seen\t1"));
    assert_eq!(last(&server).header("cookie"), Some("seen=1"));
}

#[test]
fn cookies_are_given() {
    let server = server();
    get(&server, &["-b", "a=1; b=2", "--cookie", "c="]).expect(0);
    assert_eq!(last(&server).header("cookie"), Some("a=1; b=2; c="));
    for (given, words) in [
        ("/nowhere/at/all", "written NAME=VALUE"),
        ("=x", "the name of the cookie"),
        ("a=b\x01", "the value of the cookie"),
    ] {
        get(&server, &["-b", given]).expect(2).says(words);
    }
    let bad = scratch("bad-jar");
    std::fs::write(&bad, "# Netscape HTTP Cookie File\nhush\thush\n").unwrap();
    for option in ["-b", "-c"] {
        let ran = get(&server, &[option, bad.to_str().unwrap()]).expect(2).says("line 2");
        assert!(!ran.err.contains("hush"), "{}", ran.err);
    }
    assert_eq!(server.requests().len(), 1, "nothing else was sent");
    get(&server, &["-c", "/nowhere/at/all"]).expect(23).says("cannot write /nowhere/at/all");
}

#[test]
fn a_session_keeps_cookies_headers_and_credentials() {
    let (server, file) = (server(), scratch("session.json"));
    let name = file.to_str().unwrap();
    let given = ["--session", name, "-u", "me:hush", "-H", "X-Team: tea", "-H", "If-Match: x"];
    get(&server, &given).expect(0);
    assert_eq!(mode(&file), 0o600);
    get(&server, &["--session", name]).expect(0);
    let request = last(&server);
    assert_eq!(request.header("x-team"), Some("tea"));
    assert_eq!(request.header("authorization"), Some("Basic bWU6aHVzaA=="));
    assert_eq!(request.header("cookie"), Some("id=7; tmp=1"));
    assert_eq!(request.header("if-match"), None);
    // What is given replaces what is kept, and is kept in turn.
    get(&server, &["--session", name, "-H", "X-Team: milk", "--bearer", "t0k"]).expect(0);
    get(&server, &["--session", name]).expect(0);
    assert_eq!(last(&server).header("x-team"), Some("milk"));
    assert_eq!(last(&server).header("authorization"), Some("Bearer t0k"));
}

#[test]
fn what_a_session_keeps_stays_with_its_origin() {
    let other = Server::start(Script::default()).unwrap();
    let target = other.url("/");
    let server = Server::start(Script::every_request(redirect(302, &target))).unwrap();
    let file = scratch("stays.json");
    let name = file.to_str().unwrap();
    get(&server, &["-L", "--session", name, "-u", "me:hush", "-H", "X-Key: hush"]).expect(0);
    get(&server, &["-L", "--session", name]).expect(0);
    assert_eq!(server.requests()[1].header("x-key"), Some("hush"));
    for request in other.requests() {
        assert_eq!((request.header("x-key"), request.header("authorization")), (None, None));
    }
    assert_eq!(other.requests().len(), 2);
}

#[test]
fn a_session_that_is_only_read_stays_as_it_is() {
    let (server, file) = (server(), scratch("read-only.json"));
    let name = file.to_str().unwrap();
    get(&server, &["--session-read-only", name]).expect(2).says("cannot read");
    get(&server, &["--session", name, "-H", "X-Team: tea"]).expect(0);
    let before = text(&file);
    get(&server, &["--session-read-only", name, "-H", "X-Other: 1"]).expect(0);
    assert_eq!(last(&server).header("x-team"), Some("tea"));
    assert_eq!(text(&file), before);
}

#[test]
fn a_session_is_for_one_origin() {
    let (one, other, file) = (server(), server(), scratch("origin.json"));
    let name = file.to_str().unwrap();
    get(&one, &["--session", name, "-u", "me:hush"]).expect(0);
    get(&other, &["--session", name]).expect(2).says("use one file for each");
    assert_eq!(other.requests().len(), 0);
    std::fs::write(&file, "{\"hush\":").unwrap();
    let ran = get(&one, &["--session", name]).expect(2).says("this is no JSON");
    assert!(!ran.err.contains("hush"));
    std::fs::remove_file(&file).unwrap();
    get(&one, &["--session", name, "-H", "Bad Name: x"]).expect(2);
    assert!(!file.exists(), "what cannot be sent is not kept");
    let both = ["--session", name, "-c", name];
    get(&one, &both).expect(2).says("cannot be used with");
}
