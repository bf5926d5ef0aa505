//! Flaws of what a request says: bytes that end a line, and hosts that are not what they seem.

use crate::support::{Origin, builder, trust};
use waterclock::{Error, ErrorKind, Headers, Method, SessionBuilder};
use waterclock_lab::{FastServer, Identity};
use waterclock_sim::{Script, SimWorld};

/// The request was refused, and nothing of it ever left.
#[track_caller]
fn unsent(origin: &Origin, result: Result<waterclock::Response, Error>, kind: ErrorKind) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:#}");
    assert_eq!((origin.connections(), origin.world.lookups().len()), (0, 0));
}

/// CVE-2019-9740: a line break in the URL ended the request line, and what followed was header fields
/// or another request.
#[test]
fn cve_2019_9740_a_line_break_in_the_query() {
    let origin = Origin::new(Script::new());
    for byte in (0..0x20).chain([0x7f]).map(char::from) {
        for url in [
            format!("http://origin.test/?a=1 HTTP/1.1{byte}X-Evil: 1"),
            format!("http://origin.test/?a=1#{byte}"),
            format!("http://user:pass{byte}@origin.test/"),
            format!("http{byte}://origin.test/"),
        ] {
            unsent(&origin, origin.session.get(url).send(), ErrorKind::InvalidUrl);
        }
    }
    // Escaped they may be, and stay so. Spaces end a request line as well.
    let origin = Origin::answering("HTTP/1.1 204 No Content\r\n\r\n");
    origin.session.get("http://origin.test/?a=%0d%0aX: 1 HTTP/1.1").send().unwrap();
    let sent = String::from_utf8(origin.world.received("192.0.2.1:80").concat()).unwrap();
    assert!(sent.starts_with("GET /?a=%0d%0aX:%201%20HTTP/1.1 HTTP/1.1\r\n"), "{sent}");
}

/// CVE-2019-9947: the same in the path.
#[test]
fn cve_2019_9947_a_line_break_in_the_path() {
    let origin = Origin::new(Script::new());
    for byte in (0..0x20).chain([0x7f]).map(char::from) {
        let url = format!("http://origin.test/a{byte}X-Evil: 1{byte}b");
        unsent(&origin, origin.session.get(url).send(), ErrorKind::InvalidUrl);
    }
}

/// CVE-2020-26116: the same in the method; and in what else stands in a head.
#[test]
fn cve_2020_26116_a_line_break_in_the_method() {
    let origin = Origin::new(Script::new());
    for byte in (0..=0x20).chain([0x7f]).map(char::from) {
        for method in [format!("GET{byte}"), format!("GET / HTTP/1.1{byte}X-Evil:"), byte.into()] {
            assert!(method.parse::<Method>().is_err(), "{method:?}");
        }
        let request = || origin.session.get("http://origin.test/");
        let name = request().header(&format!("X{byte}Evil"), "1").send();
        unsent(&origin, name, ErrorKind::InvalidRequest);
        if !matches!(byte, ' ' | '\t') {
            let value = request().header("X", format!("1{byte}Evil: 1")).send();
            unsent(&origin, value, ErrorKind::InvalidRequest);
            assert!(Headers::new().append("X", format!("1{byte}")).is_err());
        }
    }
}

