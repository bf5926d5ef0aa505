//! Proxies: which one serves a URL.
