//! Limits: their names, their configuration, and the table of armed deadlines.
//!
//! A *limit* is a bound with a name that users type and errors print. [`Limits`] is the
//! configuration (name to duration); [`Deadlines`] is what a running call keeps (name to instant).
//! A limit becomes one absolute [`Tick`] when it is armed, and nothing below ever sees a duration.
//!
//! | limit | armed at | disarmed at | restarts |
//! |---|---|---|---|
//! | `total` | the call begins | the body's last byte was handed over, or the response closed | never |
//! | `attempt` | a hop or retry begins | its body ends | per hop and retry |
//! | `pool` | a wait for a free connection begins | got one | per checkout |
//! | `resolve` | a name lookup begins | answered | per lookup |
//! | `connect` | establishing begins (resolve included) | ready to send (tunnel and TLS included) | per connection |
//! | `address` | one TCP connect attempt begins | it succeeded or failed | per address |
//! | `tunnel` | the proxy dialogue begins | it succeeded | per connection |
//! | `tls` | a handshake begins | complete | per handshake |
//! | `write` | entering a wait to send the request | leaving it | every wait |
//! | `upload` | first byte of the request body | last byte sent | per exchange |
//! | `continue` | waiting for `100 Continue` | 1xx, final head, or expiry (then the body is sent) | per exchange |
//! | `first_byte` | the request is fully sent | first byte of the final response | per exchange |
//! | `head` | the request is fully sent | end of the final response's head | per exchange |
//! | `read` | entering a wait to receive the response | leaving it | every wait |
//! | `body` | end of the head | end of the body | per exchange |
//!
//! `read` and `write` bound the exchange itself. The dialogues before it have limits of their own
//! (`tunnel`, `tls`), and waiting for `100 Continue` is bounded by `continue`.

use crate::tick::Tick;
use std::fmt;
use std::time::Duration;

/// The name of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Limit {
    /// The whole call: redirects, retries, waiting in between and the body.
    Total,
    /// One hop or retry, body included.
    Attempt,
    /// Waiting for a free connection of the pool.
    Pool,
    /// One name lookup.
    Resolve,
    /// Establishing a connection: name, address, tunnel and TLS.
    Connect,
    /// One TCP connect to one address.
    Address,
    /// The dialogue with a proxy.
    Tunnel,
    /// One TLS handshake.
    Tls,
    /// Each wait to send a part of the request.
    Write,
    /// Sending the request body.
    Upload,
    /// Waiting for `100 Continue`; when it expires the body is sent.
    Continue,
    /// From the request's last byte to the final response's first.
    FirstByte,
    /// From the request's last byte to the end of the final response's head.
    Head,
    /// Each wait to receive a part of the response.
    Read,
    /// From the end of the head to the end of the body.
    Body,
}

impl Limit {
    /// How many limits there are.
    pub const COUNT: usize = 15;

    /// All limits, in the order in which documentation lists them.
    pub const ALL: [Limit; Limit::COUNT] = [
        Limit::Total,
        Limit::Attempt,
        Limit::Pool,
        Limit::Resolve,
        Limit::Connect,
        Limit::Address,
        Limit::Tunnel,
        Limit::Tls,
        Limit::Write,
        Limit::Upload,
        Limit::Continue,
        Limit::FirstByte,
        Limit::Head,
        Limit::Read,
        Limit::Body,
    ];

