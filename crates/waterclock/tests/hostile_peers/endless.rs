//! Whatever a peer sends without end is refused at the cap of that part, and is never all kept.

use crate::peak;
use crate::support::{
    AT_ONCE, BOTH, again, alone, builder, fetch, is_alone, ms, passed, served, served_by, timed,
    trust,
};
use std::time::Duration;
use waterclock::{Caps, Error, ErrorKind, Limit, Limits, Request};
use waterclock_lab::{Identity, Server, Step, respond};

/// What a call may take on top, whatever it is sent.
const MOST: u64 = 2 << 20;

const HEAD: &str = "head is larger than 65536 bytes";
const FIELDS: &str = "more than 256 header fields";
const INTERIM: &str = "more than 32 interim (1xx) responses";
const LINE: &str = "chunk line is longer than 4096 bytes";
/// The one that would end.
const FINITE: &str = "body of 50 MB";
const TRAILERS: &str = "trailer section is larger than 16384 bytes";
const BODY: &str = "body is larger than 131072 bytes";

/// A case, how the answer begins, what then comes for ever, and the cap that refuses it.
type Row = (&'static str, String, String, &'static str);

fn rows() -> Vec<Row> {
    let begin = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}");
    let chunked = |body: &str| begin(&format!("Transfer-Encoding: chunked\r\n\r\n{body}"));
    let long = "x".repeat(1_000);
    let rows = [
        ("status line", "HTTP/1.1 200 ".to_owned(), "x", HEAD),
        ("name", begin(""), "x", HEAD),
        ("value", begin("a: "), "x", HEAD),
        ("white space in a value", begin("a: "), " ", HEAD),
        ("folded value", begin("a: b"), "\r\n c", FIELDS),
        ("short fields", begin(""), "a: b\r\n", FIELDS),
        ("long fields", begin(""), &format!("a: {long}\r\n"), HEAD),
        ("cookies", begin(""), "Set-Cookie: a=b\r\n", FIELDS),
        ("100", String::new(), "HTTP/1.1 100 Continue\r\n\r\n", INTERIM),
        ("103", String::new(), "HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n", INTERIM),
        ("fields of a 103", "HTTP/1.1 103 Hints\r\n".to_owned(), "a: b\r\n", FIELDS),
        ("chunk size", chunked(""), "0", LINE),
        ("chunk extension", chunked("5;"), "a", LINE),
        ("chunk extensions", chunked(""), &format!("1;{long}\r\nx\r\n"), "chunk extensions"),
        ("trailer", chunked("0\r\na: "), "x", TRAILERS),
        ("trailers", chunked("0\r\n"), "a: b\r\n", TRAILERS),
        ("body until the end", begin("\r\n"), "x", BODY),
        ("body in chunks", chunked(""), "5\r\nhello\r\n", BODY),
        ("body in single bytes", chunked(""), "1\r\nx\r\n", BODY),
        (FINITE, begin("Content-Length: 50000000\r\n\r\n"), "x", BODY),
        ("body of 2^64 - 1", begin("Content-Length: 18446744073709551615\r\n\r\n"), "x", BODY),
        ("chunk of 2^64 - 1", chunked("ffffffffffffffff\r\n"), "x", BODY),
    ];
    rows.map(|(case, begin, repeated, cap)| (case, begin, repeated.to_owned(), cap)).into()
}

/// Runs `work` in a process of its own, for each row in clear and over TLS, and looks at the memory that
/// it takes.
fn each(test: &str, rows: &[Row], caps: Caps, work: impl Fn(Request<'_>, &Row)) {
    if !alone(test, "true") {
        return;
    }
    for secure in BOTH {
        // Whatever is made once is made before.
        let (server, session) = served(secure, respond(200, "ok"));
        fetch(session.get(server.url("/"))).unwrap();
        for row in rows {
            let (case, begin, repeated, _) = row;
            let sending = Step::send(repeated.repeat((64 << 10) / repeated.len()));
            let steps = vec![Step::ReadHead, Step::send(&**begin), Step::Loop(vec![sending])];
            let (server, builder) = served_by(secure, Server::builder().script(steps));
            let session = builder.caps(caps).build().unwrap();
            let grown = peak::grown_by(|| work(session.get(server.url("/")), row));
            assert!(grown < MOST, "{case}, TLS {secure}: {grown} bytes");
        }
    }
}

#[test]
fn what_never_ends_is_refused_at_its_cap() {
    let caps = Caps { body_bytes: 128 << 10, ..Caps::default() };
    let test = "endless::what_never_ends_is_refused_at_its_cap";
    each(test, &rows(), caps, |request, (case, .., cap)| {
        let (result, took) = timed(|| fetch(request));
        let error = result.expect_err(case);
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{case}: {error:#}");
        assert!(error.to_string().contains(cap), "{case}: {error}");
        assert!(took < AT_ONCE * 4, "{case}: {took:?}");
    });
}

/// Who has no cap for the body has `total`, and keeps what the caller keeps.
#[test]
fn a_body_that_never_ends_meets_total() {
    const TOTAL: Duration = ms(150);
    let rows: Vec<Row> =
        rows().into_iter().filter(|row| row.3 == BODY && row.0 != FINITE).collect();
    let test = "endless::a_body_that_never_ends_meets_total";
    each(test, &rows, Caps::default(), |request, (case, ..)| {
        let limits = Limits::total(TOTAL);
        let (end, took) = timed(|| {
            // On a machine that is busy enough the head may not come in time either.
            let mut response = request.limits(limits).send()?;
            let mut piece = vec![0; 16 << 10];
            while response.read_body(&mut piece)? > 0 {}
            Ok::<(), Error>(())
        });
        let error = end.expect_err(case);
        assert_eq!(error.limit(), Some(Limit::Total), "{case}: {error:#}");
        assert!(took >= TOTAL && took < TOTAL + AT_ONCE, "{case}: {took:?}");
    });
}

/// What a redirect says besides is not read through, or 30 of them would cost 30 such bodies. The server is
/// in another process than the client, as its 31 connections take more memory than the client may.
#[test]
fn bodies_of_redirects_that_never_end_are_left() {
    const NAME: &str = "endless::bodies_of_redirects_that_never_end_are_left";
    if is_alone() {
        return follow(&std::env::var("URL").unwrap(), &std::env::var("CA").unwrap());
    }
    let begin = "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n";
    let sending = Step::Loop(vec![Step::send([b'x'; 64 << 10])]);
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    for secure in BOTH {
        let script = vec![Step::ReadHead, Step::send(begin), sending.clone()];
        let mut server = Server::builder().script(script);
        if secure {
            server = server.tls(identity.clone());
        }
        let server = server.start().unwrap();
        let mut command = again(NAME, "true");
        command.env("URL", server.url("/")).env("CA", identity.ca_pem());
        passed(&command.output().unwrap());
        assert_eq!(server.connections(), 2 * 31, "each is left with its connection");
    }
}

fn follow(url: &str, ca_pem: &str) {
    let session = builder().tls(trust(ca_pem)).build().unwrap();
    // Whatever is made once is made before, and read into memory.
    fetch(session.get(url)).unwrap_err();
    let mut result = None;
    let grown = peak::grown_by(|| result = Some(timed(|| fetch(session.get(url)))));
    let (result, took) = result.unwrap();
    assert_eq!(result.unwrap_err().kind(), ErrorKind::TooManyRedirects);
    assert!(took < AT_ONCE * 4, "{took:?}");
    // The history has what was read of each.
    let history = 30 * (64 << 10);
    assert!(grown < history + MOST, "{grown} bytes");
}
