//! [`NetrcError`]: where a netrc file cannot be understood.

use super::Netrc;
use std::fmt;

/// Why a netrc file cannot be read. Nothing of the file is repeated: it may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetrcError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: NetrcFault,
}

/// What is wrong with a line of a netrc file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetrcFault {
    /// A word that is no keyword stands where a keyword should.
    UnknownKeyword,
    /// A keyword of an entry before the first `machine` or `default`.
    OutsideEntry {
        /// The keyword.
        keyword: &'static str,
    },
    /// The file ends behind a keyword that needs a value, or `machine` has an empty one.
    MissingValue {
        /// The keyword.
        keyword: &'static str,
    },
    /// A quoted value that begins here has no end.
    OpenQuote,
    /// The file ends with a backslash.
    OpenEscape,
    /// The file is larger than [`Netrc::MAX_BYTES`].
    TooLarge,
}

impl fmt::Display for NetrcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "netrc line {}: ", self.line)?;
        match self.fault {
            NetrcFault::UnknownKeyword => f.write_str(
                "a word stands where a keyword should (machine, default, login, password, account, \
                 macdef); write values with spaces or quotes in them as \"...\"",
            ),
            NetrcFault::OutsideEntry { keyword } => {
                write!(f, "{keyword} belongs to no entry; write machine and a host before it")
            }
            NetrcFault::MissingValue { keyword } => {
                write!(f, "{keyword} has no value; write one behind it, or remove the word")
            }
            NetrcFault::OpenQuote => f.write_str(
                "a quoted value begins here and does not end; close it, and write a quote inside \
                 it as \\\"",
            ),
            NetrcFault::OpenEscape => {
                f.write_str("the file ends with a backslash; write a backslash as \\\\")
            }
            NetrcFault::TooLarge => write!(
                f,
                "the file is larger than {} KiB; is it a netrc file?",
                Netrc::MAX_BYTES / 1024
            ),
        }
    }
}

impl std::error::Error for NetrcError {}
