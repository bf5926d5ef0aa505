//! `Open`: a response whose body is being read.

use crate::apart::apart;
use crate::error::raise;
use crate::record::Record;
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::cell::OnceCell;
use std::collections::TryReserveError;
use std::time::SystemTime;
use waterclock::{Error, Response};

/// From this length on a body is read straight into the object that Python gets.
pub(crate) const LARGE: u64 = 256 * 1024;
/// Of a long body so large a part must have arrived before room is made for all of it: a peer that
/// only claims a length costs little (CVE-2025-13836).
const EARNEST: usize = 16;
const PIECE: usize = 1 << 20;

/// How much has arrived, or a failure of the call; or there is no memory.
type Pieces = Result<Result<usize, Error>, TryReserveError>;

pub(crate) struct Open {
    pub(crate) response: Response,
    /// Reused from read to read.
    buffer: Vec<u8>,
    /// Bytes handed out.
    pub(crate) given: u64,
    began: OnceCell<SystemTime>,
}

impl Open {
    pub(crate) fn new(response: Response, given: u64) -> Self {
        Open { response, buffer: Vec::new(), given, began: OnceCell::new() }
    }

    /// What the calendar said when the call began: the same, whatever becomes of the clock later.
    pub(crate) fn began(&self) -> SystemTime {
        *self.began.get_or_init(|| Record::wall_of(self.response.timeline()))
    }

    /// Reads up to `amt` bytes; with `fill` so many, unless the body ends before.
    pub(crate) fn read<'py>(
        &mut self,
        py: Python<'py>,
        amt: usize,
        fill: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        if fill && amt <= PIECE && self.left().is_some_and(|left| left >= amt) {
            // So many are to come: they need not be copied.
            let bytes = PyBytes::new_with(py, amt, |out| self.fill(py, out))?;
            self.given += amt as u64;
            return Ok(bytes);
        }
        let count = apart(py, || self.some(amt, fill))?.map_err(|error| raise(py, error, None))?;
        Ok(PyBytes::new(py, self.buffer.get(..count).unwrap_or_default()))
    }

    /// How many bytes are to come, if that is known.
    fn left(&self) -> Option<usize> {
        let left = self.response.body_expected()?.saturating_sub(self.response.body_received());
        Some(usize::try_from(left).unwrap_or(usize::MAX))
    }

    fn fill(&mut self, py: Python<'_>, out: &mut [u8]) -> PyResult<()> {
        // A body that is shorter than promised is an error of the client's.
        let filled = apart(py, || self.response.read_full(out))?;
        filled.map(drop).map_err(|error| raise(py, error, None))
    }

    fn some(&mut self, amt: usize, fill: bool) -> Result<usize, Error> {
        let expected = self.left();
        // What is claimed is not set aside at once; without a claim, a piece at a time.
        let room = amt.min(expected.map_or(amt, |left| left.max(1)));
        let mut filled = 0;
        while filled < amt {
            let room = room.max(filled + 1).min(filled + PIECE);
            if self.buffer.len() < room {
                self.buffer.resize(room, 0);
            }
            let out = self.buffer.get_mut(filled..room).unwrap_or_default();
            // Where a chunk ends a piece ends as well, unless pieces are to be full.
            let response = &mut self.response;
            let count = if fill { response.read_body(out) } else { response.read_chunk(out) }?;
            filled += count;
            if count == 0 || !fill || self.response.body_is_done() {
                break;
            }
        }
        self.given += filled as u64;
        Ok(filled)
    }

    /// All that is left of the body.
    pub(crate) fn content<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = match self.left() {
            Some(left) if left as u64 >= LARGE => self.large(py, left)?,
            _ => {
                let bytes = apart(py, || self.response.content())?;
                PyBytes::new(py, &bytes.map_err(|error| raise(py, error, None))?)
            }
        };
        self.given += bytes.as_bytes().len() as u64;
        Ok(bytes)
    }

    /// Reads `length` bytes, which the peer has promised, into the object that they are for.
    fn large<'py>(&mut self, py: Python<'py>, length: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut first = Vec::new();
        let earnest = apart(py, || self.pieces(length / EARNEST, &mut first))?;
        let earnest = earnest.map_err(|error| PyMemoryError::new_err(error.to_string()))?;
        let arrived = earnest.map_err(|error| raise(py, error, None))?;
        PyBytes::new_with(py, length, |all| {
            let mut at = 0;
            for piece in first {
                if let Some(room) = all.get_mut(at..at + piece.len()) {
                    room.copy_from_slice(&piece);
                }
                at += piece.len();
            }
            self.fill(py, all.get_mut(arrived..).unwrap_or_default())
        })
    }

    fn pieces(&mut self, least: usize, pieces: &mut Vec<Vec<u8>>) -> Pieces {
        let mut arrived = 0;
        while arrived < least {
            let size = PIECE.min(least - arrived);
            let mut piece = Vec::new();
            piece.try_reserve_exact(size)?;
            piece.resize(size, 0);
            match self.response.read_body(&mut piece) {
                Ok(0) => break,
                Ok(count) => {
                    piece.truncate(count);
                    arrived += count;
                    pieces.push(piece);
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(arrived))
    }
}
