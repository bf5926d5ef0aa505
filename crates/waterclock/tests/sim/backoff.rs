//! Retries in time: the pauses, what is counted against what, and what is never sent twice.

use crate::bench::{
    Bench, CONNECT, ORIGIN, PATH, PLAIN, RESOLVE, Route, SECURE, at, ms, ok, tls_server,
};
use crate::matrix::only;
use crate::verify::{fired, tiles};
use std::time::{Duration, SystemTime};
use waterclock::retry::{Kind, Methods};
use waterclock::timeline::{HopReason, SpanEnd};
use waterclock::{
    CancelHandle, Error, ErrorKind, Limit, Limits, Method, Phase, RequestSent, Response, Retry,
    Session, Tick, Timeline,
};
use waterclock_sim::{Script, SimWorld};

/// When the client is connected, and the first request leaves.
const READY: u64 = RESOLVE + CONNECT;
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";

/// On each connection, answers `busy` so many times, and then with 200.
fn busy(times: u64, answer: &str) -> Bench {
    let again = Script::new().expect_head().expect_body().send(answer);
    let fine = Script::new().expect_head().expect_body().send(ok("fine"));
    Bench::serving(Route::Http, Script::new().repeat_times(times, again).repeat(fine))
}

fn with_retry_after(value: &str) -> String {
    format!("HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 4\r\n\r\nbusy")
}

/// Retries 503 so often, with pauses of 0, 200, 400, 800 ms.
fn patient(total: u32) -> Retry {
    Retry::new(total).status_forcelist([503]).backoff_factor(0.1)
}

fn session(bench: &Bench, retry: Retry) -> Session {
    bench.builder().retry(retry).build().unwrap()
}

fn get(bench: &Bench, retry: Retry) -> Response {
    let session = session(bench, retry);
    bench.get(&session).send().unwrap()
}

fn fails(bench: &Bench, retry: Retry, limits: Limits) -> Error {
    let session = session(bench, retry);
    bench.get(&session).limits(limits).send().unwrap_err()
}

/// When each pause began and how long it was, in milliseconds.
fn pauses(timeline: &Timeline) -> Vec<(u128, u128)> {
    let waits = timeline.spans().iter().filter(|span| span.phase == Phase::Backoff);
    let since_start = |at: Tick| at.since(timeline.started()).as_millis();
    waits.map(|span| (since_start(span.started), span.duration().as_millis())).collect()
}

fn reasons(timeline: &Timeline) -> Vec<HopReason> {
    timeline.hops().iter().map(|hop| hop.reason).collect()
}

#[test]
fn the_pauses_are_none_then_twice_four_and_eight_times_the_factor() {
    let bench = busy(4, BUSY);
    let mut response = get(&bench, patient(4));
    assert_eq!((response.status(), response.text().unwrap().as_str()), (200, "fine"));
    assert_eq!(bench.now(), at(READY + 1400));
    let timeline = response.timeline();
    assert_eq!(pauses(timeline), [(8, 200), (208, 400), (608, 800)]);
    let spans = timeline.spans().iter().filter(|span| span.phase == Phase::Backoff);
    assert!(spans.clone().all(|span| span.end == SpanEnd::Done && span.limit.is_none()));
    tiles(timeline);
    assert_eq!(reasons(timeline)[..2], [HopReason::First, HopReason::Retry]);
    let retries: Vec<_> = response.retries().iter().map(|past| (past.kind, past.delay)).collect();
    let expected = [0, 200, 400, 800].map(|delay| (Kind::Status(503), ms(delay)));
    assert_eq!(retries, expected);
    // All on one connection: the bodies of the refusals were read.
    assert_eq!(bench.world.connections(PLAIN).len(), 1);
    // These responses did not lead anywhere else.
    assert!(response.history().is_empty());
}

