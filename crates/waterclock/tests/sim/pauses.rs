//! The caller's own time: `read` and `write` do not run in it, `total` does, and the timeline says
//! whose time it was.

use crate::bench::{Bench, Route, at, ms, ok, ok_gzip};
use crate::matrix::only;
use crate::verify::tiles;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;
use waterclock::timeline::{Timeline, What};
use waterclock::{ErrorKind, Limit, Limits, Phase, RequestSent, Response};
use waterclock_sim::{Script, SimWorld};

/// The caller's spans: what, and how many milliseconds.
fn caller_spans(timeline: &Timeline) -> Vec<(What, u128)> {
    let spans = timeline.spans().iter().filter(|span| span.phase == Phase::Caller);
    spans.map(|span| (span.what, span.duration().as_millis())).collect()
}

/// Half of a body with the head, the other half 20 ms later.
fn in_halves() -> Script {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    Script::new().expect_head().send(head).wait(ms(20)).send("again")
}

#[test]
fn a_paused_reader_is_not_the_servers_fault() {
    for &route in Route::ALL {
        let bench = Bench::serving(route, in_halves());
        let session = bench.session();
        let limits = Limits::none().to_builder().read(ms(21)).write(ms(1)).build();
        let mut response = bench.get(&session).limits(limits).send().unwrap();
        let mut piece = [0; 5];
        for expected in [b"hello", b"again"] {
            bench.world.advance(ms(500));
            response.read_exact(&mut piece).unwrap();
            assert_eq!(&piece, expected);
        }
        let timeline = response.timeline();
        assert_eq!(timeline.ended(), at(route.ready() + 1000));
        assert_eq!(caller_spans(timeline), [(What::Reader, 500), (What::Reader, 500)]);
        assert_eq!(timeline.caller(), ms(1000));
        tiles(timeline);
    }
}

/// The wait begins when the caller is back, and lasts its full time.
#[test]
fn read_is_armed_when_the_caller_comes_back() {
    let bench = Bench::serving(
        Route::Http,
        Script::new().expect_head().send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"),
    );
    let session = bench.session();
    let mut response = bench.get(&session).limits(only(Limit::Read, ms(100))).send().unwrap();
    bench.world.advance(ms(3000));
    response.read_exact(&mut [0; 5]).unwrap();
    bench.world.advance(ms(4000));
    let error = Response::content(&mut response).unwrap_err();
    crate::verify::fired(&error, Limit::Read, Phase::Body, at(8 + 3000 + 4000 + 100));
    let spans = caller_spans(error.timeline().unwrap());
    assert_eq!(spans, [(What::Reader, 3000), (What::Reader, 4000)]);
}

/// A deadline passes while the caller is busy: the next read says so, and how late that is.
#[test]
fn deadlines_run_while_the_caller_is_busy() {
    for limit in [Limit::Total, Limit::Attempt, Limit::Body] {
        let bench = Bench::serving(Route::Https, in_halves());
        let session = bench.session();
        let ready = bench.route.ready();
        let mut response = bench.get(&session).limits(only(limit, ms(300))).send().unwrap();
        response.read_exact(&mut [0; 5]).unwrap();
        bench.world.advance(ms(1000));
        let error = Response::content(&mut response).unwrap_err();
        assert_eq!((error.limit(), error.phase()), (Some(limit), Some(Phase::Body)));
        let armed = if limit == Limit::Body { ready } else { 0 };
        assert_eq!(error.late_by(), Some(ms(ready + 1000 - armed - 300)));
        let timeline = error.timeline().unwrap();
        assert_eq!(timeline.ended(), at(ready + 1000));
        assert_eq!(timeline.fired().unwrap().deadline, at(armed + 300));
        assert_eq!(caller_spans(timeline), [(What::Reader, 1000)]);
        tiles(timeline);
    }
}

