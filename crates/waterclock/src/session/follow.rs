//! The request that a redirect asks for, made from the one that was redirected.

use crate::auth::Auth;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::request::{PreparedRequest, RequestBody};
use crate::target::Place;
use std::sync::Arc;
use waterclock_proto::message::Headers;
use waterclock_proto::redirect::{BodyRule, Credentials, Redirected, same_origin};
use waterclock_proto::timeline::RequestLine;

/// Gives the next request and the body that it has no use for.
///
/// What belongs to the origin that redirected stays there if the next one is another: header fields,
/// the session's default ones included, the request's own cookies, the client certificate. It does not
/// come back if the chain does.
pub(super) fn follow(
    request: &mut PreparedRequest,
    to: &Redirected,
) -> Outcome<(Box<PreparedRequest>, RequestBody)> {
    let (body, dropped) = match to.body {
        BodyRule::Keep => {
            rewind(&mut request.body, ErrorKind::Redirect)?;
            // Bytes are shared; a source there is only one of.
            let kept = match &request.body {
                RequestBody::Bytes(bytes) => RequestBody::Bytes(Arc::clone(bytes)),
                _ => std::mem::take(&mut request.body),
            };
            (kept, RequestBody::Empty)
        }
        BodyRule::Drop => (RequestBody::Empty, std::mem::take(&mut request.body)),
    };
    let mut headers = request.headers.clone();
    let mut defaults = Arc::clone(&request.defaults);
    let prune = |headers: &mut Headers| {
        to.prune(headers);
        // As in requests and httpx: the jar decides afresh which cookies go.
        headers.remove("Cookie");
        request.retry.prune(to.credentials, headers);
    };
    prune(&mut headers);
    let mut kept = Headers::clone(&defaults);
    prune(&mut kept);
    if kept.len() != defaults.len() {
        defaults = Arc::new(kept);
    }
    let mut options = request.options.clone();
    if to.credentials == Credentials::Strip {
        options.left_origin = true;
        options.auth = options.auth.filter(Auth::is_none);
        options.cookies.clear();
    }
    let credentials = match to.credentials {
        Credentials::Keep => request.credentials.clone(),
        Credentials::Strip => None,
    };
    let same = same_origin(&request.line.url, &to.url);
    let next = PreparedRequest {
        line: Arc::new(RequestLine { method: to.method.clone(), url: to.url.clone() }),
        // Zone and Unix socket belong to the host.
        place: if same { request.place.for_another_path() } else { Place::default() },
        headers,
        defaults,
        added: Headers::new(),
        body,
        limits: request.limits,
        retry: Arc::clone(&request.retry),
        options,
        credentials,
    };
    Ok((Box::new(next), dropped))
}

/// Makes `body` ready to be sent again.
pub(super) fn rewind(body: &mut RequestBody, kind: ErrorKind) -> Outcome<()> {
    body.rewind().map_err(|error| {
        let context = "the request's body is to be sent again, but cannot go back to its beginning";
        Failure::from_error(kind, context, error)
    })
}
