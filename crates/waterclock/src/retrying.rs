//! What an adapter does with a hop that failed, or was answered with "later": the decision is
//! [`RetryState`](waterclock_proto::retry::RetryState)'s, the waiting is here.

use crate::call::Call;
use crate::error::{Error, ErrorKind, Failure, Outcome};
use crate::log_lines;
use crate::request::PreparedRequest;
use crate::response::Response;
use std::time::Duration;
use waterclock_proto::limit::Limit;
use waterclock_proto::retry::{self, Cause, Decision, DelayRefused, Failed, StopReason};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{HopReason, Phase, RequestSent, What};

/// What became of a response.
#[allow(clippy::large_enum_variant, reason = "moved once; a box would be one more allocation")]
pub(crate) enum Settled {
    /// It is the caller's.
    Done(Response),
    /// The request is to be sent again.
    Again(Call),
}

/// Ends a failed hop: `Ok` if another one is to be made, now.
pub(crate) fn after_failure(
    request: &mut PreparedRequest,
    call: &mut Call,
    mut failure: Box<Failure>,
) -> Outcome<()> {
    let Some(cause) = cause(&failure).filter(|_| !request.retry.is_none()) else {
        return Err(failure);
    };
    let failed = Failed {
        method: &request.line.method,
        url: &request.line.url,
        cause,
        sent: call.timeline().request_sent(),
        body_replayable: request.body.is_replayable(),
    };
    let why_not = match call.decide(&request.retry, &failed) {
        Decision::Stop(StopReason::Off) => return Err(failure),
        Decision::Stop(reason) => reason.to_string(),
        Decision::Again { delay, .. } => match fits(call, delay) {
            Ok(until) => {
                log_lines::incremented_retry(&request.line.url, call.retry_state(&request.retry));
                call.end_hop(Some(failure.kind));
                return again(request, call, Some(until));
            }
            Err(refused) => refused.to_string(),
        },
    };
    failure.message = format!("{}; not sent again: {why_not}", failure.message).into();
    Err(failure)
}

/// Looks whether a response asks for another try.
#[inline]
pub(crate) fn after_response(
    request: &mut PreparedRequest,
    response: Response,
) -> Result<Settled, Error> {
    if request.retry.is_none() || !request.retry.concerns(response.status()) {
        return Ok(Settled::Done(response));
    }
    after_status(request, response)
}

fn after_status(request: &mut PreparedRequest, mut response: Response) -> Result<Settled, Error> {
    let status = response.status();
    let retry_after = response.headers().get("Retry-After").map(<[u8]>::to_vec);
    let failed = Failed {
        method: &request.line.method,
        url: &request.line.url,
        cause: Cause::Status { status, retry_after: retry_after.as_deref() },
        sent: RequestSent::Yes,
        body_replayable: request.body.is_replayable(),
    };
    let call = response.call_mut();
    let delay = match call.decide(&request.retry, &failed) {
        Decision::Again { delay, .. } => delay,
        Decision::Stop(reason) if request.retry.raises(&reason) => {
            let (call, past) = response.into_past();
            let failure = Failure::new(ErrorKind::Status, reason.to_string());
            return Err(call.fail(failure).with_history(vec![past]));
        }
        Decision::Stop(_) => return Ok(Settled::Done(response)),
    };
    let until = match fits(call, delay) {
        Ok(until) => until,
        Err(refused) => {
            call.retry_state(&request.retry).take_back();
            let note = format!("The {status} was not retried: {refused} of the limit total.");
            call.timeline_mut().note(note);
            return Ok(Settled::Done(response));
        }
    };
    log_lines::incremented_retry(&request.line.url, call.retry_state(&request.retry));
    log_lines::retry(&request.line.url);
    after_pause(request, response, Some(until)).map(Settled::Again)
}

/// The request is to be sent again at once, whatever the policy: the server has not looked at it.
pub(crate) fn at_once(request: &mut PreparedRequest, response: Response) -> Result<Call, Error> {
    log_lines::retry(&request.line.url);
    after_pause(request, response, None)
}

/// Reading what is left of the response's body is a part of the pause: RFC 9110 §10.2.3 counts from its receipt.
fn after_pause(
    request: &mut PreparedRequest,
    response: Response,
    until: Option<Tick>,
) -> Result<Call, Error> {
    let (mut call, _) = response.into_past();
    match again(request, &mut call, until) {
        Ok(()) => Ok(call),
        Err(failure) => Err(call.fail(failure)),
    }
}

/// Makes request and call ready for another hop, which begins at once or when the pause is over.
pub(crate) fn again(
    request: &mut PreparedRequest,
    call: &mut Call,
    until: Option<Tick>,
) -> Outcome<()> {
    request.body.rewind().map_err(|error| {
        let context = "the request's body is to be sent again, but cannot go back to its beginning";
        Failure::from_error(ErrorKind::InvalidRequest, context, error)
    })?;
    call.again(HopReason::Retry);
    if let Some(until) = until.filter(|&until| until > call.latest()) {
        call.wait_until(Phase::Backoff, What::Answer, &mut [], until)?;
    }
    Ok(())
}

/// When the pause will be over, if there is time for it: one that would end after the deadline is not begun.
fn fits(call: &mut Call, delay: Duration) -> Result<Tick, DelayRefused> {
    let now = call.now();
    retry::fits(delay, call.deadline(Limit::Total).map(|deadline| deadline.since(now)))?;
    Ok(now.after(delay))
}

/// What kind of failure it is; `None` for those that another try would only repeat, and for the ends
/// of the whole call.
fn cause(failure: &Failure) -> Option<Cause<'static>> {
    match failure.kind {
        ErrorKind::Resolve | ErrorKind::Connect => Some(Cause::Connect),
        ErrorKind::Proxy | ErrorKind::Tls => Some(Cause::Other),
        ErrorKind::Closed | ErrorKind::Send | ErrorKind::Receive | ErrorKind::Protocol => {
            Some(Cause::Read)
        }
        ErrorKind::Timeout => {
            let fired = failure.fired.filter(|fired| fired.limit != Limit::Total)?;
            match fired.phase {
                Phase::Resolve | Phase::Connect => Some(Cause::Connect),
                Phase::Tls | Phase::Tunnel => Some(Cause::Other),
                Phase::Pool | Phase::Backoff | Phase::Caller | Phase::Local => None,
                _ => Some(Cause::Read),
            }
        }
        _ => None,
    }
}
