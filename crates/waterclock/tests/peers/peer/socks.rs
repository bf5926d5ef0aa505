//! SOCKS servers: microsocks (SOCKS5, also with a password) and Dante (SOCKS4 and SOCKS5).

use super::{PASSWORD, USER};
use crate::support::{Daemon, fill, find};
use std::net::SocketAddr;

pub(crate) struct Microsocks {
    daemon: Daemon,
}

impl Microsocks {
    /// For everybody.
    pub(crate) fn start() -> Option<Microsocks> {
        Self::with(&[])
    }

    /// For [`USER`] with [`PASSWORD`] alone (RFC 1929).
    pub(crate) fn with_password() -> Option<Microsocks> {
        Self::with(&["-u", USER, "-P", PASSWORD])
    }

    fn with(options: &[&str]) -> Option<Microsocks> {
        let program = find("microsocks")?;
        let daemon = Daemon::start(&program, 1, |_, ports| {
            let port = ports[0].port().to_string();
            let listen = ["-i", "127.0.0.1", "-p", &port];
            listen.iter().chain(options).map(|&argument| argument.to_owned()).collect()
        });
        Some(Microsocks { daemon })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.daemon.address(0)
    }
}

pub(crate) struct Dante {
    daemon: Daemon,
}

impl Dante {
    pub(crate) fn start() -> Option<Dante> {
        let program = find("danted")?;
        let daemon = Daemon::start(&program, 1, |folder, ports| {
            let values: &[(&str, &dyn ToString)] = &[("PORT", &ports[0].port())];
            folder.write("danted.conf", fill(include_str!("../conf/danted.conf"), values));
            ["-f", "danted.conf", "-p", "danted.pid"].map(str::to_owned).to_vec()
        });
        Some(Dante { daemon })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.daemon.address(0)
    }
}
