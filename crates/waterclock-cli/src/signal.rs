//! An interrupt ends the call, and what it had come to is still shown.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::Duration;
use waterclock::world::real::RealWorld;
use waterclock::{CancelHandle, Tick};

/// Ends, and so can be read, once the program was interrupted. Signals are the whole program's, and
/// one that came before somebody waits must not be lost on them.
static INTERRUPTED: OnceLock<UnixStream> = OnceLock::new();

/// Cancels with the first SIGINT or SIGTERM, through a thread, so that none is lost between a look
/// at a flag and a wait. The second one ends the program at once: something else blocks.
pub(crate) fn cancel_on_interrupt() -> io::Result<CancelHandle> {
    let cancel = CancelHandle::new();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let handle = cancel.clone();
    let (interrupted, open) = UnixStream::pair()?;
    // Only the first call counts; there is one.
    let _ = INTERRUPTED.set(interrupted);
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            handle.cancel();
            drop(open);
        }
        if signals.next().is_some() {
            std::process::exit(130);
        }
    })?;
    Ok(cancel)
}

/// Standard input as a request body: gives up when the program is interrupted or `until` has come,
/// so that a silent pipe holds up neither.
pub(crate) struct Stdin {
    until: Tick,
}

impl Stdin {
    /// For a call that begins now, with the limit `total`.
    pub(crate) fn new(total: Option<Duration>) -> Self {
        // The call begins a moment after this; to give up before its deadline would be no timeout.
        let margin = Duration::from_millis(1);
        let now = RealWorld::shared().now();
        let until = total.map_or(Tick::NEVER, |total| now.after(total + margin));
        Stdin { until }
    }

    /// Waits until there is something to read.
    fn ready(&self) -> io::Result<()> {
        let stdin = io::stdin();
        loop {
            let left = self.until.since(RealWorld::shared().now()).min(Duration::from_secs(86_400));
            let timeout = (!self.until.is_never()).then(|| Timespec::try_from(left).ok()).flatten();
            let mut fds = vec![PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN)];
            fds.extend(
                INTERRUPTED.get().map(|end| PollFd::from_borrowed_fd(end.as_fd(), PollFlags::IN)),
            );
            match poll(&mut fds, timeout.as_ref()) {
                Ok(0) if left.is_zero() => return Err(io::ErrorKind::TimedOut.into()),
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) if fds.get(1).is_some_and(|end| !end.revents().is_empty()) => {
                    return Err(io::Error::other("interrupted"));
                }
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for Stdin {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.ready()?;
        rustix::io::read(io::stdin(), out).map_err(Into::into)
    }
}
