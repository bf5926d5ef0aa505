//! Observers: code of yours that is told what a call does, as it does it.
//!
//! A [`Timeline`] is read when a call is over. An [`Observer`] sees the same things as they
//! happen: hops, waits with the limit that bounds them, and the end. With the feature `tracing`,
//! `TracingObserver` turns them into spans and events with OpenTelemetry's names.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use std::time::Duration;
//! use waterclock::observe::{CallEnded, HopStarted, Observer, SpanEnded, SpanStarted};
//! use waterclock::{Limits, Session};
//!
//! /// Keeps what it is told as lines.
//! #[derive(Default)]
//! struct Lines(Mutex<Vec<String>>);
//!
//! impl Observer for Lines {
//!     fn hop_started(&self, hop: &HopStarted<'_>) {
//!         self.0.lock().unwrap().push(format!("{} {}", hop.request.method, hop.request.url));
//!     }
//!
//!     fn span_started(&self, wait: &SpanStarted<'_>) {
//!         let limit = wait.limit.map_or("no limit", |limit| limit.name());
//!         self.0.lock().unwrap().push(format!("waiting: {}, {limit}", wait.phase));
//!     }
//!
//!     fn span_ended(&self, ended: &SpanEnded<'_>) {
//!         if ended.span.phase.is_wait() {
//!             self.0.lock().unwrap().push(format!("{}", ended.span.end.name()));
//!         }
//!     }
//!
//!     fn call_ended(&self, call: &CallEnded<'_>) {
//!         self.0.lock().unwrap().push(format!("{:?}", call.outcome));
//!     }
//! }
//!
//! let lines = Arc::new(Lines::default());
//! let session = Session::builder().observer(lines.clone()).build()?;
//! // Nothing is left of the limit, so nothing is sent.
//! let request = session.get("http://127.0.0.1:9/").limits(Limits::total(Duration::ZERO));
//! assert!(request.send().is_err());
//! assert_eq!(
//!     *lines.0.lock().unwrap(),
//!     ["GET http://127.0.0.1:9/", "waiting: connect, total", "expired", "Failed(Timeout)"]
//! );
//! # Ok::<(), waterclock::Error>(())
//! ```

mod redact;
#[cfg(feature = "tracing")]
mod tracer;
mod watch;

pub(crate) use redact::RedactedTarget;
pub use redact::SECRET_PARAMETERS;
#[cfg(feature = "tracing")]
pub use tracer::TracingObserver;
pub(crate) use watch::{Observers, Watch};

use crate::error::ErrorKind;
use std::fmt;
use std::time::Duration;
use waterclock_proto::limit::Limit;
use waterclock_proto::message::Version;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Hop, HopReason, Phase, RequestLine, Span, Timeline, What};

/// Is told what the calls of a [`Session`](crate::Session) do, while they do it. Every method does
/// nothing unless it is written.
///
/// The order of one call is `call_started`, then for each hop `hop_started`, its spans and
/// `hop_ended`, then `call_ended`. What was started is ended exactly once, whatever becomes of the
/// call. Calls on other threads come in between.
///
/// - Methods run on the thread of the call, which goes on when they return. Their time is the
///   call's own work: it shows on the timeline as `local` time, limits go on in it, and the limits
///   of a single wait begin after it.
/// - No lock of ours is held, so an observer may use sessions, even the one it observes. It is
///   told of those calls as well.
/// - A panic goes up to whoever made the call. The connection is closed and its place in the pool
///   given back; the session can be used on.
pub trait Observer: Send + Sync {
    /// A call begins.
    fn call_started(&self, call: &CallStarted<'_>) {
        let _ = call;
    }

    /// A hop begins: the request is made for the first time, or again for the reason given.
    fn hop_started(&self, hop: &HopStarted<'_>) {
        let _ = hop;
    }

    /// A wait begins. Not called for the phases `local` and `caller`: that time was spent in work
    /// is known when the next wait begins.
    fn span_started(&self, wait: &SpanStarted<'_>) {
        let _ = wait;
    }

    /// A span has been recorded: a wait, or the work or caller's time before it. In the order of
    /// the timeline.
    fn span_ended(&self, ended: &SpanEnded<'_>) {
        let _ = ended;
    }

    /// A hop is over: its response's body has been read from the connection, or it failed.
    fn hop_ended(&self, hop: &HopEnded<'_>) {
        let _ = hop;
    }

    /// The call is over: the last byte of the body was handed over, the response was closed or
    /// dropped, or it failed.
    fn call_ended(&self, call: &CallEnded<'_>) {
        let _ = call;
    }
}

/// Tells calls apart. No two calls of a process that are observed have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    /// The number, counted from 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What [`Observer::call_started`] is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallStarted<'a> {
    /// Which call.
    pub call: CallId,
    /// When it began.
    pub at: Tick,
    /// Method and URL as the caller gave them, without userinfo.
    pub request: &'a RequestLine,
}

/// What [`Observer::hop_started`] is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HopStarted<'a> {
    /// Which call.
    pub call: CallId,
    /// Which of its hops, counted from 0: an index into [`Timeline::hops`].
    pub hop: u16,
    /// When it began.
    pub at: Tick,
    /// Method and URL, without userinfo.
    pub request: &'a RequestLine,
    /// Why it is made.
    pub reason: HopReason,
}

/// What [`Observer::span_started`] is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SpanStarted<'a> {
    /// Which call.
    pub call: CallId,
    /// Which of its hops: an index into [`Timeline::hops`].
    pub hop: u16,
    /// What the call is doing.
    pub phase: Phase,
    /// What it is about to wait for.
    pub what: What,
    /// The instant. The wait itself begins when the observers have returned, which is what
    /// [`Span::started`] says afterwards.
    pub at: Tick,
    /// The limit whose deadline is the earliest: the one that would end the wait.
    pub limit: Option<Limit>,
    /// What is left of it.
    pub left: Option<Duration>,
    /// The record so far.
    pub timeline: &'a Timeline,
}

/// What [`Observer::span_ended`] is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SpanEnded<'a> {
    /// Which call.
    pub call: CallId,
    /// The span, as the timeline has it; but for the bytes of a wait, which are moved after it.
    pub span: &'a Span,
    /// The record so far.
    pub timeline: &'a Timeline,
}

/// What [`Observer::hop_ended`] is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HopEnded<'a> {
    /// Which call.
    pub call: CallId,
    /// Which of its hops: an index into [`Timeline::hops`].
    pub hop: u16,
    /// Method and URL, status, connection and instants.
    pub record: &'a Hop,
    /// The version in the response's status line, if there was one.
    pub version: Option<Version>,
    /// What went wrong, if something did. A status of 400 or above is no failure here.
    pub error: Option<ErrorKind>,
}

/// What [`Observer::call_ended`] is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallEnded<'a> {
    /// Which call.
    pub call: CallId,
    /// How it ended.
    pub outcome: Outcome,
    /// The record, complete.
    pub timeline: &'a Timeline,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A response with this status. Whether its body was read to the end is the caller's affair.
    Response(u16),
    /// An error of this kind, perhaps while the body was read.
    Failed(ErrorKind),
    /// Neither: it was given up, by a panic in code of the caller's.
    Abandoned,
}

impl Outcome {
    /// The kind of the error.
    #[must_use]
    pub const fn error(self) -> Option<ErrorKind> {
        match self {
            Outcome::Failed(kind) => Some(kind),
            Outcome::Response(_) | Outcome::Abandoned => None,
        }
    }
}