#[test]
fn pauses_have_a_longest_one_and_are_waits_under_total() {
    let bench = busy(4, BUSY);
    let session = session(&bench, patient(4).backoff_max(ms(300)));
    let response = bench.get(&session).limits(only(Limit::Total, ms(5_000))).send().unwrap();
    assert_eq!(pauses(response.timeline()), [(8, 200), (208, 300), (508, 300)]);
    let spans = response.timeline().spans().iter().filter(|span| span.phase == Phase::Backoff);
    for span in spans {
        assert_eq!((span.limit, span.deadline), (Some(Limit::Total), at(5_000)));
    }
}

/// The world's dice are seeded.
#[test]
fn jitter_adds_up_to_so_much_and_is_drawn_from_the_world() {
    let pause = |seed| {
        let world = SimWorld::with_seed(seed);
        world.host(ORIGIN).resolves_to(["192.0.2.1"]);
        let again = Script::new().expect_head().send(BUSY);
        let fine = Script::new().expect_head().send(ok("fine"));
        world.listen(PLAIN).serve(Script::new().repeat_times(2, again).repeat(fine));
        let builder = waterclock::SessionBuilder::in_world(world.clone());
        let session = builder.retry(patient(3).backoff_jitter(ms(100))).build().unwrap();
        session.get(Route::Http.url(PATH)).send().unwrap();
        pauses(session.get(Route::Http.url(PATH)).send().unwrap().timeline());
        waterclock::world::World::now(&*world).since(Tick::ZERO)
    };
    let drawn: Vec<Duration> = (0..8).map(pause).collect();
    assert!(drawn.iter().all(|pause| (ms(200)..=ms(300)).contains(pause)), "{drawn:?}");
    assert!(drawn.iter().any(|pause| *pause != drawn[0]), "{drawn:?}");
    assert_eq!(pause(3), drawn[3]);
}

#[test]
fn retry_after_takes_the_place_of_the_pause_in_both_forms() {
    // Seconds.
    let bench = busy(1, &with_retry_after("7"));
    let response = get(&bench, Retry::new(1));
    assert_eq!((response.status(), bench.now()), (200, at(READY + 7_000)));
    assert_eq!(pauses(response.timeline()), [(8, 7_000)]);

    // A date is of the world's calendar: five seconds after the call began.
    let bench = busy(1, &with_retry_after("Sun, 06 Nov 1994 08:49:42 GMT"));
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    bench.world.set_wall(began);
    let response = get(&bench, Retry::new(1));
    assert_eq!((response.status(), bench.now()), (200, at(5_000)));

    // Over, or no date at all: at once, or not.
    let bench = busy(1, &with_retry_after("Sun, 06 Nov 1994 08:49:42 GMT"));
    let response = get(&bench, Retry::new(1));
    assert_eq!((response.status(), bench.now()), (200, at(READY)));
    let bench = busy(1, &with_retry_after("soon"));
    assert_eq!(get(&bench, Retry::new(1)).status(), 503);

    // A cap, and deaf ears.
    let bench = busy(1, &with_retry_after("21600"));
    let response = get(&bench, Retry::new(1).retry_after_max(ms(1_500)));
    assert_eq!((response.status(), bench.now()), (200, at(READY + 1_500)));
    let bench = busy(1, &with_retry_after("7"));
    let response = get(&bench, Retry::new(1).respect_retry_after(false));
    assert_eq!((response.status(), bench.now()), (503, at(READY)));
}

/// A pause that fits when it is decided on would not, were it to begin when the rest of the body is there.
#[test]
fn a_pause_begins_with_the_answer_and_not_behind_its_body() {
    let busy = with_retry_after("2");
    let (begun, rest) = busy.split_at(busy.len() - 2);
    let later = Script::new().expect_head().send(begun).wait(ms(5)).send(rest);
    let script = later.expect_head().send(ok("fine"));
    let bench = Bench::serving(Route::Http, script);
    let limits = only(Limit::Total, ms(READY + 2_002));
    let session = session(&bench, Retry::new(1));
    let response = bench.get(&session).limits(limits).send().unwrap();
    assert_eq!((response.status(), bench.now()), (200, at(READY + 2_000)));
    assert_eq!(pauses(response.timeline()), [(13, 1_995)]);
    tiles(response.timeline());
}

