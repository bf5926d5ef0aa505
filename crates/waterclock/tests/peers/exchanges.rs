//! nginx: framings, codings, ranges, statuses without a body, and how long connections are kept.

use crate::peer::{Nginx, PASSWORD, USER, numbers};
use crate::support::session;
use std::io::Read as _;
use waterclock::{Response, Session};

fn get(session: &Session, url: &str) -> Response {
    session.get(url).send().unwrap()
}

fn field<'r>(response: &'r Response, name: &str) -> &'r str {
    std::str::from_utf8(response.headers().get(name).unwrap_or_default()).unwrap()
}

fn number(response: &Response) -> u64 {
    response.connection().unwrap().number
}

#[test]
fn one_connection_serves_many_requests() {
    let Some(nginx) = Nginx::start() else { return };
    for base in nginx.urls("") {
        let session = nginx.session();
        for round in 0..100 {
            let mut response = get(&session, &format!("{base}/hello"));
            assert_eq!((response.status(), &*response.text().unwrap()), (200, "hello\n"));
            assert_eq!(number(&response), 1, "{round}");
            let mut head = session.head(format!("{base}/numbers.txt")).send().unwrap();
            assert_eq!(field(&head, "content-length"), numbers().len().to_string());
            assert_eq!(head.text().unwrap(), "");
            let echo = session.post(format!("{base}/echo")).body(format!("round {round}"));
            assert_eq!(echo.send().unwrap().text().unwrap(), format!("POST round {round}"));
        }
        // nginx counts too.
        let last = get(&session, &format!("{base}/hello"));
        assert!(field(&last, "x-connection").ends_with(" 301"), "{:?}", last.headers());
    }
}

#[test]
fn a_connection_that_has_served_enough_is_replaced_without_an_error() {
    let Some(nginx) = Nginx::start() else { return };
    for base in nginx.urls("") {
        let session = nginx.session();
        let numbers = |path: &str| -> Vec<u64> {
            let url = format!("{base}{path}");
            let number_of = || {
                let mut response = get(&session, &url);
                assert_eq!(response.content().unwrap().len(), 20);
                number(&response)
            };
            (0..7).map(|_| number_of()).collect()
        };
        // The last response on each says `Connection: close`.
        assert_eq!(numbers("/few/404.html"), [1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(numbers("/once/404.html"), [3, 4, 5, 6, 7, 8, 9]);
    }
}

#[test]
fn a_reload_of_the_server_goes_unnoticed() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/hello") {
        let session = nginx.session();
        let first = number(&get(&session, &url));
        nginx.reload();
        // The worker that goes closes its idle connections at a moment of its choice.
        let replaced = (0..100_000).any(|_| {
            let mut response = get(&session, &url);
            assert_eq!(response.text().unwrap(), "hello\n");
            number(&response) != first
        });
        assert!(replaced);
    }
}

#[test]
fn codings_and_chunks() {
    let Some(nginx) = Nginx::start() else { return };
    for base in nginx.urls("") {
        let session = nginx.session();
        let mut zipped = get(&session, &format!("{base}/gzip/numbers.txt"));
        assert_eq!(field(&zipped, "content-encoding"), "gzip");
        assert_eq!(field(&zipped, "transfer-encoding"), "chunked");
        assert!(zipped.text().unwrap() == numbers());
        let received = usize::try_from(zipped.body_received()).unwrap();
        assert!(received < numbers().len() / 3, "{received}");

        let raw = session.get(format!("{base}/gzip/numbers.txt")).decode(false);
        assert_eq!(raw.send().unwrap().content().unwrap()[..2], [0x1f, 0x8b]);

        let mut chunked = get(&session, &format!("{base}/chunked/numbers.txt"));
        assert_eq!(field(&chunked, "transfer-encoding"), "chunked");
        assert_eq!(chunked.body_expected(), None);
        assert!(chunked.text().unwrap() == numbers().replace("line", "LINE"));
        assert_eq!(number(&chunked), 1);
    }
}

#[test]
fn statuses_without_a_body_keep_the_connection() {
    let Some(nginx) = Nginx::start() else { return };
    let (session, url) = (session(), nginx.url("/numbers.txt"));
    let mut empty = get(&session, &nginx.url("/empty"));
    assert_eq!((empty.status(), &*empty.text().unwrap()), (204, ""));
    let head = session.head(&url).send().unwrap();
    let (tag, date) = (field(&head, "etag").to_owned(), field(&head, "last-modified").to_owned());
    for (name, value) in [("If-None-Match", tag), ("If-Modified-Since", date)] {
        let mut response = session.get(&url).header(name, value).send().unwrap();
        assert_eq!((response.status(), &*response.text().unwrap()), (304, ""));
    }
    assert_eq!(number(&get(&session, &url)), 1);
}

