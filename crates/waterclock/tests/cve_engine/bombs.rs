//! Bodies that become far more than they were.

use flate2::{Compress, Compression, FlushCompress, write::GzEncoder, write::ZlibEncoder};
use std::io::Write as _;

pub(crate) const MIB: usize = 1 << 20;
/// 16 MB of zeros.
pub(crate) const BR_BOMB: [u8; 14] =
    [0x9f, 0xff, 0x23, 0xf4, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0x77, 0x83, 0x1e];

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(text: &[u8]) -> Vec<u8> {
    let mut coded = vec![0; zstd_safe::compress_bound(text.len())];
    let length = zstd_safe::compress(&mut coded[..], text, 19).unwrap();
    coded.truncate(length);
    coded
}

/// `count` times `text` in bare deflate. Each piece is compressed without a look at the one before,
/// so that it has to be compressed only once.
pub(crate) fn deflate_of(text: &[u8], count: usize) -> Vec<u8> {
    let mut piece = Vec::with_capacity(text.len() + 100);
    let mut compress = Compress::new(Compression::best(), false);
    compress.compress_vec(text, &mut piece, FlushCompress::Full).unwrap();
    [piece.repeat(count), b"\x03\0".to_vec()].concat()
}

/// Bodies that become `mib` MiB of zeros (br: 16 MB), by their Content-Encoding.
pub(crate) fn bombs(mib: usize) -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![0; MIB];
    vec![
        ("gzip", gzip(&zeros).repeat(mib)),
        ("deflate", deflate_of(&zeros, mib)),
        ("zstd", zstd(&zeros).repeat(mib)),
        ("br", BR_BOMB.to_vec()),
        ("br, gzip", gzip(&BR_BOMB)),
        ("gzip, gzip", gzip(&gzip(&zeros).repeat(mib))),
    ]
}
