//! [`Proxies`]: the rules that choose a proxy for a URL.

use super::no_proxy::without_dot;
use super::url::redact;
use super::{NoProxy, ProxyUrl, ProxyUrlError};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// Which proxy serves a URL.
///
/// The rules are those of requests' `proxies=`. The first of these keys that has a proxy decides:
///
/// 1. `scheme://host` (no port, no wildcard)
/// 2. `scheme`
/// 3. `all://host`
/// 4. `all`
///
/// unless the URL is one of the [`NoProxy`] list's. An empty proxy means "none", which hides the
/// rules behind it and those of [`Proxies::or`]. Clones share their rules.
///
/// Unlike in requests, the list always holds for the rules that it was given with (there, a
/// `no_proxy` in the dictionary is forgotten for the dictionary's own proxies), and what was set
/// explicitly is never overruled by the environment (there, an `http_proxy` beats an explicit
/// `all`).
///
/// ```
/// use waterclock_proto::proxy::Proxies;
///
/// let proxies = Proxies::direct()
///     .with("all", "http://proxy.test:3128")?
///     .with("https://secret.test", "socks5h://127.0.0.1")?
///     .with_no_proxy("localhost, 10.0.0.0/8");
///
/// let chosen = |url: &str| proxies.choose(&url.parse().unwrap()).map(ToString::to_string);
/// assert_eq!(chosen("http://example.test/").as_deref(), Some("http://proxy.test:3128"));
/// assert_eq!(chosen("https://secret.test:8443/").as_deref(), Some("socks5h://127.0.0.1:1080"));
/// assert_eq!(chosen("http://localhost:8000/"), None);
/// # Ok::<(), waterclock_proto::proxy::ProxyRuleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Option<Arc<Layer>>);

/// The rules from one source, and those that fill their gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Layer {
    rules: Vec<Rule>,
    no_proxy: Option<NoProxy>,
    fallback: Proxies,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    key: Key,
    /// `None` switches the proxy off.
    proxy: Option<ProxyUrl>,
}

/// What a rule is for; `None` is "all".
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    scheme: Option<Box<str>>,
    host: Option<Box<str>>,
}

impl Proxies {
    /// No proxy for anything.
    #[must_use]
    pub const fn direct() -> Self {
        Proxies(None)
    }

    /// One proxy for everything.
    #[must_use]
    pub fn all(proxy: ProxyUrl) -> Self {
        Proxies::direct().set(Key { scheme: None, host: None }, Some(proxy))
    }

    /// With `proxy` for `key`: a scheme, `scheme://host`, `all` or `all://host`. An empty proxy
    /// switches it off for that key. The key `no_proxy` is [`Proxies::with_no_proxy`], as in
    /// requests' dictionary.
    ///
    /// # Errors
    ///
    /// [`ProxyRuleError`] when the key can match nothing or the proxy is none.
    pub fn with(self, key: &str, proxy: &str) -> Result<Self, ProxyRuleError> {
        if key.eq_ignore_ascii_case("no_proxy") {
            return Ok(self.with_no_proxy(proxy));
        }
        let parsed =
            Key::parse(key).map_err(|why| ProxyRuleError::Key { key: redact(key).into(), why })?;
        let proxy = match proxy.trim_matches(' ') {
            "" => None,
            text => Some(ProxyUrl::parse(text).map_err(|error| ProxyRuleError::Proxy {
                key: parsed.to_string().into(),
                error,
            })?),
        };
        Ok(self.set(parsed, proxy))
    }

    /// With these exceptions (see [`NoProxy`]) to the rules of this value, instead of those it has.
    /// An empty list means none.
    #[must_use]
    pub fn with_no_proxy(mut self, list: &str) -> Self {
        self.layer().no_proxy = Some(NoProxy::parse(list));
        self
    }

