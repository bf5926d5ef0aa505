//! [`Decoder`]: the codings of one body, chained through fixed buffers.

use super::brotli::Brotli;
use super::codec::{Codec, Flow, Io, cut_mut};
use super::gzip::Gzip;
use super::zlib::Deflate;
use super::zstd::Zstd;
use super::{Coding, DecodeError, DecodeLimits, Progress, SizeLimit, State};
use std::fmt;

/// Between two chained codings.
const PIPE_BYTES: usize = 16 * 1024;
/// After this many rounds through the chain a call returns, whatever it has got. A round moves at
/// most one pipe, or one room, for each coding.
const MAX_ROUNDS: usize = 16;
/// A call fills at most this much: a few bytes can become any number, which takes as long as the room is
/// large.
const MAX_ROOM: usize = 64 * 1024;

/// Undoes the content codings of one body. See the [module](super) for an example.
///
/// Nothing is allocated for a coding before its first byte arrives. After an error every call
/// returns that error.
pub struct Decoder {
    /// In the order of the header: the one applied last, and undone first, is the last.
    codings: Vec<Coding>,
    /// In the order of undoing.
    stages: Vec<Stage>,
    /// Between one stage and the next.
    pipes: Vec<Pipe>,
    limits: DecodeLimits,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A longer list of codings is refused, as curl does (CVE-2022-32206).
    pub const MAX_CODINGS: usize = 5;

    /// A decoder for a body with these `Content-Encoding` values, in the order of the header lines.
    ///
    /// `None` if there is nothing to undo: no coding but `identity`, or one that is unknown, in which
    /// case the body is left as it is.
    ///
    /// # Errors
    /// [`DecodeError::TooManyCodings`], even if some of them are unknown.
    pub fn from_content_encoding<'a>(
        values: impl IntoIterator<Item = &'a [u8]>,
        limits: DecodeLimits,
    ) -> Result<Option<Decoder>, DecodeError> {
        let names = values
            .into_iter()
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
        let (mut codings, mut unknown) = (Vec::new(), false);
        for (index, name) in names.enumerate() {
            if index == Decoder::MAX_CODINGS {
                return Err(DecodeError::TooManyCodings);
            }
            match Coding::from_name(name) {
                Some(coding) => codings.push(coding),
                None => unknown = true,
            }
        }
        Ok((!unknown && !codings.is_empty()).then(|| Decoder::new(codings, limits)))
    }

    fn new(codings: Vec<Coding>, limits: DecodeLimits) -> Self {
        let stages = codings.iter().rev().map(|&coding| Stage::new(coding)).collect();
        let pipes = codings.iter().skip(1).map(|_| Pipe::default()).collect();
        Decoder { codings, stages, pipes, limits, failed: None }
    }

    /// The codings that are undone, in the order of the header.
    #[must_use]
    pub fn codings(&self) -> &[Coding] {
        &self.codings
    }

    /// How many bytes of the body have been read.
    #[must_use]
    pub fn coded(&self) -> u64 {
        self.stages.first().map_or(0, |stage| stage.coded)
    }

    /// How many decoded bytes have been handed out.
    #[must_use]
    pub fn decoded(&self) -> u64 {
        self.stages.last().map_or(0, |stage| stage.decoded)
    }

    /// Decodes some of `input` into `out`.
    ///
    /// # Errors
    /// The coded bytes are malformed, or a limit is passed.
    pub fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, DecodeError> {
        self.checked(input, out, false)
    }

    /// Hands out what is held back after the last coded byte. To be called until it is
    /// [`State::Done`].
    ///
    /// # Errors
    /// As for [`Decoder::decode`], and [`DecodeError::Truncated`] if the coded stream is incomplete.
    pub fn finish(&mut self, out: &mut [u8]) -> Result<Progress, DecodeError> {
        self.checked(&[], out, true)
    }

    fn checked(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        last: bool,
    ) -> Result<Progress, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.capped(input, out, last);
        self.failed = result.as_ref().err().cloned();
        result
    }

    /// Hands out exactly `max_size` bytes; only then one more is asked for, and must not come.
    fn capped(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        last: bool,
    ) -> Result<Progress, DecodeError> {
        let max_size = self.limits.max_size.unwrap_or(u64::MAX);
        let left = usize::try_from(max_size.saturating_sub(self.decoded())).unwrap_or(usize::MAX);
        let progress = match left {
            0 => self.pump(input, &mut [0], last)?,
            _ => self.pump(input, cut_mut(out, left), last)?,
        };
        if left == 0 && progress.produced > 0 {
            return Err(self.too_large(SizeLimit::Size(max_size)));
        }
        if let Some(max_ratio) = self.limits.max_ratio
            && self.decoded() > DecodeLimits::RATIO_FLOOR
            && self.decoded() > self.coded().saturating_mul(max_ratio.into())
        {
            return Err(self.too_large(SizeLimit::Ratio(max_ratio)));
        }
        Ok(progress)
    }

    fn too_large(&self, limit: SizeLimit) -> DecodeError {
        DecodeError::TooLarge { limit, coded: self.coded(), decoded: self.decoded() }
    }

    /// Moves bytes through the chain, round after round, until nothing moves any more.
    fn pump(&mut self, input: &[u8], out: &mut [u8], last: bool) -> Result<Progress, DecodeError> {
        let mut io = Io::new(input, cut_mut(out, MAX_ROOM));
        let mut state = State::OutputFull;
        for _ in 0..MAX_ROUNDS {
            let moved = self.round(&mut io, last)?;
            if self.stages.last().is_none_or(|stage| stage.over) {
                io.consume(input.len());
                state = State::Done;
                break;
            }
            if io.room().is_empty() {
                break;
            }
            if !moved {
                state = State::NeedInput;
                break;
            }
        }
        Ok(Progress { consumed: io.consumed(), produced: io.produced(), state })
    }

    /// Gives each coding one turn; false if no byte moved.
    fn round(&mut self, io: &mut Io<'_>, last: bool) -> Result<bool, DecodeError> {
        let mut moved = false;
        // Whether no more bytes come from above than those that wait for this stage.
        let mut ended = last;
        for (index, stage) in self.stages.iter_mut().enumerate() {
            let (before, after) = self.pipes.split_at_mut(index);
            let (mut source, mut sink) = (before.last_mut(), after.first_mut());
            let input = source.as_ref().map_or(io.input(), |pipe| pipe.filled());
            let room = match &mut sink {
                Some(pipe) => pipe.free(),
                None => io.room(),
            };
            let (consumed, produced) = stage.turn(input, room, ended)?;
            match &mut source {
                Some(pipe) => pipe.consume(consumed),
                None => io.consume(consumed),
            }
            match &mut sink {
                Some(pipe) => pipe.produce(produced),
                None => io.produce(produced),
            }
            moved |= consumed > 0 || produced > 0;
            ended = stage.over;
        }
        Ok(moved)
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("codings", &self.codings)
            .field("limits", &self.limits)
            .field("coded", &self.coded())
            .field("decoded", &self.decoded())
            .finish_non_exhaustive()
    }
}

