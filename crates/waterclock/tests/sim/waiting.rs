//! The pool: who waits, who is next, which connection is taken, and how old it may be.

use crate::bench::{Bench, Route, at, ms, ok};
use crate::matrix::only;
use crate::verify::{fired, tiles};
use std::sync::Mutex;
use std::time::Duration;
use waterclock::{ErrorKind, Limit, Limits, Phase, PoolSettings, Response, Session};
use waterclock_sim::Script;

/// Answers every request, at once.
fn echo() -> Script {
    Script::new().repeat(Script::new().expect_head().expect_body().send(ok("hello")))
}

fn with_pool(bench: &Bench, pool: PoolSettings) -> Session {
    bench.builder().pool(pool).build().unwrap()
}

fn one_place() -> PoolSettings {
    PoolSettings { max_per_host: Some(1), ..PoolSettings::default() }
}

/// Does something with `response` at that instant, while another call waits.
fn later(bench: &Bench, when: Duration, response: Response, act: fn(Response)) {
    let response = Mutex::new(Some(response));
    let when = bench.now().after(when);
    bench.world.at(when, move |_| act(response.lock().unwrap().take().unwrap()));
}

fn number(response: &Response) -> u64 {
    response.connection().unwrap().number
}

/// The place goes over at the instant at which the response was read or dropped.
#[test]
fn a_place_is_handed_over_when_the_response_is_done() {
    let acts: [fn(Response); 3] =
        [|mut response| _ = response.content().unwrap(), drop, Response::drain];
    for act in acts {
        for &route in Route::ALL {
            let bench = Bench::serving(route, echo());
            let session = with_pool(&bench, one_place());
            let first = bench.get(&session).send().unwrap();
            later(&bench, ms(50), first, act);
            let mut second = bench.get(&session).send().unwrap();
            assert_eq!((second.text().unwrap().as_str(), number(&second)), ("hello", 1));
            let timeline = second.timeline();
            assert_eq!(timeline.elapsed(), ms(50));
            assert_eq!(timeline.spans()[0].phase, Phase::Pool);
            assert_eq!(timeline.spans()[0].duration(), ms(50));
            tiles(timeline);
        }
    }
}

/// A response too long to be thrown away costs its connection, and frees the place all the same.
#[test]
fn a_place_is_handed_over_when_the_connection_is_closed() {
    let endless = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello";
    for &route in Route::ALL {
        let bench = Bench::new(route);
        bench.serve_each(None, move |number| match number {
            0 => Script::new().expect_head().send(endless),
            _ => echo(),
        });
        let session = with_pool(&bench, one_place());
        let first = bench.get(&session).send().unwrap();
        later(&bench, ms(50), first, drop);
        let mut second = bench.get(&session).send().unwrap();
        assert_eq!((second.text().unwrap().as_str(), number(&second)), ("hello", 2));
        // 3 for the name are spent once more, and so is the rest.
        assert_eq!(second.timeline().elapsed(), ms(50 + route.ready()));
    }
}

/// Two places become free at once, and both are offered to calls to one host, which may have one only: the
/// second of them passes the offer on.
#[test]
fn a_place_that_a_waiter_cannot_use_is_passed_on() {
    let bench = Bench::serving(Route::Http, echo());
    let last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
    for (host, script) in [(1, Script::new().expect_head().send(last)), (2, echo()), (3, echo())] {
        bench.world.listen(format!("10.0.0.{host}:80")).serve(script.clone());
        bench.world.listen(format!("10.0.0.{host}:81")).serve(script);
    }
    let both =
        PoolSettings { max_per_host: Some(1), max_total: Some(2), ..PoolSettings::default() };
    let session = with_pool(&bench, both);
    let url = |host| format!("http://10.0.0.{host}/");
    let busy = [session.get("http://10.0.0.1/"), session.get("http://10.0.0.1:81/")];
    let busy = busy.map(|request| request.send().unwrap());
    let found = Mutex::new(Vec::new());
    bench.world.threads(|threads| {
        for (host, begins) in [(2, 10), (2, 20), (3, 30)] {
            let (world, session, found) = (&bench.world, &session, &found);
            threads.spawn(move || {
                world.sleep(ms(begins));
                let limits = only(Limit::Pool, ms(1000));
                let held = session.get(url(host)).limits(limits).send().unwrap();
                let spans = held.timeline().spans();
                let waited = spans.iter().rfind(|span| span.phase == Phase::Pool).unwrap();
                found.lock().unwrap().push((host, waited.ended));
                world.sleep(ms(500));
            });
        }
        threads.spawn(|| {
            bench.world.sleep(ms(50));
            drop(busy);
        });
    });
    let mut found = found.into_inner().unwrap();
    found.sort_unstable();
    assert_eq!(found, [(2, at(50)), (2, at(550)), (3, at(50))]);
}

