//! Runs of any timeline that can be recorded, however odd.

use crate::runs::{HOSTILE, hop, run, us};
use proptest::prelude::*;
use std::time::Duration;
use waterclock::run::Run;
use waterclock_proto::limit::{Limit, Limits};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{AttemptEnd, Fired, HopReason, Phase, SpanEnd, Timeline, What};

#[derive(Clone, Debug)]
enum Step {
    /// So many waits of that phase, each with work before it.
    Waits(Phase, u64, u64, u64, Option<Limit>, SpanEnd),
    Caller(u64),
    Attempt(u64),
    EndAttempt(u16, AttemptEnd, u64),
    Hop(HopReason, Option<u16>),
    Fire(Limit, Phase),
}

/// Nothing, about a row's threshold, milliseconds, hours.
fn nanos() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1..200_000_u64, 1..500_000_000_u64, 1..20_000_000_000_000_u64]
}

fn phases() -> impl Strategy<Value = Phase> {
    (0..Phase::ALL.len()).prop_map(|index| Phase::ALL[index])
}

fn limits() -> impl Strategy<Value = Limit> {
    (0..Limit::COUNT).prop_map(|index| Limit::ALL[index])
}

fn steps() -> impl Strategy<Value = Step> {
    let ends = prop_oneof![
        6 => Just(SpanEnd::Ready),
        1 => Just(SpanEnd::Expired),
        1 => Just(SpanEnd::Failed),
        1 => Just(SpanEnd::Cancelled),
    ];
    let outcomes = prop_oneof![
        Just(AttemptEnd::Connected),
        Just(AttemptEnd::Expired),
        Just(AttemptEnd::Abandoned),
        Just(AttemptEnd::Failed(HOSTILE.into())),
    ];
    let reasons =
        prop_oneof![Just(HopReason::Redirect), Just(HopReason::Retry), Just(HopReason::Auth)];
    prop_oneof![
        8 => (phases(), 1..40_u64, nanos(), nanos(), prop::option::of(limits()), ends)
            .prop_map(|(phase, n, gap, long, limit, end)| Step::Waits(phase, n, gap, long, limit, end)),
        2 => nanos().prop_map(Step::Caller),
        1 => nanos().prop_map(Step::Attempt),
        1 => (0..4_u16, outcomes, nanos()).prop_map(|(n, end, at)| Step::EndAttempt(n, end, at)),
        2 => (reasons, prop::option::of(100..600_u16)).prop_map(|(r, status)| Step::Hop(r, status)),
        1 => (limits(), phases()).prop_map(|(limit, phase)| Step::Fire(limit, phase)),
    ]
}

fn apply(t: &mut Timeline, step: Step) {
    let now = t.ended();
    let after = |tick: Tick, nanos| tick.after(Duration::from_nanos(nanos));
    match step {
        Step::Waits(phase, times, gap, long, limit, end) => {
            for _ in 0..times {
                let from = after(t.ended(), gap);
                let armed = limit.map(|limit| {
                    let of = t.limits().get(limit).unwrap_or(Duration::from_millis(7));
                    (from.after(of), limit)
                });
                t.record_wait(phase, What::Read, from, after(from, long), armed, end);
                t.add_bytes(phase, 7);
            }
        }
        Step::Caller(long) => t.record_caller(What::Reader, now, after(now, long)),
        Step::Attempt(at) => {
            let attempt = t.begin_attempt("[2001:db8::1]:443".into(), after(now, at));
            let (from, what) = (t.ended(), What::Connect(attempt));
            t.record_wait(Phase::Connect, what, from, after(from, at), None, SpanEnd::Ready);
        }
        Step::EndAttempt(attempt, end, at) => t.end_attempt(attempt, after(now, at), end),
        Step::Hop(reason, status) => {
            if let Some(hop) = t.hop_mut() {
                hop.status = status;
            }
            t.end_hop(now);
            let mut next = hop("POST", "https://한국.한국:8443/a?b=c&Signature=x", now);
            next.reason = reason;
            t.begin_hop(next);
        }
        Step::Fire(limit, phase) => {
            t.set_fired(Fired { limit, phase, deadline: now, noticed: after(now, 40_000) });
        }
    }
}

pub(crate) fn runs() -> impl Strategy<Value = Run> {
    let set = prop::collection::vec((limits(), nanos()), 0..6);
    let steps = prop::collection::vec(steps(), 0..40);
    (set, steps, any::<bool>()).prop_map(|(set, steps, finish)| {
        let limits = set.into_iter().fold(Limits::none(), |limits, (limit, nanos)| {
            limits.with(limit, Some(Duration::from_nanos(nanos)))
        });
        let mut t = Timeline::new(us(5), limits);
        t.begin_hop(hop("GET", "http://h/", us(5)));
        steps.into_iter().for_each(|step| apply(&mut t, step));
        if finish {
            t.finish(t.ended().after(Duration::from_micros(3)));
        }
        run("http://h/", t)
    })
}
