//! Redirects of nginx and httpbin: methods and bodies on the way, limits, rules, and following by hand.

use crate::peer::{Httpbin, Nginx};
use crate::support::{builder, session};
use std::io::{Seek as _, Write as _};
use waterclock::timeline::HopReason;
use waterclock::{Error, ErrorKind, Method, RedirectPolicy, Response};

fn statuses(response: &Response) -> Vec<u16> {
    response.history().iter().map(waterclock::PastResponse::status).collect()
}

/// Method and path of what nginx has answered, but for what it asks itself.
fn asked(nginx: &Nginx) -> Vec<String> {
    let requests = nginx.requests().into_iter();
    let lines = requests.map(|line| line.trim_end_matches(" HTTP/1.1").to_owned());
    lines.filter(|line| !line.ends_with("/reflect")).collect()
}

#[test]
fn every_status_changes_the_method_as_in_browsers() {
    let Some(nginx) = Nginx::start() else { return };
    let mut expected = Vec::new();
    for base in nginx.urls("") {
        let session = nginx.session();
        for (method, status, sent, text) in [
            (Method::Get, 301, "GET", "hello\n"),
            (Method::Post, 301, "GET", "hello\n"),
            (Method::Put, 301, "PUT", "hello\n"),
            (Method::Post, 302, "GET", "hello\n"),
            (Method::Put, 302, "GET", "hello\n"),
            (Method::Delete, 303, "GET", "hello\n"),
            (Method::Head, 303, "HEAD", ""),
            (Method::Post, 307, "POST", "POST content"),
            (Method::Put, 307, "PUT", "PUT content"),
            (Method::Post, 308, "POST", "POST content"),
        ] {
            let request = session.request(method.clone(), format!("{base}/{status}"));
            let mut response = request.body("content").send().unwrap();
            let context = format!("{method} {base}/{status}");
            assert_eq!((response.status(), &*response.text().unwrap()), (200, text), "{context}");
            assert_eq!(statuses(&response), [status], "{context}");
            let past = &response.history()[0];
            assert_eq!((past.method(), past.url().path()), (&method, &*format!("/{status}")));
            assert!(past.raw_body().starts_with(b"<html>") == (method != Method::Head));
            let path = if status < 307 { "/hello" } else { "/echo" };
            assert_eq!(response.url().as_str(), format!("{base}{path}"));
            // The connection serves on: nothing of the redirect's own body is left on it.
            assert_eq!(response.connection().unwrap().number, 1, "{context}");
            expected.extend([format!("{method} /{status}"), format!("{sent} {path}")]);
        }
    }
    assert_eq!(asked(&nginx), expected);
}

#[test]
fn methods_may_be_kept() {
    let Some(nginx) = Nginx::start() else { return };
    let policy = RedirectPolicy::default().with_keep_method(true);
    let session = builder().redirects(policy).build().unwrap();
    for status in [301, 302, 303] {
        session.post(nginx.url(&format!("/{status}"))).body("content").send().unwrap();
    }
    let kept = ["POST /301", "POST /hello", "POST /302", "POST /hello", "POST /303", "GET /hello"];
    assert_eq!(asked(&nginx), kept);
}

#[test]
fn a_relative_location_is_resolved_and_the_fragment_goes_along() {
    let Some(nginx) = Nginx::start() else { return };
    for base in nginx.urls("") {
        let session = nginx.session();
        let mut response = session.get(format!("{base}/relative?a=b#part")).send().unwrap();
        assert_eq!(response.text().unwrap(), "hello\n");
        assert_eq!(response.url().as_str(), format!("{base}/hello#part"));
        assert_eq!(response.history()[0].headers().get("Location"), Some(&b"hello"[..]));
    }
}

#[test]
fn another_scheme_is_another_connection() {
    let Some(nginx) = Nginx::start() else { return };
    let [plain, tls] = nginx.urls("");
    for (from, to) in [(&plain, &tls), (&tls, &plain)] {
        let session = nginx.session();
        let path = if to == &tls { "/to-tls" } else { "/to-plain" };
        let mut response = session.get(format!("{from}{path}")).send().unwrap();
        assert_eq!(response.text().unwrap(), "hello\n");
        assert_eq!(response.url().as_str(), format!("{to}/hello"));
        assert_eq!(response.connection().unwrap().tls.is_some(), to == &tls);
        let past = response.history()[0].connection().unwrap();
        assert_eq!(past.tls.is_some(), from == &tls);
        let hops = response.timeline().hops();
        let numbers: Vec<_> = hops.iter().map(|hop| hop.connection.unwrap().number).collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!([hops[0].reason, hops[1].reason], [HopReason::First, HopReason::Redirect]);
    }
}

fn fails(response: Result<Response, Error>, kind: ErrorKind) -> Error {
    let error = response.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:#}");
    error
}

#[test]
fn a_loop_ends_at_the_limit() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/loop") {
        let session = nginx.session();
        for max in [0, 5] {
            let before = asked(&nginx).len();
            let request = session.get(&url).redirects(RedirectPolicy::limited(max));
            let error = fails(request.send(), ErrorKind::TooManyRedirects);
            // Those that were followed, and the one that was not.
            let count = max as usize + 1;
            assert_eq!((error.history().len(), error.status()), (count, Some(302)));
            assert!(error.history().iter().all(|past| past.url().path() == "/loop"));
            assert_eq!(asked(&nginx).len() - before, count);
        }
        // As in requests.
        assert_eq!(
            fails(session.get(&url).send(), ErrorKind::TooManyRedirects).history().len(),
            31
        );
    }
}

