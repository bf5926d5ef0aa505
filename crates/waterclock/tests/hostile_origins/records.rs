//! What comes in the place of a handshake, or under it, ends the call at once.

use crate::support::{builder, trust};
use std::time::{Duration, Instant};
use waterclock::ErrorKind;
use waterclock_lab::{Identity, Server, Step, head};

/// Enough for a busy machine, and far less than the 20 s of the session.
const AT_ONCE: Duration = Duration::from_secs(8);

fn alert(code: u8) -> Step {
    Step::send([21, 3, 3, 0, 2, 2, code])
}

/// So many records of no content, as often as the client takes them.
fn flood(record: &[u8]) -> Step {
    Step::Repeat(500, vec![Step::Send(record.repeat(4_000))])
}

fn rows() -> Vec<(&'static str, Step, Step)> {
    let http = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    let garbage = [&[22, 3, 3, 0, 64][..], &[0x41; 64]].concat();
    let long = [&[22, 3, 3, 0xff, 0xff][..], &[0; 65_535]].concat();
    vec![
        ("clear HTTP", Step::send(http), Step::Stall),
        ("a banner", Step::send("SSH-2.0-OpenSSH_9.9\r\n"), Step::Stall),
        ("a mail server", Step::send("220 mail.test ESMTP\r\n"), Step::Stall),
        ("a garbage record", Step::Send(garbage), Step::Stall),
        ("a record of 64 KB", Step::Send(long), Step::Stall),
        ("alert handshake_failure", alert(40), Step::Stall),
        ("alert protocol_version", alert(70), Step::Stall),
        ("alert internal_error", alert(80), Step::Stall),
        ("alert unrecognized_name", alert(112), Step::Stall),
        ("close_notify", Step::send([21, 3, 3, 0, 2, 1, 0]), Step::Stall),
        ("close", Step::send(""), Step::Close),
        ("close in a record", Step::send([22, 3, 3, 0, 100, 2]), Step::Close),
        ("reset", Step::send(""), Step::Reset),
        ("2 million empty records", flood(&[23, 3, 3, 0, 0]), Step::Stall),
        ("2 million empty handshake records", flood(&[22, 3, 3, 0, 0]), Step::Stall),
        ("2 million warnings", flood(&[21, 3, 3, 0, 2, 1, 90]), Step::Stall),
        ("2 million ChangeCipherSpec", flood(&[20, 3, 3, 0, 1, 1]), Step::Stall),
    ]
}

#[test]
fn tls_what_is_no_handshake_ends_at_once() {
    for (case, sent, end) in rows() {
        // The ClientHello's first bytes, so that the answer follows it.
        let server = Server::start(vec![Step::ReadExactly(5), sent, end]).unwrap();
        let session = builder().tls(trust(Identity::new(&["a.test"]).unwrap().ca_pem())).build();
        let begin = Instant::now();
        let url = server.url("/").replace("http:", "https:");
        let error = session.unwrap().get(url).send().expect_err(case);
        assert_eq!(error.kind(), ErrorKind::Tls, "{case}: {error:#}");
        assert!(begin.elapsed() < AT_ONCE, "{case}: {:?}", begin.elapsed());
    }
}

/// The same once data flows: nothing that is not sealed is taken for data, or read for ever.
#[test]
fn tls_records_that_are_not_sealed_end_at_once() {
    let body = head(200, &[("Content-Length", "5")]);
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    for (case, record) in [
        ("empty records", vec![23, 3, 3, 0, 0]),
        ("data in clear", [&[23, 3, 3, 0, 5][..], b"hello"].concat()),
        ("warnings", vec![21, 3, 3, 0, 2, 1, 90]),
        ("an alert in clear", vec![21, 3, 3, 0, 2, 2, 80]),
    ] {
        let steps = vec![
            Step::ReadHead,
            Step::Send(body.clone()),
            Step::SendWire(record.repeat(4_000)),
            Step::Stall,
        ];
        let server = Server::builder().tls(identity.clone()).script(steps).start().unwrap();
        let session = builder().tls(trust(identity.ca_pem())).build().unwrap();
        let begin = Instant::now();
        let result =
            session.get(server.url("/")).send().and_then(|mut response| response.content());
        let error = result.expect_err(case);
        assert_ne!(error.kind(), ErrorKind::Timeout, "{case}: {error:#}");
        assert!(begin.elapsed() < AT_ONCE, "{case}: {:?}", begin.elapsed());
    }
}
