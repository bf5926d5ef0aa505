//! Whom a listener serves, who waits for it, and who is not let in.

use crate::connection::Seat;
use crate::net::{ConnEvent, Event, Id, Net};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::Duration;
use waterclock_proto::tick::Tick;

/// How often a system asks to be connected before it gives up (Linux: `tcp_syn_retries` is 6).
const MOST_SYNS: u32 = 7;

/// The connections to one address.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    served: usize,
    queue: VecDeque<Id>,
}

impl Net {
    /// A connect has come to the listener, for the so many-th time. When the client will know, if it
    /// is let in.
    pub(crate) fn knock(&mut self, id: Id, times: u32) -> Option<Tick> {
        let conn = self.connections.get_mut(&id)?;
        let room = self.places.get(&conn.to).map(|place| (place.workers, place.backlog));
        let (workers, backlog) = room.unwrap_or((usize::MAX, usize::MAX));
        let crowd = self.crowds.entry(conn.to.clone()).or_default();
        if crowd.served < workers {
            crowd.served += 1;
            conn.seat = Seat::Served;
        } else if crowd.queue.len() < backlog {
            crowd.queue.push_back(id);
            conn.seat = Seat::Queued;
        } else {
            self.ask_again(id, times);
            return None;
        }
        let (answered, [_, to_client]) = (self.now.after(conn.delay), &mut conn.lanes);
        to_client.greet(answered, &mut self.chance)
    }

    /// The client's system asks again a second later, then two, then four.
    fn ask_again(&mut self, id: Id, times: u32) {
        let Some(conn) = self.connections.get_mut(&id) else { return };
        let again = conn.opened.after(Duration::from_secs((1 << times) - 1));
        if times == MOST_SYNS {
            let failed = ConnEvent::Answered(Err(ErrorKind::TimedOut));
            return self.plan(again, Event::At(id, failed));
        }
        let [to_peer, _] = &mut conn.lanes;
        if let Some(at) = to_peer.greet(again, &mut self.chance) {
            self.plan(at, Event::At(id, ConnEvent::Syn(times + 1)));
        }
    }

    /// A connection is over, as the peer sees it: the next one in the backlog is served.
    pub(crate) fn leave(&mut self, id: Id) {
        let Some(conn) = self.connections.get_mut(&id) else { return };
        let seat = std::mem::replace(&mut conn.seat, Seat::None);
        let Some(crowd) = self.crowds.get_mut(&conn.to) else { return };
        match seat {
            Seat::None => return,
            Seat::Queued => return crowd.queue.retain(|queued| *queued != id),
            Seat::Served => crowd.served -= 1,
        }
        let Some(next) = crowd.queue.pop_front() else { return };
        crowd.served += 1;
        let now = self.now;
        if let Some(conn) = self.connections.get_mut(&next) {
            conn.seat = Seat::Served;
            if conn.arrived {
                self.plan(now, Event::At(next, ConnEvent::Accepted));
            }
        }
    }
}
