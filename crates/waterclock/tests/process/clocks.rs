//! The calendar clock jumps; limits are kept by the other one.

use crate::around::around;
use crate::support::{LATE, builder, fetch, is_alone, ms, passed, timed};
use std::time::{Duration, SystemTime};
use waterclock::{ErrorKind, Limit, Limits};
use waterclock_lab::{Script, Server, Step, head, head_then_stall};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

#[test]
fn a_calendar_that_jumps_moves_no_limit() {
    if is_alone() {
        return under_a_jumping_calendar();
    }
    let name = "clocks::a_calendar_that_jumps_moves_no_limit";
    let Some(mut command) = around(name, "JUMPING=1") else { return };
    let cookie = [("Content-Length", "5"), ("Set-Cookie", "id=7; Max-Age=60")];
    let slow = Step::drip("hello", 1, ms(10));
    let server = Server::start(Script::by_head(move |request| match request.path() {
        "/slow" => vec![Step::send(head(200, &cookie)), slow.clone()],
        _ => head_then_stall(200, 10),
    }));
    let server = server.unwrap();
    command.env("URL", server.url("/"));
    passed(&command.output().unwrap());
}

fn under_a_jumping_calendar() {
    let readings: Vec<_> = (0..4).map(|_| SystemTime::now()).collect();
    let jump = |pair: &[SystemTime]| {
        pair[1].duration_since(pair[0]).unwrap_or_else(|error| error.duration())
    };
    assert!(readings.windows(2).all(|pair| jump(pair) > YEAR), "it does not jump: {readings:?}");
    let url = std::env::var("URL").unwrap();
    let limit = ms(300);
    let session = builder().limits(Limits::total(limit)).build().unwrap();
    let mut lateness = Vec::new();
    for _ in 0..3 {
        let (result, elapsed) = timed(|| fetch(session.get(&url)));
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.limit()), (ErrorKind::Timeout, Some(Limit::Total)));
        assert!(elapsed >= limit, "early: {elapsed:?}: {error:#}");
        assert_eq!(error.timeline().unwrap().unaccounted(), Duration::ZERO, "{error:#}");
        lateness.push(error.late_by().unwrap());
    }
    assert!(lateness.iter().any(|late| *late < LATE), "{lateness:?}");
    for _ in 0..3 {
        let request = session.get(format!("{url}slow")).limits(Limits::total(ms(20_000)));
        assert_eq!(fetch(request).unwrap(), b"hello");
    }
}
