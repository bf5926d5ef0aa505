//! Text, JSON, lines and links: what is made of the bodies and fields that httpbin and nginx send.

use crate::peer::{Httpbin, Nginx, numbers};
use crate::support::session;
use serde_json::{Value, json};
use waterclock::charset::Fallback;
use waterclock::link::by_rel;
use waterclock::{ErrorKind, Response};

#[test]
fn httpbins_texts_are_read() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let text = |path: &str| session.get(httpbin.url(path)).send().unwrap().text().unwrap();
    let demo = text("/encoding/utf8");
    for words in ["∮ E⋅da = Q", "Οὐχὶ ταὐτὰ", "გთხოვთ ახლავე", "ሰማይ አይታረስ", "ᚻᛖ ᚳᚹᚫᚦ", "⡌⠁⠧⠑"]
    {
        assert!(demo.contains(words), "{words} is not in {demo}");
    }
    // It ends with a table of what does not print, this one too: sent, not made here.
    assert_eq!(demo.matches('\u{fffd}').count(), 1);
    assert!(text("/html").contains("<h1>Herman Melville - Moby-Dick</h1>"));
    assert!(text("/xml").contains("<slideshow"));
    assert_eq!(text("/robots.txt"), "User-agent: *\nDisallow: /deny\n");
    let echo =
        session.get(httpbin.url("/response-headers")).query([("Content-Type", "text/plain")]);
    assert!(echo.send().unwrap().text().unwrap().contains("text/plain"));
}

#[test]
fn the_charset_is_that_of_header_mark_or_page() {
    let Some(nginx) = Nginx::shared() else { return };
    for base in nginx.urls("") {
        let session = nginx.session();
        let get = |path: &str| session.get(format!("{base}{path}")).send().unwrap();
        let kind = |response: &Response| {
            String::from_utf8_lossy(response.headers().get("Content-Type").unwrap()).into_owned()
        };
        let mut koi8 = get("/koi8/koi8.txt");
        assert_eq!(
            (&*kind(&koi8), &*koi8.text().unwrap()),
            ("text/plain; charset=koi8-r", "Привет")
        );
        // A page that says so itself, and a mark that goes before all others.
        let page = "<meta charset=iso-8859-1><p>café</p>";
        let mut latin1 = get("/latin1.html");
        assert_eq!((&*kind(&latin1), &*latin1.text().unwrap()), ("text/html", page));
        for path in ["/utf16.txt", "/koi8/utf16.txt"] {
            assert_eq!(get(path).text().unwrap(), "hé", "{path}");
        }
        // requests' rule for those who want it.
        let raw = get("/koi8.txt").text_with(Fallback::Latin1).unwrap();
        assert_eq!(
            raw.chars().map(u32::from).collect::<Vec<_>>(),
            [0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4]
        );
    }
}

#[test]
fn json_is_read_into_a_shape() {
    let (Some(httpbin), Some(nginx)) = (Httpbin::shared(), Nginx::shared()) else { return };
    let session = session();
    let value: Value = session.get(httpbin.url("/json")).send().unwrap().json().unwrap();
    assert_eq!(value["slideshow"]["slides"][1]["title"], "Overview");
    let mut zipped = session.get(httpbin.url("/gzip")).send().unwrap();
    assert_eq!(zipped.json::<Value>().unwrap()["gzipped"], true);
    let shaped: std::collections::BTreeMap<String, String> =
        session.get(httpbin.url("/uuid")).send().unwrap().json().unwrap();
    assert_eq!(shaped["uuid"].len(), 36);
    let other = session.get(httpbin.url("/json")).send().unwrap().json::<Vec<u8>>().unwrap_err();
    assert_eq!((other.kind(), other.status()), (ErrorKind::Decode, Some(200)), "{other:#}");
    let none = session.get(nginx.url("/404.html")).send().unwrap().json::<Value>().unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Decode);
    assert!(none.to_string().contains("line 1 column 1"), "{none}");
}

#[test]
fn lines_come_one_by_one() {
    let (Some(httpbin), Some(nginx)) = (Httpbin::shared(), Nginx::shared()) else { return };
    let session = nginx.session();
    let mut stream = session.get(httpbin.url("/stream/100")).send().unwrap();
    let ids = stream
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()["id"].as_u64().unwrap());
    assert!(ids.eq(0..100));
    for base in nginx.urls("") {
        for path in ["/numbers.txt", "/gzip/numbers.txt", "/chunked/numbers.txt"] {
            let mut response = session.get(format!("{base}{path}")).send().unwrap();
            let lines: Vec<String> = response.lines().map(Result::unwrap).collect();
            let lines = lines.join("\n").to_lowercase() + "\n";
            assert!(lines == numbers(), "{base}{path}");
        }
    }
    // The first is there before the last was sent.
    let mut slow = session.get(httpbin.url("/stream/3")).send().unwrap();
    let first: Value = serde_json::from_str(&slow.lines().next().unwrap().unwrap()).unwrap();
    assert_eq!(first["id"], 0);
}

#[test]
fn links_are_followed() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let value = "</get?page=2>; rel=\"next\"; title=\"a, b; <c>\", <http://other.test/>; rel=last";
    let request = session.get(httpbin.url("/response-headers"));
    let response = request.query([("Link", value), ("Link", "</>; rel=start")]).send().unwrap();
    let links = response.links();
    let targets: Vec<&str> = links.iter().map(|link| &*link.target).collect();
    assert_eq!(targets, ["/get?page=2", "http://other.test/", "/"]);
    let next = by_rel(&links, "next").unwrap();
    assert_eq!(next.title(), Some("a, b; <c>"));
    let next = response.url().join(&next.target).unwrap();
    let seen: Value = session.get(next).send().unwrap().json().unwrap();
    assert_eq!(seen["args"], json!({"page": "2"}));
}

#[test]
fn statuses_are_errors_for_who_asks() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    for (status, words) in
        [(404, "404 Client Error: NOT FOUND"), (503, "503 Server Error: SERVICE UNAVAILABLE")]
    {
        let url = httpbin.url(&format!("/status/{status}"));
        let mut response = session.get(&url).send().unwrap();
        assert!(!response.ok());
        let error = response.raise_for_status().unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(status)));
        assert_eq!(error.message(), format!("{words} for url: {url}"));
    }
    let mut fine = session.get(httpbin.url("/status/204")).send().unwrap();
    assert_eq!(fine.raise_for_status().unwrap().status(), 204);
}
