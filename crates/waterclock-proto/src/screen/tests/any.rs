//! What must hold for every timeline that can be recorded, however odd.

use super::*;
use proptest::prelude::*;

/// One call of the recording interface.
#[derive(Clone, Debug)]
enum Step {
    Wait {
        phase: Phase,
        what: What,
        gap: u64,
        long: u64,
        limit: Option<(Limit, u64)>,
        end: SpanEnd,
    },
    Caller {
        what: What,
        long: u64,
    },
    Bytes(u64),
    Attempt(u64),
    EndAttempt(u16, AttemptEnd, u64),
    Hop(HopReason, &'static str, Option<u64>),
    Sent(RequestSent),
    Fire(Limit, Phase, u64),
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

fn outcomes() -> impl Strategy<Value = AttemptEnd> {
    prop_oneof![
        Just(AttemptEnd::Connected),
        Just(AttemptEnd::Expired),
        Just(AttemptEnd::Abandoned),
        Just(AttemptEnd::Pending),
        ".{0,40}".prop_map(|words| AttemptEnd::Failed(words.into())),
    ]
}

fn urls() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("https://example.com/"),
        Just("http://한국인터넷정보센터.한국/"),
        Just("http://[2001:db8::1]:8080/a?b=c"),
        Just("data:text/plain,no-host"),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let wait = (phases(), whats(), nanos(), nanos(), prop::option::of((limits(), nanos())), ends())
        .prop_map(|(phase, what, gap, long, limit, end)| Step::Wait {
            phase,
            what,
            gap,
            long,
            limit,
            end,
        });
    let body = (nanos(), nanos()).prop_map(|(gap, long)| Step::Wait {
        phase: Phase::Body,
        what: What::Read,
        gap,
        long,
        limit: Some((Limit::Read, 0)),
        end: SpanEnd::Ready,
    });
    let reasons = prop_oneof![
        Just(HopReason::First),
        Just(HopReason::Redirect),
        Just(HopReason::Retry),
        Just(HopReason::Auth),
    ];
    prop_oneof![
        6 => wait,
        6 => body,
        2 => (whats(), nanos()).prop_map(|(what, long)| Step::Caller { what, long }),
        1 => any::<u32>().prop_map(|bytes| Step::Bytes(bytes.into())),
        1 => nanos().prop_map(Step::Attempt),
        1 => (0..4_u16, outcomes(), nanos()).prop_map(|(n, end, at)| Step::EndAttempt(n, end, at)),
        1 => (reasons, urls(), prop::option::of(nanos()))
            .prop_map(|(reason, url, idle)| Step::Hop(reason, url, idle)),
        1 => prop_oneof![Just(RequestSent::No), Just(RequestSent::Partly), Just(RequestSent::Yes)]
            .prop_map(Step::Sent),
        1 => (limits(), phases(), nanos()).prop_map(|(l, p, late)| Step::Fire(l, p, late)),
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
        Step::Wait { phase, what, gap, long, limit, end } => {
            let started = after(gap);
            let armed = limit.and_then(|(limit, before)| {
                let armed = Tick::from_nanos(started.as_nanos().saturating_sub(before));
                let of = t.limits().get(limit).unwrap_or(Duration::from_millis(7));
                Some((armed.after(of), limit)).filter(|(at, _)| !at.is_never())
            });
            t.record_wait(phase, what, started, after(gap + long), armed, end);
        }
        Step::Caller { what, long } => t.record_caller(what, now, after(long)),
        Step::Bytes(bytes) => t.add_bytes(Phase::Body, bytes),
        Step::Attempt(at) => {
            t.begin_attempt("192.0.2.1:443\u{1b}[2J/sockets/엔진".into(), after(at));
        }
        Step::EndAttempt(attempt, end, at) => t.end_attempt(attempt, after(at), end),
        Step::Hop(reason, url, idle) => {
            let mut hop = hop("POST", url, now);
            hop.reason = reason;
            hop.status = idle.map(|idle| if idle % 2 == 0 { 504 } else { 302 });
            t.begin_hop(hop);
            let idle = idle.map(Duration::from_nanos);
            t.use_connection(crate::timeline::ConnectionUse { number: 1, idle, peer: None });
        }
        Step::Sent(sent) => t.set_request_sent(sent),
        Step::Fire(limit, phase, late) => {
            t.set_fired(Fired { limit, phase, deadline: now, noticed: after(late) });
        }
    }
}

fn timelines() -> impl Strategy<Value = Timeline> {
    let steps = prop::collection::vec(steps(), 0..90);
    (configured(), steps, any::<bool>(), nanos()).prop_map(|(limits, steps, finish, last)| {
        let mut t = Timeline::new(us(5), limits);
        for step in steps {
            apply(&mut t, step);
        }
        if finish {
            t.finish(t.ended().after(Duration::from_nanos(last)));
        }
        t
    })
}

/// Reads the sum line back, in tenths.
fn printed_sum(text: &str) -> (u64, u64) {
    let tenths = |number: &str| number.replace([',', '.'], "").parse::<u64>().unwrap();
    let at = text.rfind(" = ").unwrap();
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let total = text[start..at].split_whitespace().next().unwrap();
    let parts =
        text[at + 3..].split('+').map(|part| tenths(part.split_whitespace().next().unwrap()));
    (tenths(total), parts.sum())
}

pub(super) fn check(t: &Timeline) {
    let head = ["HTTP/1.1 200 \u{1b}]0;owned\u{7} ".to_owned() + &"긴".repeat(200)];
    for columns in [0, 60, 80, 200] {
        for style in [unicode(), ascii(), narrow()] {
            let style = Style { width: columns, ..style };
            let text = screen(&head, t, &style);
            for line in text.lines() {
                assert!(width(line) <= columns.max(60), "{} columns: {line:?}", width(line));
                assert!(!line.contains(char::is_control), "{line:?}");
                assert_eq!(line.trim_end(), line);
            }
            for line in blame(t, &style).lines() {
                assert!(width(line) <= columns.max(60), "{} columns: {line:?}", width(line));
                assert!(!line.contains(char::is_control), "{line:?}");
            }
            let table = waterfall(t, &style);
            let (total, parts) = printed_sum(&table);
            assert_eq!(total, parts, "{table}");
            let last: Vec<&str> = table.split_whitespace().rev().take(2).collect();
            assert_eq!(last, ["unaccounted", "0.0"], "{table}");
        }
    }
    assert!(screen(&head, t, &ascii()).is_ascii());
    assert!(blame(t, &ascii()).is_ascii());
    for index in 0..t.spans().len() {
        assert!(!label(t, index).is_empty());
        assert!(!label(t, index).contains(char::is_control));
    }
    assert_eq!(label(t, t.spans().len()), "");
    assert!(!verdict(t).is_empty());
    assert!(verdict(t).iter().all(|sentence| !sentence.contains('\n') && !sentence.is_empty()));
    assert!(one_line(t).starts_with("limit="));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_timeline_is_shown_within_the_width_and_adds_up(t in timelines()) {
        check(&t);
    }

    /// Cut anywhere, a call still tiles, adds up and says which limit ended it.
    #[test]
    fn any_timeline_is_shown_under_other_limits(t in timelines(), limits in configured()) {
        let under = t.under(&limits);
        let fired = t.what_if(&limits);
        prop_assert_eq!(under.fired().is_some(), fired.is_some());
        if let (Some(mine), Some(fired)) = (under.fired(), fired) {
            prop_assert_eq!((mine.limit, under.elapsed()), (fired.limit, fired.at));
            prop_assert!(under.unaccounted().is_zero());
        }
        let mut at = under.started();
        for span in under.spans() {
            prop_assert_eq!(span.started, at);
            at = span.ended;
        }
        let text = what_if("--total 0.12", &limits, &t, Table::Waterfall, &unicode());
        prop_assert!(text.lines().all(|line| width(line) <= 80));
        check(&under);
    }

    #[test]
    fn escaped_text_cannot_reach_a_terminal(text in any::<String>()) {
        let escaped = escape(&text);
        prop_assert!(!escaped.contains(char::is_control));
        let reorders = escaped.contains(['\u{202e}', '\u{2066}', '\u{200f}', '\u{2028}']);
        prop_assert!(!reorders);
    }
}
