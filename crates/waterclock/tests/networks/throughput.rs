//! A line that carries only so many bytes a second: what the spans say of bytes, held against the packets.

use crate::line::{Line, SERVER};
use crate::place::in_a_network;
use crate::support::{builder, ms, tiles};
use waterclock::timeline::Span;
use waterclock::{Limits, Phase};
use waterclock_lab::{Script, Server, respond};

const BODY: usize = 1_000_000;

/// A megabyte over a megabyte a second. No span has bytes that had not come by its end.
#[test]
fn no_span_has_bytes_before_they_came() {
    in_a_network("throughput::no_span_has_bytes_before_they_came", || {
        let line = Line::start("--delay 0.01 --rate 1000000");
        line.serve(
            8080,
            Server::builder().script(Script::every_request(respond(200, vec![7; BODY]))),
        );
        let session = builder().limits(Limits::total(ms(60_000))).build().unwrap();
        let mut response = session.get(format!("http://{SERVER}:8080/")).send().unwrap();
        let body = response.content().unwrap();
        assert_eq!(body.len(), BODY);
        let capture = line.cut();
        let timeline = response.timeline();
        tiles(timeline);
        // Headers of packets need their time as well.
        assert!(timeline.elapsed() >= ms(1_000), "{:?}", timeline.elapsed());
        let packets: Vec<_> = capture.received().filter(|packet| packet.is_data()).collect();
        let mut received = 0;
        // What is read without a wait belongs to the work after it: so count all from the first byte on.
        let before = |span: &&Span| span.phase != Phase::FirstByte;
        for span in timeline.spans().iter().skip_while(before) {
            received += span.bytes;
            let by_then = packets.iter().filter(|packet| packet.at <= span.ended.after(ms(1)));
            let come: usize = by_then.map(|packet| packet.payload).sum();
            assert!(received <= come as u64, "{received} bytes of {come}: {span:?}");
        }
        assert!(received >= BODY as u64, "{received} bytes are in spans");
    });
}