/// What was received in time and lies decoded in memory belongs to no hop any more.
#[test]
fn attempt_ends_with_the_last_byte_from_the_wire() {
    let script = Script::new().expect_head().send(ok_gzip());
    let bench = Bench::serving(Route::Http, script);
    let session = bench.session();
    let limits = only(Limit::Attempt, ms(100)).with(Limit::Body, Some(ms(100)));
    let mut response = bench.get(&session).limits(limits).send().unwrap();
    let mut text = String::new();
    for _ in 0..2 {
        let mut piece = [0; 3];
        let count = response.read(&mut piece).unwrap();
        text += std::str::from_utf8(&piece[..count]).unwrap();
    }
    assert_eq!(text, "hello");
    bench.world.advance(ms(1000));
    assert_eq!(response.read(&mut [0; 3]).unwrap(), 0);
    assert_eq!(response.timeline().hops()[0].ended, Some(at(8)));
}

/// A source of a request body that takes its time before each of its pieces.
struct SlowSource {
    world: Arc<SimWorld>,
    pieces: usize,
    each: Duration,
}

impl Read for SlowSource {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.pieces == 0 {
            return Ok(0);
        }
        self.pieces -= 1;
        self.world.advance(self.each);
        out[..5].copy_from_slice(b"piece");
        Ok(5)
    }
}

#[test]
fn a_slow_source_is_not_the_servers_fault() {
    for &route in Route::ALL {
        for length in [None, Some(15)] {
            let answer = Script::new().expect_head().expect_body().send(ok("hello"));
            let bench = Bench::serving(route, answer);
            let session = bench.session();
            let source = SlowSource { world: bench.world.clone(), pieces: 3, each: ms(500) };
            let limits = Limits::none().to_builder().write(ms(20)).read(ms(20)).build();
            let request = bench.post(&session).body_reader(source, length).limits(limits);
            let mut response = request.send().unwrap();
            assert_eq!(response.text().unwrap(), "hello");
            let timeline = response.timeline();
            assert_eq!(timeline.ended(), at(route.ready() + 1500));
            assert_eq!(caller_spans(timeline), [(What::Source, 500); 3]);
            tiles(timeline);
        }
    }
}

/// `upload` and the deadlines run in a slow source; what it gives too late is not sent.
#[test]
fn deadlines_run_in_a_slow_source() {
    for (limit, armed) in [(Limit::Total, 0), (Limit::Attempt, 0), (Limit::Upload, 8)] {
        let answer = Script::new().expect_head().expect_body().send(ok("hello"));
        let bench = Bench::serving(Route::Http, answer);
        let session = bench.session();
        let source = SlowSource { world: bench.world.clone(), pieces: 3, each: ms(500) };
        let limits = only(limit, ms(700));
        let request = bench.post(&session).body_reader(source, None).limits(limits);
        let error = request.send().unwrap_err();
        assert_eq!((error.limit(), error.phase()), (Some(limit), Some(Phase::Upload)));
        assert_eq!(error.late_by(), Some(ms(8 + 1000 - armed - 700)));
        assert_eq!(error.request_sent(), RequestSent::Partly);
        let timeline = error.timeline().unwrap();
        assert_eq!(timeline.ended(), at(8 + 1000));
        assert_eq!(caller_spans(timeline), [(What::Source, 500); 2]);
        tiles(timeline);
        bench.world.advance(ms(1));
        assert_eq!(bench.requests()[0].matches("piece").count(), 1);
    }
}

/// A source that fails, or ends too early, ends the call; the peer never gets a whole request.
#[test]
fn a_source_that_breaks_its_word_is_an_error() {
    for length in [Some(20), Some(16)] {
        let answer = Script::new().expect_head().expect_body().send(ok("hello"));
        let bench = Bench::serving(Route::Http, answer);
        let session = bench.session();
        let source = SlowSource { world: bench.world.clone(), pieces: 3, each: Duration::ZERO };
        let error = bench.post(&session).body_reader(source, length).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(error.request_sent(), RequestSent::Partly);
        assert_eq!(bench.world.open_sockets(), 0);
    }
}
