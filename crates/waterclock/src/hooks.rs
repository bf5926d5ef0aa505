//! [`Hooks`]: functions of the caller's that see each hop of a call.

use crate::error::Error;
use crate::request::PreparedRequest;
use crate::response::Response;
use std::fmt;
use std::sync::Arc;
use waterclock_proto::redirect::Redirected;

type RequestHook = dyn Fn(&mut PreparedRequest) -> Result<(), Error> + Send + Sync;
type RedirectHook = dyn Fn(&Response, &Redirected) -> Result<bool, Error> + Send + Sync;
type ResponseHook = dyn Fn(&mut Response) -> Result<(), Error> + Send + Sync;

/// Hooks in the order in which they were added.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    request: Vec<Arc<RequestHook>>,
    response: Vec<Arc<ResponseHook>>,
    redirect: Vec<Arc<RedirectHook>>,
}

impl Hooks {
    pub(crate) fn on_request(
        &mut self,
        hook: impl Fn(&mut PreparedRequest) -> Result<(), Error> + Send + Sync + 'static,
    ) {
        self.request.push(Arc::new(hook));
    }

    pub(crate) fn on_response(
        &mut self,
        hook: impl Fn(&mut Response) -> Result<(), Error> + Send + Sync + 'static,
    ) {
        self.response.push(Arc::new(hook));
    }

    pub(crate) fn on_redirect(
        &mut self,
        hook: impl Fn(&Response, &Redirected) -> Result<bool, Error> + Send + Sync + 'static,
    ) {
        self.redirect.push(Arc::new(hook));
    }

    pub(crate) fn want_requests(&self) -> bool {
        !self.request.is_empty()
    }

    pub(crate) fn want_responses(&self) -> bool {
        !self.response.is_empty()
    }

    pub(crate) fn want_redirects(&self) -> bool {
        !self.redirect.is_empty()
    }

    /// Whether all of them want the redirect to be followed. The first one that does not ends the
    /// asking.
    pub(crate) fn follow(&self, response: &Response, to: &Redirected) -> Result<bool, Error> {
        for hook in &self.redirect {
            if !hook(response, to)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn request(&self, request: &mut PreparedRequest) -> Result<(), Error> {
        self.request.iter().try_for_each(|hook| hook(request))
    }

    pub(crate) fn response(&self, response: &mut Response) -> Result<(), Error> {
        self.response.iter().try_for_each(|hook| hook(response))
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hooks { request, response, redirect } = self;
        write!(f, "Hooks({}, {}, {})", request.len(), response.len(), redirect.len())
    }
}
