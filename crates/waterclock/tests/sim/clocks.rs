//! The calendar clock is set in the middle of a call: no limit moves, and what is judged by the calendar is
//! judged by the one that is in force.

use crate::bench::{Bench, Route, at, ms};
use crate::verify::tiles;
use std::time::{Duration, SystemTime};
use waterclock::{ErrorKind, Limits};
use waterclock_sim::Script;

const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A calendar before the first one that certificates and cookies can say, and ones far ahead.
fn calendars() -> [SystemTime; 4] {
    let epoch = SystemTime::UNIX_EPOCH;
    [epoch - CENTURY, epoch, epoch + CENTURY, epoch + 100 * CENTURY]
}

#[test]
fn a_calendar_that_is_set_moves_no_limit() {
    for &route in Route::ALL {
        for calendar in calendars() {
            let bench = Bench::serving(route, Script::new().expect_head().stall());
            bench.world.at(at(100), move |world| world.set_wall(calendar));
            let session = bench.session();
            let error = bench.get(&session).limits(Limits::total(ms(500))).send().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{route:?}: {error:#}");
            assert_eq!(bench.now(), at(500), "{route:?}");
            tiles(error.timeline().unwrap());
        }
    }
}

#[test]
fn an_answer_comes_whatever_the_calendar_does() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nSet-Cookie: id=7; Max-Age=60\r\n\r\n";
    for &route in Route::ALL {
        for calendar in calendars() {
            let answer = Script::new().expect_head().wait(ms(200)).send(head).wait(ms(200));
            let bench = Bench::serving(route, answer.send("0123456789"));
            bench.world.at(at(100), move |world| world.set_wall(calendar));
            bench.world.at(at(300), move |world| world.set_wall(SystemTime::UNIX_EPOCH + CENTURY));
            let session = bench.session();
            let mut response = bench.get(&session).send().unwrap();
            assert_eq!(response.text().unwrap(), "0123456789");
            assert_eq!(bench.now(), at(route.ready() + 400), "{route:?}");
            tiles(response.timeline());
        }
    }
}

#[test]
fn certificates_are_judged_by_the_calendar_in_force() {
    for &route in Route::TLS {
        let ok = Script::new().expect_head().send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let bench = Bench::serving(route, ok);
        let session = bench.session();
        let right = waterclock::world::World::wall(&*bench.world);
        // Before there were such certificates, and when even a careless one is over.
        let [long_ago, epoch, _, far] = calendars();
        for calendar in [long_ago, epoch, far] {
            bench.world.set_wall(calendar);
            match bench.get(&session).send() {
                Err(error) => assert!(
                    matches!(error.kind(), ErrorKind::Certificate | ErrorKind::Tls),
                    "{error:#}"
                ),
                Ok(_) => panic!("{route:?}: a certificate is good for ever"),
            }
        }
        bench.world.set_wall(right);
        assert_eq!(bench.get(&session).send().unwrap().status(), 200);
        assert_eq!(bench.times_sent(), 1, "nothing was sent to whom nobody vouched for");
    }
}