#[test]
fn a_pause_that_does_not_fit_is_refused_at_once() {
    let limits = only(Limit::Total, ms(2_008));
    // Of 2 s that are left, 2 s are too long: nothing could follow.
    for (seconds, fits) in [("21600", false), ("2", false), ("1", true)] {
        let bench = busy(1, &with_retry_after(seconds));
        let session = session(&bench, Retry::new(3));
        let mut response = bench.get(&session).limits(limits).send().unwrap();
        if fits {
            assert_eq!((response.status(), bench.now()), (200, at(READY + 1_000)));
            continue;
        }
        // The response itself, body and all, in the same instant; and why.
        assert_eq!((response.status(), bench.now()), (503, at(READY)));
        assert_eq!(response.text().unwrap(), "busy");
        let expected = format!(
            "The 503 was not retried: the next try is due in {}, but only 2000 ms are left of the \
             limit total.",
            if seconds == "2" { "2000 ms" } else { "21600 s" }
        );
        assert_eq!(response.timeline().notes(), [expected.into()]);
        assert!(response.explain().contains("The 503 was not retried"), "{}", response.explain());
        assert!(pauses(response.timeline()).is_empty());
        assert_eq!(bench.times_sent(), 1);
        assert!(response.retries().is_empty(), "{:?}", response.retries());
        tiles(response.timeline());
    }
}

#[test]
fn a_failure_for_whose_pause_there_is_no_time_is_the_failure_itself() {
    let bench = Bench::new(Route::Http);
    bench.world.refuse(PLAIN).after(ms(CONNECT));
    // The second pause is 2 s.
    let retry = Retry::new(5).backoff_factor(1.0);
    let error = fails(&bench, retry, only(Limit::Total, ms(1_000)));
    assert_eq!((error.kind(), bench.now()), (ErrorKind::Connect, at(2 * READY)));
    assert!(error.to_string().contains("the next try is due in 2000 ms"), "{error}");
    assert!(error.to_string().contains("only 984 ms are left"), "{error}");
    assert_eq!(error.timeline().unwrap().hops().len(), 2);
    assert!(error.timeline().unwrap().fired().is_none());
    tiles(error.timeline().unwrap());
}

#[test]
fn total_goes_on_through_retries() {
    let bench = Bench::serving(Route::Http, Script::new().expect_head().stall());
    let limits = only(Limit::Total, ms(130)).with(Limit::Read, Some(ms(50)));
    let error = fails(&bench, Retry::new(9), limits);
    fired(&error, Limit::Total, Phase::FirstByte, at(130));
    assert_eq!(error.timeline().unwrap().hops().len(), 3);
    // No retry follows a fired total, and it needs no explanation.
    assert!(!error.to_string().contains("not sent again"), "{error}");
}

#[test]
fn a_pause_can_be_cancelled() {
    let bench = busy(1, &with_retry_after("60"));
    let session = session(&bench, Retry::new(1));
    let cancel = CancelHandle::new();
    let other = cancel.clone();
    bench.world.at(at(500), move |_| other.cancel());
    let error = bench.get(&session).cancel(&cancel).send().unwrap_err();
    assert_eq!((error.kind(), bench.now()), (ErrorKind::Cancelled, at(500)));
    assert_eq!(error.phase(), Some(Phase::Backoff));
    let last = *error.timeline().unwrap().spans().last().unwrap();
    assert_eq!((last.phase, last.end), (Phase::Backoff, SpanEnd::Cancelled));
    tiles(error.timeline().unwrap());
}

