//! A connection as the client drives it: a buffer, a reader for the head, a reader for the body.

use waterclock_proto::h1::{
    BodyReader, BodyState, Caps, Framing, HeadStep, ProtocolError, ResponseReader,
};
use waterclock_proto::message::{Headers, Method, ResponseHead};

/// How far it came.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The final head, and where in the input it begins and ends.
    pub head: Option<(ResponseHead, [usize; 2], Framing)>,
    pub content: Vec<u8>,
    pub trailers: Option<Headers>,
    /// How many bytes of input were used.
    pub used: usize,
    pub end: End,
}

#[derive(Debug, PartialEq)]
pub enum End {
    /// The message is all there.
    Done,
    /// More has to come.
    Waiting,
    Failed(ProtocolError),
}

/// Caps that short inputs run into.
pub const SMALL: Caps = Caps {
    head_bytes: 120,
    fields: 4,
    chunk_line: 12,
    chunk_extensions: 20,
    trailer_bytes: 24,
    informational: 2,
    body_bytes: 30,
};

pub struct Reading {
    reader: ResponseReader,
    open: Option<(ResponseHead, BodyReader)>,
    place: [usize; 2],
    buffer: Vec<u8>,
    content: Vec<u8>,
    used: usize,
}

impl Reading {
    pub fn new(method: &Method, caps: Caps) -> Self {
        Reading {
            reader: ResponseReader::new(method, caps),
            open: None,
            place: [0; 2],
            buffer: Vec::new(),
            content: Vec::new(),
            used: 0,
        }
    }

    /// Hands over a piece. With `direct`, content that is certain bypasses the buffer.
    pub fn feed(&mut self, mut bytes: &[u8], direct: bool) -> Result<(), ProtocolError> {
        if let (true, true, Some((_, body))) = (direct, self.buffer.is_empty(), &mut self.open) {
            let allowed = body.direct().unwrap_or(0);
            let taken = usize::try_from(allowed).unwrap_or(usize::MAX).min(bytes.len());
            body.advance(taken as u64);
            self.content.extend_from_slice(&bytes[..taken]);
            self.used += taken;
            bytes = &bytes[taken..];
        }
        self.buffer.extend_from_slice(bytes);
        if self.open.is_none() && !self.read_head()? {
            return Ok(());
        }
        self.read_body()
    }

    fn read_head(&mut self) -> Result<bool, ProtocolError> {
        loop {
            match self.reader.read_head(&self.buffer)? {
                HeadStep::Incomplete => return Ok(false),
                HeadStep::Informational { used, status, .. } => {
                    assert!(matches!(status, 100 | 102..=199), "{status} is not interim");
                    self.take(used);
                }
                HeadStep::Head { used, head, body } => {
                    assert!(matches!(head.status, 101 | 200..=999), "{}", head.status);
                    self.place = [self.used, self.used + used];
                    self.take(used);
                    self.open = Some((head, body));
                    return Ok(true);
                }
            }
        }
    }

    fn take(&mut self, used: usize) {
        self.buffer.drain(..used);
        self.used += used;
    }

    fn read_body(&mut self) -> Result<(), ProtocolError> {
        let Some((_, body)) = &mut self.open else { return Ok(()) };
        let mut at = 0;
        let end = loop {
            let step = match body.next(&self.buffer[at..]) {
                Ok(step) => step,
                Err(error) => break Err(error),
            };
            let data = at + step.skip;
            at = data + step.data;
            self.content.extend_from_slice(&self.buffer[data..at]);
            assert_eq!(body.received(), self.content.len() as u64);
            assert_eq!(step.state == BodyState::Done, body.is_done());
            match step.state {
                BodyState::More => assert!(step.skip + step.data > 0, "every step gets on"),
                BodyState::NeedInput => {
                    assert_eq!(at, self.buffer.len());
                    break Ok(());
                }
                BodyState::Done => break Ok(()),
            }
        };
        self.take(at);
        end
    }

    pub fn finish(mut self, fed: Result<(), ProtocolError>, close: bool) -> Outcome {
        let ended = fed.and_then(|()| match &mut self.open {
            _ if !close => Ok(()),
            None => Err(self.reader.eof()),
            Some((_, body)) => body.eof(),
        });
        let done = self.open.as_ref().is_some_and(|(_, body)| body.is_done());
        let trailers = self.open.as_ref().and_then(|(_, body)| body.trailers().cloned());
        let end = match ended {
            Err(error) => End::Failed(error),
            Ok(()) if done => End::Done,
            Ok(()) => End::Waiting,
        };
        let head = self.open.map(|(head, body)| (head, self.place, body.framing()));
        Outcome { head, content: self.content, trailers, used: self.used, end }
    }
}

/// Reads `input` at once.
pub fn whole(method: &Method, caps: Caps, input: &[u8], close: bool) -> Outcome {
    let mut reading = Reading::new(method, caps);
    let fed = reading.feed(input, false);
    reading.finish(fed, close)
}

/// Reads pieces.
pub fn in_pieces<'a>(
    method: &Method,
    caps: Caps,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    direct: bool,
    close: bool,
) -> Outcome {
    let mut reading = Reading::new(method, caps);
    let fed = pieces.into_iter().try_for_each(|piece| reading.feed(piece, direct));
    reading.finish(fed, close)
}

/// Asserts that the cuts made no difference.
pub fn assert_same(mut one: Outcome, mut other: Outcome) {
    for outcome in [&mut one, &mut other] {
        if let End::Failed(error) = &mut outcome.end {
            use ProtocolError as E;
            assert!(!error.to_string().contains(|c: char| c.is_ascii_control()));
            // An error that shows how the input begins shows what was there of it.
            if let E::NotHttp { received } | E::Version { received } | E::Status { received } =
                error
            {
                *received = "".into();
            }
            // What was used before a fault depends on the pieces.
            outcome.used = 0;
        }
    }
    assert_eq!(one, other);
}

/// The head as it may be sent on: one line a field.
pub fn write(head: &ResponseHead, out: &mut Vec<u8>) {
    let minor = if head.version == waterclock_proto::message::Version::Http10 { '0' } else { '1' };
    out.extend(format!("HTTP/1.{minor} {} ", head.status).bytes());
    out.extend_from_slice(head.reason.as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in head.headers.raw() {
        for piece in [name, b": ", value, b"\r\n"] {
            out.extend_from_slice(piece);
        }
    }
    out.extend_from_slice(b"\r\n");
}
