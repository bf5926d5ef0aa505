//! squid: a caching proxy, here without a cache. Its client may speak TLS to it.

use super::{PASSWORD, USER};
use crate::support::{Daemon, fill, find, skipped};
use std::path::Path;
use std::process::Command;
use waterclock_lab::Authority;

/// The program that knows the passwords, and its salted hash of [`PASSWORD`].
const AUTH: &str = "/usr/lib/squid/basic_ncsa_auth";
const HASH: &str = "$apr1$saltsalt$xx013OFx2cRtDjpNeiZXf.";

/// squid with four ports, and with names that only it knows: `shop.test` is this machine, and
/// `refused.test` is refused.
pub(crate) struct Squid {
    daemon: Daemon,
}

impl Squid {
    pub(crate) fn start() -> Option<Squid> {
        let program = find("squid")?;
        if !Path::new(AUTH).is_file() || !speaks_tls(&program) {
            return skipped("squid with TLS (Debian package squid-openssl)");
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
            folder.write("hosts", "127.0.0.1 shop.test refused.test\n");
            folder.write_identity(&authority);
            // Its name is that of its shared memory too, which several of them must not share.
            let name = format!("waterclock{open}");
            ["-N", "-n", &name, "-f", "squid.conf"].map(str::to_owned).to_vec()
        });
        Some(Squid { daemon })
    }

    /// The URL of the port that wants no password.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.daemon.address(0))
    }

    /// The URL of the port that wants one; `userinfo` is empty or ends with `@`.
    pub(crate) fn guarded_url(&self, userinfo: &str) -> String {
        format!("http://{userinfo}{}", self.daemon.address(1))
    }

    /// The URL of the TLS port that wants no password.
    pub(crate) fn tls_url(&self) -> String {
        format!("https://{}", self.daemon.address(2))
    }

    /// The URL of the TLS port that wants one.
    pub(crate) fn guarded_tls_url(&self, userinfo: &str) -> String {
        format!("https://{userinfo}{}", self.daemon.address(3))
    }

    /// The path of a file with the certificate of the authority behind the TLS ports.
    pub(crate) fn authority_file(&self) -> String {
        self.daemon.folder().path().join("authority.pem").to_str().unwrap().to_owned()
    }
}

fn speaks_tls(program: &Path) -> bool {
    let output = Command::new(program).arg("-v").output().unwrap();
    String::from_utf8_lossy(&output.stdout).contains("--with-openssl")
}
