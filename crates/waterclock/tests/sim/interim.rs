//! Interim responses, `Expect: 100-continue`, and answers that come before the request has left.

use crate::bench::{Bench, Route, at, ms, ok};
use crate::matrix::only;
use crate::verify::{fired, tiles};
use std::time::Duration;
use waterclock::timeline::SpanEnd;
use waterclock::{ErrorKind, Limit, Limits, Phase, RequestSent, Response};
use waterclock_sim::Script;

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const TOO_LARGE: &str = "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nmuch";

#[test]
fn interim_responses_are_passed_over() {
    for &route in Route::ALL {
        let unasked =
            [HINTS, CONTINUE, "HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 199 ?\r\n\r\n"];
        for together in [true, false] {
            let script = if together {
                Script::new().expect_head().send(unasked.concat() + &ok("hello"))
            } else {
                let start = Script::new().expect_head();
                let each = |script: Script, text: &&str| script.send(text).wait(ms(5));
                unasked.iter().fold(start, each).send(ok("hello"))
            };
            let bench = Bench::serving(route, script);
            let mut response = bench.get(&bench.session()).send().unwrap();
            assert_eq!((response.status(), response.text().unwrap().as_str()), (200, "hello"));
            let waited = if together { 0 } else { 20 };
            assert_eq!(response.timeline().ended(), at(route.ready() + waited));
            tiles(response.timeline());
        }
    }
}

/// Cut anywhere: the bytes of a 103 are never taken for the final response's first.
#[test]
fn no_byte_of_an_interim_response_stops_first_byte() {
    for cut in 1..HINTS.len() {
        for limit in [Limit::FirstByte, Limit::Head] {
            let (one, two) = HINTS.split_at(cut);
            let script = Script::new().expect_head().wait(ms(10)).send(one).wait(ms(10)).send(two);
            let bench = Bench::serving(Route::Http, script);
            let error =
                bench.get(&bench.session()).limits(only(limit, ms(100))).send().unwrap_err();
            fired(&error, limit, Phase::FirstByte, at(8 + 100));
        }
    }
}

fn expect<'s>(bench: &Bench, session: &'s waterclock::Session) -> waterclock::Request<'s> {
    bench.post(session).body("content").expect_continue(true)
}

/// How long the wait for 100 was, and how it ended. TLS tickets may come in between.
fn waited(response: &Response) -> (Duration, SpanEnd) {
    let spans = response.timeline().spans().iter();
    let spans: Vec<_> = spans.filter(|span| span.phase == Phase::Continue).collect();
    (spans.iter().map(|span| span.duration()).sum(), spans.last().unwrap().end)
}

#[test]
fn a_100_in_time_brings_the_body_at_once() {
    for &route in Route::ALL {
        let script = Script::new().expect_head().wait(ms(30)).send(CONTINUE);
        let bench = Bench::serving(route, script.expect_body().send(ok("hello")));
        let session = bench.session();
        let mut response = expect(&bench, &session).send().unwrap();
        assert_eq!(response.text().unwrap(), "hello");
        assert_eq!(waited(&response), (ms(30), SpanEnd::Ready));
        assert_eq!(response.timeline().ended(), at(route.ready() + 30));
        assert!(bench.requests()[0].ends_with("content"));
        assert!(bench.requests()[0].contains("Expect: 100-continue\r\n"));
    }
}

/// Its expiry is no error: the body is sent then.
#[test]
fn without_a_100_the_body_is_sent_when_continue_expires() {
    for &route in Route::ALL {
        for (limits, patience) in [
            (Limits::none(), ms(1000)),
            (only(Limit::Continue, ms(123)), ms(123)),
            (only(Limit::Continue, Duration::ZERO), Duration::ZERO),
        ] {
            let script = Script::new().expect_head().expect_body().wait(ms(5)).send(ok("hello"));
            let bench = Bench::serving(route, script);
            let session = bench.session();
            let mut response = expect(&bench, &session).limits(limits).send().unwrap();
            assert_eq!(response.text().unwrap(), "hello");
            assert_eq!(waited(&response), (patience, SpanEnd::Done));
            assert_eq!(response.timeline().ended(), at(route.ready() + 5).after(patience));
            tiles(response.timeline());
        }
    }
}

