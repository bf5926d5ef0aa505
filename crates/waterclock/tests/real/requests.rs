//! What a request is made of, as the server gets it: methods, headers, queries, bodies.

use crate::support::ms;
use std::io::{Cursor, Read as _, Seek as _, Write as _};
use waterclock::{
    ErrorKind, Headers, Limits, Method, Multipart, Part, Request, RequestBody, RequestSent,
    Session, SessionBuilder,
};
use waterclock_lab::{ReceivedRequest, Server};

fn server() -> Server {
    Server::start(waterclock_lab::Script::default()).unwrap()
}

fn builder() -> SessionBuilder {
    Session::builder().trust_env(false).limits(Limits::total(ms(20_000)))
}

/// What the server gets of a request.
fn received(make: impl for<'s> FnOnce(&'s Session, &str) -> Request<'s>) -> ReceivedRequest {
    received_of(&builder().build().unwrap(), make)
}

fn received_of(
    session: &Session,
    make: impl for<'s> FnOnce(&'s Session, &str) -> Request<'s>,
) -> ReceivedRequest {
    let server = server();
    let response = make(session, &server.url("/")).send().unwrap();
    assert_eq!(response.status(), 200);
    server.requests().remove(0)
}

/// The values of a header, all of them.
fn values<'r>(received: &'r ReceivedRequest, name: &str) -> Vec<&'r str> {
    let named = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
    received.headers.iter().filter(named).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn every_method_is_sent_by_its_name() {
    let server = server();
    let (session, url) = (builder().build().unwrap(), server.url("/"));
    let own: Method = "PURGE".parse().unwrap();
    for request in [
        session.get(&url),
        session.options(&url),
        session.head(&url),
        session.post(&url),
        session.put(&url),
        session.patch(&url),
        session.delete(&url),
        session.request(own, &url),
    ] {
        let method = request.send().unwrap().method().clone();
        assert_eq!(server.requests().last().unwrap().method, method.as_str());
    }
    let methods: Vec<_> = server.requests().into_iter().map(|got| got.method).collect();
    assert_eq!(methods.join(" "), "GET OPTIONS HEAD POST PUT PATCH DELETE PURGE");
    // Those that would be expected to bring content say that there is none.
    for (got, length) in
        server.requests().iter().zip([None, None, None, Some("0"), Some("0"), Some("0")])
    {
        assert_eq!(got.header("content-length"), length, "{}", got.method);
    }
}

#[test]
fn headers_of_the_session_and_of_the_request() {
    let session = builder().header("X-Kind", "session").header("X-Other", "kept").build().unwrap();
    let got = received_of(&session, |session, url| {
        session.get(url).header("x-kind", "request").header("user-agent", "mine/1")
    });
    assert_eq!(values(&got, "X-Kind"), ["request"]);
    assert_eq!(
        (values(&got, "X-Other"), values(&got, "User-Agent")),
        (vec!["kept"], vec!["mine/1"])
    );
    // Next time the session's are there again.
    let got = received_of(&session, |session, url| session.get(url));
    let agent = format!("waterclock/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (values(&got, "X-Kind"), values(&got, "User-Agent")),
        (vec!["session"], vec![&*agent])
    );
    assert_eq!(values(&got, "Accept"), ["*/*"]);
    assert_eq!(values(&got, "Accept-Encoding"), ["gzip, deflate, br, zstd"]);
    // One can be left out, another repeated.
    let got = received_of(&session, |session, url| {
        let request = session.get(url).without_header("Accept").without_header("x-other");
        let mut more = Headers::new();
        more.append("x-twice", "2").unwrap();
        more.append("X-Last", "3").unwrap();
        request.append_header("X-Twice", "1").append_headers(&more)
    });
    assert_eq!(values(&got, "X-Last"), ["3"]);
    assert_eq!((values(&got, "Accept"), values(&got, "X-Other")), (vec![], vec![]));
    assert_eq!(values(&got, "X-Twice"), ["1", "2"]);
    let bare = builder().without_header("User-Agent").build().unwrap();
    let got = received_of(&bare, |session, url| session.get(url));
    assert_eq!(values(&got, "User-Agent"), Vec::<&str>::new());
}

