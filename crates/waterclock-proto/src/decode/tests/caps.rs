//! Bombs: what comes out is what was asked for, in bounded turns, up to the caps.

use super::*;
use std::sync::OnceLock;

/// 16 MB of zeros.
const BR_BOMB: [u8; 14] =
    [0x9f, 0xff, 0x23, 0xf4, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0x77, 0x83, 0x1e];
const MIB: u64 = 1 << 20;

/// Coded once: a debug build takes its time.
fn bombs() -> &'static [(&'static str, Vec<u8>)] {
    static BOMBS: OnceLock<Vec<(&'static str, Vec<u8>)>> = OnceLock::new();
    BOMBS.get_or_init(build_bombs)
}

fn build_bombs() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![0; 4_000_000];
    let mut bombs = coded(&zeros);
    bombs.retain(|(header, _)| *header != "br");
    bombs.push(("br", BR_BOMB.to_vec()));
    bombs.push(("gzip, gzip", gzip(&gzip(&zeros))));
    bombs.push(("br, gzip, zstd", zstd(&gzip(&BR_BOMB))));
    bombs
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// urllib3: a read of a few bytes decompressed everything at hand.
#[test]
fn cve_2025_66471_no_more_comes_out_than_asked_for() {
    for (header, body) in bombs() {
        let mut decoder = decoder(header);
        let mut room = [7; 10];
        let progress = decoder.decode(body, &mut room).unwrap();
        assert_eq!((progress.produced, progress.state), (10, State::OutputFull), "{header}");
        assert_eq!(decoder.decoded(), 10);
    }
}

/// However large the room is: filling it takes as long, and the caller has limits to look at.
#[test]
fn one_call_fills_no_more_than_a_part_of_a_large_room() {
    let mut room = vec![7; 1 << 20];
    for (header, body) in bombs() {
        let mut decoder = decoder(header);
        let progress = decoder.decode(body, &mut room).unwrap();
        assert_eq!(progress.state, State::OutputFull, "{header}");
        assert!(progress.produced > 0 && progress.produced <= 64 * 1024, "{header}");
    }
}

/// urllib3: the second read of a brotli body was not bounded, nor was draining after a partial read.
#[test]
fn cve_2026_44432_the_second_read_is_bounded_too() {
    for (header, body) in bombs() {
        let mut decoder = decoder(header);
        let mut rest = &body[..];
        for turn in 1..=20 {
            let progress = decoder.decode(rest, &mut [0; 100]).unwrap();
            rest = &rest[progress.consumed..];
            assert_eq!(progress.produced, 100, "{header}");
            assert_eq!(decoder.decoded(), turn * 100);
        }
        let progress = decoder.finish(&mut [0; 100]);
        // Fed in full or not, no more than asked for.
        assert!(progress.map_or(0, |progress| progress.produced) <= 100);
    }
}

#[test]
fn the_size_cap_hands_out_everything_below_it() {
    let limits = DecodeLimits { max_size: Some(MIB), max_ratio: None };
    for (header, body) in bombs() {
        for room in [1000, 4 << 20] {
            let mut decoder = limited(header, limits);
            let (out, result) = run(&mut decoder, [&body[..]], room);
            assert_eq!(out.len() as u64, MIB, "{header}");
            let error = result.unwrap_err();
            assert!(error.is_limit());
            let DecodeError::TooLarge { limit, .. } = error else { panic!("{error}") };
            assert_eq!(limit, SizeLimit::Size(MIB));
            assert_eq!(decoder.decode(b"", &mut [0]), Err(error)); // and stays so
        }
    }
}

#[test]
fn the_size_cap_is_inclusive() {
    let length = text().len() as u64;
    for (header, body) in coded(&text()) {
        let cap = |max| DecodeLimits { max_size: Some(max), max_ratio: None };
        for room in [1, 7, 10_000] {
            let (out, result) = run(&mut limited(header, cap(length)), [&body[..]], room);
            assert_eq!((out, result), (text(), Ok(())), "{header}");
            let (out, result) = run(&mut limited(header, cap(length - 1)), [&body[..]], room);
            assert_eq!(out, text()[..text().len() - 1], "{header}");
            assert!(result.unwrap_err().is_limit());
        }
        let (out, result) = run(&mut limited(header, cap(0)), [&body[..]], 10);
        assert!(out.is_empty() && result.unwrap_err().is_limit());
        assert_eq!(run(&mut limited(header, cap(0)), [], 10), (vec![], Ok(())));
    }
}

#[test]
fn the_ratio_cap_stops_bombs_soon_after_its_floor() {
    let limits = DecodeLimits { max_size: None, max_ratio: Some(100) };
    for (header, body) in bombs() {
        let mut decoder = limited(header, limits);
        let (out, result) = run(&mut decoder, body.chunks(500), 8192);
        let out = out.len() as u64;
        assert!((MIB - 8192..3 * MIB).contains(&out), "{header}: {out}");
        let error = result.unwrap_err();
        let DecodeError::TooLarge { limit, coded, decoded } = error else { panic!("{error}") };
        assert_eq!(limit, SizeLimit::Ratio(100));
        assert!(decoded > coded * 100);
    }
}

#[test]
fn the_ratio_cap_spares_small_and_honest_bodies() {
    let limits = DecodeLimits { max_size: None, max_ratio: Some(20) };
    let small = vec![0; 1 << 20];
    let (out, result) = run(&mut limited("gzip", limits), [&gzip(&small)[..]], 4096);
    assert_eq!((out.len(), result), (1 << 20, Ok(())));

    let honest = noise(2 << 20);
    for (header, body) in coded(&honest) {
        let (out, result) = run(&mut limited(header, limits), [&body[..]], 65536);
        assert!(out == honest && result.is_ok(), "{header}");
    }
}

/// Input is not read ahead of what is asked for, so nothing is piled up inside.
#[test]
fn a_chain_holds_back_the_input() {
    let body = gzip(&zlib(&br(&zlib(&gzip(&noise(1 << 20))))));
    let mut decoder = decoder("gzip, deflate, br, deflate, gzip");
    let mut consumed = 0;
    for turn in 1..=100 {
        let progress = decoder.decode(&body[consumed..], &mut [0; 100]).unwrap();
        assert_eq!((progress.produced, progress.state), (100, State::OutputFull));
        consumed += progress.consumed;
        assert!(consumed < turn * 100 + 300_000, "{consumed}");
    }
}

/// curl 7.88 overran its deadline by seconds while it inflated: a call ends even if nothing comes out.
#[test]
fn a_call_ends_soon_even_if_nothing_comes_out() {
    // 3 MB of empty stored blocks inside gzip, which is 3 kB when compressed once more.
    let mut nothing = gzip(b"")[..10].to_vec();
    nothing.extend(b"\0\0\0\xff\xff".repeat(600_000));
    let body = gzip(&nothing);
    let mut decoder = decoder("gzip, gzip");
    let (mut rest, mut calls) = (&body[..], 0);
    loop {
        let progress = decoder.decode(rest, &mut [0; 100]).unwrap();
        assert_eq!(progress.produced, 0);
        rest = &rest[progress.consumed..];
        calls += 1;
        if progress.state == State::NeedInput {
            break;
        }
    }
    assert!(rest.is_empty());
    assert!((3..30).contains(&calls), "{calls} calls for 3 MB");
}
