//! [`Tick`]: an instant as the engine sees it.

use std::time::Duration;

/// An instant: nanoseconds since the epoch of the world that produced it.
///
/// The core never reads a clock. Instants are handed in, and a limit becomes one absolute `Tick`
/// when it is armed; no duration is passed on. All arithmetic saturates, so a huge limit ends up at
/// [`Tick::NEVER`] instead of wrapping round to the past.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::tick::Tick;
///
/// let start = Tick::from_nanos(5);
/// assert_eq!(start.after(Duration::from_nanos(3)), Tick::from_nanos(8));
/// assert_eq!(start.after(Duration::MAX), Tick::NEVER);
/// assert_eq!(start.since(Tick::from_nanos(9)), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// The world's epoch.
    pub const ZERO: Tick = Tick(0);
    /// An instant that never comes: what "no limit" is armed to.
    pub const NEVER: Tick = Tick(u64::MAX);

    /// The instant `nanos` nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Tick(nanos)
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whether this instant never comes.
    #[must_use]
    pub const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }

    /// This instant plus `duration`; [`Tick::NEVER`] where that cannot be represented.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        match u64::try_from(duration.as_nanos()) {
            Ok(nanos) => self.after_nanos(nanos),
            Err(_) => Tick::NEVER,
        }
    }

    pub(crate) const fn after_nanos(self, nanos: u64) -> Self {
        Tick(self.0.saturating_add(nanos))
    }

    /// How long after `earlier` this instant is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Tick) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_go_in_and_come_out() {
        assert_eq!(Tick::from_nanos(7).after(Duration::from_nanos(5)).as_nanos(), 12);
        assert!(Tick::NEVER.is_never() && !Tick::ZERO.is_never());
    }
}
