//! Redirects on real sockets: which request follows, with what of the one before it, and when none
//! does.

use crate::support::{ms, trust_authority};
use std::io::{Cursor, Seek, SeekFrom};
use waterclock::{
    Error, ErrorKind, Limits, Method, RedirectPolicy, RequestBody, ResolveOverride, Retry, Session,
    SessionBuilder,
};
use waterclock_lab::{
    Authority, ReceivedRequest, Script, Server, Step, Tls, redirect, respond, respond_with,
};

/// A server that redirects from the path `/from` and says what it got elsewhere.
pub(crate) fn redirecting(status: u16, location: &str) -> Server {
    let location = location.to_owned();
    let script = move |request: &ReceivedRequest| match request.path() {
        "/from" => redirect(status, &location),
        _ => respond(200, ""),
    };
    Server::start(Script::by_request(script)).unwrap()
}

/// These servers under these names.
pub(crate) fn named<'s>(
    builder: SessionBuilder,
    names: impl IntoIterator<Item = (&'s str, &'s Server)>,
) -> SessionBuilder {
    let builder = builder.limits(Limits::total(ms(20_000)));
    names.into_iter().fold(builder, |builder, (name, server)| {
        let address = server.address();
        builder.resolve(ResolveOverride::new(name, address.port(), vec![address.ip()]))
    })
}

fn session() -> Session {
    Session::builder().limits(Limits::total(ms(20_000))).build().unwrap()
}

#[test]
fn the_method_of_the_next_request() {
    use Method::{Get, Head, Post, Put};
    let table = [
        (301, [(Get, Get), (Head, Head), (Post, Get), (Put, Put)]),
        (302, [(Get, Get), (Head, Head), (Post, Get), (Put, Get)]),
        (303, [(Get, Get), (Head, Head), (Post, Get), (Put, Get)]),
        (307, [(Get, Get), (Head, Head), (Post, Post), (Put, Put)]),
        (308, [(Get, Get), (Head, Head), (Post, Post), (Put, Put)]),
    ];
    let session = session();
    for (status, methods) in table {
        for (method, next) in methods {
            let server = redirecting(status, "/to");
            let has_body = matches!(method, Post | Put);
            let mut request = session.request(method.clone(), server.url("/from"));
            if has_body {
                request = request
                    .header("Content-Type", "text/plain")
                    .header("Content-Language", "la")
                    .header("X-Kept", "yes")
                    .body("content");
            }
            let response = request.send().unwrap();
            let what = format!("{status} {method}");
            assert_eq!(
                (response.status(), response.history()[0].status()),
                (200, status),
                "{what}"
            );
            assert_eq!(response.history()[0].method(), &method);
            let got = &server.requests()[1];
            assert_eq!((&*got.method, &*got.target), (next.as_str(), "/to"), "{what}");
            let keeps = has_body && next == method;
            assert_eq!(got.body, if keeps { &b"content"[..] } else { b"" }, "{what}");
            let expected = |value| keeps.then_some(value);
            assert_eq!(got.header("content-length"), expected("7"), "{what}");
            assert_eq!(got.header("content-type"), expected("text/plain"), "{what}");
            assert_eq!(got.header("content-language"), expected("la"), "{what}");
            assert_eq!(got.header("x-kept"), has_body.then_some("yes"), "{what}");
            assert_eq!(server.connections(), 1, "{what}");
        }
    }
}

#[test]
fn a_post_stays_one_where_the_caller_says_so() {
    for (status, next) in [(301, "POST"), (302, "POST"), (303, "GET")] {
        let server = redirecting(status, "/to");
        let policy = RedirectPolicy::default().with_keep_method(true);
        let session = session();
        let request = session.post(server.url("/from")).body("content").redirects(policy);
        request.send().unwrap();
        assert_eq!(server.requests()[1].method, next, "{status}");
    }
}

