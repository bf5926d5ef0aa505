//! When cookies end: by the calendar of the world, not by that of the machine.

use crate::bench::{Bench, PATH, Route, ms};
use std::time::{Duration, SystemTime};
use waterclock_sim::Script;

/// Sun, 06 Nov 1994 08:49:37 GMT.
const NOW: Duration = Duration::from_secs(784_111_777);

fn sets(cookie: &str) -> Bench {
    let answer = format!("HTTP/1.1 200 OK\r\nSet-Cookie: {cookie}\r\nContent-Length: 0\r\n\r\n");
    let plain = Script::new().expect_head().send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let script = Script::new().expect_head().send(answer).repeat(plain);
    let bench = Bench::serving(Route::Http, script);
    bench.world.set_wall(SystemTime::UNIX_EPOCH + NOW);
    bench
}

#[test]
fn a_cookie_ends_when_the_worlds_calendar_says_so() {
    // Received after 8 ms.
    for (cookie, until) in [
        ("id=7; Max-Age=60", 60_008),
        ("id=7; Expires=Sun, 06 Nov 1994 08:50:37 GMT", 60_000),
        // Max-Age wins.
        ("id=7; Max-Age=60; Expires=Sun, 06 Nov 1994 09:50:37 GMT", 60_008),
    ] {
        let bench = sets(cookie);
        let session = bench.session();
        let send = || {
            bench.get(&session).send().unwrap();
            bench.requests()[0].matches("Cookie: id=7").count()
        };
        assert_eq!(send(), 0);
        bench.world.advance(ms(until - 8 - 1));
        assert_eq!(send(), 1, "{cookie}");
        bench.world.advance(ms(1));
        assert_eq!(send(), 1, "{cookie}: it is over");
        assert!(bench.requests()[0].contains(PATH));
    }
}

/// Without an end of its own it ends with the session; the calendar may do what it likes.
#[test]
fn a_cookie_of_the_session_outlives_any_calendar() {
    let bench = sets("id=7");
    let session = bench.session();
    bench.get(&session).send().unwrap();
    for wall in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + NOW * 3] {
        bench.world.set_wall(wall);
        bench.get(&session).send().unwrap();
    }
    assert_eq!(bench.requests()[0].matches("Cookie: id=7").count(), 2);
}
