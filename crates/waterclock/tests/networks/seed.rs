//! The call that this library was written for, with packets: `timeout=0.12`, and it took longer, without
//! an error.
//!
//! The way is 70 ms there and back. Nothing else is slow: a name, a connection, a handshake and an answer
//! are a round trip each, and a redirect makes it twice as many. No wait reaches 120 ms.

use crate::line::{Line, SERVER};
use crate::place::in_a_network;
use crate::support::{agrees, builder, in_one_of_three, ms, tiles, trust, waits};
use std::time::Duration;
use waterclock::{Limit, Limits, Phase, RequestSent};
use waterclock_lab::{Identity, Script, Server, Step, Tls, Zone, after, redirect, respond};

const APEX: &str = "google.co.kr";
const WWW: &str = "www.google.co.kr";
const LIMIT: Duration = ms(120);
const THERE_AND_BACK: Duration = ms(70);
const THINKS: Duration = ms(10);

/// The site on the other side, and whom to trust for it.
fn site(line: &Line) -> Identity {
    line.names(Zone::new().name(APEX, [SERVER], ms(0)).name(WWW, [SERVER], ms(0)));
    let identity = Identity::new(&[APEX, WWW]).unwrap();
    let answer = Script::by_request(|request| -> Vec<Step> {
        after(
            THINKS,
            match request.header("host") {
                Some(WWW) => respond(200, "<!doctype html>"),
                _ => redirect(301, "https://www.google.co.kr/"),
            },
        )
    });
    line.serve(443, Server::builder().tls(Tls::new(identity.clone())).script(answer));
    identity
}

/// `Session().get("https://google.co.kr", timeout=0.12)`
#[test]
fn no_wait_reaches_the_limit_and_every_wait_ends_with_its_packet() {
    in_a_network("seed::no_wait_reaches_the_limit_and_every_wait_ends_with_its_packet", || {
        in_one_of_three(|| {
            let line = Line::start("--delay 0.035");
            let identity = site(&line);
            let session = builder().tls(trust(identity.ca_pem())).build().unwrap();
            let limits = Limits::requests(Some(LIMIT), Some(LIMIT));
            let sent = session.get(format!("https://{APEX}")).limits(limits).send();
            // On a machine that has no time a limit may fire.
            let mut response = sent.map_err(|error| format!("{error:#}"))?;
            assert_eq!(response.text().unwrap(), "<!doctype html>");
            assert_eq!((response.status(), response.url().host_str()), (200, Some(WWW)));
            let capture = line.cut();

            let timeline = response.timeline();
            tiles(timeline);
            assert_eq!(timeline.hops().len(), 2);
            assert!(timeline.elapsed() >= 8 * THERE_AND_BACK + 2 * THINKS, "{timeline:#?}");
            // Four round trips a hop, in the timeline as on the line.
            let trips = waits(timeline).filter(|span| span.duration() >= THERE_AND_BACK - ms(5));
            let phases: Vec<Phase> = trips.map(|span| span.phase).collect();
            let hop = [Phase::Resolve, Phase::Connect, Phase::Tls, Phase::FirstByte];
            if phases != [hop, hop].concat() {
                return Err(format!("somebody was busy with something else: {phases:?}"));
            }
            // A packet more, where the client was late to go on, or TCP asked again.
            if capture.round_trips() != 8 {
                return Err(format!("{} round trips", capture.round_trips()));
            }
            // And why there was no error.
            let explained = response.explain();
            for part in ["Why did timeout=0.12 not fire?", "No single wait reached 120 ms"] {
                assert!(explained.contains(part), "{part:?} is not in:\n{explained}");
            }
            agrees(timeline, &capture)
        });
    });
}

/// The deadline that its user meant: it ends the call in the second round trip.
#[test]
fn a_total_of_the_same_length_fires_on_time() {
    in_a_network("seed::a_total_of_the_same_length_fires_on_time", || {
        in_one_of_three(|| {
            let line = Line::start("--delay 0.035");
            let identity = site(&line);
            let session = builder().tls(trust(identity.ca_pem())).build().unwrap();
            let request = session.get(format!("https://{APEX}")).limits(Limits::total(LIMIT));
            let error = request.send().unwrap_err();
            let capture = line.cut();

            assert_eq!(error.limit(), Some(Limit::Total), "{error:#}");
            assert_eq!(error.request_sent(), RequestSent::No);
            let timeline = error.timeline().unwrap();
            tiles(timeline);
            assert!(timeline.elapsed() >= LIMIT, "early: {error:#}");
            assert!(capture.sent().all(|packet| packet.udp || packet.payload == 0));
            let late = error.late_by().unwrap();
            if error.phase() != Some(Phase::Connect) || late > ms(10) {
                return Err(format!("{late:?} late: {error:#}"));
            }
            assert_eq!(capture.sent().filter(|packet| packet.is_syn()).count(), 1);
            agrees(timeline, &capture)
        });
    });
}
