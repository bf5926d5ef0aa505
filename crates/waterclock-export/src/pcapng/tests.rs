//! Blocks and packets as exact bytes, and what must hold for every recording.

mod any;
mod bytes;
mod reader;

use super::*;
use reader::{Read, Reading, read};
use waterclock::capture::{Direction, Piece, WireFailure};
use waterclock::run::RequestRecord;
use waterclock_proto::limit::{Limit, Limits};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Phase, SpanEnd, What};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Tick {
    Tick::ZERO.after(ms(n))
}

fn connection(remote: &str) -> WireConnection {
    WireConnection {
        number: 1,
        remote: Endpoint::Tcp(remote.parse().unwrap()),
        host: None,
        local: Some("192.0.2.7:40000".parse().unwrap()),
        opened: Some(ms(1)),
        connected: Some(ms(2)),
        pieces: Vec::new(),
        dropped: 0,
        peer_ended: None,
        failed: None,
        closed: None,
    }
}

fn piece(at: u64, direction: Direction, bytes: impl AsRef<[u8]>) -> Piece {
    Piece { at: ms(at), direction, bytes: bytes.as_ref().to_vec() }
}

fn run(connections: Vec<WireConnection>) -> Run {
    let mut run = Run::new(SystemTime::UNIX_EPOCH, RequestRecord::refused("GET", "http://h.test/"));
    run.wire = Some(Wire { connections, dropped: 0, keys: None });
    run
}

fn file(run: &Run) -> Reading {
    read(&pcapng(run, Secrets::Redacted, Keys::Included).unwrap())
}

#[test]
fn what_was_not_recorded_has_no_packets() {
    let mut run = run(Vec::new());
    run.wire = None;
    let refused = pcapng(&run, Secrets::Redacted, Keys::LeftOut).unwrap_err();
    assert!(refused.to_string().contains("--capture"));
}

#[test]
fn a_run_without_a_connection_is_told_in_the_files_comments() {
    let mut run = run(Vec::new());
    let mut timeline = Timeline::new(at(0), Limits::none().with(Limit::Resolve, Some(ms(10))));
    let in_force = Some((at(10), Limit::Resolve));
    timeline.record_wait(Phase::Resolve, What::Answer, at(0), at(10), in_force, SpanEnd::Expired);
    timeline.finish(at(10));
    run.timeline = Some(timeline);
    let reading = file(&run);
    assert!(reading.packets.is_empty());
    let told = "wait 1: dns, 10.0 ms, limit fired: resolve 10 ms, 0.0 ms late";
    assert!(reading.about.iter().any(|comment| comment == told), "{:#?}", reading.about);
}

#[test]
fn the_end_of_a_connection_is_as_it_was() {
    let ends = |change: fn(&mut WireConnection)| -> Vec<String> {
        let mut one = connection("192.0.2.9:80");
        one.pieces.push(piece(3, Direction::Sent, "a"));
        change(&mut one);
        let packets = file(&run(vec![one])).packets;
        packets.iter().skip(4).map(Read::short).collect()
    };
    assert_eq!(ends(|_| {}), [""; 0], "it is still open");
    assert_eq!(ends(|one| one.closed = Some(ms(9))), ["9 ms > FA"]);
    let both = |one: &mut WireConnection| {
        (one.peer_ended, one.closed) = (Some(ms(8)), Some(ms(9)));
    };
    assert_eq!(ends(both), ["8 ms < FA", "9 ms > FA"]);
    let reset = |one: &mut WireConnection| {
        let message = "reset\u{1b}".to_owned();
        one.failed = Some(WireFailure { at: ms(8), message, by_peer: true });
        one.closed = Some(ms(9));
    };
    assert_eq!(ends(reset), ["8 ms < RA"]);
}

#[test]
fn what_never_connected_has_no_handshake() {
    let mut one = connection("192.0.2.9:80");
    (one.connected, one.closed) = (None, Some(ms(9)));
    let short = |one: &WireConnection| -> Vec<String> {
        file(&run(vec![one.clone()])).packets.iter().map(Read::short).collect()
    };
    assert_eq!(short(&one), ["1 ms > S"]);
    one.failed = Some(WireFailure { at: ms(5), message: String::new(), by_peer: true });
    assert_eq!(short(&one), ["1 ms > S", "5 ms < RA"]);
}

#[test]
fn a_connection_from_before_the_call_has_no_handshake_either() {
    let mut one = connection("192.0.2.9:80");
    (one.opened, one.connected, one.closed) = (None, None, Some(ms(4)));
    one.pieces.push(piece(3, Direction::Sent, "a"));
    let packets = file(&run(vec![one])).packets;
    let short: Vec<_> = packets.iter().map(Read::short).collect();
    assert_eq!(short, ["3 ms > PA 1", "4 ms > FA"]);
}

