//! What a session does over the mock: everything but sockets.
//!
//! All of it runs in a simulated world, where delays take virtual time and limits fire to the
//! nanosecond.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::io::{self, Cursor, Read, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use waterclock::mock::{MockAdapter, Reply};
use waterclock::timeline::HopReason;
use waterclock::world::World;
use waterclock::{
    Auth, CancelHandle, Error, ErrorKind, Limit, Limits, Method, PastResponse, Phase, RequestBody,
    RequestSent, Retry, Session, SessionBuilder, Tick, Timeline, Version,
};
use waterclock_sim::SimWorld;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A world without peers: what is not mocked has nowhere to go.
fn mounted(mock: &MockAdapter) -> (Arc<SimWorld>, SessionBuilder) {
    let world = SimWorld::new();
    let builder = SessionBuilder::in_world(world.clone())
        .mount("http://", Arc::new(mock.clone()))
        .mount("https://", Arc::new(mock.clone()));
    (world, builder)
}

fn session(mock: &MockAdapter) -> Session {
    mounted(mock).1.build().unwrap()
}

/// Waits and work account for the whole call.
fn tiles(timeline: &Timeline) {
    assert_eq!(timeline.unaccounted(), Duration::ZERO);
    assert_eq!(timeline.elapsed(), timeline.waiting() + timeline.local());
}

#[test]
fn requests_are_answered_and_recorded() {
    let mock = MockAdapter::new();
    mock.get("https://api.example/items/7")
        .reply(200)
        .header("Content-Type", "application/json")
        .header("X-Part", "1")
        .header("X-Part", "2")
        .body(r#"{"id":7}"#);
    mock.on(Method::Post, "https://api.example/items").times(1).reply(201).reason("Made");
    let session = session(&mock);

    let mut found =
        session.get("https://api.example/items/7?full=1").header("X-Me", "a").send().unwrap();
    assert_eq!((found.status(), &*found.reason(), found.version()), (200, "OK", Version::Http11));
    assert_eq!(found.headers().get_all("X-Part").count(), 2);
    assert_eq!(found.body_expected(), Some(8));
    assert_eq!(found.text().unwrap(), r#"{"id":7}"#);
    assert_eq!(found.body_received(), 8);
    assert!(found.connection().is_none());
    tiles(found.timeline());

    assert_eq!(mock.unmet(), ["POST https://api.example/items: called 0 of 1 times"]);
    let made = session.post("https://api.example/items").body("name=x").send().unwrap();
    assert_eq!((made.status(), &*made.reason()), (201, "Made"));
    assert!(mock.unmet().is_empty());

    let calls = mock.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].url().as_str(), "https://api.example/items/7?full=1");
    assert_eq!((calls[0].method(), calls[0].header("x-me")), (&Method::Get, Some("a")));
    assert!(calls[0].header("User-Agent").is_some() && calls[0].body().is_empty());
    assert_eq!(
        (calls[1].body(), &*calls[1].text(), calls[1].body_length()),
        (&b"name=x"[..], "name=x", 6)
    );
}

#[test]
fn an_unmatched_request_is_told_what_is_mocked() {
    let mock = MockAdapter::new();
    let session = session(&mock);
    let error = session.get("https://api.example/").send().unwrap_err();
    assert!(error.message().ends_with("it has no rules"), "{error}");

    mock.get("https://api.example/a").times(1).reply(200);
    mock.any().when(|request| request.header("X").is_some()).reply(200);
    mock.post("https://api.example/v1/*");
    mock.put("api.example/v1").reply(200);
    session.get("https://api.example/a").send().unwrap();
    let error = session.get("https://api.example/a").retry(Retry::new(3)).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedScheme);
    assert_eq!(
        error.to_string(),
        "GET https://api.example/a: the mock has no answer for GET https://api.example/a; it has \
         GET https://api.example/a (used up: called 1 of 1 times), any request (under a condition), \
         POST https://api.example/v1/* (without an answer), \
         PUT \"api.example/v1\" (which is no URL: relative URL without a base)"
    );
    assert_eq!(error.request_sent(), RequestSent::No);
    assert_eq!(
        mock.unmet(),
        [
            "any request (under a condition): never called",
            "POST https://api.example/v1/*: never called",
            "PUT \"api.example/v1\" (which is no URL: relative URL without a base): never called"
        ]
    );
    assert_eq!(mock.calls().len(), 3, "what is not answered is recorded too, and not repeated");
    mock.reset();
    assert!(mock.calls().is_empty() && mock.unmet().is_empty());
}

