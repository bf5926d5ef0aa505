//! One file a program: how it is configured, and where it can be reached.

mod httpbin;
mod nginx;
mod socks;
mod squid;
mod tinyproxy;

pub(crate) use httpbin::Httpbin;
pub(crate) use nginx::{Nginx, numbers};
pub(crate) use socks::{Dante, Microsocks};
pub(crate) use squid::Squid;
pub(crate) use tinyproxy::Tinyproxy;

/// The user whom every peer with a password knows.
pub(crate) const USER: &str = "user";
/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "pass";
