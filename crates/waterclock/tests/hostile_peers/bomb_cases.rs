//! Bodies that become far more than they were, or work without an end: the decoded cap holds to the byte,
//! and who has none has `total`, for the inflater looks at the clock.

use crate::bombs::{bombs, deflate_of, gzip, zstd};
use crate::peak;
use crate::support::{AT_ONCE, BOTH, alone, builder, ms, served, timed};
use std::time::Duration;
use waterclock::{DecodeLimits, Error, ErrorKind, Limit, Limits, Response};
use waterclock_lab::{Step, chunk, head, respond_with};

/// Reads to the end in pieces of this size: how many bytes there were, and how it ended.
fn read(response: &mut Response, room: usize) -> (u64, Result<(), Error>) {
    let (mut piece, mut length) = (vec![0; room], 0);
    loop {
        match response.read_body(&mut piece) {
            Ok(0) => return (length, Ok(())),
            Ok(count) => length += count as u64,
            Err(error) => return (length, Err(error)),
        }
    }
}

/// The head of an answer in chunks with this coding, and then `piece`, for ever.
fn endless(coding: &str, begin: &[u8], piece: &[u8]) -> Vec<Step> {
    let fields = [("Content-Encoding", coding), ("Transfer-Encoding", "chunked")];
    let begin = if begin.is_empty() { Vec::new() } else { chunk(begin) };
    let sending = Step::send(chunk(piece));
    let head = [head(200, &fields), begin].concat();
    vec![Step::ReadHead, Step::send(head), Step::Loop(vec![sending])]
}

/// Bodies that never end, by what they are: coding, how they begin, and what then comes for ever.
fn endless_bombs() -> Vec<(&'static str, &'static str, Vec<u8>, Vec<u8>)> {
    let zeros = [0; 64 << 10];
    let nothing = b"\0\0\0\xff\xff";
    // Of a frame that is skipped: 64 KiB.
    let skipped = [&b"\x50\x2a\x4d\x18\0\0\x01\0"[..], &[0; 1 << 16]].concat();
    vec![
        ("members of zeros", "gzip", vec![], gzip(&zeros)),
        ("one stream of zeros", "deflate", vec![], deflate_block(&zeros)),
        ("frames of zeros", "zstd", vec![], zstd(&zeros)),
        ("members of members", "gzip, gzip", vec![], gzip(&gzip(&zeros).repeat(16))),
        ("empty blocks", "deflate", vec![], nothing.repeat(10_000)),
        ("empty members", "gzip", vec![], gzip(b"").repeat(3_000)),
        ("empty frames", "zstd", vec![], zstd(b"").repeat(5_000)),
        ("skipped frames", "zstd", zstd(b""), skipped),
        ("empty blocks in zeros", "deflate, gzip", vec![], gzip(&nothing.repeat(20_000))),
        (
            "empty blocks, twice",
            "deflate, gzip, gzip",
            vec![],
            gzip(&gzip(&nothing.repeat(20_000))),
        ),
    ]
}

/// A block of deflate with others behind it.
fn deflate_block(text: &[u8]) -> Vec<u8> {
    let mut block = deflate_of(text, 1);
    block.truncate(block.len() - 2);
    block
}

#[test]
fn a_bomb_meets_the_decoded_cap() {
    const CAP: u64 = 128 << 10;
    if !alone("bomb_cases::a_bomb_meets_the_decoded_cap", "true") {
        return;
    }
    let limits = DecodeLimits { max_size: Some(CAP), ..DecodeLimits::default() };
    let finite = bombs(8)
        .into_iter()
        .map(|(coding, body)| (coding, respond_with(200, &[("Content-Encoding", coding)], body)));
    let ever = endless_bombs().into_iter().take(4);
    let ever = ever.map(|(_, coding, begin, piece)| (coding, endless(coding, &begin, &piece)));
    for (coding, steps) in finite.chain(ever) {
        for secure in BOTH {
            let (server, session) = served(secure, steps.clone());
            let mut result = None;
            let grown = peak::grown_by(|| {
                let request = session.get(server.url("/")).decode_limits(limits);
                let work = || read(&mut request.send().unwrap(), 16 << 10);
                result = Some(timed(work));
            });
            let ((length, end), took) = result.unwrap();
            let error = end.expect_err(coding);
            assert_eq!((error.kind(), length), (ErrorKind::TooLarge, CAP), "{coding}: {error:#}");
            assert!(took < AT_ONCE * 4, "{coding}: {took:?}"); // a debug build takes its time
            // br has a window of 16 MiB, zstd one of 8.
            let most = if coding.starts_with("br") { 24 << 20 } else { 12 << 20 };
            assert!(grown < most, "{coding}: {grown} bytes");
        }
    }
}

/// With small room and with more than is soon filled: neither keeps the inflater from the clock.
/// (How much one turn of it may do is counted in the tests of the decoder.)
#[test]
fn a_bomb_without_a_cap_meets_total() {
    const TOTAL: Duration = ms(150);
    let session = builder().limits(Limits::total(TOTAL)).build().unwrap();
    for (case, coding, begin, piece) in endless_bombs() {
        for room in [16 << 10, 64 << 20] {
            let (server, _) = served(false, endless(coding, &begin, &piece));
            let (end, took) = timed(|| {
                // On a machine that is busy enough the head may not come in time either.
                read(&mut session.get(server.url("/")).send()?, room).1
            });
            let error = end.expect_err(case);
            assert_eq!(error.limit(), Some(Limit::Total), "{case}: {error:#}");
            assert!(took >= TOTAL && took < TOTAL + AT_ONCE, "{case}, {room}: {took:?}");
        }
    }
}