#[test]
fn the_first_rule_with_calls_left_answers() {
    let mock = MockAdapter::new();
    mock.get("http://a.example/").when(|request| request.header("X") == Some(b"1")).reply(201);
    mock.get("http://a.example/").times(2).reply(202).reply(203);
    mock.get("http://a.example/*").reply(204);
    mock.any().optional().reply(205);
    let session = session(&mock);
    let status = |path: &str, value: &str| {
        let url = format!("http://a.example/{path}");
        session.get(url).header("X", value).send().unwrap().status()
    };
    let statuses =
        [("", "0"), ("", "1"), ("", "0"), ("", "0"), ("b", "0")].map(|(path, x)| status(path, x));
    assert_eq!(statuses, [202, 201, 203, 204, 204]);
    assert_eq!(session.delete("http://b.example/").send().unwrap().status(), 205);
    assert!(mock.unmet().is_empty());
}

#[test]
fn a_delay_is_a_wait_and_limits_fire_in_it_to_the_nanosecond() {
    let mock = MockAdapter::new();
    mock.get("http://slow.example/").after(ms(3000)).reply(200).body("late");
    let (world, builder) = mounted(&mock);
    let session = builder.limits(Limits::none()).build().unwrap();
    let send = |limits| session.get("http://slow.example/").limits(limits).send();

    let mut response = send(Limits::builder().first_byte(ms(3001)).build()).unwrap();
    assert_eq!(response.elapsed(), ms(3000));
    assert_eq!(response.text().unwrap(), "late");
    assert_eq!(response.timeline().spent(), [(Phase::FirstByte, ms(3000))]);
    tiles(response.timeline());

    for limit in [Limit::FirstByte, Limit::Head, Limit::Read, Limit::Attempt, Limit::Total] {
        for after in [ms(2999), ms(3000)] {
            let begun = world.now();
            let error = send(Limits::none().with(limit, Some(after))).unwrap_err();
            assert_eq!((error.limit(), error.phase()), (Some(limit), Some(Phase::FirstByte)));
            assert_eq!(error.request_sent(), RequestSent::Yes);
            assert_eq!((error.elapsed(), error.late_by()), (after, Some(Duration::ZERO)));
            assert_eq!(world.now(), begun.after(after));
            tiles(error.timeline().unwrap());
        }
    }
    // Not those of other waits.
    for limit in [Limit::Resolve, Limit::Connect, Limit::Write, Limit::Upload, Limit::Body] {
        assert!(send(Limits::none().with(limit, Some(ms(1)))).is_ok(), "{limit}");
    }
}

#[test]
fn a_connect_that_fails_late_is_under_the_limits_of_connecting() {
    let mock = MockAdapter::new();
    mock.get("http://a.example/").after(ms(50)).fail(ErrorKind::Connect, "refused");
    let session = session(&mock);
    let send = |limits| session.get("http://a.example/").limits(limits).send().unwrap_err();
    let refused = send(Limits::none());
    assert_eq!((refused.kind(), refused.elapsed()), (ErrorKind::Connect, ms(50)));
    assert_eq!((refused.message(), refused.phase()), ("refused", Some(Phase::Connect)));
    for limit in [Limit::Connect, Limit::Address] {
        let error = send(Limits::none().with(limit, Some(ms(20))));
        assert_eq!((error.limit(), error.elapsed()), (Some(limit), ms(20)));
        assert_eq!(error.request_sent(), RequestSent::No);
    }
    send(Limits::none().with(Limit::FirstByte, Some(ms(20))));
}

