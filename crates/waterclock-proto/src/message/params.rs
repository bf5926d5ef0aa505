//! Parameters, `; name=value` (RFC 9110 §5.6.6), read as leniently as servers write them.

use super::{is_token_byte, trim};
use encoding_rs::mem::decode_latin1;

/// Takes the next parameter from the front of `rest`: its name in lower case and its value, empty
/// if it has none. `None` where the list ends: at a `,` or at the end.
///
/// Repeated semicolons, white space around `=`, a quote that is never closed and whatever stands
/// between a closed quote and the next `;` are passed over.
pub(crate) fn take_param(rest: &mut &[u8]) -> Option<(String, String)> {
    loop {
        while let [b';' | b' ' | b'\t', after @ ..] = *rest {
            *rest = after;
        }
        if matches!(rest.first(), None | Some(b',')) {
            return None;
        }
        let name = trim(take_until(rest, b"=;,"));
        let value = match *rest {
            [b'=', after @ ..] => {
                *rest = trim_start(after);
                take_value(rest)
            }
            _ => String::new(),
        };
        if !name.is_empty() {
            return Some((to_text(name).to_ascii_lowercase(), value));
        }
    }
}

/// Everything before the first of `ends`, or all.
pub(crate) fn take_until<'a>(rest: &mut &'a [u8], ends: &[u8]) -> &'a [u8] {
    let end = rest.iter().position(|byte| ends.contains(byte)).unwrap_or(rest.len());
    let (taken, after) = rest.split_at(end);
    *rest = after;
    taken
}

/// What the peer wrote: UTF-8, or else ISO-8859-1, which everything is (RFC 9110 §5.5).
pub(crate) fn to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => decode_latin1(bytes).into_owned(),
    }
}

/// Whether this is `1*tchar`.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

fn take_value(rest: &mut &[u8]) -> String {
    let [b'"', after @ ..] = *rest else { return to_text(trim(take_until(rest, b";,"))) };
    *rest = after;
    let mut value = Vec::new();
    while let [byte, after @ ..] = *rest {
        *rest = after;
        match (byte, after) {
            (b'"', _) => break,
            (b'\\', [escaped, after @ ..]) => {
                value.push(*escaped);
                *rest = after;
            }
            _ => value.push(*byte),
        }
    }
    take_until(rest, b";,");
    to_text(&value)
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}
