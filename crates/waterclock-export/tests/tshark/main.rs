//! Packet captures of real calls as tshark sees them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod support;

use std::time::Duration;
use support::{File, Seen, builder, installed, record, trust, waits};
use waterclock::{Limit, Limits, RedirectPolicy};
use waterclock_export::Keys;
use waterclock_lab::{
    Authority, Proxy, Script, Server, Step, Tls, TlsScript, TlsVersion, after, head_then_stall,
    redirect, respond, respond_with,
};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn limits() -> Limits {
    Limits::per_wait(Duration::from_secs(10))
}

#[test]
fn plain_http_is_dissected_and_every_wait_is_a_comment() {
    if !installed() {
        return;
    }
    let server =
        Server::start(Script::every_request(after(ms(30), respond(200, "hello")))).unwrap();
    let url = server.url("/tea?cup=1");
    let run = record(builder().limits(limits()), |session| session.get(url));
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    let Seen { http, comments } = file.read();
    assert_eq!(http.len(), 2, "{http:#?}");
    assert!(http[0].starts_with("GET /tea?cup=1 HTTP/1.1"), "{http:#?}");
    assert!(http[1].starts_with("HTTP/1.1 200 OK"), "{http:#?}");
    assert_eq!(comments.len(), waits(&run), "{comments:#?}");
    let at_response = file.filtered("http.response", &["frame.comment", "http.time"]);
    assert!(at_response[0].contains(": read headers, "), "{at_response:?}");
    assert!(at_response[0].contains("% of 10 s (read)"), "{at_response:?}");
    let (_, time) = at_response[0].rsplit_once('\t').unwrap();
    assert!(time.parse::<f64>().unwrap() >= 0.03, "the time since the request is the wait: {time}");
}

#[test]
fn tls_is_decrypted_with_the_keys_inside_and_not_without() {
    if !installed() {
        return;
    }
    let authority = Authority::new().unwrap();
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let identity = authority.issue(&["127.0.0.1"]).unwrap();
        let slow = TlsScript::new().first_flight([ms(20), ms(20)]);
        let tls = Tls::new(identity).version(version).script(slow);
        let script = Script::every_request(respond(200, "a secret"));
        let server = Server::builder().tls(tls).script(script).start().unwrap();
        let run = record(builder().tls(trust(&authority)).limits(limits()), |session| {
            session.post(server.url("/hidden")).body("of the request")
        });
        let open = File::of(&run, Keys::Included);
        open.is_sound();
        let Seen { http, comments } = open.read();
        assert_eq!(http.len(), 2, "{version:?}: {http:#?}");
        assert!(http[0].starts_with("POST /hidden HTTP/1.1"), "{http:#?}");
        assert!(http[1].starts_with("HTTP/1.1 200 OK"), "{http:#?}");
        let body = open.filtered("http.response", &["http.file_data"]);
        assert!(body[0].contains("a secret"), "{body:?}");
        assert!(open.about().contains("whoever has it can read everything"));
        assert_eq!(comments.len(), waits(&run), "{comments:#?}");
        assert!(comments.iter().any(|comment| comment.contains(": tls read 1, ")), "{comments:#?}");

        let closed = File::of(&run, Keys::LeftOut);
        closed.is_sound();
        let seen = closed.read();
        assert_eq!(seen.http, [""; 0]);
        assert_eq!(seen.comments, comments);
        assert!(!closed.about().contains("whoever has it can read everything"));
    }
}