/// One coding of the chain.
struct Stage {
    coding: Coding,
    /// Built when the first byte arrives.
    codec: Option<Box<dyn Codec>>,
    coded: u64,
    decoded: u64,
    /// Nothing more comes out of it.
    over: bool,
}

impl Stage {
    fn new(coding: Coding) -> Self {
        Stage { coding, codec: None, coded: 0, decoded: 0, over: false }
    }

    /// Decodes some of `input`, which is the rest if it has `ended`, and says how many bytes were
    /// consumed and produced.
    fn turn(
        &mut self,
        input: &[u8],
        room: &mut [u8],
        ended: bool,
    ) -> Result<(usize, usize), DecodeError> {
        if self.over {
            return Ok((input.len(), 0));
        }
        if self.codec.is_none() && input.is_empty() {
            self.over = ended; // no bytes at all are a body of no bytes
            return Ok((0, 0));
        }
        let codec = self.codec.get_or_insert_with(|| codec(self.coding));
        let mut io = Io::new(input, room);
        let result = codec.run(&mut io);
        let may_end = codec.may_end();
        let (consumed, produced) = (io.consumed(), io.produced());
        let drained = io.input().is_empty() && !io.room().is_empty();
        self.coded = self.coded.saturating_add(consumed as u64);
        self.decoded = self.decoded.saturating_add(produced as u64);
        let (coding, coded, decoded) = (self.coding, self.coded, self.decoded);
        match result {
            Err(what) => Err(DecodeError::Malformed { coding, what, coded, decoded }),
            Ok(Flow::More) if ended && drained && !may_end => {
                Err(DecodeError::Truncated { coding, coded, decoded })
            }
            Ok(flow) => {
                self.over = flow == Flow::Over || (ended && drained);
                Ok((consumed, produced))
            }
        }
    }
}

fn codec(coding: Coding) -> Box<dyn Codec> {
    match coding {
        Coding::Gzip => Box::new(Gzip::default()),
        Coding::Deflate => Box::new(Deflate::default()),
        Coding::Br => Box::new(Brotli::default()),
        Coding::Zstd => Box::new(Zstd::default()),
    }
}

/// The fixed buffer between two codings. It is emptied before it is filled again from the start.
#[derive(Default)]
struct Pipe {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Pipe {
    fn filled(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn free(&mut self) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = vec![0; PIPE_BYTES];
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    fn produce(&mut self, count: usize) {
        self.end += count;
    }
}
