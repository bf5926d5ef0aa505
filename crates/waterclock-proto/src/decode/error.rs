//! Why a body could not be decoded.

use super::{Coding, Decoder};
use std::borrow::Cow;
use std::fmt;

/// Why a body could not be decoded.
///
/// Offsets are those of the coding at fault: in a chain, its input is another coding's output.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The header names more codings than [`Decoder::MAX_CODINGS`].
    TooManyCodings,
    /// The coded bytes break the rules of their coding.
    Malformed {
        /// The coding that failed.
        coding: Coding,
        /// What was wrong.
        what: Cow<'static, str>,
        /// How many coded bytes had been read by then.
        coded: u64,
        /// How many bytes had been decoded by then.
        decoded: u64,
    },
    /// The coded bytes end before the coded stream does.
    Truncated {
        /// The coding that is incomplete.
        coding: Coding,
        /// How many coded bytes there were.
        coded: u64,
        /// How many bytes they decoded to.
        decoded: u64,
    },
    /// The body decodes to more than allowed.
    TooLarge {
        /// The cap that was passed.
        limit: SizeLimit,
        /// How many bytes of the body had been read by then.
        coded: u64,
        /// How many bytes had been decoded by then.
        decoded: u64,
    },
}

/// The cap that a body has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeLimit {
    /// [`DecodeLimits::max_size`](super::DecodeLimits::max_size).
    Size(u64),
    /// [`DecodeLimits::max_ratio`](super::DecodeLimits::max_ratio).
    Ratio(u32),
}

impl DecodeError {
    /// Whether the body passed a cap, rather than being malformed.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(self, DecodeError::TooManyCodings | DecodeError::TooLarge { .. })
    }

    /// The coding at fault, if it is one of them.
    #[must_use]
    pub const fn coding(&self) -> Option<Coding> {
        match self {
            DecodeError::Malformed { coding, .. } | DecodeError::Truncated { coding, .. } => {
                Some(*coding)
            }
            DecodeError::TooManyCodings | DecodeError::TooLarge { .. } => None,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::TooManyCodings => {
                write!(f, "Content-Encoding names more than {} codings", Decoder::MAX_CODINGS)
            }
            DecodeError::Malformed { coding, what, coded, decoded } => write!(
                f,
                "the body is not valid {coding}: {what} (after {coded} coded and {decoded} decoded \
                 bytes)"
            ),
            DecodeError::Truncated { coding, coded, decoded } => write!(
                f,
                "the {coding} stream is cut short after {coded} coded and {decoded} decoded bytes"
            ),
            DecodeError::TooLarge { limit: SizeLimit::Size(max), coded, .. } => {
                write!(f, "{coded} bytes of body decode to more than the allowed {max} bytes")
            }
            DecodeError::TooLarge { limit: SizeLimit::Ratio(max), coded, decoded } => write!(
                f,
                "{coded} bytes of body decode to {decoded}, more than the allowed {max} for each"
            ),
        }
    }
}

impl std::error::Error for DecodeError {}
