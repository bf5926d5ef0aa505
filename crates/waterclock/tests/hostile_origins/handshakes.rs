//! Handshakes that stop, and ServerHellos that lie: nobody gets a request, and the call ends at once.

use crate::sealed::IDENTITY;
use crate::support::{builder, trust};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use waterclock::tls::TlsSettings;
use waterclock::{Error, ErrorKind, Limit, RequestSent};
use waterclock_lab::{Server, Tls, TlsScript, TlsVersion};

/// Enough for a busy machine, and less than the 20 s of the session.
const AT_ONCE: Duration = Duration::from_secs(4);

fn call(url: String, settings: TlsSettings) -> Result<u16, Error> {
    let session = builder().tls(settings).build().unwrap();
    let begin = Instant::now();
    let result = session.get(url).header("Cookie", "secret=1").send();
    assert!(begin.elapsed() < AT_ONCE, "{result:?}");
    result.map(|response| response.status())
}

fn trusted() -> TlsSettings {
    trust(IDENTITY.ca_pem())
}

/// A certificate of one name and no chain: the first flight is longer than this.
const FLIGHT: usize = 500;
/// Between two places; prime, so that it hits each byte of a header somewhere.
const STEP: usize = 11;

/// The server's handshake stops after any number of bytes, with FIN and with RST.
#[test]
fn tls_a_handshake_that_is_cut_anywhere() {
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        for end in [TlsScript::close_after, TlsScript::reset_after] {
            let script = move |number| end(TlsScript::new(), number * STEP);
            let tls = Tls::new(IDENTITY.clone()).version(version).script_by_connection(script);
            let server = Server::builder().tls(tls).start().unwrap();
            for cut in (0..FLIGHT).step_by(STEP) {
                let error = call(server.url("/"), trusted()).expect_err("cut");
                let case = format!("{version:?}, {cut}: {error:#}");
                assert_eq!(
                    (error.kind(), error.request_sent()),
                    (ErrorKind::Tls, RequestSent::No),
                    "{case}"
                );
            }
            assert!(server.requests().is_empty());
        }
    }
}

/// A ServerHello, for which RFC 8446 §4.1.3 and RFC 5246 §7.4.1.3 have the same form.
#[derive(Clone)]
struct Hello {
    version: u16,
    random: [u8; 32],
    /// If none, the client's.
    session: Option<Vec<u8>>,
    cipher: u16,
    compression: u8,
    extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    /// One that could begin a handshake of TLS 1.2.
    fn good() -> Self {
        let (random, extensions) = ([7; 32], vec![(0xff01, vec![0]), (0x0017, vec![])]);
        Hello {
            version: 0x0303,
            random,
            session: Some(vec![]),
            cipher: 0xc02b,
            compression: 0,
            extensions,
        }
    }

    fn with(edit: impl FnOnce(&mut Self)) -> Self {
        let mut hello = Self::good();
        edit(&mut hello);
        hello
    }

    fn extended(kind: u16, content: &[u8]) -> Self {
        Self::with(|hello| hello.extensions.push((kind, content.to_vec())))
    }

    /// As TLS 1.3 says it.
    fn v1_3(extensions: &[(u16, &[u8])]) -> Self {
        let extensions = extensions.iter().map(|(kind, content)| (*kind, content.to_vec()));
        let version = [(0x002b, vec![3, 4])];
        Self::with(|hello| {
            (hello.session, hello.cipher) = (None, 0x1301);
            hello.extensions = version.into_iter().chain(extensions).collect();
        })
    }

    fn retry(extensions: &[(u16, &[u8])]) -> Self {
        Hello { random: RETRY, ..Self::v1_3(extensions) }
    }

    /// The record, for a client that has named its session like this.
    fn record(&self, session: &[u8]) -> Vec<u8> {
        let session = self.session.as_deref().unwrap_or(session);
        let extensions: Vec<u8> = self
            .extensions
            .iter()
            .flat_map(|(kind, content)| [&kind.to_be_bytes(), &sized(content)[..]].concat())
            .collect();
        let body = [
            &self.version.to_be_bytes()[..],
            &self.random,
            &[u8::try_from(session.len()).unwrap()],
            session,
            &self.cipher.to_be_bytes(),
            &[self.compression],
            &sized(&extensions),
        ];
        let body = body.concat();
        [&[22, 3, 3][..], &sized(&[&[2, 0][..], &sized(&body)].concat())].concat()
    }
}

/// With its length in front.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// The SHA-256 of "HelloRetryRequest", which marks one.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What is in the end of the random bytes of a server that was talked down (RFC 8446 §4.1.3).
fn talked_down() -> Hello {
    Hello::with(|hello| hello.random[24..].copy_from_slice(b"DOWNGRD\x01"))
}

