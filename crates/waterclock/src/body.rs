//! [`Body`]: the content of a response, read from its connection under the call's limits, or from
//! what an adapter gives.
//!
//! Read first, and wait only if nothing is there. Content that is in the connection's buffer is
//! handed out from there, small chunks together; larger reads go from the socket straight into the
//! caller's buffer.

use crate::call::Call;
use crate::connection::Connection;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::given::Given;
use crate::log_lines;
use crate::pool::Pool;
use crate::stream::{Received, Stream, StreamError};
use crate::world::{Interest, read_onto};
use std::borrow::Cow;
use std::time::Duration;
use waterclock_proto::decode::{Decoder, State};
use waterclock_proto::h1::{BodyReader, BodyState, CloseReason, Framing, ProtocolError};
use waterclock_proto::limit::Limit;
use waterclock_proto::message::Headers;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Phase, What};

/// From this size on a read goes straight into the caller's buffer (but see `read_full`).
const DIRECT: usize = 8 * 1024;
/// So much at most is decoded at once onto a buffer that grows.
const DECODED: usize = 64 * 1024;
/// A body that was not read is thrown away up to this size, so that its connection can be kept.
pub(crate) const DRAIN_BYTES: u64 = 64 * 1024;
/// How long [`Body::drain`] waits for the rest of it.
pub(crate) const DRAIN_TIME: Duration = Duration::from_millis(100);

/// Where a body comes from.
#[derive(Debug)]
enum Source {
    Connection(Box<Connection>),
    /// An adapter without connections. Boxed, so that other responses need not have room for it.
    Given(Box<Given>),
    /// Everything was read, or the connection is gone.
    Ended,
}

#[derive(Debug)]
pub(crate) struct Body {
    source: Source,
    reader: Option<BodyReader>,
    decoder: Option<Box<Decoder>>,
    /// Whether it has been used.
    decoding: bool,
    /// Content at the front of the connection's buffer.
    pending: usize,
    /// Whether the connection may be kept once the body has been read.
    keep: Result<(), CloseReason>,
    pool: Option<Pool>,
    trailers: Option<Headers>,
    /// Bytes taken from what was given, and how many there are.
    taken: u64,
    length: Option<u64>,
    /// Whether everything, decoded if need be, has been handed out, or nothing more will be.
    done: bool,
    /// Why nothing more will be: a cut body must not look like a whole one to whoever asks again.
    failed: Option<(ErrorKind, Cow<'static, str>)>,
}

impl Body {
    /// The body that follows on `connection`.
    pub(crate) fn new(
        connection: Box<Connection>,
        reader: BodyReader,
        decoder: Option<Decoder>,
        keep: Result<(), CloseReason>,
        pool: Pool,
    ) -> Self {
        let decoder = decoder.map(Box::new).filter(|_| !reader.is_done());
        Body {
            source: Source::Connection(connection),
            reader: Some(reader),
            decoder,
            decoding: false,
            pending: 0,
            keep,
            pool: Some(pool),
            trailers: None,
            taken: 0,
            length: None,
            done: false,
            failed: None,
        }
    }

    /// A body that an adapter gives.
    pub(crate) fn given(given: Given, decoder: Option<Decoder>) -> Self {
        let length = given.length();
        Body {
            decoder: decoder.map(Box::new).filter(|_| !given.is_over()),
            decoding: false,
            source: Source::Given(Box::new(given)),
            reader: None,
            pending: 0,
            keep: Ok(()),
            pool: None,
            trailers: None,
            taken: 0,
            length,
            done: false,
            failed: None,
        }
    }

    /// Puts a body in memory in the place of one that has been read or thrown away.
    pub(crate) fn replace(&mut self, bytes: Vec<u8>) {
        let trailers = self.trailers.take();
        *self = Body { trailers, ..Body::given(Given::bytes(bytes), None) };
    }

