//! What is seen of clients, a line for each event.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use waterclock::Tick;
use waterclock::screen::escape;
use waterclock_lab::Event;

/// Makes lines of events. Times are the program's, and the connection's own.
pub(super) struct Log {
    begin: Tick,
    accepted: Mutex<HashMap<(bool, usize), Tick>>,
}

impl Log {
    pub(super) fn new(now: Tick) -> Self {
        Log { begin: now, accepted: Mutex::default() }
    }

    pub(super) fn line(&self, event: &Event, now: Tick) -> String {
        let (event, of_proxy) = match event {
            Event::OfProxy(event) => (&**event, true),
            event => (event, false),
        };
        let mut accepted = self.accepted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (number, words) = match event {
            Event::Accepted { connection, peer } => {
                accepted.insert((of_proxy, *connection), now);
                let from = peer.map(|peer| format!(" from {peer}")).unwrap_or_default();
                (*connection, format!("accepted{from}"))
            }
            Event::Handshake { connection, completed: true } => (*connection, "TLS ready".into()),
            Event::Handshake { connection, .. } => (*connection, "TLS failed".into()),
            Event::Request { connection, method, target } => {
                (*connection, format!("{} {}", escape(method), escape(target)))
            }
            Event::Closed { connection } => (*connection, "closed".into()),
            // Marks are not nested.
            Event::OfProxy(_) => (0, String::new()),
        };
        let since =
            accepted.get(&(of_proxy, number)).map_or(Duration::ZERO, |then| now.since(*then));
        if matches!(event, Event::Closed { .. }) {
            accepted.remove(&(of_proxy, number));
        }
        let place = if of_proxy { "proxy " } else { "" };
        format!(
            "{:>9.3} s  {place}connection {}  +{:.3} s  {words}\n",
            now.since(self.begin).as_secs_f64(),
            number + 1,
            since.as_secs_f64(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_two_times_and_nothing_dangerous() {
        let at = |ms: u64| Tick::from_nanos(ms * 1_000_000);
        let log = Log::new(at(1_000));
        let accepted = |connection| Event::Accepted { connection, peer: None };
        assert_eq!(
            log.line(&accepted(0), at(1_250)),
            "    0.250 s  connection 1  +0.000 s  accepted\n"
        );
        let of_proxy = Event::OfProxy(Box::new(accepted(0)));
        assert_eq!(
            log.line(&of_proxy, at(1_300)),
            "    0.300 s  proxy connection 1  +0.000 s  accepted\n"
        );
        let request = Event::Request {
            connection: 0,
            method: "GET".to_owned(),
            target: "/\u{1b}[2J".to_owned(),
        };
        assert_eq!(
            log.line(&request, at(1_375)),
            "    0.375 s  connection 1  +0.125 s  GET /\\u{1b}[2J\n"
        );
        assert_eq!(
            log.line(&Event::Closed { connection: 0 }, at(2_000)),
            "    1.000 s  connection 1  +0.750 s  closed\n"
        );
    }
}
