//! The session that makes the call: what the options say about connections, trust and credentials.

use crate::args::{Options, Trust};
use crate::live::Live;
use crate::request::removed;
use crate::trust;
use waterclock::capture::Capture;
use waterclock::cookies::CookieJar;
use waterclock::tls::{SettingsError, TlsSettings};
use waterclock::world::SocketOptions;
use waterclock::{Error, Proxies, ProxyUrl, Session};
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

/// A session with these cookies, and credentials from a file; recorded, if there is a capture.
pub(crate) fn session(
    options: &Options,
    cookies: CookieJar,
    netrc: Option<Netrc>,
    capture: Option<&Capture>,
    live: Option<&Live>,
) -> Result<Session, NoSession> {
    let tls = trust::settings(&options.trust).map_err(|error| unusable(&error))?;
    let mut builder =
        Session::builder().tls(tls).cookies(cookies).trust_env(!options.credentials.no_env);
    if let Some(capture) = capture {
        builder = builder.capture(capture);
    }
    if let Some(live) = live {
        builder = builder.observer(live.observer());
    }
    if let Some(netrc) = netrc {
        builder = builder.netrc(netrc);
    }
    builder = builder
        .proxies(proxies(options).map_err(NoSession::Usage)?)
        .proxy_tls(proxy_tls(options).map_err(|error| unusable(&error))?);
    if let Some(address) = options.local_address {
        let local_address = Some(address);
        builder = builder.socket(SocketOptions { local_address, ..SocketOptions::default() });
    }
    for rule in &options.resolve {
        builder = builder.resolve(rule.clone());
    }
    if let Some(path) = &options.unix_socket {
        builder = builder.unix_socket(path);
    }
    for name in removed(options) {
        builder = builder.without_header(&name);
    }
    builder.build().map_err(NoSession::Error)
}

/// The proxy that was given goes before the environment, and so does the list of hosts without one.
fn proxies(options: &Options) -> Result<Proxies, String> {
    let given = &options.proxy;
    let proxies = match &given.url {
        Some(url) => Proxies::all(ProxyUrl::parse(url).map_err(|error| error.to_string())?),
        None if options.credentials.no_env => Proxies::direct(),
        None => Proxies::from_environment(|name| std::env::var(name).ok())
            .map_err(|error| error.to_string())?,
    };
    Ok(match &given.none_for {
        Some(list) => proxies.with_no_proxy(list),
        None => proxies,
    })
}

fn proxy_tls(options: &Options) -> Result<TlsSettings, SettingsError> {
    let proxy = &options.proxy;
    let (cacert, insecure) = (proxy.cacert.clone(), proxy.insecure);
    trust::settings(&Trust { cacert, insecure, ..Trust::default() })
}

fn unusable(error: &SettingsError) -> NoSession {
    let hint = error.hint().map(|hint| format!("\n  {hint}")).unwrap_or_default();
    NoSession::Usage(format!("{error}{hint}"))
}