#[test]
fn every_kind_of_body_is_sent_again_or_is_an_error() {
    let server = redirecting(307, "/to");
    let session = session();
    // A file, from where it is at.
    let path = std::env::temp_dir().join(format!("waterclock-body-{}", std::process::id()));
    std::fs::write(&path, "head|content").unwrap();
    let mut file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.seek(SeekFrom::Start(5)).unwrap();
    let bodies = [
        RequestBody::file(file).unwrap(),
        RequestBody::from("content"),
        RequestBody::seekable(Cursor::new("content")).unwrap(),
    ];
    for body in bodies {
        session.put(server.url("/from")).body(body).send().unwrap();
        let got = server.requests().pop().unwrap();
        assert_eq!((&*got.body, got.header("content-length")), (&b"content"[..], Some("7")));
    }
    let count = server.requests().len();
    for length in [None, Some(7)] {
        let request = session.put(server.url("/from")).body_reader(Cursor::new("content"), length);
        let error = request.send().unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Redirect, Some(307)), "{error:#}");
        assert!(error.to_string().contains("cannot go back to its beginning"), "{error}");
        assert_eq!(error.history().len(), 1);
    }
    assert_eq!(server.requests().len(), count + 2, "half a body was sent");
    // A redirect that drops it needs no second copy.
    let server = redirecting(303, "/to");
    let request = session.put(server.url("/from")).body_reader(Cursor::new("content"), None);
    request.send().unwrap();
    assert_eq!(server.requests()[1].header("transfer-encoding"), None);
}

#[test]
fn a_prepared_request_can_be_sent_again_after_redirects() {
    for status in [303, 307] {
        let server = redirecting(status, "/to");
        let session = session();
        let mut request = session.post(server.url("/from")).body("content").prepare().unwrap();
        for _ in 0..2 {
            session.send(&mut request).unwrap();
        }
        let bodies: Vec<_> = server.requests().into_iter().map(|got| got.body.len()).collect();
        let next = if status == 307 { 7 } else { 0 };
        assert_eq!(bodies, [7, next, 7, next]);
        // Also if the second request fails.
        let server = redirecting(status, "/to");
        let from = server.url("/from");
        let script = move |request: &ReceivedRequest| match request.path() {
            "/from" => redirect(status, "/to"),
            _ => vec![Step::Close],
        };
        let closing = Server::start(Script::by_request(script)).unwrap();
        let mut request = session.post(closing.url("/from")).body("content").prepare().unwrap();
        session.send(&mut request).unwrap_err();
        assert_eq!(request.body().bytes(), Some(&b"content"[..]), "{from}");
    }
}

#[test]
fn locations_are_resolved_and_fragments_carried() {
    let table = [
        ("/to", "/to"),
        ("to?a=b", "/sub/to?a=b"),
        ("../to", "/to"),
        ("?a=b", "/sub/from?a=b"),
        ("/\u{fc}", "/%C3%BC"),
        ("  /to  ", "/to"),
    ];
    for (location, target) in table {
        let location = location.to_owned();
        let script = move |request: &ReceivedRequest| {
            let came = request.target.as_str();
            if came == "/sub/from" { redirect(302, &location) } else { respond(200, "") }
        };
        let server = Server::start(Script::by_request(script)).unwrap();
        let response = session().get(server.url("/sub/from#part")).send().unwrap();
        let got = server.requests();
        assert_eq!(got[1].target, target);
        assert_eq!(response.url().fragment(), Some("part"));
        // As RFC 9110 §10.2.2 has it, and never sent.
        assert!(got.iter().all(|request| !request.target.contains('#')));
    }
    let server = redirecting(302, "/to#new");
    let response = session().get(server.url("/from#old")).send().unwrap();
    assert_eq!(response.url().fragment(), Some("new"));
    assert_eq!(response.history()[0].url().fragment(), Some("old"));
}

/// A server does not choose who its client is.
#[test]
fn userinfo_of_a_location_is_dropped() {
    let to = Server::builder().start().unwrap();
    let location = to.url("/").replace("//", "//admin:secret@");
    let from = redirecting(302, &location);
    let response = session().get(from.url("/from")).send().unwrap();
    assert_eq!(response.url().as_str(), to.url("/"));
    assert_eq!(to.requests()[0].header("authorization"), None);
}

