//! Content codings and chains of them: in pieces and at one go comes to the same, never more than
//! the cap comes out, every call gets on, and what failed stays failed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::input::Input;
use waterclock_proto::decode::{DecodeError, DecodeLimits, Decoder, SizeLimit, State};

const HEADERS: [&str; 8] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, gzip",
    "br, zstd",
    "deflate, gzip, br",
    "gzip, deflate, br, zstd, gzip",
];

/// A cap that short inputs run into.
const CAP: u64 = 3000;
/// Calls without any progress that a body of this size may take: some work is cut in parts.
const PATIENCE: usize = 1000;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, seed, room) = (input.byte(), input.byte(), input.byte());
    let header = HEADERS[usize::from(choice) % HEADERS.len()];
    let limits = DecodeLimits { max_size: (choice & 8 != 0).then_some(CAP), max_ratio: None };
    // Without a cap, what comes out is bounded by our patience.
    let most = if choice & 8 == 0 { 100_000 } else { usize::MAX };
    let whole = decode(header, limits, std::iter::once(input.0), 4096, most);
    let pieces = decode(header, limits, input.pieces(seed), 1 + usize::from(room), most);
    let (short, long) = match whole.0.len() < pieces.0.len() {
        true => (&whole.0, &pieces.0),
        false => (&pieces.0, &whole.0),
    };
    assert!(long.starts_with(short), "{header}: pieces make a difference");
    if limits.max_size.is_some() {
        assert!(long.len() as u64 <= CAP);
    }
    let kind = |outcome: &Result<(), DecodeError>| match outcome {
        Ok(()) => "done",
        Err(DecodeError::Malformed { .. }) => "malformed",
        Err(DecodeError::Truncated { .. }) => "truncated",
        Err(_) => "too large",
    };
    if let (Some(one), Some(other)) = (&whole.1, &pieces.1) {
        // What was wrong later may be found before what came earlier is handed out. And which stage of
        // a chain comes upon its fault first depends on the pieces, or whether the inner one is over
        // by then, behind which nothing means anything.
        let large = kind(one) == "too large" || kind(other) == "too large";
        let faults = large && one.is_err() && other.is_err();
        let same = kind(one) == kind(other) || faults || header.contains(',');
        assert!(same, "{header}: {one:?}, {other:?}");
        if one.is_ok() && other.is_ok() {
            assert_eq!(whole.0, pieces.0);
        }
    }
});

/// What came out, and how it ended; `None` if it was left after `most` bytes.
fn decode<'a>(
    header: &str,
    limits: DecodeLimits,
    pieces: impl Iterator<Item = &'a [u8]>,
    room: usize,
    most: usize,
) -> (Vec<u8>, Option<Result<(), DecodeError>>) {
    let decoder = Decoder::from_content_encoding([header.as_bytes()], limits);
    let mut decoder = decoder.expect("few codings").expect("known codings");
    let (mut out, mut room) = (Vec::new(), vec![0; room]);
    let mut idle = 0;
    let mut pieces = pieces.filter(|piece| !piece.is_empty());
    let mut piece = pieces.next();
    loop {
        let progress = match piece {
            Some(bytes) => decoder.decode(bytes, &mut room),
            None => decoder.finish(&mut room),
        };
        let progress = match progress {
            Ok(progress) => progress,
            Err(error) => return (out, Some(Err(stays(&mut decoder, error)))),
        };
        out.extend_from_slice(&room[..progress.produced]);
        assert_eq!(decoder.decoded(), out.len() as u64);
        idle = if progress.consumed + progress.produced > 0 { 0 } else { idle + 1 };
        assert!(idle < PATIENCE, "{header}: it turns on the spot");
        piece = piece.map(|bytes| &bytes[progress.consumed..]);
        match progress.state {
            State::Done => return (out, Some(Ok(()))),
            _ if out.len() > most => return (out, None),
            State::OutputFull => {}
            State::NeedInput => {
                assert!(piece.is_some_and(<[u8]>::is_empty), "{header}: input is left");
                piece = pieces.next();
            }
        }
    }
}

/// A decoder that has failed goes on failing alike, and says why on one line.
fn stays(decoder: &mut Decoder, error: DecodeError) -> DecodeError {
    assert!(!error.to_string().contains(char::is_control), "{error}");
    if let DecodeError::TooLarge { limit, decoded, .. } = &error {
        // One byte more was seen, and not handed out.
        assert_eq!((*limit, *decoded), (SizeLimit::Size(CAP), CAP + 1));
    }
    assert_eq!(decoder.decode(b"more", &mut [0; 9]), Err(error.clone()));
    assert_eq!(decoder.finish(&mut [0; 9]), Err(error.clone()));
    error
}