#[test]
fn ranges() {
    let Some(nginx) = Nginx::start() else { return };
    let (session, url, whole) = (session(), nginx.url("/numbers.txt"), numbers());
    let part = |range: &str| session.get(&url).header("Range", range).send().unwrap();

    let mut middle = part("bytes=1000-1999");
    assert_eq!(middle.status(), 206);
    assert_eq!(field(&middle, "content-range"), format!("bytes 1000-1999/{}", whole.len()));
    assert_eq!(middle.text().unwrap(), whole[1000..2000]);

    assert_eq!(part("bytes=-10").text().unwrap(), whole[whole.len() - 10..]);
    assert_eq!(part("bytes=999999999-").status(), 416);

    let mut two = part("bytes=0-5,12-18");
    assert!(field(&two, "content-type").starts_with("multipart/byteranges"));
    let text = two.text().unwrap();
    assert!(text.contains("line 0") && text.contains(&whole[12..19]), "{text}");
}

#[test]
fn a_download_that_was_left_is_resumed() {
    let Some(nginx) = Nginx::start() else { return };
    for base in nginx.urls("/numbers.txt") {
        let session = nginx.session();
        let mut start = vec![0; 50_000];
        get(&session, &base).read_exact(&mut start).unwrap();
        let rest = session.get(&base).header("Range", format!("bytes={}-", start.len()));
        let mut rest = rest.send().unwrap();
        assert_eq!(rest.status(), 206);
        start.extend(rest.content().unwrap());
        assert!(start == numbers().as_bytes());
    }
}

fn receives_a_large_head(session: &Session, url: &str) {
    let response = get(session, url);
    for name in ["x-one", "x-two"] {
        assert_eq!(field(&response, name).len(), 16 * 16 * 64);
    }
}

#[test]
fn large_heads_come_down() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/large-headers") {
        receives_a_large_head(&nginx.session(), &url);
    }
}

#[test]
fn large_heads_go_up() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/hello") {
        let session = nginx.session();
        let request = |size| session.get(&url).header("X-Large", "x".repeat(size)).send().unwrap();
        // As much as nginx takes, and more than it takes.
        assert_eq!(request(8_000).status(), 200);
        let mut refused = request(100_000);
        assert_eq!(refused.status(), 400);
        assert!(refused.text().unwrap().contains("Request Header Or Cookie Too Large"));
        assert_eq!(get(&session, &url).status(), 200);
    }
}

#[test]
fn errors_are_responses() {
    let Some(nginx) = Nginx::start() else { return };
    let session = session();
    let mut missing = get(&session, &nginx.url("/nowhere"));
    assert_eq!((missing.status(), &*missing.text().unwrap()), (404, "<p>nothing here</p>\n"));
    let unavailable = get(&session, &nginx.url("/unavailable"));
    assert_eq!((unavailable.status(), field(&unavailable, "retry-after")), (503, "1"));
    assert_eq!(unavailable.reason(), "Service Temporarily Unavailable");
}

#[test]
fn the_password_of_the_url_is_sent() {
    let Some(nginx) = Nginx::start() else { return };
    let session = session();
    let url = nginx.url("/private/numbers.txt");
    let asked = get(&session, &url);
    assert_eq!((asked.status(), field(&asked, "www-authenticate")), (401, "Basic realm=\"nginx\""));
    let with = |userinfo: &str| url.replace("//", &format!("//{userinfo}@"));
    assert_eq!(get(&session, &with("user:wrong")).status(), 401);
    assert_eq!(get(&session, &with(&format!("{USER}:{PASSWORD}"))).status(), 200);
}

#[test]
fn nginx_has_understood_every_request() {
    let Some(nginx) = Nginx::start() else { return };
    let session = session();
    let methods = ["GET", "DELETE", "OPTIONS", "PATCH"];
    for name in methods {
        let url = nginx.url("/hello?a=%20&b=c;d#fragment");
        let response = session.request(name.parse().unwrap(), url).send();
        assert_eq!(response.unwrap().status(), 200);
    }
    assert_eq!(nginx.requests(), methods.map(|name| format!("{name} /hello?a=%20&b=c;d HTTP/1.1")));
}
