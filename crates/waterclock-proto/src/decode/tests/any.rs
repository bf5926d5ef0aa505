//! However a body is cut, and whatever it is.

use super::*;
use proptest::prelude::*;

#[test]
fn every_split_and_every_room_decodes_the_same() {
    let text = &text()[1700..];
    let mut all = coded(text);
    all.push(("br, zstd, deflate, gzip, gzip", gzip(&gzip(&zlib(&zstd(&br(text)))))));
    for (header, body) in all {
        for cut in 0..=body.len() {
            let (out, result) = run(&mut decoder(header), [&body[..cut], &body[cut..]], 4096);
            assert!(out == text && result.is_ok(), "{header} cut at {cut}");
        }
        for piece in 1..24 {
            for room in 1..24 {
                let (out, result) = run(&mut decoder(header), body.chunks(piece), room);
                assert!(out == text && result.is_ok(), "{header}: {piece} into {room}");
            }
        }
    }
    let body = unhex(BR_TEXT);
    for size in 1..64 {
        let (out, result) = run(&mut decoder("br"), body.chunks(size), 64 - size);
        assert!(out == super::text() && result.is_ok(), "br by {size}");
    }
}

#[test]
fn chains_are_undone_from_the_outside() {
    let body = zstd(&br(&zlib(&gzip(&raw_deflate(&text())))));
    assert_eq!(decode("deflate, gzip, deflate, br, zstd", &body).unwrap(), text());
    let names = [&b"deflate, gzip"[..], b"deflate", b"br, zstd"];
    let decoder = Decoder::from_content_encoding(names, DecodeLimits::default());
    let (out, result) = run(&mut decoder.unwrap().unwrap(), body.chunks(3), 5);
    assert_eq!((out, result), (text(), Ok(())));
    assert!(decode("gzip, deflate", &gzip(&zlib(b"the wrong way round"))).is_err());
}

#[test]
fn a_chain_says_which_coding_is_at_fault() {
    let body = gzip(&zlib(&text()));
    let cut = gzip(&zlib(&text())[..20]);
    let inner = decode("deflate, gzip", &cut).unwrap_err();
    assert_eq!(inner.coding(), Some(Coding::Deflate));
    assert!(matches!(inner, DecodeError::Truncated { coded: 20, .. }), "{inner}");
    let outer = decode("deflate, gzip", &body[..body.len() - 30]).unwrap_err();
    assert_eq!(outer.coding(), Some(Coding::Gzip));
    let junk = decode("br, gzip", &gzip(b"<html></html>")).unwrap_err();
    assert_eq!(junk.coding(), Some(Coding::Br));
}

#[test]
fn messages_name_coding_fault_and_place() {
    let mut body = gzip(&text());
    *body.last_mut().unwrap() ^= 1;
    let (coded, decoded) = (body.len(), text().len());
    assert_eq!(
        decode("gzip", &body).unwrap_err().to_string(),
        format!(
            "the body is not valid gzip: incorrect length check (after {coded} coded and {decoded} \
             decoded bytes)"
        )
    );
    assert_eq!(
        decode("zstd", &zstd(b"x")[..5]).unwrap_err().to_string(),
        "the zstd stream is cut short after 5 coded and 0 decoded bytes"
    );
}

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

/// Runs to the end, whatever that is; `run` panics if the decoder turns on the spot.
fn survive(header: &str, body: &[u8], piece: usize, room: usize) -> Vec<u8> {
    let limits = DecodeLimits { max_size: Some(1 << 20), max_ratio: None };
    run(&mut limited(header, limits), body.chunks(piece), room).0
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        header in prop::sample::select(&HEADERS[..]),
        magic in prop::sample::select(vec![&b""[..], b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"x\x9c"]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
        piece in 1_usize..50,
        room in 1_usize..50,
    ) {
        let body = [magic, &tail].concat();
        let by_pieces = survive(header, &body, piece, room);
        let at_once = survive(header, &body, body.len().max(1), 5000);
        // On a fault, more or less of what comes before it may have been handed out already.
        assert!(at_once.starts_with(&by_pieces) || by_pieces.starts_with(&at_once));
    }

    #[test]
    fn damaged_bodies_never_panic(
        which in 0_usize..6,
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        piece in 1_usize..100,
        room in 1_usize..100,
    ) {
        let mut all = coded(&text());
        all.push(("br", unhex(BR_TEXT)));
        let (header, mut body) = all.swap_remove(which);
        let at = at.index(body.len());
        body[at] ^= flip;
        survive(header, &body, piece, room);
    }

    #[test]
    fn whatever_is_coded_comes_out_again(
        text in prop::collection::vec(0_u8..4, 0..5000),
        piece in 1_usize..500,
        room in 1_usize..500,
    ) {
        for (header, body) in coded(&text) {
            let (out, result) = run(&mut decoder(header), body.chunks(piece), room);
            assert_eq!((&out, result), (&text, Ok(())), "{header}");
        }
    }
}