    /// The name in errors, JSON and Python (`first_byte`); command line flags write `-` for `_`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Limit::Total => "total",
            Limit::Attempt => "attempt",
            Limit::Pool => "pool",
            Limit::Resolve => "resolve",
            Limit::Connect => "connect",
            Limit::Address => "address",
            Limit::Tunnel => "tunnel",
            Limit::Tls => "tls",
            Limit::Write => "write",
            Limit::Upload => "upload",
            Limit::Continue => "continue",
            Limit::FirstByte => "first_byte",
            Limit::Head => "head",
            Limit::Read => "read",
            Limit::Body => "body",
        }
    }

    /// The limit of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Limit> {
        Limit::ALL.into_iter().find(|limit| limit.name() == name)
    }

    /// Whether the limit is armed afresh for every single wait, so that progress never adds up.
    #[must_use]
    pub const fn restarts_every_wait(self) -> bool {
        matches!(self, Limit::Read | Limit::Write)
    }

    /// How much a limit says about what was going on; the highest one is named on a tie.
    const fn specificity(self) -> u8 {
        match self {
            Limit::Total => 0,
            Limit::Attempt => 1,
            Limit::Pool | Limit::Connect | Limit::Head | Limit::Body | Limit::Upload => 2,
            Limit::Resolve | Limit::Address | Limit::Tunnel | Limit::Tls | Limit::FirstByte => 3,
            Limit::Write | Limit::Continue | Limit::Read => 4,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The configured limits of a call: a duration, or none, for each name.
///
/// `Duration::ZERO` is a limit that has expired at the first wait: a call whose remaining time is
/// used up fails before anything is sent. A duration too long to be represented on the clock
/// (584 years) never fires.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::limit::{Limit, Limits};
///
/// let deadline = Limits::total(Duration::from_millis(500));
/// assert_eq!(deadline.get(Limit::Total), Some(Duration::from_millis(500)));
/// assert_eq!(deadline.get(Limit::Read), None);
///
/// let both = Limits::builder()
///     .total(Duration::from_secs(5))
///     .first_byte(Duration::from_secs(1))
///     .build();
/// assert_eq!(both.get(Limit::FirstByte), Some(Duration::from_secs(1)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Limits([u64; Limit::COUNT]);

/// [`Limits`] keep nanoseconds, as they are copied with each request: half of what durations take.
const NO_LIMIT: u64 = u64::MAX;

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Default for Limits {
    /// What Rust and the command line use when nothing is said: `resolve` 10 s, `connect` 30 s,
    /// `read` and `write` 60 s each wait, `continue` 1 s. There is no `total`.
    fn default() -> Self {
        Limits::builder()
            .resolve(Duration::from_secs(10))
            .connect(Duration::from_secs(30))
            .read(Duration::from_secs(60))
            .write(Duration::from_secs(60))
            .continue_(Duration::from_secs(1))
            .build()
    }
}

impl Limits {
    /// No limit at all, except `continue` (1 s), whose expiry is not an error.
    #[must_use]
    pub const fn none() -> Self {
        Limits([NO_LIMIT; Limit::COUNT]).with(Limit::Continue, Some(Duration::from_secs(1)))
    }

    /// A deadline over the whole call and nothing else.
    #[must_use]
    pub const fn total(duration: Duration) -> Self {
        Limits::none().with(Limit::Total, Some(duration))
    }

    /// The same limit on each wait: `resolve`, `address`, `tunnel`, `tls`, `write` and `read`.
    ///
    /// The waits do not add up, so a call may take many times as long. That is what most clients
    /// call their timeout; for an upper bound use [`Limits::total`].
    #[must_use]
    pub const fn per_wait(duration: Duration) -> Self {
        Limits::requests(Some(duration), Some(duration))
    }

    /// What `timeout=(connect, read)` means in Python's requests: `connect` bounds each address, the
    /// TLS handshake, the proxy dialogue and each send; `read` bounds each wait for bytes of the
    /// response. The name lookup is bounded by `connect` too; requests has no limit there.
    #[must_use]
    pub const fn requests(connect: Option<Duration>, read: Option<Duration>) -> Self {
        Limits::none()
            .with(Limit::Resolve, connect)
            .with(Limit::Address, connect)
            .with(Limit::Tunnel, connect)
            .with(Limit::Tls, connect)
            .with(Limit::Write, connect)
            .with(Limit::Read, read)
    }

    /// A builder that starts from [`Limits::none`].
    pub const fn builder() -> LimitsBuilder {
        LimitsBuilder(Limits::none())
    }

    /// A builder that starts from these limits.
    pub const fn to_builder(self) -> LimitsBuilder {
        LimitsBuilder(self)
    }

    /// The configured duration of `limit`, if it has one.
    #[must_use]
    pub const fn get(&self, limit: Limit) -> Option<Duration> {
        match self.0[limit as usize] {
            NO_LIMIT => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// These limits with one of them replaced. Beyond 584 years all durations are the same.
    #[must_use]
    pub const fn with(mut self, limit: Limit, duration: Option<Duration>) -> Self {
        self.0[limit as usize] = match duration {
            None => NO_LIMIT,
            Some(duration) => whole_nanos(duration),
        };
        self
    }

    /// The limits that have a duration, in documentation order.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, Duration)> + '_ {
        Limit::ALL.into_iter().filter_map(|limit| self.get(limit).map(|d| (limit, d)))
    }
}

/// The nanoseconds of a limit; one that is too long to be represented stays a limit.
const fn whole_nanos(duration: Duration) -> u64 {
    let longest = NO_LIMIT - 1;
    let nanos = duration.as_nanos();
    if nanos > longest as u128 {
        return longest;
    }
    #[allow(clippy::cast_possible_truncation, reason = "just compared")]
    {
        nanos as u64
    }
}

/// Sets [`Limits`] by name.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct LimitsBuilder(Limits);

/// One setter per limit: the method list is the table of names, so it is written as one.
macro_rules! setters {
    ($($name:ident $limit:ident $doc:literal)*) => {
        impl LimitsBuilder {
            $(
                #[doc = $doc]
                pub const fn $name(self, duration: Duration) -> Self {
                    LimitsBuilder(self.0.with(Limit::$limit, Some(duration)))
                }
            )*

            /// Sets or removes the limit of that name.
            pub const fn set(self, limit: Limit, duration: Option<Duration>) -> Self {
                LimitsBuilder(self.0.with(limit, duration))
            }

            /// The limits.
            #[must_use]
            pub const fn build(self) -> Limits {
                self.0
            }
        }
    };
}

setters! {
    total Total "Bounds the whole call."
    attempt Attempt "Bounds each hop or retry."
    pool Pool "Bounds waiting for a free connection."
    resolve Resolve "Bounds each name lookup."
    connect Connect "Bounds establishing a connection, from the name lookup to the end of TLS."
    address Address "Bounds one TCP connect to one address."
    tunnel Tunnel "Bounds the dialogue with a proxy."
    tls Tls "Bounds a TLS handshake."
    write Write "Bounds each wait to send."
    upload Upload "Bounds sending the request body."
    continue_ Continue "Bounds waiting for `100 Continue`; when it expires the body is sent."
    first_byte FirstByte "Bounds the time from the request's last byte to the response's first."
    head Head "Bounds the time from the request's last byte to the end of the response's head."
    read Read "Bounds each wait to receive."
    body Body "Bounds the time from the end of the head to the end of the body."
}

/// A number of seconds that cannot be a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum InvalidSeconds {
    /// Not a number.
    NotANumber,
    /// Less than zero.
    Negative(f64),
    /// Zero: some clients read it as "no limit", others as "at once".
    Zero,
}

impl fmt::Display for InvalidSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidSeconds::NotANumber => f.write_str("a limit cannot be NaN"),
            InvalidSeconds::Negative(seconds) => {
                write!(f, "a limit cannot be negative, but is {seconds} s")
            }
            InvalidSeconds::Zero => f.write_str(
                "a limit must be greater than zero; leave it out (or write none) for no limit",
            ),
        }
    }
}

