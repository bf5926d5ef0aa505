//! nginx: plain, over TLS, over TLS 1.2 only, and for clients with a certificate.

use super::{PASSWORD, USER};
use crate::support::{Daemon, LOOK_AGAIN, PATIENCE, builder, fill, find, skipped, trust};
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Instant;
use waterclock::Session;
use waterclock::tls::{ClientIdentity, TlsSettings};
use waterclock_lab::Authority;

/// What `/numbers.txt` contains.
pub(crate) fn numbers() -> String {
    static NUMBERS: LazyLock<String> = LazyLock::new(|| {
        (0..20_000).fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "line {line}");
            text
        })
    });
    NUMBERS.clone()
}

/// "Привет" in KOI8-R.
const KOI8: &[u8] = b"\xf0\xd2\xc9\xd7\xc5\xd4";
/// A page that says itself what it is in, with "café".
const LATIN1_PAGE: &[u8] = b"<meta charset=iso-8859-1><p>caf\xe9</p>";
/// "hé" with a byte order mark.
const UTF16: &[u8] = b"\xff\xfeh\0\xe9\0";

/// nginx with what `conf/locations.conf` lists.
pub(crate) struct Nginx {
    daemon: Daemon,
    authority: Authority,
}

/// A test's hold on the nginx that is there for all tests which look neither at its log nor at what
/// others may have stored.
pub(crate) struct Shared(&'static Nginx);

impl Deref for Shared {
    type Target = Nginx;

    fn deref(&self) -> &Nginx {
        self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.0.daemon.show_if_failing();
    }
}

impl Nginx {
    /// One for all, which saves the time to start it.
    pub(crate) fn shared() -> Option<Shared> {
        static SHARED: OnceLock<Option<Nginx>> = OnceLock::new();
        match SHARED.get_or_init(Nginx::start) {
            Some(nginx) => Some(Shared(nginx)),
            None => skipped("nginx"),
        }
    }

    /// One for this test alone.
    pub(crate) fn start() -> Option<Nginx> {
        let program = find("nginx")?;
        let authority = Authority::new().unwrap();
        let daemon = Daemon::start(&program, 4, |folder, ports| {
            let [plain, tls, tls12, mutual] = [0, 1, 2, 3].map(|index| ports[index].port());
            let values: &[(&str, &dyn ToString)] =
                &[("PLAIN", &plain), ("TLS", &tls), ("TLS12", &tls12), ("MUTUAL", &mutual)];
            folder.write("nginx.conf", fill(include_str!("../conf/nginx.conf"), values));
            folder.write("locations.conf", fill(include_str!("../conf/locations.conf"), values));
            folder.write_identity(&authority);
            folder.write("passwords", format!("{USER}:{{PLAIN}}{PASSWORD}\n"));
            fs::create_dir_all(folder.path().join("root/store")).unwrap();
            folder.write("root/numbers.txt", numbers());
            folder.write("root/404.html", "<p>nothing here</p>\n");
            folder.write("root/koi8.txt", KOI8);
            folder.write("root/latin1.html", LATIN1_PAGE);
            folder.write("root/utf16.txt", UTF16);
            let path = folder.path().to_str().unwrap();
            ["-p", path, "-c", "nginx.conf", "-e", "stderr"].map(str::to_owned).to_vec()
        });
        Some(Nginx { daemon, authority })
    }

    /// The address of the plain port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.daemon.address(0)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.daemon.address(0))
    }

    pub(crate) fn tls_url(&self, path: &str) -> String {
        format!("https://{}{path}", self.daemon.address(1))
    }

    pub(crate) fn tls12_url(&self, path: &str) -> String {
        format!("https://{}{path}", self.daemon.address(2))
    }

    pub(crate) fn mutual_url(&self, path: &str) -> String {
        format!("https://{}{path}", self.daemon.address(3))
    }

    /// The plain URL and the one over TLS.
    pub(crate) fn urls(&self, path: &str) -> [String; 2] {
        [self.url(path), self.tls_url(path)]
    }

    /// Settings that trust this server.
    pub(crate) fn trust(&self) -> TlsSettings {
        trust(&self.authority).build().unwrap()
    }

    /// The same, with a client certificate for `name`.
    pub(crate) fn trust_as(&self, name: &str) -> TlsSettings {
        let client = self.authority.client(name).unwrap();
        let (certificate, key) = (client.certificate_pem(), client.key_pem());
        let identity = ClientIdentity::pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        trust(&self.authority).identity(identity).build().unwrap()
    }

    /// A session that trusts this server.
    pub(crate) fn session(&self) -> Session {
        builder().tls(self.trust()).build().unwrap()
    }

    /// The path of a file with the authority's certificate.
    pub(crate) fn authority_file(&self) -> String {
        self.daemon.folder().path().join("authority.pem").to_str().unwrap().to_owned()
    }

    /// Has it load its configuration anew: connections that are idle then are closed.
    pub(crate) fn reload(&self) {
        self.daemon.signal("HUP");
    }

    /// The request lines that it has answered so far. It logs a request after it has answered it, so
    /// one more is sent to know that those before are there.
    pub(crate) fn requests(&self) -> Vec<String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let mark = format!("/the-last-one/{} ", COUNT.fetch_add(1, Ordering::Relaxed));
        self.session().get(self.url(mark.trim_end())).send().unwrap();
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            let log = self.daemon.folder().read("access.log");
            let lines = log.lines().filter_map(|line| line.split('"').nth(1));
            if lines.clone().any(|line| line.contains(&mark)) {
                let lines = lines.filter(|line| !line.contains("/the-last-one/"));
                return lines.map(str::to_owned).collect();
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        panic!("nginx logs nothing");
    }
}
