//! Flaws of TLS: policies that are mixed up, and trust in what nobody has vouched for.

use crate::support::{Directory, EVIL, alone, builder, careless, names, trust};
use flate2::Crc;
use waterclock::tls::{ClientIdentity, Pin, Roots, TlsSettings, TlsSettingsBuilder, TlsVersion};
use waterclock::{Error, ErrorKind};
use waterclock_lab::{
    Authority, FastServer, Identity, Proxy, ProxyAction, Server, Step, Tls, TlsVersion as Version,
};

const NAMES: &[&str] = &["127.0.0.1", "shop.test"];

fn client(authority: &Authority, name: &str) -> ClientIdentity {
    let client = authority.client(name).unwrap();
    let (certificate, key) = (client.certificate_pem(), client.key_pem());
    ClientIdentity::pem(certificate.as_bytes(), key.as_bytes()).unwrap()
}

fn fingerprint(identity: &Identity) -> Pin {
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(identity.certificate_der());
    Pin::parse(&sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>()).unwrap()
}

/// CVE-2024-35195: in requests, whoever called a host first with `verify=False` decided that for all
/// later calls to it, which got the same connection.
#[test]
fn cve_2024_35195_a_connection_made_under_another_policy() {
    let ca = Authority::new().unwrap();
    let identity = ca.issue(NAMES).unwrap();
    let pin = fingerprint(&identity);
    let server = FastServer::start_tls(identity).unwrap();
    let usual = trust(ca.pem());
    let with = |change: fn(TlsSettingsBuilder) -> TlsSettingsBuilder| {
        change(usual.to_builder()).build().unwrap()
    };
    // Everything that a policy consists of; the server accepts them all.
    let policies = [
        careless(),
        usual.clone(),
        trust(&format!("{}{}", ca.pem(), Authority::new().unwrap().pem())),
        usual.to_builder().identity(client(&ca, "ann")).build().unwrap(),
        usual.to_builder().identity(client(&ca, "bob")).build().unwrap(),
        usual.to_builder().pin(pin).build().unwrap(),
        with(|usual| usual.server_name("shop.test")),
        with(|usual| usual.minimum_version(TlsVersion::Tls13)),
        with(|usual| usual.alpn(["http/1.1"])),
    ];
    let session = builder().build().unwrap();
    let ask = |policy: &TlsSettings| {
        let mut response = session.get(server.url("/")).tls(policy.clone()).send()?;
        response.content()?;
        Ok::<_, Error>(response.connection().unwrap().number)
    };
    let numbers = || policies.iter().map(|policy| ask(policy).unwrap()).collect::<Vec<_>>();
    let first = numbers();
    assert_eq!(first, (1..=policies.len() as u64).collect::<Vec<_>>());
    assert_eq!(numbers(), first, "each goes on with its own");

    // And whom the server does not satisfy, none of these connections serves.
    let stranger = Identity::new(NAMES).unwrap();
    for policy in [
        trust(stranger.ca_pem()),
        usual.to_builder().pin(fingerprint(&stranger)).build().unwrap(),
        with(|usual| usual.server_name("other.test")),
    ] {
        assert_eq!(ask(&policy).unwrap_err().kind(), ErrorKind::Certificate);
    }
    assert_eq!(server.requests(), 2 * policies.len() as u64);
}

/// psf/requests#6726, a regression of 2.32.0: one `SSLContext` served all calls, and a client
/// certificate that one caller had loaded into it was shown for the others.
#[test]
fn regression_6726_a_client_certificate_of_another_caller() {
    for version in [Version::V1_2, Version::V1_3] {
        let (ca, other) = (Authority::new().unwrap(), Authority::new().unwrap());
        let tls = Tls::new(ca.issue(NAMES).unwrap()).version(version);
        let server = FastServer::start_tls(tls.require_client_certificate(&ca)).unwrap();
        let nobody = trust(ca.pem());
        let ann = nobody.to_builder().identity(client(&ca, "ann")).build().unwrap();
        let mallory = nobody.to_builder().identity(client(&other, "ann")).build().unwrap();
        let session = builder().tls(nobody.clone()).build().unwrap();
        let ask = |policy: &TlsSettings| {
            let request = session.get(server.url("/")).tls(policy.clone());
            let result = request.send().and_then(|mut response| response.text());
            // The next call shakes hands anew, and may resume what was agreed on.
            session.close();
            result
        };
        let all = || {
            for _ in 0..3 {
                assert_eq!(ask(&ann).unwrap(), "ok");
                for policy in [&nobody, &mallory] {
                    assert_eq!(ask(policy).unwrap_err().kind(), ErrorKind::Tls, "{version:?}");
                }
            }
        };
        all();
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(all))));
        assert_eq!(server.requests(), 5 * 3);
    }
}

