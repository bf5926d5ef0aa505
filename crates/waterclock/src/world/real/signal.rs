//! A [`Signal`] that is a descriptor: an eventfd on Linux, a pipe elsewhere.

use crate::world::{Signal, Source};
use rustix::fd::{AsFd, OwnedFd};
use std::io;

#[derive(Debug)]
pub(super) struct Descriptor {
    readable: OwnedFd,
    /// The writing end; an eventfd is its own.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    writable: OwnedFd,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Descriptor {
    pub(super) fn new() -> io::Result<Self> {
        use rustix::event::{EventfdFlags, eventfd};
        Ok(Descriptor { readable: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)? })
    }

    fn write_end(&self) -> &OwnedFd {
        &self.readable
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Descriptor {
    pub(super) fn new() -> io::Result<Self> {
        let (readable, writable) = rustix::pipe::pipe()?;
        for end in [&readable, &writable] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(end, true)?;
        }
        Ok(Descriptor { readable, writable })
    }

    fn write_end(&self) -> &OwnedFd {
        &self.writable
    }
}

impl Signal for Descriptor {
    fn set(&self) {
        // A full counter or pipe is set already; the only other failure, a closed descriptor,
        // cannot happen while `self` owns it.
        let _ = rustix::io::write(self.write_end(), &1u64.to_ne_bytes());
    }

    fn source(&self) -> Source<'_> {
        Source::Fd(self.readable.as_fd())
    }
}
