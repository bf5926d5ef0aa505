//! One exchange: the request is sent and the response's head is read, under all its limits.
//!
//! Written first, always; read whenever there is something while a write has to wait, so that an
//! early response is seen (RFC 9112 §9.5) and two peers that both wait for room cannot wait for ever.
//! An early refusal ends the upload. An early 2xx does not: such a server may go on reading, and its
//! answer may depend on what it reads.

use crate::call::{Call, Waited};
use crate::connection::Connection;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::request::RequestBody;
use crate::stream::{Received, Stream, StreamError};
use crate::world::Interest;
use std::io::{self, IoSlice};
use waterclock_proto::h1::{
    BodyReader, Framing, HeadStep, RequestFraming, ResponseReader, write_chunk, write_last_chunk,
};
use waterclock_proto::limit::Limit;
use waterclock_proto::message::ResponseHead;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Phase, RequestSent, What};

/// A body up to this size leaves in one write with the head.
const SMALL_BODY: usize = 16 * 1024;
/// A streamed body is read from its source in pieces of this size.
const PIECE: usize = 64 * 1024;

/// So much of an early answer is read while the request is still being sent.
const EARLY: usize = 16 << 20;

/// What came of an exchange.
pub(crate) struct Answered {
    pub(crate) head: ResponseHead,
    pub(crate) body: BodyReader,
    /// Whether the whole request was sent; otherwise the connection cannot be kept.
    pub(crate) request_complete: bool,
}

/// The state of one exchange. The request's head is in `connection.output`.
pub(crate) struct Exchange<'a> {
    pub(crate) call: &'a mut Call,
    pub(crate) connection: &'a mut Connection,
    pub(crate) reader: ResponseReader,
    pub(crate) framing: RequestFraming,
    /// Wait for `100 Continue` before the body is sent.
    pub(crate) expect_continue: bool,
    /// Bytes of the request that have been handed to the stream.
    pub(crate) written: u64,
    /// Bytes of the response that have been seen.
    pub(crate) received: u64,
    /// A 2xx that came while the request was being sent; what has come of its body is in `connection.input`.
    pub(crate) early: Option<(ResponseHead, BodyReader)>,
}