fn lies() -> Vec<(&'static str, Vec<Hello>)> {
    let (h2, http) = (&[0, 3, 2, b'h', b'2'], &[0, 4, 3, b'a', b'b', b'c']);
    let one = |case, hello| (case, vec![hello]);
    vec![
        one("SSL 3", Hello::with(|hello| hello.version = 0x0300)),
        one("TLS 1.0", Hello::with(|hello| hello.version = 0x0301)),
        one("TLS 1.3 in the old place", Hello::with(|hello| hello.version = 0x0304)),
        one("TLS 1.1 in the new place", Hello::extended(0x002b, &[3, 2])),
        one("TLS 1.4", Hello::extended(0x002b, &[3, 5])),
        one("talked down from 1.3", talked_down()),
        one("no cipher", Hello::with(|hello| hello.cipher = 0x0002)),
        one("a cipher of 1.3 for 1.2", Hello::with(|hello| hello.cipher = 0x1301)),
        one("a cipher that there is not", Hello::with(|hello| hello.cipher = 0x1a1a)),
        one("compression", Hello::with(|hello| hello.compression = 1)),
        one("ALPN: h2, which was not offered", Hello::extended(0x0010, h2)),
        one("ALPN: another one that was not", Hello::extended(0x0010, http)),
        one("ALPN: none", Hello::extended(0x0010, &[0, 0])),
        one("ALPN: two", Hello::extended(0x0010, &[0, 4, 1, b'a', 1, b'b'])),
        one("ALPN: an empty one", Hello::extended(0x0010, &[0, 1, 0])),
        one("an extension twice", Hello::extended(0x0017, &[])),
        one("one that was not asked for", Hello::extended(0x000f, &[1])),
        one("1.3 without a key", Hello::v1_3(&[])),
        one("1.3 with a key of no length", Hello::v1_3(&[(0x0033, &[0, 0x1d, 0, 0])])),
        one("1.3 with a key of another group", Hello::v1_3(&[(0x0033, &[1, 0, 0, 1, 9])])),
        one("1.3 resumed, which was not offered", Hello::v1_3(&[(0x0029, &[0, 0])])),
        one("try again, with nothing new", Hello::retry(&[])),
        one("try again, with the same key", Hello::retry(&[(0x0033, &[0, 0x1d])])),
        one("try again, with a group that there is not", Hello::retry(&[(0x0033, &[0x1a, 0x1a])])),
        one("try again, with an empty cookie", Hello::retry(&[(0x002c, &[0, 0])])),
        ("try again, for ever", vec![Hello::retry(&[(0x002c, &[0, 1, 7])]); 2]),
    ]
}

/// Answers each ClientHello with the next one of these, and then says nothing.
fn greets(hellos: Vec<Hello>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // A client that gives up, which is what it should do, ends this.
        let _ = hellos.iter().try_for_each(|hello| {
            let session = client_hello(&mut stream)?;
            stream.write_all(&hello.record(&session))
        });
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    address
}

/// Reads up to the end of a ClientHello, and gives the session that it names.
fn client_hello(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    loop {
        let mut header = [0; 5];
        stream.read_exact(&mut header)?;
        let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        stream.read_exact(&mut record)?;
        if header[0] == 22 {
            // Behind type, length, version and 32 random bytes.
            let length = usize::from(record[38]);
            return Ok(record[39..39 + length].to_vec());
        }
    }
}

/// The ones that are edited are in order, and rustls passes over some small lies, of which nothing can
/// come without the keys: more is waited for.
#[test]
fn tls_a_server_hello_alone_is_no_handshake() {
    // A point on Curve25519 that somebody could have.
    let key = [&[0, 0x1d, 0, 32][..], &[9; 32]].concat();
    let v1_3 = Hello::v1_3(&[(0x0033, &key)]);
    for (case, hello) in [
        ("1.2", Hello::good()),
        ("1.3", v1_3.clone()),
        ("try again, with a cookie", Hello::retry(&[(0x002c, &[0, 1, 7])])),
        ("for another session", Hello { session: Some(vec![9; 32]), ..v1_3 }),
        ("renegotiation", Hello::with(|hello| hello.extensions[0].1 = vec![2, 1, 1])),
        ("an extension of the client's only", Hello::extended(0x000d, &[0, 2, 4, 3])),
    ] {
        let session = builder().tls(trusted()).build().unwrap();
        let url = format!("https://{}/", greets(vec![hello]));
        let error = session.get(url).total(Duration::from_millis(100)).send().unwrap_err();
        assert_eq!(error.limit(), Some(Limit::Total), "{case}: {error:#}");
        assert_eq!(error.request_sent(), RequestSent::No, "{case}");
    }
}

#[test]
fn tls_a_server_hello_that_lies() {
    let offering = trusted().to_builder().alpn(["http/1.1"]).build().unwrap();
    let mut wrong = Vec::new();
    for settings in [trusted(), offering] {
        for (case, hellos) in lies() {
            let session = builder().tls(settings.clone()).build().unwrap();
            let url = format!("https://{}/", greets(hellos));
            let error = session.get(url).total(AT_ONCE).send().expect_err(case);
            if (error.kind(), error.request_sent()) != (ErrorKind::Tls, RequestSent::No) {
                wrong.push(format!("{case}: {error}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the server knows is not among what was offered.
#[test]
fn tls_no_protocol_in_common() {
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let tls = Tls::new(IDENTITY.clone()).version(version).alpn(&["h2"]);
        let server = Server::builder().tls(tls).start().unwrap();
        let offering = trusted().to_builder().alpn(["http/1.1"]).build().unwrap();
        let error = call(server.url("/"), offering).expect_err("ALPN");
        assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
        assert!(error.to_string().contains("ALPN"), "{error}");
        // Who offers nothing gets HTTP/1.1, whatever the server would have liked.
        assert_eq!(call(server.url("/"), trusted()).unwrap(), 200);
    }
}
