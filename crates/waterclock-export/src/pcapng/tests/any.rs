//! What must hold for every recording, also for one that no client has made.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::net::SocketAddr;

fn times() -> impl Strategy<Value = Duration> {
    prop_oneof![
        5 => (0..2_000_u64).prop_map(ms),
        1 => any::<u64>().prop_map(Duration::from_nanos),
        1 => Just(Duration::MAX),
    ]
}

fn maybe() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of(times())
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let directions = prop_oneof![Just(Direction::Sent), Just(Direction::Received)];
    let lengths = prop_oneof![4 => 1..20_usize, 1 => 1_400..4_500_usize, 1 => Just(0)];
    let piece = (times(), directions, lengths, any::<u8>())
        .prop_map(|(at, direction, n, byte)| Piece { at, direction, bytes: vec![byte; n] });
    prop::collection::vec(piece, 0..12)
}

fn remotes() -> impl Strategy<Value = Endpoint> {
    prop_oneof![
        Just("192.0.2.9:443"),
        Just("[2001:db8::9]:80"),
        Just("[::ffff:192.0.2.9]:80"),
        Just("/run/\u{202e}\u{1b}socket"),
    ]
    .prop_map(|text| match text.parse() {
        Ok(address) => Endpoint::Tcp(address),
        Err(_) => Endpoint::Unix(text.into()),
    })
}

fn connections() -> impl Strategy<Value = WireConnection> {
    let locals = prop::option::of(prop_oneof![Just("127.0.0.1:5"), Just("[::1]:6")]);
    let failures = prop::option::of((times(), ".{0,9}", any::<bool>()));
    let hosts = prop::option::of(prop_oneof![Just("h.test".to_owned()), ".{0,30}"]);
    let life = (maybe(), maybe(), maybe(), maybe());
    (any::<u64>(), remotes(), hosts, locals, life, pieces(), failures).prop_map(
        |(number, remote, host, local, life, pieces, failed)| WireConnection {
            number,
            remote,
            host,
            local: local.map(|text| text.parse().unwrap()),
            opened: life.0,
            connected: life.1,
            pieces,
            dropped: 0,
            peer_ended: life.2,
            failed: failed.map(|(at, message, by_peer)| WireFailure { at, message, by_peer }),
            closed: life.3,
        },
    )
}

fn timelines() -> impl Strategy<Value = Option<Timeline>> {
    let ends = prop_oneof![Just(SpanEnd::Ready), Just(SpanEnd::Expired), Just(SpanEnd::Failed)];
    let whats = prop_oneof![Just(What::Read), Just(What::Write), Just(What::Answer)];
    let wait = (0..Phase::ALL.len(), whats, 0..400_u64, ends);
    let waits = prop::collection::vec(wait, 0..30);
    prop::option::of(waits.prop_map(|waits| {
        let mut timeline = Timeline::new(at(5), Limits::total(ms(3_000)));
        for (phase, what, long, end) in waits {
            let (phase, from) = (Phase::ALL[phase], timeline.ended());
            if phase.is_wait() {
                let under = Some((at(3_005), Limit::Total));
                timeline.record_wait(phase, what, from, from.after(ms(long)), under, end);
            }
        }
        timeline.finish(timeline.ended());
        timeline
    }))
}

/// What went from one end to the other, by its sequence numbers, which must have no gaps.
#[derive(Default)]
struct Half {
    next: Option<u32>,
    bytes: Vec<u8>,
}

fn halves(reading: &Reading) -> HashMap<(SocketAddr, SocketAddr), Half> {
    let mut halves: HashMap<_, Half> = HashMap::new();
    for packet in &reading.packets {
        let half = halves.entry((packet.from, packet.to)).or_default();
        if let Some(next) = half.next {
            assert_eq!(packet.sequence, next, "{}", packet.short());
        }
        let counts = u32::from(packet.flags.contains(['S', 'F']));
        let length = u32::try_from(packet.bytes.len()).unwrap();
        half.next = Some(packet.sequence.wrapping_add(length).wrapping_add(counts));
        half.bytes.extend_from_slice(&packet.bytes);
        let other = halves.get(&(packet.to, packet.from)).and_then(|half| half.next);
        if let Some(other) = other.filter(|_| packet.flags != "S") {
            assert_eq!(packet.acknowledges, other, "{}", packet.short());
        }
    }
    halves
}

fn joined(pieces: &[Piece], direction: Direction) -> Vec<u8> {
    let mine = pieces.iter().filter(|piece| piece.direction == direction);
    mine.flat_map(|piece| piece.bytes.iter().copied()).collect()
}

proptest! {
    #[test]
    fn every_recording_is_a_sound_file(
        connections in prop::collection::vec(connections(), 0..4),
        timeline in timelines(),
        keys in prop::option::of(".{0,40}"),
    ) {
        let mut run = run(connections);
        run.timeline = timeline;
        run.wire.as_mut().unwrap().keys.clone_from(&keys);
        let reading = file(&run);
        prop_assert!(reading.packets.is_sorted_by_key(|packet| packet.at));
        prop_assert_eq!(reading.keys, keys.filter(|text| !text.is_empty()));
        let waits = run.timeline.iter().flat_map(Timeline::spans);
        let waits = waits.filter(|span| span.phase.is_wait()).count();
        let told: usize = reading.packets.iter().map(|packet| packet.comments.len()).sum();
        let homeless = reading.packets.is_empty();
        prop_assert_eq!(told, if homeless { 0 } else { waits });
    }

    #[test]
    fn streams_have_all_bytes_and_no_gaps(mut one in connections()) {
        one.failed = None;
        let ends = Ends::of(&one);
        let sent = joined(&one.pieces, Direction::Sent);
        let received = joined(&one.pieces, Direction::Received);
        let mut run = run(vec![one]);
        run.started_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_219_832);
        let bytes = pcapng(&run, Secrets::Shown, Keys::LeftOut).unwrap();
        let halves = halves(&read(&bytes));
        let of = |from, to| halves.get(&(from, to)).map(|half| half.bytes.clone());
        prop_assert_eq!(of(ends.ours, ends.theirs).unwrap_or_default(), sent);
        prop_assert_eq!(of(ends.theirs, ends.ours).unwrap_or_default(), received);
    }
}