#[test]
fn a_redirect_lets_the_pauses_begin_anew() {
    let again = || Script::new().expect_head().send(BUSY);
    let script = Script::new()
        .repeat_times(2, again())
        .expect_head()
        .send("HTTP/1.1 302 Found\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n")
        .repeat_times(2, again())
        .repeat(Script::new().expect_head().send(ok("fine")));
    let bench = Bench::serving(Route::Http, script);
    let response = get(&bench, patient(9));
    assert_eq!(pauses(response.timeline()), [(8, 200), (208, 200)]);
    assert_eq!(response.history().len(), 1);
    assert_eq!(response.retries().len(), 5);
}

/// One more 503 than is retried.
#[test]
fn too_many_of_a_status_are_an_error_or_the_last_of_them() {
    let bench = busy(9, BUSY);
    let error = fails(&bench, Retry::new(2).status_forcelist([503]), Limits::none());
    assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(503)), "{error:#}");
    assert!(error.to_string().contains("too many 503 error responses (2 retries)"), "{error}");
    assert_eq!(error.retries().len(), 2);
    assert_eq!(bench.times_sent(), 3);
    assert_eq!(error.history().len(), 1);
    assert_eq!(error.history()[0].raw_body(), b"busy");
    assert!(error.timeline().unwrap().is_finished());

    let bench = busy(9, BUSY);
    let retry = Retry::new(2).status_forcelist([503]).raise_on_status(false);
    let mut response = get(&bench, retry);
    assert_eq!((response.status(), response.text().unwrap().as_str()), (503, "busy"));
    assert_eq!((bench.times_sent(), response.retries().len()), (3, 2));
}

#[test]
fn an_error_behind_a_redirect_has_both_responses() {
    let script = Script::new()
        .expect_head()
        .send("HTTP/1.1 302 Found\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n")
        .repeat(Script::new().expect_head().send(BUSY));
    let bench = Bench::serving(Route::Http, script);
    let error = fails(&bench, patient(1), Limits::none());
    let seen: Vec<_> = error.history().iter().map(waterclock::PastResponse::status).collect();
    assert_eq!((error.kind(), seen), (ErrorKind::Status, vec![302, 503]));
}

/// What is counted against what, and that `total` is above all.
#[test]
fn every_kind_of_failure_has_its_count() {
    type Peer = fn(&Bench);
    let refuses: Peer = |bench| {
        bench.world.refuse(PLAIN).after(ms(CONNECT));
    };
    let closes: Peer = |bench| bench.serve(Script::new().expect_head().close(), None);
    let stalls: Peer = |bench| bench.serve(Script::new().expect_head().stall(), None);
    let is_busy: Peer = |bench| {
        bench.serve(Script::new().repeat(Script::new().expect_head().send(BUSY)), None);
    };
    let all = || Retry::new(3).status_forcelist([503]);
    let table: [(Peer, Retry, usize); 12] = [
        (refuses, all(), 4),
        (refuses, all().connect(1), 2),
        (refuses, all().connect(0).read(9), 1),
        (refuses, all().connect(9), 4),
        (refuses, all().total(None).connect(5), 6),
        (closes, all().read(2), 3),
        (closes, all().read(0).connect(3), 1),
        (stalls, all().read(1), 2),
        (stalls, all().read(0), 1),
        (is_busy, all().status(2), 3),
        (is_busy, all().status(0), 1),
        (is_busy, all().read(0).connect(0).other(0), 4),
    ];
    for (number, (peer, retry, times)) in table.into_iter().enumerate() {
        let bench = Bench::new(Route::Http);
        peer(&bench);
        let error = fails(&bench, retry, only(Limit::Read, ms(50)));
        assert_eq!(error.timeline().unwrap().hops().len(), times, "{number}: {error:#}");
        tiles(error.timeline().unwrap());
    }
}