#[test]
fn a_location_that_cannot_be_requested_is_an_error_and_the_redirect_its_history() {
    let table = [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///x",
        "http://127.0.0.1:0/",
        "http://exa mple/",
        "http+unix://%2Ftmp%2Fx/",
    ];
    for location in table {
        let server = redirecting(302, location);
        let error = session().get(server.url("/from")).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Redirect, "{location}: {error:#}");
        assert_eq!((error.status(), error.history().len()), (Some(302), 1), "{location}");
        assert!(error.timeline().unwrap().is_finished());
        // As it is, for those who ask for that.
        let session = session();
        let request = session.get(server.url("/from")).redirects(RedirectPolicy::none());
        let mut response = request.send().unwrap();
        assert_eq!(response.status(), 302);
        assert!(response.take_next().is_none());
    }
    // None at all, or not a redirect's status.
    for steps in [
        respond_with(302, &[("Location", "")], "here"),
        respond(302, "here"),
        respond_with(201, &[("Location", "/made")], "here"),
        respond_with(300, &[("Location", "/one")], "here"),
    ] {
        let server = Server::start(Script::every_request(steps)).unwrap();
        let mut response = session().get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), "here");
        assert_eq!(server.requests().len(), 1);
    }
}

fn too_many(error: &Error, history: usize) {
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects, "{error:#}");
    assert_eq!((error.history().len(), error.status()), (history, Some(302)), "{error:#}");
    assert!(error.history().iter().all(|past| past.status() == 302));
}

#[test]
fn loops_end() {
    let server = Server::start(Script::every_request(redirect(302, "/"))).unwrap();
    let session = session();
    let error = session.get(server.url("/")).send().unwrap_err();
    too_many(&error, 31);
    assert_eq!(server.requests().len(), 31);
    assert!(error.to_string().contains("after 30 redirects"), "{error}");

    for max in [0, 1, 5] {
        let before = server.requests().len();
        let request = session.get(server.url("/")).redirects(RedirectPolicy::limited(max));
        too_many(&request.send().unwrap_err(), max as usize + 1);
        assert_eq!(server.requests().len() - before, max as usize + 1);
    }
    // The retry policy may count as well, and the stricter of the two holds.
    for (redirects, retry, sent) in [(9, 2, 3), (2, 9, 3)] {
        let before = server.requests().len();
        let request = session
            .get(server.url("/"))
            .redirects(RedirectPolicy::limited(redirects))
            .retry(Retry::new(99).redirect(retry));
        too_many(&request.send().unwrap_err(), sent);
        assert_eq!(server.requests().len() - before, sent);
    }
    // The last redirect instead of an error.
    let retry = Retry::new(9).redirect(1).raise_on_redirect(false);
    let response = session.get(server.url("/")).retry(retry).send().unwrap();
    assert_eq!((response.status(), response.history().len()), (302, 1));
}

#[test]
fn policies_forbid_what_they_say() {
    let ca = Authority::new().unwrap();
    let plain = Server::builder().start().unwrap();
    let secure = |location: String| {
        let tls = Tls::new(ca.issue(&["127.0.0.1"]).unwrap());
        Server::builder().tls(tls).script(Script::every_request(redirect(302, &location)))
    };
    let down = secure(plain.url("/")).start().unwrap();
    let session = Session::builder().tls(trust_authority(&ca)).build().unwrap();
    for (policy, word) in [
        (RedirectPolicy::default().with_https_only(true), "https_only"),
        (RedirectPolicy::default().with_same_origin_only(true), "same_origin_only"),
    ] {
        let error = session.get(down.url("/")).redirects(policy).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Redirect);
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(plain.requests().is_empty());
    assert_eq!(session.get(down.url("/")).send().unwrap().status(), 200);
    // Within an origin both are content.
    let server = redirecting(302, "/to");
    let policy = RedirectPolicy::default().with_same_origin_only(true);
    session.get(server.url("/from")).redirects(policy).send().unwrap();
}

