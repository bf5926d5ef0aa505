//! What of a request is not method, URL, headers and body.

use crate::auth::Auth;
use crate::cancel::CancelHandle;
use crate::cookies::RequestCookie;
use crate::hooks::Hooks;
use crate::tls::TlsSettings;
use waterclock_proto::decode::DecodeLimits;
use waterclock_proto::limit::Limits;
use waterclock_proto::proxy::Proxies;
use waterclock_proto::redirect::RedirectPolicy;

/// What a call may say in place of its session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) limits: Option<Limits>,
    pub(crate) cancel: Option<CancelHandle>,
    /// An origin that is asked without a proxy gets the request's `Proxy-Authorization`.
    pub(crate) shows_proxy_authorization: bool,
    /// The caller makes the next hops.
    pub(crate) held: bool,
    pub(crate) expect_continue: bool,
    pub(crate) keep_coded: bool,
    pub(crate) decode_limits: DecodeLimits,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) proxies: Option<Proxies>,
    /// A redirect has led to another origin: the client certificate and the session's credentials
    /// stay behind, also if the caller follows by hand.
    pub(crate) left_origin: bool,
    pub(crate) auth: Option<Auth>,
    pub(crate) cookies: Vec<RequestCookie>,
    pub(crate) redirects: Option<RedirectPolicy>,
    pub(crate) hooks: Hooks,
}
