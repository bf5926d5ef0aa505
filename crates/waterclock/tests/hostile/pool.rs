//! Table C: bytes that belong to no response, in the three places where they can lie: the parser's buffer,
//! TLS, and the socket, both when the connection goes back and when it is taken again.
//!
//! Two requests, one session: the second must get its own answer. No test here depends on time: where
//! bytes have to be in our socket, the kernel is asked until they are.

use crate::support::{
    BOTH, builder, fetch, ms, queued, served, served_by, until, wait_queued, wait_settled,
};
use waterclock::{ErrorKind, Limits, Method, RedirectPolicy, Response, Session};
use waterclock_lab::{Script, Server, Step, respond};

/// What a peer plants.
const EVIL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";

/// Well-formed answers, by name and method: each ends otherwise.
const ANSWERS: [(&str, Method, &str); 8] = [
    ("CL 5", Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    ("CL 0", Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    (
        "chunked",
        Method::Get,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    ("204", Method::Get, "HTTP/1.1 204 No Content\r\n\r\n"),
    ("304", Method::Get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    ("302", Method::Get, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nhi"),
    ("HEAD", Method::Head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    ("chunked HEAD", Method::Head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
];

/// Bytes that nobody has asked for.
const STRAYS: [(&str, &str); 8] = [
    ("a response", EVIL),
    ("HTML", "<html>no</html>"),
    ("one byte", "x"),
    ("a 103", "HTTP/1.1 103 Early Hints\r\n\r\n"),
    ("a 100", "HTTP/1.1 100 Continue\r\n\r\n"),
    ("a 408", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nEVIL"),
    ("a last chunk", "0\r\n\r\n"),
    ("a body", "hello"),
];

/// Each answer with each stray; over TLS, where connections are dear, each with the first of the others.
fn each_stray(mut check: impl FnMut(bool, &Method, &str, &str, &str)) {
    for secure in BOTH {
        for (at, (name, method, text)) in ANSWERS.iter().enumerate() {
            for (what, stray) in STRAYS.iter().take(if secure && at > 0 { 1 } else { STRAYS.len() })
            {
                let case = format!("{what} after {name}, TLS: {secure}");
                check(secure, method, text, stray, &case);
            }
        }
    }
}

/// `first` on the first connection, which then answers `same` to whatever it is asked; `other` elsewhere.
fn script(first: Vec<Step>) -> Script {
    let first = [vec![Step::ReadHead], first, vec![Step::ReadHead], respond(200, "same")].concat();
    Script::by_connection(move |number| match number {
        0 => Script::steps([first.clone(), vec![Step::Stall]].concat()),
        _ => Script::every_request(respond(200, "other")),
    })
}

fn ask(session: &Session, server: &Server, method: Method) -> Response {
    let request = session.request(method, server.url("/first")).redirects(RedirectPolicy::none());
    request.send().unwrap()
}

/// What a second request gets.
fn second(session: &Session, server: &Server) -> String {
    String::from_utf8(fetch(session.get(server.url("/second"))).unwrap()).unwrap()
}

fn local(response: &Response) -> std::net::SocketAddr {
    response.connection().unwrap().local_address.unwrap()
}

#[test]
fn a_well_formed_answer_leaves_its_connection() {
    for secure in BOTH {
        for (name, method, text) in ANSWERS {
            let (server, session) = served(secure, script(vec![Step::send(text)]));
            ask(&session, &server, method).content().unwrap();
            assert_eq!(second(&session, &server), "same", "{name}, TLS: {secure}");
        }
    }
}

/// One segment and, over TLS, one record: what follows lies in the parser's buffer.
#[test]
fn planted_in_the_parser() {
    for_each_stray(|text, stray| Step::Send([text, stray].concat().into()));
}

/// One segment and two records: what follows lies in TLS, taken out of the socket already.
#[test]
fn planted_in_tls() {
    for_each_stray(|text, stray| Step::SendTogether(vec![text.into(), stray.into()]));
}

fn for_each_stray(send: impl Fn(&str, &str) -> Step) {
    each_stray(|secure, method, text, stray, case| {
        let (server, session) = served(secure, script(vec![send(text, stray)]));
        let mut response = ask(&session, &server, method.clone());
        let local = local(&response);
        response.content().unwrap();
        assert_eq!(queued(local), None, "not closed on return: {case}");
        assert_eq!(second(&session, &server), "other", "{case}");
    });
}

/// Half a record of something lies behind the answer: nothing to read yet, and no good end either.
#[test]
fn planted_half_a_record() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let half = [text.as_bytes(), &[23, 3, 3, 0, 60, 1, 2, 3]];
    let wire = vec![Step::SendTogether(vec![half[0].into()]), Step::SendWire(half[1].into())];
    let (server, session) = served(true, script(wire));
    let mut response = ask(&session, &server, Method::Get);
    let local = local(&response);
    response.content().unwrap();
    // It came with the answer, or lies in the socket.
    until("the rest", || (queued(local).is_none_or(|count| count == 8)).then_some(()));
    assert_eq!(second(&session, &server), "other");
}

/// The body ends where a read ends, and what follows it stays in the socket: looked at on return.
#[test]
fn planted_in_the_socket_behind_a_body() {
    for secure in BOTH {
        for size in [20_000, 32_768, 60_000] {
            for by in [size, 4_096, 10_000] {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
                let body = ["x".repeat(size).as_bytes(), EVIL.as_bytes()].concat();
                let steps = vec![Step::send(head), Step::sleep_ms(5), Step::Send(body)];
                let (server, session) = served(secure, script(steps));
                let mut response = ask(&session, &server, Method::Get);
                // All of it has arrived before the body is read.
                let local = local(&response);
                wait_settled(local);
                let (mut piece, mut count) = (vec![0; by], 0);
                while count < size {
                    let most = by.min(size - count);
                    count += response.read_full(&mut piece[..most]).unwrap();
                }
                let case = format!("{size} by {by}, TLS: {secure}");
                assert_eq!(queued(local), None, "not closed on return: {case}");
                assert_eq!(second(&session, &server), "other", "{case}");
            }
        }
    }
}

/// What comes while the connection is idle is seen when it is to be used again.
#[test]
fn planted_in_the_socket_while_idle() {
    each_stray(|secure, method, text, stray, case| {
        let steps = vec![Step::send(text), Step::sleep_ms(2), Step::send(stray)];
        let (server, session) = served(secure, script(steps));
        let mut response = ask(&session, &server, method.clone());
        let local = local(&response);
        response.content().unwrap();
        wait_queued(local, 1);
        assert_eq!(second(&session, &server), "other", "{case}");
    });
}

/// A stray CRLF is the one thing that RFC 9112 §9.2 lets pass: a new connection is made all the same.
#[test]
fn a_stray_crlf_does_no_harm() {
    for secure in BOTH {
        for steps in [
            vec![Step::send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\r\n")],
            [respond(200, "hello"), vec![Step::sleep_ms(2), Step::send("\r\n")]].concat(),
        ] {
            let (server, session) = served(secure, script(steps));
            let mut response = ask(&session, &server, Method::Get);
            let local = local(&response);
            response.content().unwrap();
            wait_queued(local, 1);
            assert_eq!(second(&session, &server), "other", "TLS: {secure}");
        }
    }
}

/// Urgent data makes a read stop short, so that the socket looks empty when it is not. Seen at checkout.
#[test]
fn planted_behind_urgent_data() {
    let steps = vec![
        Step::send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        Step::sleep_ms(5),
        Step::send("hello"),
        Step::SendUrgent(b'!'),
        Step::send(EVIL),
    ];
    let (server, session) = served(false, script(steps));
    let mut response = ask(&session, &server, Method::Get);
    let local = local(&response);
    wait_queued(local, 5 + EVIL.len());
    response.content().unwrap();
    assert_eq!(second(&session, &server), "other");
}

/// The peer says goodbye while the connection is idle: a new one, and nobody notices, POST or GET.
#[test]
fn an_end_while_idle_is_no_error() {
    let ends: [(&str, Step); 4] = [
        ("FIN", Step::CloseWithoutNotify),
        ("RST", Step::Reset),
        ("close_notify and FIN", Step::Close),
        ("a goodbye that stays open", Step::HalfClose),
    ];
    for secure in BOTH {
        for method in [Method::Get, Method::Post] {
            for (name, end) in &ends {
                let steps = [respond(200, "hello"), vec![Step::sleep_ms(2), end.clone()]].concat();
                let (server, session) = served(secure, script(steps));
                let mut response = ask(&session, &server, Method::Get);
                let local = local(&response);
                response.content().unwrap();
                wait_queued(local, 1);
                let answer = fetch(session.request(method.clone(), server.url("/second"))).unwrap();
                assert_eq!(answer, b"other", "{name}, {method}, TLS: {secure}");
                assert_eq!(server.requests().len(), 2);
            }
        }
    }
}

/// The second request was read, and then: nothing, or half a status line.
#[test]
fn what_is_sent_again_and_what_is_not() {
    let silent = ("no byte", vec![Step::Close]);
    let half = ("half a status line", vec![Step::send("HTTP/1.1 2"), Step::Close]);
    // What was done, and then how often it may arrive and what comes of it.
    let rows = [
        (&silent, Method::Get, 2, None),
        (&silent, Method::Post, 1, Some(ErrorKind::Closed)),
        (&half, Method::Get, 1, Some(ErrorKind::Closed)),
        (&half, Method::Post, 1, Some(ErrorKind::Closed)),
    ];
    for secure in BOTH {
        for ((name, end), method, times, kind) in &rows {
            let steps = [respond(200, "hello"), vec![Step::ReadHead], end.clone()].concat();
            let (server, session) = served(secure, script(steps));
            ask(&session, &server, Method::Get).content().unwrap();
            let result = fetch(session.request(method.clone(), server.url("/second")));
            let case = format!("{name}, {method}, TLS: {secure}: {result:?}");
            assert_eq!(result.err().map(|error| error.kind()), *kind, "{case}");
            let sent = server.requests().iter().filter(|one| one.target == "/second").count();
            assert_eq!(sent, *times, "{case}");
        }
    }
}

/// Answers that end their connection, by what they say or by how they end.
#[test]
fn what_ends_a_connection() {
    let body = "Content-Length: 5\r\n\r\nhello";
    let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let rows = [
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nConnection: Foo, CLOSE\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\n{body}"),
        format!("HTTP/1.0 200 OK\r\n{body}"),
        format!("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{chunks}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n{chunks}"),
        "HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nG\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Le".to_owned(),
    ];
    for secure in BOTH {
        for text in &rows {
            let (server, session) = served(secure, script(vec![Step::send(text.as_str())]));
            // Whether it is an error is for other tables to say.
            let _ = fetch(session.get(server.url("/first")).total(ms(150)));
            assert_eq!(second(&session, &server), "other", "{text:?}, TLS: {secure}");
        }
    }
}

/// A body that nobody reads, and that looks like an answer.
#[test]
fn an_unread_body_is_nobodys_answer() {
    for secure in BOTH {
        for size in [0, 70_000] {
            let body = [EVIL.as_bytes(), "x".repeat(size).as_bytes()].concat();
            let (server, session) = served(secure, script(respond(200, body)));
            drop(ask(&session, &server, Method::Get));
            // Small and there: read away, and the connection kept; else closed.
            let answer = second(&session, &server);
            assert!(answer == "other" || (size == 0 && answer == "same"), "{answer} {size}");
        }
    }
}

/// A refusal before the body was sent is the answer, and its connection is not used again.
#[test]
fn a_413_before_the_body() {
    for secure in BOTH {
        let refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno";
        let first = Script::steps([Step::ReadHead, Step::send(refusal), Step::Stall]);
        let script = Script::by_connection(move |number| match number {
            0 => first.clone(),
            _ => Script::every_request(respond(200, "other")),
        });
        let server = Server::builder().script(script).receive_buffer(65_536);
        let (server, builder) = served_by(secure, server);
        let session = builder.build().unwrap();
        let request = session.post(server.url("/first")).body(vec![b'x'; 8 << 20]);
        let mut response = request.send().unwrap();
        assert_eq!((response.status(), &*response.text().unwrap()), (413, "no"));
        assert_eq!(second(&session, &server), "other");
    }
}

/// A reused connection that stalls is one timeout, not two.
#[test]
fn a_stall_on_a_reused_connection_is_one_timeout() {
    for secure in BOTH {
        let steps = [respond(200, "hello"), vec![Step::ReadHead, Step::Stall]].concat();
        let (server, session) = served(secure, script(steps));
        ask(&session, &server, Method::Get).content().unwrap();
        let limits = Limits::builder().read(ms(200)).build();
        let error = fetch(session.get(server.url("/second")).limits(limits)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
        assert_eq!(server.connections(), 1);
        assert_eq!(server.requests().len(), 2);
    }
}

/// There is no HTTP/2: a peer that speaks it all the same is a protocol error at once, in clear and
/// behind TLS, whose ALPN never has `h2`.
#[test]
fn http_2_is_not_spoken() {
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    for secure in BOTH {
        for bytes in [&settings[..], preface, &goaway] {
            let steps = vec![Step::ReadHead, Step::send(bytes), Step::Stall];
            let (server, session) = served(secure, steps);
            let error = fetch(session.get(server.url("/"))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error:#}");
        }
    }
    let identity = waterclock_lab::Identity::new(&["127.0.0.1"]).unwrap();
    let trusted = crate::support::trust(identity.ca_pem());
    let tls = waterclock_lab::Tls::new(identity).alpn(&["h2", "http/1.1"]);
    let server = Server::builder().tls(tls).start().unwrap();
    let session = builder().tls(trusted).build().unwrap();
    let response = session.get(server.url("/")).send().unwrap();
    let alpn = response.connection().unwrap().tls.as_ref().unwrap().alpn.clone();
    assert_ne!(alpn.as_deref(), Some(&b"h2"[..]));
}
