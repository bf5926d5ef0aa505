//! [`StopReason`]: why a request is not sent again.

use crate::message::Method;
use crate::timeline::RequestSent;
use std::fmt;

/// What happened to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No connection was made.
    Connect,
    /// The response did not arrive whole.
    Read,
    /// Something else went wrong.
    Other,
    /// A response with this status.
    Status(u16),
    /// A redirect with this status.
    Redirect(u16),
}

/// Why a request is not sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// None was to be retried, and none was: the failure speaks for itself.
    Off,
    /// All retries are used up.
    Exhausted {
        /// What happened once more.
        kind: Kind,
        /// After how many retries, or redirects if it is one.
        after: u32,
    },
    /// The server may have acted on the request, and the method is not one of those allowed.
    Method {
        /// The method.
        method: Method,
        /// How much of it was sent.
        sent: RequestSent,
    },
    /// The status is not one of those that are retried.
    Status {
        /// The status.
        status: u16,
    },
    /// The body was begun and has no way back to its start.
    Body,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Off => f.write_str("no retry was asked for"),
            StopReason::Exhausted { kind: kind @ Kind::Redirect(_), after } => {
                write!(f, "too many {kind} ({after} followed)")
            }
            StopReason::Exhausted { kind, after } => {
                let retries = if *after == 1 { "retry" } else { "retries" };
                write!(f, "too many {kind} ({after} {retries})")
            }
            StopReason::Method { method, sent } => match sent {
                RequestSent::No => write!(f, "{method} is not one of the methods to retry"),
                RequestSent::Partly => {
                    write!(f, "{method} is not retried once part of it was sent")
                }
                RequestSent::Yes => write!(f, "{method} is not retried once it was sent"),
            },
            StopReason::Status { status } => write!(f, "status {status} is not retried"),
            StopReason::Body => f.write_str("the body cannot be sent again from its start"),
        }
    }
}

/// In the plural: `503 error responses`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Connect => f.write_str("failures to connect"),
            Kind::Read => f.write_str("failures to read a response"),
            Kind::Other => f.write_str("failures"),
            Kind::Status(status) => write!(f, "{status} error responses"),
            Kind::Redirect(_) => f.write_str("redirects"),
        }
    }
}
