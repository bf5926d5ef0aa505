//! Exit codes: curl's, where curl has one, because people know them. They are a promise.

use waterclock::ErrorKind;

/// Why the program ends, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The transfer is done; with any status, unless `--fail` was given.
    Done,
    /// The command line cannot be used. Nothing was sent.
    Usage,
    /// A `--slo` bound was passed, and nothing else went wrong.
    Slo,
    /// A status of 400 or above, with `--fail`.
    Status,
    /// A file or pipe could not be written.
    Output,
    /// The call failed.
    Call(ErrorKind),
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Usage => 2,
            Exit::Slo => 4,
            Exit::Status => 22,
            Exit::Output => 23,
            Exit::Call(kind) => of_kind(kind),
        }
    }
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> Self {
        exit.code()
    }
}

const fn of_kind(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidRequest => 2,
        ErrorKind::InvalidUrl => 3,
        ErrorKind::Proxy => 5,
        ErrorKind::Resolve => 6,
        ErrorKind::Connect => 7,
        ErrorKind::Protocol => 8,
        ErrorKind::IncompleteBody => 18,
        ErrorKind::Status => 22,
        ErrorKind::Timeout => 28,
        ErrorKind::Tls => 35,
        ErrorKind::TooManyRedirects | ErrorKind::Redirect => 47,
        ErrorKind::Closed => 52,
        ErrorKind::Send => 55,
        ErrorKind::Receive => 56,
        ErrorKind::Certificate => 60,
        ErrorKind::Decode => 61,
        ErrorKind::TooLarge => 63,
        ErrorKind::Cancelled => 130,
        // Also what does not exist yet: curl's "unsupported protocol".
        _ => 1,
    }
}

/// The code of an error of that name, in a run document.
pub(crate) fn of_name(name: &str) -> u8 {
    match name {
        "slo" => Exit::Slo.code(),
        "status" => Exit::Status.code(),
        "output" => Exit::Output.code(),
        name => KINDS.into_iter().find(|kind| kind.name() == name).map_or(1, of_kind),
    }
}

/// Those with a code of their own.
const KINDS: [ErrorKind; 20] = [
    ErrorKind::Timeout,
    ErrorKind::InvalidUrl,
    ErrorKind::InvalidRequest,
    ErrorKind::UnsupportedScheme,
    ErrorKind::Resolve,
    ErrorKind::Connect,
    ErrorKind::Proxy,
    ErrorKind::Tls,
    ErrorKind::Certificate,
    ErrorKind::Protocol,
    ErrorKind::Closed,
    ErrorKind::IncompleteBody,
    ErrorKind::Send,
    ErrorKind::Receive,
    ErrorKind::Decode,
    ErrorKind::TooLarge,
    ErrorKind::TooManyRedirects,
    ErrorKind::Redirect,
    ErrorKind::Cancelled,
    ErrorKind::Status,
];
