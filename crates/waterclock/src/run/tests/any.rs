//! What must hold for every call that can be recorded, and for every text.

use super::*;
use proptest::prelude::*;
use waterclock_proto::screen::{self, Style};
use waterclock_proto::timeline::{AttemptEnd, ConnectionUse, RequestSent};

/// One call of the recording interface.
#[derive(Clone, Debug)]
enum Step {
    Wait(Phase, What, [u64; 2], Option<(Limit, u64)>, SpanEnd),
    Caller(What, u64),
    Bytes(u32),
    Attempt(u64),
    EndAttempt(u16, AttemptEnd, u64),
    Hop(HopReason, &'static str, Option<u64>),
    Ended(RequestSent),
    Fire(Limit, Phase, u64),
    Note(String),
}

/// Nanoseconds: nothing, about a row's threshold, milliseconds, hours.
fn nanos() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1..200_000_u64, 1..500_000_000_u64, 1..20_000_000_000_000_u64]
}

fn phases() -> impl Strategy<Value = Phase> {
    (0..Phase::ALL.len()).prop_map(|index| Phase::ALL[index])
}

fn limits() -> impl Strategy<Value = Limit> {
    (0..Limit::COUNT).prop_map(|index| Limit::ALL[index])
}

fn whats() -> impl Strategy<Value = What> {
    prop_oneof![
        Just(What::Answer),
        Just(What::Read),
        Just(What::Write),
        (0..4_u16).prop_map(What::Connect),
        Just(What::Source),
        Just(What::Reader),
        Just(What::Hook),
        Just(What::Work),
    ]
}

