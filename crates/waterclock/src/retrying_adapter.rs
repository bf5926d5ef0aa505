//! [`Retrying`]: the retries of a call, for adapters that have none of their own.

use crate::adapter::Adapter;
use crate::call::Call;
use crate::error::Error;
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::retrying::{Settled, after_failure, after_response};

/// Gives an adapter the retries that its calls ask for ([`Retry`](crate::Retry)), as those over HTTP
/// have them: the same counts, pauses and history, one hop in the timeline for each attempt.
///
/// Which failures are worth another try is decided by the kind of the error and by how much of the
/// request had left, so the adapter makes its errors with [`Call::into_error`] and says by
/// [`Call::pause`] how far it got. An error that has no record of its call is final.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use waterclock::{
///     Adapter, Call, Error, ErrorKind, PreparedRequest, Response, Retry, Retrying, Session,
/// };
///
/// struct Flaky(AtomicU32);
///
/// impl Adapter for Flaky {
///     fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
///         match self.0.fetch_add(1, Ordering::Relaxed) {
///             0 => Err(call.into_error(ErrorKind::Connect, "not yet")),
///             _ => Response::builder(request, call).body("here I am"),
///         }
///     }
/// }
///
/// let flaky = Arc::new(Retrying(Flaky(AtomicU32::new(0))));
/// let session = Session::builder().mount("flaky://", flaky).retry(Retry::new(1)).build()?;
/// let mut response = session.get("flaky://any/").send()?;
/// assert_eq!(response.text()?, "here I am");
/// assert_eq!(response.retries().len(), 1);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Retrying<A>(pub A);

impl<A: Adapter> Adapter for Retrying<A> {
    fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
        retried(request, call, |request, call| self.0.send(request, call))
    }

    fn close(&self) {
        self.0.close();
    }
}

/// Sends with `send` until there is a response or failure that is the caller's.
pub(crate) fn retried(
    request: &mut PreparedRequest,
    mut call: Call,
    send: impl Fn(&mut PreparedRequest, Call) -> Result<Response, Error>,
) -> Result<Response, Error> {
    if request.retry.is_none() {
        return send(request, call);
    }
    loop {
        call.begin_hop(&request.line);
        call.lend(true);
        call = match send(request, call) {
            Ok(mut response) => {
                response.call_mut().lend(false);
                match after_response(request, response)? {
                    Settled::Done(response) => return Ok(response),
                    Settled::Again(call) => call,
                }
            }
            Err(mut error) => {
                let Some(mut call) = error.take_call() else { return Err(error) };
                call.lend(false);
                if let Err(end) = after_failure(request, &mut call, error.into_failure()) {
                    return Err(call.fail(end));
                }
                call
            }
        };
    }
}
