//! [`Proxy`]: an HTTP proxy between us and the origin.

use crate::error::{ErrorKind, Failure, Outcome};
use base64::Engine as _;
use std::fmt;
use waterclock_proto::message::Headers;

/// An HTTP proxy. Requests to `https://` origins go through a CONNECT tunnel; requests to `http://`
/// origins are sent to it in absolute form (RFC 9112 §3.2.2).
#[derive(Clone)]
pub(crate) struct Proxy {
    host: Box<str>,
    port: u16,
    /// What only the proxy may see: never sent through a tunnel.
    headers: Headers,
}

impl Proxy {
    /// The proxy at `url`: `http://[user:password@]host[:port]`, the scheme may be left out. The
    /// default port is 80 (curl's 1080 is for SOCKS).
    pub(crate) fn parse(url: &str) -> Outcome<Self> {
        let invalid = |why: &str| {
            let text =
                format!("the proxy \"{}\" cannot be used: {why}", redact(url).escape_debug());
            Failure::new(ErrorKind::InvalidUrl, text)
        };
        let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let parsed = url::Url::parse(&full).map_err(|error| invalid(&error.to_string()))?;
        if parsed.scheme() != "http" {
            return Err(invalid("only http:// proxies are supported"));
        }
        let host = parsed.host_str().ok_or_else(|| invalid("it has no host"))?;
        let mut headers = Headers::new();
        if let Some(credentials) = basic_credentials(&parsed) {
            let set = headers.append("Proxy-Authorization", credentials);
            set.map_err(|error| invalid(&error.to_string()))?;
        }
        Ok(Proxy { host: host.into(), port: parsed.port().unwrap_or(80), headers })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn headers(&self) -> &Headers {
        &self.headers
    }
}

/// `Basic ...` for the userinfo of a URL (RFC 7617), if it has one.
pub(crate) fn basic_credentials(url: &url::Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair = percent_decoded(url.username());
    pair.push(b':');
    pair.extend(percent_decoded(url.password().unwrap_or_default()));
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
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

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_may_leave_out_scheme_and_port() {
        let proxy = Proxy::parse("proxy.example").unwrap();
        assert_eq!(proxy.to_string(), "proxy.example:80");
        let proxy = Proxy::parse("http://u:p%40@127.0.0.1:3128/").unwrap();
        assert_eq!(proxy.to_string(), "127.0.0.1:3128");
        assert_eq!(proxy.headers().get("proxy-authorization"), Some(&b"Basic dTpwQA=="[..]));
    }

    #[test]
    fn errors_do_not_show_the_password() {
        let failure = Proxy::parse("socks5://user:secret@host").unwrap_err();
        assert_eq!(failure.kind, ErrorKind::InvalidUrl);
        assert!(!failure.message.contains("secret"), "{}", failure.message);
    }
}