#[test]
fn errors_of_every_kind_say_how_much_was_sent() {
    let kinds = [
        (ErrorKind::Resolve, RequestSent::No),
        (ErrorKind::Connect, RequestSent::No),
        (ErrorKind::Proxy, RequestSent::No),
        (ErrorKind::Tls, RequestSent::No),
        (ErrorKind::Certificate, RequestSent::No),
        (ErrorKind::Send, RequestSent::Partly),
        (ErrorKind::Closed, RequestSent::Yes),
        (ErrorKind::Receive, RequestSent::Yes),
        (ErrorKind::Protocol, RequestSent::Yes),
        (ErrorKind::Decode, RequestSent::Yes),
        (ErrorKind::TooLarge, RequestSent::Yes),
        (ErrorKind::Cancelled, RequestSent::Yes),
    ];
    for (kind, sent) in kinds {
        let mock = MockAdapter::new();
        mock.post("http://a.example/").fail(kind, "as asked");
        let error = session(&mock).post("http://a.example/").body("content").send().unwrap_err();
        assert_eq!((error.kind(), error.request_sent()), (kind, sent));
        assert_eq!(error.to_string(), "POST http://a.example/: as asked");
        let recorded = if sent == RequestSent::Yes { &b"content"[..] } else { b"" };
        assert_eq!(mock.calls()[0].body(), recorded);
        tiles(error.timeline().unwrap());
    }
}

#[test]
fn a_limit_can_fire_without_being_set_or_waited_for() {
    for limit in Limit::ALL {
        let mock = MockAdapter::new();
        mock.get("http://a.example/").time_out(limit);
        let error = session(&mock).get("http://a.example/").send().unwrap_err();
        assert_eq!((error.kind(), error.limit()), (ErrorKind::Timeout, Some(limit)));
        assert_eq!(error.elapsed(), Duration::ZERO);
        assert!(error.message().contains(limit.name()), "{error:#}");
    }
    let mock = MockAdapter::new();
    mock.get("http://a.example/").fail(ErrorKind::Timeout, "too slow");
    let error = session(&mock).get("http://a.example/").send().unwrap_err();
    assert!(error.is_timeout() && error.limit() == Some(Limit::Read));
    assert_eq!(error.message(), "too slow");
}

#[test]
fn a_delay_can_be_cancelled() {
    let mock = MockAdapter::new();
    mock.get("http://a.example/").after(ms(500)).reply(200);
    let (world, builder) = mounted(&mock);
    let session = builder.build().unwrap();
    let cancel = CancelHandle::new();
    let request = session.get("http://a.example/").cancel(&cancel);
    let handle = cancel.clone();
    world.at(Tick::ZERO.after(ms(200)), move |_| handle.cancel());
    let error = request.send().unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Cancelled, ms(200)));

    let error = session.get("http://a.example/").cancel(&cancel).send().unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Cancelled, ms(0)));

    let (world, builder) = mounted(&mock);
    let session = builder.on_interrupt(|| ControlFlow::Break(())).build().unwrap();
    world.interrupt_at(Tick::ZERO.after(ms(100)));
    let error = session.get("http://a.example/").send().unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Cancelled, ms(100)));
}

#[test]
fn replies_are_computed_from_the_request_and_its_body() {
    let mock = MockAdapter::new();
    let seen = mock.clone();
    mock.post("http://a.example/*").respond_with(move |request| {
        // The mock may be asked while it answers.
        Reply::new(200).header("X-Calls", seen.calls().len().to_string()).body(format!(
            "{} has {}",
            request.url().path(),
            request.text()
        ))
    });
    let stream = RequestBody::chunks(["a", "bc"].into_iter());
    let mut response = session(&mock).post("http://a.example/x").body(stream).send().unwrap();
    assert_eq!(response.headers().get_str("X-Calls"), Some("1"));
    assert_eq!(response.text().unwrap(), "/x has abc");
}

#[test]
fn a_stream_is_read_as_it_would_be_sent() {
    let mock = MockAdapter::new();
    mock.put("http://a.example/").reply(200);
    let session = session(&mock);
    let put = |length| {
        session.put("http://a.example/").body_reader(Cursor::new("content"), length).send()
    };
    put(Some(4)).unwrap();
    let error = put(Some(9)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("2 bytes before its length"), "{error}");
    assert_eq!(error.request_sent(), RequestSent::Partly);
    let large = vec![7; (16 << 20) + 5];
    session.put("http://a.example/").body_reader(Cursor::new(large), None).send().unwrap();
    let calls = mock.calls();
    assert_eq!((calls[0].body(), calls[1].body()), (&b"cont"[..], &b"content"[..]));
    assert_eq!((calls[2].body().len(), calls[2].body_length()), (16 << 20, (16 << 20) + 5));
}

/// A source that takes `each` for a piece, and never ends.
struct Slow(Arc<SimWorld>, Duration);

impl Read for Slow {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.advance(self.1);
        out[0] = b'x';
        Ok(1)
    }
}

