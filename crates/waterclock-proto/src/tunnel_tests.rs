//! Tests of CONNECT; table H of the reliability rows as far as bytes decide them.

use super::*;
use crate::h1::FaultKind;

fn tunnel() -> Tunnel {
    Tunnel::new("origin.test", 443, &Headers::new(), Caps::default()).unwrap()
}

fn established(input: &[u8]) -> Option<usize> {
    match tunnel().receive(input) {
        Ok(TunnelStep::Established { used }) => Some(used),
        _ => None,
    }
}

#[test]
fn h_connect_any_2xx_establishes_and_framing_is_ignored() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 200 Connection established\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 201 Created\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        assert_eq!(established(head.as_bytes()), Some(head.len()), "{head:?}");
        let early = format!("{head}SSH-2.0");
        assert_eq!(established(early.as_bytes()), Some(head.len()), "early bytes stay visible");
    }
}

#[test]
fn h_connect_drip_gives_the_same() {
    let input = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    let mut tunnel = tunnel();
    for end in 0..input.len() {
        assert!(matches!(tunnel.receive(&input[..end]), Ok(TunnelStep::NeedInput)), "{end}");
    }
    let step = tunnel.receive(input);
    assert!(matches!(step, Ok(TunnelStep::Established { used }) if used == input.len()));
}

#[test]
fn h_connect_refusals_keep_the_proxys_answer() {
    for (status, rest) in [
        (403, "Content-Length: 6\r\n\r\n<html>"),
        (407, "Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"),
        (302, "Location: http://evil/\r\n\r\n"),
    ] {
        let input = format!("HTTP/1.1 {status} X\r\n{rest}");
        let Ok(TunnelStep::Refused { head, used, .. }) = tunnel().receive(input.as_bytes()) else {
            panic!("{input:?}");
        };
        assert_eq!(head.status, status);
        assert!(matches!(&input[used..], "" | "<html>"));
    }
}

#[test]
fn h_connect_nonsense_is_an_error_at_once() {
    for input in ["garbage", "<html>", "\x15\x03", "HTTP/1.1 200 OK\r\nX: a\0b"] {
        let error = tunnel().receive(input.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), FaultKind::Protocol, "{input:?}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(1 << 20));
    let error = tunnel().receive(endless.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), FaultKind::TooLarge);
    assert_eq!(tunnel().eof(), ProtocolError::ClosedBeforeResponse);
}

#[test]
fn the_request_names_host_and_port() {
    let mut extra = Headers::new();
    extra.append("Proxy-Authorization", "Basic c2VjcmV0").unwrap();
    let mut tunnel = Tunnel::new("[2001:db8::1]", 8443, &extra, Caps::default()).unwrap();
    let expected = b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\
        Proxy-Authorization: Basic c2VjcmV0\r\n\r\n";
    assert_eq!(tunnel.transmit(), expected);
    tunnel.sent(8);
    assert_eq!(tunnel.transmit(), &expected[8..]);
    tunnel.sent(usize::MAX);
    assert_eq!(tunnel.transmit(), b"");
    assert!(!format!("{tunnel:?}").contains("c2VjcmV0"));
}

#[test]
fn hosts_that_would_break_the_line_are_refused() {
    let long = "a".repeat(256);
    for host in ["", "a b", "a\r\nX: 1", "a:b", "a/b", "a@b", "[::1", "::1%eth0", "ä", "a\0", &long]
    {
        let refused = Tunnel::new(host, 1, &Headers::new(), Caps::default());
        assert!(matches!(refused, Err(InvalidRequest::Host { .. })), "{host:?}");
    }
    for name in ["host", "content-length", "transfer-encoding"] {
        let mut extra = Headers::new();
        extra.append(name, "1").unwrap();
        let refused = Tunnel::new("a", 1, &extra, Caps::default());
        assert!(matches!(refused, Err(InvalidRequest::TunnelField { .. })), "{name}");
    }
}
