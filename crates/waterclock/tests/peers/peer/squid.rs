//! squid: a caching proxy, here without a cache. Its client may speak TLS to it.

use super::{PASSWORD, USER};
use crate::support::{Daemon, fill, find, skipped, trust};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use waterclock::tls::TlsSettings;
use waterclock_lab::Authority;

/// The program that knows the passwords, and its salted hash of [`PASSWORD`].
const AUTH: &str = "/usr/lib/squid/basic_ncsa_auth";
const HASH: &str = "$apr1$saltsalt$xx013OFx2cRtDjpNeiZXf.";

/// squid with four ports, and with names of its own: `localhost` and `shop.test`, which only it knows,
/// are this machine, and `refused.test` is refused.
///
/// It takes two seconds to start and end, so all tests share one. This value is a test's hold on it.
pub(crate) struct Squid(&'static Running);

struct Running {
    daemon: Daemon,
    authority: Authority,
}

impl Squid {
    pub(crate) fn shared() -> Option<Squid> {
        static SHARED: OnceLock<Option<Running>> = OnceLock::new();
        match SHARED.get_or_init(start) {
            Some(running) => Some(Squid(running)),
            None => skipped("squid with TLS (Debian package squid-openssl)"),
        }
    }

    /// The URL of the port that wants no password.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.daemon.address(0))
    }

    /// The URL of the port that wants one; `userinfo` is empty or ends with `@`.
    pub(crate) fn guarded_url(&self, userinfo: &str) -> String {
        format!("http://{userinfo}{}", self.0.daemon.address(1))
    }

    /// The URL of the TLS port that wants no password.
    pub(crate) fn tls_url(&self) -> String {
        format!("https://{}", self.0.daemon.address(2))
    }

    /// The URL of the TLS port that wants one.
    pub(crate) fn guarded_tls_url(&self, userinfo: &str) -> String {
        format!("https://{userinfo}{}", self.0.daemon.address(3))
    }

    /// Settings that trust the TLS ports.
    pub(crate) fn trust(&self) -> TlsSettings {
        trust(&self.0.authority).build().unwrap()
    }

    /// The path of a file with the certificate of the authority behind the TLS ports.
    pub(crate) fn authority_file(&self) -> String {
        self.0.daemon.folder().path().join("authority.pem").to_str().unwrap().to_owned()
    }
}

impl Drop for Squid {
    fn drop(&mut self) {
        self.0.daemon.show_if_failing();
    }
}

fn start() -> Option<Running> {
    let program = find("squid").filter(|program| speaks_tls(program))?;
    if !Path::new(AUTH).is_file() {
        return None;
    }
    assert_eq!(PASSWORD, "pass", "the hash is of this one");
    let authority = Authority::new().unwrap();
    let daemon = Daemon::start(&program, 4, |folder, ports| {
        let [open, guarded, tls, tls_guarded] = [0, 1, 2, 3].map(|index| ports[index].port());
        let values: &[(&str, &dyn ToString)] = &[
            ("OPEN", &open),
            ("GUARDED", &guarded),
            ("TLS", &tls),
            ("TLS_GUARDED", &tls_guarded),
            ("AUTH", &AUTH),
            ("FOLDER", &folder.path().display()),
        ];
        folder.write("squid.conf", fill(include_str!("../conf/squid.conf"), values));
        folder.write("passwords", format!("{USER}:{HASH}\n"));
        folder.write("hosts", "127.0.0.1 localhost shop.test refused.test\n");
        folder.write_identity(&authority);
        // Its name is that of its shared memory too, which several of them must not share.
        let name = format!("waterclock{open}");
        ["-N", "-n", &name, "-f", "squid.conf"].map(str::to_owned).to_vec()
    });
    Some(Running { daemon, authority })
}

fn speaks_tls(program: &Path) -> bool {
    let output = Command::new(program).arg("-v").output().unwrap();
    String::from_utf8_lossy(&output.stdout).contains("--with-openssl")
}
