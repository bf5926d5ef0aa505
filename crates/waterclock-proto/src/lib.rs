//! The I/O-free core of waterclock: bytes and clock readings go in; bytes, events and named
//! deadlines come out. Nothing here opens a socket, reads a clock or starts a thread.

pub mod decode;
pub mod h1;
pub mod limit;
pub mod message;
pub mod race;
pub mod screen;
pub mod tick;
pub mod timeline;
pub mod tunnel;
