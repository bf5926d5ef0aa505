//! A little at a time: a body in 20,000 pieces is read right, and a byte each 50 ms keeps no call alive
//! beyond `total`, whatever the bytes are.

use crate::support::{AT_ONCE, BOTH, builder, fetch, ms, served, timed, trust};
use std::time::Duration;
use waterclock::tls::TlsSettings;
use waterclock::{Limit, Limits, Phase};
use waterclock_lab::{Identity, Script, Server, Step, chunk, head};

const EVERY: Duration = ms(50);
/// The second one if the machine was too busy for the server to get as far in the first.
const TOTALS: [Duration; 2] = [ms(230), ms(1_000)];

#[test]
fn twenty_thousand_chunks_of_a_byte() {
    let body: Vec<u8> = (0..20_000_u32).map(|number| (number % 251) as u8).collect();
    let chunks: Vec<u8> = body.chunks(1).flat_map(chunk).collect();
    let head = head(200, &[("Transfer-Encoding", "chunked")]);
    let whole = [&head[..], &chunks, b"0\r\n\r\n"].concat();
    for secure in BOTH {
        let (server, session) = served(secure, Script::every_request([Step::send(&*whole)]));
        for _ in 0..2 {
            let (result, took) = timed(|| fetch(session.get(server.url("/"))));
            assert!(result.unwrap() == body, "another body, TLS {secure}");
            assert!(took < AT_ONCE * 4, "{took:?}");
        }
        assert_eq!(server.connections(), 1);
    }
}

/// A case, what is dripped behind what has been sent, what the call waits for then, and by which way.
type Row = (&'static str, &'static str, Vec<u8>, Vec<u8>, Phase);

fn rows() -> Vec<Row> {
    // One record that is a whole ServerHello, if it ever is whole.
    let hello = [&[22, 3, 3, 0x3e, 0x80, 2, 0, 0x3e, 0x7c][..], &[3; 16_000]].concat();
    let field = b"a: bcdefghijklmnop\r\n".repeat(10);
    let status = &b"HTTP/1.1 200 OK\r\n"[..];
    let length = head(200, &[("Content-Length", "100")]);
    let chunked = head(200, &[("Transfer-Encoding", "chunked")]);
    let text = b"x".repeat(100);
    vec![
        ("a handshake", "https", vec![], hello.clone(), Phase::Tls),
        ("a status line", "http", vec![], b"HTTP/1.1 200 abcdefghijklmnopq".to_vec(), Phase::Head),
        ("a head", "http", status.to_vec(), field.clone(), Phase::Head),
        ("a body with a length", "http", length, text.clone(), Phase::Body),
        ("a body in chunks", "http", chunked, b"1\r\nx\r\n".repeat(20), Phase::Body),
        ("a proxy's answer", "proxy", status.to_vec(), field, Phase::Tunnel),
        ("a handshake behind a proxy", "proxy", [status, b"\r\n"].concat(), hello, Phase::Tls),
    ]
}

#[test]
fn a_drip_meets_total() {
    // Not the system's roots: they take longer to read than a call may take here.
    let trusted = trust(Identity::new(&["shop.test"]).unwrap().ca_pem());
    for row in rows() {
        let (case, .., phase) = &row;
        let met = TOTALS.iter().any(|&total| drip(&row, &trusted, total) == Some(*phase));
        assert!(met, "{case}: never in {phase:?}");
    }
}

/// One call to a server that drips: where it met its `total`.
fn drip(row: &Row, trusted: &TlsSettings, total: Duration) -> Option<Phase> {
    let (case, way, begin, dripped, phase) = row;
    let first = if *way == "https" { Step::ReadExactly(5) } else { Step::ReadHead };
    let drip = Step::drip(dripped.clone(), 1, EVERY);
    let mut steps = vec![first, Step::send(begin.clone()), drip, Step::Stall];
    if *way == "proxy" && *phase == Phase::Tls {
        steps.insert(2, Step::ReadExactly(5)); // what came sooner would be no answer to it
    }
    let server = Server::start(steps).unwrap();
    let settings = builder().tls(trusted.clone()).limits(Limits::total(total));
    let (settings, url) = match *way {
        "proxy" => (settings.proxy(&server.url("")), "https://shop.test/".to_owned()),
        scheme => (settings, server.url("/").replace("http:", &format!("{scheme}:"))),
    };
    let session = settings.build().unwrap();
    let (result, took) = timed(|| fetch(session.get(url)));
    let error = result.expect_err(case);
    assert_eq!(error.limit(), Some(Limit::Total), "{case}: {error:#}");
    assert!(took >= total && took < total + AT_ONCE, "{case}: {took:?}");
    error.phase()
}
