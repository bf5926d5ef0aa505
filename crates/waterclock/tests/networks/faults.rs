//! Packets that get lost, overtake each other, or stop coming.

use crate::line::{Line, SERVER};
use crate::place::in_a_network;
use crate::support::{LATE, agrees, builder, in_one_of_three, ms, tiles};
use waterclock::{Limit, Limits, Phase};
use waterclock_lab::{Script, Server, Step, chunk, head, respond};

/// Bytes that differ from place to place, so that one in the wrong place shows.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| ((index / 251 + index) % 251).to_le_bytes()[0]).collect()
}

fn url(path: &str) -> String {
    format!("http://{SERVER}:8080{path}")
}

/// Content with a length at `/`, the same in chunks at `/chunked`.
fn serve(line: &Line, body: &[u8]) {
    let whole = respond(200, body);
    let mut chunks = head(200, &[("Transfer-Encoding", "chunked")]);
    body.chunks(1_000).for_each(|data| chunks.extend(chunk(data)));
    chunks.extend(b"0\r\n\r\n");
    let script = Script::by_request(move |request| match request.path() {
        "/chunked" => vec![Step::send(chunks.clone())],
        _ => whole.clone(),
    });
    line.serve(8080, Server::builder().script(script));
}

/// A tenth of all packets is lost. TCP sends them again, the body is whole, and no wait is missing.
#[test]
fn a_tenth_of_all_packets_is_lost() {
    in_a_network("faults::a_tenth_of_all_packets_is_lost", || {
        let line = Line::start("--delay 0.01 --loss 0.1 --seed 7");
        let body = content(150_000);
        serve(&line, &body);
        let session = builder().limits(Limits::total(ms(30_000))).build().unwrap();
        let mut response = session.get(url("/")).send().unwrap();
        assert!(response.content().unwrap() == body, "the body is another one");
        tiles(response.timeline());
        let capture = line.cut();
        assert!(capture.out_of_order() > 0, "nothing was sent again");
    });
}

/// However often something has to be sent again, the limit stays where it is.
#[test]
fn a_total_is_kept_where_packets_are_lost() {
    in_a_network("faults::a_total_is_kept_where_packets_are_lost", || {
        in_one_of_three(|| {
            let line = Line::start("--delay 0.01 --loss 0.1 --seed 7");
            serve(&line, &content(30_000_000));
            let session = builder().limits(Limits::total(ms(600))).build().unwrap();
            let error = session.get(url("/")).send().and_then(|mut response| response.content());
            let error = error.unwrap_err();
            assert_eq!(error.limit(), Some(Limit::Total), "{error:#}");
            let timeline = error.timeline().unwrap();
            tiles(timeline);
            assert!(timeline.elapsed() >= ms(600), "early: {error:#}");
            let late = error.late_by().unwrap();
            (late < LATE).then_some(()).ok_or_else(|| format!("{late:?} late: {error:#}"))
        });
    });
}

/// The first SYN is lost: the kernel sends another one after a second, and the wait to connect has both.
#[test]
fn a_lost_syn_is_a_second_in_connect() {
    in_a_network("faults::a_lost_syn_is_a_second_in_connect", || {
        in_one_of_three(|| {
            let line = Line::start("--delay 0.01 --lose-syn");
            serve(&line, b"ok");
            let session = builder().limits(Limits::total(ms(20_000))).build().unwrap();
            let mut response = session.get(url("/")).send().unwrap();
            assert_eq!(response.content().unwrap(), b"ok");
            let capture = line.cut();
            let timeline = response.timeline();
            tiles(timeline);
            let connect =
                timeline.spans().iter().find(|span| span.phase == Phase::Connect).unwrap();
            assert!(connect.duration() >= ms(1_000), "{connect:?}");
            // The first one left just before the wait began, the second one in the middle of it.
            let syns = capture.sent().filter(|packet| packet.is_syn());
            let syns: Vec<bool> = syns.map(|syn| syn.at > connect.started.after(ms(500))).collect();
            assert_eq!(syns, [false, true]);
            agrees(timeline, &capture)
        });
    });
}

/// Nearly a third of all packets come too late to be in order. The bytes are.
#[test]
fn packets_overtake_each_other() {
    in_a_network("faults::packets_overtake_each_other", || {
        let line = Line::start("--delay 0.01 --reorder 0.3 --seed 3");
        let body = content(300_000);
        serve(&line, &body);
        let session = builder().limits(Limits::total(ms(30_000))).build().unwrap();
        for path in ["/", "/chunked"] {
            let mut response = session.get(url(path)).send().unwrap();
            assert!(response.content().unwrap() == body, "the body of {path} is another one");
            tiles(response.timeline());
        }
        let capture = line.cut();
        assert!(capture.out_of_order() > 20, "{}", capture.out_of_order());
    });
}

/// In the middle of a body nothing comes any more, and no FIN either: the socket looks open for ever.
/// `read` counts from the last packet on.
#[test]
fn a_line_that_dies_ends_in_the_read_limit() {
    in_a_network("faults::a_line_that_dies_ends_in_the_read_limit", || {
        in_one_of_three(|| {
            let line = Line::start("--delay 0.01 --dead-after 100000");
            serve(&line, &content(300_000));
            let session =
                builder().limits(Limits::builder().read(ms(250)).build()).build().unwrap();
            let mut response = session.get(url("/")).send().unwrap();
            let error = response.content().unwrap_err();
            let capture = line.cut();
            assert_eq!((error.limit(), error.phase()), (Some(Limit::Read), Some(Phase::Body)));
            let timeline = error.timeline().unwrap();
            tiles(timeline);
            let last = capture.received().filter(|packet| packet.is_data()).last().unwrap().at;
            let ended = timeline.started().after(timeline.elapsed());
            let silence = ended.since(last);
            assert!(silence >= ms(249), "early, after {silence:?}: {error:#}");
            (silence < ms(250) + LATE).then_some(()).ok_or_else(|| format!("after {silence:?}"))
        });
    });
}
