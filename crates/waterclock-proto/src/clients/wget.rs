//! GNU Wget: three limits, each on single operations, and twenty tries.

use super::Client;
use super::setting::{Given, Knob, Zero};
use super::timer::{Scope, Timer};
use crate::timeline::{Phase, Timeline};
use std::time::Duration;

const ZERO: Zero = Zero::NoLimit;

pub(super) const CLIENT: Client = Client {
    name: "wget",
    knobs: &[
        Knob::new(&["--timeout", "-T"], ZERO),
        Knob::new(&["--dns-timeout"], ZERO),
        Knob::new(&["--connect-timeout"], ZERO),
        Knob::new(&["--read-timeout"], ZERO),
    ],
    total: 0,
    example: "--timeout 0.12, --read-timeout 10",
    rules: &[
        "--timeout sets --dns-timeout, --connect-timeout and --read-timeout. None of them adds up.",
        "--dns-timeout bounds the name lookup, --connect-timeout the connect to each address (one after the \
         other).",
        "--read-timeout bounds each wait for bytes (15 minutes if nothing is said), of headers and body; in \
         the TLS handshake --timeout starts again for every wait, too.",
        "When a limit fires, Wget tries again, up to 20 times in all (--tries), which it counts from the \
         start each time. Redirects begin again as well.",
    ],
    unbounded: "The call as a whole is bounded by nothing.",
    source: "GNU Wget 1.21.3 (src/connect.c, src/gnutls.c; manual); measured",
    timers,
};

fn timers(given: &Given, _: &Timeline) -> Vec<Timer> {
    let all = given.or("--timeout", None);
    let connect = given.or("--connect-timeout", all);
    let read = given.or("--read-timeout", all.or(Some(Duration::from_secs(900))));
    let waits = &[Phase::Tunnel, Phase::Continue, Phase::FirstByte, Phase::Head, Phase::Body];
    let error = "exit code 4, after 20 tries";
    [
        Timer::set(
            "--dns-timeout",
            given.or("--dns-timeout", all),
            Scope::Phase(Phase::Resolve),
            error,
        ),
        Timer::set("--connect-timeout", connect, Scope::Address, error),
        Timer::set("--read-timeout", read, Scope::EachWait(&[Phase::Tls]), error),
        Timer::set("--read-timeout", read, Scope::EachWait(waits), error),
    ]
    .into_iter()
    .flatten()
    .collect()
}
