//! All calls of a program in one file.

use crate::{har, html, otlp, trace};
use waterclock::run::{Run, Secrets};

/// The calls that a program has made, in the order in which they began.
///
/// ```
/// use std::time::SystemTime;
/// use waterclock::run::{ErrorRecord, RequestRecord, Run, Secrets};
/// use waterclock_export::Program;
///
/// let request = RequestRecord::refused("GET", "http://example.com:99999/");
/// let mut run = Run::new(SystemTime::UNIX_EPOCH, request);
/// run.error = Some(ErrorRecord::new("invalid-url", "the port is too large", None));
///
/// let program = Program { name: "report.py", runs: &[run.clone(), run], left_out: 3 };
/// let page = program.html();
/// assert!(page.contains("2 calls of report.py"));
/// assert!(page.contains("3 more calls"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Program<'r> {
    /// What it is called.
    pub name: &'r str,
    /// Its calls.
    pub runs: &'r [Run],
    /// How many calls there were beside these.
    pub left_out: u64,
}

impl Program<'_> {
    /// One page that needs no other file and no script: a table of the calls, and for each of them the
    /// verdict and the waterfall. It has no header fields, so nothing in it is secret but what a URL may be.
    #[must_use]
    pub fn html(&self) -> String {
        html::program::page(self)
    }

    /// Chrome's trace event format: each call is a process with a row for each hop, on one time axis that
    /// begins with the first call.
    #[must_use]
    pub fn trace(&self) -> String {
        trace::program::trace(self)
    }

    /// HAR 1.2: each call is a page with an entry for each hop.
    #[must_use]
    pub fn har(&self, secrets: Secrets) -> String {
        har::program::har(self, secrets)
    }

    /// OTLP/JSON: each call is a trace.
    #[must_use]
    pub fn otlp(&self, secrets: Secrets) -> String {
        otlp::program(self.runs, secrets)
    }

    /// When the first call began, by the calendar.
    pub(crate) fn began(&self) -> std::time::SystemTime {
        let began = self.runs.iter().map(crate::phases::began).min();
        began.unwrap_or(std::time::SystemTime::UNIX_EPOCH)
    }

    /// How long after the first one a call began.
    pub(crate) fn offset(&self, run: &Run) -> std::time::Duration {
        crate::phases::began(run).duration_since(self.began()).unwrap_or_default()
    }
}
