//! The session that makes the call: what the options say about connections, trust and credentials.

use crate::access;
use crate::args::Options;
use crate::request::removed;
use crate::trust;
use waterclock::cookies::CookieJar;
use waterclock::world::SocketOptions;
use waterclock::{Error, Session};
use waterclock_proto::netrc::Netrc;

/// Why there is none.
pub(crate) enum NoSession {
    /// In words.
    Usage(String),
    Error(Error),
}

impl From<Error> for NoSession {
    fn from(error: Error) -> Self {
        NoSession::Error(error)
    }
}

/// A session with these cookies, and credentials from a file.
pub(crate) fn session(
    options: &Options,
    cookies: CookieJar,
    netrc: Option<Netrc>,
) -> Result<Session, NoSession> {
    let tls = trust::settings(&options.trust).map_err(unusable)?;
    let environment = !options.credentials.no_env;
    let mut builder = Session::builder().tls(tls).cookies(cookies).trust_env(environment);
    if let Some(netrc) = netrc {
        builder = builder.on_request(move |request| access::add_login(&netrc, request));
    }
    if let Some(address) = options.local_address {
        let local_address = Some(address);
        builder = builder.socket(SocketOptions { local_address, ..SocketOptions::default() });
    }
    for rule in &options.resolve {
        builder = builder.resolve(rule.clone());
    }
    if let Some(proxy) = &options.proxy.url {
        builder = builder.proxy(proxy);
    }
    if let Some(path) = &options.unix_socket {
        builder = builder.unix_socket(path);
    }
    for name in removed(options) {
        builder = builder.without_header(&name);
    }
    builder.build().map_err(NoSession::Error)
}

fn unusable(error: waterclock::tls::SettingsError) -> NoSession {
    let hint = error.hint().map(|hint| format!("\n  {hint}")).unwrap_or_default();
    NoSession::Usage(format!("{error}{hint}"))
}
