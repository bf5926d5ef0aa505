//! A body that is larger than the memory that the process may have.

use crate::support::{again, alone, builder, fetch, is_alone, ms, passed};
use waterclock::{ErrorKind, Limits};
use waterclock_lab::{FastServer, Script, Server, Step, chunk, head};

/// In KiB, as the shell has it: room for the program and a body of 50 MB.
const MOST: &str = "ulimit -v 300000";

#[test]
fn a_body_larger_than_memory_is_an_error_and_later_calls_work() {
    const NAME: &str = "memory::a_body_larger_than_memory_is_an_error_and_later_calls_work";
    if is_alone() {
        return ask_for_too_much(
            &std::env::var("FAST").unwrap(),
            &std::env::var("ENDLESS").unwrap(),
        );
    }
    let fast = FastServer::start().unwrap();
    let endless = Script::every_request([
        Step::send(head(200, &[("Transfer-Encoding", "chunked")])),
        Step::Loop(vec![Step::send(chunk("x".repeat(1 << 20)))]),
    ]);
    let endless = Server::start(endless).unwrap();
    let mut command = again(NAME, MOST);
    command.env("FAST", fast.url("/")).env("ENDLESS", endless.url("/"));
    passed(&command.output().unwrap());
}

fn ask_for_too_much(fast: &str, endless: &str) {
    let session = builder().limits(Limits::total(ms(60_000))).build().unwrap();
    for url in [format!("{fast}bytes/2000000000"), endless.to_owned()] {
        let mut response = session.get(&url).send().unwrap();
        let error = response.content().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:#}");
        assert!(error.message().contains("no memory for more than"), "{error:#}");
        assert_eq!(error.timeline().unwrap().unaccounted(), ms(0));
        // Who asks again does not get the rest as if it were all.
        assert_eq!(response.content().unwrap_err().kind(), ErrorKind::TooLarge);
        // What was read is given back, so smaller ones go on.
        assert_eq!(fetch(session.get(format!("{fast}bytes/50000000"))).unwrap().len(), 50_000_000);
    }
}

#[test]
fn a_body_that_is_read_in_pieces_needs_no_memory() {
    const NAME: &str = "memory::a_body_that_is_read_in_pieces_needs_no_memory";
    if !alone(NAME, MOST) {
        return;
    }
    let fast = FastServer::start().unwrap();
    let session = builder().limits(Limits::total(ms(60_000))).build().unwrap();
    let mut response = session.get(fast.url("/bytes/400000000")).send().unwrap();
    let (mut piece, mut all) = (vec![0; 1 << 16], 0);
    loop {
        match response.read_body(&mut piece).unwrap() {
            0 => break,
            count => all += count,
        }
    }
    assert_eq!(all, 400_000_000);
}
