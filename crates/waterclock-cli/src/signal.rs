//! An interrupt ends the call, and what it had come to is still shown.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::{exit, pipe};
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

/// What is still shown after an interrupt gets so long: a file or a pipe may block for ever.
const GRACE: Duration = Duration::from_secs(2);
/// Sooner than this, a second signal is the first one's twin: timeout(1) sends its signal to the
/// program, and then to the group that the program is in.
const TWIN: Duration = Duration::from_millis(250);

/// Cancels with the first SIGINT or SIGTERM, through a thread, so that none is lost between a look
/// at a flag and a wait. The program ends by that, or with the second signal, or after the grace.
pub(crate) fn cancel_on_interrupt() -> io::Result<CancelHandle> {
    let cancel = CancelHandle::new();
    let handle = cancel.clone();
    let (interrupted, open) = UnixStream::pair()?;
    // Only the first call counts; there is one.
    let _ = INTERRUPTED.set(interrupted);
    let (mut raised, raise) = UnixStream::pair()?;
    for signal in heard() {
        pipe::register(signal, raise.try_clone()?)?;
    }
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let _ = raised.read_exact(&mut [0]);
        handle.cancel();
        // Not before: without a writer the read would have ended.
        drop((raise, open));
        for patience in [TWIN, GRACE] {
            let _ = raised.set_read_timeout(Some(patience));
            let _ = raised.read_exact(&mut [0]);
        }
        // Without what is done at a usual exit: that may block as well, and no output is buffered.
        exit(130);
    })?;
    Ok(cancel)
}

/// SIGINT and SIGTERM, without those that were ignored when the program began: they stay so, for
/// whoever started it wanted that, as shells do for what runs in the background (POSIX XCU 2.11).
pub(crate) fn heard() -> Vec<i32> {
    // Where there is no such file, nothing tells it without unsafe code.
    let status = std::fs::read("/proc/self/status").unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    [SIGINT, SIGTERM].into_iter().filter(|&signal| !ignores(&status, signal)).collect()
}

/// Whether the mask in proc(5)'s `status` has the signal; the lowest bit is signal 1.
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u128::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "Name:\ta\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001002\n";
        assert!(ignores(status, SIGINT) && !ignores(status, SIGTERM));
        assert!(ignores("SigIgn:\t0000000000004000\n", SIGTERM));
        assert!(!ignores("", SIGINT) && !ignores("SigIgn:\tx\n", SIGINT));
    }
}
