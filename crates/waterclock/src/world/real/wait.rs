//! The one wait: `ppoll` with nanoseconds.

use super::RealWorld;
use crate::world::{Interest, Source, Woke, World};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::time::Duration;
use waterclock_proto::tick::Tick;

/// How long before its end a wait is taken up again: more than it takes to wake up.
const LAST_BIT: Duration = Duration::from_micros(400);

/// What a connect that has failed shows, on systems that are known to show it.
const FAILED: PollFlags = PollFlags::ERR.union(PollFlags::HUP);
pub(super) const SAYS_FAILURES: bool = cfg!(target_os = "linux");

pub(super) fn wait(
    world: &RealWorld,
    interests: &mut [Interest<'_>],
    until: Tick,
) -> io::Result<Woke> {
    if let [one] = interests {
        let mut fds = [poll_fd(one)?];
        return poll_until(world, interests, &mut fds, until);
    }
    let fds: io::Result<Vec<_>> = interests.iter().map(poll_fd).collect();
    poll_until(world, interests, &mut fds?, until)
}

fn poll_fd<'a>(interest: &Interest<'a>) -> io::Result<PollFd<'a>> {
    let Source::Fd(fd) = interest.source else {
        return Err(io::Error::other("a source of a simulated world cannot be waited for here"));
    };
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, interest.read);
    flags.set(PollFlags::OUT, interest.write);
    Ok(PollFd::from_borrowed_fd(fd, flags))
}

fn poll_until(
    world: &RealWorld,
    interests: &mut [Interest<'_>],
    fds: &mut [PollFd<'_>],
    until: Tick,
) -> io::Result<Woke> {
    loop {
        let timeout = timeout(world, until);
        match poll(fds, timeout.as_ref()) {
            // The system rounds up, but never trust it: a limit is never early.
            Ok(0) if world.now() < until => {}
            Ok(0) => return Ok(Woke::Expired),
            Ok(_) => break,
            Err(Errno::INTR) => return Ok(Woke::Interrupted),
            Err(error) => return Err(error.into()),
        }
    }
    for (interest, fd) in interests.iter_mut().zip(fds.iter()) {
        let events = fd.revents();
        interest.ready = !events.is_empty();
        interest.sound = SAYS_FAILURES && interest.ready && !events.intersects(FAILED);
    }
    Ok(Woke::Ready)
}

/// What is left until `until`; `None`, for ever, if it never comes.
fn timeout(world: &RealWorld, until: Tick) -> Option<Timespec> {
    if until.is_never() {
        return None;
    }
    let left = until.since(world.now());
    // A timespec in the far future is refused by some kernels; a day is waited again.
    let most = left.min(Duration::from_secs(86_400));
    // Out of a long sleep a processor wakes up late. So the last bit is slept by itself.
    let early = most.checked_sub(LAST_BIT).filter(|early| *early > LAST_BIT);
    Timespec::try_from(early.unwrap_or(most)).ok()
}