/// On a tie with a deadline there is no time left to send a body in.
#[test]
fn continue_and_total_at_once_are_a_timeout() {
    let bench = Bench::serving(Route::Http, Script::new().drain());
    let session = bench.session();
    let limits = only(Limit::Continue, ms(100)).with(Limit::Total, Some(ms(108)));
    let error = expect(&bench, &session).limits(limits).send().unwrap_err();
    fired(&error, Limit::Total, Phase::Continue, at(108));
    assert_eq!(error.request_sent(), RequestSent::Partly);
    assert!(bench.requests()[0].ends_with("\r\n\r\n"));
}

/// The body's own limits begin with the body.
#[test]
fn limits_behind_continue_count_from_its_end() {
    let table = [
        (Limit::Upload, Phase::Upload, 100_000),
        (Limit::Write, Phase::Upload, 100_000),
        (Limit::Head, Phase::FirstByte, 10),
        (Limit::Read, Phase::FirstByte, 10),
    ];
    for (limit, phase, size) in table {
        let bench = Bench::new(Route::Http);
        bench.serve(Script::new().expect_head().stall(), Some(5000));
        let session = bench.session();
        let request = bench.post(&session).body(vec![b'x'; size]).expect_continue(true);
        let limits = only(limit, ms(50)).with(Limit::Continue, Some(ms(100)));
        let error = request.limits(limits).send().unwrap_err();
        fired(&error, limit, phase, at(8 + 100 + 50));
    }
}

/// What comes in one segment with an interim response is not overlooked.
#[test]
fn a_100_behind_a_103_is_seen() {
    for &route in Route::ALL {
        let script = Script::new().expect_head().send(format!("{HINTS}{CONTINUE}"));
        let bench = Bench::serving(route, script.expect_body().send(ok("hello")));
        let session = bench.session();
        let mut response = expect(&bench, &session).send().unwrap();
        assert_eq!(response.text().unwrap(), "hello");
        assert_eq!(response.timeline().ended(), at(route.ready()));
    }
}

