//! The I/O-free core of waterclock: bytes and clock readings go in; bytes, events and named
//! deadlines come out. Nothing here opens a socket, reads a clock or starts a thread.

pub mod auth;
pub mod charset;
pub mod clients;
pub mod cookies;
pub mod decode;
pub mod form;
pub mod h1;
pub mod host;
pub mod limit;
pub mod message;
pub mod netrc;
pub mod proxy;
pub mod race;
pub mod redirect;
pub mod retry;
pub mod screen;
pub mod socks;
pub mod tick;
pub mod timeline;
pub mod tunnel;
