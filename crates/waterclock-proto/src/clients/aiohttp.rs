//! Python's aiohttp: a deadline over everything, and parts of it.

use super::Client;
use super::setting::{Given, Knob, Zero};
use super::timer::{RESPONSE, Scope, Timer};
use crate::timeline::{Phase, Timeline};
use std::time::Duration;

const ZERO: Zero = Zero::NoLimit;

pub(super) const CLIENT: Client = Client {
    name: "aiohttp",
    knobs: &[
        Knob::new(&["total", "timeout"], ZERO),
        Knob::new(&["connect"], ZERO),
        Knob::new(&["sock_connect"], ZERO),
        Knob::new(&["sock_read"], ZERO),
    ],
    total: 0,
    example: "total=0.12, sock_connect=3 sock_read=10",
    rules: &[
        "total is a deadline over everything: name lookup, connecting, redirects and the body (5 minutes if \
         nothing is said). Above 5 s it is rounded up to a whole second of the loop's clock, so it may be \
         almost a second late.",
        "connect bounds the wait for a connection from the pool, or all of making one, name lookup and TLS \
         included. sock_connect bounds the connect and TLS without the lookup (30 s if nothing is said).",
        "sock_read bounds each wait for bytes.",
    ],
    unbounded: "",
    source: "aiohttp 3.14.5 (client.py, connector.py, helpers.py, ceil_timeout); measured",
    timers,
};

fn timers(given: &Given, _: &Timeline) -> Vec<Timer> {
    const CONNECTING: &[Phase] =
        &[Phase::Pool, Phase::Resolve, Phase::Connect, Phase::Tunnel, Phase::Tls];
    let total = given.or("total", Some(Duration::from_secs(300)));
    let socket = given.or("sock_connect", Some(Duration::from_secs(30)));
    let error = "aiohttp.ConnectionTimeoutError";
    [
        Timer::set("sock_connect", socket, Scope::Establish(&[Phase::Connect, Phase::Tls]), error),
        Timer::set("connect", given.or("connect", None), Scope::Establish(CONNECTING), error),
        Timer::set(
            "sock_read",
            given.or("sock_read", None),
            Scope::EachWait(RESPONSE),
            "aiohttp.SocketTimeoutError",
        ),
        Timer::set("total", total, Scope::Call, "TimeoutError, with an empty message"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