/// urllib3#5091, cpython#146211: line breaks and other control characters in the host or in the
/// fields of a CONNECT reached the proxy as they were.
#[test]
fn urllib3_5091_a_line_break_in_a_connect() {
    for scheme in ["http", "https"] {
        let world = SimWorld::new();
        world.host("proxy.test").resolves_to(["192.0.2.9"]);
        let listener = world.listen("192.0.2.9:3128");
        listener.serve(Script::new().expect_head().send("HTTP/1.1 204 No Content\r\n\r\n"));
        let builder = SessionBuilder::in_world(world.clone());
        let session = builder.proxy("http://proxy.test:3128").build().unwrap();
        for byte in (0..0x20).chain([0x7f]) {
            let (raw, escaped) = (char::from(byte), format!("%{byte:02x}"));
            for evil in [raw.to_string(), escaped] {
                for host in [format!("shop.test{evil}X-Evil: 1"), format!("[fe80::1%25eth0{evil}]")]
                {
                    let error = session.get(format!("{scheme}://{host}/")).send().unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{error:#}");
                }
                let proxy = format!("http://user:pa{evil}ss@proxy.test:3128");
                let request = session.get(format!("{scheme}://shop.test/")).proxy(&proxy);
                let error = request.send().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{error:#}");
            }
            if raw != '\t' {
                let request = session.get(format!("{scheme}://shop.test/"));
                let value = format!("Basic x{raw}X-Evil: 1");
                let error = request.header("Proxy-Authorization", value).send().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:#}");
            }
        }
        assert!(world.connections("192.0.2.9:3128").is_empty());
    }
}

/// urllib3#5029, #5095: `0x7f000001` and its kin were names to urllib3 and addresses to the system,
/// and control characters were let through, so that what was checked was not what was connected to.
#[test]
fn urllib3_5029_5095_hosts_that_are_not_what_they_seem() {
    const LOCAL: &[&str] = &[
        "0x7f000001",
        "0x7F.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "\u{ff11}27.0.0.1",
    ];
    // What is asked of the certificate is the address, and what is in `Host` too.
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let settings = trust(identity.ca_pem());
    let server = FastServer::start_tls(identity).unwrap();
    let session = builder().tls(settings).build().unwrap();
    let port = server.address().port();
    for host in LOCAL {
        let mut response = session.get(format!("https://{host}:{port}/")).send().unwrap();
        assert_eq!(response.text().unwrap(), "ok");
        assert_eq!(response.url().host_str(), Some("127.0.0.1"), "{host}");
    }
    assert_eq!(server.connections(), 1, "one host, one connection");

    // No name is looked up, and rules for the address are rules for its spellings.
    let world = SimWorld::new();
    world
        .listen("127.0.0.1:80")
        .serve_with(|_| Script::new().expect_head().send(crate::support::ok("ok")));
    let proxies = waterclock::Proxies::direct().with("all", "http://192.0.2.9:3128").unwrap();
    let builder = SessionBuilder::in_world(world.clone());
    let session = builder.proxies(proxies.with_no_proxy("127.0.0.0/8")).build().unwrap();
    for host in LOCAL {
        let response = session.get(format!("http://{host}/")).send();
        assert_eq!(response.unwrap().text().unwrap(), "ok", "{host}");
        session.close();
    }
    let received = String::from_utf8(world.received("127.0.0.1:80").concat()).unwrap();
    assert_eq!(received.matches("Host: 127.0.0.1\r\n").count(), LOCAL.len(), "{received}");
    for host in [
        "1.2.3.256",
        "256.1",
        "0x100000000",
        "1.2.3.4.5",
        "09.0.0.1",
        "a%00b",
        "a%0ab",
        "a%7fb",
        "a%20b",
        "a%2fb",
        "a%40b",
        "a%23b",
        "[1.2.3.4]",
        "a<b",
        "a^b",
        "a|b",
        "",
    ] {
        let error = session.get(format!("http://{host}/")).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{host}: {error:#}");
    }
    assert!(world.lookups().is_empty() && world.connections("192.0.2.9:3128").is_empty());
}

/// CVE-2024-3651: the time that `idna.encode` took grew with the square of a name's length. No name
/// has more than 253 bytes, nor a part of one more than 63 (RFC 1035 §2.3.4).
#[test]
fn cve_2024_3651_a_name_that_is_far_too_long() {
    let origin = Origin::new(Script::new());
    let label = |length| "a".repeat(length);
    let name =
        |labels, rest| format!("{}{}", format!("{}.", label(49)).repeat(labels), label(rest));
    for host in [label(64), name(5, 4), format!("{}.", name(5, 4)), "\u{e4}".repeat(60)] {
        let result = origin.session.get(format!("http://{host}/")).send();
        unsent(&origin, result, ErrorKind::InvalidUrl);
    }
    for host in [label(63), name(5, 3), format!("{}.", name(5, 3)), "\u{e4}".repeat(50)] {
        let error = origin.session.get(format!("http://{host}/")).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve, "{host}: {error:#}");
    }
    // What no name could be is refused for its length, before anything is made of its characters.
    let origin = Origin::new(Script::new());
    for unit in ["\u{e4}", "\u{e4}.", "\u{ff0e}", "xn--", "\u{1f4a9}", "%c3%a4", "\u{5d0}1", "a."] {
        for (before, after) in [("http://", "/"), ("https://user:pass@", ":443?q"), ("http:", "")] {
            let url = format!("{before}{}{after}", unit.repeat(10_000));
            let error = origin.session.get(url).send().unwrap_err();
            assert!(error.to_string().contains("longer than any name"), "{unit:?}: {error}");
            unsent(&origin, Err(error), ErrorKind::InvalidUrl);
        }
    }
}