impl Exchange<'_> {
    /// Sends the request and reads up to the end of the final head.
    pub(crate) fn run(&mut self, body: &mut RequestBody) -> Outcome<Answered> {
        let result = self.exchange(body);
        // Of a failed exchange too: it may be repeated on another connection.
        self.call.disarm(&[Limit::FirstByte, Limit::Head, Limit::Upload]);
        result
    }

    fn exchange(&mut self, body: &mut RequestBody) -> Outcome<Answered> {
        // Nothing is sent once a limit has expired: a retry is then safe.
        let now = self.call.check(Phase::Send, What::Write)?;
        let cut_short = self.send(body, now)?;
        let request_complete = cut_short.is_none();
        let (head, body) = match cut_short {
            Some(answered) => answered,
            None => self.receive()?,
        };
        Ok(Answered { head, body, request_complete })
    }

    /// Sends head and body. A final response that comes before the end is returned at once.
    fn send(
        &mut self,
        body: &mut RequestBody,
        now: Tick,
    ) -> Outcome<Option<(ResponseHead, BodyReader)>> {
        let head_bytes = self.connection.output.len();
        let has_body = !matches!(self.framing, RequestFraming::None | RequestFraming::Length(0));
        let expect = self.expect_continue && has_body;
        let merge = has_body && !expect;
        if merge {
            self.call.arm(Limit::Upload, now);
        }
        let mut whole: &[u8] = &[];
        if let RequestBody::Bytes(bytes) = body
            && merge
        {
            if bytes.len() <= SMALL_BODY {
                self.connection.output.extend_from_slice(bytes);
            } else {
                whole = bytes;
            }
        }
        if let Some(answered) = self.write_out(whole, head_bytes)? {
            return Ok(Some(answered));
        }
        if expect {
            if let Some(answered) = self.await_continue()? {
                return Ok(Some(answered));
            }
            let now = self.call.check(Phase::Upload, What::Write)?;
            self.call.arm(Limit::Upload, now);
            if let RequestBody::Bytes(bytes) = body {
                self.connection.output.clear();
                if let Some(answered) = self.write_out(bytes, 0)? {
                    return Ok(Some(answered));
                }
            }
        }
        if let RequestBody::Streamed(streamed) = body
            && let Some(answered) = self.stream_body(streamed.start())?
        {
            return Ok(Some(answered));
        }
        self.call.disarm(&[Limit::Upload]);
        Ok(None)
    }

    /// Sends a body from its source, piece by piece. The source's time is the caller's.
    fn stream_body(
        &mut self,
        source: &mut dyn io::Read,
    ) -> Outcome<Option<(ResponseHead, BodyReader)>> {
        let mut left = match self.framing {
            RequestFraming::Length(length) => Some(length),
            _ => None,
        };
        let mut piece = vec![0; PIECE];
        loop {
            if left == Some(0) {
                return Ok(None);
            }
            let room = left.map_or(PIECE, |left| usize::try_from(left).unwrap_or(PIECE).min(PIECE));
            let count = self.read_source(source, &mut piece[..room])?;
            self.connection.output.clear();
            let as_it_is = match (&mut left, count) {
                (Some(left), 0) => {
                    let text = format!("the request body ended {left} bytes before its length");
                    return Err(Failure::new(ErrorKind::InvalidRequest, text));
                }
                (Some(left), count) => {
                    *left -= count as u64;
                    &piece[..count]
                }
                (None, 0) => {
                    write_last_chunk(&mut self.connection.output);
                    &[]
                }
                (None, count) => {
                    write_chunk(&mut self.connection.output, &piece[..count]);
                    &[]
                }
            };
            if let Some(answered) = self.write_out(as_it_is, 0)? {
                return Ok(Some(answered));
            }
            if left.is_none() && count == 0 {
                return Ok(None);
            }
            // A server that has refused may read on, so that no write would ever find it closed.
            if left != Some(0)
                && let Some(answered) = self.look_for_answer()?
            {
                return Ok(Some(answered));
            }
        }
    }

    fn read_source(&mut self, source: &mut dyn io::Read, piece: &mut [u8]) -> Outcome<usize> {
        self.call.read_source(source, piece, Phase::Upload)?.map_err(|error| {
            let doing = "the source of the request body failed";
            Failure::from_error(ErrorKind::InvalidRequest, doing, error)
        })
    }

    /// Writes `connection.output` and then `rest`. The first `head_bytes` belong to the head.
    fn write_out(
        &mut self,
        rest: &[u8],
        head_bytes: usize,
    ) -> Outcome<Option<(ResponseHead, BodyReader)>> {
        let total = self.connection.output.len() + rest.len();
        let mut at = 0;
        // What is before it has left. TLS takes a piece before all of its records are out.
        let mut out = 0;
        loop {
            let result = {
                let output = &self.connection.output;
                let first = output.get(at..).unwrap_or_default();
                let second = rest.get(at.saturating_sub(output.len())..).unwrap_or_default();
                match (first.is_empty(), second.is_empty()) {
                    (true, true) => self.connection.stream.flush().map(|()| 0),
                    (false, true) => self.connection.stream.write(&[IoSlice::new(first)]),
                    (true, false) => self.connection.stream.write(&[IoSlice::new(second)]),
                    (false, false) => {
                        let parts = [IoSlice::new(first), IoSlice::new(second)];
                        self.connection.stream.write(&parts)
                    }
                }
            };
            let phase = if out < head_bytes { Phase::Send } else { Phase::Upload };
            match result {
                Ok(count) => {
                    let stuck = self.connection.stream.wants_write();
                    out = if stuck { at } else { at + count };
                    at += count;
                    self.wrote(count);
                    if at == total && !stuck {
                        return Ok(None);
                    }
                    // Progress must not outlive a limit, and a long body is worth a look for an
                    // early response.
                    self.call.check(phase, What::Write)?;
                    if phase == Phase::Upload
                        && let Some(answered) = self.look_for_answer()?
                    {
                        return Ok(Some(answered));
                    }
                }
                Err(StreamError::WouldBlock) => {
                    let stream = &self.connection.stream;
                    let interest = match self.has_room() {
                        true => Interest::both(stream.source()),
                        false => Interest::write(stream.source()),
                    };
                    self.call.wait_for(phase, What::Write, stream, interest)?;
                    if let Some(answered) = self.look_for_answer()? {
                        return Ok(Some(answered));
                    }
                }
                Err(error) => return self.answer_after(error).map(Some),
            }
        }
    }

    fn wrote(&mut self, count: usize) {
        if count > 0 {
            self.written += count as u64;
            self.call.timeline_mut().add_bytes(Phase::Send, count as u64);
            self.call.timeline_mut().set_request_sent(RequestSent::Partly);
        }
    }

    /// The peer has closed its side to us. It may have said why (a 413, say) before that.
    fn answer_after(&mut self, error: StreamError) -> Outcome<(ResponseHead, BodyReader)> {
        loop {
            if self.early.is_none()
                && let Some(answered) = self.parse()?
            {
                return Ok(answered);
            }
            if !self.has_room() {
                return self.early_or(error.into_failure(ErrorKind::Send));
            }
            match self.connection.fill() {
                Ok(Some(Received::Bytes(count))) => self.received += count as u64,
                Ok(None) if self.connection.stream.has_more_at_hand() => {
                    self.call.check(Phase::Send, What::Read)?;
                }
                _ => return self.early_or(error.into_failure(ErrorKind::Send)),
            }
        }
    }

    /// The connection has failed: what came before that is the answer, if it can tell its own end.
    fn early_or(&mut self, failure: Box<Failure>) -> Outcome<(ResponseHead, BodyReader)> {
        let early = self.early.take();
        early.filter(|(_, body)| body.framing() != Framing::UntilClose).ok_or(failure)
    }

    /// Whether more of an answer may be read while the request is being sent.
    fn has_room(&self) -> bool {
        self.early.is_none() || self.connection.input.filled().len() < EARLY
    }

    /// Reads what is there, without waiting, while the request is still being sent. Gives what ends that: any
    /// answer but a 2xx, or a 2xx of a server that has gone.
    fn look_for_answer(&mut self) -> Outcome<Option<(ResponseHead, BodyReader)>> {
        while self.has_room() {
            match self.connection.fill() {
                Ok(Some(Received::Bytes(count))) => self.received += count as u64,
                Ok(Some(_)) => return self.early.take().map(Some).ok_or_else(|| self.closed()),
                Ok(None) => break,
                Err(failure) => return self.early_or(failure).map(Some),
            }
            if self.early.is_none()
                && let Some((head, body)) = self.parse()?
            {
                if !(200..300).contains(&head.status) {
                    return Ok(Some((head, body)));
                }
                self.early = Some((head, body));
            }
        }
        Ok(None)
    }

    /// Waits for `100 Continue`. If it does not come in time the body is sent all the same
    /// (RFC 9110 §10.1.1).
    fn await_continue(&mut self) -> Outcome<Option<(ResponseHead, BodyReader)>> {
        let now = self.call.now();
        let timer = self.call.limits().get(Limit::Continue).map_or(Tick::NEVER, |d| now.after(d));
        loop {
            let stream = &self.connection.stream;
            let interest = Interest::read(stream.source());
            let waited =
                self.call.wait_for_until(Phase::Continue, What::Read, stream, interest, timer)?;
            if waited == Waited::Timer {
                return Ok(None);
            }
            while let Some(received) = self.connection.fill()? {
                let Received::Bytes(count) = received else { return Err(self.closed()) };
                self.received += count as u64;
                self.call.timeline_mut().add_bytes(Phase::Head, count as u64);
                match self.next_head()? {
                    Some(Next::Continue) => return Ok(None),
                    Some(Next::Final(head, body)) => return Ok(Some((head, body))),
                    None => {}
                }
            }
        }
    }

    /// The request is sent; reads up to the end of the final head. Polled first: the answer is
    /// never there at once.
    fn receive(&mut self) -> Outcome<(ResponseHead, BodyReader)> {
        let sent = self.call.now();
        self.call.timeline_mut().set_request_sent(RequestSent::Yes);
        if let Some(hop) = self.call.timeline_mut().hop_mut() {
            hop.sent = Some(sent);
        }
        if let Some(early) = self.early.take() {
            return Ok(early);
        }
        self.call.arm(Limit::Head, sent);
        let first_byte = self.call.limits().get(Limit::FirstByte).map(|d| sent.after(d));
        loop {
            if let Some(answered) = self.parse()? {
                return Ok(answered);
            }
            // Interim responses do not count: what is left of the input is the final one's.
            let input = self.connection.input.filled();
            let phase = if input.is_empty() || is_interim(input) {
                if let Some(at) = first_byte {
                    self.call.arm_at(Limit::FirstByte, at);
                }
                Phase::FirstByte
            } else {
                self.call.disarm(&[Limit::FirstByte]);
                Phase::Head
            };
            let stream = &self.connection.stream;
            self.call.wait_for(phase, What::Read, stream, answer_or_room(stream))?;
            // With TLS there may be tickets to read and an old record to write, and no answer yet.
            if self.connection.stream.wants_write() {
                self.flush()?;
            }
            match self.connection.fill()? {
                Some(Received::Bytes(count)) => {
                    self.received += count as u64;
                    self.call.timeline_mut().add_bytes(Phase::Head, count as u64);
                }
                Some(Received::End | Received::Truncated) => return Err(self.closed()),
                None => {}
            }
        }
    }

    fn flush(&mut self) -> Outcome<()> {
        match self.connection.stream.flush() {
            Ok(()) | Err(StreamError::WouldBlock) => Ok(()),
            Err(error) => Err(error.into_failure(ErrorKind::Send)),
        }
    }

    /// Skips interim responses in the buffer; gives the final head if it is complete.
    fn parse(&mut self) -> Outcome<Option<(ResponseHead, BodyReader)>> {
        loop {
            match self.next_head()? {
                Some(Next::Continue) => {}
                Some(Next::Final(head, body)) => return Ok(Some((head, body))),
                None => return Ok(None),
            }
        }
    }

    /// The next head in the buffer that matters: a `100 Continue` or the final one.
    fn next_head(&mut self) -> Outcome<Option<Next>> {
        while !self.connection.input.is_empty() {
            match self.reader.read_head(self.connection.input.filled())? {
                HeadStep::Incomplete => return Ok(None),
                HeadStep::Informational { used, status, .. } => {
                    self.connection.input.consume(used);
                    if status == 100 {
                        return Ok(Some(Next::Continue));
                    }
                }
                HeadStep::Head { used, head, body } => {
                    self.connection.input.consume(used);
                    return Ok(Some(Next::Final(head, body)));
                }
            }
        }
        Ok(None)
    }

    fn closed(&self) -> Box<Failure> {
        self.reader.eof().into()
    }
}

/// A head that decides how the exchange goes on.
#[allow(clippy::large_enum_variant, reason = "moved once; a box would be one more allocation")]
enum Next {
    /// `100 Continue`.
    Continue,
    /// The response's own.
    Final(ResponseHead, BodyReader),
}

/// Whether what has come of a head belongs to an interim response: its status is 1xx, but not 101.
fn is_interim(head: &[u8]) -> bool {
    matches!(head.get("HTTP/1.1 ".len()..), Some([b'1', rest @ ..]) if !rest.starts_with(b"01"))
}

/// An answer is waited for; if TLS has something left to write, room for that too.
fn answer_or_room(stream: &Stream) -> Interest<'_> {
    if stream.wants_write() {
        Interest::both(stream.source())
    } else {
        Interest::read(stream.source())
    }
}
