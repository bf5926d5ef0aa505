//! [`ProxyUrl`]: one proxy, parsed.

use crate::socks::SocksVersion;
use std::fmt;
use std::sync::Arc;
use url::{Host, Url};

/// A proxy: `[scheme://][user:password@]host[:port]`.
///
/// Clones share one allocation. Equality and hash include the credentials, so that it can be (part
/// of) a pool's key: connections made for one user never serve another (CVE-2016-5420 and its kin).
/// Neither `Display` nor `Debug` nor an error ever shows the credentials.
///
/// A missing scheme means `http`. `socks` alone means `socks4`, as curl reads it; requests refuses
/// it. The default ports are 80, 443 and 1080.
///
/// ```
/// use waterclock_proto::proxy::{ProxyScheme, ProxyUrl};
///
/// let proxy = ProxyUrl::parse("socks5h://ann:s%40fe@[::1]")?;
/// assert_eq!(proxy.scheme(), ProxyScheme::Socks5h);
/// assert_eq!((proxy.host(), proxy.port()), ("::1", 1080));
/// assert_eq!(proxy.credentials(), Some((&b"ann"[..], &b"s@fe"[..])));
/// assert_eq!(proxy.to_string(), "socks5h://[::1]:1080");
///
/// let error = ProxyUrl::parse("ftp://ann:safe@proxy.test").unwrap_err();
/// assert!(error.to_string().contains("ftp"));
/// assert!(!error.to_string().contains("safe"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProxyUrl(Arc<Inner>);

#[derive(PartialEq, Eq, Hash)]
struct Inner {
    scheme: ProxyScheme,
    host: Box<str>,
    port: u16,
    credentials: Option<Credentials>,
}

/// User and password.
type Credentials = (Box<[u8]>, Box<[u8]>);

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyScheme {
    /// HTTP: forwards absolute-form requests (RFC 9112 §3.2.2), tunnels with CONNECT.
    Http,
    /// The same, inside TLS with the proxy.
    Https,
    /// SOCKS 4: IPv4 addresses, which the client looks up.
    Socks4,
    /// SOCKS 4a: the proxy looks names up.
    Socks4a,
    /// SOCKS 5 (RFC 1928) with names that the client looks up.
    Socks5,
    /// SOCKS 5 with names that the proxy looks up.
    Socks5h,
}

impl ProxyScheme {
    fn parse(name: &str) -> Option<ProxyScheme> {
        Some(match name.to_ascii_lowercase().as_str() {
            "http" => ProxyScheme::Http,
            "https" => ProxyScheme::Https,
            "socks4" | "socks" => ProxyScheme::Socks4,
            "socks4a" => ProxyScheme::Socks4a,
            "socks5" => ProxyScheme::Socks5,
            "socks5h" => ProxyScheme::Socks5h,
            _ => return None,
        })
    }

    /// The name, as in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ProxyScheme::Http => "http",
            ProxyScheme::Https => "https",
            ProxyScheme::Socks4 => "socks4",
            ProxyScheme::Socks4a => "socks4a",
            ProxyScheme::Socks5 => "socks5",
            ProxyScheme::Socks5h => "socks5h",
        }
    }

    /// The port when none is named.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            ProxyScheme::Http => 80,
            ProxyScheme::Https => 443,
            _ => 1080,
        }
    }

    /// The dialogue to hold, if it is a SOCKS proxy.
    #[must_use]
    pub const fn socks_version(self) -> Option<SocksVersion> {
        match self {
            ProxyScheme::Http | ProxyScheme::Https => None,
            ProxyScheme::Socks4 => Some(SocksVersion::V4),
            ProxyScheme::Socks4a => Some(SocksVersion::V4a),
            ProxyScheme::Socks5 | ProxyScheme::Socks5h => Some(SocksVersion::V5),
        }
    }

    /// Whether the proxy looks the origin's name up; otherwise the client has to.
    #[must_use]
    pub const fn resolves_names(self) -> bool {
        !matches!(self, ProxyScheme::Socks4 | ProxyScheme::Socks5)
    }
}

impl fmt::Display for ProxyScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ProxyUrl {
    /// Reads a proxy as people write it.
    ///
    /// # Errors
    ///
    /// [`ProxyUrlError`] when it names no proxy, or says more than a proxy can use.
    pub fn parse(text: &str) -> Result<ProxyUrl, ProxyUrlError> {
        read(text.trim_matches(' '))
            .map(|inner| ProxyUrl(Arc::new(inner)))
            .map_err(|fault| ProxyUrlError { fault, shown: redact(text).into() })
    }

    /// What it speaks.
    #[must_use]
    pub fn scheme(&self) -> ProxyScheme {
        self.0.scheme
    }

    /// The name (in ASCII) or address to connect to and to verify; IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// User and password, percent-decoded. For an HTTP proxy the user has no colon in it
    /// (RFC 7617 §2).
    #[must_use]
    pub fn credentials(&self) -> Option<(&[u8], &[u8])> {
        self.0.credentials.as_ref().map(|(user, password)| (&**user, &**password))
    }
}

