//! Proxies that refuse, lie, or say nothing that makes sense, on real sockets and with the connection held
//! open behind what they said.

use crate::support::{AT_ONCE, builder, fetch, timed, trust};
use waterclock::{ErrorKind, RequestSent};
use waterclock_lab::{
    Identity, Proxy, ProxyAction, ReceivedRequest, Script, Server, Step, redirect, respond_with,
};

const HTML: &str = "<html>Pay for this Wi-Fi</html>";
const OPEN: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

fn says(text: &str) -> Vec<Step> {
    vec![Step::send(text), Step::Stall]
}

/// What is said to a CONNECT, and what it is then called.
fn lies() -> Vec<(&'static str, ErrorKind, Vec<Step>)> {
    let fields = [("Set-Cookie", "id=evil; Path=/"), ("Content-Type", "text/html")];
    let challenge = [("Proxy-Authenticate", "Basic realm=x"), fields[0]];
    let elsewhere = [("Location", "http://evil.test/"), fields[0]];
    let line = format!("X-Long: {}\r\n", "x".repeat(8_000));
    let endless = [Step::send("HTTP/1.1 200 OK\r\n"), Step::Loop(vec![Step::send(line)])];
    let late = vec![Step::send(OPEN), Step::sleep_ms(20), Step::send("HTTP/1.1 200 OK\r\n\r\n")];
    vec![
        ("403", ErrorKind::Proxy, respond_with(403, &fields, HTML)),
        ("407", ErrorKind::Proxy, respond_with(407, &challenge, HTML)),
        ("302", ErrorKind::Proxy, respond_with(302, &elsewhere, HTML)),
        ("511", ErrorKind::Proxy, respond_with(511, &fields, HTML)),
        ("200 and a page", ErrorKind::Proxy, says(&format!("{OPEN}{HTML}"))),
        (
            "200, a page, FIN",
            ErrorKind::Proxy,
            vec![Step::send(format!("{OPEN}{HTML}")), Step::Close],
        ),
        ("200 and an answer", ErrorKind::Proxy, says(&format!("{OPEN}HTTP/1.1 200 OK\r\n\r\n"))),
        ("200, then an answer", ErrorKind::Tls, [late, vec![Step::Stall]].concat()),
        ("200, then FIN", ErrorKind::Tls, vec![Step::send(OPEN), Step::Close]),
        ("200, then RST", ErrorKind::Tls, vec![Step::send(OPEN), Step::sleep_ms(20), Step::Reset]),
        ("FIN", ErrorKind::Proxy, vec![Step::Close]),
        ("RST", ErrorKind::Proxy, vec![Step::Reset]),
        ("HTTP/0.9", ErrorKind::Proxy, says(HTML)),
        ("a banner", ErrorKind::Proxy, says("SSH-2.0-OpenSSH_9.9\r\n")),
        ("an alert", ErrorKind::Proxy, says("\x15\x03\x03\0\x02\x02\x28")),
        ("NUL in a field", ErrorKind::Proxy, says("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n")),
        ("a head without end", ErrorKind::Proxy, endless.to_vec()),
    ]
}

#[test]
fn what_a_proxy_says_is_never_the_origins_answer() {
    for (name, kind, steps) in lies() {
        let action = ProxyAction::Answer(steps);
        let proxy = Proxy::builder().script(move |_| action.clone()).start().unwrap();
        let session = builder().proxy(&proxy.url()).build().unwrap();
        let request = session.get("https://shop.test/").header("Authorization", "Bearer s3cret");
        let (result, elapsed) = timed(|| fetch(request));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error:#}");
        assert_eq!((error.request_sent(), error.status()), (RequestSent::No, None), "{name}");
        assert!(elapsed < AT_ONCE, "{name}: {elapsed:?}");
        assert_eq!(proxy.requests().len(), 1, "{name}: nobody is asked again, or elsewhere");
        assert_eq!(session.cookies().snapshot().len(), 0, "{name}: its cookies are nobody's");
    }
}

/// What is secret is the origin's: a proxy gets to see who is connected to.
#[test]
fn connect_carries_nothing_of_the_request() {
    let identity = Identity::new(&["shop.test"]).unwrap();
    let trusted = trust(identity.ca_pem());
    let origin = Server::builder().tls(identity).start().unwrap();
    let plain = Server::start(Script::every_request(redirect(307, "https://shop.test/s3cret")));
    let plain = plain.unwrap();
    let proxy = Proxy::builder().route("shop.test:443", origin.address());
    let proxy = proxy.route("shop.test:80", plain.address()).start().unwrap();
    for from in ["https://shop.test/s3cret?key=s3cret", "http://shop.test/"] {
        let session = builder().proxy(&proxy.url()).tls(trusted.clone()).build().unwrap();
        let request = session.post(from).body("s3cret").header("Authorization", "Bearer s3cret");
        let request = request.header("Cookie", "id=s3cret").header("X-Api-Key", "s3cret");
        assert_eq!(fetch(request).unwrap(), b"ok");
    }
    let is_connect = |asked: &&ReceivedRequest| asked.method == "CONNECT";
    let asked = proxy.requests();
    assert_eq!(asked.iter().filter(is_connect).count(), 2);
    for connect in asked.iter().filter(is_connect) {
        let head = String::from_utf8_lossy(&connect.raw_head);
        assert!(!head.contains("s3cret"), "{head}");
    }
    // And the origin got it all.
    let got = origin.requests();
    assert_eq!(got.len(), 2);
    assert!(
        got.iter().all(|got| got.header("x-api-key") == Some("s3cret") && got.body == b"s3cret")
    );
}
