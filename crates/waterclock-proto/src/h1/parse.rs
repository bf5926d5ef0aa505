//! A head that is all there becomes a [`ResponseHead`]; httparse does the work.

use super::Caps;
use super::error::{LineFault, ProtocolError};
use super::scan::Found;
use crate::message::{
    Entry, Headers, Reason, ResponseHead, Version, find_non_token, snippet_of_field,
};
use httparse::{Header, ParserConfig, Response, Status};
use std::mem::MaybeUninit;

/// Fields of most heads. More of them are parsed twice, and cost an allocation for the parser's table.
const USUAL_FIELDS: usize = 128;

/// The way that nearly all heads go: `input` begins with one, and nothing about it is unusual.
///
/// Whatever else comes is for [`Scan`](super::scan::Scan) and [`scanned`], which would find the same
/// here, but look at each byte once more.
pub(super) fn usual(input: &[u8], caps: &Caps) -> Option<(usize, ResponseHead)> {
    let visible = input.get(..caps.head_bytes).unwrap_or(input);
    let mut table = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let table = &mut table[..caps.fields.min(USUAL_FIELDS)];
    let (used, head) = parse(visible, false, table)?;
    // httparse takes these; we have an opinion about them.
    let usual = visible.starts_with(b"HTTP/") && head.status >= 100;
    usual.then_some((used, head))
}

/// Parses the head that the scan has found in `input`.
pub(super) fn scanned(input: &[u8], found: &Found) -> Result<ResponseHead, ProtocolError> {
    let head = input.get(found.start..found.end).unwrap_or_default();
    let mut table = vec![MaybeUninit::uninit(); found.fields];
    match parse(head, found.folded, &mut table) {
        Some((used, parsed)) if used == head.len() => Ok(parsed),
        _ => Err(diagnose(head)),
    }
}

fn parse<'a>(
    input: &'a [u8],
    folded: bool,
    table: &mut [MaybeUninit<Header<'a>>],
) -> Option<(usize, ResponseHead)> {
    let mut response = Response::new(&mut []);
    let mut config = ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(folded);
    let Ok(Status::Complete(used)) =
        config.parse_response_with_uninit_headers(&mut response, input, table)
    else {
        return None;
    };
    let (status_line, fields) = split_line(&input[..used]);
    let mut block = fields.to_vec();
    if folded {
        unfold(&mut block);
    }
    let version = if response.version? == 0 { Version::Http10 } else { Version::Http11 };
    let status = response.code?;
    // httparse would give no reason where it is not ASCII.
    let reason = Reason::received(status, status_line.get(13..).unwrap_or_default());
    let headers = headers_of(block, fields, response.headers);
    Some((used, ResponseHead { version, status, reason, headers }))
}

/// Parses a trailer section, blank line included. It has no control bytes but CR, LF and HTAB.
pub(super) fn trailers(section: &[u8], cap: usize) -> Result<Headers, ProtocolError> {
    let lines = section.iter().filter(|&&byte| byte == b'\n').count().saturating_sub(1);
    if lines > cap {
        return Err(ProtocolError::TooManyFields { cap });
    }
    let mut table = vec![httparse::EMPTY_HEADER; lines];
    match httparse::parse_headers(section, &mut table) {
        Ok(Status::Complete((length, fields))) if length == section.len() => {
            Ok(headers_of(section.to_vec(), section, fields))
        }
        _ => {
            let (fault, line, text) = wrong_line(section, false);
            Err(ProtocolError::Trailer { fault, line, text })
        }
    }
}

/// The table of offsets into `block`, a copy of `origin` in which the parser's slices lie.
fn headers_of(block: Vec<u8>, origin: &[u8], fields: &[Header<'_>]) -> Headers {
    let base = origin.as_ptr().addr();
    let range = |part: &[u8]| {
        let start = part.as_ptr().addr().wrapping_sub(base);
        // A head is at most `u32::MAX` bytes: see `ResponseReader::new`.
        #[allow(clippy::cast_possible_truncation)]
        (start as u32, (start + part.len()) as u32)
    };
    let entries = fields
        .iter()
        .map(|field| Entry { name: range(field.name.as_bytes()), value: range(field.value) })
        .collect();
    Headers::from_parsed(block, entries)
}

/// RFC 9112 §5.2: an obs-fold is replaced by spaces. Line ends *between* fields become spaces too;
/// no offset points at them.
fn unfold(block: &mut [u8]) {
    for byte in block.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')) {
        *byte = b' ';
    }
}

/// The first line without its end, and what follows it.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = text.iter().position(|&byte| byte == b'\n') else { return (text, &[]) };
    let line = &text[..at];
    (line.strip_suffix(b"\r").unwrap_or(line), &text[at + 1..])
}

/// The scan has let the status line pass, up to its code: it is the reason or a field.
fn diagnose(head: &[u8]) -> ProtocolError {
    let (status_line, fields) = split_line(head);
    if let Some(offset) = status_line.iter().position(|&byte| byte == 0x7f) {
        return ProtocolError::ControlByte { byte: 0x7f, offset };
    }
    let (fault, line, text) = wrong_line(fields, true);
    ProtocolError::Field { fault, line: line + 1, text }
}

/// The line that httparse stumbled over, and why. It does not say, and only errors need to know.
fn wrong_line(fields: &[u8], folds: bool) -> (LineFault, usize, Box<str>) {
    let mut rest = fields;
    let mut number = 0;
    loop {
        let (line, behind) = split_line(rest);
        number += 1;
        if let Some(fault) = fault_of(line, folds && number > 1) {
            return (fault, number, snippet_of_field(line));
        }
        if behind.is_empty() {
            return (LineFault::LineEnd, number, snippet_of_field(line));
        }
        rest = behind;
    }
}

fn fault_of(line: &[u8], may_fold: bool) -> Option<LineFault> {
    let colon = line.iter().position(|&byte| byte == b':');
    match (line.first()?, colon) {
        (b' ' | b'\t', _) if may_fold => value_fault(line),
        (b' ' | b'\t', _) => Some(LineFault::LeadingSpace),
        (_, None) => Some(LineFault::NoColon),
        (_, Some(0)) => Some(LineFault::EmptyName),
        (_, Some(colon)) => name_fault(&line[..colon]).or_else(|| value_fault(&line[colon..])),
    }
}

fn name_fault(name: &[u8]) -> Option<LineFault> {
    let wrong = find_non_token(name)?;
    let only_space = name[wrong..].iter().all(|byte| matches!(byte, b' ' | b'\t'));
    Some(if only_space { LineFault::SpaceBeforeColon } else { LineFault::Name(name[wrong]) })
}

/// The scan has refused all control bytes but this one.
fn value_fault(value: &[u8]) -> Option<LineFault> {
    value.contains(&0x7f).then_some(LineFault::Value(0x7f))
}
