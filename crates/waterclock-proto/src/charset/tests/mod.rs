//! Charsets: the rules one by one, then everything however it is cut.

mod any;
mod labels;
mod page;
mod rules;

use super::*;

/// Text, charset and reason for a body with that Content-Type.
fn read(content_type: &str, bytes: &[u8]) -> (String, &'static str, How) {
    let content_type = (!content_type.is_empty()).then_some(content_type.as_bytes());
    let decoded = decode(bytes, content_type, Fallback::Detect);
    (decoded.text.into_owned(), decoded.charset, decoded.how)
}

/// The same, of a body that arrives in pieces.
fn stream<'a>(
    content_type: &str,
    fallback: Fallback,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (String, &'static str, How, bool) {
    let content_type = (!content_type.is_empty()).then_some(content_type.as_bytes());
    let mut decoder = TextDecoder::new(content_type, fallback);
    let mut text = String::new();
    for piece in pieces {
        decoder.push(piece, &mut text);
    }
    decoder.finish(&mut text);
    decoder.push(b"after the end", &mut text);
    decoder.finish(&mut text);
    (text, decoder.charset().unwrap(), decoder.how().unwrap(), decoder.malformed())
}

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn utf32le(text: &str) -> Vec<u8> {
    text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect()
}

fn utf32be(text: &str) -> Vec<u8> {
    text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()
}
