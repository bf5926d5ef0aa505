//! What a response says of itself: status, words, text, links, time, connection.

use crate::support::{Alone, ms, trust};
use std::io::Read as _;
use std::time::Duration;
use waterclock::charset::Fallback;
use waterclock::link::by_rel;
use waterclock::{ErrorKind, Limits, Response, Session, Version};
use waterclock_lab::{
    Identity, Script, Server, Step, after, chunk, head, redirect, respond, respond_chunked,
    respond_with,
};

fn session() -> Session {
    Session::builder().trust_env(false).limits(Limits::total(ms(20_000))).build().unwrap()
}

/// The response to a request at a server that answers with `steps`.
fn answer(steps: impl Into<Vec<Step>>) -> (Server, Response) {
    let server = Server::start(Script::every_request(steps)).unwrap();
    let response = session().get(server.url("/path?q=1")).send().unwrap();
    (server, response)
}

fn typed(kind: &str, body: impl AsRef<[u8]>) -> (Server, Response) {
    answer(respond_with(200, &[("Content-Type", kind)], body))
}

#[test]
fn status_reason_and_url() {
    let (server, response) = answer(respond(204, ""));
    assert_eq!((response.status(), &*response.reason()), (204, "No Content"));
    assert_eq!(response.version(), Version::Http11);
    assert_eq!(response.url().as_str(), server.url("/path?q=1"));
    assert_eq!(response.method().as_str(), "GET");
    assert!(response.ok() && response.history().is_empty() && response.retries().is_empty());
    // The words are the server's, and so may be the number.
    let (_server, response) = answer([
        Step::send("HTTP/1.0 799 Why not?\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n"),
        Step::Close,
    ]);
    assert_eq!((response.status(), &*response.reason()), (799, "Why not?"));
    assert_eq!((response.version(), response.ok()), (Version::Http10, false));
    assert_eq!(response.headers().get("X-a"), Some(&b"1"[..]));
    assert_eq!(response.headers().get_all("x-A").count(), 2);
}

#[test]
fn bad_statuses_are_errors_where_that_is_asked_for() {
    for (status, words) in [
        (404, Some("404 Client Error: Not Found for url: ")),
        (418, Some("418 Client Error: ")),
        (500, Some("500 Server Error: Internal Server Error for url: ")),
        (399, None),
        (200, None),
    ] {
        let (server, mut response) = answer(respond(status, "body"));
        assert_eq!(response.ok(), status < 400);
        match (response.raise_for_status(), words) {
            (Ok(response), None) => assert_eq!(response.text().unwrap(), "body"),
            (Err(error), Some(words)) => {
                assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(status)));
                assert!(error.message().starts_with(words), "{error}");
                assert!(error.message().ends_with(&server.url("/path?q=1")), "{error}");
                assert!(error.timeline().is_some());
            }
            (result, _) => panic!("{status}: {result:?}"),
        }
        // The body is the caller's all the same.
        let rest = response.text().unwrap();
        assert_eq!(rest, if words.is_some() { "body" } else { "" });
    }
}

#[test]
fn redirects_are_known_by_status_and_location() {
    let policy = waterclock::RedirectPolicy::none();
    for (status, somewhere, for_good) in [
        (301, true, true),
        (302, true, false),
        (303, true, false),
        (307, true, false),
        (308, true, true),
        (300, false, false),
        (304, false, false),
    ] {
        let server = Server::start(Script::every_request(redirect(status, "/to"))).unwrap();
        let response = session().get(server.url("/")).redirects(policy).send().unwrap();
        let what = (response.status(), response.is_redirect(), response.is_permanent_redirect());
        assert_eq!(what, (status, somewhere, for_good));
    }
    let (_server, response) = answer(respond(301, "nowhere to go"));
    assert!(!response.is_redirect() && !response.is_permanent_redirect());
}

#[test]
fn text_follows_mark_header_page_and_bytes() {
    for (kind, body, text) in [
        ("text/plain; charset=iso-8859-2", &b"\xb1"[..], "ą"),
        ("text/plain; charset=utf-8", b"\xc3\xa9", "é"),
        ("text/plain; charset=latin-1", b"\xff\xfeh\0i\0", "hi"), // the mark comes first
        ("text/html", b"<meta charset=koi8-r>\xc1", "<meta charset=koi8-r>а"),
        ("text/plain", "안녕하세요".as_bytes(), "안녕하세요"),
        ("text/plain; charset=no-such-thing", "é".as_bytes(), "é"),
        ("application/json", b"\"\xc3\xa9\"", "\"é\""),
        ("text/plain; charset=utf-8", b"a\xffb", "a\u{fffd}b"),
    ] {
        let (_server, mut response) = typed(kind, body);
        assert_eq!(response.text().unwrap(), text, "{kind}");
    }
    // The rule of requests for text without a charset.
    let (_server, mut response) = typed("text/plain", "é");
    assert_eq!(response.text_with(Fallback::Latin1).unwrap(), "Ã©");
}

#[test]
fn json_in_every_encoding_it_may_have() {
    let utf16: Vec<u8> = "[\"é\",1]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in ["[\"é\",1]".as_bytes(), b"\xef\xbb\xbf[\"\xc3\xa9\",1]", &utf16] {
        let (_server, mut response) = typed("application/json", body);
        assert_eq!(response.json::<(String, u8)>().unwrap(), ("é".to_owned(), 1));
    }
    let (_server, mut response) = typed("application/json", "{\n\"a\": nope}");
    let error = response.json::<serde::de::IgnoredAny>().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)));
    assert!(error.to_string().contains("line 2"), "{error}");
    let (_server, mut response) = typed("application/json", "\"text\"");
    assert_eq!(response.json::<u8>().unwrap_err().kind(), ErrorKind::Decode);
}