/// `pool` is armed once for a checkout and ends it exactly, place or no place.
#[test]
fn the_deadline_wins_over_a_place_at_the_same_instant() {
    for (duration, in_time) in [(ms(50), false), (ms(50) + Duration::from_nanos(1), true)] {
        let bench = Bench::serving(Route::Http, echo());
        let session = with_pool(&bench, one_place());
        let first = bench.get(&session).send().unwrap();
        later(&bench, ms(50), first, drop);
        let begun = bench.now();
        match bench.get(&session).limits(only(Limit::Pool, duration)).send() {
            Ok(_) => assert!(in_time),
            Err(error) => {
                assert!(!in_time);
                fired(&error, Limit::Pool, Phase::Pool, begun.after(ms(50)));
                // The place is not lost.
                let third = bench.get(&session).limits(only(Limit::Pool, ms(1))).send().unwrap();
                assert_eq!(number(&third), 1);
            }
        }
    }
}

/// After the wait `pool` is no more: a slow answer is not its business.
#[test]
fn pool_is_disarmed_when_a_place_is_found() {
    let bench = Bench::serving(
        Route::Http,
        Script::new().expect_head().send(ok("hello")).expect_head().wait(ms(500)).send(ok("hello")),
    );
    let session = with_pool(&bench, one_place());
    let first = bench.get(&session).send().unwrap();
    later(&bench, ms(50), first, drop);
    let second = bench.get(&session).limits(only(Limit::Pool, ms(60))).send().unwrap();
    assert_eq!(second.timeline().elapsed(), ms(550));
}

#[test]
fn the_connection_used_last_is_used_first() {
    for &route in Route::ALL {
        let bench = Bench::serving(route, echo());
        let session = bench.session();
        let open = || bench.get(&session).send().unwrap();
        let [one, two, three] = [open(), open(), open()];
        assert_eq!([&one, &two, &three].map(number), [1, 2, 3]);
        for response in [two, three, one] {
            bench.world.advance(ms(5));
            drop(response);
        }
        bench.world.advance(ms(5));
        let [one, two, three] = [open(), open(), open()];
        assert_eq!([&one, &two, &three].map(number), [1, 3, 2]);
    }
}

#[test]
fn a_connection_may_be_idle_for_its_age_and_no_longer() {
    for (idle, same) in [(ms(90_000), true), (ms(90_000) + Duration::from_nanos(1), false)] {
        for &route in Route::ALL {
            let bench = Bench::serving(route, echo());
            let session = bench.session();
            bench.get(&session).send().unwrap().content().unwrap();
            bench.world.advance(idle);
            let response = bench.get(&session).send().unwrap();
            assert_eq!(number(&response), if same { 1 } else { 2 });
            let used = response.timeline().hops()[0].connection.unwrap();
            assert_eq!(used.idle, same.then_some(idle));
            assert_eq!(bench.world.open_sockets(), 1);
        }
    }
}

#[test]
fn too_many_idle_connections_are_closed_the_oldest_first() {
    let bench = Bench::serving(Route::Http, echo());
    let session = with_pool(&bench, PoolSettings { max_idle: 1, ..PoolSettings::default() });
    let open = || bench.get(&session).send().unwrap();
    let (one, two) = (open(), open());
    drop(one);
    bench.world.advance(ms(5));
    drop(two);
    assert_eq!(bench.world.open_sockets(), 1);
    assert_eq!(number(&open()), 2);
}

