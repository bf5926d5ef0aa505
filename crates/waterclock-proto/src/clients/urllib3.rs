//! urllib3: as requests, and a `total` that is no deadline.

use super::Client;
use super::setting::{Given, Knob, Zero};
use super::timer::{RESPONSE, SENDING, Scope, Timer};
use crate::tick::Tick;
use crate::timeline::{Phase, Timeline};
use std::time::Duration;

const ZERO: Zero = Zero::Refused("urllib3 refuses a timeout of 0 (ValueError)");

pub(super) const CLIENT: Client = Client {
    name: "urllib3",
    knobs: &[
        Knob { names: &["timeout"], pair: false, zero: ZERO },
        Knob { names: &["total"], pair: false, zero: ZERO },
        Knob { names: &["connect"], pair: false, zero: ZERO },
        Knob { names: &["read"], pair: false, zero: ZERO },
    ],
    total: 1,
    example: "timeout=0.12, total=0.12, connect=3.05 read=27",
    rules: &[
        "timeout=T is connect=T and read=T. connect bounds the connect to each address (one after the \
         other), then, afresh, the TLS handshake as a whole, then each send. read bounds each recv.",
        "total=T is no deadline. It caps connect; what is left of it when the request is sent, name lookup \
         included, caps read; and read starts again for every recv.",
        "If nothing is left by then, the request is sent all the same, and then the call fails.",
        "Each redirect and each retry begins with all of it again.",
    ],
    unbounded: "The name lookup is bounded by nothing, nor is the pool unless it blocks, nor the call as a \
                whole.",
    source: "urllib3 2.8.0 (util/timeout.py, connectionpool.py, _make_request) and CPython 3.11; measured",
    timers,
};

const CONNECT: &str = "urllib3.exceptions.ConnectTimeoutError";
const READ: &str = "urllib3.exceptions.ReadTimeoutError";

fn timers(given: &Given, timeline: &Timeline) -> Vec<Timer> {
    let both = given.or("timeout", None);
    let connect = given.or("connect", both);
    let read = given.or("read", both);
    let total = given.or("total", None);
    let capped = least(connect, total);
    let (name, error) = ("connect timeout", READ);
    let mut timers: Vec<Timer> = [
        Timer::set(name, capped, Scope::Address, CONNECT),
        Timer::set(name, capped, Scope::EachWait(&[Phase::Tunnel]), error),
        Timer::set(name, capped, Scope::Handshake, error),
        Timer::set(name, capped, Scope::EachWait(SENDING), "urllib3.exceptions.ProtocolError"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let Some(total) = total else {
        timers.extend(Timer::set("read timeout", read, Scope::EachWait(RESPONSE), READ));
        return timers;
    };
    for hop in 0..u16::try_from(timeline.hops().len().max(1)).unwrap_or(u16::MAX) {
        let left = total.saturating_sub(until_sent(timeline, hop));
        let read = least(read, Some(left));
        let timer = Timer::set("what total left for read", read, Scope::EachWait(RESPONSE), READ);
        timers.extend(timer.map(|timer| Timer { hop: Some(hop), ..timer }));
    }
    timers
}

fn least(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    [a, b].into_iter().flatten().min()
}

/// From the first step to connect to the request's last byte. A dialogue with a proxy comes before it.
fn until_sent(timeline: &Timeline, hop: u16) -> Duration {
    let spans = || timeline.spans().iter().filter(move |span| span.hop == hop);
    let first = |phases: &[Phase]| spans().find(|span| phases.contains(&span.phase));
    let begun = match spans().rfind(|span| span.phase == Phase::Tunnel) {
        Some(tunnel) => Some(tunnel.ended),
        None => first(&[Phase::Resolve, Phase::Connect, Phase::Tls]).map(|span| span.started),
    };
    let sent = timeline.hops().get(usize::from(hop)).and_then(|hop| hop.sent);
    let sent = sent.or_else(|| first(RESPONSE).map(|span| span.started));
    let (begun, sent) = (begun.unwrap_or(Tick::NEVER), sent.unwrap_or(Tick::ZERO));
    sent.since(begun)
}
