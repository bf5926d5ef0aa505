//! Names and addresses: who is tried when, what ends the race, and what it is called.

use crate::bench::{Bench, ORIGIN, RESOLVE, Route, at, ms, ok};
use crate::verify::{fired, tiles};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use waterclock::timeline::{AttemptEnd, Timeline};
use waterclock::world::Answer;
use waterclock::{Error, ErrorKind, Limit, Limits, Phase, Resolver, Response, Tick};
use waterclock_sim::Script;

const THREE: [&str; 3] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];

/// How an address behaves.
#[derive(Clone, Copy)]
enum Address {
    Dead,
    /// Refuses after so many milliseconds.
    Refuses(u64),
    /// The system says no when it is opened.
    NoRoute,
    /// Accepts after so many milliseconds.
    Accepts(u64),
}
use Address::{Accepts, Dead, NoRoute, Refuses};

/// A name with these addresses; their times count from the start of the race.
fn world(addresses: &[Address]) -> Bench {
    let bench = Bench::new(Route::Http);
    bench.world.host(ORIGIN).resolves_to(&THREE[..addresses.len()]);
    for (ip, address) in THREE.iter().zip(addresses) {
        let at = format!("{ip}:80");
        match *address {
            Dead => bench.world.black_hole(at),
            Refuses(delay) => _ = bench.world.refuse(at).after(ms(delay)),
            NoRoute => {
                bench.world.refuse(at).with(io::ErrorKind::NetworkUnreachable).at_once();
            }
            Accepts(delay) => {
                let script = Script::new().expect_head().send(ok("hello"));
                bench.world.listen(at).after(ms(delay)).serve(script);
            }
        }
    }
    bench
}

fn get(bench: &Bench, address: Option<u64>) -> Result<Response, Error> {
    let limits = Limits::none().with(Limit::Address, address.map(ms));
    bench.get(&bench.session()).limits(limits).send()
}

/// Since the name was answered, in milliseconds.
fn since_start(when: Tick) -> u128 {
    when.since(at(RESOLVE)).as_millis()
}

