//! What is sent again, and when.

use crate::support::{builder, trusting};
use std::time::Duration;
use waterclock::world::World as _;
use waterclock::{ErrorKind, Limits, RequestSent, Retry, SessionBuilder, Tick};
use waterclock_lab::{Authority, Server, Step, Tls};
use waterclock_sim::{Script, SimWorld};

/// urllib3 counts a TLS error in the middle of an upload as "other", and retries those for every
/// method: the server got four POSTs.
#[test]
fn no_id_post_resent_after_tls_error() {
    let ca = Authority::new().unwrap();
    let server = Server::builder()
        .tls(Tls::new(ca.issue(&["127.0.0.1"]).unwrap()))
        // Some of the body, and then what is no TLS record.
        .script(vec![Step::ReadHead, Step::SendWire(b"no record at all".to_vec()), Step::Stall])
        .receive_buffer(64 * 1024)
        .start()
        .unwrap();
    let session = builder().tls(trusting(&ca)).retry(Retry::new(3)).build().unwrap();
    let error = session.post(server.url("/")).body(vec![b'x'; 20_000_000]).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    assert_ne!(error.request_sent(), RequestSent::No);
    assert!(error.to_string().contains("POST is not retried"), "{error}");
    assert_eq!((server.requests().len(), server.connections()), (1, 1));
    // The very same policy does send what may be sent twice.
    session.put(server.url("/")).body(vec![b'x'; 20_000_000]).send().unwrap_err();
    assert_eq!(server.requests().len(), 1 + 4);
}

/// With `max_retries=3`, a 503 with `Retry-After: 21600` makes requests sleep for six hours, whatever
/// its timeout.
#[test]
fn no_id_retry_after_21600() {
    let world = SimWorld::new();
    world.host("one.test").resolves_to(["192.0.2.1"]);
    let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 21600\r\nContent-Length: 4\r\n\r\nbusy";
    let script = Script::new().repeat(Script::new().expect_head().send(busy));
    world.listen("192.0.2.1:80").serve(script);
    let builder = SessionBuilder::in_world(world.clone()).retry(Retry::new(3));
    let session = builder.limits(Limits::total(Duration::from_secs(2))).build().unwrap();
    let mut response = session.get("http://one.test/").send().unwrap();
    // The answer comes back in the same instant, and says why nothing else was done.
    assert_eq!(world.now(), Tick::ZERO);
    assert_eq!((response.status(), response.text().unwrap().as_str()), (503, "busy"));
    let note = &response.timeline().notes()[0];
    assert!(note.contains("due in 21600 s, but only 2000 ms are left"), "{note}");
}
