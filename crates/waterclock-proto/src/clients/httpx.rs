//! Python's httpx: four limits, each armed again for every operation.

use super::Client;
use super::setting::{Given, Knob, Zero};
use super::timer::{RESPONSE, SENDING, Scope, Timer};
use crate::timeline::{Phase, Timeline};
use std::time::Duration;

const ZERO: Zero =
    Zero::Refused("a timeout of 0 makes httpx fail at once; write None for no limit");

pub(super) const CLIENT: Client = Client {
    name: "httpx",
    knobs: &[
        Knob::new(&["timeout"], ZERO),
        Knob::new(&["connect"], ZERO),
        Knob::new(&["read"], ZERO),
        Knob::new(&["write"], ZERO),
        Knob::new(&["pool"], ZERO),
    ],
    total: 0,
    example: "timeout=0.12, connect=3 read=10",
    rules: &[
        "timeout=T is four limits of T: connect, read, write and pool (5 s each if nothing is said). None \
         of them adds up.",
        "connect bounds the connect to each address (one after the other), then, afresh, the TLS handshake \
         as a whole (one deadline in CPython).",
        "read bounds each recv, write each send, pool the wait for a connection.",
        "Redirects are followed only with follow_redirects=True; each begins with all of it again.",
    ],
    unbounded: "The name lookup is bounded by nothing, nor is the call as a whole.",
    source: "httpx 0.28.1 (_config.py, Timeout) over httpcore 1.0.9 (_sync/connection.py, \
             _backends/sync.py) and CPython 3.11; measured",
    timers,
};

fn timers(given: &Given, _: &Timeline) -> Vec<Timer> {
    let all = given.or("timeout", Some(Duration::from_secs(5)));
    let (connect, read) = (given.or("connect", all), given.or("read", all));
    let connect_error = "httpx.ConnectTimeout";
    [
        Timer::set(
            "pool timeout",
            given.or("pool", all),
            Scope::Phase(Phase::Pool),
            "httpx.PoolTimeout",
        ),
        Timer::set("connect timeout", connect, Scope::Address, connect_error),
        Timer::set("read timeout", read, Scope::EachWait(&[Phase::Tunnel]), "httpx.ReadTimeout"),
        Timer::set("connect timeout", connect, Scope::Handshake, connect_error),
        Timer::set(
            "write timeout",
            given.or("write", all),
            Scope::EachWait(SENDING),
            "httpx.WriteTimeout",
        ),
        Timer::set("read timeout", read, Scope::EachWait(RESPONSE), "httpx.ReadTimeout"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
