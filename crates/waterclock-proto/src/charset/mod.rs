//! Charsets: bytes to text.
//!
//! Which charset a body has is decided by the first of these that says something:
//!
//! 1. a byte order mark, which no header overrules (as in the Encoding Standard);
//! 2. the `charset` parameter of the Content-Type, if it is one of the labels of the
//!    [Encoding Standard](https://encoding.spec.whatwg.org/#names-and-labels) or a common misspelling
//!    of one; another label says nothing;
//! 3. for HTML and XML, `<meta charset>`, `<meta http-equiv content>` or `<?xml encoding?>` within
//!    the first 1024 bytes;
//! 4. the type: JSON is UTF-8 (or, by its first bytes, UTF-16 or UTF-32), and so are event streams
//!    and lines of JSON;
//! 5. the bytes: what is UTF-8 is UTF-8; the rest is guessed by chardetng, which Firefox uses.
//!
//! requests knows 2 and half of 4, and takes ISO-8859-1 for every other `text/*`: see
//! [`Fallback::Latin1`]. What the charset cannot decode becomes U+FFFD, as there.

mod codec;
mod lines;
mod prescan;
mod rules;
mod stream;
#[cfg(test)]
mod tests;

pub use codec::Charset;
pub use lines::{LineTooLong, Lines, TextLines};
pub use stream::TextDecoder;

use rules::{Choice, Head, Rules};
use std::borrow::Cow;

/// What holds for `text/*` without a charset parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// The bytes are looked at: rules 3 to 5.
    #[default]
    Detect,
    /// ISO-8859-1, as RFC 2616 had it until 2014 and requests has it still. A byte order mark comes
    /// first also here; rules 3 to 5 hold for types other than `text/*`.
    Latin1,
}

/// What the choice of a charset rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A byte order mark.
    Bom,
    /// The `charset` parameter of the Content-Type, or the caller's word.
    Header,
    /// `<meta>` or `<?xml?>`.
    Meta,
    /// The bytes: they are UTF-8 beyond ASCII, or were guessed.
    Detected,
    /// Nothing but the type, or a body that is ASCII.
    Default,
}

/// A body as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without byte order mark; borrowed if the bytes were UTF-8.
    pub text: Cow<'a, str>,
    /// The charset's name in the Encoding Standard; or `ISO-8859-1`, `UTF-32LE`, `UTF-32BE`.
    pub charset: &'static str,
    /// What the choice rests on.
    pub how: How,
    /// Whether some bytes could not be decoded and became U+FFFD.
    pub malformed: bool,
}

/// Decodes a whole body.
///
/// ```
/// use waterclock_proto::charset::{Fallback, How, decode};
///
/// let page = decode(b"caf\xe9", Some(b"text/plain; charset=iso-8859-1"), Fallback::Detect);
/// assert_eq!((&*page.text, page.charset, page.how), ("café", "windows-1252", How::Header));
/// ```
#[must_use]
pub fn decode<'a>(bytes: &'a [u8], content_type: Option<&[u8]>, fallback: Fallback) -> Decoded<'a> {
    let Choice { charset, how, bom } = match Rules::new(content_type, fallback).head(bytes, true) {
        Head::Chosen(choice) => choice,
        Head::More | Head::Open => rules::detect(bytes, true),
    };
    let (text, malformed) = charset.decode_after_bom(bytes.get(bom..).unwrap_or_default());
    Decoded { text, charset: charset.name(), how, malformed }
}
