//! Shared by the tests of all codings: encoders, and a caller who checks the contract at each call.

mod any;
mod caps;
mod codings;
mod header;

use super::*;
use flate2::{Compression, write};
use std::io::Write;
use zstd_safe::{CCtx, CParameter};

/// What the `br` fixture decodes to, too.
fn text() -> Vec<u8> {
    let mut text = b"water, water, every where, nor any drop to drink; ".repeat(40);
    text.extend(0..=255);
    text
}

/// [`text`] as compressed by the reference encoder at level 11.
const BR_TEXT: &str = "1bcf08889c87b131b3f8a1bd1f776261a8446960dbc6be64b50ece2b39ef1407e7a5bc5dceb0f\
    79275b52ed59d7e096e517c011c72e0f0ed609944042904cd384e2489c2d9df78325c1088565e49d4981ba0f1c2f109\
    631cd60602f92ee425bdebfe1d00319c20299a61395e102559c184322ea4d2aaa61ba6653baee7076114276996176555\
    376dd70fe3342febb61fe7856eeb7c882997dafa98cbbaedc779ddcffbfdcffbfd0008c1088ae10449d10ccbf18228c9\
    8aaae98669d98eebf94118c5499ae54559d54ddbf5c338cdcbbaedc779ddcffbfdfe00821114c30992a21996e3055192\
    1555d30dd3b21dd7f383308a9334cb8bb2aa9bb6eb87719a9775db8ff3ba9ff7fb01";

fn unhex(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// `br` without compression: a 64 KiB window and stored meta-blocks (RFC 7932 §9.2).
fn br(text: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    for (index, block) in text.chunks(1 << 16).enumerate() {
        let length = u32::try_from(block.len() - 1).unwrap();
        let mut bits = length << 3 | 1 << 19;
        if index == 0 {
            bits <<= 1; // WBITS
        }
        coded.extend_from_slice(&bits.to_le_bytes()[..3]);
        coded.extend_from_slice(block);
    }
    coded.push(if text.is_empty() { 6 } else { 3 });
    coded
}

fn zstd_with(text: &[u8], parameters: &[CParameter]) -> Vec<u8> {
    let mut encoder = CCtx::create();
    encoder.set_parameter(CParameter::ChecksumFlag(true)).unwrap();
    for &parameter in parameters {
        encoder.set_parameter(parameter).unwrap();
    }
    let mut coded = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
    encoder.compress2(&mut coded, text).unwrap();
    coded
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd_with(text, &[])
}

/// All ways to code `text`: the header, and the body.
fn coded(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gzip", gzip(text)),
        ("deflate", zlib(text)),
        ("deflate", raw_deflate(text)),
        ("br", br(text)),
        ("zstd", zstd(text)),
    ]
}

fn limited(header: &str, limits: DecodeLimits) -> Decoder {
    Decoder::from_content_encoding([header.as_bytes()], limits).unwrap().unwrap()
}

fn decoder(header: &str) -> Decoder {
    limited(header, DecodeLimits::default())
}

/// Decodes pieces of a body with `room` bytes of room at a time, and checks at each call that
/// something moves, or that it says what it waits for.
fn run<'a>(
    decoder: &mut Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    room: usize,
) -> (Vec<u8>, Result<(), DecodeError>) {
    let (mut out, mut buffer) = (Vec::new(), vec![0; room]);
    for piece in pieces {
        let mut rest = piece;
        loop {
            let progress = match decoder.decode(rest, &mut buffer) {
                Ok(progress) => progress,
                Err(error) => return (out, Err(error)),
            };
            out.extend_from_slice(&buffer[..progress.produced]);
            rest = &rest[progress.consumed..];
            match progress.state {
                State::OutputFull => {}
                State::NeedInput => {
                    assert!(rest.is_empty(), "asks for input and leaves some");
                    break;
                }
                State::Done => {
                    assert!(rest.is_empty(), "done, and leaves input");
                    break;
                }
            }
        }
    }
    loop {
        let progress = match decoder.finish(&mut buffer) {
            Ok(progress) => progress,
            Err(error) => return (out, Err(error)),
        };
        out.extend_from_slice(&buffer[..progress.produced]);
        match progress.state {
            State::Done => return (out, Ok(())),
            State::NeedInput => panic!("asks for input after the end"),
            State::OutputFull => assert!(progress.produced > 0, "stands still after the end"),
        }
    }
}

fn decode(header: &str, body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let (out, result) = run(&mut decoder(header), [body], 4096);
    result.map(|()| out)
}

/// The fault, without its offsets.
fn fault(header: &str, body: &[u8]) -> String {
    match decode(header, body) {
        Err(DecodeError::Malformed { what, .. }) => what.into_owned(),
        other => panic!("not malformed: {other:?}"),
    }
}

fn is_truncated(header: &str, body: &[u8]) -> bool {
    matches!(decode(header, body), Err(DecodeError::Truncated { .. }))
}