    /// The rules of the environment: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, then
    /// the same in upper case.
    ///
    /// An empty variable means no proxy, and an empty `http_proxy` hides `HTTP_PROXY` (a usual way
    /// to switch a proxy off for one command; requests does so too, curl does not). Under CGI,
    /// where `REQUEST_METHOD` is set, `HTTP_PROXY` may have been sent by anybody and is ignored
    /// (CVE-2016-5385, "httpoxy").
    ///
    /// # Errors
    ///
    /// [`ProxyRuleError::Variable`] names the variable that holds no proxy.
    pub fn from_environment(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ProxyRuleError> {
        let cgi = lookup("REQUEST_METHOD").is_some();
        let mut proxies = Proxies::direct();
        for (scheme, lower, upper) in [
            (Some("http"), "http_proxy", "HTTP_PROXY"),
            (Some("https"), "https_proxy", "HTTPS_PROXY"),
            (None, "all_proxy", "ALL_PROXY"),
        ] {
            let forged = cgi && scheme == Some("http");
            // Windows does not tell the two spellings apart.
            let names = [(lower, forged && cfg!(windows)), (upper, forged)];
            let mut trusted = names.into_iter().filter(|(_, forged)| !forged);
            let found = trusted.find_map(|(name, _)| Some((name, lookup(name)?)));
            let Some((name, text)) = found else { continue };
            if text.trim_matches(' ').is_empty() {
                continue;
            }
            let proxy =
                ProxyUrl::parse(&text).map_err(|error| ProxyRuleError::Variable { name, error })?;
            proxies = proxies.set(Key { scheme: scheme.map(Into::into), host: None }, Some(proxy));
        }
        let list = ["no_proxy", "NO_PROXY"].into_iter().filter_map(lookup);
        Ok(match list.into_iter().find(|list| !list.is_empty()) {
            Some(list) => proxies.with_no_proxy(&list),
            None => proxies,
        })
    }

    /// These rules, and `fallback` for the URLs that none of them is for.
    ///
    /// The exceptions of each side hold for its own rules. But if this side has a
    /// [`NoProxy`] list, it holds for both and takes the place of the other's, as in requests.
    #[must_use]
    pub fn or(self, fallback: &Proxies) -> Self {
        let Proxies(Some(mut own)) = self else { return fallback.clone() };
        let layer = Arc::make_mut(&mut own);
        layer.fallback = std::mem::take(&mut layer.fallback).or(fallback);
        Proxies(Some(own))
    }

    /// The proxy for `url`; `None` is a direct connection.
    #[must_use]
    pub fn choose(&self, url: &Url) -> Option<&ProxyUrl> {
        let (mut layer, mut inherited) = (self.0.as_deref()?, None);
        let host = without_dot(url.host_str()?);
        loop {
            let no_proxy: Option<&NoProxy> = inherited.or(layer.no_proxy.as_ref());
            if no_proxy.is_some_and(|list| list.matches(url)) {
                return None;
            }
            let ranked = layer
                .rules
                .iter()
                .filter_map(|rule| Some((rule.key.rank(url.scheme(), host)?, rule)));
            if let Some((_, rule)) = ranked.min_by_key(|(rank, _)| *rank) {
                return rule.proxy.as_ref();
            }
            layer = layer.fallback.0.as_deref()?;
            inherited = no_proxy;
        }
    }

    /// Whether there is no proxy at all: every URL is asked directly.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.0.as_ref().is_none_or(|layer| {
            layer.rules.iter().all(|rule| rule.proxy.is_none()) && layer.fallback.is_direct()
        })
    }

    fn set(mut self, key: Key, proxy: Option<ProxyUrl>) -> Self {
        let rules = &mut self.layer().rules;
        rules.retain(|rule| rule.key != key);
        rules.push(Rule { key, proxy });
        self
    }

    fn layer(&mut self) -> &mut Layer {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl Key {
    fn parse(text: &str) -> Result<Key, &'static str> {
        let (scheme, host) = match text.split_once("://") {
            Some((scheme, host)) => (scheme, Some(host)),
            None => (text, None),
        };
        let mut bytes = scheme.bytes();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if !bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic()) || !bytes.all(fits) {
            return Err("it does not begin with a scheme or \"all\"");
        }
        let scheme = scheme.to_ascii_lowercase();
        let host = host.map(key_host).transpose()?;
        Ok(Key { scheme: (scheme != "all").then(|| scheme.into()), host })
    }

    /// The place in the order of look-up, if the key is for such a URL at all.
    fn rank(&self, scheme: &str, host: &str) -> Option<u8> {
        let fits = self.scheme.as_deref().is_none_or(|own| own == scheme)
            && self.host.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(host));
        let rank = match (&self.scheme, &self.host) {
            (Some(_), Some(_)) => 0,
            (Some(_), None) => 1,
            (None, Some(_)) => 2,
            (None, None) => 3,
        };
        fits.then_some(rank)
    }
}

/// The host of a key, in the form that it has in a URL.
fn key_host(text: &str) -> Result<Box<str>, &'static str> {
    let host = text.strip_suffix('/').unwrap_or(text);
    if host.contains('*') {
        return Err("a host there has no wildcards; name \"all\" and give exceptions as no_proxy");
    }
    match url::Host::parse(host) {
        Ok(host) => Ok(without_dot(&host.to_string()).into()),
        Err(_) => Err("what follows :// is not a host (it has no user, port or path)"),
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.as_deref().unwrap_or("all"))?;
        self.host.as_ref().map_or(Ok(()), |host| write!(f, "://{host}"))
    }
}

/// Why a rule of [`Proxies`] cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyRuleError {
    /// The key can match no URL.
    Key {
        /// The key.
        key: Box<str>,
        /// What is wrong with it.
        why: &'static str,
    },
    /// What a key was given is no proxy.
    Proxy {
        /// The key.
        key: Box<str>,
        /// What is wrong with the proxy.
        error: ProxyUrlError,
    },
    /// What an environment variable holds is no proxy.
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong with the proxy.
        error: ProxyUrlError,
    },
}

impl fmt::Display for ProxyRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyRuleError::Key { key, why } => write!(
                f,
                "\"{key}\" cannot be given a proxy: {why}; write http, https, all, https://host or \
                 all://host"
            ),
            ProxyRuleError::Proxy { key, error } => write!(f, "for \"{key}\": {error}"),
            ProxyRuleError::Variable { name, error } => {
                write!(f, "in the environment variable {name}: {error}")
            }
        }
    }
}

impl std::error::Error for ProxyRuleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ProxyRuleError::Key { .. } => None,
            ProxyRuleError::Proxy { error, .. } | ProxyRuleError::Variable { error, .. } => {
                Some(error)
            }
        }
    }
}
