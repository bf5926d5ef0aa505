//! Proxies: which one serves a URL.
//!
//! [`Proxies`] are the rules, keyed as in requests' `proxies=` dictionary or read from the
//! environment; [`NoProxy`] names the exceptions; [`ProxyUrl`] is one proxy. Nothing here reads
//! the environment or looks a name up.

mod no_proxy;
mod rules;
mod url;

pub use no_proxy::NoProxy;
pub use rules::{Proxies, ProxyRuleError};
pub use url::{ProxyFault, ProxyScheme, ProxyUrl, ProxyUrlError};

#[cfg(test)]
mod tests;
