//! The limit column: which limit bounded a wait, and how much of it was used.

use super::number;
use crate::limit::Limit;
use crate::tick::Tick;
use crate::timeline::{Phase, Span, Timeline};
use std::time::Duration;

/// The limit in force during a wait, as the column shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    pub(super) limit: Limit,
    pub(super) deadline: Tick,
    /// The part that was used, for the colour and for picking the tightest of many.
    pub(super) share: f64,
    /// `75%`
    pub(super) percent: String,
    /// `of 120 total`
    pub(super) of: String,
}

/// How far one arming of a limit reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Armed for one wait.
    Wait,
    /// One phase: its waits share it.
    Phase,
    /// Several phases.
    Phases,
}

const fn scope(limit: Limit) -> Scope {
    match limit {
        Limit::Read | Limit::Write => Scope::Wait,
        Limit::Total | Limit::Attempt | Limit::Connect | Limit::Head => Scope::Phases,
        _ => Scope::Phase,
    }
}

/// The limit that everybody expects in a phase, so that it need not be named in every row.
const fn expected(phase: Phase) -> Option<Limit> {
    match phase {
        Phase::Pool => Some(Limit::Pool),
        Phase::Resolve => Some(Limit::Resolve),
        Phase::Connect => Some(Limit::Address),
        Phase::Tunnel => Some(Limit::Tunnel),
        Phase::Tls => Some(Limit::Tls),
        Phase::Send | Phase::Upload => Some(Limit::Write),
        Phase::Continue => Some(Limit::Continue),
        Phase::FirstByte | Phase::Head | Phase::Body => Some(Limit::Read),
        Phase::Backoff | Phase::Caller | Phase::Local => None,
    }
}

/// What the rows under one shared limit share.
pub(super) const fn shared(limit: Limit) -> Option<&'static str> {
    match scope(limit) {
        Scope::Phase => Some(match limit {
            Limit::Pool => "the whole wait for a connection",
            Limit::Resolve => "the whole lookup",
            Limit::Address => "one address",
            Limit::Tunnel => "the whole proxy dialogue",
            Limit::Tls => "the whole handshake",
            Limit::Upload => "the whole request body",
            Limit::FirstByte => "until the first byte",
            Limit::Body => "the whole response body",
            _ => "the whole wait for 100 Continue",
        }),
        Scope::Wait | Scope::Phases => None,
    }
}

/// How much of the limit in force a wait has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The limit.
    pub limit: Limit,
    /// What was gone of it when the wait ended.
    pub used: Duration,
    /// All of it: what was configured, or what earlier waits had left.
    pub of: Duration,
    /// Whether `of` is what was configured.
    pub whole: bool,
}

impl Used {
    /// `used` of `of` in whole percent, rounded; 100 only if nothing was left.
    #[must_use]
    pub fn percent(&self) -> u8 {
        u8::try_from(number::percent(self.used, self.of)).unwrap_or(100)
    }
}

/// How much of its limit the wait at `span_index` has used, as the waterfall shows it; of a folded run,
/// its longest wait. `None` if no limit was in force.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::limit::{Limit, Limits};
/// use waterclock_proto::screen;
/// use waterclock_proto::tick::Tick;
/// use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
///
/// let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
/// let mut timeline = Timeline::new(ms(0), Limits::per_wait(Duration::from_millis(80)));
/// let read = Some((ms(80), Limit::Read));
/// timeline.record_wait(Phase::FirstByte, What::Read, ms(0), ms(60), read, SpanEnd::Ready);
/// assert_eq!(screen::used(&timeline, 0).map(|used| used.percent()), Some(75));
/// ```
#[must_use]
pub fn used(timeline: &Timeline, span_index: usize) -> Option<Used> {
    let span = timeline.spans().get(span_index)?;
    let longest = timeline.fold_of(span).map(|fold| fold.longest);
    used_by(timeline, span_index, &longest.unwrap_or(Some(*span))?)
}

fn used_by(timeline: &Timeline, index: usize, wait: &Span) -> Option<Used> {
    let limit = wait.limit?;
    let configured = timeline.limits().get(limit).filter(|&of| {
        scope(limit) != Scope::Phases || !waited_since(timeline, index, armed(wait.deadline, of))
    });
    Some(match configured {
        Some(of) => {
            let left = wait.deadline.since(wait.ended);
            Used { limit, used: of.saturating_sub(left), of, whole: true }
        }
        None => {
            let of = wait.deadline.since(wait.started);
            Used { limit, used: wait.duration().min(of), of, whole: false }
        }
    })
}

/// Works out the column for `wait`, which is, or is folded into, the span at `index`.
///
/// `named` is the arming that an earlier row named; where it goes on, only what was left is shown.
pub(super) fn bound(
    timeline: &Timeline,
    index: usize,
    wait: &Span,
    named: &mut Option<(Limit, Tick)>,
) -> Option<Bound> {
    let Used { limit, used, of, whole } = used_by(timeline, index, wait)?;
    let arming = (limit, wait.deadline);
    let text = match whole {
        true => format!("of {}", number::configured(of)),
        false => format!("of {} left", number::brief(of)),
    };
    let say = expected(wait.phase) != Some(limit) && (whole || *named != Some(arming));
    if scope(limit) == Scope::Phases {
        *named = Some(arming);
    }
    Some(Bound {
        limit,
        deadline: wait.deadline,
        share: if of.is_zero() { 1.0 } else { used.as_secs_f64() / of.as_secs_f64() },
        percent: format!("{}%", number::percent(used, of)),
        of: if say { format!("{text} {limit}") } else { text },
    })
}

/// When a limit of that duration was armed.
fn armed(deadline: Tick, of: Duration) -> Tick {
    let of = u64::try_from(of.as_nanos()).unwrap_or(u64::MAX);
    Tick::from_nanos(deadline.as_nanos().saturating_sub(of))
}

/// Whether anything was waited for between `armed` and the span at `index`.
fn waited_since(timeline: &Timeline, index: usize, armed: Tick) -> bool {
    let before = timeline.spans().get(..index).unwrap_or_default().iter().rev();
    before
        .take_while(|span| span.ended > armed)
        .any(|span| span.phase.is_wait() && span.duration() >= number::SHORT)
}