#[test]
fn redirects_go_over_two_connections() {
    if !installed() {
        return;
    }
    let there = Server::start(Script::every_request(respond(200, "there"))).unwrap();
    let here = Server::start(Script::every_request(redirect(302, &there.url("/b")))).unwrap();
    let url = here.url("/a");
    let builder = builder().limits(limits()).redirects(RedirectPolicy::default());
    let run = record(builder, |session| session.get(url));
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    let streams = file.filtered("http", &["tcp.stream", "_ws.col.Info"]);
    let begins = ["0\tGET /a ", "0\tHTTP/1.1 302", "1\tGET /b ", "1\tHTTP/1.1 200"];
    assert_eq!(streams.len(), begins.len(), "{streams:#?}");
    for (line, begin) in streams.iter().zip(begins) {
        assert!(line.starts_with(begin), "{streams:#?}");
    }
    assert_eq!(file.read().comments.len(), waits(&run));
}

#[test]
fn a_session_that_is_resumed_is_decrypted_too() {
    if !installed() {
        return;
    }
    let authority = Authority::new().unwrap();
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let identity = authority.issue(&["127.0.0.1"]).unwrap();
        let script = Script::by_request(|request| match request.path() {
            "/a" => respond_with(302, &[("Location", "/b"), ("Connection", "close")], ""),
            _ => respond(200, "again"),
        });
        let tls = Tls::new(identity).version(version);
        let server = Server::builder().tls(tls).script(script).start().unwrap();
        let builder = builder().tls(trust(&authority)).limits(limits());
        let run = record(builder, |session| session.get(server.url("/a")));
        let connection = run.response.as_ref().unwrap().connection.as_ref().unwrap();
        assert!(connection.number == 2 && connection.tls.as_ref().unwrap().resumed);
        let file = File::of(&run, Keys::Included);
        file.is_sound();
        let Seen { http, comments } = file.read();
        let begins = ["GET /a ", "HTTP/1.1 302 ", "GET /b ", "HTTP/1.1 200 "];
        assert_eq!(http.len(), begins.len(), "{version:?}: {http:#?}");
        for (line, begin) in http.iter().zip(begins) {
            assert!(line.starts_with(begin), "{version:?}: {http:#?}");
        }
        assert_eq!(comments.len(), waits(&run), "{comments:#?}");
    }
}

#[test]
fn a_limit_that_fired_is_told_at_the_fin() {
    if !installed() {
        return;
    }
    let server = Server::start([vec![Step::ReadHead], head_then_stall(200, 10)].concat()).unwrap();
    let url = server.url("/");
    let limits = Limits::none().with(Limit::Total, Some(ms(120)));
    let run = record(builder().limits(limits), |session| session.get(url));
    assert_eq!(run.error.as_ref().unwrap().limit, Some("total"));
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    let at_fin = file.filtered("tcp.flags.fin == 1", &["frame.comment"]);
    assert_eq!(at_fin.len(), 1, "{at_fin:#?}");
    assert!(at_fin[0].contains("limit fired: total 120 ms, "), "{at_fin:?}");
    assert_eq!(file.read().comments.len(), waits(&run));
    assert!(file.about().contains("fired"), "the verdict is in the comments of the file");
}

#[test]
fn what_was_refused_is_a_reset() {
    if !installed() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let run = record(builder().limits(limits()), |session| session.get(url));
    assert_eq!(run.error.as_ref().unwrap().kind, "connect");
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    assert_eq!(file.filtered("tcp.flags.reset == 1", &["tcp.len"]), ["0"]);
    assert_eq!(file.read().comments.len(), waits(&run));
}

#[test]
fn a_long_body_is_one_stream_without_gaps() {
    if !installed() {
        return;
    }
    let body = "waterclock".repeat(20_000);
    let server = Server::start(Script::every_request(respond(200, &body))).unwrap();
    let url = server.url("/");
    let run = record(builder().limits(limits()), |session| session.get(url));
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    let sizes = file.filtered("http.response", &["http.content_length", "http.file_data"]);
    let (length, data) = sizes[0].split_once('\t').unwrap();
    assert_eq!(length, body.len().to_string());
    assert!(data.contains("waterclockwaterclock"));
}