    /// What is left of a body in memory.
    pub(crate) fn in_memory(&self) -> &[u8] {
        match &self.source {
            Source::Given(given) => given.filled(),
            _ => &[],
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Leaves content codings as they are, unless decoding has begun.
    pub(crate) fn keep_coded(&mut self) -> bool {
        if self.decoding {
            return false;
        }
        self.decoder = None;
        true
    }

    /// Content bytes received, before decoding.
    pub(crate) fn received(&self) -> u64 {
        self.reader.as_ref().map_or(self.taken, BodyReader::received)
    }

    /// How many bytes there will be, if that is known and they are not coded.
    pub(crate) fn expected(&self) -> Option<u64> {
        match (&self.reader, &self.decoder) {
            (Some(reader), None) => reader.expected(),
            (None, None) => self.length,
            _ => None,
        }
    }

    pub(crate) fn trailers(&self) -> Option<&Headers> {
        self.trailers.as_ref()
    }

    /// The body ends here if it is empty: the connection goes back before the caller has to ask.
    pub(crate) fn begin(&mut self, call: &mut Call) {
        let over = match &self.source {
            Source::Given(given) => given.is_over(),
            _ => self.reader.as_ref().is_some_and(BodyReader::is_done),
        };
        if over {
            self.settle(call);
            self.finish(call);
        }
    }

    /// Reads into `out`; 0 at the end.
    pub(crate) fn read(&mut self, call: &mut Call, out: &mut [u8]) -> Outcome<usize> {
        let count = self.read_chunk(call, out)?;
        Ok(count + self.gather(call, &mut out[count..]))
    }

    /// [`read`](Self::read), but never over the end of a chunk.
    pub(crate) fn read_chunk(&mut self, call: &mut Call, out: &mut [u8]) -> Outcome<usize> {
        if self.done || out.is_empty() {
            return Ok(0);
        }
        let result = self.read_some(call, out);
        self.conclude(call, result)
    }

    /// Fills `out`, unless the body ends before.
    pub(crate) fn read_full(&mut self, call: &mut Call, out: &mut [u8]) -> Outcome<usize> {
        // The rest of a large piece is read straight, too, however small it is: if it came by way of the
        // connection's buffer, all that follows would, and be copied.
        let least = if out.len() < DIRECT { DIRECT } else { 1 };
        let mut at = 0;
        while at < out.len() && !self.done {
            let rest = &mut out[at..];
            let result = match self.decoder {
                None => self.read_plain(call, rest, least),
                Some(_) => self.read_some(call, rest),
            };
            match self.conclude(call, result)? {
                0 => break,
                count => at += count,
            }
        }
        Ok(at)
    }

    /// Reads onto `out`, as far as its capacity goes; 0 at the end.
    pub(crate) fn read_onto(&mut self, call: &mut Call, out: &mut Vec<u8>) -> Outcome<usize> {
        let room = out.capacity() - out.len();
        if self.decoder.is_some() {
            // It asks for memory that was written to before.
            return read_onto(out, room.min(DECODED), |out| self.read_chunk(call, out));
        }
        if self.done || room == 0 {
            return Ok(0);
        }
        let result = self.read_plain_onto(call, out, room);
        self.conclude(call, result)
    }

    fn read_plain_onto(
        &mut self,
        call: &mut Call,
        out: &mut Vec<u8>,
        room: usize,
    ) -> Outcome<usize> {
        let direct =
            self.read_direct(call, room, DIRECT, |stream, most| stream.read_onto(out, most))?;
        if let Some(count) = direct {
            return Ok(count);
        }
        let piece = self.peek(call)?;
        let count = piece.len().min(room);
        out.extend_from_slice(&piece[..count]);
        self.advance(call, count);
        Ok(count)
    }

    /// How many bytes are still to be handed out, if that is known and they are not coded.
    pub(crate) fn left(&self) -> Option<u64> {
        let left = self.expected()?.saturating_sub(self.received());
        Some(left.saturating_add(self.pending as u64))
    }

    fn read_some(&mut self, call: &mut Call, out: &mut [u8]) -> Outcome<usize> {
        match self.decoder.take() {
            None => self.read_plain(call, out, DIRECT),
            Some(mut decoder) => {
                self.decoding = true;
                let result = self.read_coded(call, &mut decoder, out);
                self.decoder = Some(decoder);
                result
            }
        }
    }

    /// What a read came to may be the end of the body.
    fn conclude(&mut self, call: &mut Call, result: Outcome<usize>) -> Outcome<usize> {
        match &result {
            Err(failure) => self.fail(failure),
            Ok(0) => self.finish(call),
            Ok(_) if self.decoder.is_none() && matches!(self.source, Source::Ended) => {
                self.finish(call);
            }
            Ok(_) => {}
        }
        result
    }

    fn read_plain(&mut self, call: &mut Call, out: &mut [u8], least: usize) -> Outcome<usize> {
        let direct =
            self.read_direct(call, out.len(), least, |stream, most| stream.read(&mut out[..most]))?;
        if let Some(count) = direct {
            return Ok(count);
        }
        let count = copy(self.peek(call)?, out);
        self.advance(call, count);
        Ok(count)
    }

    /// Hands out more of what lies in the connection's buffer, so that small chunks need not be asked
    /// for one by one.
    fn gather(&mut self, call: &mut Call, out: &mut [u8]) -> usize {
        let (Source::Connection(connection), Some(reader), None) =
            (&mut self.source, &mut self.reader, &self.decoder)
        else {
            return 0;
        };
        let input = connection.input.filled();
        let (mut used, mut count) = (0, 0);
        while self.pending == 0 && count < out.len() {
            // An error is for the next read, which meets it again.
            let Ok(step) = reader.next(&input[used..]) else { break };
            used += step.skip;
            let taken = copy(&input[used..used + step.data], &mut out[count..]);
            (used, count) = (used + taken, count + taken);
            self.pending = step.data - taken;
            if step.state != BodyState::More {
                break;
            }
        }
        connection.input.consume(used);
        if self.pending == 0 && reader.is_done() {
            self.settle(call);
            self.finish(call);
        }
        count
    }

    fn read_coded(
        &mut self,
        call: &mut Call,
        decoder: &mut Decoder,
        out: &mut [u8],
    ) -> Outcome<usize> {
        loop {
            let input = self.peek(call)?;
            let result =
                if input.is_empty() { decoder.finish(out) } else { decoder.decode(input, out) };
            let progress = result.map_err(|error| {
                let kind = if error.is_limit() { ErrorKind::TooLarge } else { ErrorKind::Decode };
                Failure::from_error(kind, "the body cannot be decoded", error)
            })?;
            self.advance(call, progress.consumed);
            if progress.state == State::Done && matches!(self.source, Source::Ended) {
                return Ok(progress.produced);
            }
            // Inflating is work, and work must not outlive a limit either. A little input can be the
            // work of seconds.
            call.check(Phase::Body, What::Work)?;
            if progress.produced > 0 {
                return Ok(progress.produced);
            }
        }
    }

    /// Reads from the socket straight to where the caller wants it and has `room`, where that is worth
    /// it (for `worth` bytes) and framing allows. `read` is told how much at most.
    #[inline]
    fn read_direct(
        &mut self,
        call: &mut Call,
        room: usize,
        worth: usize,
        mut read: impl FnMut(&mut Stream, usize) -> Result<Received, StreamError>,
    ) -> Outcome<Option<usize>> {
        let (Source::Connection(connection), Some(reader)) = (&mut self.source, &mut self.reader)
        else {
            return Ok(None);
        };
        let direct = usize::try_from(reader.direct().unwrap_or(0)).unwrap_or(usize::MAX);
        // Behind the rest of a chunk comes the next one: better read together.
        let least = if reader.framing() == Framing::Chunked { DIRECT } else { 1 };
        if self.pending > 0 || !connection.input.is_empty() || direct < least || room < worth {
            return Ok(None);
        }
        loop {
            match read(&mut connection.stream, direct.min(room)) {
                Ok(Received::Bytes(count)) => {
                    reader.advance(count as u64);
                    call.timeline_mut().add_bytes(Phase::Body, count as u64);
                    if reader.is_done() {
                        self.settle(call);
                    } else {
                        call.check(Phase::Body, What::Read)?;
                    }
                    return Ok(Some(count));
                }
                Ok(end) => {
                    self.ended(call, end)?;
                    return Ok(Some(0));
                }
                Err(StreamError::WouldBlock) => {
                    wait_for_more(call, &connection.stream)?;
                }
                Err(error) => return Err(error.into_failure(ErrorKind::Receive)),
            }
        }
    }

    /// Content in the connection's buffer, waited for if need be; empty at the end of the body.
    fn peek(&mut self, call: &mut Call) -> Outcome<&[u8]> {
        if let Source::Given(given) = &mut self.source {
            given.fill(call)?;
            if given.is_over() {
                self.settle(call);
            }
        }
        while self.pending == 0 {
            let (Source::Connection(connection), Some(reader)) =
                (&mut self.source, &mut self.reader)
            else {
                return Ok(match &self.source {
                    Source::Given(given) => given.filled(),
                    _ => &[],
                });
            };
            let step = reader.next(connection.input.filled())?;
            connection.input.consume(step.skip);
            self.pending = step.data;
            match step.state {
                _ if step.data > 0 => break,
                BodyState::Done => {
                    self.settle(call);
                    return Ok(&[]);
                }
                BodyState::More => {}
                BodyState::NeedInput => {
                    if let Some(end) = fill(call, connection)? {
                        self.ended(call, end)?;
                        return Ok(&[]);
                    }
                }
            }
        }
        let Source::Connection(connection) = &self.source else { return Ok(&[]) };
        Ok(connection.input.filled().get(..self.pending).unwrap_or_default())
    }

    /// `count` bytes that [`peek`](Self::peek) gave were used.
    fn advance(&mut self, call: &mut Call, count: usize) {
        if let Source::Given(given) = &mut self.source {
            given.consume(count);
            self.taken += count as u64;
            if given.is_over() {
                self.settle(call);
            }
        }
        let Source::Connection(connection) = &mut self.source else { return };
        connection.input.consume(count);
        self.pending -= count.min(self.pending);
        if self.pending == 0 && self.reader.as_ref().is_some_and(BodyReader::is_done) {
            self.settle(call);
        }
    }

    /// The stream has ended. That ends some bodies, and cuts others.
    fn ended(&mut self, call: &mut Call, end: Received) -> Outcome<()> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        // Without close_notify an attacker may have cut a body that ends with its connection.
        if end == Received::Truncated && reader.framing() == Framing::UntilClose {
            return Err(ProtocolError::BodyCutOff { received: reader.received() }.into());
        }
        reader.eof()?;
        self.settle(call);
        Ok(())
    }

    /// The body was read. Its connection, if it has one, goes back to the pool or is closed.
    fn settle(&mut self, call: &mut Call) {
        let source = std::mem::replace(&mut self.source, Source::Ended);
        if matches!(source, Source::Ended) {
            return;
        }
        let now = call.latest();
        call.disarm(&[Limit::Body, Limit::Attempt]);
        call.end_hop(None);
        let Source::Connection(connection) = source else { return };
        self.trailers = self.reader.as_ref().and_then(BodyReader::trailers).cloned();
        match (self.keep, &self.pool) {
            (Ok(()), Some(pool)) => pool.checkin(connection, now),
            (Err(why), _) => log_lines::closed_connection(connection.info.number, why),
            (Ok(()), None) => {}
        }
    }

    /// The last byte was handed over: the call is over.
    fn finish(&mut self, call: &mut Call) {
        self.done = true;
        call.finish();
    }

    /// Why the body cannot be read on, if it failed before.
    pub(crate) fn failure(&self) -> Option<Box<Failure>> {
        self.failed.as_ref().map(|(kind, message)| Failure::new(*kind, message.clone()))
    }

    /// The body cannot be read on, now or later.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.failed = Some((failure.kind, failure.message.clone()));
        self.abandon();
    }