#[test]
fn a_host_of_the_callers_is_the_only_one() {
    let got = received(|session, url| session.get(url).header("Host", "other.test"));
    assert_eq!(values(&got, "Host"), ["other.test"]);
}

#[test]
fn what_cannot_be_sent_is_refused_before_a_connection_is_made() {
    let server = server();
    let (session, url) = (builder().build().unwrap(), server.url("/"));
    for (request, word) in [
        (session.get(&url).header("X", "a\r\nY: b"), "X"),
        (session.get(&url).header("a b", "c"), "a b"),
        (session.get(&url).append_header("X", b"a\0b"), "X"),
        (session.get(&url).cookie("a;b", "c"), "a;b"),
        (session.post(&url).json(&f64_keys()), "key"),
    ] {
        let error = request.send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.message().contains(word), "{error}");
        assert_eq!(error.request_sent(), RequestSent::No);
    }
    let error = builder().header("X", "a\nb").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    for url in ["example.com", "http://", "http://h:99999/", "http://a\r\nb/"] {
        assert_eq!(session.get(url).send().unwrap_err().kind(), ErrorKind::InvalidUrl, "{url}");
    }
    assert_eq!(server.connections(), 0);
}

/// A map that JSON has no form for.
fn f64_keys() -> std::collections::BTreeMap<Vec<u8>, u8> {
    [(vec![1], 1)].into()
}

#[test]
fn queries_of_url_session_and_request() {
    let session = builder().query([("key", "7"), ("lang", "en")]).build().unwrap();
    let server = server();
    for (url, own, target) in [
        ("/", vec![], "/?key=7&lang=en"),
        ("/?a=1#part", vec![("lang", "ko"), ("lang", "fr")], "/?a=1&lang=ko&lang=fr&key=7"),
        ("/p", vec![("q", "a b&c"), ("q", "é")], "/p?q=a+b%26c&q=%C3%A9&key=7&lang=en"),
    ] {
        session.get(server.url(url)).query(own).send().unwrap();
        assert_eq!(server.requests().last().unwrap().target, target);
    }
    // A URL without pairs is sent as it is.
    let got = received(|session, url| session.get(format!("{url}a?q='+%7e&")));
    assert_eq!(got.target, "/a?q=%27+%7e&");
}

#[test]
fn forms_and_json() {
    let got =
        received(|session, url| session.post(url).form([("a", "1 2"), ("a", "é"), ("b", "")]));
    assert_eq!(got.body, b"a=1+2&a=%C3%A9&b=");
    assert_eq!(values(&got, "Content-Type"), ["application/x-www-form-urlencoded"]);
    let got = received(|session, url| session.post(url).json(&("é", 1.5, [None, Some(true)])));
    assert_eq!(got.body, "[\"é\",1.5,[null,true]]".as_bytes());
    assert_eq!(values(&got, "Content-Type"), ["application/json"]);
    assert_eq!(values(&got, "Content-Length"), [got.body.len().to_string()]);
    // The caller's own type stays, in either order.
    let got = received(|session, url| {
        session.post(url).header("Content-Type", "application/vnd.x+json").json(&1)
    });
    assert_eq!(values(&got, "Content-Type"), ["application/vnd.x+json"]);
    // Text and bytes bring no type of their own.
    let got = received(|session, url| session.put(url).body("text"));
    assert_eq!((got.body.as_slice(), values(&got, "Content-Type")), (&b"text"[..], vec![]));
}

#[test]
fn what_is_said_last_is_the_body() {
    let got = received(|session, url| session.post(url).form([("a", "1")]).json(&[2]));
    assert_eq!(
        (got.body.as_slice(), values(&got, "Content-Type")),
        (&b"[2]"[..], vec!["application/json"])
    );
    let got = received(|session, url| session.post(url).json(&[2]).form([("a", "1")]));
    let form = "application/x-www-form-urlencoded";
    assert_eq!((got.body.as_slice(), values(&got, "Content-Type")), (&b"a=1"[..], vec![form]));
}

