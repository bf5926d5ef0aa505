//! SIGSTOP and SIGCONT: the process sleeps while its limits run on.

use crate::support::{AT_ONCE, again, builder, fetch, is_alone, ms, passed, timed};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Stdio};
use std::time::Duration;
use waterclock::{ErrorKind, Limit, Limits, Phase};
use waterclock_lab::{Script, Server, Step, respond};

const LIMIT: Duration = ms(800);
const STOP: Duration = ms(1_300);

/// Stops the process once its request is there, for so long.
fn stop(child: &Child, server: &Server, requests: usize, duration: Duration) {
    server.wait_for_requests(requests, ms(20_000)).unwrap();
    let pid = Pid::from_child(child);
    kill_process(pid, Signal::STOP).unwrap();
    std::thread::sleep(duration);
    kill_process(pid, Signal::CONT).unwrap();
}

/// Runs this test in a process of its own, which gets the server's URL and is stopped in its only call.
fn stopped(test: &str, answer: Vec<Step>, duration: Duration) {
    let server = Server::start(Script::every_request(answer)).unwrap();
    let mut command = again(test, "true");
    command.env("URL", server.url("/")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    stop(&child, &server, 1, duration);
    passed(&child.wait_with_output().unwrap());
}

fn url() -> String {
    std::env::var("URL").unwrap()
}

/// A call of its own under this limit, that is stopped beyond it: the limit fires as soon as the process
/// goes on, and says how late that is.
fn expect_fired_late(limit: Limit, phase: Phase) {
    let limits = Limits::builder().set(limit, Some(LIMIT)).build();
    let session = builder().limits(limits).build().unwrap();
    let (result, elapsed) = timed(|| fetch(session.get(url())));
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
    assert_eq!((error.limit(), error.phase()), (Some(limit), Some(phase)), "{error:#}");
    assert!(elapsed >= STOP && elapsed < STOP + AT_ONCE, "{elapsed:?}");
    // What it says of its lateness is what was measured here, but for what came before and after.
    let late = error.late_by().unwrap();
    assert!(late + LIMIT <= elapsed && elapsed < late + LIMIT + AT_ONCE, "{late:?} {elapsed:?}");
    assert_eq!(error.timeline().unwrap().unaccounted(), Duration::ZERO, "{error:#}");
}

#[test]
fn beyond_the_limit_of_a_silent_peer() {
    if is_alone() {
        return expect_fired_late(Limit::FirstByte, Phase::FirstByte);
    }
    stopped("stops::beyond_the_limit_of_a_silent_peer", vec![Step::Stall], STOP);
}

#[test]
fn an_answer_that_came_meanwhile_is_too_late() {
    if is_alone() {
        return expect_fired_late(Limit::Total, Phase::FirstByte);
    }
    let answer = [vec![Step::sleep_ms(100)], respond(200, "late")].concat();
    stopped("stops::an_answer_that_came_meanwhile_is_too_late", answer, STOP);
}

#[test]
fn within_the_limit_nothing_happens() {
    if is_alone() {
        let limits = Limits::builder().total(ms(20_000)).read(ms(20_000)).build();
        let session = builder().limits(limits).build().unwrap();
        let (body, elapsed) = timed(|| fetch(session.get(url())).unwrap());
        assert_eq!(body, b"in time");
        assert!(elapsed >= STOP, "{elapsed:?}");
        return;
    }
    let answer = [vec![Step::sleep_ms(100)], respond(200, "in time")].concat();
    stopped("stops::within_the_limit_nothing_happens", answer, STOP);
}