/// A limit is a failure like any other: where it fired says what it counts as.
#[test]
fn limits_that_fire_are_retried_by_their_phase() {
    let table = [
        (Limit::Read, Phase::FirstByte, "read"),
        (Limit::FirstByte, Phase::FirstByte, "read"),
        (Limit::Head, Phase::FirstByte, "read"),
        (Limit::Attempt, Phase::FirstByte, "read"),
        (Limit::Tls, Phase::Tls, "other"),
        (Limit::Connect, Phase::Tls, "other"),
        (Limit::Connect, Phase::Connect, "connect"),
        (Limit::Address, Phase::Connect, "connect"),
        (Limit::Resolve, Phase::Resolve, "connect"),
        (Limit::Connect, Phase::Resolve, "connect"),
    ];
    for (limit, phase, count) in table {
        let bench = || {
            let bench = Bench::new(Route::Https);
            match phase {
                Phase::Resolve => {
                    bench.world.host(ORIGIN).never_answers();
                }
                Phase::Connect => bench.world.black_hole(SECURE),
                Phase::Tls => {
                    bench.world.listen(SECURE).serve(Script::new().stall());
                }
                _ => bench.serve(Script::new().expect_head().stall(), None),
            }
            bench
        };
        let on = |retry: Retry| match count {
            "read" => retry.read(1),
            "other" => retry.other(1),
            _ => retry.connect(1),
        };
        let off = Retry::new(9).read(0).other(0).connect(0);
        let (one, two) = (bench(), bench());
        let error = fails(&one, on(off.clone()), only(limit, ms(70)));
        assert_eq!((error.limit(), error.phase()), (Some(limit), Some(phase)), "{error:#}");
        assert_eq!(error.timeline().unwrap().hops().len(), 2, "{limit} in {phase}");
        assert!(error.to_string().contains("not sent again: too many"), "{error}");
        assert_eq!(error.late_by(), Some(Duration::ZERO));
        tiles(error.timeline().unwrap());
        let error = fails(&two, off, only(limit, ms(70)));
        assert_eq!(error.timeline().unwrap().hops().len(), 1, "{limit} in {phase}");
    }
}

#[test]
fn a_retry_after_a_limit_can_succeed_and_then_no_limit_has_fired() {
    let bench = Bench::new(Route::Https);
    bench.world.listen(SECURE).after(ms(CONNECT)).serve_with(|number| match number {
        0 => Script::new().stall(),
        1 => Script::new().then(tls_server().wrap(Script::new().expect_head().stall())),
        _ => Script::new().then(tls_server().wrap(Script::new().expect_head().send(ok("fine")))),
    });
    let session = session(&bench, Retry::new(5));
    let limits = only(Limit::Tls, ms(30)).with(Limit::Read, Some(ms(40)));
    let mut response = bench.get(&session).limits(limits).send().unwrap();
    assert_eq!(response.text().unwrap(), "fine");
    let ready = Route::Https.ready();
    assert_eq!(bench.now(), at((READY + 30) + (ready + 40) + ready));
    let timeline = response.timeline();
    assert!(timeline.fired().is_none(), "{}", response.explain());
    let kinds: Vec<_> = response.retries().iter().map(|past| past.kind).collect();
    assert_eq!(kinds, [Kind::Other, Kind::Read]);
    tiles(timeline);
}

