//! What a peer says under TLS once hands are shaken: it is data, an end, or the end of the call at once.
//! The peer stays silent then, so that whatever is not decided by what it said would be a timeout.

use crate::sealed::{IDENTITY, Say, VERSIONS, alert, data, message, renews, says};
use crate::support::{builder, trust};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use waterclock::tls::TlsSettings;
use waterclock::{Error, ErrorKind, Limit, Session};
use waterclock_lab::Proxy;

/// Enough for a busy machine: what is decided by what the peer says does not wait for it.
const AT_ONCE: Duration = Duration::from_secs(8);

static TRUSTED: LazyLock<TlsSettings> = LazyLock::new(|| trust(IDENTITY.ca_pem()));

fn session() -> Session {
    builder().tls(TRUSTED.clone()).build().unwrap()
}

/// Through a proxy with TLS of its own: the origin's TLS lies in the proxy's.
fn tunnelled(proxy: &str) -> Session {
    let builder = builder().tls(TRUSTED.clone()).proxy_tls(TRUSTED.clone());
    builder.proxy(proxy).build().unwrap()
}

fn ask(session: &Session, address: SocketAddr) -> Result<String, Error> {
    let url = format!("https://{address}/");
    session.get(url).total(AT_ONCE).send().and_then(|mut response| response.text())
}

/// `hello` by each framing, and where its body begins.
const LENGTH: [&str; 2] = ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello"];
const CHUNKED: [&str; 2] =
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"];
const UNTIL_CLOSE: [&str; 2] = ["HTTP/1.1 200 OK\r\n\r\n", "hello"];

