//! Tests of the response side: scripted exchanges without I/O.

mod body;
mod cost;
mod edges;
mod framing_rows;
mod head_rows;
mod split;

use super::*;
use crate::message::{Method, ResponseHead};

/// How far a scripted exchange came.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// The whole response, and the bytes behind it.
    Answer(Answer),
    /// Everything was read and nothing is wrong: the caller would wait.
    Waiting { content: Vec<u8> },
    /// It failed after so much content.
    Failed { error: ProtocolError, content: Vec<u8> },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) head: ResponseHead,
    pub(super) content: Vec<u8>,
    pub(super) trailers: Option<crate::message::Headers>,
    pub(super) informational: Vec<u16>,
    pub(super) rest: Vec<u8>,
}

/// What the peer does after its last byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    Hold,
    Close,
}

/// A connection as the client drives it: a buffer, a reader for the head, a reader for the body.
pub(super) struct Exchange {
    reader: ResponseReader,
    open: Option<(ResponseHead, BodyReader)>,
    buffer: Vec<u8>,
    content: Vec<u8>,
    informational: Vec<u16>,
}

impl Exchange {
    pub(super) fn new(method: &Method, caps: Caps) -> Self {
        Exchange {
            reader: ResponseReader::new(method, caps),
            open: None,
            buffer: Vec::new(),
            content: Vec::new(),
            informational: Vec::new(),
        }
    }

    /// Hands over a segment. With `direct`, content that is certain bypasses the buffer.
    pub(super) fn feed(&mut self, mut bytes: &[u8], direct: bool) -> Result<(), ProtocolError> {
        if let (true, true, Some((_, body))) = (direct, self.buffer.is_empty(), &mut self.open) {
            let allowed = body.direct().unwrap_or(0);
            let taken = usize::try_from(allowed).unwrap_or(usize::MAX).min(bytes.len());
            body.advance(taken as u64);
            self.content.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
        }
        self.buffer.extend_from_slice(bytes);
        self.read()
    }

    fn read(&mut self) -> Result<(), ProtocolError> {
        while self.open.is_none() {
            match self.reader.read_head(&self.buffer)? {
                HeadStep::Incomplete => return Ok(()),
                HeadStep::Informational { used, status, .. } => {
                    self.buffer.drain(..used);
                    self.informational.push(status);
                }
                HeadStep::Head { used, head, body } => {
                    self.buffer.drain(..used);
                    self.open = Some((head, body));
                }
            }
        }
        let Some((_, body)) = &mut self.open else { return Ok(()) };
        loop {
            let step = body.next(&self.buffer)?;
            let end = step.skip + step.data;
            self.content.extend_from_slice(&self.buffer[step.skip..end]);
            self.buffer.drain(..end);
            assert!(step.state != BodyState::NeedInput || self.buffer.is_empty(), "{step:?}");
            assert!(step.state != BodyState::More || end > 0, "every step gets on");
            assert_eq!(step.state == BodyState::Done, body.is_done());
            assert_eq!(body.received(), self.content.len() as u64);
            if step.state != BodyState::More {
                return Ok(());
            }
        }
    }

    pub(super) fn finish(mut self, fed: Result<(), ProtocolError>, then: Then) -> Outcome {
        let ended = fed.and_then(|()| match (&mut self.open, then) {
            (_, Then::Hold) => Ok(()),
            (None, Then::Close) => Err(self.reader.eof()),
            (Some((_, body)), Then::Close) => body.eof(),
        });
        match (ended, self.open) {
            (Err(error), _) => Outcome::Failed { error, content: self.content },
            (Ok(()), Some((head, body))) if body.is_done() => Outcome::Answer(Answer {
                head,
                trailers: body.trailers().cloned(),
                content: self.content,
                informational: self.informational,
                rest: self.buffer,
            }),
            (Ok(()), _) => Outcome::Waiting { content: self.content },
        }
    }
}

pub(super) fn run(method: &Method, input: &[u8], then: Then) -> Outcome {
    let mut exchange = Exchange::new(method, Caps::default());
    let fed = exchange.feed(input, false);
    exchange.finish(fed, then)
}

pub(super) fn get(input: impl AsRef<[u8]>, then: Then) -> Outcome {
    run(&Method::Get, input.as_ref(), then)
}

impl Outcome {
    #[track_caller]
    pub(super) fn answer(self) -> Answer {
        match self {
            Outcome::Answer(answer) => answer,
            other => panic!("no answer: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn error(self) -> ProtocolError {
        match self {
            Outcome::Failed { error, .. } => error,
            other => panic!("no error: {other:?}"),
        }
    }
}

/// Asserts that the peer's bytes are refused although it would send more.
#[track_caller]
pub(super) fn refused(input: impl AsRef<[u8]>) -> ProtocolError {
    let input = input.as_ref();
    let error = get(input, Then::Hold).error();
    assert_eq!(error.kind(), FaultKind::Protocol, "{}", input.escape_ascii());
    error
}

#[track_caller]
pub(super) fn too_large(input: impl AsRef<[u8]>) -> ProtocolError {
    let error = get(input, Then::Hold).error();
    assert_eq!(error.kind(), FaultKind::TooLarge, "{error}");
    error
}
