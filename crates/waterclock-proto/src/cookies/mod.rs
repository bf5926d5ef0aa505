//! Cookies (RFC 6265bis): parsing, matching and keeping them.
