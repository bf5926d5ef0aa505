//! httpbin: what arrives there of a request, every status and coding, and bodies that take their time.

use crate::peer::Httpbin;
use crate::support::session;
use std::time::Duration;
use waterclock::{Limit, Limits, Method, Phase, Response};

fn assert_contains(response: &mut Response, parts: &[&str]) {
    let text = response.text().unwrap();
    for part in parts {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn arguments_and_fields_arrive() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let url = httpbin.url("/get?name=%C3%A4+b&name=2&empty=");
    let request = session.get(&url).header("X-Thing", "a value").append_header("X-Two", "1");
    let mut response = request.append_header("X-Two", "2").send().unwrap();
    assert_eq!(response.status(), 200);
    let agent = concat!("\"User-Agent\": \"waterclock/", env!("CARGO_PKG_VERSION"), "\"");
    let parts = ["\"X-Thing\": \"a value\"", "\"X-Two\": \"1,2\"", "\"empty\": \"\"", agent];
    assert_contains(&mut response, &parts);
    let mut response = session.get(httpbin.url("/headers")).send().unwrap();
    assert_contains(&mut response, &["\"Accept\": \"*/*\"", "\"Accept-Encoding\": \"gzip"]);
}

#[test]
fn bodies_arrive_with_every_method() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let name = method.as_str().to_owned();
        let request = session.request(method, httpbin.url(&format!("/{}", name.to_lowercase())));
        let request = request.header("Content-Type", "application/json").body("{\"n\": 7}");
        assert_contains(&mut request.send().unwrap(), &["\"json\": {\n    \"n\": 7\n  }"]);
        let request = session.post(httpbin.url("/anything/deep/path?q=1"));
        let request =
            request.header("Content-Type", "text/plain").body_reader(&b"chunked"[..], None);
        let parts =
            ["\"data\": \"chunked\"", "\"Transfer-Encoding\": \"chunked\"", "/deep/path?q=1"];
        assert_contains(&mut request.send().unwrap(), &parts);
    }
    let form = session.post(httpbin.url("/post")).body("a=1&b=two");
    let form = form.header("Content-Type", "application/x-www-form-urlencoded");
    assert_contains(&mut form.send().unwrap(), &["\"b\": \"two\""]);
}

#[test]
fn an_expectation_is_met() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let request =
        session.post(httpbin.url("/post")).expect_continue(true).body("x".repeat(300_000));
    let limits =
        Limits::builder().total(Duration::from_secs(20)).continue_(Duration::from_secs(15));
    let mut response = request.limits(limits.build()).send().unwrap();
    assert!(response.text().unwrap().contains(&"x".repeat(300_000)));
}

#[test]
fn every_status_is_a_response() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    for status in
        [200, 201, 204, 205, 304, 400, 401, 402, 404, 405, 406, 407, 410, 418, 429, 500, 503]
    {
        let mut response = session.get(httpbin.url(&format!("/status/{status}"))).send().unwrap();
        assert_eq!(response.status(), status);
        response.content().unwrap();
    }
    let response = session.get(httpbin.url("/hello-nobody")).send().unwrap();
    assert_eq!((response.status(), &*response.reason()), (404, "NOT FOUND"));
}

#[test]
fn every_coding_is_undone() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    for (path, coding, mark) in [
        ("/gzip", "gzip", "gzipped"),
        ("/deflate", "deflate", "deflated"),
        ("/brotli", "br", "brotli"),
    ] {
        let mut response = session.get(httpbin.url(path)).send().unwrap();
        assert_eq!(response.headers().get("content-encoding"), Some(coding.as_bytes()));
        assert_contains(&mut response, &[&format!("\"{mark}\": true")]);
    }
    let mut text = session.get(httpbin.url("/encoding/utf8")).send().unwrap();
    assert_contains(&mut text, &["∮ E⋅da = Q"]);
}

#[test]
fn streams_are_read_to_their_end() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let mut bytes =
        session.get(httpbin.url("/stream-bytes/100000?seed=1&chunk_size=777")).send().unwrap();
    assert_eq!(bytes.headers().get("transfer-encoding"), Some(&b"chunked"[..]));
    let whole: Vec<u8> = bytes.chunks(4_096).flat_map(Result::unwrap).collect();
    assert_eq!(whole.len(), 100_000);
    let mut again = session.get(httpbin.url("/bytes/100000?seed=1")).send().unwrap();
    assert_eq!(again.body_expected(), Some(100_000));
    assert!(again.content().unwrap() == whole);
    let mut lines = session.get(httpbin.url("/stream/20")).send().unwrap();
    assert_eq!(lines.text().unwrap().lines().count(), 20);
    let mut part =
        session.get(httpbin.url("/range/1000")).header("Range", "bytes=10-19").send().unwrap();
    assert_eq!((part.status(), &*part.text().unwrap()), (206, "klmnopqrst"));
}

#[test]
fn a_body_that_drips_is_whole_or_ended_by_its_limit() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let url =
        |duration: &str| httpbin.url(&format!("/drip?numbytes=10&delay=0&duration={duration}"));
    let mut response = session.get(url("0.2")).send().unwrap();
    assert_eq!(response.text().unwrap(), "*".repeat(10));
    let limits = Limits::builder().total(Duration::from_secs(20)).body(Duration::from_millis(300));
    let request = session.get(url("10")).limits(limits.build());
    let error = request.send().unwrap().content().unwrap_err();
    assert_eq!((error.limit(), error.phase()), (Some(Limit::Body), Some(Phase::Body)), "{error:#}");
    assert!(error.elapsed() >= Duration::from_millis(300));
}

#[test]
fn an_answer_that_is_late_is_ended_by_its_limit() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let limits = Limits::total(Duration::from_millis(300));
    let error = session().get(httpbin.url("/delay/5")).limits(limits).send().unwrap_err();
    assert_eq!(error.limit(), Some(Limit::Total), "{error:#}");
    assert!(error.elapsed() >= Duration::from_millis(300));
}
