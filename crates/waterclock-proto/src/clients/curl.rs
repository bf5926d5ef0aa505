//! curl: a deadline over the transfer, and one over connecting.

use super::Client;
use super::setting::{Given, Knob, Zero};
use super::timer::{Scope, Timer};
use crate::timeline::{Phase, Timeline};
use std::time::Duration;

const ZERO: Zero = Zero::NoLimit;

pub(super) const CLIENT: Client = Client {
    name: "curl",
    knobs: &[Knob::new(&["--max-time", "-m"], ZERO), Knob::new(&["--connect-timeout"], ZERO)],
    total: 0,
    example: "--max-time 0.12, --connect-timeout 0.12",
    rules: &[
        "--max-time is a deadline over the whole transfer: name lookup, connecting, TLS, redirects and the \
         body. With --retry each try begins again.",
        "After a redirect curl 7.88.1 notices it late: with the next bytes that come, or else when the same \
         time has passed again since the redirect.",
        "--connect-timeout is a deadline over the name lookup, the connect, the proxy and TLS together (5 \
         minutes if nothing is said), afresh for each redirect.",
        "Redirects are followed only with --location.",
    ],
    unbounded: "",
    source: "curl 7.88.1 (lib/connect.c, Curl_timeleft; man page); measured",
    timers,
};

fn timers(given: &Given, _: &Timeline) -> Vec<Timer> {
    const CONNECTING: &[Phase] = &[Phase::Resolve, Phase::Connect, Phase::Tunnel, Phase::Tls];
    let connect = given.or("--connect-timeout", Some(Duration::from_secs(300)));
    [
        Timer::set("--max-time", given.or("--max-time", None), Scope::Call, "exit code 28"),
        Timer::set("--connect-timeout", connect, Scope::Establish(CONNECTING), "exit code 28"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
