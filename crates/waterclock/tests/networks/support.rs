//! What the tests share: sessions, and the timeline held against the packets.

use crate::capture::{Capture, Packet};
use std::time::Duration;
use waterclock::timeline::{Span, SpanEnd};
use waterclock::tls::{Roots, TlsSettings};
use waterclock::{Phase, Session, SessionBuilder, Tick, Timeline};

/// The wall clock and the client's may have moved apart by so much.
const SLACK: Duration = Duration::from_micros(500);
/// So long after its packet a wait may end on a busy machine, in the best of three tries.
pub(crate) const LATE: Duration = ms(25);

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A builder that knows nothing of the surroundings.
pub(crate) fn builder() -> SessionBuilder {
    Session::builder().trust_env(false)
}

pub(crate) fn trust(pem: &str) -> TlsSettings {
    TlsSettings::builder().roots(Roots::pem(pem.as_bytes()).unwrap()).build().unwrap()
}

/// What must be so whenever the machine has the time for it: one of three tries is enough.
pub(crate) fn in_one_of_three(attempt: impl Fn() -> Result<(), String>) {
    let mut failures = Vec::new();
    for _ in 0..3 {
        match attempt() {
            Ok(()) => return,
            Err(failure) => failures.push(failure),
        }
    }
    panic!("in none of three tries:\n{}", failures.join("\n"));
}

/// Every nanosecond is in one span.
pub(crate) fn tiles(timeline: &Timeline) {
    assert_eq!(timeline.unaccounted(), Duration::ZERO);
    let spans = timeline.spans();
    assert!(spans.windows(2).all(|pair| pair[0].ended == pair[1].started), "{spans:#?}");
}

/// Waits that ended because something came, and took their time.
pub(crate) fn waits(timeline: &Timeline) -> impl Iterator<Item = &Span> {
    let waited = |span: &&Span| span.phase.is_wait() && span.duration() > ms(5);
    timeline.spans().iter().filter(waited).filter(|span| span.end == SpanEnd::Ready)
}

/// Each wait ended with the packet that it was for: never before it, and soon after it. `Err` where the
/// machine was too busy for "soon".
pub(crate) fn agrees(timeline: &Timeline, capture: &Capture) -> Result<(), String> {
    let mut held = 0;
    for span in waits(timeline) {
        let cause = cause(span, capture);
        let late = span.ended.since(cause);
        if late > LATE {
            return Err(format!("a wait ended {late:?} after its packet: {span:?}"));
        }
        held += 1;
    }
    assert!(held > 0, "there was no wait");
    Ok(())
}

/// When the packet came that ended this wait. Fails if none had come.
fn cause(span: &Span, capture: &Capture) -> Tick {
    let awaited = |packet: &&Packet| match span.phase {
        Phase::Resolve => packet.udp,
        Phase::Connect => packet.is_syn_ack(),
        _ => packet.is_data(),
    };
    let begin = span.started.since(Tick::ZERO).saturating_sub(SLACK);
    let begin = Tick::ZERO.after(begin);
    let during = |packet: &&Packet| packet.at >= begin && packet.at <= span.ended.after(SLACK);
    let mut came = capture.received().filter(awaited).filter(during).map(|packet| packet.at);
    // A name is known with the second of two answers, A and AAAA. Other waits end with the first packet.
    let cause = if span.phase == Phase::Resolve { came.last() } else { came.next() };
    cause.unwrap_or_else(|| panic!("a wait ended before its packet came: {span:#?}"))
}