#[test]
fn the_first_address_that_connects_wins() {
    // Addresses, the limit `address`, and when a connection is there.
    let table: &[(&[Address], Option<u64>, u64)] = &[
        (&[Accepts(20)], None, 20),
        (&[Accepts(250), Accepts(1)], None, 250),
        (&[Accepts(260), Accepts(1)], None, 251),
        (&[Dead, Accepts(20)], None, 250 + 20),
        (&[Dead, Dead, Accepts(20)], None, 500 + 20),
        (&[Accepts(600), Dead, Dead], None, 600),
        // A refusal and an expiry let the next one start at once.
        (&[Refuses(7), Accepts(20)], None, 7 + 20),
        (&[NoRoute, Accepts(20)], None, 20),
        (&[NoRoute, Refuses(0), Accepts(20)], None, 20),
        (&[Dead, Accepts(20)], Some(100), 100 + 20),
        (&[Dead, Dead, Accepts(20)], Some(100), 200 + 20),
        (&[Refuses(90), Dead, Accepts(20)], Some(100), 90 + 100 + 20),
        (&[Dead, Refuses(10), Accepts(20)], None, 250 + 10 + 20),
    ];
    for (addresses, limit, when) in table {
        let bench = world(addresses);
        let response = get(&bench, *limit).unwrap();
        assert_eq!(since_start(response.timeline().ended()), u128::from(*when));
        tiles(response.timeline());
        let outcome = ends(response.timeline());
        assert_eq!(outcome.iter().filter(|end| **end == "connected").count(), 1);
        assert!(!outcome.contains(&"pending"));
        drop(response);
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

/// The losers are closed when the race is won, and the timeline knows them.
#[test]
fn losers_are_closed_at_once() {
    let bench = world(&[Dead, Accepts(20)]);
    let response = get(&bench, None).unwrap();
    let won = at(RESOLVE + 250 + 20);
    assert_eq!(bench.world.connections("192.0.2.1:80")[0].dropped, Some(won));
    let ends: Vec<_> = response.timeline().attempts().iter().map(|a| (&a.end, a.ended)).collect();
    let expected = [(&AttemptEnd::Abandoned, Some(won)), (&AttemptEnd::Connected, Some(won))];
    assert_eq!(ends, expected);
}

#[test]
fn the_last_expiry_ends_the_race() {
    let table: &[(&[Address], u64, u64)] = &[
        (&[Dead], 100, 100),
        (&[Dead, Dead], 100, 200),
        (&[Dead, Dead, Dead], 100, 300),
        // The second starts after 250 ms, the third when the first expires.
        (&[Dead, Dead, Dead], 400, 400 + 400),
        (&[Dead, Dead, Dead], 600, 500 + 600),
        (&[Refuses(10), Dead], 100, 10 + 100),
        (&[Dead, Refuses(10)], 300, 300),
        (&[NoRoute, Dead], 100, 100),
    ];
    for (addresses, limit, when) in table {
        let bench = world(addresses);
        let error = get(&bench, Some(*limit)).unwrap_err();
        fired(&error, Limit::Address, Phase::Connect, at(RESOLVE + when));
        // The one that was waited for, not one that has said no.
        let last = addresses.iter().rposition(|address| matches!(address, Dead)).unwrap();
        assert_eq!(error.peer().unwrap(), format!("{}:80", THREE[last]));
        assert!(error.retry_safe());
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

fn ends(timeline: &Timeline) -> Vec<&'static str> {
    let name = |end: &AttemptEnd| match end {
        AttemptEnd::Pending => "pending",
        AttemptEnd::Connected => "connected",
        AttemptEnd::Failed(_) => "failed",
        AttemptEnd::Expired => "expired",
        AttemptEnd::Abandoned => "abandoned",
    };
    timeline.attempts().iter().map(|attempt| name(&attempt.end)).collect()
}

/// When the last address says no, that is the error, and at that instant.
#[test]
fn the_last_refusal_ends_the_race() {
    let table: &[(&[Address], u64, &[&str])] = &[
        (&[Refuses(0)], 0, &["failed"]),
        (&[Refuses(7)], 7, &["failed"]),
        (&[NoRoute], 0, &["failed"]),
        (&[Refuses(7), Refuses(8), NoRoute], 7 + 8, &["failed", "failed", "failed"]),
        (&[Dead, Refuses(8)], 100 + 8, &["expired", "failed"]),
    ];
    for (addresses, when, outcome) in table {
        let bench = world(addresses);
        let error = get(&bench, Some(100)).unwrap_err();
        assert_eq!((error.kind(), error.limit()), (ErrorKind::Connect, None), "{error:#}");
        let timeline = error.timeline().unwrap();
        assert_eq!(since_start(timeline.ended()), u128::from(*when));
        assert_eq!(ends(timeline), *outcome);
        assert!(error.retry_safe());
        tiles(timeline);
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

/// The race goes on under `connect` and `total`, which end all of it.
#[test]
fn deadlines_end_the_whole_race() {
    for limit in [Limit::Connect, Limit::Total] {
        let bench = world(&[Dead, Dead, Accepts(20)]);
        let limits = Limits::none().with(limit, Some(ms(RESOLVE + 510)));
        let error = bench.get(&bench.session()).limits(limits).send().unwrap_err();
        fired(&error, limit, Phase::Connect, at(RESOLVE + 510));
        // Nobody was faster: they were still running.
        assert_eq!(ends(error.timeline().unwrap()), ["pending"; 3]);
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

/// A resolver that forgets what it was asked.
#[derive(Debug)]
struct Forgetful;

impl Resolver for Forgetful {
    fn lookup(&self, _name: &str, _port: u16, answer: Answer) {
        drop(answer);
    }
}

#[test]
fn a_name_that_does_not_resolve_is_an_error_of_its_own() {
    type SetUp = fn(&Bench);
    let set_up: [(SetUp, Duration); 4] = [
        (|bench| _ = bench.world.host(ORIGIN).fails(io::ErrorKind::NotFound), ms(RESOLVE)),
        (|bench| _ = bench.world.host(ORIGIN).fails(io::ErrorKind::TimedOut), ms(RESOLVE)),
        (|bench| _ = bench.world.host(ORIGIN).resolves_to([""; 0]), ms(RESOLVE)),
        (|bench| _ = bench.world.host(ORIGIN).resolves_to([""; 0]).after(ms(99)), ms(99)),
    ];
    for (set_up, when) in set_up {
        for &route in &[Route::Http, Route::Https] {
            let bench = Bench::new(route);
            set_up(&bench);
            let error = bench.get(&bench.session()).send().unwrap_err();
            assert_eq!((error.kind(), error.phase()), (ErrorKind::Resolve, Some(Phase::Resolve)));
            assert_eq!(error.timeline().unwrap().ended(), Tick::ZERO.after(when));
            assert!(error.retry_safe());
            assert!(error.to_string().contains(ORIGIN));
            tiles(error.timeline().unwrap());
        }
    }
}

#[test]
fn a_resolver_that_forgets_is_an_error_at_once() {
    let bench = Bench::new(Route::Http);
    let session = bench.builder().resolver(Arc::new(Forgetful)).build().unwrap();
    let error = bench.get(&session).send().unwrap_err();
    assert_eq!((error.kind(), bench.now()), (ErrorKind::Resolve, Tick::ZERO));
}

#[test]
fn addresses_and_overrides_are_not_asked_for() {
    let bench = Bench::serving(Route::Http, Script::new().expect_head().send(ok("hello")));
    let session = bench.builder().resolve("other.test:80:192.0.2.1".parse().unwrap()).build();
    let session = session.unwrap();
    for url in ["http://192.0.2.1/", "http://other.test/"] {
        assert_eq!(session.get(url).send().unwrap().text().unwrap(), "hello");
    }
    assert!(bench.world.lookups().is_empty());
}
