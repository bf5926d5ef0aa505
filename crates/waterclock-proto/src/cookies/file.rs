//! What both file formats have in common.

use super::{Cookie, CookieJar, Rejected};
use std::fmt;

/// Whether a file gets the cookies that have no end of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionCookies {
    /// They end with the program, as in Python's `http.cookiejar`.
    #[default]
    LeaveOut,
    /// They are written too, as curl does.
    Keep,
}

impl SessionCookies {
    pub(super) fn admit(self, cookie: &Cookie) -> bool {
        self == SessionCookies::Keep || cookie.expires().is_some()
    }
}

/// What was read from a cookie file.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Loaded {
    /// The cookies. Those that had ended are not among them.
    pub jar: CookieJar,
    /// Well-formed cookies that no server could have set, for instance because their domain has
    /// become a public suffix since the file was written.
    pub left_out: Vec<LeftOut>,
}

/// A cookie of a file that was not loaded.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Which one: in a Netscape file its line, in JSON its place, both counted from 1.
    pub at: usize,
    /// Why.
    pub why: Rejected,
}

/// A file that is no cookie file, or is damaged. The message holds nothing of a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieFileError {
    line: usize,
    what: Box<str>,
}

impl CookieFileError {
    pub(super) fn new(line: usize, what: impl Into<Box<str>>) -> Self {
        CookieFileError { line, what: what.into() }
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for CookieFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cookie file, line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for CookieFileError {}