#[test]
fn a_source_without_end_is_stopped_by_total() {
    let mock = MockAdapter::new();
    mock.put("http://a.example/").reply(200);
    let (world, builder) = mounted(&mock);
    let session = builder.limits(Limits::total(ms(25))).build().unwrap();
    let request = session.put("http://a.example/").body_reader(Slow(world, ms(10)), None);
    let error = request.send().unwrap_err();
    assert_eq!(
        (error.limit(), error.elapsed(), error.late_by()),
        (Some(Limit::Total), ms(30), Some(ms(5)))
    );
    assert_eq!(mock.calls()[0].body(), b"xx", "the piece that came too late was not sent");
    tiles(error.timeline().unwrap());
}

#[test]
fn bodies_are_coded_cut_or_left_out_as_over_http() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"hello hello hello").unwrap();
    let coded = gzip.finish().unwrap();
    let mock = MockAdapter::new();
    mock.get("http://a.example/gzip").reply(200).header("Content-Encoding", "gzip").body(&coded);
    mock.get("http://a.example/cut").reply(200).body("hello").cut_after(2);
    mock.get("http://a.example/cut-gzip")
        .reply(200)
        .header("Content-Encoding", "gzip")
        .body(&coded)
        .cut_after(12);
    mock.any()
        .when(|request| request.url().path() == "/none")
        .reply(200)
        .body("x")
        .reply(204)
        .body("x");
    let session = session(&mock);
    let get = |path: &str| session.get(format!("http://a.example/{path}")).send().unwrap();

    let mut response = get("gzip");
    assert_eq!(response.body_expected(), None);
    assert_eq!(response.text().unwrap(), "hello hello hello");
    assert_eq!(response.body_received(), coded.len() as u64);
    let mut raw = session.get("http://a.example/gzip").decode(false).send().unwrap();
    assert_eq!(raw.content().unwrap(), coded);

    let mut cut = get("cut");
    let mut piece = [0; 8];
    assert_eq!(cut.read_body(&mut piece).unwrap(), 2);
    assert_eq!(cut.read_body(&mut piece).unwrap_err().kind(), ErrorKind::IncompleteBody);
    assert_eq!(cut.content().unwrap_err().kind(), ErrorKind::IncompleteBody);
    assert_eq!(get("cut-gzip").content().unwrap_err().kind(), ErrorKind::IncompleteBody);

    let mut head = session.head("http://a.example/none").send().unwrap();
    assert_eq!(head.text().unwrap(), "");
    assert_eq!(get("none").text().unwrap(), "");
}

#[test]
fn a_reply_that_cannot_be_is_an_error() {
    let mock = MockAdapter::new();
    mock.get("http://a.example/")
        .reply(200)
        .header("X", "a\r\nb")
        .reply(99)
        .reply(200)
        .reason("a\nb");
    for what in ["X", "99 is no status", "the reason \"a\\nb\""] {
        let error = session(&mock).get("http://a.example/").send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.message().contains(what), "{error}");
    }
}

#[test]
fn redirects_and_cookies_work_over_it() {
    let mock = MockAdapter::new();
    mock.post("https://a.example/login")
        .reply(302)
        .header("Location", "/home")
        .header("Set-Cookie", "id=7; Secure; Path=/")
        .body("see /home");
    mock.get("https://a.example/home").reply(301).header("Location", "https://b.example/");
    mock.get("https://b.example/").after(ms(7)).reply(200).body("home");
    let (_, builder) = mounted(&mock);
    let session = builder.auth(Auth::bearer("token").unwrap()).build().unwrap();
    let mut response = session.post("https://a.example/login").body("user=me").send().unwrap();
    assert_eq!(response.text().unwrap(), "home");
    let history: Vec<_> = response.history().iter().map(PastResponse::status).collect();
    assert_eq!(history, [302, 301]);
    assert_eq!(response.history()[0].raw_body(), b"see /home");
    let timeline = response.timeline();
    let hops: Vec<_> = timeline.hops().iter().map(|hop| (hop.reason, hop.status)).collect();
    assert_eq!(
        hops,
        [
            (HopReason::First, Some(302)),
            (HopReason::Redirect, Some(301)),
            (HopReason::Redirect, Some(200))
        ]
    );
    assert_eq!(timeline.elapsed(), ms(7));
    tiles(timeline);

    let calls = mock.calls();
    let sent = |name| calls.iter().map(|call| call.header(name)).collect::<Vec<_>>();
    assert_eq!(sent("Cookie"), [None, Some("id=7"), None]);
    assert_eq!(sent("Authorization"), [Some("Bearer token"), Some("Bearer token"), None]);
    assert_eq!(calls[1].body(), b"", "a 302 makes it a GET without a body");
}

