//! Which part of a hop's time is whose.

use crate::number::Ms;
use crate::phases::HopView;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::time::Duration;
use waterclock_proto::timeline::Phase;

/// The places that HAR has for time, in the order of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Blocked,
    Dns,
    /// Without the handshake, which HAR counts in as well.
    Connect,
    Ssl,
    Send,
    Wait,
    Receive,
}

/// `timings`: what did not happen is -1, but for the three that must not be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timings([Option<Duration>; 7]);

impl Serialize for Timings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of = |place: Place| self.0[place as usize];
        let ssl = of(Place::Ssl);
        let connect = match (of(Place::Connect), ssl) {
            (None, None) => None,
            (tcp, tls) => Some(tcp.unwrap_or_default() + tls.unwrap_or_default()),
        };
        let mut part = serializer.serialize_struct("Timings", 7)?;
        for (name, duration) in [
            ("blocked", of(Place::Blocked)),
            ("dns", of(Place::Dns)),
            ("connect", connect),
            ("send", of(Place::Send).or(Some(Duration::ZERO))),
            ("wait", of(Place::Wait).or(Some(Duration::ZERO))),
            ("receive", of(Place::Receive).or(Some(Duration::ZERO))),
            ("ssl", ssl),
        ] {
            match duration {
                Some(duration) => part.serialize_field(name, &Ms(duration))?,
                None => part.serialize_field(name, &-1)?,
            }
        }
        part.end()
    }
}

/// All of the hop's time: work goes to the wait before it, at the beginning to `blocked`.
pub(super) fn of(hop: HopView<'_>) -> Timings {
    let mut timings = Timings::default();
    let mut here = Place::Blocked;
    for (_, span) in hop.exchange() {
        here = place(crate::phases::phase_of(hop.timeline, span)).unwrap_or(here);
        if !span.duration().is_zero() {
            *timings.0[here as usize].get_or_insert_default() += span.duration();
        }
    }
    timings
}

const fn place(phase: Phase) -> Option<Place> {
    Some(match phase {
        Phase::Pool => Place::Blocked,
        Phase::Resolve => Place::Dns,
        Phase::Connect | Phase::Tunnel => Place::Connect,
        Phase::Tls => Place::Ssl,
        Phase::Send | Phase::Upload | Phase::Continue => Place::Send,
        Phase::FirstByte | Phase::Head => Place::Wait,
        Phase::Body => Place::Receive,
        Phase::Backoff | Phase::Caller | Phase::Local => return None,
    })
}
