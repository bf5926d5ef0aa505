//! Python's requests: two limits, each armed again for every operation of a socket.

use super::Client;
use super::setting::{Given, Knob, Zero};
use super::timer::{RESPONSE, SENDING, Scope, Timer};
use crate::timeline::{Phase, Timeline};

const ZERO: Zero = Zero::Refused("requests refuses a timeout of 0 (ValueError)");

pub(super) const CLIENT: Client = Client {
    name: "requests",
    knobs: &[Knob { names: &["timeout"], pair: true, zero: ZERO }],
    total: 0,
    example: "timeout=0.12, timeout=(3.05, 27)",
    rules: &[
        "timeout=T is two limits, connect and read. Neither adds up: each starts again for every \
         operation of a socket.",
        "connect bounds the connect to each address (one after the other), then, afresh, the TLS \
         handshake as a whole (one deadline in CPython; inside the TLS of an https:// proxy each of its \
         reads), then each send.",
        "read bounds each recv: of the headers and of the body. One byte is enough to start it again; \
         over TLS it takes a whole record.",
        "Each redirect begins with all of it again.",
    ],
    unbounded: "The name lookup and the pool are bounded by nothing, nor is the call as a whole.",
    source: "requests 2.34.2 (adapters.py, HTTPAdapter.send) over urllib3 2.8.0 (connectionpool.py, \
             _make_request) and CPython 3.11 (_ssl.c, socketmodule.c); measured",
    timers,
};

fn timers(given: &Given, _: &Timeline) -> Vec<Timer> {
    let (connect, read) = given.pair("timeout").unwrap_or_default();
    let body: &[Phase] = &[Phase::Body];
    let head = RESPONSE.split_at(3).0;
    [
        Timer::set(
            "connect timeout",
            connect,
            Scope::Address,
            "requests.exceptions.ConnectTimeout",
        ),
        Timer::set(
            "connect timeout",
            connect,
            Scope::EachWait(&[Phase::Tunnel]),
            "requests.exceptions.ReadTimeout",
        ),
        Timer::set("connect timeout", connect, Scope::Handshake, "requests.exceptions.ReadTimeout"),
        Timer::set(
            "connect timeout",
            connect,
            Scope::EachWait(SENDING),
            "requests.exceptions.ConnectionError",
        ),
        Timer::set("read timeout", read, Scope::EachWait(head), "requests.exceptions.ReadTimeout"),
        Timer::set(
            "read timeout",
            read,
            Scope::EachWait(body),
            "requests.exceptions.ConnectionError",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