#[test]
fn forms_with_files() {
    let got = received(|session, url| {
        let form = Multipart::new()
            .text("title", "Sun\"rise")
            .part(Part::new("raw", vec![0, 13, 10, 255]).file_name("raw.bin"))
            .part(Part::new("page", "<p>").file_name("p.html").content_type("text/html"));
        session.post(url).multipart(form)
    });
    let kind = values(&got, "Content-Type")[0];
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = String::from_utf8_lossy(&got.body);
    let parts: Vec<_> = body.split(&format!("--{boundary}")).collect();
    assert_eq!((parts.len(), parts[0], parts[4]), (5, "", "--\r\n"), "{body}");
    assert!(parts[1].ends_with("name=\"title\"\r\n\r\nSun\"rise\r\n"), "{body}");
    assert!(parts[2].contains("name=\"raw\"; filename=\"raw.bin\""), "{body}");
    assert!(got.body.windows(6).any(|bytes| bytes == b"\0\r\n\xff\r\n"), "{body}");
    assert!(parts[3].contains("Content-Type: text/html\r\n\r\n<p>\r\n"), "{body}");
    assert_eq!(values(&got, "Content-Length"), [got.body.len().to_string()]);
}

#[test]
fn files_are_sent_from_where_they_are() {
    let path = std::env::temp_dir().join(format!("waterclock-requests-{}", std::process::id()));
    std::fs::File::create(&path).unwrap().write_all(b"skipped, sent").unwrap();
    let mut file = std::fs::File::open(&path).unwrap();
    file.seek(std::io::SeekFrom::Start(9)).unwrap();
    let got = received(|session, url| session.put(url).body_file(file));
    assert_eq!((got.body.as_slice(), values(&got, "Content-Length")), (&b"sent"[..], vec!["4"]));
    std::fs::remove_file(&path).unwrap();
    // What is none is the caller's error.
    let directory = std::fs::File::open(std::env::temp_dir()).unwrap();
    let server = server();
    let request = builder().build().unwrap().post(server.url("/")).body_file(directory).prepare();
    let sent = request.and_then(|mut request| builder().build().unwrap().send(&mut request));
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[test]
fn streams_are_chunked_unless_their_length_is_known() {
    let pieces = || ["one ", "two ", "three"].into_iter();
    let got = received(|session, url| session.post(url).body(RequestBody::chunks(pieces())));
    assert_eq!(got.body, b"one two three");
    assert_eq!(values(&got, "Transfer-Encoding"), ["chunked"]);
    assert_eq!(values(&got, "Content-Length"), Vec::<&str>::new());
    let got = received(|session, url| session.post(url).body_reader(&b"known"[..], Some(5)));
    assert_eq!((got.body.as_slice(), values(&got, "Content-Length")), (&b"known"[..], vec!["5"]));
    assert_eq!(values(&got, "Transfer-Encoding"), Vec::<&str>::new());
    // Something seekable is as long as what is left of it.
    let mut cursor = Cursor::new(b"skipped, sent".to_vec());
    cursor.read_exact(&mut [0; 9]).unwrap();
    let got =
        received(|session, url| session.post(url).body(RequestBody::seekable(cursor).unwrap()));
    assert_eq!((got.body.as_slice(), values(&got, "Content-Length")), (&b"sent"[..], vec!["4"]));
}

#[test]
fn a_prepared_request_is_what_is_sent() {
    let server = server();
    let session = builder().header("X-Default", "1").build().unwrap();
    let request = session.post(server.url("/a b?q=1#part")).query([("r", "2")]).body("one");
    let mut prepared = request.prepare().unwrap();
    assert_eq!(prepared.method(), &Method::Post);
    assert_eq!(prepared.target(), "/a%20b?q=1&r=2");
    assert_eq!(prepared.url().fragment(), Some("part"));
    assert_eq!(prepared.body().bytes(), Some(&b"one"[..]));
    assert_eq!(prepared.header("x-default"), Some(&b"1"[..]));
    prepared.headers_mut().set("X-Default", "2").unwrap();
    assert!(prepared.headers().any(|(name, value)| (name, value) == ("X-Default", b"2")));
    for body in ["two", "three"] {
        prepared.set_body(body);
        assert_eq!(session.send(&mut prepared).unwrap().status(), 200);
        let got = server.requests().pop().unwrap();
        assert_eq!((got.target.as_str(), got.body.as_slice()), ("/a%20b?q=1&r=2", body.as_bytes()));
        assert_eq!(values(&got, "X-Default"), ["2"]);
    }
}
