//! Two other parsers of responses, and what they make of the same bytes. Neither shares code with
//! ours, which reads heads with httparse: kawa is Sōzu's, milo-parser is from the circle of Node.js.

use kawa::{Block, BodySize, Buffer, Kind, SliceBuffer, StatusLine};
use milo_parser as milo;
use std::cell::RefCell;
use waterclock_proto::h1::Framing;

/// What a parser has found in the answer to a GET.
#[derive(Debug, Default, PartialEq)]
pub struct Seen {
    pub status: u16,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub framed: Framed,
    pub body: Vec<u8>,
    /// Where the message ends, if it is all there. One that the connection ends has no end here.
    pub end: Option<usize>,
}

/// How the body's end is found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Framed {
    Length(u64),
    Chunked,
    #[default]
    UntilClose,
}

impl From<Framing> for Framed {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Framed::Length(length),
            Framing::Chunked => Framed::Chunked,
            Framing::UntilClose => Framed::UntilClose,
            Framing::None | Framing::Upgrade | Framing::Tunnel => Framed::Length(0),
        }
    }
}

/// Fields as they are compared, apart from those that kawa takes out once it has understood them.
pub fn fields<'a>(raw: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<(Vec<u8>, Vec<u8>)> {
    raw.map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
        .filter(|(name, _)| !matches!(name.as_slice(), b"host" | b"content-length"))
        .collect()
}

/// What kawa makes of `input`, or `None` if it is refused or the head is not all there.
pub fn by_kawa(input: &[u8]) -> Option<Seen> {
    let mut copy = without_cookie(input);
    let mut buffer = Buffer::new(SliceBuffer(&mut copy));
    buffer.end = input.len();
    let mut kawa = kawa::Kawa::new(Kind::Response, buffer);
    kawa::h1::parse(&mut kawa, &mut kawa::h1::NoCallbacks);
    let StatusLine::Response { code, .. } = kawa.detached.status_line else { return None };
    if kawa.is_error() || !(kawa.is_main_phase() || kawa.is_terminated()) {
        return None;
    }
    let framed = match kawa.body_size {
        BodySize::Empty => Framed::UntilClose,
        BodySize::Chunked => Framed::Chunked,
        BodySize::Length(length) => Framed::Length(length as u64),
    };
    let (mut raw, mut body, mut in_body) = (Vec::new(), Vec::new(), false);
    for block in &kawa.blocks {
        match block {
            Block::Header(pair) if !in_body && !pair.is_elided() => {
                raw.push((pair.key.data(input), pair.val.data(input)));
            }
            Block::Chunk(chunk) => body.extend_from_slice(chunk.data.data(input)),
            Block::Flags(flags) => in_body |= flags.end_header,
            _ => {}
        }
    }
    let end = kawa.is_terminated().then_some(kawa.storage.head);
    Some(Seen { status: code, fields: fields(raw.into_iter()), framed, body, end })
}

/// kawa takes a field `Cookie` apart, as a request has it; in a response it is a field like others.
fn without_cookie(input: &[u8]) -> Vec<u8> {
    let mut copy = input.to_vec();
    let head = copy.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
    for at in 0..head {
        let name = &mut copy[at..head];
        if name.len() >= 8 && name[..8].eq_ignore_ascii_case(b"\ncookie:") {
            name[1..7].copy_from_slice(b"kookie");
        }
    }
    copy
}

/// What milo's callbacks have told: places in the slice that it was given.
#[derive(Default)]
struct Told {
    names: Vec<[usize; 2]>,
    values: Vec<[usize; 2]>,
    data: Vec<[usize; 2]>,
    end: Option<usize>,
}

thread_local! {
    static PARSER: RefCell<milo::Parser> = RefCell::new(milo_parser());
    static TOLD: RefCell<Told> = RefCell::default();
}

fn milo_parser() -> milo::Parser {
    let mut parser = milo::Parser::new();
    parser.autodetect = false;
    parser.active_callbacks = milo::CALLBACK_ACTIVE_ALL;
    parser.callbacks.on_header_name =
        |_, at, length| tell(|told| told.names.push([at, at + length]));
    parser.callbacks.on_header_value =
        |_, at, length| tell(|told| told.values.push([at, at + length]));
    parser.callbacks.on_data = |_, at, length| tell(|told| told.data.push([at, at + length]));
    parser.callbacks.on_message_complete = |_, at, _| tell(|told| told.end = told.end.or(Some(at)));
    parser
}

/// Notes what belongs to the first message.
fn tell(note: impl FnOnce(&mut Told)) {
    TOLD.with_borrow_mut(|told| {
        if told.end.is_none() {
            note(told);
        }
    });
}

fn milo_parse(parser: &mut milo::Parser, input: &[u8]) -> (usize, Told) {
    TOLD.take();
    let used = parser.parse(input.as_ptr(), input.len());
    (used, TOLD.take())
}

/// What milo makes of `input`, or `None` if it is refused or the head is not all there.
pub fn by_milo(input: &[u8]) -> Option<Seen> {
    PARSER.with_borrow_mut(|parser| {
        parser.reset(false);
        parser.is_request = false;
        parser.suspend_after_headers = true;
        let (head, in_head) = milo_parse(parser, input);
        if parser.state != milo::STATE_BODY_DECISION {
            return None;
        }
        let status = u16::try_from(parser.status).ok()?;
        let framed = match () {
            () if matches!(status, 100..200 | 204 | 205 | 304) => Framed::Length(0),
            () if parser.has_content_length => Framed::Length(parser.content_length),
            () if parser.has_chunked_transfer_encoding => Framed::Chunked,
            () => Framed::UntilClose,
        };
        parser.suspend_after_headers = false;
        let (_, told) = milo_parse(parser, &input[head..]);
        let tunnel = parser.state == milo::STATE_TUNNEL;
        if told.end.is_none() && parser.state == milo::STATE_ERROR {
            return None;
        }
        let part = |&[from, to]: &[usize; 2]| &input[from..to];
        let raw = in_head.names.iter().map(part).zip(in_head.values.iter().map(part));
        let body = told.data.iter().flat_map(|&[from, to]| &input[head + from..head + to]);
        Some(Seen {
            status,
            fields: fields(raw),
            framed,
            body: body.copied().collect(),
            end: told.end.or(tunnel.then_some(0)).map(|at| head + at),
        })
    })
}