#[test]
fn lines_come_whole_wherever_they_were_cut() {
    let (_server, mut response) =
        answer(respond_chunked(200, &["one\r", "\ntw", "o\n\nthr\u{e9}", "e\rfour"]));
    let lines: Vec<_> = response.lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["one", "two", "", "thr\u{e9}e", "four"]);
    // A body that is cut ends them with its error, once.
    let steps = vec![Step::Send(head(200, &[("Content-Length", "9")])), Step::send("a\nb")];
    let (_server, mut response) = answer([steps, vec![Step::Close]].concat());
    let mut lines = response.lines();
    assert_eq!(lines.next().unwrap().unwrap(), "a");
    assert_eq!(lines.next().unwrap().unwrap_err().kind(), ErrorKind::IncompleteBody);
    assert!(lines.next().is_none());
}

#[test]
fn links_are_read_from_all_their_fields() {
    let fields = [
        ("Link", "</?page=2>; rel=\"next\"; title=\"Two\", </?page=9>; rel=last"),
        ("link", "<https://other.test/>; rel=\"prefetch help\""),
    ];
    let (_server, response) = answer(respond_with(200, &fields, ""));
    let links = response.links();
    assert_eq!(by_rel(&links, "next").unwrap().target, "/?page=2");
    assert_eq!(by_rel(&links, "NEXT").unwrap().param("title"), Some("Two"));
    assert_eq!(by_rel(&links, "help").unwrap().target, "https://other.test/");
    assert_eq!((links.len(), by_rel(&links, "previous")), (3, None));
}

#[test]
fn a_body_that_was_read_is_over_and_can_be_kept() {
    let (_server, mut response) = answer(respond(200, "body"));
    assert_eq!(response.body_expected(), Some(4));
    assert_eq!(response.content().unwrap(), b"body");
    assert_eq!((response.body_received(), response.content().unwrap()), (4, vec![]));
    // Kept, it is there for the next reader.
    let (_server, mut response) = answer(respond(200, "body"));
    assert_eq!(response.buffer().unwrap(), b"body");
    assert_eq!(response.buffer().unwrap(), b"body");
    assert_eq!(response.text().unwrap(), "body");
    // Or another one is put in its place.
    let (_server, mut response) = answer(respond(200, "body"));
    response.replace_body(b"other".to_vec());
    let mut text = String::new();
    response.read_to_string(&mut text).unwrap();
    assert_eq!(text, "other");
}

#[test]
fn elapsed_is_the_time_of_this_hop_to_the_end_of_its_head() {
    let late = ms(60);
    let server = Server::start(Script::by_request(move |request| match request.path() {
        "/from" => after(late, redirect(302, "/to")),
        _ => vec![
            Step::Send(head(200, &[("Content-Length", "2")])),
            Step::Sleep(late),
            Step::send("ok"),
        ],
    }))
    .unwrap();
    let mut response = session().get(server.url("/from")).send().unwrap();
    let past = response.history()[0].elapsed();
    let hop = response.elapsed();
    assert!(past >= late, "{past:?}");
    assert_eq!(response.text().unwrap(), "ok");
    // The body is not in it; the whole call's time has both hops and the body. (The body's pause begins when the
    // head is sent, which is before a busy client has read it: the three times need not add up.)
    assert_eq!(response.elapsed(), hop);
    assert!(response.timeline().elapsed() >= past + hop);
    assert!(response.timeline().elapsed() >= late + late);
    assert_eq!(response.timeline().unaccounted(), Duration::ZERO);
    assert!(response.explain().contains("/to"), "{}", response.explain());
}

#[test]
fn the_connection_is_described() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let trusted = trust(identity.ca_pem());
    let server = Server::builder().tls(identity).start().unwrap();
    let response = session().get(server.url("/")).tls(trusted).send().unwrap();
    let info = response.connection().unwrap();
    assert_eq!(info.remote_address, Some(server.address()));
    assert!(info.local_address.unwrap().ip().is_loopback());
    let tls = info.tls.as_ref().unwrap();
    assert_eq!((&*tls.version, tls.certificates.is_empty()), ("TLS 1.3", false));
    assert!(info.proxy.is_none() && info.number == 1);
}

#[test]
fn trailers_come_after_the_body() {
    let mut steps = vec![Step::Send(head(200, &[("Transfer-Encoding", "chunked")]))];
    steps.extend([Step::Send(chunk("body")), Step::send("0\r\nX-Sum: 7\r\n\r\n")]);
    let (_server, mut response) = answer(steps);
    assert_eq!(response.text().unwrap(), "body");
    assert_eq!(response.trailers().unwrap().get("x-sum"), Some(&b"7"[..]));
}

#[test]
fn a_single_request_needs_no_session() {
    if !Alone::is_here() {
        Alone::test("answers::a_single_request_needs_no_session").run();
        return;
    }
    let server = Server::start(Script::default()).unwrap();
    assert_eq!(waterclock::get(server.url("/")).unwrap().text().unwrap(), "ok");
    assert_eq!(waterclock::get("nowhere").unwrap_err().kind(), ErrorKind::InvalidUrl);
}
