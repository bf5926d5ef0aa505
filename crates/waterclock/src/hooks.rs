//! [`Hooks`]: functions of the caller's that see each hop of a call.

use crate::error::Error;
use crate::request::PreparedRequest;
use crate::response::Response;
use std::fmt;
use std::sync::Arc;

type RequestHook = dyn Fn(&mut PreparedRequest) -> Result<(), Error> + Send + Sync;
type ResponseHook = dyn Fn(&mut Response) -> Result<(), Error> + Send + Sync;

/// Hooks in the order in which they were added.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    request: Vec<Arc<RequestHook>>,
    response: Vec<Arc<ResponseHook>>,
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

    pub(crate) fn want_requests(&self) -> bool {
        !self.request.is_empty()
    }

    pub(crate) fn want_responses(&self) -> bool {
        !self.response.is_empty()
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
        write!(f, "Hooks({}, {})", self.request.len(), self.response.len())
    }
}