#[test]
fn redirects_can_be_followed_by_hand() {
    let server = Server::start(Script::by_request(|request| match request.path() {
        "/one" => respond_with(302, &[("Location", "/two#part")], "one"),
        "/two" => redirect(307, "/three"),
        _ => respond(200, "there"),
    }))
    .unwrap();
    let session = Session::builder().redirects(RedirectPolicy::none()).build().unwrap();
    let mut response = session.get(server.url("/one")).send().unwrap();
    // Its body is there, other than that of one that was followed.
    assert_eq!((response.status(), response.text().unwrap().as_str()), (302, "one"));
    let mut urls = Vec::new();
    while let Some(mut next) = response.take_next() {
        urls.push(next.url().to_string());
        response = session.send(&mut next).unwrap();
        assert!(response.history().is_empty());
    }
    assert_eq!(urls, [server.url("/two#part"), server.url("/three#part")]);
    assert_eq!(response.text().unwrap(), "there");

    // A streamed body moves there if it can go back.
    let server = redirecting(307, "/to");
    let body = RequestBody::seekable(Cursor::new("content")).unwrap();
    let mut response = session.put(server.url("/from")).body(body).send().unwrap();
    let mut next = response.take_next().unwrap();
    session.send(&mut next).unwrap();
    assert_eq!(server.requests()[1].body, b"content");
    let request = session.put(server.url("/from")).body_reader(Cursor::new("content"), None);
    assert!(request.send().unwrap().take_next().is_none());
}

/// `Error::history` in a failure that is none of the redirects'.
#[test]
fn a_failure_behind_a_redirect_has_its_history() {
    let gone = {
        let server = Server::builder().start().unwrap();
        server.url("/")
    };
    let server = redirecting(302, &gone);
    let error = session().get(server.url("/from")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:#}");
    let past = &error.history()[0];
    assert_eq!((past.status(), past.url().as_str()), (302, server.url("/from").as_str()));
    assert!(past.headers().contains("Location"));
    assert_eq!(error.timeline().unwrap().hops().len(), 2);
    assert!(error.to_string().contains(&gone), "{error}");
}

/// Whatever becomes of the redirect: the request is the caller's, with its body.
#[test]
fn a_redirect_that_is_not_followed_leaves_the_request_its_body() {
    for status in [302, 303, 307] {
        let server = redirecting(status, "/to");
        let session = Session::builder().redirects(RedirectPolicy::none()).build().unwrap();
        let mut request = session.post(server.url("/from")).body("content").prepare().unwrap();
        for _ in 0..2 {
            let mut response = session.send(&mut request).unwrap();
            let mut next = response.take_next().unwrap();
            session.send(&mut next).unwrap();
        }
        let next = if status == 307 { "content" } else { "" };
        let bodies: Vec<_> = server.requests().into_iter().map(|got| got.body).collect();
        let expected = ["content", next, "content", next].map(|body| body.as_bytes().to_vec());
        assert_eq!(bodies, expected, "{status}");
    }
}

/// The server has seen enough before the body was there: what was not sent is no part of the next
/// request, which gets all of it on another connection.
#[test]
fn a_redirect_in_the_middle_of_an_upload() {
    let server = Server::start(Script::by_head(|request| match request.path() {
        "/from" => redirect(307, "/to"),
        _ => [vec![Step::ReadBody], respond(200, "")].concat(),
    }))
    .unwrap();
    let session = session();
    let content = vec![b'x'; 3_000_000];
    for body in [
        RequestBody::from(content.clone()),
        RequestBody::seekable(Cursor::new(content.clone())).unwrap(),
    ] {
        let response = session.post(server.url("/from")).body(body).send();
        // A server that closes with half a request unread may reset the connection before its
        // answer is seen.
        match response {
            Ok(response) => {
                assert_eq!(response.history().len(), 1);
                let got = server.requests().pop().unwrap();
                assert!((&*got.target, got.body.len(), got.complete) == ("/to", 3_000_000, true));
                assert_ne!(got.connection, server.requests()[0].connection);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Send, "{error:#}"),
        }
    }
}

/// Nothing of the body was sent, so that even one that cannot go back goes on.
#[test]
fn a_redirect_instead_of_100_continue_needs_no_second_copy() {
    let server = Server::start(Script::by_head(|request| match request.path() {
        "/from" => redirect(307, "/to"),
        _ => [vec![Step::ReadBody], respond(200, "")].concat(),
    }))
    .unwrap();
    let session = session();
    let request = session.put(server.url("/from")).body_reader(Cursor::new("content"), None);
    let response = request.expect_continue(true).send().unwrap();
    assert_eq!((response.status(), response.history().len()), (200, 1));
    let got = server.requests();
    assert_eq!((&*got[0].body, &*got[1].body), (&b""[..], &b"content"[..]));
}