/// GHSA-8988-9cw3-xx77: urllib3 shook hands with an `https://` proxy under the settings that were for
/// the destination, so that switching off verification for one did so for both.
#[test]
fn ghsa_8988_9cw3_xx77_the_destinations_settings_with_the_proxy() {
    let ca = Authority::new().unwrap();
    let (origins, proxys) = (Identity::new(NAMES).unwrap(), Identity::new(NAMES).unwrap());
    let (origin_tls, proxy_tls) = (trust(origins.ca_pem()), trust(proxys.ca_pem()));
    let pin = fingerprint(&origins);
    let origin = FastServer::start_tls(origins).unwrap();
    let start = |tls: Tls| {
        Proxy::builder().route("shop.test:443", origin.address()).tls(tls).start().unwrap()
    };
    let proxy = start(proxys.clone().into());
    let curious = start(Tls::new(proxys).require_client_certificate(&ca));
    let ask = |proxy: &Proxy, origin: TlsSettings, with_proxy: TlsSettings| {
        let builder = builder().proxy(&proxy.url()).tls(origin).proxy_tls(with_proxy);
        builder.build().unwrap().get("https://shop.test/").send().map(|response| response.status())
    };
    let known = origin_tls.to_builder().identity(client(&ca, "ann")).pin(pin).build().unwrap();
    assert_eq!(ask(&proxy, known.clone(), proxy_tls.clone()).unwrap(), 200);

    let error = ask(&proxy, careless(), origin_tls).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
    assert!(error.to_string().contains("the proxy's certificate"), "{error}");
    let error = ask(&proxy, proxy_tls.clone(), careless()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
    assert!(!error.to_string().contains("proxy"), "{error}");
    let error = ask(&curious, known, proxy_tls).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    assert!(curious.requests().is_empty());
}

/// CVE-2023-40217: what arrived before the handshake, and the end of the connection behind it, made
/// Python's `ssl` hand out plain bytes as if TLS had brought them.
#[test]
fn cve_2023_40217_bytes_before_the_handshake() {
    let get = |url: &str, proxy: Option<&Proxy>| {
        let builder = builder().tls(careless());
        let builder = match proxy {
            Some(proxy) => builder.proxy(&proxy.url()).proxy_tls(careless()),
            None => builder,
        };
        let result = builder.build().unwrap().get(url).send();
        result.and_then(|mut response| response.text()).unwrap_err()
    };
    // Instead of the handshake, with each way to end.
    for end in [Step::Close, Step::HalfClose, Step::Reset, Step::Stall] {
        let server = Server::start(vec![Step::send(EVIL), Step::sleep_ms(20), end]).unwrap();
        let url = server.url("/").replace("http:", "https:");
        let error = get(&url, None);
        assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    }
    // Between the answer of a proxy and a handshake that would have been in order.
    let origin = FastServer::start_tls(Identity::new(NAMES).unwrap()).unwrap();
    let glue = |_: &_| ProxyAction::glue(EVIL);
    let route = || Proxy::builder().route("shop.test:443", origin.address()).script(glue);
    let secure = route().tls(Identity::new(NAMES).unwrap());
    for proxy in [route(), secure] {
        let proxy = proxy.start().unwrap();
        let error = get("https://shop.test/", Some(&proxy));
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
        assert_eq!(origin.requests(), 0);
    }
}

/// CVE-2023-37920, CVE-2024-39689: certifi shipped roots (of e-Tugra, of GLOBALTRUST) that were no
/// longer to be trusted, and programs kept them until they were built anew. Here the platform's store
/// decides, or a bundle that is read when it is named.
#[test]
#[cfg(feature = "native-roots")]
fn cve_2023_37920_cve_2024_39689_roots_are_not_built_in() {
    const NAME: &str = "tls::cve_2023_37920_cve_2024_39689_roots_are_not_built_in";
    let directory = Directory::new("roots");
    let path = directory.0.join("store.pem");
    if !alone(NAME, &[("SSL_CERT_FILE", path.to_str().unwrap())]) {
        return;
    }
    let store = std::env::var("SSL_CERT_FILE").unwrap();
    let (kept, distrusted) = (Authority::new().unwrap(), Authority::new().unwrap());
    let start = |ca: &Authority| FastServer::start_tls(ca.issue(NAMES).unwrap()).unwrap();
    let (good, bad) = (start(&kept), start(&distrusted));
    let get = |server: &FastServer, roots: Option<Roots>| {
        let session = match roots {
            None => builder().build().unwrap(),
            Some(roots) => {
                let settings = TlsSettings::builder().roots(roots).build().unwrap();
                builder().tls(settings).build().unwrap()
            }
        };
        session.get(server.url("/")).send().map(|response| response.status())
    };
    let refused = |result: Result<u16, Error>| {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Certificate);
    };
    // A bundle loses a root while the program runs.
    std::fs::write(&store, format!("{}{}", kept.pem(), distrusted.pem())).unwrap();
    let bundle = || Some(Roots::pem_file(&store).unwrap());
    assert_eq!(get(&bad, bundle()).unwrap(), 200);
    std::fs::write(&store, kept.pem()).unwrap();
    refused(get(&bad, bundle()));
    assert_eq!(get(&good, bundle()).unwrap(), 200);
    // The default is the platform's store, which is that file here, and nothing besides.
    assert_eq!(Roots::default(), Roots::System);
    assert_eq!(get(&good, None).unwrap(), 200);
    refused(get(&bad, None));
}

