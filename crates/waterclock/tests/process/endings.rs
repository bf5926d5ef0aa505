//! The end of the process, in the middle of calls.

use crate::around::around;
use crate::support::{PATIENCE, builder, is_alone, ms, passed, timed};
use std::process::Command;
use std::time::Instant;
use waterclock::{Limits, Session};
use waterclock_lab::{Blackhole, Script, Server, Step, head_then_stall};

/// What a process says when it is about to end.
const ENDS: &str = "ends now";

/// Threads in calls that nobody ends: without limits, in a lookup, a connect, an upload, an answer, more
/// lookups than there are threads for.
fn begin_calls() {
    let server: String = std::env::var("URL").unwrap();
    let hole = std::env::var("HOLE").unwrap();
    let session = builder().limits(Limits::none()).build().unwrap();
    for number in 0..6 {
        call(&session, format!("http://stuck.{number}/"));
    }
    for url in [hole, format!("{server}stall"), format!("{server}body")] {
        call(&session, url);
    }
    // Long enough to be in the middle of each.
    std::thread::sleep(ms(200));
    drop(session);
}

fn call(session: &Session, url: String) {
    let session = session.clone();
    std::thread::spawn(move || {
        let mut response = session.get(&url).send().unwrap();
        response.content().unwrap();
    });
}

/// Runs this test with calls in flight, which ends by `ended`; gives how long the end took.
fn ends(mut command: Command, ended: impl FnOnce(&std::process::Output)) {
    let body = Script::by_head(|request| match request.path() {
        "/body" => head_then_stall(200, 10),
        _ => vec![Step::Stall],
    });
    let server = Server::start(body).unwrap();
    let hole = Blackhole::start().unwrap();
    command.env("URL", server.url("/")).env("HOLE", format!("http://{}/", hole.address()));
    let (output, elapsed) = timed(|| command.output().unwrap());
    ended(&output);
    assert!(elapsed < PATIENCE, "{elapsed:?}");
    server.wait_for_open_connections(0, PATIENCE).unwrap();
}

#[test]
fn exit_waits_for_no_call_and_no_lookup() {
    if is_alone() {
        begin_calls();
        println!("{ENDS}");
        std::process::exit(7);
    }
    let Some(command) = around("endings::exit_waits_for_no_call_and_no_lookup", "x=1") else {
        return;
    };
    ends(command, |output| {
        assert_eq!(output.status.code(), Some(7));
        assert!(String::from_utf8_lossy(&output.stdout).contains(ENDS));
    });
}

#[test]
fn the_end_of_main_waits_for_no_call_and_no_lookup() {
    const NAME: &str = "endings::the_end_of_main_waits_for_no_call_and_no_lookup";
    if is_alone() {
        let begin = Instant::now();
        begin_calls();
        assert!(begin.elapsed() < PATIENCE, "the session was dropped after {:?}", begin.elapsed());
        return;
    }
    let Some(command) = around(NAME, "x=1") else { return };
    ends(command, passed);
}