    /// The body is not read on: its connection is closed.
    fn abandon(&mut self) {
        self.source = Source::Ended;
        self.done = true;
    }

    /// Takes the rest, as far as it is small and, unless `until` says otherwise, already there, so
    /// that the connection can be used again. Coded content is not decoded (CVE-2026-21441). With
    /// `kept` the bytes go there, and are thrown away else. Says whether that was all.
    pub(crate) fn drain(
        &mut self,
        call: &mut Call,
        until: Option<Tick>,
        mut kept: Option<&mut Vec<u8>>,
    ) -> bool {
        if self.done {
            return self.failed.is_none();
        }
        if let (Source::Given(given), Some(kept)) = (&self.source, &mut kept) {
            // A reader may take its time, so what it still has is left to it.
            kept.extend(
                given.filled().iter().take(usize::try_from(DRAIN_BYTES).unwrap_or(usize::MAX)),
            );
        }
        let mut left = DRAIN_BYTES;
        while let (Source::Connection(connection), Some(reader)) =
            (&mut self.source, &mut self.reader)
        {
            if let Some(kept) = &mut kept {
                let pending = connection.input.filled().get(..self.pending);
                kept.extend_from_slice(pending.unwrap_or_default());
            }
            connection.input.consume(self.pending);
            left = left.saturating_sub(std::mem::take(&mut self.pending) as u64);
            if reader.expected().is_some_and(|all| all.saturating_sub(reader.received()) > left) {
                break;
            }
            let Ok(step) = reader.next(connection.input.filled()) else { break };
            connection.input.consume(step.skip);
            self.pending = step.data;
            match step.state {
                BodyState::Done if step.data == 0 => self.settle(call),
                BodyState::Done | BodyState::More => {}
                BodyState::NeedInput if step.data > 0 => {}
                BodyState::NeedInput if left == 0 => break,
                BodyState::NeedInput => match (connection.fill(), until) {
                    (Ok(Some(Received::Bytes(_))), _) => {}
                    (Ok(None), Some(until)) => {
                        let stream = &connection.stream;
                        let interest = Interest::read(stream.source());
                        let waited =
                            call.wait_for_until(Phase::Body, What::Read, stream, interest, until);
                        if call.now() >= until || waited.is_err() {
                            break;
                        }
                    }
                    _ => break,
                },
            }
        }
        let whole = matches!(self.source, Source::Ended);
        self.abandon();
        call.finish();
        whole
    }
}

/// Reads into the connection's buffer, waiting if nothing is there; `Some` at the stream's end.
fn fill(call: &mut Call, connection: &mut Connection) -> Outcome<Option<Received>> {
    connection.input.widen();
    loop {
        match connection.fill()? {
            Some(Received::Bytes(count)) => {
                call.timeline_mut().add_bytes(Phase::Body, count as u64);
                call.check(Phase::Body, What::Read)?;
                return Ok(None);
            }
            Some(end) => return Ok(Some(end)),
            None => {
                wait_for_more(call, &connection.stream)?;
            }
        }
    }
}

fn wait_for_more(call: &mut Call, stream: &Stream) -> Outcome<()> {
    call.wait_for(Phase::Body, What::Read, stream, Interest::read(stream.source()))
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    to[..count].copy_from_slice(&from[..count]);
    count
}