#[test]
fn credentials_in_plain_text_are_masked() {
    if !installed() {
        return;
    }
    let answer = respond_with(200, &[("Set-Cookie", "id=hush")], "");
    let server = Server::start(Script::every_request(answer)).unwrap();
    let url = server.url("/");
    let run = record(builder().limits(limits()), |session| {
        session.get(url).header("Authorization", "Bearer hush").cookie("a", "hush")
    });
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    let seen = file.filtered("http", &["http.authorization", "http.cookie", "http.set_cookie"]);
    assert_eq!(seen, ["****** ****\t******\t", "\t\t*******"]);
}

#[test]
fn a_tunnel_is_a_connection_to_the_proxy_and_is_decrypted_inside() {
    if !installed() {
        return;
    }
    let authority = Authority::new().unwrap();
    let identity = authority.issue(&["127.0.0.1"]).unwrap();
    let script = Script::every_request(respond(200, "inside"));
    let server = Server::builder().tls(Tls::new(identity)).script(script).start().unwrap();
    let proxy = Proxy::builder().start().unwrap();
    let builder = builder().tls(trust(&authority)).limits(limits());
    let builder = builder.proxy(&format!("http://me:hush@{}", proxy.address()));
    let run = record(builder, |session| session.get(server.url("/in")));
    let file = File::of(&run, Keys::Included);
    file.is_sound();
    let fields = ["tcp.stream", "_ws.col.Info", "http.proxy_authorization"];
    let http = file.filtered("http.request || http.response", &fields);
    let begins = ["0\tCONNECT 127.0.0.1:", "0\tHTTP/1.1 200", "0\tGET /in ", "0\tHTTP/1.1 200"];
    assert_eq!(http.len(), begins.len(), "{http:#?}");
    for (line, begin) in http.iter().zip(begins) {
        assert!(line.starts_with(begin), "{http:#?}");
    }
    assert!(http[0].ends_with("\t***** ************"), "{http:#?}");
    assert_eq!(file.read().comments.len(), waits(&run));
}

#[test]
fn a_unix_socket_is_told_from_a_network() {
    if !installed() {
        return;
    }
    let path = File::path("socket");
    let script = Script::every_request(respond(200, "near"));
    let server = Server::builder().unix(&path).script(script).start().unwrap();
    let builder = builder().limits(limits()).unix_socket(server.unix_path().unwrap());
    let run = record(builder, |session| session.get("http://near.test/"));
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    assert_eq!(file.read().http.len(), 2);
    assert!(file.about().contains("192.0.2.2:80 stands for the Unix socket /"));
}

#[test]
fn ipv6_and_names_are_seen() {
    if !installed() {
        return;
    }
    let script = Script::every_request(respond(200, "six"));
    let bound = Server::builder().bind("[::1]:0".parse().unwrap()).script(script).start();
    let Ok(server) = bound else {
        eprintln!("SKIPPED: this machine has no IPv6 loopback");
        return;
    };
    let mut run = record(builder().limits(limits()), |session| session.get(server.url("/")));
    // The name that a lookup would have had.
    run.wire.as_mut().unwrap().connections[0].host = Some("six.test".to_owned());
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    let hosts = file.filtered("http.request", &["ipv6.dst", "ipv6.dst_host"]);
    assert_eq!(hosts, ["::1\tsix.test"]);
}

#[test]
fn what_was_left_out_makes_no_gap() {
    if !installed() {
        return;
    }
    let server = Server::start(Script::every_request(respond(200, "x".repeat(9_000)))).unwrap();
    let url = server.url("/");
    let mut run = record(builder().limits(limits()), |session| session.get(url));
    let wire = run.wire.as_mut().unwrap();
    let one = &mut wire.connections[0];
    let piece = one.pieces.pop().unwrap();
    one.dropped = piece.bytes.len() as u64;
    one.closed = Some(piece.at);
    wire.dropped = one.dropped;
    let file = File::of(&run, Keys::LeftOut);
    file.is_sound();
    assert!(file.about().contains(" bytes were over the budget of the recording."));
}
