//! Work that must stay proportional to the input.

use super::*;

/// A head that comes byte by byte is looked at once: 64 KB of it in 64,000 calls. Were each call
/// to look at everything, this would be 2,000 million steps, half a minute in a debug build.
#[test]
fn a_dripping_head_is_not_quadratic() {
    let input = format!("HTTP/1.1 204 None\r\nX: {}\r\n\r\n", "y".repeat(64_000));
    let mut reader = ResponseReader::new(&Method::Get, Caps::default());
    for end in 0..input.len() {
        let step = reader.read_head(&input.as_bytes()[..end]);
        assert!(matches!(step, Ok(HeadStep::Incomplete)));
    }
    let step = reader.read_head(input.as_bytes());
    assert!(matches!(step, Ok(HeadStep::Head { .. })));
}

/// A response fits into few cache lines: it is moved by value.
#[test]
fn steps_stay_small() {
    assert!(size_of::<BodyReader>() <= 128, "{}", size_of::<BodyReader>());
    assert!(size_of::<HeadStep>() <= 224, "{}", size_of::<HeadStep>());
}
