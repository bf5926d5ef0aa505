//! [`Planned`]: what a rule does with one call.

use super::{Recorded, Reply};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Failure};
use crate::request::PreparedRequest;
use crate::response::Response;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::limit::Limit;
use waterclock_proto::timeline::{Fired, Phase, What};

/// An answer, and how long it takes.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) delay: Duration,
    pub(super) answer: Answer,
}

#[derive(Clone)]
pub(super) enum Answer {
    Reply(Reply),
    Computed(Arc<dyn Fn(&Recorded) -> Reply + Send + Sync>),
    Fail(ErrorKind, Box<str>),
    TimeOut(Limit),
}

impl Planned {
    /// Does it; `keep` gets the request once its body was sent.
    pub(super) fn give(
        self,
        request: &mut PreparedRequest,
        mut call: Call,
        mut seen: Recorded,
        keep: impl FnOnce(&Recorded),
    ) -> Result<Response, Error> {
        let phase = self.answer.phase();
        let is_sent = phase >= Phase::FirstByte;
        if is_sent {
            let taken = seen.take_body(request, &mut call);
            keep(&seen);
            if let Err(failure) = taken {
                return Err(call.fail(failure));
            }
        }
        if let Err(failure) = call.pause_in(phase, self.delay) {
            return Err(call.fail(failure));
        }
        match self.answer {
            Answer::Reply(reply) => reply.give(request, call),
            Answer::Computed(compute) => {
                let since = call.now();
                let reply = compute(&seen);
                if let Err(failure) = call.caller_time(What::Hook, since, phase) {
                    return Err(call.fail(failure));
                }
                reply.give(request, call)
            }
            Answer::Fail(ErrorKind::Timeout, message) => {
                let mut failure = expire(&mut call, Limit::Read, phase);
                failure.message = String::from(message).into();
                Err(call.fail(failure))
            }
            Answer::Fail(kind, message) => {
                Err(call.fail(Failure::new(kind, String::from(message))))
            }
            Answer::TimeOut(limit) => {
                let failure = expire(&mut call, limit, phase);
                Err(call.fail(failure))
            }
        }
    }
}

/// A limit fires that need not have been set.
fn expire(call: &mut Call, limit: Limit, phase: Phase) -> Box<Failure> {
    let now = call.now();
    call.expire(What::Answer, Fired { limit, phase, deadline: now, noticed: now })
}

impl Answer {
    /// How far the call gets before it: what is sent of the request, and so what may be retried,
    /// follows from it.
    fn phase(&self) -> Phase {
        match self {
            Answer::Reply(_) | Answer::Computed(_) => Phase::FirstByte,
            Answer::Fail(kind, _) => match kind {
                ErrorKind::InvalidUrl
                | ErrorKind::InvalidRequest
                | ErrorKind::UnsupportedScheme
                | ErrorKind::Resolve => Phase::Resolve,
                ErrorKind::Connect => Phase::Connect,
                ErrorKind::Proxy => Phase::Tunnel,
                ErrorKind::Tls | ErrorKind::Certificate => Phase::Tls,
                ErrorKind::Send => Phase::Upload,
                _ => Phase::FirstByte,
            },
            Answer::TimeOut(limit) => match limit {
                Limit::Pool => Phase::Pool,
                Limit::Resolve => Phase::Resolve,
                Limit::Connect | Limit::Address => Phase::Connect,
                Limit::Tunnel => Phase::Tunnel,
                Limit::Tls => Phase::Tls,
                Limit::Write => Phase::Send,
                Limit::Upload => Phase::Upload,
                Limit::Head => Phase::Head,
                Limit::Body => Phase::Body,
                _ => Phase::FirstByte,
            },
        }
    }
}