#[test]
fn a_unix_socket_gets_an_address_and_a_comment() {
    let mut one = connection("192.0.2.9:80");
    (one.remote, one.local) = (Endpoint::Unix("/run/a\u{202e}b".into()), None);
    let reading = file(&run(vec![one]));
    let told = "192.0.2.1:49153 to 192.0.2.2:80 stands for the Unix socket /run/a\\u{202e}b.";
    assert!(reading.about.iter().any(|comment| comment == told), "{:#?}", reading.about);
    assert_eq!(reading.packets[0].ends(), ("192.0.2.1:49153".into(), "192.0.2.2:80".into()));
}

#[test]
fn waits_stand_where_they_ended() {
    let mut one = connection("192.0.2.9:80");
    one.closed = Some(ms(20));
    one.pieces.push(piece(3, Direction::Sent, "ask"));
    one.pieces.push(piece(9, Direction::Received, "ans"));
    one.pieces.push(piece(9, Direction::Received, "wer"));
    let mut run = run(vec![one]);
    let mut timeline = Timeline::new(at(0), Limits::total(ms(20)));
    let attempt = timeline.begin_attempt("192.0.2.9:80".into(), at(1));
    let under = Some((at(20), Limit::Total));
    for (phase, what, from, to, end) in [
        (Phase::Resolve, What::Answer, 0, 1, SpanEnd::Ready),
        (Phase::Connect, What::Connect(attempt), 1, 2, SpanEnd::Ready),
        (Phase::Send, What::Write, 2, 3, SpanEnd::Ready),
        (Phase::FirstByte, What::Read, 3, 9, SpanEnd::Ready),
        (Phase::Body, What::Read, 9, 20, SpanEnd::Expired),
    ] {
        timeline.record_wait(phase, what, at(from), at(to), under, end);
    }
    timeline.finish(at(20));
    run.timeline = Some(timeline);
    let packets = file(&run).packets;
    let told: Vec<_> = packets.iter().map(|packet| packet.comments.join(" / ")).collect();
    assert_eq!(
        told,
        [
            "wait 1: dns, 1.0 ms, 5% of 20 ms (total)",
            "wait 2: tcp 192.0.2.9:80, 1.0 ms, 5% of 19.0 ms left (total)",
            "",
            "wait 3: send request, 1.0 ms, 6% of 18.0 ms left (total)",
            "wait 4: read headers, 6.0 ms, 35% of 17.0 ms left (total)",
            "",
            "wait 5: read body, 11.0 ms, limit fired: total 20 ms, 0.0 ms late",
        ]
    );
}

#[test]
fn where_nothing_came_the_next_step_is_told() {
    let mut one = connection("192.0.2.9:80");
    one.pieces.push(piece(3, Direction::Sent, "head"));
    one.pieces.push(piece(7, Direction::Sent, "body, unasked"));
    one.pieces.push(piece(8, Direction::Received, "503"));
    one.pieces.push(piece(12, Direction::Sent, "again"));
    let mut run = run(vec![one]);
    let mut timeline = Timeline::new(at(0), Limits::none());
    for (phase, from, to, end) in [
        (Phase::Pool, 0, 1, SpanEnd::Ready),
        (Phase::Continue, 3, 7, SpanEnd::Done),
        (Phase::Backoff, 8, 12, SpanEnd::Done),
        (Phase::FirstByte, 12, 13, SpanEnd::Cancelled),
    ] {
        timeline.record_wait(phase, What::Read, at(from), at(to), None, end);
    }
    timeline.finish(at(13));
    run.timeline = Some(timeline);
    let packets = file(&run).packets;
    let told: Vec<_> = packets.iter().map(|packet| packet.comments.join(" / ")).collect();
    // Nobody closed the connection, so the last packet is the nearest to what was cancelled.
    let last = "wait 3: wait before retry, 4.0 ms, no limit / \
                wait 4: read headers, 1.0 ms, cancelled";
    let first = "wait 1: wait for connection, 1.0 ms, no limit";
    let second = "wait 2: wait for 100 Continue, 4.0 ms, no limit";
    assert_eq!(told, [first, "", "", "", second, "", last]);
}

#[test]
fn a_saved_run_gives_the_same_bytes() {
    let mut one = connection("[2001:db8::9]:80");
    one.host = Some("h.test".into());
    one.pieces.push(piece(3, Direction::Sent, "GET / HTTP/1.1\r\nCookie: hush\r\n\r\n"));
    let mut live = run(vec![one]);
    live.started_at = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_764_219_832_123_456_789);
    let mut timeline = Timeline::new(at(0), Limits::total(ms(20)));
    let under = Some((at(20), Limit::Total));
    timeline.record_wait(Phase::Send, What::Write, at(0), at(3), under, SpanEnd::Ready);
    timeline.finish(at(4));
    live.timeline = Some(timeline);
    for secrets in [Secrets::Redacted, Secrets::Shown] {
        let saved = Run::from_json(&live.to_json(secrets)).unwrap();
        assert_eq!(pcapng(&saved, secrets, Keys::LeftOut), pcapng(&live, secrets, Keys::LeftOut));
    }
}