#[test]
fn challenges_and_hooks_work_over_it() {
    let mock = MockAdapter::new();
    mock.put("http://a.example/")
        .reply(401)
        .header("WWW-Authenticate", r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#)
        .reply(200);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (_, builder) = mounted(&mock);
    let statuses = Arc::clone(&seen);
    let session = builder
        .auth(Auth::digest("user", "password"))
        .on_request(|request| {
            request
                .headers_mut()
                .set("X-Hook", "1")
                .map_err(|e| Error::invalid_request(e.to_string()))
        })
        .on_response(move |response| {
            statuses.lock().unwrap().push(response.status());
            Ok(())
        })
        .build()
        .unwrap();
    let response = session.put("http://a.example/").body("content").send().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(*seen.lock().unwrap(), [401, 200]);
    let calls = mock.calls();
    assert_eq!(calls[0].header("Authorization"), None);
    assert!(calls[1].header("Authorization").unwrap().starts_with("Digest username=\"user\""));
    assert!(
        calls.iter().all(|call| call.header("X-Hook") == Some("1") && call.body() == b"content")
    );
}

#[test]
fn retries_are_those_of_http() {
    let mock = MockAdapter::new();
    mock.get("http://a.example/")
        .fail(ErrorKind::Connect, "refused")
        .after(ms(5))
        .fail(ErrorKind::Closed, "gone")
        .reply(503)
        .header("Retry-After", "2")
        .reply(200)
        .body("at last");
    let (_, builder) = mounted(&mock);
    let session = builder.retry(Retry::new(5).backoff_factor(0.1)).build().unwrap();
    let mut response = session.get("http://a.example/").send().unwrap();
    assert_eq!(response.text().unwrap(), "at last");
    assert_eq!(response.retries().len(), 3);
    let timeline = response.timeline();
    assert_eq!(timeline.hops().len(), 4);
    assert!(timeline.hops()[1..].iter().all(|hop| hop.reason == HopReason::Retry));
    // The first retry comes at once, the second after 0.1 * 2 s, the third as the server says.
    assert_eq!(timeline.elapsed(), ms(5 + 200 + 2000));
    assert_eq!(timeline.spent(), [(Phase::FirstByte, ms(5)), (Phase::Backoff, ms(2200))]);
    assert_eq!(timeline.unaccounted(), Duration::ZERO);
    assert_eq!(mock.calls().len(), 4);
}

#[test]
fn a_post_that_was_sent_is_not_retried() {
    let mock = MockAdapter::new();
    mock.post("http://a.example/")
        .fail(ErrorKind::Connect, "refused")
        .fail(ErrorKind::Closed, "gone");
    let (_, builder) = mounted(&mock);
    let session = builder.retry(Retry::new(5)).build().unwrap();
    let error = session.post("http://a.example/").body("x").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.message().starts_with("gone; not sent again:"), "{error}");
    assert_eq!(error.timeline().unwrap().hops().len(), 2);
    assert_eq!(mock.calls().len(), 2);
    tiles(error.timeline().unwrap());
}

#[test]
fn a_limit_that_ends_an_attempt_leaves_the_rest_of_total() {
    let mock = MockAdapter::new();
    mock.get("http://a.example/").after(ms(100)).reply(200).after(ms(30)).reply(200);
    let (world, builder) = mounted(&mock);
    let limits = Limits::builder().attempt(ms(40)).total(ms(75)).build();
    let session = builder.retry(Retry::new(1)).limits(limits).build().unwrap();
    let response = session.get("http://a.example/").send().unwrap();
    assert_eq!(response.close().elapsed(), ms(70));

    mock.reset();
    mock.get("http://a.example/").after(ms(100)).reply(200);
    let begun = world.now();
    let error = session.get("http://a.example/").send().unwrap_err();
    assert_eq!((error.limit(), world.now()), (Some(Limit::Total), begun.after(ms(75))));
    assert_eq!(error.timeline().unwrap().hops().len(), 2);
    tiles(error.timeline().unwrap());
}