impl std::error::Error for InvalidSeconds {}

/// Reads a limit that a person gave in seconds.
///
/// `Ok(None)`, which means no limit, for infinity and for everything too long to be represented;
/// a positive number under a nanosecond counts as one nanosecond, never as zero.
///
/// # Errors
/// NaN, negative numbers and zero.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::limit::duration_from_seconds;
///
/// assert_eq!(duration_from_seconds(0.12), Ok(Some(Duration::from_millis(120))));
/// assert_eq!(duration_from_seconds(f64::INFINITY), Ok(None));
/// assert!(duration_from_seconds(0.0).is_err());
/// ```
pub fn duration_from_seconds(seconds: f64) -> Result<Option<Duration>, InvalidSeconds> {
    if seconds.is_nan() {
        return Err(InvalidSeconds::NotANumber);
    }
    if seconds < 0.0 {
        return Err(InvalidSeconds::Negative(seconds));
    }
    if seconds == 0.0 {
        return Err(InvalidSeconds::Zero);
    }
    Ok(Duration::try_from_secs_f64(seconds).ok().map(|d| d.max(Duration::from_nanos(1))))
}

/// The armed limits of one call: an absolute instant for each.
#[derive(Clone, Debug)]
pub struct Deadlines {
    at: [Tick; Limit::COUNT],
    /// Bit `n` is set while limit `n` is armed, so that the scan touches armed entries only.
    armed: u16,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines { at: [Tick::NEVER; Limit::COUNT], armed: 0 }
    }
}