/// One gives up, before the place becomes free or as it does; the other one gets it at that instant.
#[test]
fn who_gives_up_stands_in_nobodys_way() {
    for patience in [10, 49, 50] {
        let bench = Bench::serving(Route::Http, echo());
        let session = with_pool(&bench, one_place());
        let busy = bench.get(&session).send().unwrap();
        let begun = bench.now();
        later(&bench, ms(50), busy, drop);
        bench.world.threads(|threads| {
            let (bench, session) = (&bench, &session);
            threads.spawn(move || {
                let limits = only(Limit::Pool, ms(patience));
                let result = bench.get(session).limits(limits).send();
                // Both are at the same instant: it may have either.
                if patience < 50 || result.is_err() {
                    fired(
                        &result.unwrap_err(),
                        Limit::Pool,
                        Phase::Pool,
                        begun.after(ms(patience)),
                    );
                }
            });
            threads.spawn(move || {
                bench.world.sleep(ms(5));
                let limits = only(Limit::Pool, ms(90));
                let mut response = bench.get(session).limits(limits).send().unwrap();
                assert_eq!(response.text().unwrap(), "hello");
                assert_eq!(response.timeline().ended(), begun.after(ms(50)), "{patience}");
            });
        });
        // And nobody is left in the queue.
        bench.get(&session).send().unwrap().content().unwrap();
        assert_eq!(bench.now(), begun.after(ms(50)));
    }
}

/// Neither one that is taken again and again nor one that is too old counts as idle any more.
#[test]
fn what_was_taken_or_was_too_old_leaves_its_place_among_the_idle() {
    let bench = Bench::serving(Route::Http, echo());
    let pool = PoolSettings { max_idle: 1, idle_age: ms(50), ..PoolSettings::default() };
    let session = with_pool(&bench, pool);
    let used = || {
        let mut response = bench.get(&session).send().unwrap();
        response.content().unwrap();
        number(&response)
    };
    for connection in 1..4 {
        assert_eq!([used(), used(), used()], [connection; 3]);
        assert_eq!(bench.world.open_sockets(), 1);
        bench.world.advance(ms(51));
    }
}

/// With no place left in all, an idle connection to another host makes way.
#[test]
fn an_idle_connection_makes_way_for_another_host() {
    let bench = Bench::serving(Route::Http, echo());
    bench.world.host("other.test").resolves_to(["192.0.2.7"]);
    bench.world.listen("192.0.2.7:80").serve(echo());
    let session = with_pool(&bench, PoolSettings { max_total: Some(1), ..PoolSettings::default() });
    bench.get(&session).send().unwrap().content().unwrap();
    let other = session.get("http://other.test/").send().unwrap();
    assert_eq!(number(&other), 2);
    assert_eq!(bench.world.open_sockets(), 1);
    // It is busy now: the first host has to wait.
    let begun = bench.now();
    let error = bench.get(&session).limits(only(Limit::Pool, ms(30))).send().unwrap_err();
    fired(&error, Limit::Pool, Phase::Pool, begun.after(ms(30)));
    drop(other);
    assert_eq!(number(&bench.get(&session).send().unwrap()), 3);
}

/// So does one that becomes idle while the other host's call waits already.
#[test]
fn a_connection_that_becomes_idle_makes_way_for_who_waits() {
    let bench = Bench::serving(Route::Http, echo());
    bench.world.host("other.test").resolves_to(["192.0.2.7"]);
    bench.world.listen("192.0.2.7:80").serve(echo());
    let session = with_pool(&bench, PoolSettings { max_total: Some(1), ..PoolSettings::default() });
    let busy = bench.get(&session).send().unwrap();
    later(&bench, ms(50), busy, |mut response| _ = response.content().unwrap());
    let limits = only(Limit::Pool, ms(90));
    let other = session.get("http://other.test/").limits(limits).send().unwrap();
    let waited = &other.timeline().spans()[0];
    assert_eq!((waited.phase, waited.duration(), number(&other)), (Phase::Pool, ms(50), 2));
}

#[test]
fn closing_a_session_closes_what_is_idle() {
    let bench = Bench::serving(Route::Https, echo());
    let session = bench.session();
    let busy = bench.get(&session).send().unwrap();
    bench.get(&session).send().unwrap().content().unwrap();
    assert_eq!(bench.world.open_sockets(), 2);
    session.close();
    assert_eq!(bench.world.open_sockets(), 1);
    drop(busy);
    assert_eq!(number(&bench.get(&session).send().unwrap()), 1);
}

/// A call that fails before it has a connection gives its place back.
#[test]
fn a_failed_connect_frees_its_place() {
    let bench = Bench::new(Route::Http);
    bench.world.refuse(Route::Http.door());
    let session = with_pool(&bench, one_place());
    for _ in 0..3 {
        let limits = Limits::none().with(Limit::Pool, Some(Duration::ZERO));
        let error = bench.get(&session).limits(limits).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
    }
    assert_eq!(bench.now(), at(9));
}