fn read(text: &str) -> Result<Inner, ProxyFault> {
    if let Some(offset) = text.find(char::is_control) {
        return Err(ProxyFault::ControlCharacter { offset });
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((name, rest)) => (ProxyScheme::parse(name).ok_or(ProxyFault::Scheme)?, rest),
        None => (ProxyScheme::Http, text.strip_prefix("//").unwrap_or(text)),
    };
    // The url crate would skip these slashes.
    if rest.is_empty() || rest.starts_with(['/', '\\', '?', '#']) {
        return Err(ProxyFault::NoHost);
    }
    // Always as http(s), because the url crate gives names and addresses of other schemes back as
    // they are. It drops the scheme's default port, but not the one of the other scheme.
    let url = Url::parse(&format!("http://{rest}")).map_err(ProxyFault::Url)?;
    let other = Url::parse(&format!("https://{rest}")).map_err(ProxyFault::Url)?;
    let port = url.port().or(other.port()).unwrap_or(scheme.default_port());
    if port == 0 {
        return Err(ProxyFault::PortZero);
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(ProxyFault::MoreThanAuthority);
    }
    let host = match url.host() {
        Some(Host::Ipv6(address)) => address.to_string().into(),
        Some(host) => host.to_string().into(),
        None => return Err(ProxyFault::NoHost),
    };
    Ok(Inner { scheme, host, port, credentials: credentials(scheme, &url)? })
}

/// The userinfo, decoded.
fn credentials(scheme: ProxyScheme, url: &Url) -> Result<Option<Credentials>, ProxyFault> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let decoded = |text| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let user = decoded(url.username());
    let password = decoded(url.password().unwrap_or_default());
    if user.iter().chain(&password).any(u8::is_ascii_control) {
        return Err(ProxyFault::ControlInCredentials);
    }
    if scheme.socks_version().is_none() && user.contains(&b':') {
        return Err(ProxyFault::ColonInUser);
    }
    Ok(Some((user.into(), password.into())))
}

/// `text` without anything that may be a secret: userinfo, path, query, and what stands where a
/// port ought to (`user:password` of somebody who forgot the host).
pub(super) fn redact(text: &str) -> String {
    const SHOWN: usize = 100;
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (format!("{scheme}://"), rest),
        _ => (String::new(), text),
    };
    // The *last* @, wherever it is: a password with an unencoded / or # in it ends there.
    let (userinfo, rest) = match rest.rsplit_once('@') {
        Some((_, rest)) => ("***@", rest),
        None => ("", rest),
    };
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, more) = rest.split_at(end);
    let colon = match authority.rfind(']') {
        Some(bracket) => authority[bracket..].find(':').map(|at| bracket + at),
        None => authority.find(':'),
    };
    let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
    let digits = port.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit());
    let port = if digits { port } else { ":***" };
    let more = if more.len() > 1 { "/***" } else { more };
    let shown: String =
        format!("{scheme}{userinfo}{host}{port}{more}").chars().take(SHOWN).collect();
    shown.escape_debug().to_string()
}

impl std::str::FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ProxyUrl::parse(text)
    }
}

/// `scheme://host:port`, without the credentials.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { scheme, host, port, .. } = &*self.0;
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}"),
            false => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = if self.0.credentials.is_some() { " with credentials" } else { "" };
        write!(f, "ProxyUrl({self}{with})")
    }
}

/// Why a text is not a proxy. Shows the text without what may be secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUrlError {
    fault: ProxyFault,
    shown: Box<str>,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyFault {
    /// No host in it.
    NoHost,
    /// A scheme that is not one of [`ProxyScheme`].
    Scheme,
    /// A control character.
    ControlCharacter {
        /// Where, in bytes.
        offset: usize,
    },
    /// Not a URL.
    Url(url::ParseError),
    /// Port 0.
    PortZero,
    /// A path, query or fragment.
    MoreThanAuthority,
    /// A control character in the decoded user or password, which no scheme can carry.
    ControlInCredentials,
    /// A colon in the user for an HTTP proxy, where it would end the user (RFC 7617 §2).
    ColonInUser,
}

impl ProxyUrlError {
    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> ProxyFault {
        self.fault
    }
}

impl fmt::Display for ProxyUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy \"{}\" cannot be used: {}", self.shown, self.fault)
    }
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FORM: &str = "write scheme://user:password@host:port, with / ? # @ : in user or \
             password as %2F %3F %23 %40 %3A";
        match self {
            ProxyFault::NoHost => write!(f, "it has no host; {FORM}"),
            ProxyFault::Scheme => f.write_str(
                "its scheme is not one of http, https, socks4, socks4a, socks5 and socks5h",
            ),
            ProxyFault::ControlCharacter { offset } => {
                write!(f, "it has a control character at offset {offset}; remove it")
            }
            ProxyFault::Url(error) => write!(f, "{error}; {FORM}"),
            ProxyFault::PortZero => f.write_str("port 0 cannot be connected to"),
            ProxyFault::MoreThanAuthority => {
                write!(f, "there is something behind host and port; {FORM}")
            }
            ProxyFault::ControlInCredentials => {
                f.write_str("its user or password has a control character; remove it")
            }
            ProxyFault::ColonInUser => f.write_str(
                "its user has a colon, which Basic authentication cannot send (RFC 7617 §2)",
            ),
        }
    }
}

impl std::error::Error for ProxyUrlError {}
