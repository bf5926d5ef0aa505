//! What these tests share.

use std::time::Duration;
use waterclock::tls::{Roots, TlsSettings};
use waterclock::{Limits, ResolveOverride, Session, SessionBuilder};
use waterclock_lab::{Authority, ReceivedRequest, Script, Server, redirect, respond};

/// A builder that nothing around the test can influence, and that ends what hangs.
pub(crate) fn builder() -> SessionBuilder {
    Session::builder().trust_env(false).limits(Limits::total(Duration::from_secs(20)))
}

/// Settings that trust `authority` alone.
pub(crate) fn trusting(authority: &Authority) -> TlsSettings {
    let roots = Roots::pem(authority.pem().as_bytes()).unwrap();
    TlsSettings::builder().roots(roots).build().unwrap()
}

/// `server` is found under `name`.
pub(crate) fn named(builder: SessionBuilder, name: &str, server: &Server) -> SessionBuilder {
    let address = server.address();
    builder.resolve(ResolveOverride::new(name, address.port(), vec![address.ip()]))
}

/// Redirects `/from` to `location` and answers everything else.
pub(crate) fn redirecting(status: u16, location: &str) -> Script {
    let location = location.to_owned();
    Script::by_request(move |request| match request.path() {
        "/from" => redirect(status, &location),
        _ => respond(200, ""),
    })
}

/// The request that was received last.
#[track_caller]
pub(crate) fn last(server: &Server) -> ReceivedRequest {
    server.requests().pop().expect("no request was received")
}
