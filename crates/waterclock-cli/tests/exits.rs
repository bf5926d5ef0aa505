//! Exit codes, each from the failure itself, and what is said about it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, run, scratch};
use waterclock_lab::{
    Authority, Blackhole, Identity, Proxy, ProxyAction, Script, Server, Step, Tls, TlsScript, head,
    head_then_stall, respond, respond_with,
};

fn server(steps: Vec<Step>) -> Server {
    Server::start([vec![Step::ReadHead], steps].concat()).unwrap()
}

#[track_caller]
fn get(server: &Server, more: &[&str]) -> Ran {
    run(&[more, &[&server.url("/")]].concat())
}

#[test]
fn done_is_0_with_any_status() {
    let server = Server::start(Script::every_request(respond(503, "no"))).unwrap();
    let ran = get(&server, &[]).expect(0);
    assert_eq!(ran.out, "no");
    ran.says("HTTP/1.1 503 Service Unavailable 2 B").says("+ 0.0 unaccounted");
}

#[test]
fn fail_makes_a_status_an_error() {
    let server = Server::start(Script::every_request(respond(404, "no"))).unwrap();
    let ran = get(&server, &["--fail"]).expect(22).says("the status is 404, and --fail was given");
    assert_eq!(ran.out, "");
    let document = get(&server, &["-f", "--json"]).expect(22).document();
    assert_eq!(
        (&document["error"]["kind"], &document["error"]["status"]),
        (&"status".into(), &404.into())
    );
    let fine = Server::start(Script::default()).unwrap();
    assert_eq!(get(&fine, &["--fail"]).expect(0).out, "ok");
}

#[test]
fn what_never_begins() {
    run(&["http://h.test:99999/"]).expect(3).says("waterclock: the URL");
    run(&["ftp://h.test/"]).expect(1).says("no adapter is mounted for ftp://");
    run(&["http://h.test/", "Bad Name:x"]).expect(2);
    run(&["http://no-such-name.invalid/"]).expect(6).says("cannot resolve no-such-name.invalid");
}

#[test]
fn connections_that_do_not_come_about() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    run(&[&url]).expect(7).says("cannot connect to 127.0.0.1");

    let hole = Blackhole::start().unwrap();
    let url = format!("http://{}/", hole.address());
    run(&["--address-timeout", "0.1", &url]).expect(28).says("address limit of 100 ms fired");

    let proxy = Proxy::builder().script(|_| ProxyAction::refuse(403, &[], "no")).start().unwrap();
    run(&["-x", &proxy.url(), "https://h.test/"]).expect(5).says("403");
}

#[test]
fn tls_that_fails_and_certificates_that_are_not_accepted() {
    let authority = Authority::new().unwrap();
    let ca = scratch("exits-ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let trust = ["--cacert", ca.to_str().unwrap()];
    let over = |identity: Identity, script: TlsScript| {
        Server::builder().tls(Tls::new(identity).script(script)).start().unwrap()
    };
    let good = || authority.issue(&["127.0.0.1"]).unwrap();
    let expired = over(authority.expired(&["127.0.0.1"]).unwrap(), TlsScript::new());
    get(&expired, &trust).expect(60).says("the certificate expired on 2002-01-01");
    let wrong = over(authority.issue(&["other.test"]).unwrap(), TlsScript::new());
    get(&wrong, &trust).expect(60).says("is not for 127.0.0.1: it is for other.test");
    get(&over(good(), TlsScript::new()), &[]).expect(60).says("--cacert FILE");
    let cut = over(good(), TlsScript::new().close_after(100));
    get(&cut, &trust).expect(35);
    let silent = over(good(), TlsScript::new().stall_after(0));
    let ran = get(&silent, &[&trust[..], &["--tls-timeout", "0.1"]].concat()).expect(28);
    ran.says("tls limit of 100 ms fired in tls read 1").says("request itself was never sent");
}

#[test]
fn responses_that_are_none_or_broken() {
    get(&server(vec![Step::Close]), &[]).expect(52);
    get(&server(vec![Step::send("SMTP ready\r\n\r\n"), Step::Close]), &[]).expect(8);
    get(&server(vec![Step::Reset]), &[]).expect(56);
    let promise = head(200, &[("Content-Length", "10")]);
    let cut = vec![Step::send(promise), Step::send("1234"), Step::Close];
    let ran = get(&server(cut), &[]).expect(18).says("the body ended after 4 of 10 bytes");
    assert_eq!(ran.out, "1234", "what came is not withheld");
    let coded = respond_with(200, &[("Content-Encoding", "gzip")], "this is no gzip");
    get(&server(coded.clone()), &[]).expect(61);
    assert_eq!(get(&server(coded), &["--no-decode"]).expect(0).out, "this is no gzip");
    let mut endless = vec![Step::send("HTTP/1.1 200 OK\r\n")];
    endless.push(Step::Loop(vec![Step::send(format!("X: {}\r\n", "x".repeat(60_000)))]));
    get(&server(endless), &[]).expect(63);
}

#[test]
fn limits_by_their_names() {
    let silent = || server(vec![Step::Stall]);
    let halfway = || server(head_then_stall(200, 10));
    for (option, server, limit) in [
        ("--total", silent(), "total"),
        ("--max-time", silent(), "total"),
        ("-m", silent(), "total"),
        ("--strict", silent(), "attempt"),
        ("--timeout", silent(), "read"),
        ("--attempt-timeout", silent(), "attempt"),
        ("--first-byte-timeout", silent(), "first_byte"),
        ("--head-timeout", silent(), "head"),
        ("--read-timeout", silent(), "read"),
        ("--read-timeout", halfway(), "read"),
        ("--body-timeout", halfway(), "body"),
    ] {
        let ran = get(&server, &[option, "0.08", "--json"]).expect(28);
        let document = ran.document();
        assert_eq!(document["error"]["limit"], limit, "{option}");
        assert_eq!(document["error"]["configured"], 0.08);
        assert_eq!(document["error"]["request_sent"], "yes");
        ran.says(&format!("waterclock: {limit} limit of 80 ms fired in"));
    }
}

#[test]
fn output_that_cannot_be_written() {
    let server = Server::start(Script::default()).unwrap();
    get(&server, &["-o", "/nowhere/at/all"]).expect(23).says("cannot write /nowhere/at/all");
    assert_eq!(server.requests().len(), 0, "it was seen before anything was sent");
    get(&server, &["--save", "/nowhere/at/all"]).expect(23).says("cannot write /nowhere/at/all");
    let full = std::path::Path::new("/dev/full");
    if full.exists() {
        get(&server, &["-o", "/dev/full"]).expect(23).says("No space left on device");
    }
}