fn ends() -> [(&'static str, Vec<Say>); 6] {
    let close_notify = || alert(1, 0);
    let half = || Say::Cut(12, Box::new(data("more")));
    [
        ("close_notify", vec![close_notify()]),
        ("close_notify, FIN", vec![close_notify(), Say::Fin]),
        ("close_notify, data", vec![close_notify(), data("EVIL")]),
        ("FIN", vec![Say::Fin]),
        ("half a record, FIN", vec![half(), Say::Fin]),
        ("a fatal alert", vec![alert(2, 80)]),
    ]
}

/// What comes of each of [`ends`]: a whole body is `Ok`.
type Outcomes = [Result<(), ErrorKind>; 6];

/// Where the answer stops, and what comes of it.
fn stops() -> Vec<(&'static str, String, Outcomes)> {
    use ErrorKind::{Closed, IncompleteBody, Tls};
    let parts = |parts: [&str; 2], missing: usize| {
        let all = parts.concat();
        all[..all.len() - missing].to_owned()
    };
    let lost = |kind| [Err(kind), Err(kind), Err(kind), Err(kind), Err(kind), Err(Tls)];
    let whole = [Ok(()); 6];
    // Only close_notify ends it: RFC 9112 §9.8.
    let until_close = [Ok(()), Ok(()), Ok(()), Err(IncompleteBody), Err(IncompleteBody), Err(Tls)];
    vec![
        ("nothing", String::new(), lost(Closed)),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-Le".to_owned(), lost(Closed)),
        ("Content-Length, no body", LENGTH[0].to_owned(), lost(IncompleteBody)),
        ("Content-Length, cut", parts(LENGTH, 1), lost(IncompleteBody)),
        ("Content-Length, whole", parts(LENGTH, 0), whole),
        ("chunked, no body", CHUNKED[0].to_owned(), lost(IncompleteBody)),
        ("chunked, without a last chunk", parts(CHUNKED, 5), lost(IncompleteBody)),
        ("chunked, whole", parts(CHUNKED, 0), whole),
        ("until close", parts(UNTIL_CLOSE, 0), until_close),
    ]
}

/// The same in one segment, and FIN behind it only where it was said.
fn at_one_go(mut lines: Vec<Say>) -> Vec<Say> {
    let fin = lines.pop_if(|last| matches!(last, Say::Fin));
    [Say::All(lines)].into_iter().chain(fin).collect()
}

/// Directly, and in a tunnel through a proxy with TLS of its own, where only the inner ends count. What is
/// said comes at one go or bit by bit, which makes no difference.
#[test]
fn tls_each_end_behind_each_part_of_an_answer() {
    let proxy = Proxy::builder().tls(IDENTITY.clone()).start().unwrap();
    let mut wrong = Vec::new();
    for (way, session) in [("direct", session()), ("tunnel", tunnelled(&proxy.url()))] {
        for version in VERSIONS {
            for (stop, text, wanted) in stops() {
                for ((end, lines), want) in ends().into_iter().zip(wanted) {
                    let said = if text.is_empty() { None } else { Some(data(&text)) };
                    let lines: Vec<Say> = said.into_iter().chain(lines).collect();
                    let together = at_one_go(lines.clone());
                    let begin = Instant::now();
                    let bits = ask(&session, says(version, lines)).map_err(|error| error.kind());
                    let result =
                        ask(&session, says(version, together)).map_err(|error| error.kind());
                    let want = want.map(|()| "hello".to_owned());
                    if (&bits, &result) != (&want, &want) {
                        let took = begin.elapsed();
                        wrong.push(format!("{way}, {stop}, {end}, {version:?}: {bits:?}, at one go {result:?}, {took:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// New keys in the middle of an answer are taken up; hundreds in a row have no reason.
#[test]
fn tls_new_keys_in_the_middle_of_an_answer() {
    for (times, want) in [(1, Ok("hello".to_owned())), (500, Err(ErrorKind::Tls))] {
        let result = ask(&session(), renews(LENGTH, times));
        assert_eq!(result.map_err(|error| error.kind()), want, "{times}");
    }
}

/// A session ticket of TLS 1.3 (RFC 8446 §4.6.1).
fn ticket(lifetime: u32, length: u16) -> Say {
    let content = [
        &lifetime.to_be_bytes()[..],
        &[0, 0, 0, 0, 1, 7],
        &length.to_be_bytes(),
        &vec![0x41; length.into()],
        &[0, 0],
    ];
    let content = content.concat();
    if content.len() < 16_000 {
        return message(4, &content);
    }
    // More than a record may hold.
    let Say::Sealed(kind, bytes) = message(4, &content) else { return data("") };
    Say::All(bytes.chunks(16_000).map(|piece| Say::Sealed(kind, piece.to_vec())).collect())
}

/// What is no part of an answer, and whether it is taken by TLS 1.2 and by 1.3. What is not taken ends
/// the call with `tls`.
fn strange() -> Vec<(&'static str, Say, [bool; 2])> {
    let times = |count, say| Say::Times(count, Box::new(say));
    let none = || Say::Sealed(23, vec![b'x'; 16_385]);
    let unsealed = |length: u16| {
        let header = [&[23, 3, 3][..], &length.to_be_bytes()].concat();
        Say::Wire([header, vec![0; length.into()]].concat())
    };
    vec![
        ("nothing", times(0, data("")), [true, true]),
        ("an empty record", data(""), [true, true]),
        ("a thousand empty records", times(1_000, data("")), [false, false]),
        ("a byte more than a record may have", none(), [false, false]),
        ("60,000 bytes in a record", Say::Sealed(23, vec![b'x'; 60_000]), [false, false]),
        ("a header that promises 65,535 bytes", Say::Wire(vec![23, 3, 3, 255, 255]), [false; 2]),
        ("a long record that is not sealed", unsealed(16_640), [false, false]),
        ("a short record that is not sealed", unsealed(3), [false, false]),
        ("a record of another version", Say::Wire(vec![23, 9, 9, 0, 1, 0]), [false, false]),
        ("a type that there is not", Say::Sealed(24, vec![1, 0, 0]), [false, false]),
        ("padding and no type", Say::Sealed(0, vec![0; 100]), [false, false]),
        ("ChangeCipherSpec, sealed", Say::Sealed(20, vec![1]), [false, false]),
        ("ChangeCipherSpec", Say::Wire(vec![20, 3, 3, 0, 1, 1]), [false, false]),
        ("a fatal alert", alert(2, 80), [false, false]),
        ("an alert that there is not", alert(2, 255), [false, false]),
        ("an alert of a third level", alert(3, 80), [false, false]),
        ("half an alert", Say::Sealed(21, vec![2]), [false, false]),
        ("two alerts in one", Say::Sealed(21, vec![1, 90, 1, 90]), [false, false]),
        ("a warning", alert(1, 112), [true, false]),
        ("user_canceled", alert(1, 90), [true, true]),
        ("five of them", times(5, alert(1, 90)), [false, false]),
        ("a renegotiation asked for", message(0, &[]), [true, false]),
        ("asked for twice", times(2, message(0, &[])), [false, false]),
        ("a ClientHello", message(1, &[3; 40]), [false, false]),
        ("a ServerHello", message(2, &[3; 40]), [false, false]),
        ("a certificate", message(11, &[0, 0, 0, 0]), [false, false]),
        ("a client's certificate asked for", message(13, &[0, 0, 0]), [false, false]),
        ("a second Finished", message(20, &[0; 32]), [false, false]),
        ("a message that there is not", message(99, &[0; 8]), [false, false]),
        ("a message of 16 MB", Say::Sealed(22, vec![4, 255, 255, 255, 0]), [false, false]),
        (
            "data within a message",
            Say::All(vec![Say::Sealed(22, vec![4, 0, 0, 9, 0]), data("x")]),
            [false, false],
        ),
        ("new keys that are not used", message(24, &[0]), [false, false]),
        ("new keys, asked for wrongly", message(24, &[7]), [false, false]),
        ("new keys, and more", message(24, &[0, 0]), [false, false]),
        ("a ticket", ticket(3_600, 200), [false, true]),
        ("a ticket for no time", ticket(0, 200), [false, true]),
        ("a ticket for 136 years", ticket(u32::MAX, 200), [false, true]),
        ("a ticket of 60,000 bytes", ticket(3_600, 60_000), [false, true]),
        ("half a ticket", message(4, &[0, 0, 14, 16, 0]), [false, false]),
        ("a thousand tickets", times(1_000, ticket(3_600, 200)), [false, true]),
    ]
}

/// Before the head, and between head and body; directly, and in TLS within TLS.
#[test]
fn tls_strange_records_are_passed_over_or_end_the_call() {
    let proxy = Proxy::builder().tls(IDENTITY.clone()).start().unwrap();
    let mut wrong = Vec::new();
    for (way, session) in [("direct", session()), ("tunnel", tunnelled(&proxy.url()))] {
        for (at, version) in VERSIONS.into_iter().enumerate() {
            for (case, say, taken) in strange() {
                for place in 0..2 {
                    let mut lines = LENGTH.map(data).to_vec();
                    lines.insert(place, say.clone());
                    let result = ask(&session, says(version, lines)).map_err(|error| error.kind());
                    let wanted =
                        if taken[at] { Ok("hello".to_owned()) } else { Err(ErrorKind::Tls) };
                    if result != wanted {
                        wrong.push(format!("{way}, {case}, {place}, {version:?}: {result:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What says nothing, as fast as it is read.
fn nothings() -> [(&'static str, Say); 3] {
    let always = |say| Say::Always(Box::new(say));
    [
        ("empty records", always(data(""))),
        ("tickets", always(ticket(9, 9))),
        ("fragments", always(Say::Sealed(22, vec![]))),
    ]
}

/// A limit is met, or the peer is refused.
fn meets_total(session: &Session, url: &str, case: &str) {
    const TOTAL: Duration = Duration::from_millis(200);
    const LATE: Duration = Duration::from_millis(800);
    let begin = Instant::now();
    let result = session.get(url).total(TOTAL).send().and_then(|mut response| response.text());
    let (error, took) = (result.expect_err(case), begin.elapsed());
    let total = error.limit() == Some(Limit::Total) && took >= TOTAL;
    assert!(total || error.kind() == ErrorKind::Tls, "{case}: {error:#}");
    assert!(took < TOTAL + LATE, "{case}: {took:?}");
}

#[test]
fn tls_records_that_say_nothing_for_ever_meet_total() {
    let proxy = Proxy::builder().tls(IDENTITY.clone()).start().unwrap();
    for version in VERSIONS {
        for (case, say) in nothings() {
            for place in 0..2 {
                let mut lines = LENGTH.map(data).to_vec();
                lines.insert(place, say.clone());
                let url = format!("https://{}/", says(version, lines));
                let case = format!("{case}, {place}, {version:?}");
                meets_total(&session(), &url, &case);
                meets_total(&tunnelled(&proxy.url()), &url, &format!("tunnel, {case}"));
            }
        }
    }
}

/// The proxy's own TLS, around the handshake with an origin that it does not let through.
#[test]
fn tls_of_a_proxy_that_says_nothing_for_ever_meets_total() {
    for version in VERSIONS {
        for (case, say) in nothings() {
            for opened in [true, false] {
                let open = opened.then(|| data("HTTP/1.1 200 OK\r\n\r\n"));
                let lines = open.into_iter().chain([say.clone()]).collect();
                let session = tunnelled(&format!("https://{}", says(version, lines)));
                let case = format!("{case}, opened {opened}, {version:?}");
                meets_total(&session, "https://origin.test/", &case);
            }
        }
    }
}

/// A ticket that somebody planted is offered, and opens nothing: hands are shaken in full again.
#[test]
fn tls_a_planted_ticket_opens_nothing() {
    for length in [1, 200, 60_000] {
        let lines = [vec![ticket(3_600, length)], LENGTH.map(data).to_vec(), vec![Say::Fin]];
        let url = format!("https://{}/", says(VERSIONS[1], lines.concat()));
        let session = session();
        for connection in 1..4 {
            let mut response = session.get(&url).send().unwrap();
            assert_eq!(response.text().unwrap(), "hello");
            let info = response.connection().unwrap();
            assert_eq!(info.number, connection, "{length}");
            assert!(!info.tls.as_ref().unwrap().resumed, "{length}");
        }
    }
}
