//! Packet captures in the pcapng format, for Wireshark and tshark.

mod block;
mod comments;
mod packet;
mod stream;

#[cfg(test)]
mod tests;

use block::File;
use comments::{Comments, place, text};
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use stream::{Ends, packets};
use waterclock::capture::{Wire, WireConnection};
use waterclock::run::{Run, Secrets};
use waterclock::world::Endpoint;
use waterclock_proto::screen;
use waterclock_proto::timeline::{AttemptEnd, Timeline};

/// What becomes of the secrets of TLS that a recording may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// They are left out: what was encrypted stays so.
    LeftOut,
    /// They are put into the file: Wireshark decrypts it without further files, and so can whoever gets it.
    Included,
}

/// There is nothing to make packets of: the run has no recording of its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRecorded;

impl fmt::Display for NotRecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the bytes of this run were not recorded; make the request with --pcapng FILE, \
             or with --capture beside --save FILE",
        )
    }
}

impl std::error::Error for NotRecorded {}

/// A packet capture of what the run's sockets read and wrote, which Wireshark and tshark open.
///
/// The packets are synthetic: headers of IP and TCP are made up around the bytes of each call of the
/// system, and the time of a packet is when the process saw its bytes. Each wait of the run is a comment at the
/// packet that ended it, with number, name and limit; a limit that fired is told at the FIN. What has no packet
/// (a run that never got to connect) is told in the comments of the file.
///
/// With [`Secrets::Redacted`] credentials in plain-text header fields are overwritten with `*`.
///
/// # Errors
/// [`NotRecorded`] if nobody [recorded](waterclock::capture::Capture) the run.
pub fn pcapng(run: &Run, secrets: Secrets, keys: Keys) -> Result<Vec<u8>, NotRecorded> {
    let wire = run.wire.as_ref().ok_or(NotRecorded)?;
    let masked = (secrets == Secrets::Redacted).then(|| wire.clone().masked());
    let wire = masked.as_ref().unwrap_or(wire);
    let key_log = wire.keys.as_deref().filter(|text| keys == Keys::Included && !text.is_empty());

    let timeline = run.timeline.as_ref();
    let mut all = Vec::new();
    for connection in &wire.connections {
        let answered = timeline.and_then(|timeline| answered(timeline, connection));
        all.extend(packets(connection, answered));
    }
    all.sort_by_key(|packet| packet.at);
    let comments = place(timeline, &all);

    let mut file = File::default();
    let application = format!("{} {}", crate::NAME, crate::VERSION);
    file.section(&about(run, wire, secrets, key_log.is_some(), &comments), &application);
    file.interface("sockets", "The socket calls of one process, not a network interface");
    let names = names(wire);
    if !names.is_empty() {
        file.names(names.iter().map(|(address, name)| (*address, name.as_str())));
    }
    if let Some(text) = key_log {
        file.keys(text);
    }
    let began = began(run);
    for (packet, comments) in all.iter().zip(&comments.of_packet) {
        let at = u64::try_from(packet.at.as_nanos()).unwrap_or(u64::MAX);
        file.packet(began.saturating_add(at), packet.way, &packet.bytes, comments);
    }
    Ok(file.into_bytes())
}

/// When the run began, in nanoseconds since 1970, to the microsecond that a document has.
fn began(run: &Run) -> u64 {
    let since = run.started_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX).saturating_mul(1_000)
}

/// When the attempt that this connection came from was answered, as the timeline has it.
fn answered(timeline: &Timeline, connection: &WireConnection) -> Option<Duration> {
    let since = |tick: waterclock::Tick| tick.since(timeline.started());
    let opened = connection.opened?;
    let peer = connection.remote.to_string();
    let mine = timeline.attempts().iter().filter(|attempt| {
        *attempt.peer == *peer
            && attempt.end == AttemptEnd::Connected
            && since(attempt.started) <= opened
    });
    let newest = mine.max_by_key(|attempt| attempt.started)?;
    newest.ended.map(since).filter(|&ended| ended >= opened)
}

/// What stands in the file's own comments.
fn about(
    run: &Run,
    wire: &Wire,
    secrets: Secrets,
    has_keys: bool,
    comments: &Comments,
) -> Vec<String> {
    let mut about = vec![
        "SYNTHETIC: headers rebuilt from socket calls. The time of a packet is when the process saw \
         its bytes; segments, acknowledgements and windows are made up."
            .to_owned(),
    ];
    about.push(text(&format!("{} {}", run.request.method, run.request.url)));
    about.extend(run.timeline.iter().flat_map(screen::verdict).map(|sentence| text(&sentence)));
    about.extend(comments.homeless.iter().cloned());
    about.extend(wire.connections.iter().filter_map(stand_in));
    if wire.dropped > 0 {
        about.push(format!("{} bytes were over the budget of the recording.", wire.dropped));
    }
    if has_keys {
        about.push(
            "This file has the secrets of TLS: whoever has it can read everything in it."
                .to_owned(),
        );
    }
    about.push(match secrets {
        Secrets::Redacted => {
            "Credentials and cookies in header fields sent in plain text are overwritten with *. \
             What is encrypted has them as they are."
        }
        Secrets::Shown => "Credentials and cookies are as they were sent.",
    }.to_owned());
    about
}

/// Says so where an address is made up.
fn stand_in(connection: &WireConnection) -> Option<String> {
    let Ends { ours, theirs } = Ends::of(connection);
    match &connection.remote {
        Endpoint::Unix(path) => {
            let path = path.to_string_lossy();
            Some(text(&format!("{ours} to {theirs} stands for the Unix socket {path}.")))
        }
        Endpoint::Tcp(_) if connection.local != Some(ours) => {
            Some(format!("{ours} stands for a local address that is not known."))
        }
        Endpoint::Tcp(_) => None,
    }
}

/// The names of addresses; of several for one, the first.
fn names(wire: &Wire) -> Vec<(IpAddr, String)> {
    let mut names: Vec<(IpAddr, String)> = Vec::new();
    for connection in &wire.connections {
        let (Endpoint::Tcp(address), Some(host)) = (&connection.remote, &connection.host) else {
            continue;
        };
        if !names.iter().any(|(known, _)| *known == address.ip()) {
            names.push((address.ip(), text(host)));
        }
    }
    names
}
