//! TLS in pieces: what arrives in several reads is taken in once, and in order.

use crate::bench::{Bench, ORIGIN, Route, SECURE, ms, trusting};
use crate::verify::tiles;
use rustls::version::{TLS12, TLS13};
use waterclock::SessionBuilder;
use waterclock_sim::{Script, TlsServer};

/// A read that found nothing once brought the bytes of the read before it back.
#[test]
fn flights_that_come_one_by_one_are_each_taken_in_once() {
    for (version, handshake) in [(&TLS13, 11), (&TLS12, 11 + 13)] {
        let tls = TlsServer::new([ORIGIN]).versions(&[version]).flight_delays([ms(11), ms(13)]);
        let bench = Bench::new(Route::Https);
        let script = Script::new()
            .expect_head()
            .wait(ms(40))
            .send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
            .drip("secret", 1, ms(10));
        bench.world.listen(SECURE).serve(tls.wrap(script));
        let builder = SessionBuilder::in_world(bench.world.clone());
        let session = builder.tls(trusting([&*tls.root()])).build().unwrap();
        let mut response = bench.get(&session).send().unwrap();
        assert_eq!(response.text().unwrap(), "secret");
        // 3 for the name.
        assert_eq!(response.timeline().elapsed(), ms(3 + handshake + 40 + 50));
        tiles(response.timeline());
    }
}