impl Deadlines {
    /// Arms `limit` as configured in `limits`, counting from `now`. Without a configured duration it
    /// is disarmed.
    pub fn arm(&mut self, limit: Limit, limits: &Limits, now: Tick) {
        match limits.0[limit as usize] {
            NO_LIMIT => self.disarm(limit),
            nanos => self.arm_at(limit, now.after_nanos(nanos)),
        }
    }

    /// Arms `limit` at an instant that the caller has worked out.
    pub fn arm_at(&mut self, limit: Limit, at: Tick) {
        if at.is_never() {
            return self.disarm(limit);
        }
        self.at[limit as usize] = at;
        self.armed |= 1 << limit as u8;
    }

    /// Takes `limit` out of the table.
    pub fn disarm(&mut self, limit: Limit) {
        self.armed &= !(1 << limit as u8);
    }

    /// Takes all limits but `kept` out of the table.
    pub fn disarm_all_but(&mut self, kept: Limit) {
        self.armed &= 1 << kept as u8;
    }

    /// The instant `limit` is armed at, if it is.
    #[must_use]
    pub fn get(&self, limit: Limit) -> Option<Tick> {
        (self.armed & (1 << limit as u8) != 0).then(|| self.at[limit as usize])
    }

    /// The deadline that comes first; on a tie the most specific limit, and of two that say as much the
    /// one that the table has first.
    #[must_use]
    pub fn earliest(&self) -> Option<(Tick, Limit)> {
        let mut best: Option<(Tick, Limit)> = None;
        let mut rest = self.armed;
        while rest != 0 {
            let index = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let (at, limit) = (self.at[index], Limit::ALL[index]);
            let sooner = best.is_none_or(|(earliest, named)| {
                at < earliest || (at == earliest && limit.specificity() > named.specificity())
            });
            if sooner {
                best = Some((at, limit));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn names_round_trip() {
        for limit in Limit::ALL {
            assert_eq!(Limit::from_name(limit.name()), Some(limit));
        }
        assert_eq!(Limit::from_name("timeout"), None);
    }

    #[test]
    fn enum_order_is_table_order() {
        for (index, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, index);
        }
    }

    #[test]
    fn seconds_are_checked() {
        assert_eq!(duration_from_seconds(f64::NAN), Err(InvalidSeconds::NotANumber));
        assert_eq!(duration_from_seconds(-1.0), Err(InvalidSeconds::Negative(-1.0)));
        assert_eq!(duration_from_seconds(-0.0), Err(InvalidSeconds::Zero));
        assert_eq!(duration_from_seconds(1e300), Ok(None));
        assert_eq!(duration_from_seconds(1e-300), Ok(Some(Duration::from_nanos(1))));
    }

    #[test]
    fn huge_limits_never_fire() {
        let mut deadlines = Deadlines::default();
        let limits = Limits::total(Duration::MAX);
        deadlines.arm(Limit::Total, &limits, Tick::from_nanos(7));
        assert_eq!(deadlines.earliest(), None);
        assert!(limits.get(Limit::Total) > Some(Duration::from_secs(584 * 365 * 86_400)));
    }

    #[test]
    fn zero_is_due_at_once() {
        let mut deadlines = Deadlines::default();
        let now = Tick::from_nanos(7);
        deadlines.arm(Limit::Total, &Limits::total(Duration::ZERO), now);
        assert_eq!(deadlines.earliest(), Some((now, Limit::Total)));
    }

    #[test]
    fn the_earliest_wins_and_a_tie_names_the_most_specific() {
        let limits =
            Limits::builder().total(9 * MS).tls(9 * MS).connect(9 * MS).read(10 * MS).build();
        let mut deadlines = Deadlines::default();
        for limit in Limit::ALL {
            deadlines.arm(limit, &limits, Tick::ZERO);
        }
        deadlines.disarm(Limit::Continue);
        assert_eq!(deadlines.earliest(), Some((Tick::ZERO.after(9 * MS), Limit::Tls)));
        deadlines.disarm(Limit::Tls);
        assert_eq!(deadlines.earliest().map(|(_, limit)| limit), Some(Limit::Connect));
        deadlines.disarm(Limit::Connect);
        deadlines.disarm(Limit::Total);
        assert_eq!(deadlines.earliest().map(|(_, limit)| limit), Some(Limit::Read));
    }

    #[test]
    fn a_tie_has_one_name_wherever_the_limits_stand() {
        // `resolve` stands before `connect` and says more; `tunnel` stands before `tls` and says as much.
        for limits in [[Limit::Resolve, Limit::Connect], [Limit::Tunnel, Limit::Tls]] {
            let mut deadlines = Deadlines::default();
            for limit in limits {
                deadlines.arm(limit, &Limits::none().with(limit, Some(MS)), Tick::ZERO);
            }
            assert_eq!(deadlines.earliest().map(|(_, limit)| limit), Some(limits[0]));
        }
    }

    #[test]
    fn the_earliest_is_found_wherever_it_stands() {
        let mut deadlines = Deadlines::default();
        // In the table `total` stands before `read`, and `head` before `read` and after `tls`.
        let limits = Limits::builder().total(5 * MS).tls(7 * MS).head(3 * MS).read(3 * MS).build();
        for limit in [Limit::Total, Limit::Tls, Limit::Head, Limit::Read] {
            deadlines.arm(limit, &limits, Tick::ZERO);
        }
        let at = |count: u32, limit| Some((Tick::ZERO.after(count * MS), limit));
        assert_eq!(deadlines.earliest(), at(3, Limit::Read));
        deadlines.disarm(Limit::Read);
        assert_eq!(deadlines.earliest(), at(3, Limit::Head));
        deadlines.disarm(Limit::Head);
        assert_eq!(deadlines.earliest(), at(5, Limit::Total));
        assert_eq!((deadlines.get(Limit::Head), deadlines.get(Limit::Pool)), (None, None));
        assert_eq!(deadlines.get(Limit::Tls), Some(Tick::ZERO.after(7 * MS)));
        deadlines.disarm_all_but(Limit::Tls);
        assert_eq!(deadlines.earliest(), at(7, Limit::Tls));
        assert_eq!(deadlines.get(Limit::Total), None);
        deadlines.disarm_all_but(Limit::Read);
        assert_eq!(deadlines.earliest(), None);
    }

    #[test]
    fn two_limits_restart_with_every_wait() {
        let restart = Limit::ALL.into_iter().filter(|limit| limit.restarts_every_wait());
        assert_eq!(restart.collect::<Vec<_>>(), [Limit::Write, Limit::Read]);
    }

    #[test]
    fn requests_profile_sets_what_requests_sets() {
        let limits = Limits::requests(Some(MS), Some(2 * MS));
        let set: Vec<_> = limits.iter().map(|(limit, d)| (limit.name(), d / 1)).collect();
        let c = |name| (name, MS);
        assert_eq!(
            set,
            [
                c("resolve"),
                c("address"),
                c("tunnel"),
                c("tls"),
                c("write"),
                ("continue", Duration::from_secs(1)),
                ("read", 2 * MS)
            ]
        );
    }
}