/// CVE-2026-25645: for a CA bundle inside a zip file, requests unpacked it under a name in the folder
/// for temporary files that everybody could know, and took the file that was there already. Here
/// nothing is unpacked: a path into a zip file is an error that says so.
#[test]
fn cve_2026_25645_a_bundle_in_a_zip_file() {
    const NAME: &str = "tls::cve_2026_25645_a_bundle_in_a_zip_file";
    let folder = Directory::new("zip");
    if !alone(NAME, &[("TMPDIR", folder.0.to_str().unwrap())]) {
        return;
    }
    let (mine, evil) = (Authority::new().unwrap(), Authority::new().unwrap());
    let temporary = std::env::temp_dir();
    let planted = temporary.join("cacert.pem");
    std::fs::write(&planted, evil.pem()).unwrap();
    let archive = folder.0.join("bundle.zip");
    std::fs::write(&archive, zip("cacert.pem", mine.pem().as_bytes())).unwrap();
    let before = (names(&temporary), names(&folder.0));
    let inside = archive.join("cacert.pem");
    let refused = [
        Roots::pem_file(&inside).map(drop),
        Roots::pem_dir(&archive).map(drop),
        ClientIdentity::pem_file(&inside).map(drop),
    ];
    for result in refused {
        let error = result.unwrap_err();
        assert!(error.to_string().contains("bundle.zip"), "{error}");
        assert!(error.to_string().contains("cannot read"), "{error}");
    }
    assert_eq!((names(&temporary), names(&folder.0)), before);
    assert_eq!(std::fs::read_to_string(&planted).unwrap(), evil.pem());
}

/// A zip file with one member that is not compressed.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let number = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
    let (length, name_length) = (number(content), u16::try_from(name.len()).unwrap());
    // Version, flags, method, time and date; checksum, sizes, length of the name and of nothing.
    let mut about = [20_u16, 0, 0, 0, 0].map(u16::to_le_bytes).concat();
    about.extend([crc.sum(), length, length].map(u32::to_le_bytes).concat());
    about.extend([name_length, 0].map(u16::to_le_bytes).concat());
    let mut file = [b"PK\x03\x04", &*about, name.as_bytes(), content].concat();
    let at = number(&file);
    let central = [b"PK\x01\x02\x14\0", &*about, &[0; 14], name.as_bytes()].concat();
    file.extend_from_slice(&central);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend([number(&central), at].map(u32::to_le_bytes).concat());
    file.extend_from_slice(&[0; 2]);
    file
}
