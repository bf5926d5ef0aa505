//! Go's net/http: a deadline over everything, and limits of the transport.

use super::Client;
use super::setting::{Given, Knob, Zero};
use super::timer::{Scope, Timer};
use crate::timeline::{Phase, Timeline};
use std::time::Duration;

const ZERO: Zero = Zero::NoLimit;

pub(super) const CLIENT: Client = Client {
    name: "go",
    knobs: &[
        Knob::new(&["Client.Timeout", "Timeout"], ZERO),
        Knob::new(&["Dialer.Timeout"], ZERO),
        Knob::new(&["TLSHandshakeTimeout"], ZERO),
        Knob::new(&["ResponseHeaderTimeout"], ZERO),
    ],
    total: 0,
    example: "Client.Timeout=120ms, ResponseHeaderTimeout=2s",
    rules: &[
        "Client.Timeout is a deadline over everything: name lookup, connecting, redirects and the body. \
         There is none if nothing is said.",
        "Dialer.Timeout bounds the name lookup and the connect together, over all addresses (30 s in \
         DefaultTransport); TLSHandshakeTimeout the handshake as a whole (10 s there); \
         ResponseHeaderTimeout the time from the request's last byte to the end of the headers.",
        "The limits of the transport begin again with each redirect.",
    ],
    unbounded: "",
    source: "Go 1.19, net/http (Client.Timeout, Transport) and net (Dialer.Timeout); measured",
    timers,
};

fn timers(given: &Given, _: &Timeline) -> Vec<Timer> {
    let dial = given.or("Dialer.Timeout", Some(Duration::from_secs(30)));
    let tls = given.or("TLSHandshakeTimeout", Some(Duration::from_secs(10)));
    let head = given.or("ResponseHeaderTimeout", None);
    [
        Timer::set(
            "Dialer.Timeout",
            dial,
            Scope::Establish(&[Phase::Resolve, Phase::Connect]),
            "i/o timeout (net.OpError)",
        ),
        Timer::set(
            "TLSHandshakeTimeout",
            tls,
            Scope::Phase(Phase::Tls),
            "net/http: TLS handshake timeout",
        ),
        Timer::set(
            "ResponseHeaderTimeout",
            head,
            Scope::Head,
            "net/http: timeout awaiting response headers",
        ),
        Timer::set(
            "Client.Timeout",
            given.or("Client.Timeout", None),
            Scope::Call,
            "context deadline exceeded (Client.Timeout exceeded)",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