fn ends() -> impl Strategy<Value = SpanEnd> {
    prop_oneof![
        6 => Just(SpanEnd::Ready),
        1 => Just(SpanEnd::Expired),
        1 => Just(SpanEnd::Failed),
        1 => Just(SpanEnd::Cancelled),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let under = || prop::option::of((limits(), nanos()));
    let wait = (phases(), whats(), [nanos(), nanos()], under(), ends());
    let outcomes = prop_oneof![
        Just(AttemptEnd::Connected),
        Just(AttemptEnd::Expired),
        Just(AttemptEnd::Abandoned),
        ".{0,40}".prop_map(|words| AttemptEnd::Failed(words.into())),
    ];
    let reasons = prop_oneof![
        Just(HopReason::First),
        Just(HopReason::Redirect),
        Just(HopReason::Retry),
        Just(HopReason::Auth),
    ];
    let urls = prop_oneof![
        Just("https://example.com/?a=b#c"),
        Just("http://한국인터넷정보센터.한국/"),
        Just("http://[2001:db8::1]:8080/a%20b"),
        Just("data:text/plain,no-host"),
    ];
    let sent =
        prop_oneof![Just(RequestSent::No), Just(RequestSent::Partly), Just(RequestSent::Yes)];
    prop_oneof![
        6 => wait.prop_map(|(phase, what, at, under, end)| Step::Wait(phase, what, at, under, end)),
        6 => [nanos(), nanos()].prop_map(|at| {
            Step::Wait(Phase::Body, What::Read, at, Some((Limit::Read, 0)), SpanEnd::Ready)
        }),
        2 => (whats(), nanos()).prop_map(|(what, long)| Step::Caller(what, long)),
        1 => any::<u32>().prop_map(Step::Bytes),
        2 => nanos().prop_map(Step::Attempt),
        1 => (0..4_u16, outcomes, nanos()).prop_map(|(n, end, at)| Step::EndAttempt(n, end, at)),
        1 => (reasons, urls, prop::option::of(nanos())).prop_map(|(r, u, i)| Step::Hop(r, u, i)),
        1 => sent.prop_map(Step::Ended),
        1 => (limits(), phases(), nanos()).prop_map(|(l, p, late)| Step::Fire(l, p, late)),
        1 => ".{0,40}".prop_map(Step::Note),
    ]
}

fn configured() -> impl Strategy<Value = Limits> {
    let some = prop::collection::vec((limits(), prop::option::of(nanos())), 0..6).prop_map(|set| {
        set.into_iter().fold(Limits::none(), |limits, (limit, nanos)| {
            limits.with(limit, nanos.map(Duration::from_nanos))
        })
    });
    let requests = (prop::option::of(nanos()), prop::option::of(nanos())).prop_map(|(c, r)| {
        Limits::requests(c.map(Duration::from_nanos), r.map(Duration::from_nanos))
    });
    prop_oneof![some, requests, Just(Limits::per_wait(Duration::MAX)), Just(Limits::default())]
}

fn apply(t: &mut Timeline, step: Step) {
    let now = t.ended();
    let after = |nanos| now.after(Duration::from_nanos(nanos));
    match step {
        Step::Wait(phase, what, [gap, long], under, end) => {
            // A wait for an attempt that there is not is not recorded.
            let attempts = u16::try_from(t.attempts().len()).unwrap();
            let what = match what {
                What::Connect(attempt) if attempt >= attempts => What::Answer,
                what => what,
            };
            let started = after(gap);
            let armed = under.and_then(|(limit, before)| {
                let armed = Tick::from_nanos(started.as_nanos().saturating_sub(before));
                let of = t.limits().get(limit).unwrap_or(Duration::from_millis(7));
                // No limit expires before the call begins.
                let at = armed.after(of).max(t.started());
                Some((at, limit)).filter(|(at, _)| !at.is_never())
            });
            t.record_wait(phase, what, started, after(gap + long), armed, end);
        }
        Step::Caller(what, long) => {
            let what = if matches!(what, What::Connect(_)) { What::Hook } else { what };
            t.record_caller(what, now, after(long));
        }
        Step::Bytes(bytes) => t.add_bytes(Phase::Body, bytes.into()),
        Step::Attempt(at) => {
            t.begin_attempt("192.0.2.1:443\u{1b}[2J/sockets/엔진".into(), after(at));
        }
        Step::EndAttempt(attempt, end, at) => t.end_attempt(attempt, after(at), end),
        Step::Hop(reason, url, idle) => {
            let url = url::Url::parse(url).unwrap();
            let method = "PURGE".parse().unwrap();
            t.begin_hop(Hop {
                request: Arc::new(RequestLine { method, url }),
                reason,
                started: now,
                sent: idle.map(after),
                head_ended: idle.map(|idle| after(idle + 1)),
                ended: None,
                status: idle.map(|idle| if idle % 2 == 0 { 504 } else { 302 }),
                connection: None,
            });
            let peer = idle.map(|_| "192.0.2.7:80".parse().unwrap());
            t.use_connection(ConnectionUse {
                number: 1,
                idle: idle.map(Duration::from_nanos),
                peer,
            });
        }
        Step::Ended(sent) => t.set_request_sent(sent),
        Step::Fire(limit, phase, late) => {
            t.set_fired(Fired { limit, phase, deadline: now, noticed: after(late) });
        }
        Step::Note(note) => t.note(note),
    }
}

/// As it goes on living: with a clock that began before the call.
fn timelines() -> impl Strategy<Value = Timeline> {
    let steps = prop::collection::vec(steps(), 0..90);
    (configured(), steps, any::<bool>(), nanos()).prop_map(|(limits, steps, finish, last)| {
        let mut t = Timeline::new(us(100_000_000_000), limits);
        for step in steps {
            apply(&mut t, step);
        }
        if finish {
            t.finish(t.ended().after(Duration::from_nanos(last)));
        }
        t
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_call_reads_the_same_from_its_document(live in timelines()) {
        let mut run = run(&[]);
        run.timeline = Some(live.clone());
        let text = run.to_json(Secrets::Redacted);
        let again = Run::from_json(&text);
        prop_assert!(again.is_ok(), "{}\n{text}", again.unwrap_err());
        let again = again.unwrap();
        prop_assert_eq!(again.to_json(Secrets::Redacted), text);
        let saved = again.timeline.unwrap();
        let style = Style::default();
        prop_assert_eq!(screen::screen(&[], &saved, &style), screen::screen(&[], &live, &style));
        prop_assert_eq!(screen::one_line(&saved), screen::one_line(&live));
        prop_assert_eq!(saved.spent(), live.spent());
        prop_assert_eq!(saved.peer(), live.peer());
        let total = Limits::total(Duration::from_millis(120));
        prop_assert_eq!(saved.what_if(&total), live.what_if(&total));
        let strict = Limits::per_wait(Duration::from_millis(120));
        prop_assert_eq!(saved.what_if(&strict), live.what_if(&strict));
    }

    /// Whatever becomes of a document: words or a call that can be shown, and never a panic.
    #[test]
    fn no_edit_makes_it_panic(
        live in timelines(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, "[0-9e.\"{}\\[\\],:a-z-]{0,3}"), 1..4),
    ) {
        let mut run = run(&[("X-Mine", "yes")]);
        run.timeline = Some(live);
        let mut text: Vec<char> = run.to_json(Secrets::Redacted).chars().collect();
        for (at, length, new) in edits {
            let at = at.index(text.len());
            let end = (at + usize::from(length)).min(text.len());
            text.splice(at..end, new.chars());
        }
        let text: String = text.into_iter().collect();
        match Run::from_json(&text) {
            Ok(run) => {
                let _ = run.to_json(Secrets::Redacted);
                if let Some(timeline) = &run.timeline {
                    let _ = screen::screen(&[], timeline, &Style::default());
                    let _ = screen::one_line(timeline);
                }
            }
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
        }
    }
}
