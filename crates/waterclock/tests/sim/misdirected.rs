//! 421: a kept connection leads to a server that is not the right one. Nothing was done there, so any
//! request is made once more, on a connection of its own (RFC 9110 §15.5.20).

use crate::bench::{Bench, PATH, Route, ms, ok};
use crate::matrix::only;
use crate::verify::{fired, tiles};
use waterclock::timeline::HopReason;
use waterclock::{Limit, Method, Phase, Session};
use waterclock_sim::Script;

const MISDIRECTED: &str = "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 5\r\n\r\nwrong";

/// Answers a first request, and says 421 to the second one; each later connection says `next`.
fn bench(route: Route, next: impl Into<String>) -> Bench {
    let (bench, next) = (Bench::new(route), next.into());
    let asked = || Script::new().expect_head().expect_body();
    bench.serve_each(None, move |number| match number {
        0 => asked().send(ok("hello")).expect_head().expect_body().wait(ms(10)).send(MISDIRECTED),
        _ => asked().send(&next),
    });
    bench
}

/// A session with an idle connection.
fn warm(bench: &Bench) -> Session {
    let session = bench.session();
    session.get(bench.route.url("/first")).send().unwrap().content().unwrap();
    session
}

#[test]
fn any_method_is_sent_once_more_on_a_connection_of_its_own() {
    for &route in Route::ALL {
        for method in [Method::Get, Method::Post, Method::Put, Method::Patch] {
            let bench = bench(route, ok("right"));
            let session = warm(&bench);
            let begun = bench.now();
            let request = session.request(method.clone(), route.url(PATH)).body("content");
            let mut response = request.send().unwrap();
            assert_eq!((response.status(), &*response.text().unwrap()), (200, "right"));
            assert!(response.history().is_empty());
            let timeline = response.timeline();
            let hops: Vec<_> = timeline
                .hops()
                .iter()
                .map(|hop| (hop.reason, hop.status, hop.connection.unwrap().number))
                .collect();
            let expected = [(HopReason::First, Some(421), 1), (HopReason::Retry, Some(200), 2)];
            assert_eq!(hops, expected, "{route:?} {method}");
            assert_eq!(timeline.ended(), begun.after(ms(10 + route.ready())));
            tiles(timeline);
            assert_eq!(bench.times_sent(), 2);
            // The connection that leads astray is not kept.
            assert_eq!(bench.world.open_sockets(), 1);
        }
    }
}

#[test]
fn a_connection_made_for_the_request_is_as_right_as_another_would_be() {
    let bench = Bench::serving(Route::Http, Script::new().expect_head().send(MISDIRECTED));
    let response = bench.get(&bench.session()).send().unwrap();
    assert_eq!((response.status(), bench.times_sent()), (421, 1));
    // So the second one is the last one.
    let bench = self::bench(Route::Http, MISDIRECTED);
    let session = warm(&bench);
    let mut response = bench.get(&session).send().unwrap();
    assert_eq!((response.status(), &*response.text().unwrap()), (421, "wrong"));
    assert_eq!(bench.times_sent(), 2);
}

#[test]
fn a_body_that_was_streamed_leaves_the_421_as_it_is() {
    let bench = bench(Route::Http, ok("right"));
    let session = warm(&bench);
    let request = session.post(Route::Http.url(PATH)).body_reader(&b"content"[..], None);
    assert_eq!(request.send().unwrap().status(), 421);
    assert_eq!(bench.times_sent(), 1);
}

#[test]
fn total_goes_on() {
    let bench = bench(Route::Http, ok("right"));
    let session = warm(&bench);
    let begun = bench.now();
    // The second connection takes 8 ms.
    let request = bench.post(&session).body("content").limits(only(Limit::Total, ms(15)));
    let error = request.send().unwrap_err();
    fired(&error, Limit::Total, Phase::Connect, begun.after(ms(15)));
    assert_eq!(bench.times_sent(), 1);
}