/// Whatever went wrong, and on whatever way: of a POST a byte was sent, so it is not sent again.
#[test]
fn a_post_is_never_sent_twice() {
    for &route in Route::ALL {
        type Case = (&'static str, Option<usize>, fn() -> Script);
        let table: [Case; 5] = [
            ("closed", None, || Script::new().expect_head().expect_body().close()),
            ("reset", None, || Script::new().expect_head().expect_body().reset()),
            ("silent", None, || Script::new().expect_head().expect_body().stall()),
            ("cut head", None, || {
                Script::new().expect_head().expect_body().send("HTTP/1.1 2").close()
            }),
            ("in mid-upload", Some(30_000), || Script::new().expect_head().wait(ms(5)).reset()),
        ];
        for (what, window, script) in table {
            let bench = Bench::new(route);
            bench.serve(script(), window);
            let session = session(&bench, patient(5));
            let request = bench.post(&session).body(vec![b'x'; 200_000]);
            let error = request.limits(only(Limit::Read, ms(50))).send().unwrap_err();
            assert_eq!(bench.times_sent(), 1, "{what} {route:?}: {error:#}");
            assert_eq!(error.timeline().unwrap().hops().len(), 1);
            assert_ne!(error.request_sent(), RequestSent::No);
            assert!(error.to_string().contains("not sent again: POST is not retried"), "{error}");
            assert!(!error.retry_safe());
        }
        // Nor when a status would be retried.
        let bench = Bench::new(route);
        bench.serve(
            Script::new().repeat(Script::new().expect_head().send(with_retry_after("1"))),
            None,
        );
        let session = session(&bench, patient(5));
        assert_eq!(bench.post(&session).send().unwrap().status(), 503);
        assert_eq!(bench.times_sent(), 1);
    }
}

#[test]
fn a_post_is_sent_twice_if_the_caller_says_so() {
    for methods in [Methods::Any, Methods::from([Method::Post])] {
        let bench = Bench::new(Route::Http);
        bench.serve_each(None, |number| match number {
            0 => Script::new().expect_head().expect_body().close(),
            _ => Script::new().expect_head().expect_body().send(ok("fine")),
        });
        let session = session(&bench, Retry::new(1).allowed_methods(methods));
        let mut response = bench.post(&session).body("order").send().unwrap();
        assert_eq!(response.text().unwrap(), "fine");
        assert!(bench.requests().iter().all(|request| request.ends_with("\r\n\r\norder")));
    }
}

/// Nothing of it has left: that is safe for any method.
#[test]
fn a_post_that_was_refused_a_connection_is_tried_again() {
    let bench = Bench::new(Route::Http);
    bench.world.refuse(PLAIN).after(ms(CONNECT));
    bench.world.at(at(100), |world| {
        world
            .listen(PLAIN)
            .after(ms(CONNECT))
            .serve(Script::new().expect_head().expect_body().send(ok("fine")));
    });
    let session = session(&bench, Retry::new(3).backoff_factor(0.05));
    let mut response = bench.post(&session).body("order").send().unwrap();
    assert_eq!(response.text().unwrap(), "fine");
    // Refused at 8 and 16; the pause of 100 ms is long enough.
    assert_eq!(bench.now(), at(16 + 100 + READY));
    assert_eq!(bench.times_sent(), 1);
}

#[test]
fn a_body_that_was_streamed_is_not_sent_again() {
    let bench = Bench::serving(Route::Http, Script::new().expect_head().expect_body().close());
    let session = session(&bench, Retry::new(3));
    let request = session.put(Route::Http.url(PATH));
    let error = request.body_reader(std::io::Cursor::new("once"), None).send().unwrap_err();
    assert!(error.to_string().contains("cannot be sent again from its start"), "{error}");
    assert_eq!(bench.times_sent(), 1);

    // One that can go back is, whole.
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |number| match number {
        0 => Script::new().expect_head().expect_body().close(),
        _ => Script::new().expect_head().expect_body().send(ok("fine")),
    });
    let session = self::session(&bench, Retry::new(3));
    let body = waterclock::RequestBody::seekable(std::io::Cursor::new("whole")).unwrap();
    let mut response = session.put(Route::Http.url(PATH)).body(body).send().unwrap();
    assert_eq!(response.text().unwrap(), "fine");
    assert!(bench.requests().iter().all(|request| request.ends_with("\r\n\r\nwhole")));
}

/// What was sent again before is known of an error in the body as well.
#[test]
fn a_body_that_fails_after_a_retry_tells_of_it() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort";
    let script = Script::new().expect_head().send(BUSY).expect_head().send(cut).close();
    let bench = Bench::serving(Route::Http, script);
    let error = get(&bench, patient(1)).content().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompleteBody);
    assert_eq!(error.retries().len(), 1);
}
