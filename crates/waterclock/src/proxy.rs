//! [`Via`]: the proxy that a connection goes through, and how it is told who we are.

use crate::error::{ErrorKind, Failure, Outcome};
use crate::tls::TlsConfig;
use base64::Engine as _;
use std::fmt;
use waterclock_proto::proxy::{Proxies, ProxyUrl};

/// The header that only a proxy may see: never an origin, neither directly nor through a tunnel
/// (CVE-2023-32681, CVE-2024-37891).
pub(crate) const PROXY_AUTHORIZATION: &str = "Proxy-Authorization";

/// A proxy on the way, with everything by which its connections are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Via<'a> {
    /// Its credentials are part of it.
    pub(crate) url: &'a ProxyUrl,
    /// TLS with the proxy itself: never the settings that are for the origin (GHSA-8988-9cw3-xx77).
    pub(crate) tls: Option<&'a TlsConfig>,
    /// What the request itself says in Proxy-Authorization, where that goes into a CONNECT.
    pub(crate) authorization: Option<&'a [u8]>,
}

/// A [`Via`] that owns what it names.
#[derive(Clone)]
pub(crate) struct ViaBuf {
    url: ProxyUrl,
    tls: Option<TlsConfig>,
    authorization: Option<Box<[u8]>>,
}

impl Via<'_> {
    pub(crate) fn to_buf(self) -> ViaBuf {
        ViaBuf {
            url: self.url.clone(),
            tls: self.tls.cloned(),
            authorization: self.authorization.map(Into::into),
        }
    }

    /// The `Proxy-Authorization` for CONNECT: what the proxy's URL says goes first.
    pub(crate) fn connect_authorization(self) -> Option<Vec<u8>> {
        authorization(self.url).map(String::into_bytes).or(self.authorization.map(Into::into))
    }
}

impl ViaBuf {
    pub(crate) fn as_ref(&self) -> Via<'_> {
        let ViaBuf { url, tls, authorization } = self;
        Via { url, tls: tls.as_ref(), authorization: authorization.as_deref() }
    }
}

impl fmt::Debug for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Via({:?})", self.url)
    }
}

impl fmt::Debug for ViaBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// The rules that send everything through the proxy at `url`.
pub(crate) fn for_everything(url: &str) -> Outcome<Proxies> {
    match ProxyUrl::parse(url) {
        Ok(proxy) => Ok(Proxies::all(proxy)),
        Err(error) => Err(Failure::new(ErrorKind::InvalidUrl, error.to_string())),
    }
}

/// Whether requests for `http://` origins are sent to the proxy itself, in absolute-form
/// (RFC 9112 §3.2.2). SOCKS knows tunnels only.
pub(crate) fn speaks_http(proxy: &ProxyUrl) -> bool {
    proxy.scheme().socks_version().is_none()
}

/// The `Proxy-Authorization` that the URL of an HTTP proxy asks for.
pub(crate) fn authorization(proxy: &ProxyUrl) -> Option<String> {
    proxy.credentials().map(|(user, password)| basic(user, password))
}

/// `Basic ...` for the userinfo of a URL (RFC 7617), if it has one.
pub(crate) fn basic_credentials(url: &url::Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let user = percent_decoded(url.username());
    Some(basic(&user, &percent_decoded(url.password().unwrap_or_default())))
}

fn basic(user: &[u8], password: &[u8]) -> String {
    let pair = [user, b":", password].concat();
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

pub(crate) fn percent_decoded(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

/// A URL for people: what stands before an `@` in its authority is not shown.
pub(crate) fn redact(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(start);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}***@{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urls_credentials_go_before_the_requests() {
        let url = ProxyUrl::parse("http://u:p%40@127.0.0.1:3128/").unwrap();
        let via = Via { url: &url, tls: None, authorization: Some(b"Bearer x") };
        assert_eq!(via.connect_authorization().as_deref(), Some(&b"Basic dTpwQA=="[..]));
        let url = ProxyUrl::parse("127.0.0.1:3128").unwrap();
        let via = Via { url: &url, tls: None, authorization: Some(b"Bearer x") };
        assert_eq!(via.connect_authorization().as_deref(), Some(&b"Bearer x"[..]));
        assert_eq!(format!("{:?}", via.to_buf()), "Via(ProxyUrl(http://127.0.0.1:3128))");
    }
}