#[test]
fn rules_forbid_to_leave_https_or_the_origin() {
    let Some(nginx) = Nginx::start() else { return };
    let (session, policy) = (nginx.session(), RedirectPolicy::default());
    let (https, origin) = (policy.with_https_only(true), policy.with_same_origin_only(true));
    let get = |url: String, policy| session.get(url).redirects(policy).send();
    for (url, policy) in [
        (nginx.tls_url("/to-plain"), https),
        (nginx.tls_url("/to-plain"), origin),
        (nginx.url("/to-tls"), origin),
        (
            nginx
                .url(&format!("/to?url={}", nginx.url("/hello").replace("127.0.0.1", "localhost"))),
            origin,
        ),
    ] {
        let error = fails(get(url, policy), ErrorKind::Redirect);
        assert_eq!((error.status(), error.history().len()), (Some(302), 1));
    }
    assert!(!asked(&nginx).contains(&"GET /hello".into()), "it was followed");
    assert_eq!(get(nginx.url("/to-tls"), https).unwrap().status(), 200);
    assert_eq!(get(nginx.tls_url("/302"), origin).unwrap().status(), 200);
}

#[test]
fn redirects_are_followed_by_hand() {
    let Some(nginx) = Nginx::start() else { return };
    for base in nginx.urls("") {
        let session = nginx.session();
        let request = session.post(format!("{base}/307")).redirects(RedirectPolicy::none());
        let mut response = request.body("content").send().unwrap();
        assert!(response.is_redirect() && !response.is_permanent_redirect());
        assert_eq!((response.status(), response.history().len()), (307, 0));
        let mut next = response.take_next().unwrap();
        assert_eq!((next.method(), next.url().path()), (&Method::Post, "/echo"));
        let mut response = session.send(&mut next).unwrap();
        assert_eq!(response.text().unwrap(), "POST content");
        assert!(response.take_next().is_none());
    }
}

#[test]
fn a_body_that_cannot_go_back_is_not_sent_by_halves() {
    let Some(nginx) = Nginx::start() else { return };
    for base in nginx.urls("") {
        let session = nginx.session();
        let post = |status: u16| session.post(format!("{base}/{status}"));
        let error = fails(post(308).body_reader(&b"once"[..], None).send(), ErrorKind::Redirect);
        assert_eq!((error.status(), error.history()[0].status()), (Some(308), 308));
        // Where it is not sent again it need not go back.
        let response = post(302).body_reader(&b"once"[..], None).send();
        assert_eq!(response.unwrap().text().unwrap(), "hello\n");
        let mut file = unnamed_file();
        file.write_all(b"head|content").unwrap();
        file.seek(std::io::SeekFrom::Start(5)).unwrap();
        let response = post(307).body_file(file).send();
        assert_eq!(response.unwrap().text().unwrap(), "POST content");
    }
}

#[test]
fn httpbin_redirects_as_often_as_it_is_asked() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    for path in ["redirect", "relative-redirect", "absolute-redirect"] {
        let mut response = session.get(httpbin.url(&format!("/{path}/3"))).send().unwrap();
        assert_eq!(statuses(&response), [302; 3], "{path}");
        assert_eq!(response.url().as_str(), httpbin.url("/get"));
        let seen: serde_json::Value = response.json().unwrap();
        assert_eq!(seen["url"], httpbin.url("/get"));
        assert_eq!(response.timeline().hops().len(), 4);
        // Each hop has its own time, and all of them are in the timeline's.
        let hops = response.history().iter().map(waterclock::PastResponse::elapsed);
        let sum = hops.sum::<std::time::Duration>() + response.elapsed();
        assert!(sum <= response.timeline().elapsed() && !response.elapsed().is_zero());
    }
    let get = |count: u32| session.get(httpbin.url(&format!("/relative-redirect/{count}"))).send();
    assert_eq!(get(30).unwrap().history().len(), 30);
    assert_eq!(fails(get(31), ErrorKind::TooManyRedirects).history().len(), 31);
}

#[test]
fn every_status_of_httpbin_leads_to_another_server() {
    let (Some(httpbin), Some(nginx)) = (Httpbin::shared(), Nginx::start()) else { return };
    let session = nginx.session();
    for to in nginx.urls("/echo") {
        for (status, text) in [(301, "GET "), (302, "GET "), (303, "GET "), (307, "POST a=b")] {
            let url = httpbin.url("/redirect-to");
            let request =
                session.post(url).query([("url", &*to), ("status_code", &status.to_string())]);
            let mut response = request.form([("a", "b")]).send().unwrap();
            assert_eq!((statuses(&response), &*response.text().unwrap()), (vec![status], text));
            assert_eq!(response.url().as_str(), to);
        }
    }
}

#[test]
fn a_download_goes_on_behind_a_redirect() {
    let (Some(httpbin), Some(nginx)) = (Httpbin::shared(), Nginx::start()) else { return };
    let (session, numbers) = (nginx.session(), crate::peer::numbers());
    for to in nginx.urls("/numbers.txt") {
        let part = |tag: &[u8]| {
            let request = session.get(httpbin.url("/redirect-to")).query([("url", &to)]);
            let request = request.header("Range", "bytes=100000-").header("If-Range", tag);
            request.send().unwrap()
        };
        let head = session.head(&to).send().unwrap();
        let mut rest = part(head.headers().get("ETag").unwrap());
        assert_eq!(rest.status(), 206);
        assert!(rest.text().unwrap() == numbers[100_000..]);
        // It has become another file meanwhile.
        let mut whole = part(b"\"other\"");
        assert_eq!(whole.status(), 200);
        assert!(whole.text().unwrap() == numbers);
    }
}

/// A file without a name.
fn unnamed_file() -> std::fs::File {
    let path = std::env::temp_dir().join(format!("waterclock-redirects-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}