#[test]
fn a_final_answer_behind_a_103_is_seen() {
    for &route in Route::ALL {
        let text = format!("{HINTS}HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
        let bench = Bench::serving(route, Script::new().expect_head().send(text).drain());
        let session = bench.session();
        let response = expect(&bench, &session).send().unwrap();
        assert_eq!(response.status(), 417);
        assert_eq!(response.timeline().ended(), at(route.ready()));
        bench.world.advance(ms(5000));
        assert!(bench.requests()[0].ends_with("\r\n\r\n"));
    }
}

/// A final answer instead of 100: the body stays here, and the connection is of no more use.
#[test]
fn a_refusal_instead_of_100_spares_the_body() {
    for &route in Route::ALL {
        let script = Script::new().expect_head().wait(ms(30)).send(TOO_LARGE).drain();
        let bench = Bench::serving(route, script);
        let session = bench.session();
        let mut response = expect(&bench, &session).send().unwrap();
        assert_eq!((response.status(), response.text().unwrap().as_str()), (413, "much"));
        assert_eq!(response.timeline().request_sent(), RequestSent::Partly);
        assert_eq!(response.timeline().ended(), at(route.ready() + 30));
        assert_eq!(bench.world.open_sockets(), 0);
        assert!(bench.requests()[0].ends_with("\r\n\r\n"));
    }
}

/// 413 while the body is on its way: it is the answer, whatever the peer does with the connection.
#[test]
fn an_early_answer_ends_the_upload() {
    let stays: fn(Script) -> Script = |script| script;
    for after in [stays, Script::close, Script::reset] {
        for &route in Route::ALL {
            for stream in [false, true] {
                let script = Script::new().expect_head().wait(ms(30)).send(TOO_LARGE);
                let bench = Bench::new(route);
                bench.serve(after(script), Some(100_000));
                let session = bench.session();
                let body = vec![b'x'; 400_000];
                let request = bench.post(&session);
                let request = match stream {
                    true => request.body_reader(std::io::Cursor::new(body), None),
                    false => request.body(body),
                };
                let mut response = request.limits(only(Limit::Upload, ms(100))).send().unwrap();
                assert_eq!((response.status(), response.text().unwrap().as_str()), (413, "much"));
                assert_eq!(response.timeline().ended(), at(route.ready() + 30));
                assert_eq!(response.timeline().request_sent(), RequestSent::Partly);
                tiles(response.timeline());
                assert_eq!(bench.world.open_sockets(), 0);
                assert_eq!(bench.times_sent(), 1);
            }
        }
    }
}

/// 200 while the body is on its way: the server goes on reading and gets all of it, as curl has it, and what else
/// it says is still the answer.
#[test]
fn an_early_2xx_does_not_end_the_upload() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst \r\n";
    for &route in Route::ALL {
        for stream in [false, true] {
            let script = Script::new().expect_head().send(head).wait(ms(20));
            let bench = Bench::new(route);
            bench.serve(script.expect_body().send("4\r\nlast\r\n0\r\n\r\n"), Some(100_000));
            let session = bench.session();
            let body = vec![b'x'; 400_000];
            let request = match stream {
                true => bench.post(&session).body_reader(std::io::Cursor::new(body), None),
                false => bench.post(&session).body(body),
            };
            let mut response = request.send().unwrap();
            assert_eq!((response.status(), response.text().unwrap().as_str()), (200, "first last"));
            assert_eq!(response.timeline().request_sent(), RequestSent::Yes);
            assert!(bench.requests()[0].len() > 400_000);
            tiles(response.timeline());
            // Nothing was left out, so that the connection is good for more.
            assert_eq!(bench.world.open_sockets(), 1);
        }
    }
}

/// An early 200 of a server that then leaves is the answer, if it can tell its own end.
#[test]
fn an_early_2xx_of_a_server_that_leaves_is_the_answer() {
    for leave in [Script::close, Script::reset] {
        for &route in Route::ALL {
            let script = Script::new().expect_head().send(ok("seen")).wait(ms(30));
            let bench = Bench::new(route);
            bench.serve(leave(script), Some(100_000));
            let session = bench.session();
            let mut response = bench.post(&session).body(vec![b'x'; 400_000]).send().unwrap();
            assert_eq!((response.status(), response.text().unwrap().as_str()), (200, "seen"));
            assert_eq!(response.timeline().request_sent(), RequestSent::Partly);
            assert_eq!(response.timeline().ended(), at(route.ready() + 30));
            assert_eq!(bench.world.open_sockets(), 0);
        }
    }
    let bench = Bench::new(Route::ALL[0]);
    let endless = "HTTP/1.1 200 OK\r\n\r\npart";
    bench.serve(Script::new().expect_head().send(endless).wait(ms(30)).reset(), Some(100_000));
    let session = bench.session();
    let error = bench.post(&session).body(vec![b'x'; 400_000]).send().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Receive | ErrorKind::Send), "{error:#}");
}

/// Half an early answer is not one yet: the upload goes on, and its limits with it.
#[test]
fn half_an_early_answer_does_not_end_the_upload() {
    for &route in Route::ALL {
        let bench = Bench::new(route);
        let script = Script::new().expect_head().wait(ms(30)).send("HTTP/1.1 413 Too").stall();
        bench.serve(script, Some(100_000));
        let session = bench.session();
        let request = bench.post(&session).body(vec![b'x'; 400_000]);
        let error = request.limits(only(Limit::Upload, ms(100))).send().unwrap_err();
        fired(&error, Limit::Upload, Phase::Upload, at(route.ready() + 100));
    }
}
